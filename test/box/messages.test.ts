/** What the two threads of a live box tell each other arrives as it was said. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import {
  newMessageRing,
  readToControl,
  readToDataplane,
  REPORT_CAUSES,
  type ToControl,
  type ToDataplane,
  writeToControl,
  writeToDataplane,
} from "../../src/live/messages.js";
import { RingReader, RingWriter } from "../../src/ring.js";

const number = fc.integer({ min: 1, max: L.INTERFACES_MAX - 1 });
const frame = fc.uint8Array({ minLength: 14, maxLength: 1600 });
const address = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
);
const mac = fc.constantFrom("0000.0c07.ac01", "0200.0001.0002", "ffff.ffff.fffe");

const toDataplane: fc.Arbitrary<ToDataplane> = fc.oneof(
  fc.record({ kind: fc.constant("transmit" as const), interface: number, frame, isForwarded: fc.boolean() }),
  fc.record({
    kind: fc.constant("neighbor" as const),
    interface: number,
    address,
    mac: fc.option(mac, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("station" as const), interface: number, mac, isOwned: fc.boolean() }),
  fc.constant({ kind: "resume" as const }),
  fc.record({ kind: fc.constant("patience" as const), stallMs: fc.nat() }),
  fc.record({
    kind: fc.constant("sessions" as const),
    input: fc.oneof(
      fc.record({ kind: fc.constant("frame" as const), bytes: frame }),
      fc.record({
        kind: fc.constant("activate" as const),
        generation: fc.nat(),
        hasRival: fc.boolean(),
      }),
      fc.constant({ kind: "deactivate" as const }),
      fc.record({ kind: fc.constant("drain" as const), isDraining: fc.boolean() }),
    ),
  }),
);

const toControl: fc.Arbitrary<ToControl> = fc.oneof(
  fc.record({
    kind: fc.constant("local" as const),
    interface: number,
    networkOffset: fc.integer({ min: 14, max: 26 }),
    frame,
  }),
  fc.record({ kind: fc.constant("resolve" as const), interface: number, nextHop: address, frame }),
  fc.record({
    kind: fc.constant("report" as const),
    interface: number,
    networkOffset: fc.integer({ min: 14, max: 26 }),
    cause: fc.constantFrom(...REPORT_CAUSES),
    mtu: fc.integer({ min: 0, max: 65535 }),
    frame,
  }),
  fc.record({ kind: fc.constant("stalled" as const), pauseMs: fc.nat() }),
  fc.record({
    kind: fc.constant("sessions" as const),
    action: fc.oneof(
      fc.record({ kind: fc.constant("send" as const), bytes: frame }),
      fc.record({ kind: fc.constant("bulkTaken" as const), isRight: fc.boolean() }),
      fc.constant({ kind: "drained" as const }),
    ),
  }),
);

function passes<M>(
  messages: fc.Arbitrary<M>,
  write: (ring: RingWriter, message: M) => boolean,
  read: (ring: RingReader) => M | undefined,
): void {
  const memory = newMessageRing(8);
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  fc.assert(
    fc.property(fc.array(messages, { minLength: 1, maxLength: 8 }), (sent) => {
      for (const message of sent) expect(write(writer, message)).toBe(true);
      for (const message of sent) expect(read(reader)).toEqual(message);
      expect(read(reader)).toBeUndefined();
    }),
  );
}

describe("messages", () => {
  test("for the dataplane arrive in their order", () =>
    passes(toDataplane, writeToDataplane, readToDataplane));
  test("for the machines arrive in their order", () => passes(toControl, writeToControl, readToControl));

  test("the largest frame fits, a larger one is refused", () => {
    const memory = newMessageRing(1);
    const writer = new RingWriter(memory);
    const local = (length: number): ToControl => ({
      kind: "local",
      interface: 1,
      networkOffset: 14,
      frame: new Uint8Array(length),
    });
    expect(writeToControl(writer, local(L.FRAME_MAX + 1))).toBe(false);
    expect(writeToControl(writer, local(L.FRAME_MAX))).toBe(true);
  });

  test("a full ring refuses", () => {
    const writer = new RingWriter(newMessageRing(1));
    expect(writeToDataplane(writer, { kind: "resume" })).toBe(true);
    expect(writeToDataplane(writer, { kind: "resume" })).toBe(false);
    expect(writer.refused).toBe(1);
  });
});
