/** UDP, ICMP and other protocols; fragments; what stations of one link say to each other; plain nonsense. */
import {
  concat,
  ethernet,
  extension,
  ETHERTYPE,
  FLAG,
  fragmentsOf4,
  fragmentsOf6,
  icmp,
  icmp6,
  ipv4,
  ipv6,
  raw,
  repairChecksums,
  type Segment,
  tcp,
  udp,
} from "../support/frames.js";
import { parseIpv6 } from "../../src/ip.js";
import type { Conversation, Emission, Host, Ports } from "./endpoint.js";
import type { Random } from "./random.js";

const EMPTY = new Uint8Array(0);
const familyOf = (host: Host): 4 | 6 => (typeof host.address === "number" ? 4 : 6);

export function* udpConversation(r: Random, a: Host, b: Host, ports: Ports): Conversation {
  const there = (): Emission => {
    const payload = r.bytes(r.int(80));
    return {
      from: a,
      to: b,
      segment: udp({ sourcePort: ports.client, destinationPort: ports.server, payload }),
    };
  };
  const back = (): Emission => {
    const payload = r.bytes(r.int(200));
    return {
      from: b,
      to: a,
      segment: udp({ sourcePort: ports.server, destinationPort: ports.client, payload }),
    };
  };
  for (let i = r.between(1, 6); i > 0; i--) {
    yield r.chance(0.6) ? there() : back();
    if (r.chance(0.002)) yield { ...there(), waitMs: r.pick([4999, 5000, 29_999, 30_000, 30_001]) };
  }
  if (r.chance(0.05)) {
    const length = r.pick([0, 7, 8, 9, 5000]);
    const fields = { sourcePort: ports.client, destinationPort: ports.server, payload: r.bytes(4) };
    yield { from: a, to: b, segment: udp({ ...fields, length }) };
  }
  if (r.chance(0.08)) {
    const fields = { sourcePort: ports.client, destinationPort: ports.server, payload: r.bytes(r.int(9)) };
    yield { from: a, to: b, segment: udp({ ...fields, checksum: 0 }) };
  }
}

export function icmpOf(host: Host, type4: number, type6: number, rest: object = {}): Segment {
  return familyOf(host) === 4 ? icmp({ type: type4, ...rest }) : icmp6({ type: type6, ...rest });
}

export function* pingConversation(r: Random, a: Host, b: Host): Conversation {
  const identifier = r.int(40);
  const timestamp = familyOf(a) === 4 && r.chance(0.25);
  const [request, reply] = timestamp ? [13, 14] : [8, 0];
  const payload = timestamp ? r.bytes(12) : r.bytes(r.int(56));
  for (let sequence = r.between(1, 4); sequence > 0; sequence--) {
    const fields = { identifier, sequence, payload };
    yield { from: a, to: b, segment: icmpOf(a, request, 128, fields) };
    if (r.chance(0.85)) yield { from: b, to: a, segment: icmpOf(a, reply, 129, fields) };
    if (r.chance(0.06)) yield { from: b, to: a, segment: icmpOf(a, request, 128, fields) };
    if (r.chance(0.06)) yield { from: a, to: b, segment: icmpOf(a, reply, 129, fields) };
    if (r.chance(0.04)) {
      yield { from: b, to: a, segment: icmpOf(a, reply, 129, { ...fields, identifier: identifier + 1 }) };
    }
    if (r.chance(0.004)) yield { from: a, to: b, segment: icmpOf(a, request, 128, fields), waitMs: 10_000 };
  }
}

/** Other ICMP types, among them the forbidden ones. */
export function* icmpOther(r: Random, a: Host, b: Host): Conversation {
  const types4 = [4, 5, 9, 10, 15, 16, 17, 18, 30, 255];
  const types6 = [0, 5, 100, 127, 137, 138, 144, 155, 200];
  yield {
    from: a,
    to: b,
    segment: icmpOf(a, r.pick(types4), r.pick(types6), { payload: r.bytes(r.int(40)) }),
  };
  if (r.chance(0.1)) {
    // The other family's protocol, or a header that is cut.
    const protocol = r.pick([1, 58]);
    yield { from: a, to: b, segment: raw(protocol, r.bytes(r.int(12))) };
  }
}

/** An ICMP error about a packet that was sent before, true or not quite. */
export function* icmpError(r: Random, quoted: Emission, quote: Uint8Array, router: Host): Conversation {
  const { from, to } = quoted;
  const family = familyOf(from);
  let bytes = quote.slice(0, Math.min(quote.length, r.pick([28, 28, 48, 60, 100, 576])));
  if (r.chance(0.25)) {
    const header = family === 4 ? 20 : 40;
    const at = r.chance(0.6) ? header + r.int(8) : r.int(header + 8);
    if (at < bytes.length) bytes[at] = r.u32();
  }
  if (r.chance(0.05)) bytes = bytes.slice(0, r.int(bytes.length + 1));
  const type = family === 4 ? r.pick([3, 3, 11, 11, 12]) : r.pick([1, 2, 3, 4]);
  const code = r.int(6);
  const sender = r.chance(0.5) ? to : { ...router, interface: to.interface };
  const fields = { type, code, identifier: 0, sequence: type === 3 && code === 4 ? 1400 : 0, payload: bytes };
  const segment = family === 4 ? icmp(fields) : icmp6(fields);
  yield { from: sender, to: r.chance(0.95) ? from : to, segment, ttl: r.chance(0.03) ? 1 : undefined };
}

export function* otherProtocol(r: Random, a: Host, b: Host): Conversation {
  const protocol = r.pick([2, 47, 50, 51, 88, 89, 132, 132, 41, 4, 59, 255, 253]);
  for (let i = r.between(1, 3); i > 0; i--) {
    const [from, to] = r.chance(0.7) ? [a, b] : [b, a];
    yield { from, to, segment: raw(protocol, r.bytes(r.int(40))) };
  }
}

/** One datagram in pieces. */
export function* fragmented(r: Random, a: Host, b: Host, ports: Ports): Conversation {
  const size = r.weighted([
    [5, r.between(24, 200)],
    [2, r.between(200, 1200)],
    [0.05, 9600],
  ]);
  const whole = wholeDatagram(r, a, b, ports, size);
  const header = familyOf(a) === 4 ? 20 : 40;
  const length = whole.length - header;
  const cuts = new Set<number>();
  for (let i = r.between(1, 4); i > 0; i--) {
    const at = r.chance(0.8)
      ? r.between(3, Math.max(3, Math.floor(length / 8) - 1)) * 8
      : 8 * r.between(1, 3);
    if (at < length) cuts.add(at);
  }
  const id = r.int(r.chance(0.5) ? 8 : 0x10000);
  const ends = [...cuts].sort((x, y) => x - y);
  const cut = familyOf(a) === 4 ? fragmentsOf4 : fragmentsOf6;
  let pieces = cut(whole, id, ends);
  if (r.chance(0.5)) pieces = r.shuffle(pieces);
  if (r.chance(0.15)) pieces.splice(r.int(pieces.length), 1);
  if (r.chance(0.12)) pieces.splice(r.int(pieces.length + 1), 0, r.pick(cut(whole, id, ends)));
  if (r.chance(0.15)) pieces.splice(r.int(pieces.length + 1), 0, badPiece(r, a, b, id, length));
  const slow = r.chance(0.01);
  for (const packet of pieces) {
    yield { from: a, to: b, packet, waitMs: slow ? r.pick([500, 999, 1000, 1999, 2000, 3000]) : 0 };
  }
}

function wholeDatagram(r: Random, a: Host, b: Host, ports: Ports, size: number): Uint8Array {
  const { client: sourcePort, server: destinationPort } = ports;
  const segment = r.weighted<() => Segment>([
    [4, () => udp({ sourcePort, destinationPort, payload: r.bytes(size) })],
    [3, () => icmpOf(a, 8, 128, { identifier: r.int(40), payload: r.bytes(size) })],
    [2, () => tcp({ sourcePort, destinationPort, seq: r.u32(), payload: r.bytes(size), flags: FLAG.syn })],
    [1, () => tcp({ sourcePort, destinationPort, seq: r.u32(), payload: r.bytes(size), flags: FLAG.ack })],
    [1, () => raw(r.pick([47, 50, 132]), r.bytes(size))],
    [1, () => udp({ sourcePort: r.int(2), destinationPort, payload: r.bytes(size) })],
  ])();
  const addresses = { source: a.address, destination: b.address };
  if (familyOf(a) === 4) return ipv4({ ...addresses, ttl: r.chance(0.05) ? 1 : 64 }, segment);
  const extensions = r.chance(0.2) ? [extension.destination([5, 2, 0, 0])] : [];
  return ipv6({ ...addresses, extensions, hopLimit: r.chance(0.05) ? 1 : 64 }, segment);
}

/** A fragment that fits nowhere: overlapping, oversize, of a wrong length, empty, atomic. */
function badPiece(r: Random, a: Host, b: Host, id: number, length: number): Uint8Array {
  const offset = r.pick([0, 8, 16, 24, Math.floor(r.int(length + 64) / 8) * 8, 65528, 65512]);
  const moreFragments = r.chance(0.5);
  const data = r.bytes(r.pick([0, 7, 8, 16, 24, 40, 40, 13]));
  const addresses = { source: a.address, destination: b.address };
  const protocol = r.pick([17, 17, 6, 1]);
  if (familyOf(a) === 4) return ipv4({ ...addresses, id, offset, moreFragments }, raw(protocol, data));
  const extensions = [extension.fragment(id, offset, moreFragments)];
  return ipv6({ ...addresses, extensions }, raw(protocol === 1 ? 58 : protocol, data));
}

const GROUPS4 = [0xe0000001, 0xe0000002, 0xe0000012, 0xe00000fb, 0xe0000101, 0xefffffff, 0xffffffff];
const GROUPS6 = [
  "ff02::1",
  "ff02::2",
  "ff02::66",
  "ff02::1:ff00:1",
  "ff05::2",
  "ff01::1",
  "ff0e::5",
  "fe80::77",
].map((text) => parseIpv6(text)!);
const LINK_LOCAL = parseIpv6("fe80::")!;

/** What is meant for the link or for groups: HSRP, routing, neighbour discovery, MLD, broadcasts. */
export function* linkChatter(r: Random, a: Host, b: Host): Conversation {
  const group = r.chance(0.9);
  if (familyOf(a) === 4) {
    const segment = r.chance(0.6)
      ? udp({ sourcePort: 1985, destinationPort: r.pick([1985, 5353, 520]), payload: r.bytes(20) })
      : r.pick([raw(89, r.bytes(30)), raw(2, r.bytes(8)), raw(103, r.bytes(8)), raw(6, r.bytes(20))]);
    yield { from: a, to: { ...b, address: r.pick(GROUPS4) }, segment, group, ttl: r.pick([1, 255, 64]) };
    return;
  }
  const linkLocal = LINK_LOCAL + BigInt(r.between(1, 9));
  const from = { ...a, address: r.pick([a.address, linkLocal, linkLocal, linkLocal, 0n]) };
  const to = { ...b, address: r.chance(0.2) ? b.address : r.pick(GROUPS6) };
  const type = r.pick([133, 134, 135, 135, 136, 136, 137, 130, 131, 132, 143, 128, 1]);
  const segment = r.chance(0.8)
    ? icmp6({ type, payload: r.bytes(r.pick([16, 24, 0])) })
    : r.pick([udp({ sourcePort: 5353, destinationPort: 5353, payload: r.bytes(9) }), raw(89, r.bytes(16))]);
  yield {
    from,
    to,
    segment,
    group: group && to.address >= 0xff00n << 112n,
    ttl: r.pick([255, 255, 255, 1, 64]),
  };
}

/** Frames that are no IP, or hardly. */
export function* nonsense(r: Random, a: Host, b: Host): Conversation {
  const arp = concat(Uint8Array.from([0, 1, 8, 0, 6, 4, 0, 1]), r.bytes(20));
  const frame = r.pick([
    () => ethernet(arp, { type: ETHERTYPE.arp }),
    () =>
      ethernet(r.bytes(r.int(60)), {
        type: r.pick([0x8864, 0x8847, 0x0026, 0x88cc, 0x0800, 0x86dd, 0x05dc]),
      }),
    () => r.bytes(r.int(80)),
    () => ethernet(EMPTY, { type: r.pick([0x0800, 0x86dd, 0x8100]) }),
    () => ethernet(r.bytes(r.int(6)), { type: 0x8100 }),
    () => ethernet(bytesLikeIp(r), { type: r.pick([0x0800, 0x86dd]) }),
  ])();
  yield { from: a, to: b, frame };
}

/** A header that begins as it should. */
function bytesLikeIp(r: Random): Uint8Array {
  const bytes = r.bytes(r.between(20, 90));
  if (r.chance(0.5)) {
    bytes[0] = 0x40 | r.pick([5, 5, 6, 7, 15, 4]);
    bytes[2] = 0;
    bytes[3] = r.chance(0.8) ? r.between(20, bytes.length) : r.u32();
    bytes[6] = 0;
    bytes[7] = 0;
    bytes[9] = r.pick([1, 6, 17, 58, 2]);
    if (r.chance(0.9)) repairChecksums(bytes);
  } else {
    bytes[0] = 0x60;
    bytes[4] = 0;
    bytes[5] = r.int(bytes.length);
    bytes[6] = r.pick([0, 43, 44, 60, 6, 17, 58, 59, 51, 135]);
  }
  return bytes;
}
