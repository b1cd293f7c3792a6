/** Entries and packets for the tests of V29: random ones from a seed, over a space so small that they often meet. */
import type { AclPacket } from "../../src/acl/evaluate.js";
import type { AccessList, Ace, AddressMatch, Config, Family, NumberMatch } from "../../src/config/model.js";
import { emptyConfig } from "../../src/config/parse.js";

/** A sequence of numbers from a seed (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

let line = 0;
export const ANY: AddressMatch = { kind: "any" };

export function ace(fields: Partial<Ace>): Ace {
  line++;
  return {
    kind: "ace",
    at: { line, column: 1 },
    sequence: line * 10,
    action: "permit",
    source: ANY,
    destination: ANY,
    established: false,
    fragments: false,
    ...fields,
  };
}

export function listOf(entries: Ace[], family: Family = 4): AccessList {
  return { at: { line: 1, column: 1 }, family, name: "L", kind: "extended", entries };
}

/** Objects for the random entries: two network groups, one of services. */
export function configWithGroups(): Config {
  const at = { line: 1, column: 1 };
  const wildcard = (address: number, mask: number): AddressMatch => ({
    kind: "wildcard",
    address,
    wildcard: mask,
  });
  return {
    ...emptyConfig("test.cfg"),
    objectGroups: new Map([
      [
        "N",
        {
          at,
          name: "N",
          kind: "network",
          members: [
            { at, kind: "address", match: wildcard(0, 3) as never },
            { at, kind: "range", low: 4, high: 6 },
          ],
        },
      ],
      [
        "M",
        {
          at,
          name: "M",
          kind: "network",
          members: [{ at, kind: "address", match: wildcard(1, 6) as never }],
        },
      ],
      [
        "S",
        {
          at,
          name: "S",
          kind: "service",
          members: [
            { at, kind: "service", protocols: [6, 17], destinationPort: { op: "lt", value: 3 } },
            { at, kind: "service", protocols: [1] },
          ],
        },
      ],
    ]),
  };
}

/** Entries over a space so small that they often meet: addresses 0 to 7, ports 0 to 4, three protocols. */
export function randomAce(pick: (below: number) => number): Ace {
  const address = (): AddressMatch => {
    switch (pick(6)) {
      case 0:
        return { kind: "group", name: pick(2) === 0 ? "N" : "M" };
      case 1:
        return ANY;
      default: {
        const wildcard = pick(8);
        return { kind: "wildcard", address: pick(8) & ~wildcard, wildcard };
      }
    }
  };
  const number = (): NumberMatch | undefined => {
    switch (pick(8)) {
      case 0:
        return { op: "gt", value: pick(4) };
      case 1:
        return { op: "lt", value: 1 + pick(4) };
      case 2:
        return { op: "eq", values: [pick(4), pick(4)] };
      case 3:
        return { op: "neq", values: [pick(4)] };
      case 4:
        return { op: "range", low: pick(3), high: 1 + pick(4) };
      default:
        return undefined;
    }
  };
  const protocol = [undefined, 6, 6, 17, 1][pick(5)];
  const fragments = pick(8) === 0;
  const hasPorts = (protocol === 6 || protocol === 17) && !fragments;
  return ace({
    action: pick(2) === 0 ? "permit" : "deny",
    source: address(),
    destination: address(),
    fragments,
    ...(pick(8) === 0 && !fragments ? { serviceGroup: "S" } : { protocol }),
    ...(hasPorts && { sourcePort: number(), destinationPort: number() }),
    ...(protocol === 6 && !fragments && pick(4) === 0 && { established: true }),
    ...(protocol === 6 &&
      !fragments &&
      pick(4) === 0 && {
        flags: { mode: pick(2) === 0 ? ("any" as const) : ("all" as const), set: 1 + pick(3), clear: 16 },
      }),
    ...(protocol === 1 &&
      !fragments &&
      pick(2) === 0 && { icmp: { type: pick(2), code: [undefined, 0][pick(2)] } }),
    ...(pick(8) === 0 && { dscp: pick(2) }),
    ...(pick(8) === 0 && { precedence: 0 }),
    ...(pick(8) === 0 && { ttl: { op: "gt" as const, value: pick(3) } }),
    ...(pick(10) === 0 && { option: pick(2) === 0 ? ("any" as const) : 7 }),
    ...(pick(10) === 0 && { timeRange: "T" }),
  });
}

export function randomPacket(pick: (below: number) => number): AclPacket {
  const protocol = [6, 17, 1][pick(3)]!;
  return {
    source: pick(8),
    destination: pick(8),
    protocol,
    nonInitialFragment: pick(3) === 0,
    ...(protocol !== 1 && { sourcePort: pick(6), destinationPort: pick(6) }),
    ...(protocol === 6 && { tcpFlags: pick(32) }),
    ...(protocol === 1 && { icmpType: pick(3), icmpCode: pick(2) }),
    trafficClass: pick(4) * 4,
    ttl: pick(5),
    options: pick(4) === 0 ? [7] : [],
  };
}
