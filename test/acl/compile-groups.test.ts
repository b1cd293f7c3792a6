/** Object groups in the compiled form: exact, one rule for each entry; and what is wrong with groups. */
import { beforeAll, describe, expect, test } from "vitest";
import { ACL_RECORDS_MAX } from "../../assembly/layout.js";
import { compileAccessLists, GROUP_DEPTH_MAX } from "../../src/acl/compile.js";
import type { AclPacket } from "../../src/acl/evaluate.js";
import type { Ace, Config, Family, GroupMember, ObjectGroup } from "../../src/config/model.js";
import { type AclCore, aclCore, findRule, loadLists } from "./core.js";
import { at, configWith, deny, ECHO, ip, permit, TCP, TCP6, UDP } from "./entries.js";

let core: AclCore;
beforeAll(async () => {
  core = await aclCore();
});

const compile = (config: Config, family: Family = 4, names = ["L"]) => loadLists(core, config, family, names);
const find = (packet: AclPacket, list = 1): number => findRule(core, packet, list);

describe("object groups", () => {
  const group = (name: string, kind: ObjectGroup["kind"], members: GroupMember[]): [string, ObjectGroup] => [
    name,
    { at, name, kind, members },
  ];
  const nested = (name: string): GroupMember => ({ at, kind: "group", name });
  const range = (low: string, high: string): GroupMember => ({
    at,
    kind: "range",
    low: ip(low),
    high: ip(high),
  });
  const withGroups = (entries: Ace[], groups: [string, ObjectGroup][], family: Family = 4): Config => ({
    ...configWith(entries, family),
    objectGroups: new Map(groups),
  });
  const toGroup = (name: string): Ace => ({ ...permit(), destination: { kind: "group", name } });

  test("several members are one rule", () => {
    const services: GroupMember[] = [
      { at, kind: "service", protocols: [6, 17], destinationPort: { op: "eq", values: [53, 80] } },
      { at, kind: "service", protocols: [1], icmp: { type: 8 } },
    ];
    const entries = [{ ...permit(), serviceGroup: "S" }, deny()];
    const { rules } = compile(withGroups(entries, [group("S", "service", services)]));
    expect(rules).toHaveLength(2);
    expect([TCP, UDP, ECHO].map((packet) => find(packet))).toEqual([1, 1, 1]);
    expect(find({ ...TCP, destinationPort: 81 })).toBe(2);
    expect(find({ ...ECHO, icmpType: 0 })).toBe(2);
  });

  test("IPv4 ranges are exact", () => {
    const members = [range("192.0.2.9", "192.0.2.21"), range("192.0.2.22", "192.0.3.1")];
    compile(withGroups([toGroup("N")], [group("N", "network", members)]));
    const inside = ["192.0.2.9", "192.0.2.21", "192.0.2.22", "192.0.3.1"];
    const outside = ["192.0.2.8", "192.0.3.2"];
    for (const destination of inside) expect(find({ ...TCP, destination: ip(destination) })).toBe(1);
    for (const destination of outside) expect(find({ ...TCP, destination: ip(destination) })).toBe(0);
  });

  test("IPv6 ranges are exact over all words", () => {
    const low = "2001:db8:0:5::ffff:fffe";
    const high = "2001:db8:3:1:0:2::1";
    compile(withGroups([toGroup("N")], [group("N", "v6-network", [range(low, high)])], 6), 6);
    const first = ip(low) as bigint;
    const last = ip(high) as bigint;
    const bounds = [32n, 64n, 96n].flatMap((bits) => [
      ((first >> bits) + 1n) << bits,
      (last >> bits) << bits,
      ((last >> bits) << bits) - 1n,
    ]);
    for (const inside of [first, first + 1n, last - 1n, last, ...bounds]) {
      const matches = inside >= first && inside <= last;
      expect(find({ ...TCP6, destination: inside })).toBe(matches ? 1 : 0);
    }
    for (const outside of [first - 1n, last + 1n]) expect(find({ ...TCP6, destination: outside })).toBe(0);
  });

  test("nest, and may be without members", () => {
    const members = [nested("INNER"), nested("NOBODY")];
    const groups = [
      group("N", "network", members),
      group("INNER", "network", [range("192.0.2.9", "192.0.2.9")]),
      group("NOBODY", "network", []),
    ];
    compile(withGroups([toGroup("NOBODY"), toGroup("N")], groups));
    expect(find(TCP)).toBe(2);
  });

  const wrong: [name: string, ace: Ace, groups: [string, ObjectGroup][], message: string][] = [
    ["not defined", toGroup("N"), [], "object group N is not defined"],
    [
      "not defined inside",
      toGroup("N"),
      [group("N", "network", [nested("M")])],
      "object group M is not defined",
    ],
    [
      "of another kind",
      toGroup("N"),
      [group("N", "service", [])],
      "object group N is of the kind service, not network",
    ],
    [
      "of the other family",
      toGroup("N"),
      [group("N", "v6-network", [])],
      "is of the kind v6-network, not network",
    ],
    [
      "a service that is a network",
      { ...permit(), serviceGroup: "N" },
      [group("N", "network", [])],
      "is of the kind network, not service or v6-service",
    ],
    [
      "inside itself",
      toGroup("N"),
      [group("N", "network", [nested("M")]), group("M", "network", [nested("N")])],
      "object group N contains itself: N -> M -> N",
    ],
  ];
  test.each(wrong)("%s: a problem at the entry", (_name, ace, groups, message) => {
    const place = { line: 7, column: 3 };
    const result = compileAccessLists(withGroups([permit(), { ...ace, at: place }], groups), [
      { family: 4, name: "L" },
    ]);
    expect(result).toEqual({
      ok: false,
      problems: [{ at: place, list: "L", message: expect.stringContaining(message) }],
    });
  });

  test("nesting has a bound", () => {
    const chain = (length: number): Config => {
      const groups = Array.from({ length }, (_, level) =>
        group(`G${level}`, "network", level === length - 1 ? [] : [nested(`G${level + 1}`)]),
      );
      return withGroups([toGroup("G0")], groups);
    };
    const lists = [{ family: 4, name: "L" }] as const;
    expect(compileAccessLists(chain(GROUP_DEPTH_MAX), lists).ok).toBe(true);
    expect(compileAccessLists(chain(GROUP_DEPTH_MAX + 1), lists)).toMatchObject({
      problems: [{ message: `object group G${GROUP_DEPTH_MAX} is nested more than ${GROUP_DEPTH_MAX} deep` }],
    });
  });

  test("a group that many groups share is looked at once", () => {
    const depth = 40;
    const groups = Array.from({ length: depth }, (_, level) =>
      group(
        `G${level}`,
        "network",
        level === depth - 1 ? [] : [nested(`G${level + 1}`), nested(`G${level + 1}`)],
      ),
    );
    expect(compileAccessLists(withGroups([toGroup("G0")], groups), [{ family: 4, name: "L" }]).ok).toBe(true);
  });

  test("too many combinations are a problem, not a long wait", () => {
    const hosts = (first: string): GroupMember[] =>
      Array.from({ length: 400 }, (_, i) => {
        const address = (ip(first) as number) + 2 * i;
        return { at, kind: "range", low: address, high: address };
      });
    const both: Ace = {
      ...permit(),
      source: { kind: "group", name: "A" },
      destination: { kind: "group", name: "B" },
    };
    const groups = [group("A", "network", hosts("10.0.0.0")), group("B", "network", hosts("10.1.0.0"))];
    expect(compileAccessLists(withGroups([both], groups), [{ family: 4, name: "L" }])).toEqual({
      ok: false,
      problems: [
        {
          at,
          list: "L",
          message: expect.stringContaining(`make 160000 records, there is room for ${ACL_RECORDS_MAX}`),
        },
      ],
    });
  });
});
