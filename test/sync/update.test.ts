/**
 * Counters and windows, which move with every packet: the search for what has moved, the 2^28 bytes that do not wait for
 * it, and the requests of a standby that does not know what an UPDATE is about.
 */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { audit } from "./audit.js";
import { type Box, Pair } from "./pair.js";
import { C, CLIENT6, EXCHANGES, PORTS_BY_SIDE, S, SERVER6, Talk, udpExchange } from "./talk.js";
import { actionsOf, idOf, split, versionOf } from "./wire.js";

/** Sessions that the standby knows. */
function connected(sessions: number): { pair: Pair; talks: Talk[] } {
  const pair = Pair.connected();
  const talks = Array.from({ length: sessions }, (_, i) =>
    new Talk(pair.active, { clientPort: PORTS_BY_SIDE[0] + i }).open(),
  );
  pair.drain();
  return { pair, talks };
}

const idsOf = (pair: Pair): bigint[] =>
  [...pair.active.sessions().values()]
    .sort((a, b) => a.initiator.port - b.initiator.port)
    .map(({ id }) => BigInt(`0x${id}`));

/** Ids of the sessions that a search of the whole table puts in the queue. */
function found(pair: Pair): bigint[] {
  pair.active.sync.scan(pair.active.sync.groups);
  return pair
    .drain()
    .flatMap(split)
    .map(idOf)
    .sort((a, b) => (a < b ? -1 : 1));
}

describe("the search", () => {
  test("finds the sessions whose counters have moved, and only those", () => {
    const { pair, talks } = connected(100);
    expect(found(pair)).toEqual([]);
    const ids = idsOf(pair);
    for (const i of [3, 50, 99]) talks[i]!.c("A", { seq: C, ack: S, payload: 7 });
    expect(found(pair)).toEqual([3, 50, 99].map((i) => ids[i]));
    expect(found(pair)).toEqual([]);
    pair.expectEqual();
  });

  test.each([
    ["payload of the initiator", (talk: Talk) => talk.c("A", { seq: C, ack: S, payload: 1 })],
    ["payload of the responder", (talk: Talk) => talk.s("A", { seq: S, ack: C, payload: 1 })],
    ["a larger window", (talk: Talk) => talk.c("A", { seq: C, ack: S, window: 60_000 })],
    [
      "an acknowledgement",
      (talk: Talk) => {
        talk.c("A", { seq: C, ack: S, payload: 1 });
        talk.box.sync.scan(talk.box.sync.groups);
        talk.box.sync.write();
        return talk.s("A", { seq: S, ack: C + 1 });
      },
    ],
  ])("sees %s in the same millisecond", (_, move) => {
    const { pair, talks } = connected(1);
    expect(move(talks[0]!).reason).toBe("established");
    expect(found(pair)).toHaveLength(1);
    pair.expectEqual();
  });

  test("sees a packet that moves nothing but the clock", () => {
    const { pair, talks } = connected(1);
    talks[0]!.c("A", { seq: C, ack: S });
    expect(found(pair)).toEqual([]);
    pair.wait(1);
    talks[0]!.c("A", { seq: C, ack: S });
    expect(found(pair)).toHaveLength(1);
    pair.expectEqual();
  });

  test("sees datagrams", () => {
    const pair = Pair.connected();
    for (const exchange of EXCHANGES) {
      exchange.ask(pair.active);
      exchange.answer(pair.active);
    }
    pair.drain();
    expect(found(pair)).toEqual([]);
    for (const exchange of EXCHANGES) exchange.answer(pair.active);
    expect(found(pair)).toHaveLength(EXCHANGES.length);
    pair.expectEqual();
  });

  test("leaves alone what the peer has not heard of, and what waits already", () => {
    const { pair, talks } = connected(2);
    udpExchange(7000).ask(pair.active);
    talks[0]!.c("FA", { seq: C, ack: S });
    expect(pair.active.sync.queued).toBe(1);
    talks[0]!.c("A", { seq: C + 1, ack: S });
    pair.active.sync.scan(pair.active.sync.groups);
    expect(pair.active.sync.queued).toBe(1);
    pair.active.sync.startBulk();
    talks[1]!.c("A", { seq: C, ack: S, payload: 9 });
    pair.active.sync.scan(pair.active.sync.groups);
    expect(pair.active.sync.queued).toBe(1);
    audit(pair.active);
  });

  test("goes on where it stopped, group by group, and comes round", () => {
    const { pair, talks } = connected(300);
    for (const talk of talks) talk.c("A", { seq: C, ack: S, payload: 2 });
    const { groups } = pair.active.sync;
    let steps = 0;
    for (; pair.active.sync.queued < 300; steps++) pair.active.sync.scan(1);
    expect(steps).toBeLessThanOrEqual(groups);
    expect(steps).toBeGreaterThan(groups / 2);
    expect(actionsOf(...pair.drain())).toEqual(Array(300).fill("update"));
    for (const talk of talks) talk.c("A", { seq: C + 2, ack: S, payload: 2 });
    pair.active.sync.scan(groups - 1);
    pair.active.sync.scan(1);
    expect(pair.active.sync.queued).toBe(300);
  });

  test("looks at no group twice in a call", () => {
    const { pair, talks } = connected(1);
    talks[0]!.c("A", { seq: C, ack: S, payload: 2 });
    pair.active.sync.scan(2 ** 32 - 1);
    expect(pair.active.core.state(L.S_SCAN_GROUP)).toBe(0);
    expect(pair.active.sync.queued).toBe(1);
  });

  test("does nothing without a peer", () => {
    const { pair, talks } = connected(1);
    pair.disconnect();
    talks[0]!.c("A", { seq: C, ack: S, payload: 2 });
    pair.active.sync.scan(5);
    expect(pair.active.sync.queued).toBe(0);
    expect(pair.active.core.state(L.S_SCAN_GROUP)).toBe(0);
  });
});

describe("2^28 bytes", () => {
  const FAR = 2 ** 28;

  /** Puts a byte counter of the one session somewhere. */
  function setBytes(box: Box, side: 0 | 1, bytes: number): void {
    box.core.view.setUint32(box.hotAt(box.session().id) + L.HOT_BYTES0 + 4 * side, bytes, true);
  }

  test.each([0, 1] as const)("of side %d are told without a search", (side) => {
    const { pair, talks } = connected(1);
    setBytes(pair.active, side, FAR - 1001);
    const send = () =>
      side === 0
        ? talks[0]!.c("A", { seq: C, ack: S, payload: 1000 })
        : talks[0]!.s("A", { seq: S, ack: C, payload: 1000 });
    const bySide = pair.active.core.bytes[pair.active.hotAt(pair.active.session().id) + L.HOT_FLAGS]! & 1;
    expect(bySide, "the client is side 0").toBe(0);
    send();
    expect(pair.active.sync.queued).toBe(0);
    send();
    expect(pair.active.sync.queued).toBe(1);
    expect(actionsOf(...pair.drain())).toEqual(["update"]);
    pair.expectEqual();
    send();
    expect(pair.active.sync.queued).toBe(0);
  });

  test("again and again, and at the carry", () => {
    const { pair, talks } = connected(1);
    for (let part = 1; part <= 16; part++) {
      setBytes(pair.active, 0, part * FAR - 10);
      talks[0]!.c("A", { seq: C, ack: S, payload: 20 });
      expect(actionsOf(...pair.drain()), `part ${part}`).toEqual(["update"]);
    }
    expect(pair.active.session().initiator.bytes).toBe(2 ** 32 + 10);
    pair.expectEqual();
  });

  test("of a session that the peer has not heard of wait for its ADD", () => {
    const pair = Pair.connected();
    const exchange = udpExchange(7000);
    exchange.ask(pair.active);
    setBytes(pair.active, 0, FAR - 5);
    setBytes(pair.active, 1, FAR - 5);
    exchange.ask(pair.active);
    expect(pair.active.sync.queued).toBe(0);
    exchange.answer(pair.active);
    expect(actionsOf(...pair.drain())).toEqual(["add"]);
    pair.expectEqual();
  });
});

describe("a request", () => {
  test("comes of an UPDATE for an unknown session, and its answer is an ADD", () => {
    const { pair, talks } = connected(3);
    const [, id] = idsOf(pair);
    const before = pair.active.slots().find((each) => each.id === id)!.version;
    pair.standby.firewall.clearSession(id!.toString(16));
    talks[1]!.c("A", { seq: C, ack: S, payload: 40 });
    pair.active.sync.scan(pair.active.sync.groups);
    const update = pair.active.sync.write().slice();
    expect(actionsOf(update)).toEqual(["update"]);
    expect(pair.standby.sync.take(update)).toBe(0);
    expect(pair.standby.sync.counters().refused.unknown).toBe(1);
    const request = pair.standby.sync.replies().slice();
    expect(actionsOf(request)).toEqual(["request"]);
    expect(pair.active.sync.take(request)).toBe(1);
    const answer = pair.active.sync.write().slice();
    expect(actionsOf(answer)).toEqual(["add"]);
    expect(versionOf(split(answer)[0]!)).toBe(before + 2n);
    pair.deliver(answer);
    pair.expectEqual();
    expect(pair.verify()).toBe(0n);
  });

  test.each(["IPv4", "IPv6"])("names the session as its UPDATE did: %s", (family) => {
    const pair = Pair.connected();
    const exchange = family === "IPv4" ? udpExchange(7000) : udpExchange(7000, CLIENT6, SERVER6);
    exchange.ask(pair.active);
    exchange.answer(pair.active);
    pair.drain();
    pair.standby.firewall.clearSessions();
    pair.wait(5);
    exchange.answer(pair.active);
    pair.active.sync.scan(pair.active.sync.groups);
    const [update] = split(pair.active.sync.write().slice());
    pair.standby.sync.take(update!);
    const [request] = split(pair.standby.sync.replies().slice());
    const ends = L.SR_ADDRESSES + (family === "IPv4" ? 8 : 32);
    expect(request).toHaveLength(ends);
    expect([...request!.subarray(L.SR_KIND, L.SR_LENGTH)]).toEqual([
      ...update!.subarray(L.SR_KIND, L.SR_LENGTH),
    ]);
    expect([...request!.subarray(L.SR_INTERFACE_INITIATOR)]).toEqual([
      ...update!.subarray(L.SR_INTERFACE_INITIATOR, ends),
    ]);
  });

  test("of a session that has gone meanwhile is refused", () => {
    const { pair, talks } = connected(1);
    pair.standby.firewall.clearSessions();
    talks[0]!.c("A", { seq: C, ack: S, payload: 40 });
    pair.active.sync.scan(pair.active.sync.groups);
    pair.standby.sync.take(pair.active.sync.write().slice());
    const request = pair.standby.sync.replies().slice();
    talks[0]!.s("R", { seq: S });
    expect(pair.active.sync.take(request)).toBe(0);
    expect(pair.active.sync.counters().refused.unknown).toBe(1);
    expect(actionsOf(...pair.drain())).toEqual(["delete"]);
  });

  test("does not come of a DELETE", () => {
    const { pair, talks } = connected(1);
    pair.standby.firewall.clearSessions();
    talks[0]!.s("R", { seq: S });
    pair.standby.sync.take(pair.active.sync.write().slice());
    expect(pair.standby.sync.replies()).toHaveLength(0);
    expect(pair.standby.sync.counters().refused.unknown).toBe(1);
  });

  test("that finds no room is counted; the next search asks again", () => {
    const sessions = 400;
    const { pair, talks } = connected(sessions);
    pair.standby.firewall.clearSessions();
    const room = Math.floor(L.SYNC_REPLY_SIZE / (L.SR_ADDRESSES + 8));
    const round = () => {
      pair.wait(1);
      for (const talk of talks) talk.c("A", { seq: C, ack: S });
      pair.active.sync.scan(pair.active.sync.groups);
      const stream = pair.active.sync.write().slice();
      pair.standby.sync.take(stream);
      const requests = pair.standby.sync.replies().slice();
      expect(requests.length).toBeLessThanOrEqual(L.SYNC_REPLY_SIZE);
      pair.active.sync.take(requests);
      pair.standby.sync.take(pair.active.sync.write().slice());
      return split(requests).length;
    };
    expect(round()).toBe(room);
    expect(pair.standby.sync.counters().requestsLost).toBe(sessions - room);
    expect(pair.standby.size).toBe(room);
    expect(round()).toBe(sessions - room);
    expect(pair.standby.size).toBe(sessions);
    expect(pair.standby.sync.counters().requestsLost).toBe(sessions - room);
    pair.expectEqual();
  });

  test("leaves no reply behind for the next call", () => {
    const { pair, talks } = connected(1);
    pair.standby.firewall.clearSessions();
    talks[0]!.c("A", { seq: C, ack: S, payload: 4 });
    pair.active.sync.scan(pair.active.sync.groups);
    pair.standby.sync.take(pair.active.sync.write().slice());
    expect(pair.standby.sync.replies().length).toBeGreaterThan(0);
    pair.standby.sync.take(new Uint8Array(0));
    expect(pair.standby.sync.replies()).toHaveLength(0);
  });
});

describe("counts", () => {
  test("of records, by kind, on both sides", () => {
    const { pair, talks } = connected(5);
    talks[0]!.c("FA", { seq: C, ack: S });
    talks[1]!.s("R", { seq: S });
    pair.drain();
    talks[0]!.s("A", { seq: S, ack: C + 1 });
    pair.update();
    expect(pair.active.sync.counters().sent).toEqual({ add: 5, update: 2, delete: 1 });
    expect(pair.standby.sync.counters().taken).toEqual({ add: 5, update: 2, delete: 1 });
  });

  test("of the link: sent, looked at, acknowledged", () => {
    const { pair } = connected(5);
    expect(pair.active.sync.sent).toBe(7n);
    expect(pair.standby.sync.taken).toBe(7n);
    expect(pair.active.sync.acknowledged).toBe(7n);
    expect(pair.active.sync.acknowledge(8n)).toBe(false);
    expect(pair.active.sync.acknowledge(6n)).toBe(false);
    pair.verify();
    expect(pair.active.sync.sent).toBe(8n);
    pair.connect();
    expect(pair.active.sync.sent).toBe(0n);
    expect(pair.standby.sync.taken).toBe(0n);
    expect(pair.standby.sync.bulkTaken).toBe("none");
  });
});
