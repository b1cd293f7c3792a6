/**
 * The bulk sync: the whole table while traffic flows, resumed and repeated; what it did not bring goes at its END; and the
 * comparison by digests, which finds the buckets that differ and repairs them.
 */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { type Box, config, Pair, type PairOptions } from "./pair.js";
import { bringTo, C, EXCHANGES, S, Talk, udpExchange } from "./talk.js";
import { actionsOf, changed, idOf, join, split, viewOf } from "./wire.js";

/** Sessions that the active has before the link comes up. */
function populated(count: number, options: PairOptions = {}): { pair: Pair; talks: Talk[] } {
  const pair = new Pair(options);
  const talks = Array.from({ length: count }, (_, i) =>
    new Talk(pair.active, { clientPort: 2000 + i }).open(),
  );
  return { pair, talks };
}

/** A budget for a few records only. */
const SMALL = L.SV_SIZE;

const count = (actions: readonly string[], wanted: string): number =>
  actions.filter((action) => action === wanted).length;

const bucketOf = (id: bigint): bigint => 1n << (id % BigInt(L.SYNC_BUCKETS));

/** Flips bytes in the standby's cold record of a session, so that its version is another one. */
function setVersion(box: Box, slot: number, version: bigint): void {
  const at = box.core.plan.regions.cold.at + slot * L.COLD_SIZE;
  box.core.view.setBigUint64(at + L.COLD_VERSION, version, true);
}

describe("a bulk sync", () => {
  test("begins, tells every session once, and ends", () => {
    const { pair } = populated(300);
    for (const exchange of EXCHANGES) {
      exchange.ask(pair.active);
      exchange.answer(pair.active);
    }
    expect(pair.active.sync.bulk).toBe("none");
    pair.connect();
    expect(pair.active.sync.bulk).toBe("begin");
    const actions = actionsOf(...pair.drain());
    expect(actions).toEqual(["begin", ...Array(300 + EXCHANGES.length).fill("add"), "end"]);
    expect(pair.active.sync.bulk).toBe("done");
    expect(pair.standby.sync.bulkTaken).toBe("done");
    pair.expectEqual();
    expect(pair.verify()).toBe(0n);
  });

  test.each([SMALL, SMALL + 100, 1400, 2304, 9000])("in pieces of %d bytes", (budget) => {
    const { pair } = populated(100);
    pair.connect();
    const pieces = pair.drain(budget);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(budget);
    expect(actionsOf(...pieces)).toEqual(["begin", ...Array(100).fill("add"), "end"]);
    pair.expectEqual();
  });

  test("of an empty table is BEGIN and END", () => {
    const pair = new Pair();
    pair.connect();
    expect(actionsOf(...pair.drain())).toEqual(["begin", "end"]);
    expect(pair.standby.sync.bulkTaken).toBe("done");
  });

  test("leaves half-open sessions out", () => {
    const { pair } = populated(3);
    new Talk(pair.active, { clientPort: 9000 }).c("S", { seq: C - 1 });
    bringTo(new Talk(pair.active, { clientPort: 9001 }), "syn_recv");
    udpExchange(9002).ask(pair.active);
    pair.connect();
    expect(actionsOf(...pair.drain())).toEqual(["begin", "add", "add", "add", "end"]);
    expect(pair.standby.sync.bulkTaken).toBe("done");
    expect(pair.standby.digests()).toEqual(pair.active.digests());
    expect(pair.standby.size).toBe(3);
  });

  test("tells them with `redundancy defer`", () => {
    const { pair } = populated(3, { config: config({ defer: true }) });
    new Talk(pair.active, { clientPort: 9000 }).c("S", { seq: C - 1 });
    bringTo(new Talk(pair.active, { clientPort: 9001 }), "syn_recv");
    udpExchange(9002).ask(pair.active);
    pair.connect();
    pair.drain();
    expect(pair.standby.core.state(L.S_HALF_OPEN)).toBe(3);
    pair.expectEqual();
  });

  test("runs while traffic flows", () => {
    const { pair, talks } = populated(200);
    pair.connect();
    pair.carry(SMALL);
    expect(pair.standby.sync.bulkTaken).toBe("walk");
    let steps = 0;
    for (; pair.active.sync.bulk === "walk"; steps++) {
      // New ones, changes, ends: of sessions told already and of those to come.
      new Talk(pair.active, { clientPort: 10_000 + steps }).open();
      talks[(steps * 7) % 200]!.c("A", { seq: C, ack: S, payload: 3 });
      talks[(steps * 11) % 200]!.c("FA", { seq: C, ack: S });
      talks[199 - steps]!.s("R", { seq: S });
      pair.active.sync.scan(3);
      pair.wait(1);
      pair.carry(3 * SMALL);
    }
    expect(steps).toBeGreaterThan(5);
    expect(pair.standby.sync.bulkTaken).toBe("done");
    pair.drain();
    pair.update();
    pair.expectEqual();
    expect(pair.verify()).toBe(0n);
  });

  test("says nothing of a session that goes before it is told", () => {
    const { pair, talks } = populated(50);
    pair.connect();
    pair.carry(SMALL);
    const told = pair.standby.size;
    for (const talk of talks) talk.s("R", { seq: S });
    const actions = actionsOf(...pair.drain());
    expect(count(actions, "delete")).toBe(told);
    expect(count(actions, "add")).toBe(0);
    expect(pair.standby.size).toBe(0);
    pair.expectEqual();
  });

  test("gives up the place in the queue of a session that it tells", () => {
    const { pair, talks } = populated(1);
    pair.active.sync.setPeer(true);
    pair.active.sync.startBulk();
    talks[0]!.c("FA", { seq: C, ack: S });
    expect(pair.active.sync.queued).toBe(1);
    // BEGIN alone fits, then the queue comes first.
    expect(actionsOf(pair.active.sync.write(L.SR_HEADER_SIZE))).toEqual(["begin"]);
    expect(actionsOf(pair.active.sync.write())).toEqual(["add", "end"]);
    expect(pair.active.sync.queued).toBe(0);
  });

  test("writes BEGIN before any change", () => {
    const { pair, talks } = populated(2);
    pair.active.sync.setPeer(true);
    pair.active.sync.startBulk();
    talks[0]!.c("FA", { seq: C, ack: S });
    expect(pair.active.sync.write(L.SR_HEADER_SIZE - 1)).toHaveLength(0);
    expect(actionsOf(pair.active.sync.write())).toEqual(["begin", "add", "add", "end"]);
  });

  test("keeps END back until there is room for it", () => {
    const { pair } = populated(1);
    pair.connect();
    expect(actionsOf(pair.carry(L.SYNC_RECORD_MAX + L.SR_HEADER_SIZE))).toEqual(["begin", "add"]);
    expect(pair.carry(L.SV_SIZE - 1)).toHaveLength(0);
    expect(pair.active.sync.bulk).toBe("walk");
    expect(actionsOf(pair.carry(L.SV_SIZE))).toEqual(["end"]);
  });

  test("starts anew when the link comes back, whatever was told before", () => {
    const { pair, talks } = populated(60);
    pair.connect();
    for (let i = 0; i < 4; i++) pair.carry(SMALL);
    expect(pair.standby.size).toBeGreaterThan(0);
    expect(pair.standby.size).toBeLessThan(60);
    pair.disconnect();
    // Nobody hears of these ends.
    for (const talk of talks.slice(0, 30)) talk.s("R", { seq: S });
    new Talk(pair.active, { clientPort: 9000 }).open();
    expect(pair.active.sync.queued).toBe(0);
    expect(pair.active.sync.write()).toHaveLength(0);
    pair.connect();
    expect(count(actionsOf(...pair.drain(SMALL)), "add")).toBe(31);
    expect(pair.standby.sync.bulkTaken).toBe("done");
    expect(pair.standby.sync.counters().flushed).toBeGreaterThan(0);
    pair.expectEqual();
  });

  test("starts anew in the middle of another one", () => {
    const { pair } = populated(60);
    pair.connect();
    for (let i = 0; i < 4; i++) pair.carry(SMALL);
    pair.active.sync.startBulk();
    expect(count(actionsOf(...pair.drain()), "add")).toBe(60);
    pair.expectEqual();
  });

  test("repeated, tells everything again and changes nothing", () => {
    const { pair } = populated(60);
    pair.connect();
    pair.drain();
    const before = pair.standby.sessions();
    for (let i = 0; i < 3; i++) {
      pair.active.sync.startBulk();
      expect(count(actionsOf(...pair.drain()), "add")).toBe(60);
    }
    expect(pair.standby.sessions()).toEqual(before);
    expect(pair.standby.sync.counters()).toMatchObject({ gone: 0, flushed: 0, taken: { add: 240 } });
    pair.expectEqual();
  });

  test("takes from the standby what the active does not have", () => {
    const { pair } = populated(5);
    const own = new Talk(pair.standby, { clientPort: 9000 });
    pair.standby.sync.setRole("active", 0);
    own.open();
    udpExchange(9001).ask(pair.standby);
    pair.standby.sync.setRole("standby");
    expect(pair.standby.size).toBe(2);
    pair.connect();
    pair.drain();
    expect(pair.standby.sync.bulkTaken).toBe("done");
    expect(pair.standby.sync.counters().flushed).toBe(2);
    expect(pair.standby.core.state(L.S_HALF_OPEN)).toBe(0);
    pair.expectEqual();
  });

  test("is wrong when a record of it was refused", () => {
    const { pair } = populated(3);
    const { names } = pair.active.sync;
    pair.active.sync.setPeer(true);
    pair.active.sync.startBulk();
    pair.standby.sync.setPeerNames({ ...names, interfaces: [] });
    pair.drain();
    expect(pair.standby.sync.counters().refused.interface).toBe(3);
    expect(pair.standby.sync.bulkTaken).toBe("wrong");
    pair.standby.sync.setPeerNames(names);
    pair.active.sync.startBulk();
    pair.drain();
    expect(pair.standby.sync.bulkTaken).toBe("done");
  });

  test("is wrong when its count is, though the digests agree", () => {
    const { pair } = populated(3);
    pair.connect();
    const records = split(pair.active.sync.write().slice());
    const end = changed(records.at(-1)!, (view) => view.setBigUint64(L.SR_VERSION, 4n, true));
    pair.standby.sync.take(join([...records.slice(0, -1), end]));
    expect(pair.standby.sync.bulkTaken).toBe("wrong");
    expect(pair.standby.sync.verified.difference).toBe((1n << 64n) - 1n);
  });

  test("goes through the table of the largest capacity of a test", () => {
    const { pair } = populated(20_000, { capacity: { sessions: 20_000 } });
    pair.connect();
    const pieces = pair.drain();
    expect(count(actionsOf(...pieces), "add")).toBe(20_000);
    expect(pair.standby.size).toBe(20_000);
    expect(pair.standby.digests()).toEqual(pair.active.digests());
  });
});

describe("marks", () => {
  test("come round after 255 bulk syncs, and nothing seems known from the first time", () => {
    const { pair, talks } = populated(2);
    pair.connect();
    pair.drain();
    // Told in the mark that comes again; no record is written in between.
    const first = pair.active.core.state(L.S_GENERATION_MARK);
    for (let i = 0; i < L.SYNC_MARKS - 1; i++) {
      pair.active.sync.startBulk();
      expect(pair.active.slots().some(({ isKnown }) => isKnown)).toBe(false);
    }
    talks[1]!.s("R", { seq: S });
    pair.active.sync.startBulk();
    expect(pair.active.core.state(L.S_GENERATION_MARK)).toBe(first);
    expect(pair.active.slots().some(({ isKnown }) => isKnown)).toBe(false);
    expect(actionsOf(...pair.drain())).toEqual(["begin", "add", "end"]);
    expect(pair.standby.sync.counters().flushed).toBe(1);
    pair.expectEqual();
  });

  test("a deleted session that waits all the time is not known again either", () => {
    const { pair, talks } = populated(2);
    pair.connect();
    pair.drain();
    talks[1]!.s("R", { seq: S });
    expect(pair.active.sync.queued).toBe(1);
    for (let i = 0; i < L.SYNC_MARKS; i++) pair.active.sync.startBulk();
    expect(actionsOf(...pair.drain())).toEqual(["begin", "add", "end"]);
    expect(pair.standby.sync.bulkTaken).toBe("done");
    pair.expectEqual();
  });

  test("of the standby come round with those of the active or without", () => {
    const { pair } = populated(3);
    pair.connect();
    for (let i = 0; i < 2 * L.SYNC_MARKS + 3; i++) {
      pair.active.sync.startBulk();
      pair.drain();
      if (pair.standby.sync.bulkTaken !== "done") throw new Error(`bulk ${i} is wrong`);
    }
    pair.expectEqual();
  });
});

describe("comparison", () => {
  const connected = (sessions: number): { pair: Pair; talks: Talk[] } => {
    const made = populated(sessions);
    made.pair.connect();
    made.pair.drain();
    return made;
  };

  test("finds nothing in equal tables, with changes on their way", () => {
    const { pair, talks } = connected(100);
    talks[0]!.c("FA", { seq: C, ack: S });
    talks[1]!.s("R", { seq: S });
    pair.active.sync.requestVerify();
    const actions = actionsOf(...pair.drain());
    expect(actions).toEqual(["update", "delete", "verify"]);
    expect(pair.standby.sync.verified).toEqual({ count: 1, difference: 0n });
  });

  test.each([
    ["a session is missing", (box: Box, ids: string[]) => void box.firewall.clearSession(ids[17]!), [17]],
    [
      "two are missing",
      (box: Box, ids: string[]) => {
        for (const i of [3, 70]) box.firewall.clearSession(ids[i]!);
      },
      [3, 70],
    ],
    [
      "a version is another one",
      (box: Box, ids: string[]) => {
        const { slot } = box.slots().find(({ id }) => id === BigInt(`0x${ids[5]!}`))!;
        box.core.setState64(
          L.S_DIGESTS + 8 * Number(BigInt(`0x${ids[5]!}`) % BigInt(L.SYNC_BUCKETS)),
          12345n,
        );
        setVersion(box, slot, 1n);
      },
      [5],
    ],
  ])("finds exactly the buckets that differ: %s", (_, damage, places) => {
    const { pair } = connected(100);
    const ids = [...pair.active.sessions().keys()].sort();
    damage(pair.standby, ids);
    const difference = pair.verify();
    expect(difference).toBe(places.reduce((bits, i) => bits | bucketOf(BigInt(`0x${ids[i]!}`)), 0n));
  });

  test("a partial bulk sync repairs what was found, and leaves the other buckets alone", () => {
    const { pair } = connected(200);
    const ids = [...pair.active.sessions().keys()].sort();
    for (const i of [3, 80, 140]) expect(pair.standby.firewall.clearSession(ids[i]!)).toBe(true);
    const difference = pair.verify();
    const expected = ids.filter((id) => (bucketOf(BigInt(`0x${id}`)) & difference) !== 0n);
    expect(expected.length).toBeLessThan(20);
    pair.active.sync.startBulk(difference);
    const records = pair.drain().flatMap(split);
    expect(actionsOf(...records)).toEqual(["begin", ...expected.map(() => "add"), "end"]);
    expect(viewOf(records[0]!).getBigUint64(L.SR_VERSION, true)).toBe(difference);
    expect(records.slice(1, -1).map(idOf).sort()).toEqual(expected.map((id) => BigInt(`0x${id}`)).sort());
    expect(pair.standby.sync.bulkTaken).toBe("done");
    expect(pair.standby.sync.counters()).toMatchObject({ flushed: 0, gone: 0 });
    expect(pair.verify()).toBe(0n);
    pair.expectEqual();
  });

  test("a partial bulk sync takes away what the active does not have", () => {
    const { pair } = connected(100);
    const [, , , victim] = [...pair.active.sessions().keys()].sort();
    pair.disconnect();
    pair.active.firewall.clearSession(victim!);
    // As if the deletion had been lost.
    pair.connect();
    pair.active.sync.startBulk(bucketOf(BigInt(`0x${victim!}`)));
    pair.drain();
    expect(pair.standby.sessions().has(victim!)).toBe(false);
    expect(pair.standby.sync.counters().flushed).toBe(1);
    expect(pair.standby.size).toBe(99);
  });

  test("runs with changes in the buckets of the repair and in others", () => {
    const { pair, talks } = connected(200);
    const ids = [...pair.active.sessions().keys()].sort();
    for (const i of [3, 80, 140]) pair.standby.firewall.clearSession(ids[i]!);
    const difference = pair.verify();
    pair.active.sync.startBulk(difference);
    pair.carry(SMALL);
    talks.forEach((talk, i) => {
      if (i % 3 === 0) talk.c("FA", { seq: C, ack: S });
      if (i % 3 === 1) talk.s("R", { seq: S });
    });
    for (let i = 0; i < 50; i++) new Talk(pair.active, { clientPort: 9000 + i }).open();
    pair.drain(SMALL);
    expect(pair.standby.sync.bulkTaken).toBe("done");
    expect(pair.verify()).toBe(0n);
    pair.expectEqual();
  });

  test("is not asked for before BEGIN is written", () => {
    const { pair } = connected(3);
    pair.active.sync.startBulk();
    pair.active.sync.requestVerify();
    expect(actionsOf(pair.active.sync.write(L.SR_HEADER_SIZE))).toEqual(["begin"]);
    expect(actionsOf(pair.active.sync.write())).toEqual(["add", "add", "add", "end", "verify"]);
  });

  test("waits for room", () => {
    const { pair } = connected(3);
    pair.active.sync.requestVerify();
    expect(pair.active.sync.write(L.SV_SIZE - 1)).toHaveLength(0);
    expect(actionsOf(pair.active.sync.write(L.SV_SIZE))).toEqual(["verify"]);
    expect(pair.active.sync.write()).toHaveLength(0);
  });

  test("an operator who clears a session on the standby is found out", () => {
    const { pair } = connected(10);
    expect(pair.standby.firewall.clearSessions()).toBe(10);
    expect(pair.standby.core.state(L.S_KNOWN)).toBe(0);
    pair.active.sync.startBulk(pair.verify());
    pair.drain();
    pair.expectEqual();
  });
});
