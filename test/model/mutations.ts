/** What a fault or an attacker makes of a sound packet: every field of every header, lengths, checksums. */
import { repairChecksums } from "../support/frames.js";
import type { Random } from "./random.js";

/** Changes the packet in place, or returns another one in its place. */
type Mutation = (r: Random, packet: Uint8Array) => Uint8Array | undefined;

const MARTIANS4 = [
  [0, 0, 0, 0],
  [0, 1, 2, 3],
  [127, 0, 0, 1],
  [169, 254, 1, 1],
  [224, 0, 0, 9],
  [239, 1, 1, 1],
  [240, 0, 0, 1],
  [255, 255, 255, 255],
  [192, 0, 2, 77],
  [203, 0, 113, 5],
];
const MARTIANS6 = [
  new Array<number>(16).fill(0),
  [...new Array<number>(15).fill(0), 1],
  [...new Array<number>(10).fill(0), 255, 255, 10, 1, 0, 10],
  [...new Array<number>(12).fill(0), 10, 1, 0, 10],
  [0xfe, 0x80, ...new Array<number>(13).fill(0), 5],
  [0xff, 0x02, ...new Array<number>(13).fill(0), 1],
  [0xff, 0x0e, ...new Array<number>(13).fill(0), 1],
  [0x20, 0x01, 0x0d, 0xb8, 0, 0x99, ...new Array<number>(9).fill(0), 5],
];

const isV6 = (packet: Uint8Array): boolean => packet[0]! >> 4 === 6;
const headerOf = (packet: Uint8Array): number => (isV6(packet) ? 40 : (packet[0]! & 15) * 4);

/** Sets a byte of the transport header, if it is there. */
function setTransport(packet: Uint8Array, at: number, value: number): void {
  const where = headerOf(packet) + at;
  if (where < packet.length) packet[where] = value;
}

function setAddress(r: Random, packet: Uint8Array, destination: boolean): void {
  const v6 = isV6(packet);
  const at = (v6 ? 8 : 12) + (destination ? (v6 ? 16 : 4) : 0);
  const length = v6 ? 16 : 4;
  const other = (v6 ? 24 : 16) - (destination ? length : 0);
  if (r.chance(0.4)) packet.set(r.pick(v6 ? MARTIANS6 : MARTIANS4), at);
  else if (r.chance(0.3)) packet.set(packet.slice(other, other + length), at);
  else packet[at + length - 1] = r.pick([0, 1, 2, 10, 11, 255, r.int(256)]);
}

/** Each is followed by right checksums. */
const REPAIRED: Mutation[] = [
  (r, packet) => void setAddress(r, packet, false),
  (r, packet) => void setAddress(r, packet, true),
  // Ports, or type and code.
  (r, packet) => void setTransport(packet, r.int(4), r.u32()),
  (_, packet) => {
    setTransport(packet, 0, 0);
    setTransport(packet, 1, 0);
  },
  (_, packet) => {
    setTransport(packet, 2, 0);
    setTransport(packet, 3, 0);
  },
  // Sequence number, acknowledgement; length; identifier.
  (r, packet) => void setTransport(packet, r.between(4, 11), r.u32()),
  // Data offset, flags, window.
  (r, packet) => void setTransport(packet, 12, r.pick([0, 0x40, 0x60, 0xf0, r.u32()])),
  (r, packet) => void setTransport(packet, 13, r.u32()),
  (r, packet) => void setTransport(packet, r.between(14, 15), r.u32()),
  // TTL, protocol, type of service.
  (r, packet) => {
    packet[isV6(packet) ? 7 : 8] = r.pick([0, 1, 1, 2, 255]);
  },
  (r, packet) => {
    packet[isV6(packet) ? 6 : 9] = r.pick([0, 1, 2, 6, 17, 43, 44, 47, 50, 58, 59, 60, r.int(256)]);
  },
  (r, packet) => {
    packet[1] = r.u32();
  },
  // Version, header length, total length.
  (r, packet) => {
    packet[0] = r.pick([0x45, 0x44, 0x46, 0x4f, 0x55, 0x65, 0x05, 0x60]);
  },
  (r, packet) => {
    packet[r.chance(0.7) ? (isV6(packet) ? 5 : 3) : isV6(packet) ? 4 : 2] = r.u32();
  },
  // Fragment bits where there are none.
  (r, packet) => {
    if (!isV6(packet)) packet[r.between(6, 7)] = r.pick([0x20, 0x40, 0x80, 1, 2, 0x1f]);
  },
  // A byte anywhere in the headers.
  (r, packet) => {
    packet[r.int(Math.min(packet.length, 80))] = r.u32();
  },
  // Cut on the wire.
  (r, packet) => packet.slice(0, r.int(packet.length)),
];

/** The checksums are what goes wrong. */
const BROKEN: Mutation[] = [
  (r, packet) => {
    packet[r.int(packet.length)]! ^= 1 << r.int(8);
  },
  (r, packet) => {
    if (!isV6(packet)) packet[r.between(10, 11)] = r.u32();
  },
  (r, packet) => {
    const protocol = packet[isV6(packet) ? 6 : 9]!;
    setTransport(packet, protocol === 6 ? 16 : protocol === 17 ? 6 : 2, r.u32());
  },
];

/** A changed copy. */
export function mutate(r: Random, packet: Uint8Array): Uint8Array {
  const copy = packet.slice();
  if (copy.length === 0) return copy;
  if (r.chance(0.25)) return r.pick(BROKEN)(r, copy) ?? copy;
  const changed = r.pick(REPAIRED)(r, copy) ?? copy;
  if (changed.length >= 20 && r.chance(0.95)) repairChecksums(changed);
  return changed;
}
