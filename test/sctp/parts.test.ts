/** The parts of the engine, each against a slow and obvious model of itself. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DATA_BEGIN, DATA_END, DATA_UNORDERED } from "../../src/sctp/chunk.js";
import {
  ageWindow,
  collapseWindow,
  enterRecovery,
  growWindow,
  newCongestion,
} from "../../src/sctp/congestion.js";
import {
  COOKIE_LIFE_MS,
  cookieKey,
  cookieStalenessMs,
  mintCookie,
  openCookie,
} from "../../src/sctp/cookie.js";
import { dequeLength, itemAt, newDeque, pushBack, takeFront } from "../../src/deque.js";
import { encapsulatedMtu, followUdpPort } from "../../src/sctp/encapsulation.js";
import { type DataChunk, type InboundMessage, newReassembly, takeData } from "../../src/sctp/reassembly.js";
import { backOff, newRto, sampleRtt } from "../../src/sctp/rto.js";
import { isTsnAfter, nextSsn, ssnDistance, tsnDistance, tsnPlus } from "../../src/sctp/serial.js";
import {
  addTsn,
  BLOCKS_MAX,
  gapBlocks,
  hasTsn,
  judgeTsn,
  newTsnMap,
  TSN_WINDOW_MAX,
} from "../../src/sctp/tsn-map.js";

fc.configureGlobal({ seed: 1 });

describe("serial numbers", () => {
  test("TSNs around the wrap", () => {
    expect(tsnPlus(0xffff_ffff, 1)).toBe(0);
    expect(tsnPlus(0, -1)).toBe(0xffff_ffff);
    expect(isTsnAfter(0, 0xffff_ffff)).toBe(true);
    expect(isTsnAfter(0xffff_ffff, 0)).toBe(false);
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), (tsn, steps) => {
        expect(tsnDistance(tsn, tsnPlus(tsn, steps))).toBe(steps);
      }),
    );
  });

  test("stream sequence numbers around the wrap", () => {
    expect(nextSsn(0xffff)).toBe(0);
    expect(ssnDistance(0xffff, 0)).toBe(1);
    expect(ssnDistance(0, 0xffff)).toBe(-1);
    expect(ssnDistance(5, 5 + 0x7fff)).toBe(0x7fff);
  });
});

test("a deque gives what was put in, in its order", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 600 }), (pushes) => {
      const deque = newDeque<number>();
      const model: number[] = [];
      pushes.forEach((isPush, index) => {
        if (isPush) {
          pushBack(deque, index);
          model.push(index);
        } else {
          expect(takeFront(deque)).toBe(model.shift());
        }
        expect(dequeLength(deque)).toBe(model.length);
        expect(itemAt(deque, 0)).toBe(model[0]);
        expect(itemAt(deque, model.length - 1)).toBe(model.at(-1));
        expect(itemAt(deque, model.length)).toBeUndefined();
      });
    }),
  );
});

describe("TSN map", () => {
  test.each([1, 0xffff_ffe0])("against a set, from TSN %i", (initialTsn) => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 80 }), (offsets) => {
        const map = newTsnMap(initialTsn);
        const model = new Set<number>();
        for (const offset of offsets) {
          const tsn = tsnPlus(initialTsn, offset);
          expect(judgeTsn(map, tsn)).toBe(model.has(offset) ? "data_duplicate" : "new");
          if (!model.has(offset)) addTsn(map, tsn);
          model.add(offset);
          let cumulative = 0;
          while (model.has(cumulative)) cumulative++;
          expect(map.cumulativeTsn).toBe(tsnPlus(initialTsn, cumulative - 1));
          for (let i = 0; i <= 61; i++) expect(hasTsn(map, tsnPlus(initialTsn, i))).toBe(model.has(i));
          const blocks: { first: number; last: number }[] = [];
          for (let i = cumulative; i <= 61; i++) {
            const steps = i - cumulative + 1;
            if (model.has(i) && !model.has(i - 1)) blocks.push({ first: steps, last: steps });
            else if (model.has(i)) blocks.at(-1)!.last = steps;
          }
          expect(gapBlocks(map, 100)).toEqual(blocks);
          expect(gapBlocks(map, 2)).toEqual(blocks.slice(0, 2));
        }
      }),
    );
  });

  test("has bounds", () => {
    const map = newTsnMap(1);
    expect(judgeTsn(map, TSN_WINDOW_MAX)).toBe("new");
    expect(judgeTsn(map, TSN_WINDOW_MAX + 1)).toBe("data_beyond_window");
    for (let i = 0; i < BLOCKS_MAX; i++) addTsn(map, 3 + 2 * i);
    expect(judgeTsn(map, 3 + 2 * BLOCKS_MAX)).toBe("data_blocks_full");
    expect(judgeTsn(map, 2 + 2 * BLOCKS_MAX)).toBe("new"); // joins the last block
    expect(judgeTsn(map, 1)).toBe("new");
  });
});

describe("reassembly", () => {
  interface Message {
    stream: number;
    isUnordered: boolean;
    sizes: number[];
  }

  /** The chunks of messages, one after the other, as a sender numbers them. */
  function chunksOf(messages: readonly Message[], initialTsn: number): DataChunk[] {
    let tsn = initialTsn;
    const ssns = [0xfffe, 0xfffe, 0xfffe];
    return messages.flatMap(({ stream, isUnordered, sizes }, index) => {
      const ssn = isUnordered ? 0 : ssns[stream]!;
      if (!isUnordered) ssns[stream] = nextSsn(ssn);
      return sizes.map((size, at): DataChunk => {
        const flags =
          (at === 0 ? DATA_BEGIN : 0) |
          (at === sizes.length - 1 ? DATA_END : 0) |
          (isUnordered ? DATA_UNORDERED : 0);
        const chunk: DataChunk = {
          kind: "data",
          flags,
          tsn,
          stream,
          ssn,
          payloadProtocolId: index,
          bytes: new Uint8Array(size).fill(at),
        };
        tsn = tsnPlus(tsn, 1);
        return chunk;
      });
    });
  }

  const message = fc.record({
    stream: fc.nat(2),
    isUnordered: fc.boolean(),
    sizes: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 }),
  });

  function receiver() {
    const reassembly = newReassembly(3);
    for (const stream of reassembly.streams) stream.ssn = 0xfffe;
    return reassembly;
  }

  test("in any order of arrival: every message once and whole, in the order of its stream", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), fc.nat(), (messages, seed) => {
        const reassembly = receiver();
        const chunks = chunksOf(messages, 0xffff_fff0);
        const arrived = new Set<number>([0xffff_ffef]);
        const ready: InboundMessage[] = [];
        const order = chunks.map((_, index) => index);
        order.sort((one, other) => Math.sin(one * 7 + seed) - Math.sin(other * 7 + seed));
        for (const index of order) {
          const chunk = { ...chunks[index]! };
          expect(takeData(reassembly, chunk, (tsn) => arrived.has(tsn), 1000, ready)).toBeUndefined();
          arrived.add(chunk.tsn);
        }
        expect(reassembly.heldBytes).toBe(0);
        expect(reassembly.fragments.size + reassembly.runs.size + reassembly.runEnds.size).toBe(0);
        const numbers = ready.map(({ payloadProtocolId }) => payloadProtocolId);
        expect([...numbers].sort((x, y) => x - y)).toEqual(messages.map((_, index) => index));
        for (const stream of [0, 1, 2]) {
          const ordered = ready.filter((each) => each.stream === stream && !each.isUnordered);
          const ids = ordered.map(({ payloadProtocolId }) => payloadProtocolId);
          expect(ids).toEqual([...ids].sort((x, y) => x - y));
        }
        for (const { payloadProtocolId, bytes } of ready) {
          const expected = messages[payloadProtocolId]!.sizes.flatMap((size, at) => new Array(size).fill(at));
          expect([...bytes]).toEqual(expected);
        }
      }),
    );
  });

  const chunk = (tsn: number, flags: number, extra: Partial<DataChunk> = {}): DataChunk => ({
    kind: "data",
    flags,
    tsn,
    stream: 0,
    ssn: 0xfffe,
    payloadProtocolId: 0,
    bytes: new Uint8Array(10),
    ...extra,
  });

  /** Takes the chunks in turn and gives the first that contradicts another. */
  function firstViolation(...chunks: DataChunk[]) {
    const reassembly = receiver();
    const arrived = new Set([0]);
    for (const each of chunks) {
      const violation = takeData(reassembly, each, (tsn) => arrived.has(tsn), 35, []);
      if (violation !== undefined) return violation;
      arrived.add(each.tsn);
    }
    return undefined;
  }

  test.each<[string, DataChunk[], ReturnType<typeof firstViolation>]>([
    ["a middle where a message begins", [chunk(1, 0)], "data_fragment"],
    ["a beginning inside a message", [chunk(1, DATA_BEGIN), chunk(2, DATA_BEGIN)], "data_fragment"],
    ["the same, the other way round", [chunk(3, DATA_BEGIN), chunk(2, 0)], "data_fragment"],
    ["no beginning behind an end", [chunk(2, DATA_END), chunk(3, 0)], "data_fragment"],
    ["no end before a whole message", [chunk(3, 3), chunk(2, 0)], "data_fragment"],
    ["another stream in mid-message", [chunk(1, DATA_BEGIN), chunk(2, 0, { stream: 1 })], "data_fragment"],
    ["another number in mid-message", [chunk(1, DATA_BEGIN), chunk(2, 0, { ssn: 0 })], "data_fragment"],
    [
      "another protocol in mid-message",
      [chunk(1, 2), chunk(2, 0, { payloadProtocolId: 9 })],
      "data_fragment",
    ],
    ["unordered in mid-message", [chunk(1, DATA_BEGIN), chunk(2, DATA_UNORDERED)], "data_fragment"],
    [
      "more than a message may have",
      [chunk(1, 2), chunk(2, 0), chunk(3, 0), chunk(4, 0)],
      "data_message_long",
    ],
    [
      "more, joined from both ends",
      [chunk(1, 2), chunk(2, 0), chunk(4, 0), chunk(3, 0)],
      "data_message_long",
    ],
    ["a number that was delivered", [chunk(1, 3), chunk(2, 3)], "data_ssn"],
    ["a number that is waiting", [chunk(1, 3, { ssn: 3 }), chunk(2, 3, { ssn: 3 })], "data_ssn"],
    ["nothing wrong", [chunk(1, 2), chunk(3, 1), chunk(2, 0), chunk(4, 3, { ssn: 0xffff })], undefined],
  ])("%s", (_name, chunks, violation) => {
    expect(firstViolation(...chunks)).toBe(violation);
  });

  test("holds no datagram alive for a few bytes of it", () => {
    const reassembly = receiver();
    const datagram = new Uint8Array(60_000);
    const fragment = chunk(1, DATA_BEGIN, { bytes: datagram.subarray(100, 110) });
    const waiting = chunk(3, 3, { ssn: 2, bytes: datagram.subarray(200, 210) });
    for (const each of [fragment, waiting]) takeData(reassembly, each, () => false, 100, []);
    const held = [
      ...[...reassembly.fragments.values()].map(({ bytes }) => bytes),
      ...[...reassembly.streams[0]!.waiting.values()].map(({ bytes }) => bytes),
    ];
    expect(held).toHaveLength(2);
    for (const { buffer } of held) expect(buffer.byteLength).toBe(10);
    expect(reassembly.heldBytes).toBe(20);
  });
});

describe("retransmission timeout", () => {
  const bounds = { rtoMinMs: 300, rtoMaxMs: 600 };
  const wide = { rtoMinMs: 1, rtoMaxMs: 60_000 };

  test("rules C1 to C3 of RFC 9260 section 6.3.1", () => {
    const rto = newRto(1000, wide);
    expect(rto.rtoMs).toBe(1000);
    sampleRtt(rto, 100, wide);
    expect(rto).toEqual({ srttMs: 100, rttvarMs: 50, rtoMs: 300 });
    sampleRtt(rto, 180, wide);
    expect(rto).toEqual({ srttMs: 110, rttvarMs: 57.5, rtoMs: 340 });
  });

  test("stays between its bounds", () => {
    const rto = newRto(5000, bounds);
    expect(rto.rtoMs).toBe(600);
    for (let i = 0; i < 100; i++) sampleRtt(rto, 1, bounds);
    expect(rto.rtoMs).toBe(300);
    expect(rto.rttvarMs).toBeGreaterThanOrEqual(1);
    sampleRtt(rto, 10_000, bounds);
    expect(rto.rtoMs).toBe(600);
  });

  test("doubles, the example of the configuration: 300 to 10000", () => {
    const example = { rtoMinMs: 300, rtoMaxMs: 10_000 };
    const rto = newRto(300, example);
    const waits = Array.from({ length: 11 }, () => {
      const { rtoMs } = rto;
      backOff(rto, example);
      return rtoMs;
    });
    expect(waits).toEqual([300, 600, 1200, 2400, 4800, 9600, 10_000, 10_000, 10_000, 10_000, 10_000]);
    expect(waits.reduce((sum, ms) => sum + ms)).toBe(68_900);
  });
});

describe("congestion window", () => {
  const MTU = 1200;
  const acked = (ackedBytes: number, flightBeforeBytes: number, isAllAcked = false) => ({
    ackedBytes,
    flightBeforeBytes,
    hasCumulativeAdvanced: true,
    isAllAcked,
  });

  test("starts as section 7.2.1 says", () => {
    expect(newCongestion(1200, 65_536).cwndBytes).toBe(4404);
    expect(newCongestion(500, 65_536).cwndBytes).toBe(2000);
    expect(newCongestion(9000, 65_536).cwndBytes).toBe(18_000);
  });

  test("grows by at most a packet for each acknowledgement in slow start, and only when it is used", () => {
    const state = newCongestion(MTU, 65_536);
    growWindow(state, acked(2400, 4404), MTU);
    expect(state.cwndBytes).toBe(4404 + MTU);
    growWindow(state, acked(500, 5604), MTU);
    expect(state.cwndBytes).toBe(4404 + MTU + 500);
    growWindow(state, acked(2400, 2400), MTU);
    growWindow(state, { ...acked(2400, 6000), hasCumulativeAdvanced: false }, MTU);
    expect(state.cwndBytes).toBe(4404 + MTU + 500);
  });

  test("grows by a packet for each window of bytes in congestion avoidance", () => {
    const state = { ...newCongestion(MTU, 1000), cwndBytes: 12_000 };
    for (let i = 0; i < 9; i++) growWindow(state, acked(MTU, 12_000), MTU);
    expect(state.cwndBytes).toBe(12_000);
    growWindow(state, acked(MTU, 12_000), MTU);
    expect(state.cwndBytes).toBe(13_200);
    growWindow(state, acked(MTU, 12_000, true), MTU);
    expect(state.partialBytesAcked).toBe(0);
  });

  test("is halved once for each recovery, and falls to one packet at an expiry", () => {
    const state = { ...newCongestion(MTU, 65_536), cwndBytes: 24_000 };
    enterRecovery(state, 77, MTU);
    expect(state).toMatchObject({ cwndBytes: 12_000, ssthreshBytes: 12_000, recoveryExitTsn: 77 });
    enterRecovery(state, 99, MTU);
    expect(state).toMatchObject({ cwndBytes: 12_000, recoveryExitTsn: 77 });
    growWindow(state, acked(2400, 12_000), MTU);
    expect(state.cwndBytes).toBe(12_000);
    collapseWindow(state, MTU);
    expect(state).toMatchObject({ cwndBytes: MTU, ssthreshBytes: 6000, recoveryExitTsn: undefined });
    collapseWindow(state, MTU);
    expect(state.ssthreshBytes).toBe(4 * MTU);
  });

  test("shrinks with each RTO without use, to its floor", () => {
    const state = { ...newCongestion(MTU, 65_536), cwndBytes: 40_000 };
    ageWindow(state, 2, MTU);
    expect(state.cwndBytes).toBe(10_000);
    ageWindow(state, Number.POSITIVE_INFINITY, MTU);
    expect(state.cwndBytes).toBe(4 * MTU);
  });
});

describe("cookie", () => {
  const key = cookieKey(Uint8Array.of(1, 2, 3), [1, 2, 3, 4]);
  const cookie = {
    mintedAtMs: 1234.5,
    lifeMs: COOKIE_LIFE_MS,
    epoch: 1,
    localTag: 0xffff_ffff,
    peerTag: 2,
    localTieTag: 3,
    peerTieTag: 4,
    localInitialTsn: 5,
    peerInitialTsn: 6,
    peerWindow: 65_536,
    peerOutboundStreams: 10,
    peerInboundStreams: 11,
    pathMask: 3,
  };

  test("comes back as it was minted", () => {
    expect(openCookie(key, mintCookie(key, cookie))).toEqual(cookie);
  });

  test("is refused with any bit changed, any byte missing, another secret or another nonce", () => {
    const bytes = mintCookie(key, cookie);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const copy = bytes.slice();
      copy[bit >>> 3]! ^= 1 << (bit & 7);
      expect(openCookie(key, copy)).toBeUndefined();
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(openCookie(key, bytes.slice(0, length))).toBeUndefined();
    }
    expect(openCookie(cookieKey(Uint8Array.of(1, 2, 4), [1, 2, 3, 4]), bytes)).toBeUndefined();
    expect(openCookie(cookieKey(Uint8Array.of(1, 2, 3), [1, 2, 3, 5]), bytes)).toBeUndefined();
  });

  test("expires", () => {
    expect(cookieStalenessMs(cookie, 1234.5 + COOKIE_LIFE_MS)).toBe(0);
    expect(cookieStalenessMs(cookie, 1235.5 + COOKIE_LIFE_MS)).toBe(1);
  });
});

describe("encapsulation", () => {
  test("leaves room for UDP and IP", () => {
    expect(encapsulatedMtu(1500, 0x0a000001)).toBe(1472);
    expect(encapsulatedMtu(1500, 1n)).toBe(1452);
  });

  test("follows a port that is known", () => {
    const ports = [9899, 9899];
    followUdpPort(ports, 1, 12_345);
    followUdpPort(ports, 0, undefined);
    expect(ports).toEqual([9899, 12_345]);
  });
});
