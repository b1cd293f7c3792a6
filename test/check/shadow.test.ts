/**
 * V29 over whole lists: the index compared with the plain double loop, and with lists of 10,000 entries.
 */
import { describe, expect, test } from "vitest";
import { coverage, isEmpty, shapeOf } from "../../src/check/cover.js";
import { entriesDecide, shadowedEntries, WORK_MAX } from "../../src/check/shadow.js";
import type { Ace, AddressMatch } from "../../src/config/model.js";
import { emptyConfig } from "../../src/config/parse.js";
import { ace, configWithGroups, listOf, random, randomAce } from "./entries.js";

describe("the index", () => {
  test("finds what the double loop finds (random, seeded)", () => {
    const config = configWithGroups();
    const pick = random(7);
    let found = 0;
    for (let round = 0; round < 300; round++) {
      const entries = Array.from({ length: 30 }, () => randomAce(pick));
      const shapes = entries.map((entry) => shapeOf(config, entry, 4));
      const covered = new Set<number>();
      const expected = entries.flatMap((entry, i) => {
        if (isEmpty(shapes[i]!)) return [];
        const earlier = [...Array(i).keys()].filter((j) => !covered.has(j) && !isEmpty(shapes[j]!));
        const all = earlier.find((j) => coverage(shapes[j]!, shapes[i]!) === "all");
        if (all !== undefined) covered.add(i);
        const by = all ?? earlier.find((j) => coverage(shapes[j]!, shapes[i]!) === "datagrams");
        return by === undefined ? [] : [{ line: entry.at.line, by: entries[by]!.at.line }];
      });
      const drafts = shadowedEntries(config, listOf(entries), { left: WORK_MAX });
      expect(drafts.map(({ at, other }) => ({ line: at.line, by: other!.line }))).toEqual(expected);
      found += expected.length;
    }
    expect(found).toBeGreaterThan(500);
  });

  const host = (address: number): AddressMatch => ({ kind: "wildcard", address, wildcard: 0 });
  const SIZE = 10_000;
  const lists: [name: string, entry: (i: number) => Partial<Ace>][] = [
    [
      "hosts",
      (i) => ({ protocol: 6, source: host(0x0a000000 + i), destinationPort: { op: "eq", values: [80] } }),
    ],
    ["ports", (i) => ({ protocol: 6, destinationPort: { op: "eq", values: [i] } })],
    ["pairs", (i) => ({ source: host(0x0a000000 + (i >> 7)), destination: host(0x0b000000 + (i & 127)) })],
    [
      "networks of many lengths",
      (i) => {
        const wildcard = (1 << (i % 13)) - 1;
        return { source: { kind: "wildcard", address: ((i * 7919 * 8192) & ~wildcard) >>> 0, wildcard } };
      },
    ],
  ];
  test.each(lists)("10,000 entries of %s, and one that repeats the first", (_name, make) => {
    const entries = Array.from({ length: SIZE }, (_, i) =>
      ace({ action: i % 2 ? "deny" : "permit", ...make(i) }),
    );
    entries.push(ace({ ...make(0), action: "deny" }));
    const budget = { left: WORK_MAX };
    const drafts = shadowedEntries(emptyConfig(), listOf(entries), budget);
    expect(drafts.at(-1)).toMatchObject({ at: entries.at(-1)!.at, other: entries[0]!.at });
    expect(drafts.filter((draft) => draft.severity === "info")).toEqual([]);
    expect(budget.left).toBeGreaterThan(WORK_MAX / 2);
  });

  test("a list that no index helps with ends at the limit, and says from which line on", () => {
    const entries = Array.from({ length: SIZE }, (_, i) =>
      ace({ protocol: 6, destinationPort: { op: "range", low: i, high: i + 5 } }),
    );
    const config = emptyConfig();
    config.accessLists.set("L", listOf(entries));
    const [draft, ...others] = entriesDecide(config);
    expect(others).toEqual([]);
    expect(draft).toMatchObject({ severity: "info" });
    expect(draft!.message).toContain(`from line ${draft!.at.line} on`);
    expect(draft!.message).toContain(`${WORK_MAX}`);
    expect(draft!.at.line).toBeGreaterThan(entries[500]!.at.line);
  });

  test("an entry that can match nothing is left alone", () => {
    const never = { protocol: 6, destinationPort: { op: "lt", value: 0 } } as const;
    expect(shadowedEntries(emptyConfig(), listOf([ace(never), ace(never)]), { left: WORK_MAX })).toEqual([]);
  });
});
