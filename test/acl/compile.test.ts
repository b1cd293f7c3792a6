/** Conditions, order, lists and time ranges in the compiled form. */
import { beforeAll, describe, expect, test } from "vitest";
import { TIME_RANGES_MAX } from "../../assembly/layout.js";
import { compileAccessLists, listKey } from "../../src/acl/compile.js";
import type { AclPacket } from "../../src/acl/evaluate.js";
import type { Config, Family } from "../../src/config/model.js";
import { CONDITIONS } from "./conditions.js";
import { type AclCore, aclCore, findRule, fragmentOf, loadLists } from "./core.js";
import { at, configWith, deny, type Entry, permit, ip, TCP, TCP6, UDP } from "./entries.js";

let core: AclCore;
beforeAll(async () => {
  core = await aclCore();
});

const compile = (config: Config, family: Family = 4, names = ["L"]) => loadLists(core, config, family, names);
const find = (packet: AclPacket, list = 1): number => findRule(core, packet, list);

test.each(CONDITIONS)("one permit entry: %s", (_name, entry, packet, matches) => {
  const family = typeof packet.source === "number" ? 4 : 6;
  compile(configWith([permit(entry)], family), family);
  expect(find(packet)).toBe(matches ? 1 : 0);
});

describe("order", () => {
  test("the first entry that matches decides, and says what it does", () => {
    const entries = [
      deny({ protocol: 17, log: "log-input" }),
      permit({ destination: "192.0.2.9", log: "log" }),
      deny(),
    ];
    compile(configWith(entries));
    expect([UDP, TCP, { ...TCP, destination: ip("192.0.2.1") }].map((packet) => find(packet))).toEqual([
      1, 2, 3,
    ]);
    expect([1, 2, 3].map((found) => core.isPermit(found))).toEqual([false, true, false]);
    expect([1, 2, 3].map((found) => core.isLog(found))).toEqual([true, true, false]);
  });

  test("a box that matches without its condition hands on to the next", () => {
    const entries = Array.from({ length: 20 }, (_, ttl) => permit({ ttl: { op: "eq", values: [ttl] } }));
    compile(configWith(entries));
    for (let ttl = 0; ttl < 20; ttl++) expect(find({ ...TCP, ttl })).toBe(ttl + 1);
    expect(find({ ...TCP, ttl: 20 })).toBe(0);
  });

  test("deny with layer 4 conditions passes fragments by, deny fragments does not", () => {
    const http: Entry = { protocol: 6, destinationPort: { op: "eq", values: [80] } };
    compile(configWith([deny(http), deny({ fragments: true, protocol: 17 }), permit()]));
    expect(find(TCP)).toBe(1);
    expect(find(fragmentOf(TCP))).toBe(3);
    expect(find(fragmentOf(UDP))).toBe(2);
    expect(find(UDP)).toBe(3);
  });

  test("an inactive time range skips its entry", () => {
    const { timeRanges } = compile(
      configWith([deny({ timeRange: "night" }), permit({ timeRange: "day" }), deny({ timeRange: "night" })]),
    );
    expect(timeRanges).toEqual(["night", "day"]);
    const byTime = [0b00n, 0b10n, 0b01n, 0b11n].map((bits) => {
      core.setTimeRanges(bits);
      return find(TCP);
    });
    expect(byTime).toEqual([0, 2, 1, 1]);
    core.setTimeRanges(0n);
  });
});

describe("lists", () => {
  const two = (): Config => {
    const config = configWith([permit({ protocol: 6 })]);
    config.accessLists.set("M", { ...config.accessLists.get("L")!, name: "M", entries: [deny(), permit()] });
    config.accessLists.set("EMPTY", {
      ...config.accessLists.get("L")!,
      name: "EMPTY",
      entries: [{ kind: "remark", at, sequence: 10, text: "later" }],
    });
    config.accessLists6.set("L", {
      ...config.accessLists.get("L")!,
      family: 6,
      entries: [permit({ protocol: 17 })],
    });
    return config;
  };

  test("are numbered from 1, each once; rules count on over all of them", () => {
    const config = two();
    const result = compileAccessLists(config, [
      { family: 4, name: "M" },
      { family: 6, name: "L" },
      { family: 4, name: "M" },
      { family: 4, name: "L" },
    ]);
    if (!result.ok) throw new Error("not compiled");
    expect([...result.lists.listNumbers]).toEqual([
      [listKey(4, "M"), 1],
      [listKey(6, "L"), 2],
      [listKey(4, "L"), 3],
    ]);
    expect(
      result.lists.rules.map(({ number, list, family, action }) => [number, list, family, action]),
    ).toEqual([
      [0, "M", 4, "deny"],
      [1, "M", 4, "permit"],
      [2, "L", 6, "permit"],
      [3, "L", 4, "permit"],
    ]);
    core.load(result.lists.section);
    expect([core.validate(), core.listCount(), core.ruleCount()]).toEqual([true, 3, 4]);
    expect([find(TCP, 1), find({ ...TCP6, protocol: 17 }, 2), find(TCP, 3)]).toEqual([1, 3, 4]);
  });

  test("match nothing when they are not defined or have no entries", () => {
    compile(two(), 4, ["NOWHERE", "EMPTY"]);
    expect([find(TCP, 1), find(TCP, 2), find(fragmentOf(TCP), 1)]).toEqual([0, 0, 0]);
  });

  test("match nothing of the other family, and under no number that there is not", () => {
    compile(two(), 4, ["L"]);
    core.setPacket(TCP6);
    expect(core.find(1)).toBe(0);
    core.setPacket(TCP);
    expect([0, 1, 2, 0xffffffff].map((list) => core.find(list))).toEqual([0, 1, 0, 0]);
  });

  test("none at all make a sound section", () => {
    compile(configWith([]), 4, []);
    expect([core.listCount(), core.ruleCount()]).toEqual([0, 0]);
  });
});

test("more time ranges than the core has bits for are a problem", () => {
  const entries = (count: number) => Array.from({ length: count }, (_, i) => permit({ timeRange: `T${i}` }));
  const lists = [{ family: 4, name: "L" }] as const;
  expect(compileAccessLists(configWith(entries(TIME_RANGES_MAX)), lists).ok).toBe(true);
  const result = compileAccessLists(configWith(entries(TIME_RANGES_MAX + 1)), lists);
  expect(result).toMatchObject({
    ok: false,
    problems: [
      {
        message: `${TIME_RANGES_MAX + 1} time ranges in access lists, at most ${TIME_RANGES_MAX} are possible`,
      },
    ],
  });
});
