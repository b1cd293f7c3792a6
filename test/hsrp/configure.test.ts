/** Another configuration while the routers run: what follows at once, what later, and what does not happen. */
import { describe, expect, test } from "vitest";
import type { HsrpAction } from "../../src/hsrp/index.js";
import { parsePacket, type GroupMessage } from "../../src/hsrp/packet.js";
import { isRefused } from "../../src/hsrp/refusals.js";
import { formatAddress } from "../../src/ip.js";
import { addressOf } from "./golden.js";
import { optionsFor, World } from "./world.js";

const ON = "GigabitEthernet0/0";
const GROUP = ["standby 1 ip 10.0.0.3", "standby 1 timers 1 3"];

interface Text {
  lines?: readonly string[];
  address?: string;
  /** Lines of a second interface. */
  second?: readonly string[];
}

function textOf(host: number, { lines = GROUP, address, second }: Text): string {
  const own = [`ip address ${address ?? `10.0.0.${host}`} 255.255.255.0`, ...lines].map((line) => ` ${line}`);
  const other =
    second === undefined ? [] : ["interface GigabitEthernet0/1", ...second.map((line) => ` ${line}`)];
  return [`interface ${ON}`, " standby delay minimum 2 reload 0", ...own, ...other].join("\n");
}

const HOST = { A: 1, B: 2 } as const;
const optionsOf = (name: "A" | "B", text: Text = {}) => optionsFor(textOf(HOST[name], text), HOST[name]);

/** A is Active and B stands by since long; each was given these lines, or those of GROUP. */
function settled(texts: { A?: Text; B?: Text } = {}): World {
  const routers = { A: optionsOf("A", texts.A), B: optionsOf("B", texts.B) };
  const world = new World(routers, [
    [
      ["A", ON],
      ["B", ON],
    ],
  ]);
  world.boot("A").run(20_000).boot("B").run(40_000);
  expect(world.states()).toMatch(/^A:active\S* B:standby/);
  return world;
}

/** What configuring a router gives at once. */
function given(world: World, name: "A" | "B", text: Text): HsrpAction[] {
  const from = world.happenings.length;
  world.configure(name, optionsOf(name, text));
  return world.happenings.slice(from).map(({ action }) => action);
}

function messagesOf(actions: readonly HsrpAction[], version: 1 | 2 = 1): GroupMessage[] {
  return actions
    .filter((action) => action.kind === "send")
    .map(({ payload }) => {
      const parsed = parsePacket(payload, version);
      if (isRefused(parsed) || parsed.value.message.kind !== "group") throw new Error("no packet of a group");
      return parsed.value.message;
    });
}

const claims = (actions: readonly HsrpAction[]) =>
  actions.flatMap((action) =>
    action.kind === "own" || action.kind === "disown"
      ? [`${action.kind} ${action.key} ${action.addresses.map(formatAddress)} ${action.mac}`]
      : [],
  );

const announced = (actions: readonly HsrpAction[]) =>
  actions.flatMap((action) =>
    action.kind === "announce" ? [`${formatAddress(action.address)} ${action.mac}`] : [],
  );

const changes = (world: World, sinceMs: number) =>
  world.actions("state", sinceMs).map(({ router, action }) => `${router} ${action.group} ${action.to}`);

describe("a configuration that leaves the groups as they are", () => {
  test("does nothing and changes nothing", () => {
    const world = settled();
    for (const name of ["A", "B"] as const) {
      const { machine } = world.router(name);
      const before = [machine.fingerprint(), machine.deadlineMs];
      expect(given(world, name, {})).toEqual([]);
      expect([machine.fingerprint(), machine.deadlineMs]).toEqual(before);
    }
  });

  test("another interface without a group, or its removal, disturbs nobody", () => {
    const world = settled();
    const startMs = world.nowMs;
    expect(given(world, "A", { second: ["ip address 192.0.2.1 255.255.255.0"] })).toEqual([]);
    world.run(10_000).link("A", "GigabitEthernet0/1", true).run(10_000);
    expect(given(world, "A", {})).toEqual([]);
    world.run(10_000);
    expect(changes(world, startMs)).toEqual([]);
  });

  test("a machine that has stopped stays so", () => {
    const world = settled();
    world.input("A", { kind: "stop" });
    expect(given(world, "A", { lines: [...GROUP, "standby 2 ip 10.0.0.4"] })).toEqual([]);
    expect(world.run(60_000).states()).toBe("A:initial B:active");
  });
});

describe("priority and preemption", () => {
  test("a lower priority of the Active router is told at once, and a Standby router that preempts takes over", () => {
    const lines = [...GROUP, "standby 1 preempt"];
    const world = settled({ A: { lines }, B: { lines } });
    const startMs = world.nowMs;
    const [hello, ...more] = messagesOf(given(world, "A", { lines: [...lines, "standby 1 priority 90"] }));
    expect(hello).toMatchObject({ opcode: "hello", state: "active", priority: 90 });
    expect(more).toEqual([]);
    world.run(100);
    expect(changes(world, startMs)).toEqual(["B 1 active", "A 1 speak"]);
  });

  test("a higher priority of the Standby router changes nothing until it may preempt", () => {
    const world = settled();
    const startMs = world.nowMs;
    const lines = [...GROUP, "standby 1 priority 200"];
    expect(messagesOf(given(world, "B", { lines }))).toMatchObject([{ state: "standby", priority: 200 }]);
    world.run(60_000);
    expect(changes(world, startMs)).toEqual([]);
    given(world, "B", { lines: [...lines, "standby 1 preempt"] });
    world.run(100);
    expect(world.states()).toBe("A:speak B:active");
  });

  test("another delay begins anew when it is set", () => {
    const lines = [...GROUP, "standby 1 priority 200"];
    const world = settled({ B: { lines } });
    given(world, "B", { lines: [...lines, "standby 1 preempt delay minimum 20"] });
    world.run(15_000);
    given(world, "B", { lines: [...lines, "standby 1 preempt delay minimum 10"] });
    world.run(9900);
    expect(world.states()).toBe("A:active B:standby");
    world.run(200);
    expect(world.states()).toBe("A:speak B:active");
  });

  test("what is tracked from now on counts from now on", () => {
    const second = ["ip address 192.0.2.1 255.255.255.0"];
    const world = settled({ A: { second } });
    world.link("A", "GigabitEthernet0/1", false).run(5000);
    const lines = [...GROUP, "standby 1 track GigabitEthernet0/1 30"];
    expect(messagesOf(given(world, "A", { lines, second }))).toMatchObject([
      { state: "active", priority: 70 },
    ]);
    expect(messagesOf(given(world, "A", { second }))).toMatchObject([{ state: "active", priority: 100 }]);
  });

  test("a group that is shut down by what it tracks from now on resigns", () => {
    const second = ["ip address 192.0.2.1 255.255.255.0"];
    const world = settled({ A: { second } });
    world.link("A", "GigabitEthernet0/1", false).run(5000);
    const actions = given(world, "A", {
      lines: [...GROUP, "standby 1 track GigabitEthernet0/1 shutdown"],
      second,
    });
    expect(messagesOf(actions)).toMatchObject([{ opcode: "resign" }]);
    expect(world.run(100).states()).toBe("A:initial B:active");
  });
});

describe("timers", () => {
  test("longer ones of the Active router are told before the old hold time is over: nobody takes over", () => {
    const world = settled();
    const startMs = world.nowMs;
    const lines = ["standby 1 ip 10.0.0.3", "standby 1 timers 20 60"];
    expect(messagesOf(given(world, "A", { lines }))).toMatchObject([
      { state: "active", helloMs: 20_000, holdMs: 60_000 },
    ]);
    world.run(30_000);
    given(world, "B", { lines });
    world.run(120_000);
    expect(changes(world, startMs)).toEqual([]);
  });

  test("shorter ones hold from the next hello on", () => {
    const world = settled();
    const lines = ["standby 1 ip 10.0.0.3", "standby 1 timers msec 100 msec 300"];
    given(world, "A", { lines });
    given(world, "B", { lines });
    world.run(1000).crash("A").run(350);
    expect(world.states()).toBe("B:active");
  });

  test("without any, those of the Active router are learned again", () => {
    const world = settled();
    given(world, "B", { lines: ["standby 1 ip 10.0.0.3"] });
    expect(world.view("B").timers).toEqual({ helloMs: 3000, holdMs: 10_000 });
    world.run(1500);
    expect(world.view("B").timers).toEqual({ helloMs: 1000, holdMs: 3000 });
  });
});

describe("virtual addresses", () => {
  test("the Active router gives the old one up, owns the new one, announces it and says hello with it", () => {
    const world = settled();
    const lines = ["standby 1 ip 10.0.0.9", "standby 1 timers 1 3"];
    const actions = given(world, "A", { lines });
    expect(claims(actions)).toEqual([
      `disown ${ON}:1 10.0.0.3 0000.0c07.ac01`,
      `own ${ON}:1 10.0.0.9 0000.0c07.ac01`,
    ]);
    expect(announced(actions)).toEqual(["10.0.0.9 0000.0c07.ac01"]);
    expect(messagesOf(actions)).toMatchObject([{ state: "active", virtualAddress: addressOf("10.0.0.9") }]);
    const startMs = world.nowMs;
    given(world, "B", { lines });
    world.run(20_000);
    expect(changes(world, startMs)).toEqual([]);
    expect(world.actions("announce", startMs).map(({ atMs }) => atMs - startMs)).toEqual([0, 2000, 4000]);
  });

  test("a router with another address than the Active router refuses it, and takes its place in its own group", () => {
    const world = settled();
    given(world, "B", { lines: ["standby 1 ip 10.0.0.9", "standby 1 timers 1 3"] });
    world.run(10_000);
    expect(world.states()).toBe("A:active B:active");
    expect(world.logs().some((text) => text.includes("DIFFVIP1"))).toBe(true);
  });

  test("a secondary one is owned and announced besides, and no hello is due for it", () => {
    const world = settled();
    const actions = given(world, "A", { lines: [...GROUP, "standby 1 ip 10.0.0.4 secondary"] });
    expect(claims(actions)).toEqual([
      `disown ${ON}:1 10.0.0.3 0000.0c07.ac01`,
      `own ${ON}:1 10.0.0.3,10.0.0.4 0000.0c07.ac01`,
    ]);
    expect(announced(actions)).toEqual(["10.0.0.3 0000.0c07.ac01", "10.0.0.4 0000.0c07.ac01"]);
    expect(messagesOf(actions)).toEqual([]);
  });

  test("another virtual MAC address is announced", () => {
    const world = settled();
    const actions = given(world, "A", { lines: [...GROUP, "standby 1 mac-address 0200.0000.00aa"] });
    expect(claims(actions)).toEqual([
      `disown ${ON}:1 10.0.0.3 0000.0c07.ac01`,
      `own ${ON}:1 10.0.0.3 0200.0000.00aa`,
    ]);
    expect(announced(actions)).toEqual(["10.0.0.3 0200.0000.00aa"]);
    expect(changes(world, world.nowMs)).toEqual([]);
  });

  test("who only listened for the address starts when it is set", () => {
    const world = new World({ A: optionsOf("A", { lines: ["standby 1 ip"] }) }, [[["A", ON]]]);
    world.boot("A").run(20_000);
    expect(world.states()).toBe("A:learn");
    given(world, "A", {});
    expect(world.run(20_000).states()).toBe("A:active");
  });

  test("an address that is to be learned from now on is known already; one that was learned stays", () => {
    const world = settled();
    const startMs = world.nowMs;
    const learning = ["standby 1 ip", "standby 1 timers 1 3"];
    for (const name of ["A", "B"] as const)
      expect(claims(given(world, name, { lines: learning })).length).toBeLessThan(3);
    world.run(20_000);
    expect(formatAddress(world.view("B").virtualAddress!)).toBe("10.0.0.3");
    for (const name of ["A", "B"] as const) given(world, name, {});
    world.run(20_000);
    expect(changes(world, startMs)).toEqual([]);
  });

  test("an address outside of the network stops the group, and the log says why", () => {
    const world = settled();
    const startMs = world.nowMs;
    const actions = given(world, "A", { lines: ["standby 1 ip 10.9.9.9", "standby 1 timers 1 3"] });
    expect(messagesOf(actions)).toMatchObject([{ opcode: "resign", virtualAddress: addressOf("10.0.0.3") }]);
    expect(claims(actions)).toEqual([`disown ${ON}:1 10.0.0.3 0000.0c07.ac01`]);
    expect(world.logs(startMs).some((text) => text.includes("BADVIP"))).toBe(true);
    expect(world.run(100).states()).toBe("A:initial B:active");
  });
});

describe("authentication", () => {
  const md5 = (key: string, timeout = "") => ({
    lines: [...GROUP, `standby 1 authentication md5 key-string ${key}${timeout}`],
  });

  test("keys that are changed on both routers within a hold time change no role", () => {
    const world = settled({ A: md5("old-key"), B: md5("old-key") });
    const startMs = world.nowMs;
    given(world, "A", md5("new-key"));
    world.run(1500);
    given(world, "B", md5("new-key"));
    world.run(20_000);
    expect(changes(world, startMs)).toEqual([]);
  });

  test("with a timeout the old key is accepted for so long", () => {
    const world = settled({ A: md5("old-key"), B: md5("old-key") });
    const startMs = world.nowMs;
    // The Standby router first: it hears both keys.
    given(world, "B", md5("new-key", " timeout 60"));
    world.run(50_000);
    expect(world.changes("B", startMs)).toEqual([]);
    world.run(15_000);
    expect(world.state("B")).toBe("active");
  });

  test("without one it is refused at once", () => {
    const world = settled({ A: md5("old-key"), B: md5("old-key") });
    given(world, "B", md5("new-key"));
    world.run(4000);
    expect(world.state("B")).toBe("active");
    expect(world.router("B").machine.counters(ON)!.refused.authentication_digest).toBeGreaterThan(0);
  });

  test("a text is changed like a key", () => {
    const world = settled();
    const startMs = world.nowMs;
    const lines = [...GROUP, "standby 1 authentication text secret"];
    given(world, "A", { lines });
    given(world, "B", { lines });
    world.run(20_000);
    expect(changes(world, startMs)).toEqual([]);
  });
});

describe("names", () => {
  const named = (name: string) => ({ lines: [...GROUP, `standby 1 name ${name}`] });

  test("the Active router answers for its addresses under the new name, and is known by the old one for a while", () => {
    const world = settled({ A: named("OLD"), B: named("OLD") })
      .synchronise(1)
      .run(1000);
    const startMs = world.nowMs;
    const actions = given(world, "A", named("NEW"));
    expect(claims(actions)).toEqual([
      "disown OLD 10.0.0.3 0000.0c07.ac01",
      "own NEW 10.0.0.3 0000.0c07.ac01",
    ]);
    expect(announced(actions)).toEqual([]);
    expect(world.router("A").machine.report().active).toEqual(["NEW", "OLD"]);
    world.run(20_000);
    given(world, "B", named("NEW"));
    world.run(20_000);
    expect(changes(world, startMs)).toEqual([]);
    world.crash("A").run(5000).boot("A").run(20_000);
    expect(world.router("B").machine.report().active).toEqual(["NEW"]);
  });

  test("a former name that another group has is that group's", () => {
    const both = (one: string, two: string) => ({
      lines: [...named(one).lines, "standby 2 ip 10.0.0.4", "standby 2 timers 1 3", `standby 2 name ${two}`],
    });
    const world = settled({ A: named("ONE"), B: named("ONE") });
    given(world, "A", both("TWO", "ONE"));
    expect(world.router("A").machine.report().active).toEqual(["TWO"]);
  });
});

describe("groups that come and go", () => {
  test("a removed one resigns and is gone: the Standby router takes over at once", () => {
    const world = settled();
    const actions = given(world, "A", { lines: [] });
    expect(messagesOf(actions)).toMatchObject([{ opcode: "resign" }]);
    expect(claims(actions)).toEqual([`disown ${ON}:1 10.0.0.3 0000.0c07.ac01`]);
    expect(world.router("A").machine.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    expect(world.run(100).states()).toBe("A: B:active");
  });

  test("a new one starts after standby delay minimum, the others go on", () => {
    const world = settled();
    const startMs = world.nowMs;
    const lines = [...GROUP, "standby 2 ip 10.0.0.4", "standby 2 timers 1 3"];
    expect(given(world, "A", { lines })).toEqual([]);
    expect(world.view("A", 1)).toMatchObject({ state: "initial", stateText: "Init (delayed)" });
    world.run(1999);
    expect(changes(world, startMs)).toEqual([]);
    world.run(1);
    expect(changes(world, startMs)).toEqual(["A 2 listen"]);
    expect(world.run(10_000).states()).toBe("A:active,active B:standby");
  });

  test("one on an interface that comes up later has no other delay than that", () => {
    const world = settled();
    const second = [
      "ip address 192.0.2.1 255.255.255.0",
      "standby delay minimum 3",
      "standby 7 ip 192.0.2.9",
    ];
    given(world, "A", { second });
    world.run(30_000);
    expect(world.state("A", 1)).toBe("initial");
    const startMs = world.nowMs;
    world.link("A", "GigabitEthernet0/1", true).run(5000);
    expect(world.changes("A", startMs)[0]).toEqual([startMs + 3000, "listen"]);
  });

  test("another number is another group", () => {
    const world = settled();
    const lines = ["standby 5 ip 10.0.0.3", "standby 5 timers 1 3"];
    const actions = given(world, "A", { lines });
    expect(messagesOf(actions)).toMatchObject([{ opcode: "resign", group: 1 }]);
    world.run(100);
    expect(world.states()).toBe("A:initial B:active");
    given(world, "B", { lines });
    expect(world.run(20_000).states()).toMatch(/A:(active|standby) B:(active|standby)/);
  });

  test("another version, or another address of the interface, is another router: resign, delay, start", () => {
    for (const [text, version] of [
      [{ lines: [...GROUP, "standby version 2"] }, 2],
      [{ address: "10.0.0.8" }, 1],
    ] as const) {
      const world = settled();
      const startMs = world.nowMs;
      const actions = given(world, "A", text);
      expect(messagesOf(actions)).toMatchObject([{ opcode: "resign", version: 1 }]);
      expect(world.run(100).states()).toBe("A:initial B:active");
      world.run(10_000);
      expect(world.changes("A", startMs).slice(0, 2)).toEqual([
        [startMs, "initial"],
        [startMs + 2000, "listen"],
      ]);
      const sent = world.actions("send", startMs + 2000).filter(({ router }) => router === "A");
      expect(
        messagesOf(
          sent.map(({ action }) => action),
          version,
        ).length,
      ).toBeGreaterThan(0);
    }
  });

  test("a group that gets an address starts like a new one; one that loses it resigns", () => {
    const world = settled({ A: { lines: [...GROUP, "standby 2 priority 50"] } });
    const startMs = world.nowMs;
    given(world, "A", { lines: [...GROUP, "standby 2 priority 50", "standby 2 ip 10.0.0.4"] });
    world.run(40_000);
    expect(world.changes("A", startMs)[0]).toEqual([startMs + 2000, "listen"]);
    const actions = given(world, "A", { lines: [...GROUP, "standby 2 priority 50"] });
    expect(messagesOf(actions)).toMatchObject([{ opcode: "resign", group: 2 }]);
    expect(world.view("A", 1)).toMatchObject({ state: "initial", stateText: "Disabled" });
  });
});

test("a copy of a machine is configured for itself", () => {
  const world = settled();
  const { machine } = world.router("A");
  const copy = machine.clone();
  copy.step({ kind: "configure", options: optionsOf("A", { lines: [] }) }, world.nowMs);
  expect(copy.views(world.nowMs)).toEqual([]);
  expect(machine.views(world.nowMs).map(({ state }) => state)).toEqual(["active"]);
});
