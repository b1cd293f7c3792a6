/**
 * The routing table of a policy: own addresses, connected networks and static routes, longest prefix first.
 *
 * Own addresses include those of HSRP groups. A static route whose next hop leads nowhere is left out, as IOS does,
 * with a note; of several routes to one network that of the lowest administrative distance stays.
 */
import * as L from "../../assembly/layout.js";
import type { Config, Interface, StaticRoute } from "../config/model.js";
// Not the whole of HSRP, which a browser has no use for.
import { isLinkLocal } from "../hsrp/addresses.js";
import { eui64, linkLocalAddress, virtualLinkLocals } from "../hsrp/interface-addresses.js";
import { type Address, formatAddress, ipv4Mask, ipv6Mask } from "../ip.js";
import { formatMac, type Mac } from "../mac.js";
import { hasAddress, type PolicyInterface } from "./interfaces.js";
import { NOWHERE, type Problems } from "./problems.js";

export interface Route {
  readonly network: Address;
  readonly prefixLength: number;
  /** Number of the interface; 0: packets to this network are dropped (a route to Null0). */
  readonly interface: number;
  /** RT_*. */
  readonly flags: number;
  /** Where it comes from. */
  readonly origin: "address" | "subnet" | "connected" | "static" | "side";
  /** Next hop of a static route that has one. */
  readonly nextHop?: Address;
  /** The neighbour that packets are handed to: the next hop, or who it is reached by; undefined: the destination. */
  readonly gateway?: Address;
}

/** Where a static route leads. */
interface Way {
  /** Number of the interface; 0: nowhere. */
  readonly interface: number;
  readonly gateway?: Address;
}

/** What a static route without a `distance` has. */
const STATIC_DISTANCE = 1;
/** A next hop that is itself reached by a static route, and so on: at most this deep. */
const RECURSION_MAX = 8;
/** Destinations of this interface are discarded. */
const DISCARD_INTERFACE = /^Null\d/;
/** The longest prefix that still has a network and a broadcast address (RFC 3021 gives /31 to two hosts). */
const SUBNET_PREFIX_MAX = 30;
const EUI64_PREFIX_MAX = 64;

export function addressBits(address: Address): number {
  return typeof address === "number" ? 32 : 128;
}

/** The network that an address lies in. */
export function networkOf(address: Address, prefixLength: number): Address {
  return typeof address === "number"
    ? (address & ipv4Mask(prefixLength)) >>> 0
    : address & ipv6Mask(prefixLength);
}

/**
 * All routes of a configuration, in the order in which the core searches them.
 * @param sides instead of the connected and static routes: networks and the number of the interface that each is
 * behind (`--inside`).
 */
export function compileRoutes(
  config: Config,
  interfaces: readonly PolicyInterface[],
  sides: readonly Route[] | undefined,
  problems: Problems,
): Route[] {
  const routes = new RouteTable();
  for (const each of interfaces) {
    if (each.config === undefined || !each.up) continue;
    if (!hasAddress(each.config) && each.config.ipv6Enable !== true) continue;
    for (const route of ownRoutes(each, each.config, problems)) routes.add(route);
  }
  if (sides !== undefined) {
    for (const route of sides) routes.add(route);
  } else {
    for (const each of interfaces) {
      if (each.config === undefined || !each.up) continue;
      for (const route of connectedRoutes(each.config, each.number)) routes.add(route);
    }
    addStaticRoutes(config, interfaces, routes, problems);
  }
  const sorted = routes.sorted();
  for (const family of [4, 6]) {
    const count = sorted.filter(({ network }) => (typeof network === "number") === (family === 4)).length;
    if (count > L.ROUTES_MAX) {
      problems.error(NOWHERE, `${count} IPv${family} routes; at most ${L.ROUTES_MAX} are supported`);
    }
  }
  return sorted;
}

/** One route for each prefix: the first that is added stays. */
class RouteTable {
  readonly #routes = new Map<string, Route>();

  add(route: Route): void {
    const key = prefixKey(route.network, route.prefixLength);
    if (!this.#routes.has(key)) this.#routes.set(key, route);
  }

  get(network: Address, prefixLength: number): Route | undefined {
    return this.#routes.get(prefixKey(network, prefixLength));
  }

  sorted(): Route[] {
    return [...this.#routes.values()].sort((a, b) => b.prefixLength - a.prefixLength);
  }
}

/** Family, prefix and length as one key. */
function prefixKey(network: Address, prefixLength: number): string {
  return `${typeof network === "number" ? 4 : 6} ${networkOf(network, prefixLength)}/${prefixLength}`;
}

/** The addresses of the firewall on an interface, and the broadcast and network addresses of its subnets. */
function* ownRoutes(each: PolicyInterface, config: Interface, problems: Problems): Generator<Route> {
  const route = (network: Address, flags: number, origin: Route["origin"]): Route => ({
    network,
    prefixLength: addressBits(network),
    interface: each.number,
    flags,
    origin,
  });
  for (const address of virtualAddresses(config)) yield route(address, L.RT_LOCAL, "address");
  for (const { address } of config.addresses) yield route(address, L.RT_LOCAL, "address");
  const mac = each.mac && formatMac(each.mac);
  // They are own ones and no more: the core asks no route for the way to fe80::/10.
  const own = linkLocalAddress(config, mac);
  for (const address of [...virtualLinkLocals(config, mac), ...(own === undefined ? [] : [own])])
    yield route(address, L.RT_LOCAL, "address");
  for (const { address, prefixLength, linkLocal, eui64: isDerived, at } of config.addresses6) {
    if (linkLocal) continue;
    const whole = isDerived ? eui64Address(address, prefixLength, mac) : address;
    if (whole !== undefined) yield route(whole, L.RT_LOCAL, "address");
    else
      problems.note(
        at,
        `the MAC address of ${each.name} is not known: its eui-64 address is not among the own ones`,
      );
  }
  for (const { address, prefixLength } of config.addresses) {
    if (prefixLength > SUBNET_PREFIX_MAX) continue;
    const first = networkOf(address, prefixLength) as number;
    yield route(first, L.RT_BROADCAST, "subnet");
    yield route((first | ~ipv4Mask(prefixLength)) >>> 0, L.RT_BROADCAST, "subnet");
  }
}

/** The addresses of the HSRP groups of an interface that the configuration states. */
function* virtualAddresses({ standby }: Interface): Generator<Address> {
  for (const { ip, secondaryIps, ipv6 } of standby.groups.values()) {
    if (ip !== undefined && ip.address !== "learn") yield ip.address;
    for (const { address } of secondaryIps) yield address;
    if (ipv6 !== undefined && ipv6.address !== "autoconfig" && !isLinkLocal(ipv6.address)) yield ipv6.address;
  }
}

/** undefined: the prefix leaves no room, or the MAC address is not known. */
function eui64Address(prefix: Address, prefixLength: number, mac: Mac | undefined): bigint | undefined {
  return mac === undefined || prefixLength > EUI64_PREFIX_MAX ? undefined : eui64(prefix, mac);
}

function* connectedRoutes(config: Interface, number: number): Generator<Route> {
  for (const { address, prefixLength } of [...config.addresses, ...config.addresses6]) {
    if (isLinkLocal(address)) continue;
    yield {
      network: networkOf(address, prefixLength),
      prefixLength,
      interface: number,
      flags: L.RT_CONNECTED,
      origin: "connected",
    };
  }
}

function addStaticRoutes(
  config: Config,
  interfaces: readonly PolicyInterface[],
  table: RouteTable,
  problems: Problems,
): void {
  const byPrefix = new Map<string, StaticRoute[]>();
  for (const route of config.routes) {
    const key = prefixKey(route.network, route.prefixLength);
    const same = byPrefix.get(key);
    if (same) same.push(route);
    else byPrefix.set(key, [route]);
  }
  for (const same of byPrefix.values()) same.sort((a, b) => distanceOf(a) - distanceOf(b));
  const ways = resolveStaticRoutes(config.routes, byPrefix, interfaces, table);
  for (const candidates of byPrefix.values()) {
    const chosen = candidates.find((each) => ways.has(each));
    for (const each of candidates) {
      if (!ways.has(each)) {
        problems.note(each.at, `this route is not used: ${reasonUnused(each)}`);
      } else if (each !== chosen && distanceOf(each) === distanceOf(chosen!)) {
        problems.note(each.at, "this route is not used: the first of several equal routes is");
      }
    }
    if (chosen === undefined) continue;
    const { network, prefixLength, nextHop } = chosen;
    table.add({
      network: networkOf(network, prefixLength),
      prefixLength,
      ...ways.get(chosen)!,
      flags: prefixLength === 0 ? L.RT_DEFAULT : 0,
      origin: "static",
      nextHop,
    });
  }
}

function distanceOf({ distance }: StaticRoute): number {
  return distance ?? STATIC_DISTANCE;
}

function reasonUnused({ nextHop, interface: name }: StaticRoute): string {
  return name !== undefined || nextHop === undefined
    ? `${name} is down or has no address`
    : `no connected network or other route leads to ${formatAddress(nextHop)}`;
}

function wayOut(out: number, nextHop: Address | undefined): Way {
  return nextHop === undefined || out === 0 ? { interface: out } : { interface: out, gateway: nextHop };
}

/**
 * Where each static route leads; one that leads nowhere is not in the result.
 *
 * A next hop that is not connected is reached through other static routes: each round resolves with what the round
 * before has found. The default route leads to no next hop, nor does a route to itself.
 */
function resolveStaticRoutes(
  routes: readonly StaticRoute[],
  byPrefix: ReadonlyMap<string, readonly StaticRoute[]>,
  interfaces: readonly PolicyInterface[],
  direct: RouteTable,
): Map<StaticRoute, Way> {
  const byName = new Map(interfaces.map((each) => [each.name, each]));
  const lengths = [...new Set([...direct.sorted(), ...routes].map(({ prefixLength }) => prefixLength))]
    .filter((length) => length > 0)
    .sort((a, b) => b - a);
  let found = new Map<StaticRoute, Way>();

  const throughInterface = (name: string): number | undefined => {
    if (DISCARD_INTERFACE.test(name)) return 0;
    const out = byName.get(name);
    return out?.config && out.up && hasAddress(out.config) ? out.number : undefined;
  };
  const throughNextHop = (route: StaticRoute, nextHop: Address): Way | undefined => {
    for (const length of lengths) {
      if (length > addressBits(nextHop)) continue;
      const known = direct.get(nextHop, length);
      // An own address and a broadcast address are nobody's next hop.
      if (known !== undefined)
        return known.flags === L.RT_CONNECTED ? { interface: known.interface, gateway: nextHop } : undefined;
      const candidates = byPrefix.get(prefixKey(nextHop, length)) ?? [];
      const via = candidates.find((each) => each !== route && found.has(each));
      // Of a route out of an interface and no more, the next hop is a neighbour there.
      if (via !== undefined) return { gateway: nextHop, ...found.get(via)! };
    }
    return undefined;
  };

  for (let round = 0; round < RECURSION_MAX; round++) {
    const next = new Map<StaticRoute, Way>();
    for (const route of routes) {
      const { nextHop, interface: name } = route;
      const out = name === undefined ? undefined : throughInterface(name);
      if (out !== undefined) next.set(route, wayOut(out, nextHop));
      if (name !== undefined || nextHop === undefined) continue;
      const way = throughNextHop(route, nextHop);
      if (way !== undefined) next.set(route, way);
    }
    const settled =
      next.size === found.size &&
      [...next].every(([route, way]) => {
        const before = found.get(route);
        return before?.interface === way.interface && before.gateway === way.gateway;
      });
    found = next;
    if (settled) break;
  }
  return found;
}
