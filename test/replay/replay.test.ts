import { describe, expect, test } from "vitest";
import { bySource, NOT_SENT } from "../../src/replay/ingress.js";
import type { Replay } from "../../src/replay/replay.js";
import { totalOf } from "../../src/report/report.js";
import { gatherReport } from "../../src/replay/gather.js";
import { reasonOf } from "../../src/reasons.js";
import type { VerdictRow } from "../../src/report/verdict.js";
import { ethernet, fragmentsOf4, ip, udp } from "../support/frames.js";
import {
  BEGIN,
  captureOf,
  connection,
  type Entry,
  firewall,
  INSIDE,
  OUTSIDE,
  replayed,
  udpFrame,
} from "./captures.js";

const nameOf = ({ reason }: VerdictRow) => reasonOf(reason).name;
const counts = (replay: Replay) =>
  Object.fromEntries(replay.reasons().map(({ name, packets }) => [name, packets]));

/** A datagram to the outside in `count` fragments. */
function fragments(id: number, count: number, port = 6000): Uint8Array[] {
  const packet = ip(
    { source: INSIDE, destination: OUTSIDE },
    udp({ sourcePort: port, destinationPort: 5000, payload: new Uint8Array(count * 64 - 8).fill(id) }),
  );
  const cuts = Array.from({ length: count - 1 }, (_, i) => 64 * (i + 1));
  return fragmentsOf4(packet, id, cuts).map((fragment) => ethernet(fragment));
}

describe("verdicts", () => {
  test("a connection passes, and what is not asked for does not", async () => {
    const stray: Entry = { data: udpFrame(false, 7), ms: 200 };
    const { rows, dataplane } = await replayed(captureOf([...connection(), stray]));
    expect(rows.map(nameOf)).toEqual(["new_session", ...Array(9).fill("established"), "acl_in_deny"]);
    expect(rows[1]).toMatchObject({ n: 2, seconds: BEGIN, nanos: 10_000_000, ingress: 2, egress: 1 });
    expect(rows[0]!.session).toBeGreaterThan(0n);
    expect(new Set(rows.slice(0, 10).map(({ session }) => session)).size).toBe(1);
    expect(dataplane.rules()[rows[10]!.rule - 1]).toMatchObject({ list: "OUTSIDE-IN", sequence: 30 });
  });

  test("the same whatever the pieces of the file and the size of a batch", async () => {
    const entries = [
      ...connection(),
      ...fragments(1, 3).map((data, i) => ({ data, ms: 50 + i })),
      ...connection(9000),
    ];
    entries.sort((a, b) => a.ms - b.ms);
    const file = captureOf(entries);
    const expected = (await replayed(file)).rows;
    for (const chunk of [1, 37, 4096]) expect((await replayed(file, { chunk })).rows).toEqual(expected);
    for (const batch of [1, 2, 7])
      expect((await replayed(file, { capacity: { batch } })).rows).toEqual(expected);
  });

  test("every packet has its own time: an idle timeout strikes between two packets of one batch", async () => {
    const exchange = (ms: number): Entry[] => [{ data: udpFrame(true, 7), ms }];
    const { rows } = await replayed(
      captureOf([...exchange(0), ...exchange(29_999), ...exchange(59_998), ...exchange(89_998)]),
    );
    expect(rows.map(nameOf)).toEqual(["new_session", "established", "established", "new_session"]);
  });

  test("time that goes back is the time of the packet before", async () => {
    const { rows, replay } = await replayed(
      captureOf([
        { data: udpFrame(true, 7), ms: 60_000 },
        { data: udpFrame(false, 7), ms: 0 },
        { data: udpFrame(true, 7), ms: 89_000 },
      ]),
    );
    expect(rows.map(nameOf)).toEqual(["new_session", "established", "established"]);
    expect(rows.map(({ seconds }) => seconds - BEGIN)).toEqual([60, 0, 89]);
    expect(replay.nowMs).toBe(29_000);
  });
});

describe("fragments", () => {
  test("their verdicts stand where they stood in the capture", async () => {
    const [first, second] = fragments(1, 2) as [Uint8Array, Uint8Array];
    const between = Array.from({ length: 1000 }, (_, i) => ({
      data: udpFrame(true, 7000 + (i % 10)),
      ms: 1 + i / 2,
    }));
    const { rows, replay, dataplane } = await replayed(
      captureOf([{ data: first, ms: 0 }, ...between, { data: second, ms: 600 }]),
    );
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 1002 }, (_, i) => i + 1));
    expect([rows[0], rows[1001]].map((row) => [nameOf(row!), row!.session])).toEqual(
      Array(2).fill(["new_session", rows[0]!.session]),
    );
    expect(counts(replay)).toEqual({ established: 990, new_session: 12 });
    expect(dataplane.counters().datagrams).toBe(1);
  });

  test("a datagram that is never completed is dropped when its time is over, or at the end", async () => {
    const [first] = fragments(1, 2) as [Uint8Array];
    const [other] = fragments(2, 2) as [Uint8Array];
    const { rows } = await replayed(
      captureOf([
        { data: first, ms: 0 },
        { data: udpFrame(true, 7), ms: 20_000 },
        { data: other, ms: 20_001 },
        { data: udpFrame(false, 7), ms: 20_002 },
      ]),
    );
    expect(rows.map(nameOf)).toEqual(["fragment_timeout", "new_session", "fragment_timeout", "established"]);
  });

  test.each([
    ["packets", { packets: 10, bytes: 1e9 }],
    ["bytes", { packets: 1e9, bytes: 500 }],
  ])("a fragment waits for a bounded number of %s", async (_, heldLimits) => {
    const [first, second] = fragments(1, 2) as [Uint8Array, Uint8Array];
    const between = Array.from({ length: 40 }, () => ({ data: udpFrame(true, 7), ms: 1 }));
    const file = captureOf([{ data: first, ms: 0 }, ...between, { data: second, ms: 1 }]);
    expect((await replayed(file)).rows.map(nameOf)[0]).toBe("new_session");
    const { rows } = await replayed(file, { heldLimits, capacity: { batch: 4 } });
    expect(rows).toHaveLength(42);
    expect([rows[0]!, rows[41]!].map(nameOf)).toEqual(["fragment_timeout", "fragment_timeout"]);
  });

  test("counts are the same with and without anybody who wants the verdicts", async () => {
    const entries = [1, 2, 3].flatMap((id) =>
      fragments(id, id).map((data, i) => ({ data, ms: id * 10 + i })),
    );
    const file = captureOf(entries);
    const wanted = await replayed(file);
    const unwanted = await replayed(file, { verdicts: undefined });
    expect(unwanted.rows).toEqual([]);
    expect(unwanted.replay.reasons()).toEqual(wanted.replay.reasons());
    expect(totalOf(gatherReport(wanted.replay, wanted.dataplane, FACTS)).packets).toBe(entries.length);
  });
});

const FACTS = { capture: "c", config: "f", seconds: 1, sessionsMax: 65_536, error: undefined };

describe("packets", () => {
  test("are handed over whole, also those that had to wait", async () => {
    const [first, second] = fragments(1, 2) as [Uint8Array, Uint8Array];
    const entries: Entry[] = [
      { data: first, ms: 0, comments: ["one"] },
      ...Array.from({ length: 700 }, (_, i) => ({ data: udpFrame(true, 7000 + i), ms: i / 10 })),
      { data: second, ms: 100, wireLength: second.length + 5 },
    ];
    const { packets } = await replayed(captureOf(entries), { packets: true, chunk: 1000 });
    expect(packets.map((packet) => packet!.data)).toEqual(entries.map(({ data }) => data));
    expect(packets[0]!.comments).toEqual(["one"]);
    expect(packets.at(-1)!.wireLength).toBe(second.length + 5);
  });

  test("are not kept unless they are wanted", async () => {
    const { packets } = await replayed(captureOf(connection()));
    expect(packets.every((packet) => packet === undefined)).toBe(true);
  });
});

describe("what is counted", () => {
  test("agrees with the counters of the firewall", async () => {
    const entries = [...connection(), ...fragments(1, 4).map((data) => ({ data, ms: 91 }))];
    entries.push({ data: udpFrame(false, 99), ms: 92 }, { data: new Uint8Array(10), ms: 93 });
    const { replay, dataplane } = await replayed(captureOf(entries));
    const { reasons } = dataplane.counters();
    expect(replay.reasons().map(({ name, packets, bytes }) => [name, { packets, bytes }])).toEqual(
      Object.entries(reasons),
    );
  });

  test("bytes are those on the wire, the link header included, whatever the link", async () => {
    const packet = ip({ source: INSIDE, destination: OUTSIDE }, udp({ sourcePort: 1, destinationPort: 2 }));
    const cooked = Uint8Array.of(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0, ...packet);
    const links = [{ linkType: 1 }, { linkType: 101 }, { linkType: 113 }, { linkType: 147 }];
    const { replay, rows } = await replayed(
      captureOf(
        [ethernet(packet), packet, cooked, cooked].map((data, i) => ({ data, ms: i, interfaceIndex: i })),
        links,
      ),
    );
    expect(rows.map(nameOf)).toEqual(["new_session", "established", "established", "ethertype"]);
    const total = replay.reasons().reduce((bytes, reason) => bytes + reason.bytes, 0);
    expect(total).toBe(14 + packet.length + packet.length + 2 * cooked.length);
  });

  test("packets that are not sent count apart, and have no verdict", async () => {
    const { rows, replay } = await replayed(captureOf(connection()), {
      ingress: { ...bySource, of: (n) => (n > 8 ? NOT_SENT : 0) },
    });
    expect(rows).toHaveLength(8);
    expect(replay.notSent()).toEqual({ packets: 2, bytes: 108 });
    expect(replay.packets).toBe(10);
  });

  test("a given ingress decides, not the source", async () => {
    const { rows } = await replayed(captureOf([{ data: udpFrame(true, 7), ms: 0 }]), {
      ingress: { ...bySource, of: () => 2 },
    });
    expect(rows[0]).toMatchObject({ ingress: 2 });
    expect(nameOf(rows[0]!)).toBe("acl_in_deny");
  });

  test("a choice of ingress that fails ends the replay after the packets before it", async () => {
    const { rows, problem, replay } = await replayed(captureOf(connection()), {
      ingress: { ...bySource, of: (n) => (n > 3 ? { problem: "no more" } : 0) },
    });
    expect(problem).toBe("no more");
    expect(rows.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(replay.packets).toBe(3);
  });
});

describe("strange frames", () => {
  test("empty, cut short, longer than any IP packet, with a length on the wire below that of the bytes", async () => {
    const whole = udpFrame(true, 7);
    const { rows, replay } = await replayed(
      captureOf([
        { data: new Uint8Array(0), ms: 0, wireLength: 60 },
        { data: new Uint8Array(0), ms: 0 },
        { data: whole.subarray(0, 13), ms: 0, wireLength: whole.length },
        { data: new Uint8Array(262_144).fill(0x45), ms: 0 },
        { data: whole, ms: 0, wireLength: 1 },
        { data: new Uint8Array([...whole, ...new Uint8Array(200_000)]), ms: 0 },
      ]),
    );
    expect(rows.map(nameOf)).toEqual([
      "frame_truncated",
      "frame_truncated",
      "frame_truncated",
      "ethertype",
      "new_session",
      "established",
    ]);
    expect(replay.reasons().reduce((packets, reason) => packets + reason.packets, 0)).toBe(6);
  });

  test("an empty capture", async () => {
    const { rows, replay, dataplane } = await replayed(captureOf([]));
    expect(rows).toEqual([]);
    expect(totalOf(gatherReport(replay, dataplane, FACTS))).toEqual({ packets: 0, bytes: 0 });
  });
});

describe("the report", () => {
  test("sessions by protocol and state, rules with their hits", async () => {
    const dataplane = await firewall({ sessions: 2048 });
    const { replay } = await replayed(
      captureOf([
        ...connection(),
        { data: udpFrame(true, 7), ms: 100 },
        { data: udpFrame(true, 8), ms: 100 },
        { data: udpFrame(false, 8), ms: 101 },
        { data: udpFrame(false, 9), ms: 101 },
      ]),
      { dataplane },
    );
    const report = gatherReport(replay, dataplane, { ...FACTS, sessionsMax: 2048 });
    expect(report).toMatchObject({
      capture: "c",
      config: "f",
      hostname: "Office",
      captureSeconds: 0.101,
      sessions: { created: { tcp: 1, udp: 2, icmp: 0, other: 0 }, most: 3, capacity: 2048 },
    });
    expect([...report.sessions.open].sort((a, b) => (a.state < b.state ? -1 : 1))).toEqual([
      { protocol: "udp", state: "open", count: 1 },
      { protocol: "udp", state: "opening", count: 1 },
      { protocol: "tcp", state: "time_wait", count: 1 },
    ]);
    expect(report.acls).toEqual([
      {
        name: "OUTSIDE-IN",
        family: 4,
        rules: [
          { sequence: 10, text: "permit tcp any host 10.1.1.80 eq www", hits: 0 },
          { sequence: 20, text: "permit icmp any host 203.0.113.1 echo", hits: 0 },
          { sequence: 30, text: "deny ip any any log", hits: 1 },
        ],
      },
    ]);
  });
});
