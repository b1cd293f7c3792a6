/** What follows from the configuration: the addresses of the interfaces, the routes, and who is on which link. */
import * as L from "../../assembly/layout.js";
import { encapsulationPort, usedAssociation } from "../check/topology.js";
import type { Config, Family } from "../config/model.js";
import { isLinkLocal } from "../hsrp/addresses.js";
import { type HsrpInterface, optionsOf } from "../hsrp/index.js";
import { type Address, inPrefix, ipv4Mask, isMulticast } from "../ip.js";
import type { Mac } from "../mac.js";
import { compileInterfaces } from "../policy/interfaces.js";
import { Interner, NUMBERING_LIMITS, NUMBERING_START } from "../policy/numbering.js";
import { Problems } from "../policy/problems.js";
import { compileRoutes, networkOf, type Route } from "../policy/routes.js";
import type { Configuration } from "./actions.js";
import { ARP_TIMEOUT_SECONDS, CONTROL_PORTS, MTU_DEFAULT, NEXT_HOPS_MAX } from "./limits.js";

export interface Subnet {
  /** Of this router. */
  readonly address: Address;
  readonly prefixLength: number;
}

export interface RouterInterface {
  readonly name: string;
  /** Undefined: nothing can be sent. */
  readonly mac: Mac | undefined;
  readonly mtu: number;
  /** IPv4, the primary first. */
  readonly subnets: readonly Subnet[];
  /** IPv6 but for the link-local address. */
  readonly subnets6: readonly Subnet[];
  readonly linkLocal: bigint | undefined;
  /** Virtual addresses of the configuration, whoever has them now, and the MAC address of each. */
  readonly virtual: ReadonlyMap<Address, Mac>;
  /** By family. */
  readonly sendsUnreachables: Readonly<Record<Family, boolean>>;
  readonly timeoutMs: number;
  /** Next hops of static routes that are on the link. */
  readonly nextHops: ReadonlySet<Address>;
}

/** Where a packet goes next. */
export interface Hop {
  readonly interface: RouterInterface;
  readonly address: Address;
}

export interface Plan {
  readonly interfaces: ReadonlyMap<string, RouterInterface>;
  /** Longest prefix first. */
  readonly routes: readonly Route[];
  /** Names of interfaces by the number that the routes give them. */
  readonly names: readonly string[];
  /** Own addresses, those of groups not included. Link-local ones are the own of their interface only. */
  readonly own: ReadonlySet<Address>;
  /** UDP ports whose datagrams the control machines take. */
  readonly controlPorts: ReadonlySet<number>;
  /** Interfaces that share the room for neighbours. */
  readonly sharers: number;
}

/** A next hop that is reached by another route, and so on: at most this deep, as in the routes' own compiler. */
const RECURSION_MAX = 8;
const LOOPBACK = 0x7f000000;
const LOOPBACK_LENGTH = 8;
/** Groups, reserved addresses and the limited broadcast address are above it. */
const MULTICAST = 0xe0000000;
const SUBNET_LENGTH_MAX = 30;
const MILLISECONDS = 1000;

export function planOf(configuration: Configuration): Plan {
  const { config, macs } = configuration;
  const problems = new Problems(config);
  const numbers = new Interner(NUMBERING_START.interfaces, NUMBERING_LIMITS.interfaces);
  const compiled = compileInterfaces(config, numbers, configuration, problems);
  const routes = compileRoutes(config, compiled, undefined, problems);
  const upNames = new Set(compiled.filter(({ up }) => up).map(({ name }) => name));
  const { interfaces } = optionsOf(config, { macs, random: () => 0 });
  const plain = new Map(
    interfaces
      .filter(({ name }) => upNames.has(name))
      .map((each) => [each.name, interfaceOf(each, configuration)] as const),
  );
  const plan: Plan = {
    interfaces: plain,
    routes,
    names: numbers.values,
    own: new Set(
      [...plain.values()].flatMap(({ subnets, subnets6 }) =>
        [...subnets, ...subnets6].map(({ address }) => address),
      ),
    ),
    controlPorts: controlPortsOf(config),
    sharers: [...plain.values()].filter(({ mac, subnets, linkLocal }) => {
      return mac !== undefined && (subnets.length > 0 || linkLocal !== undefined);
    }).length,
  };
  return { ...plan, interfaces: withNextHops(plan, config) };
}

/** The association may travel from and to another port than the registered one. */
function controlPortsOf(config: Config): ReadonlySet<number> {
  const association = usedAssociation(config);
  const port = association && encapsulationPort(association);
  return port === undefined ? CONTROL_PORTS : new Set([...CONTROL_PORTS, port]);
}

function interfaceOf(each: HsrpInterface, { config, macs, mtus }: Configuration): RouterInterface {
  const { name, networks, networks6, linkLocal, groups } = each;
  const configured = config.interfaces.get(name)!;
  const virtual = new Map<Address, Mac>();
  for (const { virtualAddress, secondaryAddresses, virtualMac } of groups) {
    const primary = virtualAddress === "learn" || virtualAddress === undefined ? [] : [virtualAddress];
    for (const address of [...primary, ...secondaryAddresses]) virtual.set(address, virtualMac);
  }
  return {
    name,
    mac: macs.get(name),
    mtu: mtus.get(name) ?? MTU_DEFAULT,
    subnets: networks,
    subnets6: networks6,
    linkLocal,
    virtual,
    sendsUnreachables: { 4: configured.noUnreachables !== true, 6: configured.noUnreachables6 !== true },
    timeoutMs: ARP_TIMEOUT_SECONDS * MILLISECONDS,
    nextHops: new Set(),
  };
}

/** The interfaces with the next hops that are kept alive on each. */
function withNextHops(plan: Plan, { routes }: Config): Map<string, RouterInterface> {
  const nextHops = new Map<string, Set<Address>>();
  for (const { nextHop, interface: through } of routes) {
    if (nextHop === undefined) continue;
    const named = plan.interfaces.get(through ?? "");
    const hop = isLinkLocal(nextHop) ? named && { interface: named, address: nextHop } : hopTo(plan, nextHop);
    if (hop === undefined) continue;
    const { name } = hop.interface;
    const known = nextHops.get(name) ?? new Set();
    nextHops.set(name, known);
    if (known.size < NEXT_HOPS_MAX) known.add(hop.address);
  }
  return new Map(
    [...plan.interfaces].map(([name, each]) => [
      name,
      { ...each, nextHops: nextHops.get(name) ?? each.nextHops },
    ]),
  );
}

function lookup(plan: Plan, destination: Address): Route | undefined {
  return plan.routes.find(({ network, prefixLength }) => inPrefix(destination, network, prefixLength));
}

/** The next hop on the way to a destination that no link alone knows; undefined: none, or it is discarded. */
export function hopTo(plan: Plan, destination: Address): Hop | undefined {
  let address = destination;
  for (let depth = 0; depth < RECURSION_MAX; depth++) {
    const route = lookup(plan, address);
    if (route === undefined || (route.flags & (L.RT_LOCAL | L.RT_BROADCAST)) !== 0) return undefined;
    const through = plan.interfaces.get(plan.names[route.interface] ?? "");
    if (through === undefined) return undefined;
    const { nextHop } = route;
    if (nextHop === undefined) return { interface: through, address };
    if (isLinkLocal(nextHop)) return { interface: through, address: nextHop };
    address = nextHop;
  }
  return undefined;
}

/** Whether a station of this address may be on the link of an interface. */
export function isOnLink(plan: Plan, on: RouterInterface, address: Address): boolean {
  if (!isUnicast(address)) return false;
  if (isLinkLocal(address)) return on.linkLocal !== undefined;
  const subnets = typeof address === "number" ? on.subnets : on.subnets6;
  if (subnets.some((subnet) => inPrefix(address, subnet.address, subnet.prefixLength))) {
    return !isSubnetBroadcast(on, address);
  }
  // A static route that names the interface alone asks there for every destination.
  const hop = hopTo(plan, address);
  return hop?.interface === on && hop.address === address;
}

/** The network or broadcast address of a subnet of the interface. */
export function isSubnetBroadcast({ subnets }: RouterInterface, address: Address): boolean {
  if (typeof address === "bigint") return false;
  return subnets.some(({ address: own, prefixLength }) => {
    if (prefixLength > SUBNET_LENGTH_MAX || !inPrefix(address, own, prefixLength)) return false;
    const first = networkOf(own, prefixLength) as number;
    return address === first || address === (first | ~ipv4Mask(prefixLength)) >>> 0;
  });
}

/** An address that one station can have: no group, broadcast, loopback, or unspecified address (RFC 1812 5.3.7). */
export function isUnicast(address: Address): boolean {
  if (typeof address === "bigint") return address > 1n && !isMulticast(address);
  return address >>> 24 !== 0 && address < MULTICAST && !inPrefix(address, LOOPBACK, LOOPBACK_LENGTH);
}

/** The own address of an interface from which to ask for, or answer, an address on its link. */
export function ownAddressFor(on: RouterInterface, address: Address): Address | undefined {
  if (typeof address === "bigint") return on.linkLocal;
  const same = on.subnets.find((subnet) => inPrefix(address, subnet.address, subnet.prefixLength));
  return (same ?? on.subnets[0])?.address;
}
