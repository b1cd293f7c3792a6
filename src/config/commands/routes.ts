/** Static routes. */
import { type Address, formatAddress, ipv4Mask, ipv6Mask } from "../../ip.js";
import { formatMask } from "../arguments.js";
import { type Context, commandWith, fail, type Row } from "../command.js";
import { put, remove } from "../lists.js";
import type { Config, Family, StaticRoute } from "../model.js";

interface RouteArguments {
  network?: number;
  prefixLength?: number;
  prefix?: { address: bigint; prefixLength: number };
  interface?: string;
  nextHop?: Address;
  distance?: number;
  name?: string;
  tag?: number;
  permanent?: true;
}

function routeOf(family: Family, a: RouteArguments, { at }: Pick<Context, "at">): StaticRoute {
  const prefixLength = a.prefix?.prefixLength ?? a.prefixLength!;
  return {
    at,
    family,
    network: a.prefix?.address ?? a.network!,
    prefixLength,
    ...(a.interface !== undefined && { interface: a.interface }),
    ...(a.nextHop !== undefined && { nextHop: a.nextHop }),
    ...(a.distance !== undefined && { distance: a.distance }),
    ...(a.name !== undefined && { name: a.name }),
    ...(a.tag !== undefined && { tag: a.tag }),
    ...(a.permanent && { permanent: true }),
  };
}

/** Whether a network address has no bit beyond its prefix. */
function isNetwork(network: Address, prefixLength: number): boolean {
  if (typeof network === "bigint") return (network & ~ipv6Mask(prefixLength)) === 0n;
  return (network & ~ipv4Mask(prefixLength)) === 0;
}

/** The way of a route: a later one with the same way replaces it. */
function keyOf({ network, prefixLength, interface: name, nextHop }: StaticRoute): string {
  return `${formatAddress(network)}/${prefixLength} ${name ?? "-"} ${nextHop === undefined ? "-" : formatAddress(nextHop)}`;
}

function showRoute(route: StaticRoute): string {
  const { family, network, prefixLength } = route;
  const words = [
    family === 4
      ? `ip route ${formatAddress(network)} ${formatMask(prefixLength)}`
      : `ipv6 route ${formatAddress(network)}/${prefixLength}`,
  ];
  if (route.interface !== undefined) words.push(route.interface);
  if (route.nextHop !== undefined) words.push(formatAddress(route.nextHop));
  if (route.distance !== undefined) words.push(`${route.distance}`);
  if (route.tag !== undefined) words.push(`tag ${route.tag}`);
  if (route.permanent) words.push("permanent");
  if (route.name !== undefined) words.push(`name ${route.name}`);
  return words.join(" ");
}

function routeRow(family: Family, head: string, example: string): Row {
  const hop = family === 4 ? "ipv4" : "ipv6";
  return commandWith<RouteArguments>()({
    mode: "global",
    syntax: `${head} (<interface:interface> [<nextHop:${hop}>] | <nextHop:${hop}>) [<distance:1-255>] { tag <tag:1-4294967295> | <permanent> | name <name:word> }`,
    help: "a static route",
    example,
    set: (config, a, context) => {
      const route = routeOf(family, a, context);
      if (!isNetwork(route.network, route.prefixLength)) {
        return fail("the address has bits outside the mask", a.prefix ? "prefix" : "network");
      }
      return put(config.routes, route, keyOf);
    },
    remove: (config: Config, a, context) => {
      remove(config.routes, keyOf(routeOf(family, a, context)), keyOf);
    },
    show: ({ routes }) => routes.filter((route) => route.family === family).map(showRoute),
  });
}

export const ROUTES: readonly Row[] = [
  routeRow(4, "ip route <network:ipv4> <prefixLength:mask>", "ip route 0.0.0.0 0.0.0.0 80.80.80.1"),
];
export const ROUTES6: readonly Row[] = [
  routeRow(6, "ipv6 route <prefix:prefix6>", "ipv6 route ::/0 GigabitEthernet0/1 fe80::1 200"),
];
