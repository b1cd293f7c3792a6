/** Two machines and a wire: how a standby becomes hot, who takes over with what, deadlines, operators, faults. */
import { describe, expect, test } from "vitest";
import { CONTENTS_MAX, HISTORY_MAX, Redundancy } from "../../src/redundancy/index.js";
import { LOG_INTERVAL_MS } from "../../src/redundancy/log.js";
import { timersOf } from "../../src/redundancy/options.js";
import { Duo } from "./duo.js";
import { configOf, identity, pairText, randomOf } from "./pair.js";

const HOLD_MS = 3000;
const HELLO_MS = 1000;
const STALL_MS = HOLD_MS - HELLO_MS;
const T = timersOf(configOf(pairText("a")));
const payload = Uint8Array.of(1, 2, 3);

describe("becoming hot", () => {
  test("goes through the states of the MIB, each told once", () => {
    const duo = new Duo().boot();
    expect(duo.states()).toBe("negotiation negotiation");
    duo.associate().talk();
    duo.group("a", "active");
    duo.group("b", "standby");
    duo.talk();
    expect(duo.states()).toBe("active coldBulk");
    const { bulk, generation } = duo.last("b", "bulk-await")!;
    expect(duo.last("a", "bulk-begin")).toEqual({ kind: "bulk-begin", bulk, generation });
    duo.step("b", { kind: "bulk", bulk, status: "complete" });
    duo.talk();
    expect(duo.states()).toBe("active hot");
    expect(duo.all("b", "state").map(({ own }) => own)).toEqual([
      "initialization",
      "negotiation",
      "negotiation", // the peer: unknown
      "negotiation", // the peer: negotiation
      "standbyCold",
      "standbyColdConfig",
      "standbyColdBulk",
      "standbyHot",
    ]);
    expect(duo.all("b", "role").map(({ role }) => role)).toEqual(["standby"]);
    expect(duo.all("a", "role")).toEqual([
      { kind: "role", role: "active", generation: 1, takeover: "cold", reason: "none", outOfSyncMs: 0 },
    ]);
    expect([duo.view("a").outOfSyncReason, duo.view("b").outOfSyncReason]).toEqual([undefined, undefined]);
  });

  test("needs both verdicts: the peer's is waited for, and its want ends the wait", () => {
    const duo = new Duo({
      identities: {
        a: identity("a"),
        b: identity("b", {}, { software: "twinwall 0.1.0", layout: 1, capacity: 500 }),
      },
    });
    duo.boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    // The smaller box is no standby of the larger one.
    expect(duo.view("b").verdict).toBe("incompatible");
    expect(duo.states()).toBe("active negotiation");
    expect(duo.view("b").outOfSyncReason).toBe("room for sessions: 500 here, 1000 at the peer");
    // The other way round it is.
    const other = new Duo({ identities: duo.identities }).boot().associate().talk();
    other.group("b", "active");
    other.talk();
    expect(other.states()).toBe("coldBulk active");
  });

  test("a peer that never gives its verdict is given up after the notification timer, exactly", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    // A says that it is active; what B says in return is lost, so A's verdict is known and no copy comes.
    duo.talk();
    const startMs = duo.nowMs;
    duo.pass(T.notificationMs - 1);
    expect(duo.states()).toBe("active coldBulk");
    duo.pass(1);
    expect(duo.nowMs - startMs).toBe(T.notificationMs);
    expect(duo.view("b").bulk.attempts).toBe(2);
    expect(duo.view("b").counters.events.bulkFailed).toBe(1);
  });

  test("progress keeps a copy alive up to the bound of the whole copy", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    const { bulk } = duo.last("b", "bulk-await")!;
    for (let ms = 0; ms < T.bulkMs; ms += 10_000) {
      expect(duo.view("b").bulk.number).toBe(bulk);
      duo.step("b", { kind: "bulk", bulk, status: "progress" });
      duo.pass(10_000);
    }
    expect(duo.view("b").bulk.number).toBe(bulk + 1);
  });

  test("after three copies that failed it stays cold, says so, and tries again later", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(duo.states()).toBe("active coldBulk");
      const { bulk } = duo.last("b", "bulk-await")!;
      duo.step("b", { kind: "bulk", bulk, status: "failed" });
      duo.talk();
    }
    expect(duo.states()).toBe("active cold");
    expect(duo.last("b", "log")?.text ?? "").toContain("STATECHANGE");
    expect(duo.all("b", "log").map(({ text }) => text)).toContainEqual(
      "%FW_HA-4-BULK: copy 3 of the sessions, attempt 3: the copy of the sessions failed; cold for 300 s",
    );
    duo.pass(T.bulkMs - 1);
    expect(duo.states()).toBe("active cold");
    duo.pass(1);
    expect(duo.states()).toBe("active coldBulk");
  });

  test("news of another copy than the one that is awaited changes nothing", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    const { bulk } = duo.last("b", "bulk-await")!;
    for (const status of ["progress", "complete", "failed"] as const) {
      duo.step("b", { kind: "bulk", bulk: bulk + 1, status });
      duo.step("b", { kind: "bulk", bulk: 0, status });
    }
    expect(duo.states()).toBe("active coldBulk");
  });

  test("a new generation of the active needs a new copy", () => {
    const duo = new Duo().synchronised();
    const before = duo.last("b", "bulk-await")!;
    // The group goes and comes back: a take-over of its own.
    duo.group("a", "other");
    duo.talk();
    expect(duo.states()).toBe("yield hot");
    duo.group("a", "active");
    duo.talk();
    expect(duo.last("a", "role")).toMatchObject({ role: "active", generation: 2, takeover: "resumed" });
    expect(duo.states()).toBe("active coldBulk");
    expect(duo.last("b", "bulk-await")).toEqual({ kind: "bulk-await", bulk: before.bulk + 1, generation: 2 });
  });

  test("the active can say that a copy has come apart", () => {
    const duo = new Duo().synchronised();
    const { bulk } = duo.last("a", "bulk-begin")!;
    duo.step("a", { kind: "bulk", bulk, status: "failed" });
    duo.talk();
    expect(duo.last("a", "bulk-begin")).toMatchObject({ bulk: bulk + 1 });
    expect(duo.states()).toBe("active coldBulk");
  });

  test("records travel both ways, and are counted; without a peer they go nowhere", () => {
    const duo = new Duo().synchronised();
    duo.step("a", { kind: "data", stream: "dynamic", payload });
    duo.step("b", { kind: "data", stream: "bulk", payload });
    duo.talk();
    expect(duo.last("b", "data")).toEqual({ kind: "data", stream: "dynamic", payload, missing: 0 });
    expect(duo.last("a", "data")).toEqual({ kind: "data", stream: "bulk", payload, missing: 0 });
    duo.step("a", { kind: "data", stream: "dynamic", payload });
    duo.wire.a.length = 0;
    duo.step("a", { kind: "data", stream: "dynamic", payload });
    duo.talk();
    expect(duo.last("b", "data")?.missing).toBe(1);
    duo.associate("down");
    expect(duo.step("a", { kind: "data", stream: "dynamic", payload })).toEqual([]);
    expect(duo.view("a").counters.events.dataUnsent).toBe(1);
    const tooLong = new Uint8Array(CONTENTS_MAX + 1);
    expect(() => duo.step("a", { kind: "data", stream: "dynamic", payload: tooLong })).toThrow(RangeError);
  });
});

describe("a configuration that changes while both run", () => {
  test("on one box the pair is no longer synchronised, forwarding goes on, and equality mends it", () => {
    const duo = new Duo().synchronised();
    const changed = (side: "a" | "b") => identity(side, { more: "ip inspect tcp idle-time 600" });
    duo.step("a", { kind: "configure", identity: changed("a") });
    duo.talk();
    expect(duo.states()).toBe("active negotiation");
    expect(duo.view("a").role).toBe("active");
    for (const side of ["a", "b"] as const)
      expect(duo.view(side).outOfSyncReason).toMatch(/^global settings: /);
    expect(duo.last("b", "bulk-abort")).toBeDefined();
    expect(duo.last("a", "bulk-abort")).toBeDefined();
    duo.step("b", { kind: "configure", identity: changed("b") });
    duo.talk();
    expect(duo.states()).toBe("active coldBulk");
  });

  test("that is only worth a warning changes nothing but the log", () => {
    const duo = new Duo().synchronised();
    duo.step("a", { kind: "configure", identity: identity("a", { more: "ip inspect audit-trail" }) });
    duo.talk();
    expect(duo.states()).toBe("active hot");
    expect(duo.view("b").findings.map(({ item }) => item)).toEqual(["logging"]);
    expect(duo.last("b", "log")?.text).toMatch(/^%FW_HA-6-PROTO_CONFIG_MISMATCH: logging: /);
  });

  test("a new key needs a new association", () => {
    const duo = new Duo({ key: "a-shared-key" }).synchronised();
    duo.step("a", { kind: "configure", identity: identity("a", { key: "the-next-key" }) });
    expect(duo.last("a", "association")).toEqual({ kind: "association", command: "restart" });
    duo.associate("down");
    duo.step("b", { kind: "configure", identity: identity("b", { key: "the-next-key" }) });
    duo.associate("up").talk();
    expect(duo.states()).toBe("active coldBulk");
  });

  test("without redundancy there is no role and no peer; with it again all begins anew", () => {
    const duo = new Duo().synchronised();
    duo.step("a", { kind: "configure", identity: undefined });
    duo.talk();
    expect(duo.view("a")).toMatchObject({ machine: "disabled", role: "none", downReason: "Failure" });
    expect(duo.view("b").peer.name).toBe("DISABLED");
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({ takeover: "hot", reason: "activeUnitRemoved" });
    duo.step("a", { kind: "configure", identity: duo.identities.a });
    expect(duo.view("a").machine).toBe("initialization");
    duo.step("a", { kind: "ready" });
    expect(duo.view("a").machine).toBe("negotiation");
  });
});

describe("taking over", () => {
  test("from a peer that is gone, with all it had", () => {
    const duo = new Duo().synchronised();
    duo.pass(2700, []).associate("down");
    expect(duo.states()).toBe("active negotiation");
    duo.pass(300, []);
    duo.group("b", "active");
    expect(duo.last("b", "role")).toEqual({
      kind: "role",
      role: "active",
      generation: 2,
      takeover: "hot",
      reason: "activeUnitFailed",
      outOfSyncMs: 3000,
    });
  });

  test("long after the link was cut: stale", () => {
    const duo = new Duo().synchronised();
    duo.associate("down");
    duo.nowMs += T.keepAliveMs * T.keepAliveThreshold + HOLD_MS + 1;
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({ takeover: "stale", outOfSyncMs: 10_001 });
  });

  test("during the first copy: partial; before it: cold", () => {
    const partial = new Duo().boot().associate().talk();
    partial.group("a", "active");
    partial.talk();
    partial.associate("down");
    partial.group("b", "active");
    expect(partial.last("b", "role")).toMatchObject({ takeover: "partial", generation: 2 });
    const cold = new Duo().boot();
    cold.group("b", "active");
    expect(cold.last("b", "role")).toMatchObject({ takeover: "cold", reason: "none", generation: 1 });
  });

  test("from a peer that lives, by preemption: it is told that it has lost, and starts clean", () => {
    const duo = new Duo().synchronised();
    duo.step("a", { kind: "interfaces", isDegraded: true });
    duo.talk();
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({ takeover: "hot", reason: "activeGWdown", generation: 2 });
    const { bootId } = duo.view("a");
    duo.talk();
    expect(duo.view("a").machine).toBe("initialization");
    const clean = duo.last("a", "start-clean")!;
    expect(clean).toMatchObject({ mode: "soft", isFlushed: true });
    expect(clean.bootId).not.toBe(bootId);
    expect(duo.all("a", "role").at(-1)).toMatchObject({ role: "none" });
    expect(duo.all("a", "log").map(({ text }) => text)).toContainEqual(
      "%RF_INTERDEV-4-RELOAD: % RF induced self-reload. my state = INITIALIZATION peer state = ACTIVE " +
        "(the peer is active and has the better claim)",
    );
    expect(duo.view("b").counters.events.conflicts).toBe(0);
  });

  test("reload mode none: the sessions stay, and a copy follows at once", () => {
    const duo = new Duo({ machine: { reloadMode: "none" } }).synchronised();
    const { bootId } = duo.view("a");
    duo.group("b", "active");
    duo.talk();
    expect(duo.last("a", "start-clean")).toMatchObject({ mode: "none", isFlushed: false, bootId });
    expect(duo.last("a", "association")).toBeUndefined();
    expect(duo.states()).toBe("coldBulk active");
  });

  test("reload mode exit is told to the caller", () => {
    const duo = new Duo({ machine: { reloadMode: "exit" } }).synchronised();
    duo.group("b", "active");
    duo.talk();
    expect(duo.last("a", "start-clean")).toMatchObject({ mode: "exit", isFlushed: true });
  });

  test("a box that is not hot asks a living active first, and gives way", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    duo.group("b", "active");
    expect(duo.states()).toBe("active coldBulk");
    duo.talk();
    expect(duo.states()).toBe("active coldBulk");
    const { counters } = duo.view("b");
    expect([counters.events.probes, counters.events.denials]).toEqual([1, 1]);
    expect(duo.all("b", "hsrp").map(({ input }) => input)).toContainEqual({
      kind: "peer",
      report: { active: ["INSIDE", "OUTSIDE"] },
      generation: "ahead",
    });
    // When the group has given way, nothing special is asked of it any more.
    duo.group("b", "standby");
    expect(duo.last("b", "hsrp")?.input).toMatchObject({ kind: "peer", generation: "equal" });
  });

  test("a group that does not give way is asked again", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    duo.group("b", "active");
    duo.talk();
    duo.pass(T.yieldMs);
    expect(duo.view("b").counters.events.denials).toBe(2);
  });

  test("without an answer it takes over what it has, exactly after the wait", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    duo.group("b", "active");
    duo.wire.b.length = 0;
    duo.pass(T.probeMs - 1, ["a"]);
    expect(duo.view("b").machine).toBe("coldBulk");
    duo.pass(1, ["a"]);
    expect(duo.last("b", "role")).toMatchObject({ takeover: "partial", generation: 2 });
  });

  test("a hot box that is deaf in its group asks as well", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.group("b", "standby", { isActiveHeard: false });
    duo.talk();
    duo.step("b", { kind: "bulk", bulk: duo.last("b", "bulk-await")!.bulk, status: "complete" });
    duo.talk();
    expect(duo.states()).toBe("active hot");
    duo.group("b", "active");
    duo.talk();
    expect(duo.states()).toBe("active hot");
    expect(duo.view("b").counters.events.denials).toBe(1);
  });

  test("a box without sessions lets one that has them be active, once", () => {
    const duo = new Duo().synchronised();
    // A starts again before its hold time is over, and is Active first.
    duo.associate("down");
    duo.machines.a = new Redundancy({ random: randomOf(9) });
    duo.step("a", { kind: "configure", identity: duo.identities.a });
    duo.step("a", { kind: "ready" });
    duo.associate("up").talk();
    duo.group("a", "active");
    expect(duo.view("a").machine).toBe("negotiation");
    expect(duo.last("a", "hsrp")?.input).toEqual({ kind: "release" });
    // Nobody takes it: then it is active after all.
    duo.pass(T.yieldMs - 1);
    expect(duo.view("a").machine).toBe("negotiation");
    duo.pass(1);
    expect(duo.view("a")).toMatchObject({ machine: "active", generation: 2 });
  });

  test("the generation never falls, even where the active started with nothing", () => {
    const duo = new Duo().synchronised();
    duo.group("b", "active");
    duo.talk();
    expect(duo.view("b").generation).toBe(2);
    // A starts again, alone: it knows nothing.
    duo.machines.a = new Redundancy({ random: randomOf(9) });
    duo.step("a", { kind: "configure", identity: duo.identities.a });
    duo.step("a", { kind: "ready" });
    duo.group("a", "active");
    expect(duo.view("a").generation).toBe(1);
    duo.group("b", "other");
    duo.associate("down").associate("up").talk();
    expect(duo.view("a").generation).toBe(3);
    // Another box was active meanwhile, and may have forwarded.
    expect(duo.last("a", "rival")).toEqual({ kind: "rival", generation: 3 });
  });
});

describe("two actives", () => {
  /** Both became active while they did not hear each other. */
  const partitioned = (a: number, b: number, priorities: [number, number] = [100, 100]) => {
    const duo = new Duo().boot();
    for (let i = 0; i < a; i++) {
      duo.group("a", "other", { isActiveHeard: false });
      duo.group("a", "active", { priority: priorities[0] });
    }
    for (let i = 0; i < b; i++) {
      duo.group("b", "other", { isActiveHeard: false });
      duo.group("b", "active", { priority: priorities[1] });
    }
    expect(duo.states()).toBe("active active");
    return duo;
  };
  const winner = (duo: Duo) => {
    duo.associate().talk();
    const roles = [duo.view("a").role, duo.view("b").role];
    expect(roles.filter((role) => role === "active")).toHaveLength(1);
    return roles[0] === "active" ? "a" : "b";
  };

  test("the newer generation stays", () => {
    expect(winner(partitioned(3, 2))).toBe("a");
    expect(winner(partitioned(2, 3))).toBe("b");
    expect(winner(partitioned(2, 3, [200, 100]))).toBe("b");
  });

  test("then the higher priority, then the higher address", () => {
    expect(winner(partitioned(2, 2, [110, 100]))).toBe("a");
    expect(winner(partitioned(2, 2, [100, 110]))).toBe("b");
    expect(winner(partitioned(2, 2))).toBe("b");
  });

  test("the winner says so, once, and begins a new generation where they were equal", () => {
    const duo = partitioned(2, 2);
    expect(winner(duo)).toBe("b");
    expect(duo.view("b")).toMatchObject({ generation: 3, counters: { events: { conflicts: 1 } } });
    expect(duo.all("b", "log").map(({ text }) => text)).toContainEqual(
      "%RF_INTERDEV-4-CONFLICT: both boxes were active; this one stays so, with generation 3",
    );
    expect(duo.last("a", "start-clean")).toMatchObject({ isFlushed: true });
    expect(duo.all("b", "rival")[0]).toEqual({ kind: "rival", generation: 3 });
  });

  test("who was frozen gives way with the first word it hears, before it may speak", () => {
    const duo = new Duo().synchronised();
    // B takes over; A is frozen and reads it much later.
    duo.group("b", "active");
    const said = duo.wire.b.splice(0);
    duo.nowMs += 60_000;
    const [first] = duo.step("a", { kind: "message", ...said[0]! });
    expect(first).toMatchObject({ kind: "role", role: "none" });
    for (const frame of said.slice(1)) duo.step("a", { kind: "message", ...frame });
    expect(duo.view("a").machine).toBe("initialization");
  });
});

describe("a process that stood still", () => {
  test("is not active before it knows that nobody took over", () => {
    const duo = new Duo().synchronised();
    duo.nowMs += 2 * STALL_MS;
    const actions = duo.step("a", { kind: "tick" });
    expect(actions[0]).toMatchObject({ kind: "role", role: "none" });
    expect(duo.view("a").machine).toBe("suspect");
    duo.talk();
    // The peer has answered that it is not active.
    expect(duo.view("a")).toMatchObject({ machine: "active", generation: 1 });
    expect(duo.states()).toBe("active hot");
    expect(duo.last("a", "role")).toEqual({ kind: "role", role: "active", generation: 1 });
  });

  test("doubts likewise when only what forwards stood still", () => {
    const duo = new Duo().synchronised();
    const actions = duo.step("a", { kind: "stalled", pauseMs: 2 * STALL_MS });
    expect(actions[0]).toMatchObject({ kind: "role", role: "none" });
    expect(duo.view("a")).toMatchObject({ machine: "suspect", counters: { events: { stalls: 1 } } });
    duo.talk();
    expect(duo.states()).toBe("active hot");
  });

  test("waits a hello time where nobody can be asked", () => {
    const duo = new Duo().boot();
    duo.group("a", "active");
    duo.nowMs += 2 * STALL_MS;
    duo.step("a", { kind: "tick" });
    expect(duo.view("a").machine).toBe("suspect");
    duo.pass(HELLO_MS - 1);
    expect(duo.view("a").machine).toBe("suspect");
    duo.pass(1);
    expect(duo.view("a").machine).toBe("active");
  });

  test("notices every pause of a stall time, and none of half of it", () => {
    for (let ms = 0; ms <= 3 * STALL_MS; ms += 50) {
      const duo = new Duo().boot();
      duo.group("a", "active");
      duo.pass(777);
      duo.nowMs += ms;
      duo.step("a", { kind: "tick" });
      if (ms >= STALL_MS) expect(duo.view("a").machine).toBe("suspect");
      if (ms <= STALL_MS / 2) expect(duo.view("a").machine).toBe("active");
    }
  });

  test("does not hold its own silence against the peer", () => {
    const duo = new Duo().synchronised();
    duo.nowMs += 60_000;
    duo.step("b", { kind: "tick" });
    expect(duo.view("b").machine).toBe("hot");
    duo.talk();
    duo.pass(100);
    expect(duo.states()).toBe("active hot");
  });

  test("a standby that has nothing to do is not late", () => {
    const duo = new Duo().boot();
    duo.nowMs += 3_600_000;
    duo.group("b", "standby");
    expect(duo.view("b").counters.events.stalls).toBe(0);
  });
});

describe("a link that fails", () => {
  test.each([
    ["in both directions", []],
    ["towards the standby", ["a"]],
    ["towards the active", ["b"]],
  ] as const)("%s: both sides notice within 3 s, and no role changes", (_name, hearing) => {
    const duo = new Duo().synchronised();
    for (const offsetMs of [0, 137, 500, 999]) {
      const cut = duo.machines;
      const clones = { a: cut.a.clone(), b: cut.b.clone() };
      const trial = new Duo({ identities: duo.identities });
      Object.assign(trial.machines, clones);
      trial.nowMs = duo.nowMs;
      trial.pass(5000 + offsetMs);
      trial.pass(3000, hearing);
      for (const side of ["a", "b"] as const) {
        expect(trial.view(side).outOfSyncReason).toMatch(/not heard|does not hear/);
        expect(trial.all(side, "log").at(-1)?.text).toContain("NOT_SYNCHRONISED");
      }
      expect(trial.states()).toBe("active hot");
      expect(trial.all("a", "role").length + trial.all("b", "role").length).toBe(0);
    }
  });

  test("for a moment is forgotten when the peer is heard again", () => {
    const duo = new Duo().synchronised();
    duo.pass(2500, []);
    expect(duo.view("a").outOfSyncReason).toBeDefined();
    duo.pass(2000);
    expect([duo.view("a").outOfSyncReason, duo.view("b").outOfSyncReason]).toEqual([undefined, undefined]);
    expect(duo.states()).toBe("active hot");
  });

  test("for good: the peer is lost at the keep-alive threshold, exactly, and the association begins anew", () => {
    const duo = new Duo().synchronised();
    duo.pass(0);
    const lostMs = T.keepAliveMs * T.keepAliveThreshold;
    duo.pass(lostMs - 1, []);
    expect(duo.states()).toBe("active hot");
    duo.pass(1, []);
    expect(duo.states()).toBe("active negotiation");
    expect(duo.last("a", "association")).toEqual({ kind: "association", command: "restart" });
    expect(duo.view("a").standbyFailures).toBe(1);
    duo.associate("down").associate("up").talk();
    expect(duo.states()).toBe("active coldBulk");
  });

  test("the silent peer is not asked: a group that is Active takes over at once", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    duo.pass(T.silentMs, []);
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({ takeover: "partial", reason: "activeUnitFailed" });
  });

  test("an association that nobody opens is given up after the notification timer", () => {
    const duo = new Duo().boot();
    duo.step("a", { kind: "association", status: "up" });
    duo.pass(T.notificationMs - 1);
    expect(duo.last("a", "association")).toBeUndefined();
    duo.pass(1);
    expect(duo.last("a", "association")).toEqual({ kind: "association", command: "restart" });
  });

  test("a peer that has started anew is found out, and gets a copy", () => {
    const duo = new Duo().synchronised();
    duo.machines.b = new Redundancy({ random: randomOf(9) });
    duo.step("b", { kind: "configure", identity: duo.identities.b });
    duo.step("b", { kind: "ready" });
    duo.step("a", { kind: "association", status: "restarted" });
    duo.step("b", { kind: "association", status: "up" });
    duo.talk();
    expect(duo.states()).toBe("active coldBulk");
    expect(duo.all("a", "log").map(({ text }) => text)).toContainEqual(
      "%RF_INTERDEV-4-PEER: the peer has started anew",
    );
  });
});

describe("a switchover", () => {
  const order = (duo: Duo, isForced = false) =>
    duo.step("a", { kind: "operator", command: "switchover", isForced });

  test("drains, hands over, and loses nothing", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo);
    expect(duo.view("a").role).toBe("active");
    duo.talk();
    expect(duo.view("a")).toMatchObject({ machine: "drain", role: "draining", own: { name: "ACTIVE" } });
    expect(duo.view("b").machine).toBe("hot");
    // The last records go, and are acknowledged.
    duo.step("a", { kind: "data", stream: "dynamic", payload });
    duo.talk();
    duo.step("b", { kind: "data", stream: "dynamic", payload });
    duo.talk();
    expect(duo.last("a", "data")).toBeDefined();
    const actions = duo.step("a", { kind: "drained" });
    expect(actions[0]).toMatchObject({ kind: "role", role: "none" });
    expect(actions).toContainEqual({ kind: "hsrp", input: { kind: "release" } });
    duo.talk();
    // B's HSRP hears that the groups of A are free.
    expect(duo.all("b", "hsrp").at(-1)?.input).toMatchObject({ kind: "peer", report: { active: [] } });
    duo.group("a", "standby");
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({ takeover: "hot", reason: "userInitiated", generation: 2 });
    duo.talk();
    expect(duo.last("a", "reply")).toEqual({
      kind: "reply",
      command: "switchover",
      outcome: "done",
      text: "the peer is active and has the better claim",
    });
    expect(duo.view("a").counters.events).toMatchObject({
      switchoversBegun: 1,
      switchoversDone: 1,
      switchoversFailed: 0,
    });
  });

  test("by force is the same where nothing stands against it; the second time it does not wait", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo, true);
    duo.talk();
    expect(duo.view("a")).toMatchObject({ machine: "drain", role: "draining" });
    order(duo, true);
    expect(duo.view("a")).toMatchObject({ machine: "yield", role: "none" });
    duo.group("a", "standby");
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({ takeover: "hot" });
  });

  const obstacles: readonly [string, (duo: Duo) => void, string][] = [
    ["roles have just changed", () => {}, "roles have changed less than a hold time ago"],
    ["there is no peer", (duo) => duo.pass(HOLD_MS).associate("down"), "system is simplex (no peer unit)"],
    [
      "the peer is not hot",
      (duo) => {
        duo.pass(HOLD_MS);
        duo.step("b", { kind: "operator", command: "bulkSync" });
        duo.talk();
      },
      "the peer is not STANDBY HOT",
    ],
    ["the link is cut", (duo) => duo.pass(HOLD_MS).pass(2900, []), "not synchronised with the peer"],
    [
      "the peer's group is down",
      (duo) => {
        duo.pass(HOLD_MS);
        duo.group("b", "other");
        duo.talk();
      },
      "the peer's group is not Standby",
    ],
    [
      "the peer has an interface down",
      (duo) => {
        duo.pass(HOLD_MS);
        duo.step("b", { kind: "interfaces", isDegraded: true });
        duo.talk();
      },
      "an interface of the peer is down",
    ],
    [
      "maintenance mode",
      (duo) => {
        duo.pass(HOLD_MS);
        duo.step("b", { kind: "operator", command: "maintenance", isOn: true });
        duo.talk();
      },
      "maintenance mode",
    ],
    [
      "another is under way",
      (duo) => {
        duo.pass(HOLD_MS);
        order(duo);
      },
      "a switchover is under way",
    ],
  ];
  test.each(obstacles)("is refused when %s", (_name, prepare, text) => {
    const duo = new Duo().synchronised();
    prepare(duo);
    order(duo);
    expect(duo.last("a", "reply")).toEqual({
      kind: "reply",
      command: "switchover",
      outcome: "refused",
      text,
    });
    expect(duo.view("a").role).toBe("active");
    expect(duo.view("a").switchoverObstacle).toBe(text);
  });

  test("is refused on the standby", () => {
    const duo = new Duo().synchronised();
    for (const isForced of [false, true]) {
      duo.step("b", { kind: "operator", command: "switchover", isForced });
      expect(duo.last("b", "reply")).toMatchObject({ outcome: "refused", text: "this box is not active" });
    }
  });

  test("is called off when the peer is not ready after all", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo);
    // What A was told is out of date.
    duo.step("b", { kind: "interfaces", isDegraded: true });
    duo.talk();
    expect(duo.last("a", "reply")).toMatchObject({
      outcome: "refused",
      text: "the peer is not ready to take over",
    });
    expect(duo.states()).toBe("active hot");
  });

  test("ends when nothing comes of it in time, exactly, and the box is active again", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo);
    duo.talk();
    duo.pass(T.drainMs - 1);
    expect(duo.view("a").role).toBe("draining");
    duo.pass(1);
    expect(duo.last("a", "role")).toEqual({ kind: "role", role: "active", generation: 1 });
    expect(duo.last("a", "reply")).toMatchObject({ outcome: "failed", text: "the peer did not take over" });
    expect(duo.states()).toBe("active hot");
    order(duo);
    expect(duo.last("a", "reply")).toMatchObject({ text: "roles have changed less than a hold time ago" });
  });

  test("ends when the peer does not even answer", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo);
    duo.wire.a.length = 0;
    duo.pass(T.drainMs);
    expect(duo.last("a", "reply")).toMatchObject({
      outcome: "failed",
      text: "the peer did not answer in time",
    });
    expect(duo.states()).toBe("active hot");
  });

  test("ends when the peer is lost while it drains", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo);
    duo.talk();
    duo.associate("down");
    expect(duo.view("a").role).toBe("active");
    expect(duo.last("a", "reply")).toMatchObject({ outcome: "failed" });
  });

  test("comes back when the peer takes nothing: the group is Active here again", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo);
    duo.talk();
    duo.step("a", { kind: "drained" });
    duo.associate("down");
    duo.group("a", "standby", { isActiveHeard: false });
    expect(duo.view("a").machine).toBe("yield");
    duo.group("a", "active");
    expect(duo.last("a", "role")).toMatchObject({ role: "active", takeover: "resumed", generation: 2 });
    expect(duo.last("a", "reply")).toMatchObject({ outcome: "failed" });
    expect(duo.all("a", "start-clean")).toEqual([]);
  });

  test("that HSRP refuses to carry out ends after the wait", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo);
    duo.talk();
    duo.step("a", { kind: "drained" });
    duo.wire.a.length = 0;
    duo.pass(T.yieldMs - 1);
    expect(duo.view("a").machine).toBe("yield");
    duo.pass(1);
    expect(duo.last("a", "role")).toMatchObject({ role: "active", takeover: "resumed" });
  });

  test("is forced whatever the peer has, but not without a peer", () => {
    const duo = new Duo().boot().associate().talk();
    duo.group("a", "active");
    duo.group("b", "standby");
    duo.talk();
    expect(duo.states()).toBe("active coldBulk");
    order(duo, true);
    expect(duo.view("a").role).toBe("none");
    duo.talk();
    duo.group("a", "standby");
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({ takeover: "partial", generation: 2 });
    duo.talk();
    expect(duo.last("a", "reply")).toMatchObject({ outcome: "done" });
    const alone = new Duo().boot();
    alone.group("a", "active");
    order(alone, true);
    expect(alone.last("a", "reply")).toMatchObject({
      outcome: "refused",
      text: "system is simplex (no peer unit)",
    });
  });

  test("that drains can be forced", () => {
    const duo = new Duo().synchronised();
    duo.pass(HOLD_MS);
    order(duo);
    duo.talk();
    order(duo, true);
    expect(duo.view("a").machine).toBe("yield");
    expect(duo.all("a", "reply").map(({ outcome }) => outcome)).toEqual(["failed"]);
  });

  test("happens by itself when an interface fails and the peer is sound and hot, a hold time after the last", () => {
    const duo = new Duo().synchronised();
    duo.step("a", { kind: "interfaces", isDegraded: true });
    duo.talk();
    expect(duo.view("a").machine).toBe("active");
    duo.pass(HOLD_MS - 1);
    expect(duo.view("a").machine).toBe("active");
    duo.pass(1);
    expect(duo.view("a").machine).toBe("drain");
    expect(duo.all("a", "reply")).toEqual([]);
    const both = new Duo().synchronised();
    for (const side of ["a", "b"] as const) both.step(side, { kind: "interfaces", isDegraded: true });
    both.talk().pass(60_000);
    expect(both.states()).toBe("active hot");
  });
});

describe("operators and faults", () => {
  test("reload peer: the standby starts clean; the active is not told to", () => {
    const duo = new Duo().synchronised();
    duo.step("a", { kind: "operator", command: "reloadPeer" });
    duo.talk();
    expect(duo.last("a", "reply")).toMatchObject({ command: "reloadPeer", outcome: "done" });
    expect(duo.view("b").machine).toBe("initialization");
    expect(duo.last("b", "start-clean")).toMatchObject({ isFlushed: true, reason: "a reload was asked for" });
    const refused = new Duo().synchronised();
    refused.step("b", { kind: "operator", command: "reloadPeer" });
    expect(refused.last("b", "reply")).toMatchObject({ outcome: "refused", text: "this box is not active" });
    refused.associate("down");
    refused.step("a", { kind: "operator", command: "reloadPeer" });
    expect(refused.last("a", "reply")).toMatchObject({ outcome: "refused" });
  });

  test("bulk sync: a full copy on demand, on the standby only", () => {
    const duo = new Duo().synchronised();
    duo.step("b", { kind: "operator", command: "bulkSync" });
    duo.talk();
    expect(duo.states()).toBe("active coldBulk");
    expect(duo.all("b", "bulk-await")).toHaveLength(2);
    duo.step("a", { kind: "operator", command: "bulkSync" });
    expect(duo.last("a", "reply")).toMatchObject({ outcome: "refused" });
  });

  test("maintenance mode: no copy and no progress; on leaving it the standby starts clean", () => {
    for (const side of ["a", "b"] as const) {
      const duo = new Duo().synchronised();
      duo.step(side, { kind: "operator", command: "maintenance", isOn: true });
      duo.talk();
      expect(duo.states()).toBe("active cold");
      expect([duo.view("a").maintenance, duo.view("b").maintenance]).toEqual([true, true]);
      expect(duo.view("b").outOfSyncReason).toBe("maintenance mode");
      duo.step("b", { kind: "operator", command: "bulkSync" });
      duo.pass(60_000);
      expect(duo.states()).toBe("active cold");
      duo.step(side, { kind: "operator", command: "maintenance", isOn: false });
      duo.talk();
      expect(duo.last("b", "start-clean")).toMatchObject({ reason: "maintenance mode ended" });
      expect(duo.view("a").role).toBe("active");
      duo.step("b", { kind: "ready" });
      duo.associate("down").associate("up").talk();
      expect(duo.states()).toBe("active coldBulk");
    }
  });

  test("a core that failed: no packet after it, nothing of its memory is kept, the peer takes over", () => {
    const duo = new Duo({ machine: { reloadMode: "none" } }).synchronised();
    const actions = duo.step("a", { kind: "trap" });
    expect(actions[0]).toMatchObject({ kind: "role", role: "none" });
    expect(duo.last("a", "start-clean")).toMatchObject({ mode: "soft", isFlushed: true });
    duo.talk();
    expect(duo.view("b").peer.state).toBe("initialization");
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({ takeover: "hot" });
    // It comes back when it is ready, and not before.
    duo.group("a", "active");
    expect(duo.view("a").role).toBe("none");
  });

  test("a group that is lost: nobody forwards here from then on, and the sessions go when another is active", () => {
    const duo = new Duo().boot();
    duo.group("a", "active");
    const [first] = duo.group("a", "standby");
    expect(first).toMatchObject({ kind: "role", role: "none" });
    expect(duo.view("a").machine).toBe("yield");
    duo.pass(T.yieldMs - 1);
    expect(duo.all("a", "start-clean")).toEqual([]);
    duo.pass(1);
    expect(duo.last("a", "start-clean")).toMatchObject({ reason: "another router is active" });
  });

  test("a group that is lost while there is nobody else: the sessions stay", () => {
    const duo = new Duo().boot();
    duo.group("a", "active");
    duo.group("a", "other", { isActiveHeard: false });
    duo.pass(T.yieldMs);
    expect(duo.view("a")).toMatchObject({ machine: "negotiation", holdings: "complete" });
    expect(duo.all("a", "start-clean")).toEqual([]);
    duo.group("a", "active");
    expect(duo.last("a", "role")).toMatchObject({ takeover: "resumed" });
    // But who finds another active later starts clean before it follows.
    const late = new Duo().boot();
    late.group("a", "active");
    late.group("a", "other", { isActiveHeard: false });
    late.pass(T.yieldMs);
    late.group("b", "active");
    late.associate().talk();
    expect(late.last("a", "start-clean")).toMatchObject({ isFlushed: true });
  });
});

describe("the machine itself", () => {
  test("a late tick does all that is due, once", () => {
    const duo = new Duo().synchronised();
    duo.pass(10);
    duo.nowMs += 3500;
    const actions = duo.step("b", { kind: "tick" });
    expect(actions.filter(({ kind }) => kind === "send").length).toBeLessThanOrEqual(2);
    expect(duo.machines.b.deadlineMs).toBeGreaterThan(duo.nowMs);
  });

  test("nothing is awaited where nothing is configured", () => {
    const machine = new Redundancy({ random: randomOf(1) });
    expect(machine.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    expect(machine.step({ kind: "tick" }, 5)).toEqual([]);
    expect(machine.view).toMatchObject({
      own: { number: 1, name: "DISABLED" },
      peer: { name: "DISABLED" },
      mode: "Simplex",
    });
  });

  test("a clone goes its own way, and a fingerprint says whether two behave alike", () => {
    const duo = new Duo().synchronised();
    const clone = duo.machines.b.clone();
    expect(clone.fingerprint()).toBe(duo.machines.b.fingerprint());
    clone.step({ kind: "association", status: "down" }, duo.nowMs);
    expect(clone.fingerprint()).not.toBe(duo.machines.b.fingerprint());
    expect(duo.view("b").machine).toBe("hot");
    expect(clone.view.machine).toBe("negotiation");
    expect(duo.view("b").counters.events.peerLosses).toBe(0);
    // Plain data: it can go to another thread.
    expect(structuredClone(duo.view("b"))).toEqual(duo.view("b"));
  });

  test("a fingerprint does not depend on when it is taken", () => {
    const at = (ms: number) => {
      const duo = new Duo();
      duo.nowMs = ms;
      duo.synchronised().pass(1234);
      return duo.machines.b.fingerprint();
    };
    expect(at(0)).toBe(at(1_000_000));
  });

  test("timers out of their bounds are a mistake of the caller", () => {
    const make = (timers: object) => () => new Redundancy({ random: randomOf(1), timers });
    expect(make({ keepAliveMs: 4001 })).toThrow(RangeError);
    expect(make({ keepAliveThreshold: 8 })).toThrow(RangeError);
    expect(make({ probeMs: 0 })).toThrow(RangeError);
    expect(make({ keepAliveMs: 4000, keepAliveThreshold: 7 })).not.toThrow();
  });

  test("histories are bounded, and so is the log", () => {
    const duo = new Duo({ machine: { historyMax: 1000 } }).boot();
    for (let i = 0; i < 200; i++) {
      duo.nowMs += 1;
      duo.group("a", "active");
      duo.group("a", "other", { isActiveHeard: false });
    }
    expect(duo.view("a").history).toHaveLength(HISTORY_MAX);
    expect(duo.view("a").switchoverHistory).toHaveLength(HISTORY_MAX);
    expect(duo.view("a").history.at(-1)).toEqual({
      atMs: 200,
      own: "activeDrain",
      peer: "disabled",
      changed: "own",
    });
    expect(new Duo().boot().view("a").history).toHaveLength(2);
    const noisy = new Duo().boot().associate().talk();
    for (let i = 0; i < 100; i++) noisy.step("a", { kind: "message", stream: 0, bytes: payload });
    const lines = () => noisy.all("a", "log").filter(({ text }) => text.includes("REFUSED"));
    expect(lines()).toHaveLength(1);
    noisy.pass(LOG_INTERVAL_MS - 1);
    noisy.step("a", { kind: "message", stream: 0, bytes: payload });
    expect(lines()).toHaveLength(1);
    noisy.pass(1);
    noisy.step("a", { kind: "message", stream: 0, bytes: payload });
    expect(lines()).toHaveLength(2);
    expect(noisy.refused("a")).toEqual({ short: 102 });
  });

  test("the view has what show redundancy prints", () => {
    const duo = new Duo({ key: "a-shared-key" }).synchronised();
    duo.pass(HOLD_MS);
    expect(duo.view("a")).toMatchObject({
      own: { state: "active", number: 13, name: "ACTIVE" },
      peer: { state: "standbyHot", number: 8, name: "STANDBY HOT" },
      mode: "Duplex",
      maintenance: false,
      switchoverObstacle: undefined,
      downReason: undefined,
      notificationMs: 30_000,
      keepAliveMs: 1000,
      keepAliveCount: 0,
      keepAliveThreshold: 7,
      interDevice: { state: "ACT", groupName: "INSIDE", group: "active", peer: "COMM" },
      isAuthenticated: true,
      peerName: "RouterB",
      generation: 1,
      switchovers: 1,
      lastReason: "none",
    });
    expect(duo.view("b").interDevice).toEqual({
      state: "STDBY",
      groupName: "INSIDE",
      group: "standby",
      peer: "COMM",
    });
    const sent = duo.view("a").link!.sent.control;
    expect(duo.view("b").link!.received.control).toBe(sent);
    expect(duo.view("b").link!.peerSent.control).toBeLessThanOrEqual(sent);
    duo.associate("down");
    expect(duo.view("a")).toMatchObject({
      mode: "Simplex",
      downReason: "Simplex mode",
      interDevice: { peer: "NO_COMM" },
    });
    duo.group("b", "other");
    expect(duo.view("b").interDevice.state).toBe("PNC_NO_HSRP");
  });
});

describe("a peer that is dead on every path", () => {
  test("is nobody to take over from: the standby goes straight from hot to active", () => {
    const duo = new Duo().synchronised();
    duo.step("b", { kind: "peer", status: "unheard" });
    expect(duo.view("b").machine).toBe("hot");
    duo.group("b", "active");
    expect(duo.last("b", "role")).toMatchObject({
      role: "active",
      generation: 2,
      takeover: "hot",
      reason: "activeUnitFailed",
    });
    duo.step("b", { kind: "peer", status: "lost" });
    expect(duo.view("b")).toMatchObject({ machine: "active", link: undefined });
    expect(duo.last("b", "association")).toEqual({ kind: "association", command: "restart" });
  });

  test("is nobody to wait for: the active sends it no more records", () => {
    const duo = new Duo().synchronised();
    for (const status of ["unheard", "lost"] as const) duo.step("a", { kind: "peer", status });
    expect(duo.last("a", "bulk-abort")).toBeDefined();
    expect(duo.view("a")).toMatchObject({ machine: "active", standbyFailures: 1, bulk: { isServed: false } });
  });

  test("was there only if the association was open", () => {
    const duo = new Duo().boot();
    for (const status of ["unheard", "lost"] as const)
      expect(duo.step("a", { kind: "peer", status })).toEqual([]);
  });

  test("is alive again when it is heard", () => {
    const duo = new Duo().synchronised();
    expect(duo.machines.b.isPeerHeard).toBe(true);
    duo.step("b", { kind: "peer", status: "unheard" });
    expect(duo.machines.b.isPeerHeard).toBe(false);
    duo.pass(T.keepAliveMs);
    expect(duo.machines.b.isPeerHeard).toBe(true);
    expect(duo.states()).toBe("active hot");
  });
});

describe("a box that BFD watches", () => {
  test("doubts its role after a shorter pause, and HSRP with it until the peer has answered", () => {
    const duo = new Duo().synchronised();
    expect(duo.machines.a.stallMs).toBe(STALL_MS);
    duo.step("a", { kind: "watched", pauseMaxMs: 20 });
    expect(duo.machines.a.stallMs).toBe(20);
    duo.pass(5);
    duo.nowMs += 20;
    const actions = duo.step("a", { kind: "tick" });
    expect(duo.view("a").machine).toBe("suspect");
    expect(actions).toContainEqual({ kind: "hsrp", input: { kind: "doubt", isDoubting: true } });
    duo.talk();
    expect(duo.view("a")).toMatchObject({ machine: "active", generation: 1 });
    expect(duo.last("a", "hsrp")).toEqual({ kind: "hsrp", input: { kind: "doubt", isDoubting: false } });
  });

  test("is not in doubt for less than pauses that are no news, nor when nobody watches it any more", () => {
    const duo = new Duo().synchronised();
    duo.step("a", { kind: "watched", pauseMaxMs: 1 });
    expect(duo.machines.a.stallMs).toBe(10);
    duo.step("a", { kind: "watched", pauseMaxMs: Number.POSITIVE_INFINITY });
    duo.nowMs += 500;
    duo.step("a", { kind: "tick" });
    expect(duo.view("a").machine).toBe("active");
  });

  test("HSRP is not told to be silent where its own hold time is what counts", () => {
    const duo = new Duo().synchronised();
    duo.nowMs += 2 * STALL_MS;
    duo.step("a", { kind: "tick" });
    expect(duo.view("a").machine).toBe("suspect");
    expect(duo.all("a", "hsrp").filter(({ input }) => input.kind === "doubt")).toEqual([]);
  });
});
