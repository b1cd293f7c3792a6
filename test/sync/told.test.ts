/** What the peer is not told: sessions that are not synchronised, and those that have not moved. */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { Pair, PRIVATE } from "./pair.js";
import { C, S, Talk } from "./talk.js";
import { actionsOf, changed, partsOf, split } from "./wire.js";

const PRIVATE_CLIENT = "10.9.0.10";

describe("a session that is not synchronised", () => {
  const opened = (pair: Pair): Talk =>
    new Talk(pair.active, { client: PRIVATE_CLIENT, inside: PRIVATE }).open();

  test("never waits in the queue", () => {
    const pair = Pair.connected();
    const talk = opened(pair);
    expect(pair.active.sync.queued).toBe(0);
    talk.c("FA", { seq: C, ack: S });
    expect(talk.state).toBe("fin_wait");
    expect(pair.active.sync.queued).toBe(0);
    expect(pair.active.sync.write()).toHaveLength(0);
  });

  test("is not told to a peer that guesses its id and asks for it", () => {
    const pair = Pair.connected();
    new Talk(pair.active).open();
    const [add] = split(pair.carry());
    opened(pair);
    const request = (id: bigint, client: string) =>
      changed(add!.subarray(0, partsOf(add!).live), (view, bytes) => {
        view.setUint8(L.SR_ACTION, L.SYNC_REQUEST);
        view.setUint16(L.SR_LENGTH, bytes.length, true);
        view.setBigUint64(L.SR_ID, id, true);
        bytes.set(client.split(".").map(Number), L.SR_ADDRESSES);
      });
    const { id } = pair.active.slots().find(({ isKnown }) => !isKnown)!;
    // It is found: the request is no unknown one.
    expect(pair.active.sync.take(request(id, PRIVATE_CLIENT))).toBe(1);
    expect(pair.active.sync.queued).toBe(0);
    expect(actionsOf(...pair.drain())).toEqual([]);
  });
});

test("a half-open session is told before a handover, and not before that", () => {
  const pair = Pair.connected();
  new Talk(pair.active).c("S", { seq: C - 1 });
  new Talk(pair.active, { client: PRIVATE_CLIENT, inside: PRIVATE }).c("S", { seq: C - 1 });
  expect(actionsOf(...pair.drain())).toEqual([]);
  pair.active.sync.tellHalfOpen();
  expect(actionsOf(...pair.drain())).toEqual(["add"]);
  expect(pair.standby.slots()).toHaveLength(1);
  pair.active.sync.tellHalfOpen();
  expect(actionsOf(...pair.drain())).toEqual([]);
});

test("a session that has not moved is not told again, whatever becomes of its neighbours in the table", () => {
  const pair = Pair.connected();
  const talks = Array.from({ length: 200 }, (_, i) => new Talk(pair.active, { clientPort: 2000 + i }).open());
  pair.drain();
  const told = pair.active.slots();
  for (const talk of talks.filter((_talk, i) => i % 2 === 0)) talk.s("R", { seq: S });
  expect(new Set(actionsOf(...pair.drain()))).toEqual(new Set(["delete"]));
  pair.active.sync.scan(pair.active.sync.groups);
  expect(actionsOf(...pair.drain())).toEqual([]);
  // There were neighbours, and some of them have gone.
  const left = new Set(pair.active.slots().map(({ slot }) => slot));
  const gone = told.map(({ slot }) => slot).filter((slot) => !left.has(slot));
  expect(gone.some((slot) => left.has(slot - 1))).toBe(true);
});
