/** The model's section 2: IP headers, options, extension headers, addresses. */
import { type Address, ipv4Mask, ipv6Mask, parseCidr } from "../../src/ip.js";
import { IP_PROTOCOL_ICMP6 } from "../../src/config/names.js";
import {
  type Extensions,
  type IpPacket,
  isRefusal,
  onesSum,
  type Refusal,
  refuse,
  u16,
  u32,
} from "./packet.js";

/** What a policy says about headers. */
export interface HeaderRules {
  checksums: boolean;
  /** `ip source-route` */
  sourceRoute: boolean;
  /** `ip options ignore` */
  optionsIgnored: boolean;
  /** Whether an address is one of the firewall. */
  isOwn: (address: Address) => boolean;
}

const IPV4_HEADER = 20;
const MAX_PACKET = 65535;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_RECORD_ROUTE = 7;
const OPTION_LOOSE_ROUTE = 131;
const OPTION_STRICT_ROUTE = 137;

const noExtensions = (): Extensions => ({
  hopByHop: false,
  authenticationHeader: false,
});

/** `bytes`: captured behind the link header; `wireLength`: the same on the wire. */
export function parseIpv4(bytes: Uint8Array, wireLength: number, rules: HeaderRules): Refusal | IpPacket {
  if (bytes.length < IPV4_HEADER) return refuse("frame_truncated");
  const headerLength = (bytes[0]! & 15) * 4;
  let totalLength = u16(bytes, 2);
  // Segmentation is left to the NIC: all that is there.
  if (totalLength === 0 && !rules.checksums) totalLength = Math.min(wireLength, MAX_PACKET);
  if (bytes[0]! >> 4 !== 4 || headerLength < IPV4_HEADER || totalLength < headerLength)
    return refuse("ip_header");
  if (totalLength > wireLength) return refuse("ip_length");
  if (headerLength > bytes.length) return refuse("frame_truncated");
  if (rules.checksums && onesSum(bytes, 0, headerLength) !== 0xffff) return refuse("ip_checksum");
  const options = walkOptions(bytes.subarray(IPV4_HEADER, headerLength), rules);
  if (!Array.isArray(options)) return options;

  const packet: IpPacket = {
    family: 4,
    source: u32(bytes, 12),
    destination: u32(bytes, 16),
    addresses: bytes.subarray(12, 20),
    protocol: bytes[9]!,
    ttl: bytes[8]!,
    tos: bytes[1]!,
    flowLabel: 0,
    options,
    extensions: noExtensions(),
    payload: bytes.subarray(headerLength, Math.min(totalLength, bytes.length)),
    payloadLength: totalLength - headerLength,
    uncuttable: (bytes[6]! & 0x40) !== 0 ? totalLength : 0,
    headerLength,
  };
  const offset = (u16(bytes, 6) & 0x1fff) * 8;
  const more = (u16(bytes, 6) & 0x2000) !== 0;
  if (offset !== 0 || more) {
    const { payload: data, payloadLength: length, protocol } = packet;
    packet.fragment = { id: u16(bytes, 4), offset, more, data, length, protocol };
  }
  return packet;
}

/** The types of all options, or the first offence; but a malformed list is that, whatever stands before. */
function walkOptions(bytes: Uint8Array, rules: HeaderRules): Refusal | number[] {
  const types: number[] = [];
  let offence: string | undefined;
  let at = 0;
  while (at < bytes.length) {
    const type = bytes[at]!;
    types.push(type);
    if (type === OPTION_END) break;
    if (type === OPTION_NOP) {
      at++;
      continue;
    }
    const length = bytes[at + 1];
    if (length === undefined || length < 2 || at + length > bytes.length)
      return refuse("ip_option_malformed");
    if (type === OPTION_LOOSE_ROUTE || type === OPTION_STRICT_ROUTE) {
      if (!rules.sourceRoute) offence ??= "ip_source_route";
    } else if (type === OPTION_RECORD_ROUTE) {
      if (!rules.sourceRoute) offence ??= "ip_record_route";
    } else if (!rules.optionsIgnored) {
      offence ??= "ip_option";
    }
    at += length;
  }
  return offence === undefined ? types : refuse(offence);
}

const IPV6_HEADER = 40;
const EXTENSIONS_MAX = 8;
const HOP_BY_HOP = 0;
const ROUTING = 43;
export const FRAGMENT_HEADER = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;
const NO_NEXT_HEADER = 59;
const EXTENSION_HEADERS = new Set([
  HOP_BY_HOP,
  ROUTING,
  FRAGMENT_HEADER,
  AUTHENTICATION,
  DESTINATION_OPTIONS,
  MOBILITY,
  HIP,
  SHIM6,
]);
/** How often each may stand in one packet; the others as often as the limit of all allows. */
const REPEAT_MAX = new Map([
  [HOP_BY_HOP, 1],
  [ROUTING, 1],
  [FRAGMENT_HEADER, 1],
  [DESTINATION_OPTIONS, 2],
]);
const PAD1 = 0;
const JUMBO = 0xc2;

/** As parseIpv4. */
export function parseIpv6(bytes: Uint8Array, wireLength: number): Refusal | IpPacket {
  if (bytes.length < IPV6_HEADER) return refuse("frame_truncated");
  if (bytes[0]! >> 4 !== 6) return refuse("ip_header");
  const payloadLength = u16(bytes, 4);
  if (payloadLength > wireLength - IPV6_HEADER) return refuse("ip_length");
  if (payloadLength === 0 && wireLength > IPV6_HEADER && bytes[6] === HOP_BY_HOP) return refuse("ip_length");

  const all = bytes.subarray(IPV6_HEADER, Math.min(IPV6_HEADER + payloadLength, bytes.length));
  const chain = newChain(bytes[6]!);
  const refusal = walkChain(chain, all, payloadLength);
  if (refusal !== undefined) return refusal;
  const packet: IpPacket = {
    family: 6,
    source: address6(bytes, 8),
    destination: address6(bytes, 24),
    addresses: bytes.subarray(8, 40),
    protocol: chain.type,
    ttl: bytes[7]!,
    tos: (u16(bytes, 0) >> 4) & 0xff,
    flowLabel: u32(bytes, 0) & 0xfffff,
    options: [],
    extensions: chain.extensions,
    payload: all.subarray(chain.at),
    payloadLength: payloadLength - chain.at,
    uncuttable: IPV6_HEADER + payloadLength,
    headerLength: 0,
  };
  if (chain.fragment !== undefined) {
    const { header, at } = chain.fragment;
    const { payload: data, payloadLength: length, protocol } = packet;
    const more = (header[3]! & 1) === 1;
    packet.fragment = {
      id: u32(header, 4),
      offset: u16(header, 2) & 0xfff8,
      more,
      data,
      length,
      protocol,
      chain,
    };
    packet.headerLength = at;
  }
  return packet;
}

/** A chain of extension headers, as far as it has been walked. */
export interface Chain {
  /** Type of the header at `at`: in the end the transport protocol. */
  type: number;
  at: number;
  extensions: Extensions;
  /** How often each type was met. */
  seen: Map<number, number>;
  /** The fragment header that ended the walk, and where it began. */
  fragment?: { header: Uint8Array; at: number };
}

/**
 * Walks a chain to the transport header, or to behind the header of a fragment. `bytes` are what was captured of
 * `length`.
 */
export function walkChain(chain: Chain, bytes: Uint8Array, length: number): Refusal | undefined {
  while (EXTENSION_HEADERS.has(chain.type)) {
    const { type, at, seen } = chain;
    const before = [...seen.values()].reduce((sum, times) => sum + times, 0);
    const times = (seen.get(type) ?? 0) + 1;
    seen.set(type, times);
    if (type === HOP_BY_HOP && before > 0) return refuse("ipv6_extension");
    if (times > (REPEAT_MAX.get(type) ?? EXTENSIONS_MAX)) return refuse("ipv6_extension");
    if (before === EXTENSIONS_MAX) return refuse("ipv6_extension");
    if (bytes.length - at < 8) return refuse("frame_truncated");
    const headerLength = extensionLength(type, bytes, at);
    if (at + headerLength > length) return refuse("ipv6_extension");
    if (at + headerLength > bytes.length) return refuse("frame_truncated");
    const header = bytes.subarray(at, at + headerLength);
    const refusal = readExtension(type, header, chain.extensions);
    if (refusal !== undefined) return refusal;
    chain.type = header[0]!;
    chain.at = at + headerLength;
    if (type === FRAGMENT_HEADER && (u16(header, 2) & 0xfff9) !== 0) {
      chain.fragment = { header, at };
      break;
    }
  }
  return chain.type === NO_NEXT_HEADER ? refuse("ipv6_extension") : undefined;
}

/** Length of the extension header `type` that starts at `at`, in bytes. */
function extensionLength(type: number, bytes: Uint8Array, at: number): number {
  if (type === FRAGMENT_HEADER) return 8;
  if (type === AUTHENTICATION) return (bytes[at + 1]! + 2) * 4;
  return (bytes[at + 1]! + 1) * 8;
}

/** The chain behind the 40 bytes of the IPv6 header. */
export function newChain(type: number): Chain {
  return { type, at: 0, extensions: noExtensions(), seen: new Map() };
}

function readExtension(type: number, header: Uint8Array, extensions: Extensions): Refusal | undefined {
  switch (type) {
    case HOP_BY_HOP: {
      extensions.hopByHop = true;
      const options = walkTlvs(header);
      return Array.isArray(options) ? undefined : options;
    }
    case DESTINATION_OPTIONS: {
      const options = walkTlvs(header);
      if (!Array.isArray(options)) return options;
      extensions.destinationOptions = [...(extensions.destinationOptions ?? []), ...options];
      return undefined;
    }
    case ROUTING:
      extensions.routingType = header[2]!;
      return header[2] === 0 || header[3] !== 0 ? refuse("ipv6_routing_header") : undefined;
    case MOBILITY:
      extensions.mobilityType = header[2]!;
      return undefined;
    case AUTHENTICATION:
      extensions.authenticationHeader = true;
      return undefined;
  }
  return undefined;
}

/** Types of the options of a hop-by-hop or destination header [8200, 4.2]. */
function walkTlvs(header: Uint8Array): Refusal | number[] {
  const types: number[] = [];
  let at = 2;
  while (at < header.length) {
    const type = header[at]!;
    types.push(type);
    if (type === PAD1) {
      at++;
      continue;
    }
    const length = header[at + 1];
    if (length === undefined || at + 2 + length > header.length) return refuse("ipv6_extension");
    if (type === JUMBO) return refuse("ipv6_extension");
    at += 2 + length;
  }
  return types;
}

export function address6(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
}

function prefixes(...cidrs: string[]): (address: Address) => boolean {
  const parsed = cidrs.map((text) => parseCidr(text)!);
  const networks = parsed.map(({ network, prefixLength }) =>
    typeof network === "number"
      ? { network, mask: ipv4Mask(prefixLength) }
      : { network, mask: ipv6Mask(prefixLength) },
  );
  return (address) =>
    networks.some(({ network, mask }) =>
      typeof address === "number"
        ? typeof mask === "number" && (address & mask) >>> 0 === network
        : typeof mask === "bigint" && (address & mask) === network,
    );
}

const noSource4 = prefixes("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4");
const noDestination4 = prefixes("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "240.0.0.0/4");
const multicast4 = prefixes("224.0.0.0/4");
const localMulticast4 = prefixes("224.0.0.0/24");
const limitedBroadcast = 0xffffffff;
const noSource6 = prefixes("ff00::/8", "::ffff:0:0/96", "::/96");
const noDestination6 = prefixes("::ffff:0:0/96", "::/96");
const linkLocal6 = prefixes("fe80::/10");
const multicast6 = prefixes("ff00::/8");
const interfaceScope6 = prefixes("ff01::/16");
const localMulticast6 = prefixes("ff02::/16");

/** 224.0.0.0/24 or ff02::/16: for every station of the link. */
export function isLocalMulticast(address: Address): boolean {
  return localMulticast4(address) || localMulticast6(address);
}

/** fe80::/10: of one station of the link. */
export const isLinkLocal = (address: Address): boolean => linkLocal6(address);

/** A destination for which a group MAC address is right. */
export function isMulticast(address: Address): boolean {
  return address === limitedBroadcast || multicast4(address) || multicast6(address);
}

/** Types of ICMPv6 that are said on a link. */
export const isNeighborDiscovery = (type: number) => type >= 133 && type <= 137;
const isListenerDiscovery = (type: number) => (type >= 130 && type <= 132) || type === 143;
const isSolicitationOrAdvertisement = (type: number) => type === 135 || type === 136;

/** The reason to drop a packet for its addresses, if there is one. Notes what is local without lists. */
export function checkAddresses(packet: IpPacket, isOwn: HeaderRules["isOwn"]): Refusal | undefined {
  const { source, destination } = packet;
  if (source === destination) return refuse("land");
  if (packet.family === 4) {
    if (noSource4(source)) return refuse("martian_source");
    if (destination === limitedBroadcast) return refuse("broadcast");
    if (noDestination4(destination)) return refuse("martian_destination");
    return multicast4(destination) && !localMulticast4(destination) ? refuse("multicast") : undefined;
  }

  const type = peekIcmp6Type(packet);
  const discovery = type !== undefined && isNeighborDiscovery(type);
  const listener = type !== undefined && isListenerDiscovery(type);
  const toLink = localMulticast6(destination) || linkLocal6(destination);
  if (source === 0n) {
    if (!discovery && !listener) return refuse("martian_source");
  } else if (linkLocal6(source)) {
    if (!discovery && !toLink) return refuse("martian_source");
  } else if (noSource6(source)) {
    return refuse("martian_source");
  }
  if (noDestination6(destination)) return refuse("martian_destination");
  if (discovery) {
    const elsewhere = isSolicitationOrAdvertisement(type) && !multicast6(destination);
    if (packet.ttl !== 255 || !(toLink || elsewhere)) return refuse("link_scope");
    packet.local = "neighbor_discovery";
    return undefined;
  }
  if (multicast6(destination) && !toLink) {
    return refuse(interfaceScope6(destination) ? "martian_destination" : "multicast");
  }
  if (listener && toLink) packet.local = "local_multicast";
  else if (linkLocal6(destination) && !isOwn(destination)) return refuse("link_scope");
  return undefined;
}

/** The ICMPv6 type of a packet that is whole. */
function peekIcmp6Type(packet: IpPacket): number | undefined {
  return packet.protocol === IP_PROTOCOL_ICMP6 && packet.fragment === undefined
    ? packet.payload[0]
    : undefined;
}

/** Parses either family. */
export function parseIp(
  family: 4 | 6,
  bytes: Uint8Array,
  wireLength: number,
  rules: HeaderRules,
): Refusal | IpPacket {
  const packet = family === 4 ? parseIpv4(bytes, wireLength, rules) : parseIpv6(bytes, wireLength);
  if (isRefusal(packet)) return packet;
  return checkAddresses(packet, rules.isOwn) ?? packet;
}
