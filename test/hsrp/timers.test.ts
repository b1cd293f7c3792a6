/** Times, to the millisecond. A packet takes one millisecond from router to router; see world.ts. */
import { describe, expect, test } from "vitest";
import { Hsrp } from "../../src/hsrp/index.js";
import { Random } from "../model/random.js";
import { oneLan, optionsFor, World } from "./world.js";

const ON = "GigabitEthernet0/0";

const changes = (world: World, name: string, sinceMs = 0) => world.changes(name, sinceMs);
const hellos = (world: World, name: string, sinceMs = 0) => world.sent(name, "hello", sinceMs);

describe("from the boot to Active", () => {
  test("takes two hold times where nobody else is", () => {
    const world = oneLan().boot("A").run(10_000);
    expect(changes(world, "A")).toEqual([
      [0, "listen"],
      [3000, "speak"],
      [6000, "standby"],
      [6000, "active"],
    ]);
  });

  test("hellos begin in Speak and come every hello time", () => {
    const world = oneLan().boot("A").run(9999);
    expect(hellos(world, "A")).toEqual([3000, 4000, 5000, 6000, 7000, 8000, 9000]);
  });

  test.each([
    ["the defaults", [], 1000, 5000],
    ["as configured", ["standby delay minimum 30 reload 120"], 30_000, 120_000],
  ])("waits for the delays of the interface: %s", (_name, lines, minimumMs, reloadMs) => {
    const text = [
      `interface ${ON}`,
      " ip address 10.0.0.1 255.255.255.0",
      " standby 1 ip 10.0.0.3",
      ...lines,
    ];
    const world = new World({ A: optionsFor(text.join("\n")) }, [[["A", ON]]]);
    world.boot("A").run(reloadMs - 1);
    expect(world.view("A")).toMatchObject({ state: "initial", stateText: "Init (delayed)" });
    world.run(1);
    expect(world.state("A")).toBe("listen");
    // From then on the interface has been up.
    world.link("A", ON, false).run(1);
    expect(world.view("A").stateText).toBe("Init (interface down)");
    world.link("A", ON, true).run(minimumMs - 1);
    expect(world.state("A")).toBe("initial");
    world.run(1);
    expect(world.state("A")).toBe("listen");
  });

  test("the default timers are 3 and 10 seconds", () => {
    const text = [`interface ${ON}`, " ip address 10.0.0.1 255.255.255.0", " standby 1 ip 10.0.0.3"];
    const world = new World({ A: optionsFor(text.join("\n")) }, [[["A", ON]]]);
    world.boot("A").run(60_000);
    expect(changes(world, "A").at(-1)).toEqual([25_000, "active"]);
    expect(hellos(world, "A").slice(0, 3)).toEqual([15_000, 18_000, 21_000]);
  });
});

describe("the Standby router takes over", () => {
  test("a hold time after the last hello of the Active router was heard", () => {
    for (const crashMs of [20_000, 20_001, 20_500, 20_999]) {
      const world = oneLan()
        .boot("A")
        .run(10_000)
        .boot("B")
        .run(crashMs - 10_000)
        .crash("A")
        .run(5000);
      const last = hellos(world, "A").at(-1)!;
      expect(changes(world, "B").at(-1)).toEqual([last + 1 + 3000, "active"]);
      expect(world.view("B").isVirtualMacInUse).toBe(true);
    }
  });

  test("in hold time and one tick, when the clock of the driver is coarse", () => {
    const TICK_MS = 10;
    const options = oneLan({ both: ["standby 1 timers msec 15 msec 50"] }).router("A").options;
    const machine = new Hsrp(options);
    machine.step({ kind: "link", interface: ON, isUp: true }, 0);
    const rival = oneLan({ both: ["standby 1 timers msec 15 msec 50"] })
      .boot("B")
      .run(200);
    const hello = rival.actions("send").at(-1)!.action;
    const heard = { ...hello, kind: "packet" } as const;
    let nowMs = 0;
    for (; nowMs < 503; nowMs += 1) {
      if (nowMs % 15 === 0) machine.step(heard, nowMs);
      if (nowMs % TICK_MS === 0) machine.step({ kind: "tick" }, nowMs);
    }
    expect(machine.views(nowMs)[0]!.state).toBe("standby");
    const lastMs = 495;
    while (machine.views(nowMs)[0]!.state !== "active") {
      nowMs += TICK_MS;
      machine.step({ kind: "tick" }, nowMs);
    }
    expect(nowMs - lastMs).toBeGreaterThanOrEqual(50);
    expect(nowMs - lastMs).toBeLessThanOrEqual(50 + TICK_MS);
  });

  test.each([1, 2])("within milliseconds, with timers in milliseconds (version %i)", (version) => {
    const both = [`standby version ${version}`, "standby 1 timers msec 15 msec 50"];
    const world = oneLan({ both }).boot("A").run(500).boot("B").run(500).crash("A").run(200);
    const last = hellos(world, "A").at(-1)!;
    expect(changes(world, "B").at(-1)).toEqual([last + 1 + 50, "active"]);
    expect(
      hellos(world, "A")
        .slice(-2)
        .reduce((x, y) => y - x),
    ).toBe(15);
  });

  test("by the hold time that the Active router tells, if it differs from its own", () => {
    const world = oneLan({ A: ["standby 1 timers 1 7"] })
      .boot("A")
      .run(20_000)
      .boot("B")
      .run(20_000);
    expect(world.states()).toBe("A:active B:standby");
    world.crash("A").run(20_000);
    const last = hellos(world, "A").at(-1)!;
    expect(changes(world, "B").at(-1)).toEqual([last + 1 + 7000, "active"]);
  });
});

describe("hellos", () => {
  test("come early by up to a tenth of the hello time, never late", () => {
    const random = new Random(7);
    const world = oneLan({}, { random: () => random.u32() })
      .boot("A")
      .run(600_000);
    const times = hellos(world, "A", 7000);
    const gaps = times.slice(1).map((atMs, i) => atMs - times[i]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1000);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(900);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(90);
    expect(gaps.length).toBeGreaterThan(590);
  });

  test("one is sent, not many, after a late tick", () => {
    const world = oneLan().boot("A").run(10_000);
    const machine = world.router("A").machine;
    const sent = machine.step({ kind: "tick" }, 500_000).filter(({ kind }) => kind === "send");
    expect(sent).toHaveLength(1);
    expect(machine.deadlineMs).toBe(501_000);
  });
});

describe("learned timers", () => {
  const learner = (lines: readonly string[]) => [
    `interface ${ON}`,
    " ip address 10.0.0.2 255.255.255.0",
    " standby delay minimum 0 reload 0",
    " standby 1 ip 10.0.0.3",
    ...lines,
  ];
  const pair = (a: readonly string[], b: readonly string[] = []) =>
    new World({ A: oneLan({ A: a }).router("A").options, B: optionsFor(learner(b).join("\n"), 2) }, [
      [
        ["A", ON],
        ["B", ON],
      ],
    ]);

  test("are the Active router's, where none are configured", () => {
    const world = pair(["standby 1 timers 2 9"]).boot("A").run(30_000).boot("B").run(30_000);
    expect(world.view("B")).toMatchObject({ state: "standby", timers: { helloMs: 2000, holdMs: 9000 } });
    expect(world.view("B").configuredTimers).toBeUndefined();
    // They stay in force when the learner is Active itself.
    const nowMs = world.nowMs;
    world.crash("A").run(30_000);
    expect(world.view("B")).toMatchObject({ state: "active", timers: { helloMs: 2000, holdMs: 9000 } });
    expect(
      hellos(world, "B", nowMs)
        .slice(-2)
        .reduce((x, y) => y - x),
    ).toBe(2000);
  });

  test("are not taken from a configured pair, nor below a second", () => {
    const configured = pair(["standby 1 timers 2 9"], [" standby 1 timers 1 4"])
      .boot("A")
      .run(30_000)
      .boot("B");
    expect(configured.run(30_000).view("B").timers).toEqual({ helloMs: 1000, holdMs: 4000 });
    const both = pair(["standby version 2", "standby 1 timers msec 250 1"], [" standby version 2"]);
    expect(both.boot("A").run(30_000).boot("B").run(30_000).view("B")).toMatchObject({
      state: "standby",
      timers: { helloMs: 3000, holdMs: 10_000 },
    });
  });

  test("are forgotten in Init", () => {
    const world = pair(["standby 1 timers 2 9"]).boot("A").run(30_000).boot("B").run(30_000);
    world.link("B", ON, false).run(1);
    expect(world.view("B").timers).toEqual({ helloMs: 3000, holdMs: 10_000 });
  });
});

describe("preempt delay", () => {
  /** B is Active since long; A, of higher priority, boots at 0 of what is returned. */
  function booted(...preempt: string[]): { world: World; startMs: number } {
    const world = oneLan({ A: ["standby 1 priority 110", ...preempt] })
      .boot("B")
      .run(60_000);
    const startMs = world.nowMs;
    return { world: world.boot("A"), startMs };
  }
  test("none: with the first hello that is heard", () => {
    const { world, startMs } = booted("standby 1 preempt");
    const atMs = hellos(world, "B", startMs).at(0) ?? startMs + 1000;
    world.run(5000);
    expect(changes(world, "A", startMs).at(-1)?.[0]).toBeLessThanOrEqual(atMs + 1001);
    expect(world.states()).toBe("A:active B:standby");
  });

  test.each([
    ["minimum", "standby 1 preempt delay minimum 20", 20_000],
    ["reload, the first time", "standby 1 preempt delay minimum 5 reload 40", 40_000],
    ["the longer of both", "standby 1 preempt delay minimum 30 reload 10", 30_000],
  ])("%s: from the first hello, to the millisecond", (_name, line, delayMs) => {
    const { world, startMs } = booted(line);
    world.run(delayMs + 5000);
    const firstMs = hellos(world, "B", startMs)[0]! + 1;
    expect(changes(world, "A", startMs).at(-1)).toEqual([firstMs + delayMs, "active"]);
  });

  test("reload counts once; afterwards minimum does", () => {
    const { world } = booted("standby 1 preempt delay minimum 5 reload 40");
    world.run(60_000);
    expect(world.states()).toBe("A:active B:standby");
    world.link("A", ON, false).run(60_000);
    const againMs = world.nowMs;
    world.link("A", ON, true).run(60_000);
    const firstMs = hellos(world, "B", againMs)[0]! + 1;
    expect(changes(world, "A", againMs).at(-1)).toEqual([firstMs + 5000, "active"]);
  });

  test("sync: until the sessions are there, so many seconds at most", () => {
    const { world, startMs } = booted("standby 1 preempt delay sync 30");
    world.run(12_345).input("A", { kind: "synchronised", isSynchronised: true });
    expect(changes(world, "A", startMs).at(-1)).toEqual([startMs + 12_345, "active"]);

    const slow = booted("standby 1 preempt delay sync 30");
    slow.world.run(60_000);
    const firstMs = hellos(slow.world, "B", slow.startMs)[0]! + 1;
    expect(changes(slow.world, "A", slow.startMs).at(-1)).toEqual([firstMs + 30_000, "active"]);
  });

  test("a failover pair waits for its sessions as long as it takes, unless the Active router dies", () => {
    const text = (host: number, priority: number) =>
      [
        "redundancy inter-device",
        " scheme standby HA",
        `interface ${ON}`,
        ` ip address 10.0.0.${host} 255.255.255.0`,
        " standby delay minimum 0 reload 0",
        " standby 1 ip 10.0.0.3",
        " standby 1 timers 1 3",
        " standby 1 name HA",
        " standby 1 preempt",
        ` standby 1 priority ${priority}`,
      ].join("\n");
    const world = new World({ A: optionsFor(text(1, 110), 1), B: optionsFor(text(2, 100), 2) }, [
      [
        ["A", ON],
        ["B", ON],
      ],
    ]);
    world.boot("B").run(10_000).boot("A").run(600_000);
    expect(world.states()).toBe("A:standby B:active");
    expect(world.view("A").preemptsInMs).toBeUndefined();
    world.crash("B").run(4000);
    expect(world.state("A")).toBe("active");

    world.boot("B").run(60_000).crash("A").run(10_000).boot("A").run(60_000);
    expect(world.states()).toBe("A:standby B:active");
    world.input("A", { kind: "synchronised", isSynchronised: true }).run(2);
    expect(world.states()).toBe("A:active B:speak");
  });

  test("starts anew when the Active router is not lower any more", () => {
    const world = oneLan({
      A: ["standby 1 priority 110", "standby 1 preempt delay minimum 20", "standby 1 track 7 20"],
    });
    world.boot("B").run(60_000).boot("A").run(15_000);
    world.link("A", "7", false).run(2000).link("A", "7", true);
    const againMs = world.nowMs;
    world.run(25_000);
    expect(changes(world, "A", againMs).at(-1)).toEqual([againMs + 20_000, "active"]);
  });
});

describe("a process that was held up", () => {
  test("does not take over from an Active router that it has not heard meanwhile (threat D03)", () => {
    const world = oneLan().boot("A").run(20_000).boot("B").run(20_000);
    expect(world.states()).toBe("A:active B:standby");
    for (const pauseMs of [3500, 10_000, 100_000]) {
      const sinceMs = world.nowMs;
      world.freeze("B").run(pauseMs).freeze("B", false).run(20_000);
      expect(world.states()).toBe("A:active B:standby");
      expect(changes(world, "A", sinceMs)).toEqual([]);
    }
  });

  test("takes over two hello times later from one that has died meanwhile", () => {
    const world = oneLan().boot("A").run(20_000).boot("B").run(20_000);
    world.freeze("B").crash("A").run(10_000).freeze("B", false);
    const wokenMs = world.nowMs;
    world.run(10_000);
    expect(changes(world, "B", wokenMs)).toEqual([[wokenMs + 2000, "active"]]);
  });

  test("again and again is believed in the end: each timer is put off once", () => {
    const world = oneLan().boot("A").run(20_000).boot("B").run(20_000).crash("A");
    const { machine } = world.router("B");
    const late = [30_000, 60_000, 90_000].map((ms) => {
      machine.step({ kind: "tick" }, world.nowMs + ms);
      return machine.report().active.length;
    });
    expect(late).toEqual([0, 1, 1]);
  });

  test("and was Active gives up, for the Standby router has taken over (threat D04)", () => {
    const world = oneLan().boot("B").run(20_000).boot("A").run(20_000);
    // B has the higher address: it would win, were both Active.
    expect(world.states()).toBe("A:standby B:active");
    world.freeze("B").run(10_000);
    expect(world.state("A")).toBe("active");
    const wokenMs = world.nowMs;
    world.freeze("B", false).run(20_000);
    expect(changes(world, "B", wokenMs)[0]).toEqual([wokenMs, "speak"]);
    expect(changes(world, "A", wokenMs)).toEqual([]);
    expect(world.states()).toBe("A:active B:standby");
  });

  test("stays Active after a short pause, or where there is nobody to take over", () => {
    const world = oneLan().boot("B").run(20_000).boot("A").run(20_000);
    world.freeze("B").run(1900).freeze("B", false).run(10_000);
    expect(world.states()).toBe("A:standby B:active");
    world.crash("A").run(10_000).freeze("B").run(60_000).freeze("B", false).run(1);
    expect(world.states()).toBe("B:active");
  });
});
