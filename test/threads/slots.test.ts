/** What goes through the slots of the rings comes out as it went in. */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { Core, SEED_BYTES } from "../../src/core.js";
import { Dataplane } from "../../src/dataplane.js";
import { prepare } from "../../src/prepare.js";
import {
  BatchReader,
  type BatchShape,
  BatchWriter,
  newPacketRing,
  newVerdictRing,
  type Release,
  shapeOf,
  VerdictReader,
  VerdictWriter,
} from "../../src/pair/batch-slot.js";
import { type Datagram, newDatagramRing, readDatagram, writeDatagram } from "../../src/pair/datagram-slot.js";
import { seededRandom } from "../../src/random.js";
import { RingReader, RingWriter } from "../../src/ring.js";
import { coreModule } from "../model/lab.js";
import { configOf } from "./configs.js";
import { decidedOf, OPENING, put, type Traffic, trafficOf } from "./traffic.js";

const SEED = new Uint8Array(SEED_BYTES).fill(7);

function firewall(batch = 16): { core: Core; dataplane: Dataplane } {
  const capacity = { sessions: 1024, batch, fragments: 16 };
  const setup = prepare({ config: configOf("A"), capacity, seed: SEED }, () => SEED);
  const core = Core.createSync(coreModule, setup);
  return { core, dataplane: new Dataplane(core, setup) };
}

/** A firewall, and the way there and back by rings. */
function ringed(slots = 4) {
  const { core, dataplane } = firewall();
  const shape = shapeOf(core.plan);
  const packets = newPacketRing(slots, shape);
  const verdicts = newVerdictRing(slots, shape, core.plan.capacity.fragments);
  return {
    core,
    dataplane,
    shape,
    batches: new BatchWriter(packets, shape),
    reader: new BatchReader(packets, shape, core),
    writer: new VerdictWriter(verdicts, core),
    verdicts: new VerdictReader(verdicts),
  };
}

const TRAFFIC: readonly Traffic[] = [...OPENING, "request" as const, "reply" as const].flatMap((step) =>
  [1, 2, 3].map((flow) => trafficOf(flow, step)),
);

function answersOf(traffic: readonly Traffic[], load: (batches: BatchWriter) => void): unknown {
  const { dataplane, batches, reader, writer, verdicts } = ringed();
  expect(batches.open()).toBe(true);
  load(batches);
  const number = batches.publish();
  dataplane.batch.clear();
  dataplane.batch.length = reader.load();
  expect([dataplane.batch.length, reader.number]).toEqual([traffic.length, number]);
  for (const [i, { frame }] of traffic.entries())
    expect(Buffer.compare(dataplane.batch.frame(i), frame)).toBe(0);
  expect(writer.writeVerdicts(number, dataplane.process(1000), 1000.25)).toBe(true);
  reader.release();
  let answers: unknown;
  verdicts.take(
    (each) => {
      answers = { number: each.number, decidedMs: each.decidedMs, decided: decidedOf(each) };
    },
    () => {},
  );
  return answers;
}

describe("a batch", () => {
  test("is decided as if it had been put into the core directly", () => {
    const { dataplane } = firewall();
    const { batch } = dataplane;
    for (const { frame, ingress, cookie } of TRAFFIC)
      batch.addFrom(frame, 0, frame.length, frame.length, ingress, 0, L.DF_IDS, cookie);
    const outputs = dataplane.process(1000);
    const decided = Array.from({ length: outputs }, (_, i) => ({
      cookie: batch.cookie(i),
      hasPassed: batch.verdict(i) === "pass",
      reason: batch.reasonCode(i),
      isDeferred: batch.isDeferred(i),
      session: batch.session(i),
    }));
    expect(outputs).toBe(TRAFFIC.length);
    expect(new Set(decided.map(({ session }) => session)).size).toBe(3);
    const answers = answersOf(TRAFFIC, (batches) => {
      for (const each of TRAFFIC) expect(put(batches, each)).toBe(true);
    });
    expect(answers).toEqual({ number: 1, decidedMs: 1000.25, decided });
  });

  test("may be copied as one block", () => {
    const descriptors = new Uint8Array(TRAFFIC.length * L.DESC_SIZE);
    const view = new DataView(descriptors.buffer);
    const bytes = new Uint8Array(TRAFFIC.length * 256);
    for (const [i, { frame, ingress, cookie }] of TRAFFIC.entries()) {
      const at = i * L.DESC_SIZE;
      bytes.set(frame, i * 256);
      view.setUint32(at + L.D_OFFSET, i * 256, true);
      view.setUint32(at + L.D_CAPTURED, frame.length, true);
      view.setUint32(at + L.D_WIRE, frame.length, true);
      view.setUint8(at + L.D_INGRESS, ingress);
      view.setUint8(at + L.D_FLAGS, L.DF_IDS);
      view.setUint32(at + L.D_COOKIE, cookie, true);
    }
    const one = answersOf(TRAFFIC, (batches) => expect(batches.load(descriptors, bytes)).toBe(true));
    const other = answersOf(TRAFFIC, (batches) => {
      for (const each of TRAFFIC) put(batches, each);
    });
    expect(one).toEqual(other);
  });

  const shape: BatchShape = { frames: 2, bytes: 256 };
  const filled = (...lengths: number[]): boolean[] => {
    const batches = new BatchWriter(newPacketRing(1, shape), shape);
    batches.open();
    return lengths.map((length) => batches.add(new Uint8Array(length), 0, length, length, 1, 0, 0, 0));
  };

  test("takes no more frames, and no more bytes, than its shape says", () => {
    expect(filled(10, 10, 10)).toEqual([true, true, false]);
    expect(filled(257, 256, 1)).toEqual([false, true, false]);
    expect(filled(192, 65, 64)).toEqual([true, false, true]);
    const batches = new BatchWriter(newPacketRing(1, shape), shape);
    expect(batches.add(new Uint8Array(1), 0, 1, 1, 1, 0, 0, 0)).toBe(false);
    batches.open();
    expect(batches.load(new Uint8Array(3 * L.DESC_SIZE), new Uint8Array(1))).toBe(false);
    expect(batches.load(new Uint8Array(L.DESC_SIZE), new Uint8Array(257))).toBe(false);
    expect(batches.load(new Uint8Array(L.DESC_SIZE), new Uint8Array(256))).toBe(true);
    expect(batches.load(new Uint8Array(L.DESC_SIZE), new Uint8Array(256))).toBe(false);
  });
});

test("releases come by the way of the verdicts, in order, as many as fit into a slot", () => {
  const { writer, verdicts } = ringed(2);
  const all = Array.from(
    { length: 500 },
    (_, i): Release => ({
      cookie: (0xffffffff - i) >>> 0,
      isAcknowledged: i % 3 === 0,
      atMs: i + 0.5,
    }),
  );
  const first = writer.writeReleases(all);
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(all.length);
  const second = writer.writeReleases(all.slice(first));
  expect(writer.hasRoom()).toBe(false);
  expect([writer.writeReleases(all), writer.writeReleases([])]).toEqual([0, 0]);
  const taken: Release[] = [];
  const take = (): boolean =>
    verdicts.take(
      () => {
        throw new Error("there are no verdicts");
      },
      (release) => taken.push(release),
    );
  expect([take(), take(), take()]).toEqual([true, true, false]);
  expect(taken).toEqual(all.slice(0, first + second));
});

describe("a datagram", () => {
  const ring = () => {
    const memory = newDatagramRing(2);
    return { writer: new RingWriter(memory), reader: new RingReader(memory) };
  };
  const random = seededRandom(3);
  const datagram = (length: number, source: number | bigint, destination: number | bigint): Datagram => ({
    source,
    destination,
    ttl: random() & 255,
    protocol: 17,
    sourcePort: random() & 0xffff,
    port: random() & 0xffff,
    payload: Uint8Array.from({ length }, () => random() & 255),
  });

  test("of either family and any length comes out as it went in, with its network", () => {
    const { writer, reader } = ring();
    const v6 = 0x20010db8_00000000_00000000_00000001n;
    for (let length = 0; length <= 1500; length += 100) {
      const four = datagram(length, 0xc0000201, 0xe0000002);
      const six = datagram(length, v6, (1n << 128n) - 1n);
      expect([writeDatagram(writer, 1, four), writeDatagram(writer, 63, six)]).toEqual([true, true]);
      expect(writeDatagram(writer, 2, four)).toBe(false);
      expect(readDatagram(reader)).toEqual({ network: 1, datagram: four });
      expect(readDatagram(reader)).toEqual({ network: 63, datagram: six });
      expect(readDatagram(reader)).toBeUndefined();
    }
    expect(writer.refused).toBe(16);
  });

  test("that no network carries is not taken", () => {
    const { writer, reader } = ring();
    expect(writeDatagram(writer, 0, datagram(1501, 1, 2))).toBe(false);
    expect(readDatagram(reader)).toBeUndefined();
  });

  test("is the reader's own when its slot is used again", () => {
    const { writer, reader } = ring();
    const sent = datagram(64, 1, 2);
    writeDatagram(writer, 0, sent);
    const received = readDatagram(reader)!;
    for (let i = 0; i < 4; i++) {
      writeDatagram(writer, 0, datagram(64, 3, 4));
      readDatagram(reader);
    }
    expect(received.datagram.payload).toEqual(sent.payload);
    expect(received.datagram.payload.buffer).not.toBeInstanceOf(SharedArrayBuffer);
  });
});
