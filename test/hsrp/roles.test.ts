/** Who becomes Active, what is said and announced on the way, and which addresses it all has. */
import { describe, expect, test } from "vitest";
import { formatAddress } from "../../src/ip.js";
import { addressOf, hexOf } from "./golden.js";
import { oneLan, optionsFor, World } from "./world.js";

const ON = "GigabitEthernet0/0";

/** A is Active and B stands by since long. */
function settled(lines: Parameters<typeof oneLan>[0] = {}): { world: World; startMs: number } {
  const world = oneLan(lines).boot("A").run(20_000).boot("B").run(40_000);
  expect(world.states()).toBe("A:active B:standby");
  return { world, startMs: world.nowMs };
}

describe("election", () => {
  test("of routers that start together: the higher priority, then the higher address", () => {
    expect(oneLan().boot("A", "B").run(20_000).states()).toBe("A:standby B:active");
    const world = oneLan({ A: ["standby 1 priority 101"] });
    expect(world.boot("A", "B").run(20_000).states()).toBe("A:active B:standby");
  });

  test("an equal priority never preempts, whatever the address (IOS; the RFC differs)", () => {
    const { world, startMs } = settled({ both: ["standby 1 preempt"] });
    expect(world.run(60_000).changes("A", startMs)).toEqual([]);
  });

  test("a higher priority without preemption waits for the Active router to go", () => {
    const { world } = settled({ B: ["standby 1 priority 200"] });
    world.run(60_000).link("A", ON, false).run(5000);
    expect(world.states()).toBe("A:initial B:active");
  });

  test("one of three takes over, another one stands by", () => {
    const text = (host: number) =>
      [
        `interface ${ON}`,
        ` ip address 10.0.0.${host} 255.255.255.0`,
        " standby delay minimum 0 reload 0",
        " standby 1 ip 10.0.0.9",
        " standby 1 timers 1 3",
      ].join("\n");
    const routers = { A: optionsFor(text(1), 1), B: optionsFor(text(2), 2), C: optionsFor(text(3), 3) };
    const world = new World(routers, [(["A", "B", "C"] as const).map((name) => [name, ON] as const)]);
    expect(world.boot("A", "B", "C").run(20_000).states()).toBe("A:listen B:standby C:active");
    expect(world.crash("C").run(20_000).states()).toBe("A:standby B:active");
    expect(world.view("A").active).toMatchObject({ kind: "neighbor", address: addressOf("10.0.0.2") });
  });
});

describe("preemption", () => {
  const lines = { B: ["standby 1 priority 110", "standby 1 preempt"] };

  test("is a coup from the state before, then a hello as Active; the other speaks up and stands by", () => {
    const world = oneLan(lines).boot("A").run(20_000).boot("B");
    const startMs = world.nowMs;
    world.run(5000);
    const sent = world
      .actions("send", startMs)
      .filter(({ action }) => action.payload[1] !== 0 || action.payload[2] !== 16);
    expect(
      sent.map(({ router, action }) => `${router} ${hexOf(action.payload.subarray(0, 7))}`).slice(0, 2),
    ).toEqual(["B 00010201036e01", "A 00021001036401"]);
    expect(world.story(startMs).split("\n").slice(1, 3)).toEqual([
      "20001 B 1 listen>active h/Hello rcvd from lower pri Active router, preempting (100/10.0.0.1)",
      "20002 A 1 active>speak j/Coup rcvd from higher pri router (110/10.0.0.2)",
    ]);
  });

  test("moves the virtual MAC address with the first hello of the new Active router", () => {
    const world = oneLan(lines).boot("A").run(20_000).boot("B").run(10_000);
    const last = world
      .actions("send")
      .filter(({ router }) => router === "B")
      .at(-1)!.action;
    expect(last.sourceMac).toBe("0000.0c07.ac01");
    expect(world.actions("disown").map(({ router }) => router)).toEqual(["A"]);
  });

  test("without a coup that arrives: the hello that follows does it", () => {
    const world = oneLan(lines).boot("A").run(20_000).boot("B");
    world.network = (action) => (action.payload[1] === 1 ? [] : [1]);
    expect(world.run(5000).states()).toBe("A:standby B:active");
  });
});

describe("resignation", () => {
  test("of a router that stops: the other is Active a millisecond later", () => {
    const { world, startMs } = settled();
    world.input("A", { kind: "stop" }).run(5);
    expect(world.changes("B", startMs)).toEqual([[startMs + 1, "active"]]);
    expect(world.view("A").stateText).toBe("Init (stopped)");
    expect(world.run(60_000).sent("A", "hello", startMs + 1)).toEqual([]);
    expect(world.router("A").machine.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("is told in state Active, from the own MAC address: the virtual one may be elsewhere by now", () => {
    const { world, startMs } = settled();
    world.input("A", { kind: "stop" });
    const resign = world.actions("send", startMs).at(-1);
    expect(hexOf(resign!.action.payload)).toBe("0002100103640100636973636f0000000a000003");
    expect(resign!.action.sourceMac).toBe("0200.0000.0001");
  });

  test("cannot leave an interface that is down: the other waits for its hold time", () => {
    const { world, startMs } = settled();
    world.link("A", ON, false).run(5000);
    expect(world.sent("A", "resign", startMs)).toEqual([]);
    const last = world.sent("A", "hello").at(-1)!;
    expect(world.changes("B", startMs)).toEqual([[last + 1 + 3000, "active"]]);
  });
});

describe("hand-over on request", () => {
  test("goes to the Standby router, and is not taken back by preemption", () => {
    const { world, startMs } = settled({ A: ["standby 1 priority 110"], both: ["standby 1 preempt"] });
    world.input("A", { kind: "release" });
    expect(world.actions("release", startMs).map(({ action }) => action.outcome)).toEqual(["done"]);
    world.run(600_000);
    expect(world.states()).toBe("A:standby B:active");
    expect(world.changes("B", startMs)).toEqual([[startMs + 1, "active"]]);
    // When the other one fails, it is Active again, and as free to preempt as before.
    world.crash("B").run(10_000).boot("B").run(60_000);
    expect(world.states()).toBe("A:active B:standby");
  });

  test("is refused where there is no Standby router, or nothing to hand over", () => {
    const world = oneLan().boot("A").run(20_000).input("A", { kind: "release" });
    expect(world.actions("release").map(({ action }) => action.outcome)).toEqual(["refused"]);
    const { world: other, startMs } = settled();
    other.input("B", { kind: "release" }).run(1000);
    expect(other.actions("release", startMs).map(({ action }) => action.outcome)).toEqual(["refused"]);
    expect(other.states()).toBe("A:active B:standby");
  });

  test("waits until a hold time has passed since the last change of roles", () => {
    // A's hold time is longer: B stands by before A may change roles again.
    const world = oneLan({ A: ["standby 1 timers 1 10"] })
      .boot("B")
      .run(20_000)
      .boot("A")
      .run(60_500);
    const startMs = world.nowMs;
    world.input("B", { kind: "release" }).run(6000);
    expect(world.states()).toBe("A:active B:standby");
    world.input("A", { kind: "release" }).run(10_000);
    const outcomes = world.actions("release", startMs);
    expect(outcomes.map(({ router, atMs, action }) => [router, atMs - startMs, action.outcome])).toEqual([
      ["B", 0, "done"],
      ["A", 6000, "waiting"],
      ["A", 10_001, "done"],
    ]);
    expect(world.changes("B", startMs).at(-1)).toEqual([startMs + 10_002, "active"]);
  });

  test("that waits is refused when the Standby router goes meanwhile", () => {
    const world = oneLan({ A: ["standby 1 timers 1 10"] })
      .boot("B")
      .run(20_000)
      .boot("A")
      .run(60_500);
    world.input("B", { kind: "release" }).run(6000).input("A", { kind: "release" }).crash("B").run(20_000);
    expect(world.actions("release").map(({ action }) => action.outcome)).toEqual([
      "done",
      "waiting",
      "refused",
    ]);
    expect(world.states()).toBe("A:active");
  });
});

describe("two Active routers that hear each other again", () => {
  test("the lower gives way at once; the higher stays, says so and announces (users lose their gateway else)", () => {
    const world = oneLan().boot("A", "B").run(20_000).part(0).run(20_000);
    expect(world.states()).toBe("A:active B:active");
    const healedMs = world.nowMs;
    world.part(0, false).run(10_000);
    expect(world.states()).toBe("A:standby B:active");
    const lost = world.changes("A", healedMs)[0]!;
    expect(lost[1]).toBe("speak");
    expect(lost[0] - healedMs).toBeLessThanOrEqual(1001);
    expect(world.changes("B", healedMs)).toEqual([]);
    const heardMs = world.sent("B", "coup", healedMs)[0];
    const announced = world.actions("announce", healedMs);
    expect(announced.every(({ router }) => router === "B")).toBe(true);
    if (heardMs !== undefined) {
      expect(announced.map(({ atMs }) => atMs - heardMs)).toEqual([0, 2000, 4000]);
      expect(world.logs(healedMs)).toContain(
        `%HSRP-4-CONFLICT: ${ON} Grp 1 another Active router, 10.0.0.1; this one stays Active`,
      );
    }
    expect(announced.length).toBe(heardMs === undefined ? 0 : 3);
  });

  test("whichever is heard first, one is left, and it announces when it was challenged", () => {
    let challenged = 0;
    for (let offsetMs = 0; offsetMs < 1000; offsetMs += 50) {
      const world = oneLan().boot("A").run(offsetMs).boot("B").run(20_000).part(0).run(20_000);
      const healedMs = world.nowMs;
      world.part(0, false).run(5000);
      expect(world.states()).toBe("A:standby B:active");
      const announced = world.actions("announce", healedMs).length;
      expect(announced).toBe(world.sent("B", "coup", healedMs).length === 0 ? 0 : 3);
      challenged += Number(announced > 0);
    }
    expect(challenged).toBeGreaterThan(3);
  });

  test("a lesser router that does not give way is answered at the pace of hellos, announced at that of ARP", () => {
    // B's hellos reach A, A's do not reach B: a link that works one way only.
    const world = oneLan().boot("A", "B").run(20_000).part(0).run(20_000).part(0, false);
    world.network = (_action, from) => (from === "A" ? [1] : []);
    const startMs = world.nowMs;
    world.run(60_000);
    expect(world.states()).toBe("A:active B:active");
    expect(world.sent("B", "coup", startMs).length).toBeGreaterThan(50);
    expect(world.sent("B", "coup", startMs).length).toBeLessThanOrEqual(61);
    const announced = world.actions("announce", startMs).length;
    expect(announced).toBeGreaterThan(25);
    expect(announced).toBeLessThanOrEqual(32);
    expect(world.logs(startMs).filter((line) => line.includes("CONFLICT")).length).toBeLessThanOrEqual(3);
  });
});

describe("addresses", () => {
  test("are owned and announced at 0, 2 and 4 seconds, the secondary ones too", () => {
    const world = oneLan({ both: ["standby 1 ip 10.0.0.4 secondary"] })
      .boot("A")
      .run(20_000);
    expect(
      world.actions("own").map(({ atMs, action }) => [atMs, action.addresses.map(formatAddress), action.mac]),
    ).toEqual([[6000, ["10.0.0.3", "10.0.0.4"], "0000.0c07.ac01"]]);
    expect(
      world
        .actions("announce")
        .map(({ atMs, action }) => `${atMs} ${formatAddress(action.address)} ${action.mac}`),
    ).toEqual([
      "6000 10.0.0.3 0000.0c07.ac01",
      "6000 10.0.0.4 0000.0c07.ac01",
      "8000 10.0.0.3 0000.0c07.ac01",
      "8000 10.0.0.4 0000.0c07.ac01",
      "10000 10.0.0.3 0000.0c07.ac01",
      "10000 10.0.0.4 0000.0c07.ac01",
    ]);
  });

  test("are announced as often as the options say, and refreshed", () => {
    const announcements = { count: 2, intervalMs: 500, refreshMs: 7000 };
    const world = oneLan({}, { announcements }).boot("A").run(21_000);
    expect(world.actions("announce").map(({ atMs }) => atMs)).toEqual([6000, 6500, 13_500, 20_500]);
  });

  test("are not announced any more by a router that is no longer Active", () => {
    const { world, startMs } = settled();
    world.input("A", { kind: "stop" }).run(1000).boot("A").crash("B").run(20_000);
    expect(world.actions("announce", startMs).map(({ router }) => router)).toEqual(["B", "A", "A", "A"]);
  });

  test("that another station claims: logged, and announced again, at the pace of ARP (threat H04)", () => {
    const { world, startMs } = settled();
    for (let i = 0; i < 1000; i++) {
      world
        .input("A", { kind: "arp", interface: ON, address: addressOf("10.0.0.3"), mac: "0666.0000.0001" })
        .run(10);
    }
    expect(world.logs(startMs)).toEqual([
      `%HSRP-4-DUPADDR: Duplicate address 10.0.0.3 on ${ON}, sourced by 0666.0000.0001`,
    ]);
    const announced = world.actions("announce", startMs);
    expect(announced[0]!.atMs).toBe(startMs);
    expect(announced.length).toBeLessThanOrEqual(6);
  });

  test("that others claim rightly mean nothing", () => {
    const { world, startMs } = settled();
    for (const [address, mac] of [
      ["10.0.0.9", "0666.0000.0001"],
      ["10.0.0.3", "0000.0c07.ac01"],
    ]) {
      world.input("A", { kind: "arp", interface: ON, address: addressOf(address!), mac: mac! });
    }
    world
      .input("B", { kind: "arp", interface: ON, address: addressOf("10.0.0.3"), mac: "0666.0000.0001" })
      .run(10);
    expect(world.actions("announce", startMs)).toEqual([]);
    expect(world.logs(startMs)).toHaveLength(1);
  });

  test.each([
    ["version 1", [], "0000.0c07.ac01", "default"],
    ["version 2", ["standby version 2"], "0000.0c9f.f001", "default"],
    ["burned-in", ["standby use-bia"], "0200.0000.0001", "bia"],
    ["by hand", ["standby 1 mac-address 0200.5e00.1"], "0200.5e00.0001", "configured"],
  ])("the virtual MAC address: %s", (_name, both, mac, origin) => {
    const world = oneLan({ both }).boot("A").run(20_000);
    expect(world.actions("announce")[0]!.action.mac).toBe(mac);
    expect(world.view("A")).toMatchObject({ localVirtualMac: mac, localVirtualMacOrigin: origin });
    expect(world.actions("send").at(-1)!.action.sourceMac).toBe(mac);
  });

  test("a learned virtual address comes from the Active router, and only from one that is right", () => {
    const text = [
      `interface ${ON}`,
      " ip address 10.0.0.2 255.255.255.0",
      " standby delay reload 0",
      " standby 1 ip",
    ];
    const world = new World({ A: oneLan().router("A").options, B: optionsFor(text.join("\n"), 2) }, [
      [
        ["A", ON],
        ["B", ON],
      ],
    ]);
    world.boot("B").run(60_000);
    expect(world.view("B")).toMatchObject({ state: "learn", isVirtualAddressLearned: true });
    expect(world.view("B").virtualAddress).toBeUndefined();
    world.boot("A").run(60_000);
    expect(world.view("B")).toMatchObject({ state: "standby", virtualAddress: addressOf("10.0.0.3") });
    world.crash("A").run(20_000);
    expect(world.actions("own").at(-1)!.action.addresses).toEqual([addressOf("10.0.0.3")]);
  });
});

describe("several groups on one interface", () => {
  test("share the load: each router is Active in one and stands by in the other", () => {
    const both = ["standby 2 ip 10.0.0.4", "standby 2 timers 1 3", "standby 1 preempt", "standby 2 preempt"];
    const world = oneLan({ both, A: ["standby 1 priority 110"], B: ["standby 2 priority 110"] });
    world.boot("A").run(30_000).boot("B").run(30_000);
    expect(world.states()).toBe("A:active,standby B:standby,active");
    expect(world.crash("B").run(5000).states()).toBe("A:active,active");
  });
});

describe("IPv6", () => {
  const text = (host: number) =>
    [
      `interface ${ON}`,
      ` ipv6 address 2001:db8::${host}/64`,
      " standby version 2",
      " standby delay minimum 0 reload 0",
      " standby 10 ipv6 autoconfig",
      " standby 10 timers 1 3",
      " standby 10 authentication md5 key-string HAkey",
    ].join("\n");

  test("link-local to ff02::66, signed, with the virtual address of the virtual MAC address", () => {
    const world = new World({ A: optionsFor(text(1), 1), B: optionsFor(text(2), 2) }, [
      [
        ["A", ON],
        ["B", ON],
      ],
    ]);
    world.boot("A", "B").run(20_000);
    expect(world.states()).toBe("A:standby B:active");
    const { action } = world
      .actions("send")
      .filter(({ router }) => router === "B")
      .at(-1)!;
    expect(formatAddress(action.source)).toBe("fe80::ff:fe00:2");
    expect(formatAddress(action.destination)).toBe("ff02::66");
    expect(action).toMatchObject({
      port: 2029,
      ttl: 255,
      sourceMac: "0005.73a0.000a",
      destinationMac: "3333.0000.0066",
    });
    expect(formatAddress(world.actions("own")[0]!.action.addresses[0]!)).toBe("fe80::5:73ff:fea0:a");
    expect(world.view("A").active).toMatchObject({ kind: "neighbor", mac: "0200.0000.0002" });
  });
});

describe("authentication", () => {
  test.each([
    ["text", ["standby 1 authentication text one"], ["standby 1 authentication text two"]],
    ["kind", ["standby 1 authentication text one"], ["standby 1 authentication md5 key-string one"]],
    ["key", ["standby 1 authentication md5 key-string one"], ["standby 1 authentication md5 key-string two"]],
  ])("another %s: each is alone and says so", (_name, A, B) => {
    const world = oneLan({ A, B }).boot("A", "B").run(60_000);
    expect(world.states()).toBe("A:active B:active");
    const bad = world.logs().filter((line) => line.includes("BADAUTH"));
    expect(bad[0]).toMatch(
      /^%HSRP-4-BADAUTH: Bad authentication from 10\.0\.0\.[12], group 1, remote state Speak$/,
    );
    expect(bad.length).toBeLessThanOrEqual(4);
  });

  test.each([1, 2])("MD5 with the same key makes a pair (version %i)", (version) => {
    const both = [`standby version ${version}`, "standby 1 authentication md5 key-string HAkey"];
    expect(oneLan({ both }).boot("A", "B").run(20_000).states()).toBe("A:standby B:active");
  });

  test("a key chain signs with its lowest key, and takes all", () => {
    const withChain = (host: number, keys: readonly string[]) => {
      const chain = keys.flatMap((key, i) => [` key ${7 + 2 * i}`, `  key-string ${key}`]);
      const text = [
        "key chain HA",
        ...chain,
        `interface ${ON}`,
        ` ip address 10.0.0.${host} 255.255.255.0`,
        " standby delay minimum 0 reload 0",
        " standby 1 ip 10.0.0.3",
        " standby 1 timers 1 3",
        " standby 1 authentication md5 key-chain HA",
      ];
      return optionsFor(text.join("\n"), host);
    };
    const lan = [
      [
        ["A", ON],
        ["B", ON],
      ],
    ] as const;
    const world = new World({ A: withChain(1, ["old", "new"]), B: withChain(2, ["old", "other"]) }, lan);
    expect(world.boot("A", "B").run(20_000).states()).toBe("A:standby B:active");
    expect(world.actions("send")[0]!.action.payload[33]).toBe(7);
    expect(world.view("A").authentication).toEqual({ kind: "md5", chain: "HA" });
    // Key 9 of B is another one than key 9 of A, and nobody uses it.
    const apart = new World({ A: withChain(1, ["old", "new"]), B: withChain(2, ["new", "old"]) }, lan);
    expect(apart.boot("A", "B").run(20_000).states()).toBe("A:active B:active");
    expect(withChain(1, []).interfaces[0]!.groups[0]!.authentication).toEqual({
      kind: "md5",
      chain: "HA",
      keys: [],
    });
    const empty = new World({ A: withChain(1, []) }, [[["A", ON]]]).boot("A").run(20_000);
    expect(empty.view("A").stateText).toBe("Init (no authentication key)");
  });

  test("a new key: the old one is taken for as long as its timeout says", () => {
    const { world, startMs } = settled({ both: ["standby 1 authentication md5 key-string one"] });
    const change = (name: string, secret: string) =>
      world.input(name, {
        kind: "authentication",
        key: `${ON}:1`,
        authentication: {
          kind: "md5",
          keys: [{ id: 0, secret, acceptedUntilAtMs: Number.POSITIVE_INFINITY }],
        },
        oldKeyTimeoutMs: 30_000,
      });
    change("A", "two").run(100);
    // A hears B's old key for now; B must be told before its hold time is over.
    change("B", "two").run(60_000);
    expect(world.states()).toBe("A:active B:standby");
    expect(world.changes("A", startMs)).toEqual([]);

    change("B", "three").run(29_000);
    expect(world.view("B").active).toMatchObject({ kind: "neighbor" });
    world.run(4000);
    // A still signs with the second key: B does not believe it any more.
    expect(world.states()).toBe("A:active B:active");
  });

  test("a change for a group that does not exist changes nothing", () => {
    const { world } = settled();
    const before = world.router("A").machine.fingerprint();
    world.input("A", {
      kind: "authentication",
      key: "none",
      authentication: { kind: "text", text: "x" },
      oldKeyTimeoutMs: 0,
    });
    expect(world.router("A").machine.fingerprint()).toBe(before);
  });
});
