/** The paths between the boxes of a pair, and which of them BFD watches. Questions only, no judgement. */
import type { BfdInterval, Config, Family, Interface, Position } from "../config/model.js";
import { type Address, inPrefix } from "../ip.js";
import { isUp, networksOf, usedAssociation } from "./topology.js";

interface PathFacts {
  readonly interface: Interface;
  /** Undefined: BFD does not watch it. */
  readonly bfd: BfdInterval | undefined;
  /** Where the text says that there is a path. */
  readonly at: Position;
}

/** The LAN of HSRP groups of one address family: who the neighbor is, is heard there. */
export interface HsrpPath extends PathFacts {
  readonly kind: "hsrp";
  readonly family: Family;
}

/** A pair of addresses of the association. */
export interface AssociationPath extends PathFacts {
  readonly kind: "association";
  readonly local: number;
  readonly remote: number;
}

export type PeerPath = HsrpPath | AssociationPath;

/** Every path over which the boxes of a pair hear each other; those over an interface that is shut are none. */
export function peerPaths(config: Config): PeerPath[] {
  return [...hsrpPaths(config), ...associationPaths(config)];
}

function hsrpPaths(config: Config): HsrpPath[] {
  return [...config.interfaces.values()].filter(isUp).flatMap((on) => {
    const groups = [...on.standby.groups.values()];
    const bfd = watchesNeighbors(config, on) ? on.bfd : undefined;
    const four = groups.find(({ ip, ipv6 }) => ip !== undefined || ipv6 === undefined);
    const six = groups.find(({ ipv6 }) => ipv6 !== undefined);
    const path = (family: Family, at: Position): HsrpPath => ({
      kind: "hsrp",
      interface: on,
      family,
      bfd,
      at,
    });
    return [
      ...(four === undefined ? [] : [path(4, four.at)]),
      ...(six === undefined ? [] : [path(6, six.at)]),
    ];
  });
}

/** Whether BFD is to run with the HSRP neighbor of an interface that has a `bfd interval`. */
export function watchesNeighbors({ standbyBfd = true }: Config, { standby }: Interface): boolean {
  return standby.bfd ?? standbyBfd;
}

/** The first addresses of both ends are one path, the second another; what is left over goes with the last one. */
export function associationPaths(config: Config): AssociationPath[] {
  const association = usedAssociation(config);
  if (association === undefined || association.shutdown) return [];
  const { localIps, remoteIps } = association;
  if (localIps.length === 0 || remoteIps.length === 0) return [];
  return Array.from({ length: Math.max(localIps.length, remoteIps.length) }, (_, path) => {
    const local = localIps[path] ?? localIps.at(-1)!;
    const remote = remoteIps[path] ?? remoteIps.at(-1)!;
    return { local: local.address, remote: remote.address, at: remote.at };
  }).flatMap(({ local, remote, at }): AssociationPath[] => {
    const on = arrivalInterface(config, local, remote);
    if (on === undefined) return [];
    const isOnLink = isConnected(on, remote);
    return [{ kind: "association", interface: on, local, remote, bfd: isOnLink ? on.bfd : undefined, at }];
  });
}

/** Where the peer's packets come in: on the network they start from, else where the local address is. */
export function arrivalInterface(config: Config, local: Address, remote: Address): Interface | undefined {
  const up = [...config.interfaces.values()].filter(isUp);
  return (
    up.find((each) => isConnected(each, remote)) ??
    up.find((each) => each.addresses.some((one) => one.address === local))
  );
}

function isConnected(on: Interface, address: Address): boolean {
  const family = typeof address === "number" ? 4 : 6;
  return networksOf(on, family).some(({ network, prefixLength }) => inPrefix(address, network, prefixLength));
}
