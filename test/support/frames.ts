/**
 * Frames for tests: Ethernet, VLAN tags, IPv4, IPv6 with extension headers, TCP, UDP, ICMP. Lengths and checksums are
 * right unless a test gives its own. Addresses are values (src/ip.ts) or text.
 */
import { type Address, parseAddress } from "../../src/ip.js";

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, none: 59, sctp: 132 } as const;
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd, vlan: 0x8100, qinq: 0x88a8 } as const;
export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

/** A transport header with its payload; the IP header fills in the checksum. */
export interface Segment {
  protocol: number;
  bytes: Uint8Array;
  /** Offset of a checksum that is still to be computed. */
  checksumAt?: number;
  /** It covers the pseudo header; undefined: in IPv6 only (ICMP). */
  pseudoHeader?: boolean;
}

const EMPTY = new Uint8Array(0);

function address(value: Address | string): Address {
  if (typeof value !== "string") return value;
  const parsed = parseAddress(value);
  if (parsed === undefined) throw new Error(`no address: ${value}`);
  return parsed;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value);
}

function put128(bytes: Uint8Array, at: number, value: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  view.setBigUint64(0, value >> 64n);
  view.setBigUint64(8, value & 0xffffffffffffffffn);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The Internet checksum of `bytes` [1071], on top of a sum that was begun before. */
export function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1]! << 8;
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export interface TcpFields {
  sourcePort: number;
  destinationPort: number;
  seq?: number;
  ack?: number;
  flags?: number;
  window?: number;
  urgent?: number;
  /** Padded to a multiple of four. */
  options?: ArrayLike<number>;
  payload?: Uint8Array;
  /** In words; default: as the options need. */
  dataOffset?: number;
}

export function tcp(fields: TcpFields): Segment {
  const { options = [], payload = EMPTY } = fields;
  const headerLength = 20 + Math.ceil(options.length / 4) * 4;
  const bytes = new Uint8Array(headerLength + payload.length);
  put16(bytes, 0, fields.sourcePort);
  put16(bytes, 2, fields.destinationPort);
  put32(bytes, 4, fields.seq ?? 0);
  put32(bytes, 8, fields.ack ?? 0);
  bytes[12] = (fields.dataOffset ?? headerLength / 4) << 4;
  bytes[13] = fields.flags ?? FLAG.syn;
  put16(bytes, 14, fields.window ?? 65535);
  put16(bytes, 18, fields.urgent ?? 0);
  bytes.set(options, 20);
  bytes.set(payload, headerLength);
  return { protocol: PROTOCOL.tcp, bytes, checksumAt: 16, pseudoHeader: true };
}

/** TCP options, to be joined in any order. */
export const tcpOption = {
  mss: (value: number): number[] => [2, 4, value >> 8, value & 255],
  windowScale: (shift: number): number[] => [1, 3, 3, shift],
  sackPermitted: (): number[] => [1, 1, 4, 2],
  timestamps: (value: number, echo: number): number[] => [1, 1, 8, 10, ...bytes32(value), ...bytes32(echo)],
  /** Left and right edges. */
  sack: (...edges: number[]): number[] => [1, 1, 5, 2 + edges.length * 4, ...edges.flatMap(bytes32)],
};

function bytes32(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export interface UdpFields {
  sourcePort: number;
  destinationPort: number;
  payload?: Uint8Array;
  length?: number;
  /** 0: none. */
  checksum?: number;
}

export function udp(fields: UdpFields): Segment {
  const { payload = EMPTY } = fields;
  const bytes = new Uint8Array(8 + payload.length);
  put16(bytes, 0, fields.sourcePort);
  put16(bytes, 2, fields.destinationPort);
  put16(bytes, 4, fields.length ?? bytes.length);
  bytes.set(payload, 8);
  if (fields.checksum === undefined)
    return { protocol: PROTOCOL.udp, bytes, checksumAt: 6, pseudoHeader: true };
  put16(bytes, 6, fields.checksum);
  return { protocol: PROTOCOL.udp, bytes };
}

export interface IcmpFields {
  type: number;
  code?: number;
  /** Of a query; in an error the upper half of the unused word. */
  identifier?: number;
  sequence?: number;
  /** Data of a query, quoted packet of an error. */
  payload?: Uint8Array;
}

function icmpOf(protocol: number, fields: IcmpFields): Segment {
  const { payload = EMPTY } = fields;
  const bytes = new Uint8Array(8 + payload.length);
  bytes[0] = fields.type;
  bytes[1] = fields.code ?? 0;
  put16(bytes, 4, fields.identifier ?? 0);
  put16(bytes, 6, fields.sequence ?? 0);
  bytes.set(payload, 8);
  return { protocol, bytes, checksumAt: 2 };
}

export const icmp = (fields: IcmpFields): Segment => icmpOf(PROTOCOL.icmp, fields);
export const icmp6 = (fields: IcmpFields): Segment => icmpOf(PROTOCOL.icmp6, fields);

/** Any protocol, bytes as they are. */
export function raw(protocol: number, bytes: Uint8Array = EMPTY): Segment {
  return { protocol, bytes };
}

export interface Ipv4Fields {
  source: Address | string;
  destination: Address | string;
  ttl?: number;
  tos?: number;
  id?: number;
  /** In bytes. */
  offset?: number;
  moreFragments?: boolean;
  dontFragment?: boolean;
  /** Padded to a multiple of four with END. */
  options?: ArrayLike<number>;
  protocol?: number;
  version?: number;
  headerWords?: number;
  totalLength?: number;
  checksum?: number;
}

/** An IPv4 packet around a segment. The segment's checksum is filled in, in place. */
export function ipv4(fields: Ipv4Fields, segment: Segment): Uint8Array {
  const { options = [] } = fields;
  const headerLength = 20 + Math.ceil(options.length / 4) * 4;
  const bytes = new Uint8Array(headerLength + segment.bytes.length);
  bytes[0] = ((fields.version ?? 4) << 4) | (fields.headerWords ?? headerLength / 4);
  bytes[1] = fields.tos ?? 0;
  put16(bytes, 2, fields.totalLength ?? bytes.length);
  put16(bytes, 4, fields.id ?? 0);
  const flags = (fields.moreFragments ? 0x2000 : 0) | (fields.dontFragment ? 0x4000 : 0);
  put16(bytes, 6, flags | ((fields.offset ?? 0) >> 3));
  bytes[8] = fields.ttl ?? 64;
  bytes[9] = fields.protocol ?? segment.protocol;
  put32(bytes, 12, address(fields.source) as number);
  put32(bytes, 16, address(fields.destination) as number);
  bytes.set(options, 20);
  put16(bytes, 10, fields.checksum ?? checksum(bytes.subarray(0, headerLength)));
  fillChecksum(segment, bytes.subarray(12, 20), segment.pseudoHeader === true);
  bytes.set(segment.bytes, headerLength);
  return bytes;
}

function fillChecksum(segment: Segment, addresses: Uint8Array, pseudoHeader: boolean): void {
  const { checksumAt, bytes, protocol } = segment;
  if (checksumAt === undefined) return;
  put16(bytes, checksumAt, 0);
  let start = 0;
  if (pseudoHeader) start = (~checksum(addresses) & 0xffff) + protocol + bytes.length;
  const sum = checksum(bytes, start);
  put16(bytes, checksumAt, sum === 0 && protocol === PROTOCOL.udp ? 0xffff : sum);
}

/** One IPv6 extension header: everything behind the next-header byte, whose length byte is the caller's own. */
export interface Extension {
  type: number;
  body: ArrayLike<number>;
}

/** Extension headers with right lengths. */
export const extension = {
  /** `options`: type, length, value; padded to a multiple of eight. */
  hopByHop: (options: number[] = []): Extension => ({ type: 0, body: optionsBody(options) }),
  destination: (options: number[] = []): Extension => ({ type: 60, body: optionsBody(options) }),
  routing: (type: number, segmentsLeft: number, addresses = 1): Extension => ({
    type: 43,
    body: [addresses * 2, type, segmentsLeft, 0, 0, 0, 0, ...new Array<number>(addresses * 16).fill(0)],
  }),
  fragment: (id: number, offset: number, more: boolean): Extension => ({
    type: 44,
    body: [0, offset >> 8, (offset & 0xf8) | (more ? 1 : 0), ...bytes32(id)],
  }),
  authentication: (): Extension => ({ type: 51, body: [4, ...new Array<number>(22).fill(0)] }),
  mobility: (type: number): Extension => ({ type: 135, body: [0, type, 0, 0, 0, 0, 0] }),
};

function optionsBody(options: number[]): number[] {
  const length = Math.ceil((options.length + 2) / 8) * 8;
  const padding = length - 2 - options.length;
  const pad =
    padding === 1 ? [0] : padding > 1 ? [1, padding - 2, ...new Array<number>(padding - 2).fill(0)] : [];
  return [length / 8 - 1, ...options, ...pad];
}

export interface Ipv6Fields {
  source: Address | string;
  destination: Address | string;
  hopLimit?: number;
  trafficClass?: number;
  flowLabel?: number;
  extensions?: Extension[];
  protocol?: number;
  version?: number;
  payloadLength?: number;
}

/** An IPv6 packet around a segment; as `ipv4`. */
export function ipv6(fields: Ipv6Fields, segment: Segment): Uint8Array {
  const { extensions = [] } = fields;
  const chain = extensions.reduce((length, { body }) => length + 1 + body.length, 0);
  const bytes = new Uint8Array(40 + chain + segment.bytes.length);
  put32(
    bytes,
    0,
    ((fields.version ?? 6) << 28) | ((fields.trafficClass ?? 0) << 20) | (fields.flowLabel ?? 0),
  );
  put16(bytes, 4, fields.payloadLength ?? bytes.length - 40);
  bytes[7] = fields.hopLimit ?? 64;
  put128(bytes, 8, address(fields.source) as bigint);
  put128(bytes, 24, address(fields.destination) as bigint);
  let nextAt = 6;
  let at = 40;
  for (const { type, body } of extensions) {
    bytes[nextAt] = type;
    nextAt = at;
    bytes.set(body, at + 1);
    at += 1 + body.length;
  }
  bytes[nextAt] = fields.protocol ?? segment.protocol;
  fillChecksum(segment, bytes.subarray(8, 40), segment.pseudoHeader !== false);
  bytes.set(segment.bytes, at);
  return bytes;
}

/** The fields that both families have. */
export interface IpFields {
  source: Address | string;
  destination: Address | string;
  /** Hop limit. */
  ttl?: number;
  /** Traffic class. */
  tos?: number;
  /** IPv4 identification. */
  id?: number;
}

/** The packet of the family that the source address is of. */
export function ip(fields: IpFields, segment: Segment): Uint8Array {
  const source = address(fields.source);
  if (typeof source === "number") return ipv4({ ...fields, source }, segment);
  return ipv6({ ...fields, source, hopLimit: fields.ttl, trafficClass: fields.tos }, segment);
}

export interface EthernetFields {
  destination?: ArrayLike<number>;
  source?: ArrayLike<number>;
  type?: number;
  /** VLAN ids, outermost first; all with type 0x8100 unless `tagTypes` says otherwise. */
  tags?: number[];
  tagTypes?: number[];
  /** Bytes behind the packet. */
  trailer?: Uint8Array;
}

export const MAC_A = [0x02, 0, 0, 0, 0, 0x0a];
export const MAC_B = [0x02, 0, 0, 0, 0, 0x0b];

/** A frame around a packet; the type follows the packet's version unless it is given. */
export function ethernet(packet: Uint8Array, fields: EthernetFields = {}): Uint8Array {
  const { tags = [], trailer = EMPTY } = fields;
  const header = 14 + tags.length * 4;
  const bytes = new Uint8Array(header + packet.length + trailer.length);
  bytes.set(fields.destination ?? MAC_A, 0);
  bytes.set(fields.source ?? MAC_B, 6);
  let at = 12;
  tags.forEach((vlan, i) => {
    put16(bytes, at, fields.tagTypes?.[i] ?? ETHERTYPE.vlan);
    put16(bytes, at + 2, vlan);
    at += 4;
  });
  put16(bytes, at, fields.type ?? (packet[0]! >> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4));
  bytes.set(packet, header);
  bytes.set(trailer, header + packet.length);
  return bytes;
}

/** Cuts an IPv4 packet without options into fragments whose payloads end at `cuts` (multiples of 8) and at the end. */
export function fragmentsOf4(packet: Uint8Array, id: number, cuts: number[]): Uint8Array[] {
  const payload = packet.subarray(20);
  const ends = [...cuts, payload.length];
  return ends.map((end, i) => {
    const offset = i === 0 ? 0 : ends[i - 1]!;
    const fragment = concat(packet.subarray(0, 20), payload.subarray(offset, end));
    put16(fragment, 2, fragment.length);
    put16(fragment, 4, id);
    put16(fragment, 6, (end < payload.length ? 0x2000 : 0) | (offset >> 3));
    put16(fragment, 10, 0);
    put16(fragment, 10, checksum(fragment.subarray(0, 20)));
    return fragment;
  });
}

/** The same for an IPv6 packet: everything behind its 40 bytes is cut. */
export function fragmentsOf6(packet: Uint8Array, id: number, cuts: number[]): Uint8Array[] {
  const payload = packet.subarray(40);
  const ends = [...cuts, payload.length];
  return ends.map((end, i) => {
    const offset = i === 0 ? 0 : ends[i - 1]!;
    const header = [packet[6]!, ...Array.from(extension.fragment(id, offset, end < payload.length).body)];
    const fragment = concat(packet.subarray(0, 40), Uint8Array.from(header), payload.subarray(offset, end));
    put16(fragment, 4, fragment.length - 40);
    fragment[6] = 44;
    return fragment;
  });
}

/**
 * Puts the right checksum into an IPv4 header and, where the packet is no fragment and has no extension headers, into
 * its TCP, UDP or ICMP.
 */
export function repairChecksums(packet: Uint8Array): void {
  const version = packet[0]! >> 4;
  const header = version === 6 ? 40 : (packet[0]! & 15) * 4;
  if (header < 20 || header > packet.length) return;
  if (version === 4) {
    put16(packet, 10, 0);
    put16(packet, 10, checksum(packet.subarray(0, header)));
    if ((packet[6]! & 0x3f) !== 0 || packet[7] !== 0) return;
  }
  const protocol = packet[version === 6 ? 6 : 9]!;
  const icmpOfFamily = version === 6 ? PROTOCOL.icmp6 : PROTOCOL.icmp;
  const checksumAt = { [PROTOCOL.tcp]: 16, [PROTOCOL.udp]: 6, [icmpOfFamily]: 2 }[protocol];
  const bytes = packet.subarray(header);
  if (checksumAt === undefined || bytes.length < checksumAt + 2) return;
  const addresses = version === 6 ? packet.subarray(8, 40) : packet.subarray(12, 20);
  fillChecksum({ protocol, bytes, checksumAt }, addresses, protocol !== PROTOCOL.icmp);
}
