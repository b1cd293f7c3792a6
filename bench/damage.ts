/**
 * Frames that are not as they should be, one kind in every fourth slot of the ring: what shows that everybody makes the
 * same checks. The other frames stay sound.
 */
import { repairChecksums } from "../test/support/frames.js";
import { INSIDE, OUTSIDE } from "./policy.js";
import { isTcp, isV6, RING_FRAMES, type Ring } from "./ring.js";

const NETWORK = 14;

/** Changes a sound frame. The IPv4 checksum is put right afterwards unless `broken`. */
interface Damage {
  readonly change: (frame: Uint8Array, view: DataView) => void;
  readonly broken?: true;
}

const set8 =
  (at: number, value: number): Damage["change"] =>
  (_, view) =>
    view.setUint8(at, value);
const set16 =
  (at: number, value: number): Damage["change"] =>
  (_, view) =>
    view.setUint16(at, value);
const set32 =
  (at: number, value: number): Damage["change"] =>
  (_, view) =>
    view.setUint32(at, value);
/** Moves a number by `by`. */
const move32 =
  (at: number, by: number): Damage["change"] =>
  (_, view) =>
    view.setUint32(at, view.getUint32(at) + by);

const LINK: readonly Damage[] = [{ change: set16(12, 0x1234) }];

const IPV4: readonly Damage[] = [
  { change: set8(NETWORK, 0x55), broken: true },
  { change: set8(NETWORK, 0x44), broken: true },
  { change: set16(NETWORK + 2, 19), broken: true },
  { change: set16(NETWORK + 2, 1000), broken: true },
  { change: move32(NETWORK + 8, 1), broken: true },
  { change: set8(NETWORK + 8, 1) },
  { change: set8(NETWORK + 8, 0) },
  { change: (frame) => frame.copyWithin(NETWORK + 16, NETWORK + 12, NETWORK + 16) },
  { change: set32(NETWORK + 12, 0x7f000001) },
  { change: set32(NETWORK + 12, 0) },
  { change: set32(NETWORK + 12, 0xa9fe0101) },
  { change: set32(NETWORK + 12, 0xe0000005) },
  { change: set32(NETWORK + 16, 0x7f000001) },
  { change: set32(NETWORK + 16, 0xffffffff) },
  { change: set32(NETWORK + 16, 0xf0000001) },
];

const NOBODY = new Uint8Array(16);

const IPV6: readonly Damage[] = [
  { change: set8(NETWORK, 0x40) },
  { change: set16(NETWORK + 4, 1000) },
  { change: set8(NETWORK + 7, 1) },
  { change: (frame) => frame.copyWithin(NETWORK + 24, NETWORK + 8, NETWORK + 24) },
  { change: (frame) => frame.set(NOBODY, NETWORK + 8) },
  { change: set8(NETWORK + 8, 0xff) },
  { change: set16(NETWORK + 8, 0xfe80) },
  { change: (frame) => frame.set(NOBODY, NETWORK + 24) },
  { change: set16(NETWORK + 24, 0xff05) },
  { change: set16(NETWORK + 24, 0xff01) },
  { change: set16(NETWORK + 24, 0xfe80) },
];

const tcpDamages = (t: number): Damage[] => [
  { change: set16(t, 0) },
  { change: set16(t + 2, 0) },
  { change: set8(t + 12, 0x40) },
  { change: set8(t + 12, 0xf0) },
  { change: set8(t + 13, 0) },
  { change: set8(t + 13, 3) },
  { change: set8(t + 13, 0x29) },
  { change: move32(t + 4, 0x7f000000) },
  { change: move32(t + 4, -0x7f000000) },
  { change: move32(t + 8, 0x70000000) },
  { change: move32(t + 8, -0x70000000) },
];

const udpDamages = (t: number): Damage[] => [
  { change: set16(t, 0) },
  { change: set16(t + 2, 0) },
  { change: set16(t + 4, 7) },
  { change: set16(t + 4, 1000) },
];

/** Damages every fourth frame of the ring, and sends every eighth frame from the wrong side or cut short. */
export function damage(ring: Ring): void {
  const transport = NETWORK + (isV6(ring.protocol) ? 40 : 20);
  const damages = [
    ...LINK,
    ...(isV6(ring.protocol) ? IPV6 : IPV4),
    ...(isTcp(ring.protocol) ? tcpDamages(transport) : udpDamages(transport)),
  ];
  for (let slot = 0; slot < RING_FRAMES; slot++) {
    const turn = slot >> 3;
    if (slot % 8 === 5 && turn % 2 === 0) {
      ring.slots[slot * 2] = 10 + (turn % 60);
    } else if (slot % 8 === 5) {
      ring.slots[slot * 2 + 1]! ^= INSIDE ^ OUTSIDE;
    } else if (slot % 4 === 0) {
      const { change, broken } = damages[(slot >> 2) % damages.length]!;
      const frame = ring.frame(slot);
      change(frame, new DataView(frame.buffer, frame.byteOffset, frame.length));
      if (!broken && !isV6(ring.protocol)) repairChecksums(frame.subarray(NETWORK, NETWORK + 20));
    }
  }
}
