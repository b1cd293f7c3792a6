/** From a frame to what the table and TCP need of it, in plain JavaScript, with the checks of the product. */
import * as L from "../../assembly/layout.js";

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const URG = 32;
const TCP = 6;
const UDP = 17;

/** The flags that may stand together, PSH and what is newer ignored. */
const FLAGS_POSSIBLE = Uint8Array.from({ length: 256 }, (_, flags) => {
  const known = flags & (FIN | SYN | RST | ACK | URG);
  const allowed = [SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG];
  return allowed.includes(known) ? 1 : 0;
});

/** Neither sound nor refused: a packet that no benchmark sends. */
export const UNSUPPORTED = L.R_NONE;
export const SOUND = -1;

/** The packet in hand. */
export class Packet {
  network = 0;
  transport = 0;
  protocol = 0;
  v6 = false;
  ttl = 0;
  payload = 0;
  flags = 0;
  options = false;
  /** Sequence numbers as signed 32 bits. */
  seq = 0;
  ack = 0;
  end = 0;
  window = 0;
}

const isNobody = (address: number): boolean =>
  address >>> 24 === 0 || address >>> 24 === 127 || address >>> 16 === 0xa9fe;

function checkSpecial(source: number, destination: number): number {
  if (isNobody(source) || source >>> 0 >= 0xe0000000) return L.R_MARTIAN_SOURCE;
  if (destination === -1) return L.R_BROADCAST;
  if (isNobody(destination) || destination >>> 0 >= 0xf0000000) return L.R_MARTIAN_DESTINATION;
  return destination >>> 0 >= 0xe0000000 ? UNSUPPORTED : SOUND;
}

const isSpecial = (octet: number): boolean => octet >= 224 || octet === 0 || octet === 127 || octet === 169;

/** Parses `captured` of `wire` bytes of an Ethernet frame; a reason, or SOUND. */
export function parseFrame(
  view: DataView,
  frame: number,
  captured: number,
  wire: number,
  flags: number,
  packet: Packet,
): number {
  packet.network = frame;
  packet.protocol = 0;
  if (captured < 14) return L.R_FRAME_TRUNCATED;
  const type = view.getUint16(frame + 12);
  packet.network = frame + 14;
  if (type === 0x0800) return parse4(view, captured - 14, wire - 14, flags, packet);
  if (type === 0x86dd) return parse6(view, captured - 14, wire - 14, flags, packet);
  return type === 0x0806 || type === 0x8100 || type === 0x88a8 || type === 0x9100
    ? UNSUPPORTED
    : L.R_ETHERTYPE;
}

function parse4(view: DataView, available: number, wire: number, flags: number, packet: Packet): number {
  const network = packet.network;
  if (available < 20) return L.R_FRAME_TRUNCATED;
  const first = view.getUint8(network);
  const header = (first & 15) << 2;
  const length = view.getUint16(network + 2);
  if (first >> 4 !== 4 || header < 20 || length < header) return L.R_IP_HEADER;
  if (length > wire) return L.R_IP_LENGTH;
  if (available < header) return L.R_FRAME_TRUNCATED;
  packet.v6 = false;
  packet.ttl = view.getUint8(network + 8);
  packet.protocol = view.getUint8(network + 9);
  if (header !== 20) return UNSUPPORTED;
  if ((flags & L.DF_HEADER_CHECKSUM_OK) === 0 && !headerSound(view, network)) return L.R_IP_CHECKSUM;
  const source = view.getInt32(network + 12);
  const destination = view.getInt32(network + 16);
  if (source === destination) return L.R_LAND;
  if (isSpecial(source >>> 24) || isSpecial(destination >>> 24)) {
    const reason = checkSpecial(source, destination);
    if (reason !== SOUND) return reason;
  }
  if (view.getUint16(network + 6) & 0x3fff) return UNSUPPORTED;
  return parseTransport(view, 20, length, Math.min(available, length), flags, packet);
}

function headerSound(view: DataView, at: number): boolean {
  const a = view.getInt32(at);
  const b = view.getInt32(at + 4);
  const c = view.getInt32(at + 8);
  const d = view.getInt32(at + 12);
  const e = view.getInt32(at + 16);
  let sum = (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16) + (e >>> 16);
  sum += (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff) + (e & 0xffff);
  sum = (sum & 0xffff) + (sum >>> 16);
  return sum === 0xffff || (sum & 0xffff) + (sum >>> 16) === 0xffff;
}

const isNobody6 = (view: DataView, at: number): boolean => {
  if (view.getInt32(at) !== 0 || view.getInt32(at + 4) !== 0) return false;
  const third = view.getInt32(at + 8);
  return third === 0 || third === 0xffff;
};

function parse6(view: DataView, available: number, wire: number, flags: number, packet: Packet): number {
  const network = packet.network;
  if (available < 40) return L.R_FRAME_TRUNCATED;
  if (view.getUint8(network) >> 4 !== 6) return L.R_IP_HEADER;
  const length = 40 + view.getUint16(network + 4);
  if (length > wire) return L.R_IP_LENGTH;
  packet.v6 = true;
  packet.protocol = view.getUint8(network + 6);
  packet.ttl = view.getUint8(network + 7);
  if (packet.protocol !== TCP && packet.protocol !== UDP) return UNSUPPORTED;
  const source = network + 8;
  const destination = network + 24;
  if (sameAddress(view, source, destination)) return L.R_LAND;
  const sourceTop = view.getUint16(source);
  const destinationTop = view.getUint16(destination);
  const toLinkLocal = (destinationTop & 0xffc0) === 0xfe80;
  const toLink = toLinkLocal || destinationTop === 0xff02;
  const fromLink = (sourceTop & 0xffc0) === 0xfe80;
  if (isNobody6(view, source) || sourceTop >> 8 === 0xff || (fromLink && !toLink)) return L.R_MARTIAN_SOURCE;
  if (isNobody6(view, destination)) return L.R_MARTIAN_DESTINATION;
  if (toLink) return toLinkLocal ? L.R_LINK_SCOPE : UNSUPPORTED;
  if (destinationTop === 0xff01) return L.R_MARTIAN_DESTINATION;
  if (destinationTop >> 8 === 0xff) return L.R_MULTICAST;
  return parseTransport(view, 40, length, Math.min(available, length), flags, packet);
}

function sameAddress(view: DataView, a: number, b: number): boolean {
  for (let i = 0; i < 16; i += 4) if (view.getInt32(a + i) !== view.getInt32(b + i)) return false;
  return true;
}

function parseTransport(
  view: DataView,
  header: number,
  length: number,
  available: number,
  flags: number,
  packet: Packet,
): number {
  packet.transport = packet.network + header;
  const verify = (flags & L.DF_CHECKSUM_OK) === 0;
  if (packet.protocol === TCP) return parseTcp(view, length - header, available - header, verify, packet);
  if (packet.protocol === UDP) return parseUdp(view, length - header, available - header, verify, packet);
  return UNSUPPORTED;
}

function parseTcp(
  view: DataView,
  length: number,
  available: number,
  verify: boolean,
  packet: Packet,
): number {
  const at = packet.transport;
  if (length < 20) return L.R_TCP_HEADER;
  if (available < 20) return L.R_FRAME_TRUNCATED;
  const header = (view.getUint8(at + 12) >> 4) << 2;
  if (header < 20 || header > length) return L.R_TCP_HEADER;
  if (available < header) return L.R_FRAME_TRUNCATED;
  if (view.getUint16(at) === 0 || view.getUint16(at + 2) === 0) return L.R_PORT_ZERO;
  const flags = view.getUint8(at + 13);
  if (FLAGS_POSSIBLE[flags] === 0) return L.R_TCP_FLAGS;
  if (verify) return UNSUPPORTED;
  packet.flags = flags;
  packet.seq = view.getInt32(at + 4);
  packet.ack = view.getInt32(at + 8);
  packet.window = view.getUint16(at + 14);
  packet.payload = length - header;
  packet.end = (packet.seq + packet.payload + ((flags >> 1) & 1) + (flags & 1)) | 0;
  packet.options = header !== 20 && !(header === 32 && view.getInt32(at + 20) === 0x0101080a);
  return SOUND;
}

function parseUdp(
  view: DataView,
  length: number,
  available: number,
  verify: boolean,
  packet: Packet,
): number {
  const at = packet.transport;
  if (length < 8) return L.R_UDP_HEADER;
  if (available < 8) return L.R_FRAME_TRUNCATED;
  const datagram = view.getUint16(at + 4);
  if (datagram < 8 || datagram > length) return L.R_UDP_HEADER;
  if (view.getUint16(at) === 0 || view.getUint16(at + 2) === 0) return L.R_PORT_ZERO;
  if (verify) return UNSUPPORTED;
  packet.flags = 0;
  packet.payload = datagram - 8;
  return SOUND;
}
