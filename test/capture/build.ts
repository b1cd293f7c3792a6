/** Builds capture files byte by byte, in either byte order, without using anything of what is tested. */

const NOTHING: Uint8Array = new Uint8Array(0);

export type Order = "little" | "big";
export const ORDERS: readonly Order[] = ["little", "big"];

export function u8(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function u16(value: number, order: Order): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value, order === "little");
  return bytes;
}

export function u32(value: number, order: Order): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, order === "little");
  return bytes;
}

export function i64(value: bigint, order: Order): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, order === "little");
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function pad4(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));
}

/** `length` bytes that differ from packet to packet. */
export function payload(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 31 + 1) & 0xff);
}

export const PCAP_MAGIC = {
  microseconds: 0xa1b2c3d4,
  nanoseconds: 0xa1b23c4d,
  modified: 0xa1b2cd34,
} as const;

export function pcapHeader(
  order: Order,
  { magic = PCAP_MAGIC.microseconds as number, linkType = 1, snapLength = 65_535, major = 2, minor = 4 } = {},
): Uint8Array {
  return concat(
    u32(magic, order),
    u16(major, order),
    u16(minor, order),
    u32(0, order),
    u32(0, order),
    u32(snapLength, order),
    u32(linkType, order),
  );
}

export function pcapRecord(
  order: Order,
  seconds: number,
  fraction: number,
  data: Uint8Array,
  { captured = data.length, wire = data.length, more = NOTHING } = {},
): Uint8Array {
  return concat(
    u32(seconds, order),
    u32(fraction, order),
    u32(captured, order),
    u32(wire, order),
    more,
    data,
  );
}

export function block(
  order: Order,
  type: number,
  body: Uint8Array,
  { front = -1, behind = -1 } = {},
): Uint8Array {
  const length = 12 + Math.ceil(body.length / 4) * 4;
  return concat(
    u32(type, order),
    u32(front < 0 ? length : front, order),
    pad4(body),
    u32(behind < 0 ? length : behind, order),
  );
}

export function option(order: Order, code: number, value: Uint8Array, length = value.length): Uint8Array {
  return concat(u16(code, order), u16(length, order), pad4(value));
}

export const END_OF_OPTIONS = new Uint8Array(4);

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function sectionHeader(
  order: Order,
  { major = 1, minor = 0, magic = 0x1a2b3c4d, options = NOTHING } = {},
): Uint8Array {
  const body = concat(u32(magic, order), u16(major, order), u16(minor, order), i64(-1n, order), options);
  return block(order, 0x0a0d0d0a, body);
}

export function interfaceBlock(
  order: Order,
  linkType = 1,
  snapLength = 0,
  ...options: readonly Uint8Array[]
): Uint8Array {
  return block(order, 1, concat(u16(linkType, order), u16(0, order), u32(snapLength, order), ...options));
}

export function ticks(value: bigint): { high: number; low: number } {
  return { high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) };
}

export function enhancedPacket(
  order: Order,
  interfaceNumber: number,
  time: bigint,
  data: Uint8Array,
  { captured = data.length, wire = data.length, options = NOTHING } = {},
): Uint8Array {
  const { high, low } = ticks(time);
  return block(
    order,
    6,
    concat(
      u32(interfaceNumber, order),
      u32(high, order),
      u32(low, order),
      u32(captured, order),
      u32(wire, order),
      pad4(data),
      options,
    ),
  );
}

export function obsoletePacket(
  order: Order,
  interfaceNumber: number,
  time: bigint,
  data: Uint8Array,
  options = NOTHING,
): Uint8Array {
  const { high, low } = ticks(time);
  return block(
    order,
    2,
    concat(
      u16(interfaceNumber, order),
      u16(0xffff, order),
      u32(high, order),
      u32(low, order),
      u32(data.length, order),
      u32(data.length, order),
      pad4(data),
      options,
    ),
  );
}

export function simplePacket(order: Order, wire: number, data: Uint8Array): Uint8Array {
  return block(order, 3, concat(u32(wire, order), data));
}

/**
 * Blocks that say nothing about packets: name resolution, statistics, custom (both kinds), and one unheard
 * of.
 */
export function otherBlocks(order: Order): Uint8Array[] {
  return [4, 5, 0xbad, 0x4000_0bad, 0x7777_7777].map((type, i) => block(order, type, payload(4 * i, type)));
}
