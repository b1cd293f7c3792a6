/**
 * V23: every static route leads somewhere, and the networks inside have a way back. A next hop is reachable when a
 * connected network contains it, or a route that is itself usable does (recursive lookup, default route included).
 */
import { type FlatAddressMatch, expandAddresses } from "../acl/evaluate.js";
import type { Config, Interface, StaticRoute } from "../config/model.js";
import { type Address, formatAddress, inPrefix, prefixLengthOfMask } from "../ip.js";
import type { Draft } from "./finding.js";
import {
  hasAddress,
  isFailoverConfigured,
  isLinkLocal,
  isOutside,
  isUp,
  type Network,
  networksOf,
  networkOf,
  overlaps,
  ownAddresses,
} from "./topology.js";

/** A route that takes more lookups than this to reach an interface counts as unreachable. */
const RECURSION_MAX = 8;

/** The destinations that lead to an interface, to be asked for the longest match. */
class Routes {
  private readonly byLength = new Map<string, Interface | undefined>();
  private readonly lengths = { number: new Set<number>(), bigint: new Set<number>() };

  /** `to` undefined: the packets are discarded (Null0), which is a way too. */
  add({ network, prefixLength }: Network, to: Interface | undefined): void {
    const key = keyOf(network, prefixLength);
    if (!this.byLength.has(key)) this.byLength.set(key, to);
    this.lengths[familyOf(network)].add(prefixLength);
  }

  /** The longest match; undefined: none. */
  find(address: Address): { to: Interface | undefined; prefixLength: number } | undefined {
    const lengths = [...this.lengths[familyOf(address)]].sort((x, y) => y - x);
    for (const length of lengths) {
      const key = keyOf(address, length);
      if (this.byLength.has(key)) return { to: this.byLength.get(key), prefixLength: length };
    }
    return undefined;
  }
}

function familyOf(address: Address): "number" | "bigint" {
  return typeof address === "number" ? "number" : "bigint";
}

function keyOf(address: Address, prefixLength: number): string {
  return `${typeof address}${networkOf(address, prefixLength)}/${prefixLength}`;
}

export function routesLead(config: Config): Draft[] {
  const routes = new Routes();
  for (const on of config.interfaces.values()) {
    if (!isUp(on)) continue;
    for (const family of [4, 6] as const)
      for (const network of networksOf(on, family)) routes.add(network, on);
  }
  const own = new Map(ownAddresses(config).map((each) => [each.address, each.interface]));
  const drafts: Draft[] = [];
  let waiting: StaticRoute[] = [];
  for (const route of config.routes) {
    const problem = directProblem(config, route, own);
    if (problem !== undefined) drafts.push(unreachable(route, problem));
    else if (route.interface === undefined) waiting.push(route);
    else routes.add(route, config.interfaces.get(route.interface));
  }
  for (let round = 0; round < RECURSION_MAX && waiting.length > 0; round++) {
    const ready = waiting.flatMap((route) => {
      const way = routes.find(route.nextHop!);
      return way === undefined ? [] : [{ route, to: way.to }];
    });
    if (ready.length === 0) break;
    for (const { route, to } of ready) routes.add(route, to);
    const done = new Set(ready.map(({ route }) => route));
    waiting = waiting.filter((route) => !done.has(route));
  }
  for (const route of waiting) {
    drafts.push(unreachable(route, "is in no connected network and behind no other route"));
  }
  return [...drafts, ...noWayOut(config), ...noWayBack(config, routes)];
}

/** What is wrong with a route whatever the other routes are. */
function directProblem(
  config: Config,
  route: StaticRoute,
  own: ReadonlyMap<Address, Interface>,
): string | undefined {
  const owner = route.nextHop === undefined ? undefined : own.get(route.nextHop);
  if (owner !== undefined) return `is this box's own address on ${owner.name}`;
  if (route.interface === undefined || /^null/i.test(route.interface)) return undefined;
  const on = config.interfaces.get(route.interface);
  if (on === undefined) return `is on ${route.interface}, which does not exist`;
  if (!isUp(on)) return `is on ${on.name}, which is shut down`;
  const networks = networksOf(on, route.family);
  const { nextHop } = route;
  if (nextHop === undefined || networks.length === 0) return undefined;
  if (isLinkLocal(nextHop)) return undefined;
  const isThere = networks.some(({ network, prefixLength }) => inPrefix(nextHop, network, prefixLength));
  return isThere ? undefined : `is in no network of ${on.name}`;
}

function unreachable(route: StaticRoute, problem: string): Draft {
  const hop = route.nextHop === undefined ? "its exit" : `next hop ${formatAddress(route.nextHop)}`;
  return {
    at: route.at,
    message: `route to ${formatAddress(route.network)}/${route.prefixLength}: ${hop} ${problem}`,
    mend: `${route.family === 4 ? "ip" : "ipv6"} route with a next hop in a connected network`,
  };
}

/** Routing protocols are kept without effect; where one is configured, routes are not all in the text. */
function hasRoutingProtocol(config: Config): boolean {
  return config.kept.some((line) => /^\s*(ipv6\s+)?router\s/i.test(line.text));
}

/** A pair without any route serves its connected networks only. */
function noWayOut(config: Config): Draft[] {
  if (config.routes.length > 0 || !isFailoverConfigured(config) || hasRoutingProtocol(config)) return [];
  const outside = [...config.interfaces.values()].find(
    (each) => isUp(each) && hasAddress(each) && isOutside(config, each),
  );
  if (outside === undefined) return [];
  return [
    {
      at: outside.at,
      message: `there is no static route: from the inside only the networks connected to this box can be reached`,
      mend: "ip route 0.0.0.0 0.0.0.0 NEXT-HOP",
    },
  ];
}

/** Networks that an inside interface takes packets from, but that the box would answer through the outside. */
function noWayBack(config: Config, routes: Routes): Draft[] {
  if (hasRoutingProtocol(config)) return [];
  const up = [...config.interfaces.values()].filter(isUp);
  const inboundList = (on: Interface) =>
    on.accessGroups.find((each) => each.family === 4 && each.direction === "in");
  const outside = up.filter((each) => isOutside(config, each));
  const outsideLists = new Set(outside.map((each) => inboundList(each)?.list));
  const starts = config.routes
    .filter((route) => route.family === 4 && route.prefixLength > 0)
    .map((route) => Number(route.network))
    .sort((x, y) => x - y);
  const hasRouteWithin = ({ network, prefixLength }: Network) => {
    const after = Number(network) + 2 ** (32 - prefixLength);
    const next = starts[lowerBound(starts, Number(network))];
    return next !== undefined && next < after;
  };
  return up.flatMap((on) => {
    const connected = networksOf(on, 4);
    const group = inboundList(on);
    // What a list on both sides lets in may be meant for the other side.
    if (outside.includes(on) || group === undefined || outsideLists.has(group.list)) return [];
    const list = config.accessLists.get(group.list);
    if (list === undefined || connected.length === 0) return [];
    const reported = new Set<string>();
    return list.entries.flatMap((entry): Draft[] => {
      if (entry.kind !== "ace" || entry.action !== "permit") return [];
      return expandAddresses(config, entry.source).flatMap((match): Draft[] => {
        const source = unicastNetwork(match);
        if (source === undefined || connected.some((each) => overlaps(each, source))) return [];
        if (hasRouteWithin(source)) return [];
        const way = routes.find(source.network);
        const isDefault = way?.prefixLength === 0 && way.to !== undefined && outside.includes(way.to);
        if (way !== undefined && !isDefault) return [];
        const answers = way?.to;
        const text = `${formatAddress(source.network)}/${source.prefixLength}`;
        if (reported.has(text)) return [];
        reported.add(text);
        const fate =
          answers === undefined ? "there is no route back to it" : `answers leave by ${answers.name}`;
        return [
          {
            at: entry.at,
            other: group.at,
            message: `list ${list.name} lets ${text} in on ${on.name}, but ${fate}`,
            mend: `ip route ${formatAddress(source.network)} MASK NEXT-HOP, through ${on.name}`,
          },
        ];
      });
    });
  });
}

/** Index of the first of ascending numbers that is not below `value`. */
function lowerBound(ascending: number[], value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The network that a match stands for, if it is one that hosts can have addresses in. */
function unicastNetwork(match: FlatAddressMatch): Network | undefined {
  let network: Address;
  let prefixLength: number | undefined;
  if (match.kind === "wildcard") {
    network = match.address;
    prefixLength = prefixLengthOfMask(~match.wildcard >>> 0);
  } else if (match.kind === "prefix") {
    network = networkOf(match.address, match.prefixLength);
    prefixLength = match.prefixLength;
  } else {
    return undefined;
  }
  // Addresses from 224.0.0.0 up are no sources; 0.0.0.0 is a host that has none yet.
  if (typeof network !== "number" || network === 0 || network >= 0xe0000000) return undefined;
  return prefixLength === undefined || prefixLength === 0 ? undefined : { network, prefixLength };
}
