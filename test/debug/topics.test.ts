/** What is debugged, under which conditions, and how much of it is told. */
import { describe, expect, test } from "vitest";
import {
  DEBUG_DELAY_MS,
  DEBUG_DROPS_MS,
  DEBUG_LINES_PER_SECOND,
  type DebugBatch,
  DebugOutlet,
} from "../../src/debug/outlet.js";
import { DEBUG_GROUPS, type DebugLine, type DebugTopic, isWanted, topicsOf } from "../../src/debug/topics.js";
import { parseAddress } from "../../src/ip.js";

const ip = (text: string) => ({ kind: "ip", address: parseAddress(text)! }) as const;
const GI0 = { kind: "interface", interface: "GigabitEthernet0/0" } as const;

test("every group has topics, and no topic has the name of a group", () => {
  for (const group of DEBUG_GROUPS) expect(topicsOf(group).length).toBeGreaterThan(1);
  expect(topicsOf("bfd")).toEqual(["bfd event", "bfd packet"]);
});

describe("conditions", () => {
  const subject = { interfaces: ["GigabitEthernet0/0"], addresses: [parseAddress("2001:db8::5")!] };

  test.each([
    ["none", [], true],
    ["the interface", [GI0], true],
    ["another interface", [{ ...GI0, interface: "GigabitEthernet0/1" }], false],
    ["the address", [ip("2001:db8::5")], true],
    ["another address", [ip("10.1.1.1")], false],
    ["one of them", [ip("10.1.1.1"), GI0], true],
  ] as const)("%s", (_, conditions, wanted) => {
    expect(isWanted(subject, conditions)).toBe(wanted);
  });

  test("what is about the box as a whole is told whatever they are", () => {
    expect(isWanted({}, [GI0])).toBe(true);
    expect(isWanted({ interfaces: [], addresses: [] }, [GI0])).toBe(true);
  });
});

describe("the outlet", () => {
  const line = (text: string, ...topics: DebugTopic[]): DebugLine => ({
    topics,
    subject: {},
    text: () => text,
  });

  function outlet(...topics: DebugTopic[]) {
    const batches: DebugBatch[] = [];
    const made = new DebugOutlet((batch) => batches.push(batch));
    made.configure({ topics, conditions: [] });
    return { made, batches };
  }

  test("asks for no text of a line that nobody wants", () => {
    const { made } = outlet("arp");
    const asked: DebugLine = {
      topics: ["redundancy"],
      subject: {},
      text: () => {
        throw new Error("asked");
      },
    };
    made.offer(asked, 0);
    expect(made.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    made.configure({ topics: ["redundancy"], conditions: [] });
    expect(() => made.offer(asked, 0)).toThrow("asked");
  });

  test("tells a line once where several of its topics are debugged, with its time", () => {
    const { made, batches } = outlet("standby events", "standby terse");
    made.offer(line("state", "standby events", "standby terse"), 7);
    made.tick(made.deadlineMs - 1);
    expect(batches).toEqual([]);
    expect(made.deadlineMs).toBe(7 + DEBUG_DELAY_MS);
    made.tick(made.deadlineMs);
    expect(batches).toEqual([{ lines: [{ text: "state", atMs: 7 }], dropped: 0 }]);
  });

  test("tells no more than its rate, and once a second how many it left out", () => {
    const { made, batches } = outlet("arp");
    for (let i = 0; i < DEBUG_LINES_PER_SECOND + 30; i++) made.offer(line("x", "arp"), 0);
    made.tick(0);
    expect(batches).toHaveLength(1);
    expect(batches[0]).toMatchObject({ dropped: 30 });
    expect(batches[0]!.lines).toHaveLength(DEBUG_LINES_PER_SECOND);
    made.offer(line("x", "arp"), 1);
    expect(made.deadlineMs).toBe(DEBUG_DROPS_MS);
    made.tick(DEBUG_DROPS_MS);
    expect(batches[1]).toEqual({ lines: [], dropped: 1 });
    // The budget fills up with time.
    for (let i = 0; i < 60; i++) made.offer(line("y", "arp"), 1500);
    made.tick(made.deadlineMs);
    expect(batches[2]!.lines).toHaveLength(60);
  });
});
