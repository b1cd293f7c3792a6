/** Every reason to refuse something is reached, counted once, and leaves the association as it says. */
import { describe, expect, test } from "vitest";
import { type Chunk, type ChunkOf, DATA_BEGIN, DATA_END } from "../../src/sctp/chunk.js";
import { ANSWERS_BURST_MAX } from "../../src/sctp/context.js";
import { COOKIE_LIFE_MS } from "../../src/sctp/cookie.js";
import { crc32c } from "../../src/sctp/crc32c.js";
import { REFUSALS, type Refusal } from "../../src/sctp/index.js";
import { CHUNKS_PER_PACKET_MAX, COMMON_HEADER, PACKET_BYTES_MAX } from "../../src/sctp/packet.js";
import { tsnPlus } from "../../src/sctp/serial.js";
import { BLOCKS_MAX, TSN_WINDOW_MAX } from "../../src/sctp/tsn-map.js";
import { ADDRESSES, kindsOf, type WorldOptions, parse, World } from "./world.js";

/** A packet whose checksum is right, after a change. */
function changed(bytes: Uint8Array, change: (copy: Uint8Array) => Uint8Array): Uint8Array {
  const result = change(bytes.slice());
  result.fill(0, 8, 12);
  new DataView(result.buffer).setUint32(8, crc32c(result), true);
  return result;
}

const ACK: Chunk = { kind: "cookieAck", flags: 0 };

const INIT: ChunkOf<"init"> = {
  kind: "init",
  flags: 0,
  initiateTag: 99,
  advertisedWindow: 65_536,
  outboundStreams: 3,
  inboundStreams: 3,
  initialTsn: 1000,
  parameters: [],
};

/** User data for b, `steps` behind the last that it has. */
function data(world: World, steps: number, extra: Partial<ChunkOf<"data">> = {}): ChunkOf<"data"> {
  return {
    kind: "data",
    flags: DATA_BEGIN | DATA_END,
    tsn: tsnPlus(lastTsn(world), steps),
    stream: 0,
    ssn: 0,
    payloadProtocolId: 0,
    bytes: new Uint8Array(100),
    ...extra,
  };
}

/** The cumulative TSN of b, which it tells when it refuses something: one of these two it does. */
function lastTsn(world: World): number {
  const [answer] = world.provoke("b", [
    { ...DATA, tsn: 0 },
    { ...DATA, tsn: 0x8000_0000 },
  ]);
  const sack = answer?.chunks.find((chunk): chunk is ChunkOf<"sack"> => chunk.kind === "sack");
  if (sack === undefined) throw new Error("no SACK");
  return sack.cumulativeTsn;
}

const DATA: ChunkOf<"data"> = {
  kind: "data",
  flags: 0,
  tsn: 0,
  stream: 0,
  ssn: 0,
  payloadProtocolId: 0,
  bytes: new Uint8Array(1),
};

function sack(cumulativeTsn: number, gaps: { first: number; last: number }[] = []): ChunkOf<"sack"> {
  return { kind: "sack", flags: 0, cumulativeTsn, advertisedWindow: 65_536, gaps, duplicates: [] };
}

/** The cookie that b gives for an INIT. */
function cookieFor(world: World, init: Partial<ChunkOf<"init">> = {}): { cookie: Uint8Array; tag: number } {
  const [answer] = world.provoke("b", [{ ...INIT, ...init }]);
  const initAck = answer!.chunks[0]!;
  if (initAck.kind !== "initAck") throw new Error(`${initAck.kind} instead of INIT ACK`);
  const parameter = initAck.parameters.find(({ kind }) => kind === "stateCookie")!;
  return { cookie: (parameter as { bytes: Uint8Array }).bytes, tag: initAck.initiateTag };
}

function echo(world: World, { cookie, tag }: { cookie: Uint8Array; tag: number }): string[] {
  const chunk: Chunk = { kind: "cookieEcho", flags: 0, bytes: cookie };
  return kindsOf(world.provoke("b", [chunk], { verificationTag: tag }));
}

interface Case {
  /** What happens to b. */
  provoke(world: World): void;
  options?: Partial<WorldOptions>;
  /**
   * alive: the association goes on as if nothing had happened. aborted: b ends it. spoilt: what was forged counts as
   * sent, so that the true sender and b do not agree any more. none: there is no association to look at.
   */
  outcome: "alive" | "aborted" | "spoilt" | "none";
  /** How often the reason is counted, when not once. */
  times?: number;
}

const SMALL = { b: { receiveQueueBytes: 4000, isConsumptionCounted: true }, a: {} };

const CASES: Record<Refusal, Case> = {
  encapsulation: {
    provoke(world) {
      const bytes = world.forge("b", [{ kind: "abort", flags: 0, causes: [] }]);
      world.step("b", { kind: "datagram", from: ADDRESSES.a[0]!, to: ADDRESSES.b[0]!, bytes });
    },
    outcome: "alive",
  },
  packet_short: { provoke: (world) => world.deliver("b", 0, new Uint8Array(15)), outcome: "alive" },
  packet_long: {
    provoke: (world) => world.deliver("b", 0, new Uint8Array(PACKET_BYTES_MAX + 1)),
    outcome: "alive",
  },
  checksum: {
    provoke(world) {
      const bytes = world.forge("b", [{ kind: "abort", flags: 0, causes: [] }]);
      bytes[5]! ^= 1;
      world.deliver("b", 0, bytes);
    },
    outcome: "alive",
  },
  chunk_length: {
    provoke(world) {
      const bytes = changed(world.forge("b", [ACK]), (copy) =>
        copy.fill(8, COMMON_HEADER + 3, COMMON_HEADER + 4),
      );
      world.deliver("b", 0, bytes);
    },
    outcome: "alive",
  },
  chunk_count: {
    provoke(world) {
      const most = world.forge(
        "b",
        Array.from({ length: CHUNKS_PER_PACKET_MAX }, () => ACK),
      );
      const more = changed(most, (copy) =>
        Uint8Array.from([...copy, ...copy.subarray(COMMON_HEADER, COMMON_HEADER + 4)]),
      );
      world.deliver("b", 0, more);
    },
    outcome: "alive",
  },
  chunk_contents: {
    provoke(world) {
      const bytes = world.forge("b", [{ kind: "shutdown", flags: 0, cumulativeTsn: 0 }]);
      // A SHUTDOWN of eight bytes becomes a SHUTDOWN ACK of eight, which has four.
      world.deliver(
        "b",
        0,
        changed(bytes, (copy) => copy.fill(8, COMMON_HEADER, COMMON_HEADER + 1)),
      );
    },
    outcome: "alive",
  },
  chunk_not_alone: { provoke: (world) => world.provoke("b", [INIT, ACK]), outcome: "alive" },
  port: {
    provoke: (world) => world.provoke("b", [{ kind: "abort", flags: 0, causes: [] }], { sourcePort: 9 }),
    outcome: "alive",
  },
  address_remote: {
    provoke(world) {
      const bytes = world.forge("b", [{ kind: "abort", flags: 0, causes: [] }]);
      world.step("b", { kind: "datagram", from: 0x0a0000ff, to: ADDRESSES.b[0]!, bytes, udpPort: 9899 });
    },
    outcome: "alive",
  },
  address_local: {
    provoke(world) {
      const bytes = world.forge("b", [{ kind: "abort", flags: 0, causes: [] }]);
      world.step("b", { kind: "datagram", from: ADDRESSES.a[0]!, to: 0x0a0000ff, bytes, udpPort: 9899 });
    },
    outcome: "alive",
  },
  verification_tag: {
    provoke: (world) => world.provoke("b", [{ kind: "abort", flags: 0, causes: [] }], { verificationTag: 1 }),
    outcome: "alive",
  },
  out_of_the_blue: {
    provoke: (world) => {
      world.step("b", { kind: "abort" });
      world.provoke("b", [DATA], { verificationTag: 5 });
    },
    outcome: "none",
  },
  answer_rate: {
    provoke(world) {
      for (let i = 0; i < ANSWERS_BURST_MAX + 3; i++) world.provoke("b", [{ ...INIT, initiateTag: i + 1 }]);
    },
    outcome: "alive",
    times: 3,
  },
  init_invalid: {
    provoke: (world) => world.provoke("b", [{ ...INIT, outboundStreams: 0 }]),
    outcome: "alive",
  },
  init_unwelcome: {
    provoke(world) {
      world.step("b", { kind: "abort" });
      expect(kindsOf(world.provoke("b", [INIT]))).toEqual(["abort"]);
    },
    outcome: "none",
  },
  address_unknown: {
    provoke: (world) => cookieFor(world, { parameters: [{ kind: "ipv4Address", address: 0x0a0000ff }] }),
    outcome: "alive",
  },
  cookie_forged: {
    provoke: (world) => echo(world, { cookie: new Uint8Array(84), tag: 1 }),
    outcome: "alive",
  },
  cookie_stale: {
    provoke(world) {
      const old = cookieFor(world);
      world.runFor(COOKIE_LIFE_MS + 1);
      expect(echo(world, old)).toEqual(["error"]);
    },
    outcome: "alive",
  },
  cookie_replayed: {
    provoke(world) {
      const old = cookieFor(world);
      world.step("b", { kind: "abort" });
      world.step("b", { kind: "listen" });
      expect(echo(world, old)).toEqual(["error"]);
    },
    outcome: "none",
  },
  cookie_mismatch: {
    provoke(world) {
      world.step("b", { kind: "abort" });
      world.step("b", { kind: "listen" });
      const [one, two] = [cookieFor(world, { initiateTag: 98 }), cookieFor(world, { initiateTag: 97 })];
      expect(echo(world, one)).toEqual(["cookieAck"]);
      expect(echo(world, two)).toEqual([]);
      expect(world.endpoints.b.view().peerTag).toBe(98);
    },
    outcome: "none",
  },
  chunk_unknown: {
    provoke(world) {
      const bytes = Uint8Array.of(0xff, 0, 0, 4);
      const chunk: Chunk = { kind: "unknown", type: 0xff, flags: 0, bytes };
      expect(kindsOf(world.provoke("b", [chunk]))).toEqual(["error"]);
    },
    outcome: "alive",
  },
  parameter_unknown: {
    provoke: (world) =>
      cookieFor(world, {
        parameters: [{ kind: "unknown", type: 0x8000, bytes: Uint8Array.of(0x80, 0, 0, 4) }],
      }),
    outcome: "alive",
  },
  chunk_unexpected: {
    provoke: (world) => world.provoke("b", [{ kind: "shutdownAck", flags: 0 }]),
    outcome: "alive",
  },
  data_empty: {
    provoke: (world) => world.provoke("b", [data(world, 1, { bytes: new Uint8Array(0) })]),
    outcome: "aborted",
  },
  data_stream: {
    provoke(world) {
      expect(kindsOf(world.provoke("b", [data(world, 1, { stream: 3 })]))[0]).toContain("error");
    },
    outcome: "spoilt",
  },
  data_duplicate: { provoke: (world) => world.provoke("b", [data(world, 0)]), outcome: "alive" },
  data_beyond_window: {
    provoke: (world) => world.provoke("b", [data(world, TSN_WINDOW_MAX + 1)]),
    outcome: "alive",
  },
  data_window_full: {
    provoke(world) {
      const bytes = new Uint8Array(3000);
      world.provoke("b", [data(world, 3, { bytes, ssn: 5 })]);
      world.provoke("b", [data(world, 5, { bytes, ssn: 6 })]);
    },
    options: SMALL,
    outcome: "spoilt",
  },
  data_blocks_full: {
    provoke(world) {
      for (let i = 0; i <= BLOCKS_MAX; i++) world.provoke("b", [data(world, 2 + 2 * i, { ssn: i + 1 })]);
    },
    outcome: "spoilt",
  },
  data_fragment: {
    provoke: (world) => world.provoke("b", [data(world, 1, { flags: 0 })]),
    outcome: "aborted",
  },
  data_message_long: {
    provoke(world) {
      const bytes = new Uint8Array(1500);
      world.provoke("b", [data(world, 1, { bytes, flags: DATA_BEGIN })]);
      world.provoke("b", [data(world, 1, { bytes, flags: 0 })]);
    },
    options: SMALL,
    outcome: "aborted",
  },
  data_ssn: {
    provoke: (world) => world.provoke("b", [data(world, 1, { ssn: 0xffff })]),
    outcome: "aborted",
  },
  sack_old: {
    provoke(world) {
      const { first } = outstanding(world);
      world.provoke("b", [sack(tsnPlus(first, -2))]);
    },
    outcome: "alive",
  },
  sack_invalid: {
    provoke(world) {
      const { first, last } = outstanding(world);
      const before = tsnPlus(first, -1);
      const invalid = [
        sack(tsnPlus(last, 1)),
        sack(before, [{ first: 1, last: 2 }]),
        sack(before, [{ first: 3, last: 2 }]),
        sack(before, [{ first: 2, last: 5 }]),
        sack(before, [
          { first: 3, last: 3 },
          { first: 2, last: 2 },
        ]),
        sack(before, [
          { first: 2, last: 3 },
          { first: 3, last: 4 },
        ]),
      ];
      const queuedBytes = world.endpoints.b.view().queuedBytes;
      for (const each of invalid) world.provoke("b", [each]);
      world.provoke("b", [{ kind: "shutdown", flags: 0, cumulativeTsn: tsnPlus(last, 1) }]);
      expect(world.endpoints.b.view()).toMatchObject({ queuedBytes, state: "ESTABLISHED" });
    },
    outcome: "alive",
    times: 7,
  },
  heartbeat_invalid: {
    provoke(world) {
      const bytes = new Uint8Array(13);
      world.provoke("b", [
        { kind: "heartbeatAck", flags: 0, parameters: [{ kind: "heartbeatInfo", bytes }] },
      ]);
      world.provoke("b", [{ kind: "heartbeatAck", flags: 0, parameters: [] }]);
    },
    outcome: "alive",
    times: 2,
  },
  send_not_connected: {
    provoke(world) {
      world.step("b", { kind: "abort" });
      expect(world.send("b", 0, 100)).toBe(false);
    },
    outcome: "none",
  },
  send_stream: { provoke: (world) => world.send("b", 3, 100), outcome: "alive" },
  send_empty: {
    provoke: (world) =>
      world.step("b", { kind: "send", stream: 0, payloadProtocolId: 0, bytes: new Uint8Array(0) }),
    outcome: "alive",
  },
  send_long: {
    provoke: (world) => world.send("b", 0, 2001),
    options: { b: { sendQueueBytes: 4000 } },
    outcome: "alive",
  },
  send_full: {
    provoke(world) {
      for (let i = 0; i < 3; i++) world.send("b", 0, 1500);
    },
    options: { b: { sendQueueBytes: 4000 } },
    outcome: "alive",
  },
  consumed_excess: {
    provoke: (world) => world.step("b", { kind: "consumed", bytes: 1 }),
    options: SMALL,
    outcome: "alive",
  },
};

/** Four small messages of b on their way, none of which arrives: their first and last TSN. */
function outstanding(world: World): { first: number; last: number } {
  world.isRecording = true;
  const tsns: number[] = [];
  world.intercept = (from, _path, bytes) => {
    for (const chunk of parse(bytes).chunks) if (chunk.kind === "data") tsns.push(chunk.tsn);
    return from === "b" ? undefined : bytes;
  };
  for (let i = 0; i < 4; i++) world.send("b", 0, 100);
  world.intercept = (_from, _path, bytes) => bytes;
  return { first: tsns[0]!, last: tsns.at(-1)! };
}

describe.each(REFUSALS.map((reason) => ({ reason, ...CASES[reason] })))(
  "$reason",
  ({ reason, provoke, options, outcome, times = 1 }) => {
    test(`is counted; the association: ${outcome}`, () => {
      const world = new World({ seed: 1, ...options }).connect();
      world.runFor(2000);
      const before = world.endpoints.b.view().counters;
      provoke(world);
      const { counters } = world.endpoints.b.view();
      // What finds out where b stands provokes refusals of its own.
      const probes: Refusal[] = ["data_duplicate", "data_beyond_window"];
      const counted = counters[reason] - before[reason];
      if (probes.includes(reason)) expect(counted).toBeGreaterThanOrEqual(times);
      else expect(counted).toBe(times);
      const others = REFUSALS.filter((each) => each !== reason && !probes.includes(each));
      expect(others.filter((each) => counters[each] !== before[each])).toEqual([]);

      if (outcome === "aborted") {
        expect(world.actions("b", "down")).toEqual([
          { kind: "down", reason: "protocol_violation", wasUp: true },
        ]);
        expect(world.runFor(5000, () => world.isUp())).toBe(true);
        expect(world.actions("a", "down")).toEqual([{ kind: "down", reason: "peer_abort", wasUp: true }]);
      }
      if (outcome === "alive") {
        world.runFor(1000);
        for (let i = 0; i < 5; i++) for (const side of ["a", "b"] as const) world.send(side, 1, 500);
        world.runFor(3000);
        expect(world.expected.b.next[1]).toBe(5);
        expect(world.expected.a.next[1]).toBe(5);
        for (const side of ["a", "b"] as const) {
          expect(world.actions(side, "down")).toEqual([]);
          expect(world.actions(side, "restarted")).toEqual([]);
        }
      }
    });
  },
);
