/**
 * Routing by side (`--inside CIDR`): the addresses in the given networks are behind the inside interface, all others
 * behind the outside one, whatever the routes of the configuration say. Which interface is inside follows from where
 * the inspection rule is bound: a rule `out` makes its interface the outside one, a rule `in` the inside one.
 */
import type { Address } from "../ip.js";
import { parseCidr } from "../ip.js";
import { hasAddress, type PolicyInterface } from "./interfaces.js";
import { NOWHERE, type Problems } from "./problems.js";
import { networkOf, type Route } from "./routes.js";

/** The two defaults; they stand for "everything else", so that `reachable-via` may count them. */
const EVERYTHING: readonly Address[] = [0, 0n];

/**
 * The routes of the two sides; undefined, with an error in `problems`, when a network cannot be read or when it does
 * not follow from the configuration which interface is which.
 * @param inside networks as `A.B.C.D/n` or `X::/n`.
 */
export function compileSides(
  inside: readonly string[],
  interfaces: readonly PolicyInterface[],
  problems: Problems,
): Route[] | undefined {
  const networks: { network: Address; prefixLength: number }[] = [];
  for (const text of inside) {
    const cidr = parseCidr(text);
    if (cidr === undefined) problems.error(NOWHERE, `"${text}" is no network; expected A.B.C.D/n or X::/n`);
    else networks.push(cidr);
  }
  const sides = findSides(interfaces);
  if ("problem" in sides) {
    problems.error(NOWHERE, sides.problem);
    return undefined;
  }
  const route = (network: Address, prefixLength: number, side: PolicyInterface): Route => ({
    network: networkOf(network, prefixLength),
    prefixLength,
    interface: side.number,
    flags: 0,
    origin: "side",
  });
  return [
    ...networks.map(({ network, prefixLength }) => route(network, prefixLength, sides.inside)),
    ...EVERYTHING.map((network) => route(network, 0, sides.outside)),
  ];
}

/** The inside and the outside interface, or why they cannot be told apart. */
export function findSides(
  interfaces: readonly PolicyInterface[],
): { inside: PolicyInterface; outside: PolicyInterface } | { problem: string } {
  const bound = (direction: "in" | "out"): PolicyInterface[] =>
    interfaces.filter(({ config }) => config?.inspect.some((binding) => binding.direction === direction));
  const [outside, secondOutside] = bound("out");
  const [inside, secondInside] = bound("in");
  const cannot = "cannot tell the inside interface from the outside one: ";
  if (outside === undefined && inside === undefined) {
    return { problem: `${cannot}no interface has an \`ip inspect NAME in\` or \`out\`` };
  }
  for (const [first, second, direction] of [
    [outside, secondOutside, "out"],
    [inside, secondInside, "in"],
  ] as const) {
    if (first && second) {
      return {
        problem: `${cannot}inspection is bound ${direction} on both ${first.name} and ${second.name}`,
      };
    }
  }
  // In and out on one interface: it faces the outside, and `in` there is for a published server.
  if (outside !== undefined && inside !== undefined && outside !== inside) return { inside, outside };
  const known = (outside ?? inside)!;
  const addressed = interfaces.filter(({ config, up }) => config !== undefined && up && hasAddress(config));
  const others = addressed.filter((each) => each !== known);
  if (others.length !== 1) {
    const found = addressed.map(({ name }) => name).join(", ") || "none";
    return {
      problem: `${cannot}it takes exactly two interfaces that are up and have an address; found: ${found}`,
    };
  }
  return outside !== undefined ? { inside: others[0]!, outside } : { inside: known, outside: others[0]! };
}
