/**
 * The queue of changes: what comes of a change while another one waits, and the slots of deleted sessions that wait for
 * their DELETE.
 */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { Random } from "../model/random.js";
import { audit, queueOf } from "./audit.js";
import { type Box, config, Pair } from "./pair.js";
import { C, S, Talk, udpExchange } from "./talk.js";
import { actionsOf, changed, idOf, partsOf, split } from "./wire.js";

const GONE_MAX = L.SESSIONS_MIN / L.GONE_SHARE;

/** Ids of the sessions whose change waits, oldest first. */
const waiting = (box: Box): bigint[] => {
  audit(box);
  const slots = new Map(box.slots().map((each) => [each.slot, each.id]));
  return queueOf(box).map((slot) => slots.get(slot)!);
};

/** The request of a standby for the session that an ADD is about. */
function requestFor(add: Uint8Array): Uint8Array {
  const size = partsOf(add).live!;
  return changed(add.subarray(0, size), (view) => {
    view.setUint8(L.SR_ACTION, L.SYNC_REQUEST);
    view.setUint16(L.SR_LENGTH, size, true);
  });
}

/** A session that the peer knows (or not), and what can happen to it. */
function scene(isKnown: boolean): {
  pair: Pair;
  add: Uint8Array;
  events: Record<"request" | "change" | "end", () => void>;
} {
  const pair = Pair.connected();
  const talk = new Talk(pair.active).open();
  const [add] = split(pair.active.sync.write().slice());
  if (isKnown) pair.standby.sync.take(add!);
  else pair.active.sync.startBulk();
  // A FIN changes the state, and then each further one of the other side.
  const changes = [
    () => talk.c("FA", { seq: C, ack: S }),
    () => talk.s("A", { seq: S, ack: C + 1 }),
    () => talk.s("FA", { seq: S, ack: C + 1 }),
    () => talk.c("A", { seq: C + 1, ack: S + 1 }),
  ];
  return {
    pair,
    add: add!,
    events: {
      request: () => expect(pair.active.sync.take(requestFor(add!))).toBe(1),
      change: () => expect(changes.shift()!().reason).toBe("established"),
      end: () => expect(pair.active.firewall.clearSessions()).toBe(1),
    },
  };
}

/** The records that a scene comes to, without those of a bulk sync. */
const told = (pair: Pair): string[] => {
  const stream = pair.active.sync.write().slice();
  return actionsOf(stream).filter((action) => action !== "begin" && action !== "end");
};

describe("coalescing", () => {
  type Event = "request" | "change" | "end";
  const CELLS: [known: boolean, events: Event[], records: string[]][] = [
    // Nothing waits.
    [true, ["request"], ["add"]],
    [true, ["change"], ["update"]],
    [true, ["end"], ["delete"]],
    [false, ["change"], ["add"]],
    [false, ["end"], []],
    // An ADD waits.
    [true, ["request", "request"], ["add"]],
    [true, ["request", "change"], ["add"]],
    [true, ["request", "end"], ["delete"]],
    [false, ["change", "change"], ["add"]],
    [false, ["change", "request"], ["add"]],
    [false, ["change", "end"], []],
    // An UPDATE waits.
    [true, ["change", "request"], ["add"]],
    [true, ["change", "change"], ["update"]],
    [true, ["change", "end"], ["delete"]],
  ];

  test.each(CELLS)("known %s, %j: %j", (isKnown, events, records) => {
    const { pair, events: happen } = scene(isKnown);
    for (const event of events) happen[event]();
    expect(waiting(pair.active)).toHaveLength(isKnown || !events.includes("end") ? 1 : 0);
    expect(told(pair)).toEqual(records);
    expect(waiting(pair.active)).toEqual([]);
    expect(told(pair)).toEqual([]);
  });

  test("a bulk sync makes an UPDATE that waits an ADD, and a DELETE nothing", () => {
    const first = scene(true);
    first.events.change();
    first.pair.active.sync.startBulk();
    expect(told(first.pair)).toEqual(["add"]);
    const second = scene(true);
    second.events.end();
    second.pair.active.sync.startBulk();
    expect(told(second.pair)).toEqual([]);
    expect(second.pair.active.slots()).toEqual([]);
  });

  test("a hundred changes cost one record", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    for (let i = 0; i < 100; i++) {
      talk.c("A", { seq: C + i, ack: S, payload: 1 });
      pair.active.sync.scan(pair.active.sync.groups);
      pair.wait(1);
    }
    expect(pair.active.sync.queued).toBe(1);
    expect(actionsOf(...pair.drain())).toEqual(["add"]);
    for (let i = 100; i < 200; i++) {
      talk.c("A", { seq: C + i, ack: S, payload: 1 });
      pair.active.sync.scan(pair.active.sync.groups);
      pair.wait(1);
    }
    expect(actionsOf(...pair.drain())).toEqual(["update"]);
    pair.expectEqual();
  });

  test("a session that comes and goes before anything is written costs none", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    talk.s("R", { seq: S });
    expect(pair.active.slots()).toEqual([]);
    expect(pair.drain()).toEqual([]);
    const { sent } = pair.active.sync.counters();
    expect(sent).toEqual({ add: 0, update: 0, delete: 0 });
  });

  test("a session that goes after a request still gets its DELETE: the ADD may have crossed it", () => {
    const { pair, add, events } = scene(true);
    // Asked for twice; the first answer is on its way when the second request comes.
    events.request();
    const answer = pair.active.sync.write().slice();
    expect(pair.active.sync.take(requestFor(add))).toBe(1);
    events.end();
    const rest = pair.active.sync.write().slice();
    expect(pair.standby.sync.take(answer)).toBe(1);
    expect(pair.standby.size).toBe(1);
    expect(pair.standby.sync.take(rest)).toBe(1);
    expect(pair.standby.size).toBe(0);
    pair.expectEqual();
  });

  test("an old session of the same ends goes before the new one comes", () => {
    const pair = Pair.connected();
    const exchange = udpExchange(4000);
    exchange.ask(pair.active);
    exchange.answer(pair.active);
    pair.drain();
    const old = pair.active.session().id;
    // Over the time limit of the old one; its slot is kept for the DELETE, so the new one gets another.
    pair.active.nowMs += 40_000;
    expect(exchange.ask(pair.active).reason).toBe("new_session");
    exchange.answer(pair.active);
    expect(pair.active.session().id).not.toBe(old);
    expect(
      pair.active
        .slots()
        .map(({ isGone }) => isGone)
        .sort(),
    ).toEqual([false, true]);
    expect(actionsOf(...pair.drain())).toEqual(["delete", "add"]);
    expect(pair.standby.sync.counters()).toMatchObject({ gone: 1, refused: { stale: 0, unknown: 0 } });
    expect(pair.standby.session().id).toBe(pair.active.session().id);
  });
});

describe("the queue", () => {
  test("keeps its order, and lets any place go", () => {
    const pair = Pair.connected();
    const talks = Array.from({ length: 6 }, (_, i) =>
      new Talk(pair.active, { clientPort: 50_000 + i }).open(),
    );
    const ids = [...pair.active.sessions().keys()].sort();
    const inOrder = (...left: number[]) => left.map((i) => BigInt(`0x${ids[i]!}`));
    expect(waiting(pair.active)).toEqual(inOrder(0, 1, 2, 3, 4, 5));
    talks[2]!.s("R", { seq: S });
    expect(waiting(pair.active)).toEqual(inOrder(0, 1, 3, 4, 5));
    talks[0]!.s("R", { seq: S });
    expect(waiting(pair.active)).toEqual(inOrder(1, 3, 4, 5));
    talks[5]!.s("R", { seq: S });
    expect(waiting(pair.active)).toEqual(inOrder(1, 3, 4));
    const stream = pair.carry();
    expect(split(stream).map(idOf)).toEqual(inOrder(1, 3, 4));
    expect(waiting(pair.active)).toEqual([]);
  });

  test("is written in pieces of any size, each record once", () => {
    const pair = Pair.connected();
    for (let i = 0; i < 40; i++) new Talk(pair.active, { clientPort: 50_000 + i }).open();
    const pieces = pair.drain(L.SYNC_RECORD_MAX);
    expect(pieces).toHaveLength(40);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(L.SYNC_RECORD_MAX);
    expect(actionsOf(...pieces)).toEqual(Array(40).fill("add"));
    pair.expectEqual();
    new Talk(pair.active).open();
    expect(pair.active.sync.write(L.SYNC_RECORD_MAX - 1)).toHaveLength(0);
    expect(pair.active.sync.queued).toBe(1);
  });

  test("never takes more than its region", () => {
    const pair = Pair.connected();
    for (let i = 0; i < 700; i++) new Talk(pair.active, { clientPort: 50_000 + i }).open();
    const first = pair.active.sync.write(2 ** 31).slice();
    expect(first.length).toBeLessThanOrEqual(L.SYNC_OUT_SIZE);
    expect(first.length).toBeGreaterThan(L.SYNC_OUT_SIZE - L.SYNC_RECORD_MAX);
    pair.deliver(first);
    pair.drain();
    pair.expectEqual();
  });

  test("is never longer than the table, whatever happens", () => {
    const pair = Pair.connected({ config: config({ defer: true }) });
    const r = new Random(5);
    const talks = Array.from({ length: 1500 }, (_, i) => new Talk(pair.active, { clientPort: 2000 + i }));
    let beyond = Number.NEGATIVE_INFINITY;
    let mostGone = 0;
    for (let i = 0; i < 20_000; i++) {
      const talk = r.pick(talks);
      r.weighted([
        [5, () => talk.c("S", { seq: C - 1 })],
        [4, () => talk.s("SA", { seq: S - 1, ack: C })],
        [4, () => talk.c("A", { seq: C, ack: S })],
        [2, () => talk.c("FA", { seq: C, ack: S })],
        [2, () => talk.s("R", { seq: S })],
        [0.5, () => pair.active.sync.scan(10)],
        [0.2, () => pair.wait(r.int(100))],
        [0.05, () => pair.carry(L.SV_SIZE + r.int(2000))],
        [0.02, () => pair.active.sync.startBulk(BigInt.asUintN(64, BigInt(r.u32()) * 0x100000001n))],
      ])();
      const { core } = pair.active;
      const gone = core.state(L.S_GONE);
      beyond = Math.max(beyond, core.state(L.S_QUEUED) - core.state(L.S_SESSIONS) - gone);
      mostGone = Math.max(mostGone, gone);
      if (i % 500 === 0) audit(pair.active);
    }
    expect(beyond).toBeLessThanOrEqual(0);
    expect(mostGone).toBe(GONE_MAX);
    expect(pair.active.firewall.counters().sessions.evicted).toBeGreaterThan(0);
    pair.drain();
    pair.connect();
    pair.drain();
    // What the standby had too much may have kept the last ones out.
    pair.active.sync.startBulk(pair.verify());
    pair.drain();
    audit(pair.standby);
    pair.expectEqual();
    expect(pair.active.slots().some(({ isGone }) => isGone)).toBe(false);
  });

  test("is forgotten with the peer", () => {
    const { pair, events } = scene(true);
    events.end();
    new Talk(pair.active, { clientPort: 41_000 }).open();
    expect(waiting(pair.active)).toHaveLength(2);
    pair.disconnect();
    expect(waiting(pair.active)).toEqual([]);
    expect(pair.active.slots()).toMatchObject([{ isGone: false, pending: L.PENDING_NONE }]);
    expect(pair.active.digests().every((digest) => digest === 0n)).toBe(true);
    expect(pair.active.sync.write()).toHaveLength(0);
  });

  test("takes no request when there is no peer", () => {
    const { pair, add } = scene(true);
    pair.disconnect();
    pair.active.sync.take(requestFor(add));
    expect(waiting(pair.active)).toEqual([]);
    // Else the slot of the session that goes now would stand in the queue for ever.
    pair.active.firewall.clearSessions();
    new Talk(pair.active, { clientPort: 41_000 }).open();
    pair.connect();
    pair.drain();
    pair.expectEqual();
  });
});

describe("deleted sessions", () => {
  const opened = (count: number): { pair: Pair; talks: Talk[] } => {
    const pair = Pair.connected();
    const talks = Array.from({ length: count }, (_, i) =>
      new Talk(pair.active, { clientPort: 2000 + i }).open(),
    );
    pair.drain();
    expect(pair.standby.size).toBe(count);
    return { pair, talks };
  };

  test("keep their slot until their DELETE is written, and cannot be found", () => {
    const { pair, talks } = opened(1);
    const [before] = pair.active.slots();
    talks[0]!.s("R", { seq: S });
    expect(pair.active.slots()).toMatchObject([
      { slot: before!.slot, isGone: true, pending: L.PENDING_DELETE },
    ]);
    expect(pair.active.sessions().size).toBe(0);
    expect(pair.active.size).toBe(0);
    expect(talks[0]!.c("A", { seq: C, ack: S }).reason).toBe("tcp_no_session");
    expect(pair.active.firewall.clearSessions()).toBe(0);
    expect(actionsOf(...pair.drain())).toEqual(["delete"]);
    expect(pair.active.slots()).toEqual([]);
    expect(pair.standby.size).toBe(0);
  });

  test("are gone for the packets of the same call too", () => {
    const { pair, talks } = opened(1);
    const answers = pair.active.together(() => {
      talks[0]!.s("R", { seq: S });
      talks[0]!.c("A", { seq: C, ack: S });
      talks[0]!.c("S", { seq: C + 5000 });
      talks[0]!.s("SA", { seq: S + 5000, ack: C + 5001 });
    });
    expect(answers.map(({ reason }) => reason)).toEqual([
      "established",
      "tcp_no_session",
      "new_session",
      "established",
    ]);
    expect(actionsOf(...pair.drain())).toEqual(["delete"]);
    expect(pair.standby.size).toBe(0);
  });

  test("give their slot to another session afterwards", () => {
    const { pair, talks } = opened(1);
    const { slot } = pair.active.slots()[0]!;
    talks[0]!.s("R", { seq: S });
    talks[0]!.open();
    expect(pair.active.slots().find(({ isGone }) => !isGone)!.slot).not.toBe(slot);
    pair.drain();
    talks[0]!.s("R", { seq: S });
    pair.drain();
    talks[0]!.open();
    expect(pair.active.slots()).toMatchObject([{ slot, isGone: false }]);
    pair.drain();
    pair.expectEqual();
  });

  test("are bounded; beyond that the tables differ, which is said and repaired", () => {
    const { pair, talks } = opened(GONE_MAX + 20);
    for (const talk of talks) talk.s("R", { seq: S });
    const { core } = pair.active;
    expect(core.state(L.S_GONE)).toBe(GONE_MAX);
    expect(pair.active.sync.hasDiverged).toBe(true);
    expect(pair.active.sync.counters().deletesLost).toBe(20);
    expect(actionsOf(...pair.drain())).toEqual(Array(GONE_MAX).fill("delete"));
    expect(pair.standby.size).toBe(20);
    const difference = pair.verify();
    expect(difference).not.toBe(0n);
    pair.active.sync.startBulk(difference);
    expect(pair.active.sync.hasDiverged).toBe(false);
    pair.drain();
    expect(pair.standby.sync.bulkTaken).toBe("done");
    expect(pair.standby.size).toBe(0);
    expect(pair.verify()).toBe(0n);
    pair.expectEqual();
  });

  test("leave room for a full table", () => {
    const { pair, talks } = opened(L.SESSIONS_MIN);
    for (const talk of talks.slice(0, GONE_MAX)) talk.s("R", { seq: S });
    for (let i = 0; i < GONE_MAX; i++) {
      expect(new Talk(pair.active, { clientPort: 20_000 + i }).c("S", { seq: C - 1 }).reason).toBe(
        "new_session",
      );
    }
    expect(pair.active.size).toBe(L.SESSIONS_MIN);
    expect(pair.active.slots()).toHaveLength(L.SESSIONS_MIN + GONE_MAX);
    for (const talk of talks.slice(GONE_MAX))
      expect(talk.c("A", { seq: C, ack: S }).reason).toBe("established");
    pair.drain();
    expect(pair.active.slots()).toHaveLength(L.SESSIONS_MIN);
  });

  test("make way for a packet that replaces the session it meets", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    pair.drain();
    talk.c("FA", { seq: C, ack: S });
    talk.s("FA", { seq: S, ack: C + 1 });
    talk.c("A", { seq: C + 1, ack: S + 1 });
    expect(talk.c("S", { seq: 77_000 }).reason).toBe("new_session");
    expect(actionsOf(...pair.drain())).toEqual(["delete"]);
    expect(pair.standby.size).toBe(0);
    talk.s("SA", { seq: 88_000, ack: 77_001 });
    talk.c("A", { seq: 77_001, ack: 88_001 });
    expect(actionsOf(...pair.drain())).toEqual(["add"]);
    pair.expectEqual();
  });

  test("cannot be named by the peer", () => {
    const { pair, talks } = opened(1);
    pair.active.sync.startBulk();
    const records = split(pair.active.sync.write().slice());
    const request = requestFor(records[1]!);
    talks[0]!.s("R", { seq: S });
    expect(pair.active.sync.take(request)).toBe(0);
    expect(pair.active.sync.counters().refused.unknown).toBe(1);
  });
});
