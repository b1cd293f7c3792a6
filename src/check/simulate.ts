/**
 * The packets that a pair lives on, sent through the inbound lists: HSRP hellos (V16), BFD (V31) and the synchronisation
 * (V13). Such packets are addressed to the box itself and belong to no session, so the list alone decides.
 */
import {
  type AclPacket,
  aceMatches,
  addressMatches,
  expandAddresses,
  hasEntries,
  PROTOCOL,
} from "../acl/evaluate.js";
import type {
  AccessGroup,
  AccessList,
  Ace,
  Config,
  Family,
  Interface,
  IpcAssociation,
} from "../config/model.js";
import { type Address, formatAddress, formatIpv4, inPrefix, ipv4Mask, parseAddress } from "../ip.js";
import type { Context, Draft } from "./finding.js";
import { arrivalInterface, peerPaths } from "./paths.js";
import {
  addressesOf,
  encapsulationPort,
  hsrpVersion,
  isUp,
  LINK_LOCAL,
  type Network,
  ownAddresses,
  primaryNetwork,
  virtualAddresses,
} from "./topology.js";

/** Where hellos go (RFC 2281; version 2 and IPv6: Cisco). Source and destination port are the same. */
const HELLO = {
  1: { group: parseAddress("224.0.0.2")!, port: 1985, ttl: 1 },
  2: { group: parseAddress("224.0.0.102")!, port: 1985, ttl: 1 },
  6: { group: parseAddress("ff02::66")!, port: 2029, ttl: 255 },
};
/** Where BFD goes, and the first of the ports that it comes from (RFC 5881). */
const BFD = { port: 3784, sourcePort: 49_152, ttl: 255 };
/** The TOS byte of both: class selector 6. */
const CONTROL_TRAFFIC_CLASS = 0xc0;
/** In a network of up to so many addresses each host is tried, in a larger one the edges of the list's sources. */
const HOSTS_ENUMERATED_MAX = 1024;

/** Time ranges may be active or not; what a pair lives on must pass in both cases. */
const TIME_RANGE_CASES = [() => true, () => false];

function inboundGroup(on: Interface, family: Family): AccessGroup | undefined {
  return on.accessGroups.find((each) => each.direction === "in" && each.family === family);
}

/** The list of a binding, if it has entries; one without is V19's matter. */
function boundList(config: Config, binding: AccessGroup): AccessList | undefined {
  const list = (binding.family === 4 ? config.accessLists : config.accessLists6).get(binding.list);
  return list !== undefined && hasEntries(list) ? list : undefined;
}

/** What decides about a packet whose source is one of `candidates`: the first permitted one, or the first denial. */
function trial(
  config: Config,
  list: AccessList,
  packet: AclPacket,
  candidates: Address[],
  isActive: () => boolean,
): { permitted: Address | undefined; deniedBy: Ace | undefined } {
  let undecided = candidates;
  let deniedBy: Ace | undefined;
  for (const entry of list.entries) {
    if (entry.kind !== "ace") continue;
    if (!aceMatches(config, { ...entry, source: { kind: "any" } }, packet, isActive)) continue;
    const sources = expandAddresses(config, entry.source);
    const matches = (candidate: Address) => sources.some((source) => addressMatches(source, candidate));
    const decided = undecided.find(matches);
    if (decided === undefined) continue;
    if (entry.action === "permit") return { permitted: decided, deniedBy: undefined };
    deniedBy ??= entry;
    undecided = undecided.filter((candidate) => !matches(candidate));
    if (undecided.length === 0) break;
  }
  return { permitted: undefined, deniedBy };
}

/** Undefined: one of the candidates passes, whatever the time. Else the entry that denies, if it is not the end. */
function denial(
  config: Config,
  list: AccessList,
  packet: AclPacket,
  candidates: Address[],
): { by: Ace | undefined } | undefined {
  for (const isActive of TIME_RANGE_CASES) {
    const { permitted, deniedBy } = trial(config, list, packet, candidates, isActive);
    if (permitted === undefined) return { by: deniedBy };
  }
  return undefined;
}

/** The entry that denies, for messages. */
function deniedText(list: AccessList, by: Ace | undefined): string {
  return by === undefined
    ? `denied by the end of list ${list.name}`
    : `denied by list ${list.name}, line ${by.at.line}`;
}

/** V16. Two boxes that do not hear each other are both active. */
export function hellosPass(config: Config, { peer }: Context): Draft[] {
  return [...config.interfaces.values()]
    .filter(isUp)
    .flatMap((on) => [...hellosOn(config, peer, on, 4), ...hellosOn(config, peer, on, 6)]);
}

/** The hellos of one family on one interface. */
function hellosOn(config: Config, peer: Config | undefined, on: Interface, family: Family): Draft[] {
  const groups = [...on.standby.groups.values()];
  if (!groups.some((group) => (family === 4 ? group.ip : group.ipv6) !== undefined)) return [];
  const { group, port, ttl } = HELLO[family === 4 ? hsrpVersion(on) : 6];
  return fromPeer(config, peer, on, {
    what: "HSRP hellos of the peer",
    consequence: "both boxes become active there",
    destination: group,
    sourcePort: port,
    port,
    ttl,
  });
}

/** V31. A session that does not come up watches nothing. */
export function bfdPasses(config: Config, { peer }: Context): Draft[] {
  const drafts = peerPaths(config).flatMap((path): Draft[] => {
    const { bfd, interface: on } = path;
    if (bfd === undefined) return [];
    const family = path.kind === "hsrp" ? path.family : 4;
    const own = addressesOf(on).find(({ address, linkLocal }) =>
      family === 4 ? typeof address === "number" : linkLocal,
    );
    const destination = path.kind === "association" ? path.local : own?.address;
    // A link-local address that the box makes for itself is not in the text.
    if (destination === undefined) return [];
    return fromPeer(config, peer, on, {
      what: "BFD packets of the peer",
      consequence: "that path is not watched",
      destination,
      sourcePort: BFD.sourcePort,
      port: BFD.port,
      ttl: BFD.ttl,
      ...(path.kind === "association" && { source: path.remote }),
    });
  });
  // The LAN of a group may be a path of the association too.
  const texts = new Set<string>();
  return drafts.filter(({ message }) => !texts.has(message) && texts.add(message));
}

/** A packet of the peer for this box itself. */
interface Probe {
  readonly what: string;
  readonly consequence: string;
  readonly destination: Address;
  readonly sourcePort: number;
  readonly port: number;
  readonly ttl: number;
  /** Undefined: whoever the peer is on this LAN. */
  readonly source?: Address;
}

/** What the inbound list denies: from the peer when it is known, else from some host of the network. */
function fromPeer(config: Config, peer: Config | undefined, on: Interface, probe: Probe): Draft[] {
  const { what, consequence, destination, sourcePort, port, ttl } = probe;
  const family = typeof destination === "number" ? 4 : 6;
  const binding = inboundGroup(on, family);
  const list = binding && boundList(config, binding);
  const home = family === 4 ? primaryNetwork(on) : LINK_LOCAL;
  if (list === undefined || home === undefined) return [];
  const to = formatAddress(destination);

  const attempt = (from: string, source: string, candidates: Address[]): Draft[] => {
    const packet: AclPacket = {
      source: candidates[0]!,
      destination,
      protocol: PROTOCOL.udp,
      sourcePort,
      destinationPort: port,
      trafficClass: CONTROL_TRAFFIC_CLASS,
      ttl,
    };
    const denied = denial(config, list, packet, candidates);
    if (denied === undefined) return [];
    const entry = list.kind === "standard" ? source : `udp ${source} host ${to} eq ${port}`;
    return [
      {
        at: binding!.at,
        other: denied.by?.at,
        message: `${what} on ${on.name} (udp ${port} from ${from} to ${to}) are ${deniedText(list, denied.by)}: ${consequence}`,
        mend: `permit ${entry}, at the top of list ${list.name}`,
      },
    ];
  };

  const own = new Set(ownAddresses(config).map((each) => each.address));
  const known = probe.source === undefined ? peerAddresses(config, peer, on, family) : [probe.source];
  const peers = known.filter((each) => !own.has(each));
  if (peers.length > 0) {
    return peers.flatMap((each) => attempt(formatAddress(each), `host ${formatAddress(each)}`, [each]));
  }
  for (const each of [...on.standby.groups.values()].flatMap(virtualAddresses)) own.add(each.address);
  const hosts = hostsToTry(config, list, home, own);
  const network = `${formatAddress(home.network)}/${home.prefixLength}`;
  return hosts.length === 0 ? [] : attempt(`any host of ${network}`, aclSource(home), hosts);
}

function aclSource({ network, prefixLength }: Network): string {
  return typeof network === "number"
    ? `${formatIpv4(network)} ${formatIpv4(~ipv4Mask(prefixLength) >>> 0)}`
    : `${formatAddress(network)}/${prefixLength}`;
}

/** What is known of the peer's address on this LAN: from its own configuration, else from `remote-ip`. */
function peerAddresses(config: Config, peer: Config | undefined, on: Interface, family: Family): Address[] {
  const home = primaryNetwork(on);
  const isHere = (address: Address) =>
    home !== undefined && inPrefix(address, home.network, home.prefixLength);
  const theirs = [...(peer?.interfaces.values() ?? [])].filter(
    (each) => isUp(each) && each.standby.groups.size > 0 && each.addresses.some((one) => isHere(one.address)),
  );
  if (family === 6) {
    return theirs.flatMap((each) => addressesOf(each).flatMap((one) => (one.linkLocal ? one.address : [])));
  }
  const primaries = theirs.flatMap((each) => each.addresses.slice(0, 1).map((one) => one.address));
  if (primaries.length > 0) return primaries;
  const associations = [...(config.ipc?.associations.values() ?? [])];
  return associations.flatMap((each) => each.remoteIps.map((one) => one.address)).filter(isHere);
}

/** Hosts of a network that stand for all: between the edges of a list's sources every host has the same verdict. */
function hostsToTry(config: Config, list: AccessList, home: Network, excluded: Set<Address>): Address[] {
  const [low, high] = hostRange(home);
  const starts: Address[] = [low];
  if (Number(BigInt(high) - BigInt(low)) >= HOSTS_ENUMERATED_MAX) {
    for (const entry of list.entries) {
      if (entry.kind !== "ace") continue;
      for (const match of expandAddresses(config, entry.source)) {
        if (match.kind === "wildcard") {
          // The lowest address of the network that the wildcard admits, and what follows the highest.
          const first = (match.address | (Number(low) & match.wildcard)) >>> 0;
          starts.push(first, ((first | match.wildcard) >>> 0) + 1);
        } else if (match.kind === "prefix") {
          starts.push(match.address, after(match.address, match.prefixLength));
        } else if (match.kind === "range") {
          starts.push(match.low, plus(match.high, 1));
        }
      }
    }
  }
  const length = starts.length > 1 ? excluded.size + 1 : HOSTS_ENUMERATED_MAX;
  const hosts = new Set<Address>();
  for (const start of starts) {
    if (typeof start !== typeof low) continue;
    for (let i = 0; i < length; i++) {
      const host = plus(start, i);
      if (host >= low && host <= high && !excluded.has(host)) hosts.add(host);
    }
  }
  return [...hosts];
}

/** The first and the last address that a host can have. */
function hostRange({ network, prefixLength }: Network): [Address, Address] {
  if (typeof network === "bigint") return [network + 1n, network + (1n << BigInt(128 - prefixLength)) - 1n];
  const last = (network | ~ipv4Mask(prefixLength)) >>> 0;
  return prefixLength > 30 ? [network, last] : [network + 1, last - 1];
}

function plus(address: Address, count: number): Address {
  return typeof address === "number" ? address + count : address + BigInt(count);
}

function after(network: Address, prefixLength: number): Address {
  return typeof network === "number"
    ? network + 2 ** (32 - prefixLength)
    : network + (1n << BigInt(128 - prefixLength));
}

/** V13. Each path is tried with the packets of the encapsulation. The first pairs with the first. */
export function deniedSyncPaths(config: Config, association: IpcAssociation): Draft[] {
  const { localIps, remoteIps, localPort, remotePort } = association;
  if (localIps.length === 0 || remoteIps.length === 0) return [];
  if (localPort === undefined || remotePort === undefined) return [];
  const udpPort = encapsulationPort(association);
  const { protocol, name, ports, carrier } =
    udpPort === undefined
      ? {
          protocol: "sctp",
          name: "SCTP",
          ports: "",
          carrier: {
            sourcePort: remotePort.value,
            destinationPort: localPort.value,
            protocol: PROTOCOL.sctp,
          },
        }
      : {
          protocol: "udp",
          name: `UDP ${udpPort}`,
          ports: ` eq ${udpPort}`,
          carrier: { sourcePort: udpPort, destinationPort: udpPort, protocol: PROTOCOL.udp },
        };
  const drafts: Draft[] = [];
  for (let path = 0; path < Math.max(localIps.length, remoteIps.length); path++) {
    const local = (localIps[path] ?? localIps.at(-1)!).address;
    const remote = (remoteIps[path] ?? remoteIps.at(-1)!).address;
    const on = arrivalInterface(config, local, remote);
    const binding = on && inboundGroup(on, 4);
    const list = binding && boundList(config, binding);
    if (on === undefined || binding === undefined || list === undefined) continue;
    const packet = { source: remote, destination: local, ...carrier };
    const denied = denial(config, list, packet, [remote]);
    if (denied === undefined) continue;
    const [from, to] = [formatIpv4(remote), formatIpv4(local)];
    const entry = list.kind === "standard" ? `host ${from}` : `${protocol} host ${from} host ${to}${ports}`;
    drafts.push({
      severity: "warning",
      at: binding.at,
      other: denied.by?.at,
      message: `the synchronisation from ${from} to ${to} (${name}) on ${on.name} is ${deniedText(list, denied.by)}`,
      mend: `permit ${entry}, at the top of list ${list.name}`,
    });
  }
  return drafts;
}
