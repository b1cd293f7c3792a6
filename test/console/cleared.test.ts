/** `clear` of counters: what is shown is what came since; what shows how things stand is left as it is. */
import { beforeEach, expect, test } from "vitest";
import { Cleared, countedSince } from "../../src/console/cleared.js";
import { FakeBackend, GROUPS, REDUNDANCY } from "./fake-backend.js";

let cleared: Cleared;
const backend = new FakeBackend();
beforeEach(() => {
  cleared = new Cleared();
});

test("a counter that has started anew counts from there", () => {
  expect(countedSince(7, undefined)).toBe(7);
  expect(countedSince(7, 5)).toBe(2);
  expect(countedSince(3, 5)).toBe(3);
});

test("before anything is cleared everything is shown", async () => {
  expect(cleared.counters(await backend.counters())).toEqual(await backend.counters());
  expect(cleared.sync(await backend.sync())).toEqual(await backend.sync());
  expect(cleared.rules(await backend.rules())).toEqual(await backend.rules());
  expect(cleared.standby(GROUPS)).toEqual(GROUPS);
  expect(cleared.redundancy(REDUNDANCY, 0)).toEqual(REDUNDANCY);
});

test("packets and sessions: sums are right again, and sessions that exist are still there", async () => {
  const now = await backend.counters();
  cleared.clearCounters({ ...now, verdicts: { ...now.verdicts, pass: { packets: 1150, bytes: 500_000 } } });
  const since = cleared.counters({
    ...now,
    verdicts: { ...now.verdicts, held: { packets: 2, bytes: 100 } },
    reasons: {
      ...now.reasons,
      acl_in_deny: { packets: 21, bytes: 5100 },
      held: { packets: 2, bytes: 100 },
    },
  });
  expect(since.verdicts).toEqual({
    pass: { packets: 50, bytes: 60_000 },
    drop: { packets: 0, bytes: 0 },
    local: { packets: 0, bytes: 0 },
    held: { packets: 2, bytes: 100 },
  });
  expect(since.received).toEqual({ packets: 52, bytes: 60_100 });
  // A reason of which nothing came is none.
  expect(since.reasons).toEqual({
    acl_in_deny: { packets: 1, bytes: 100 },
    held: { packets: 2, bytes: 100 },
  });
  const { current, halfOpen, maximum, created, tcp } = since.sessions;
  expect({ current, halfOpen, maximum, created, tcp }).toEqual({
    current: 4,
    halfOpen: 1,
    maximum: 9,
    created: 0,
    tcp: 0,
  });
});

test("the session sync: counters, but neither what waits nor the lag", async () => {
  const now = await backend.sync();
  cleared.clearSync(now);
  const since = cleared.sync({
    view: { ...now.view, sentRecords: now.view.sentRecords + 2, queued: 5 },
    counters: { ...now.counters, refused: { ...now.counters.refused, stale: 3 } },
    deferred: { ...now.deferred, gaveUp: now.deferred.gaveUp + 4 },
  });
  expect(since.view).toMatchObject({
    role: "active",
    isPeerPresent: true,
    sentRecords: 2,
    bulks: 0,
    queued: 5,
  });
  expect(since.view.lag).toEqual(now.view.lag);
  expect(since.counters.sent).toEqual({ add: 0, update: 0, delete: 0 });
  expect(since.counters.refused.stale).toBe(1);
  expect(since.deferred).toEqual({ waited: 0, acknowledged: 0, gaveUp: 4, discarded: 0, refused: 0 });
});

test("access lists: one, or all", async () => {
  const hits = async () =>
    cleared.rules(await backend.rules()).map(({ list, sequence, hits }) => `${list} ${sequence} ${hits}`);
  cleared.clearRules(await backend.rules(), "OUTSIDE-IN");
  expect(await hits()).toEqual(["INSIDE-IN 20 1", "INSIDE-IN 30 77", "OUTSIDE-IN 40 0"]);
  cleared.clearRules(await backend.rules(), undefined);
  expect(await hits()).toEqual(["INSIDE-IN 20 0", "INSIDE-IN 30 0", "OUTSIDE-IN 40 0"]);
});

test("an interface", () => {
  const now = { device: "eth0", received: 10, sent: 9, ringFull: 3, noBuffer: 2, sendRefused: 1 };
  cleared.clearPort("GigabitEthernet0/0", now);
  expect(cleared.port("GigabitEthernet0/0", { ...now, received: 12 })).toEqual({
    device: "eth0",
    received: 2,
    sent: 0,
    ringFull: 0,
    noBuffer: 0,
    sendRefused: 0,
  });
  expect(cleared.port("GigabitEthernet0/1", now)).toEqual(now);
});

test("HSRP: packets and state changes", async () => {
  const statistics = await backend.standbyStatistics();
  cleared.clearStandby(GROUPS, statistics);
  expect(cleared.standby(GROUPS).map(({ stateChanges }) => stateChanges)).toEqual([0, 0]);
  const [since] = cleared.standbyStatistics([{ ...statistics[0]!, received: 730 }]);
  expect(since).toMatchObject({ interface: "GigabitEthernet0/0", received: 3, sent: { hello: 0, coup: 0 } });
  expect(since!.refused.ttl).toBe(0);
});

test("redundancy: the history by its time, counters by their values", () => {
  const startMs = 500;
  cleared.note("redundancy-history", 6000 - startMs);
  const since = cleared.redundancy(REDUNDANCY, startMs);
  expect(since.history.map(({ atMs }) => atMs)).toEqual([9000]);
  expect(since.switchoverHistory).toEqual([]);
  expect(since.switchovers).toBe(REDUNDANCY.switchovers);
  const counted = { ...REDUNDANCY.counters, events: { ...REDUNDANCY.counters.events, takeovers: 3 } };
  cleared.clearRedundancyCounters({ ...REDUNDANCY, counters: counted });
  const later = { ...counted, events: { ...counted.events, takeovers: 4 } };
  expect(cleared.redundancy({ ...REDUNDANCY, counters: later }, startMs).counters.events.takeovers).toBe(1);
});
