/**
 * Frames and packets that this program makes itself: Ethernet, ARP, IP headers with nothing unusual in them, UDP,
 * neighbour advertisements, and the checksums of all of them. RFC 826, 894, 2464, 791, 8200, 768, 4861, 1071.
 */
import { type Address, bigintToBytes } from "./ip.js";

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

/** A MAC address in Cisco's form and lower case: `0000.0c07.ac01`. */
export type Mac = string;

export const MAC_BROADCAST: Mac = "ffff.ffff.ffff";

const MAC_LENGTH = 6;

/** What an IP header needs to be told. Both addresses are of one family. */
export interface IpHeader {
  readonly source: Address;
  readonly destination: Address;
  /** IP protocol number; in IPv6 the next header. */
  readonly protocol: number;
  /** TTL or hop limit. */
  readonly ttl: number;
  /** Type of service or traffic class; 0 unless given. */
  readonly trafficClass?: number;
}

export interface Ports {
  readonly source: number;
  readonly destination: number;
}

/** The six bytes of a MAC address. */
export function macBytes(mac: Mac): number[] {
  const digits = mac.replaceAll(".", "");
  return Array.from({ length: MAC_LENGTH }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function formatMac(bytes: ArrayLike<number>): Mac {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  return [0, 2, 4].map((i) => `${digits[i]}${digits[i + 1]}`).join(".");
}

/** 4 or 16 bytes in network order. */
export function addressBytes(address: Address): number[] {
  if (typeof address === "bigint") return bigintToBytes(address);
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
}

/** The Internet checksum (RFC 1071); a missing last byte counts as 0. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** 16-bit words in network order, then zeros up to `length` bytes. */
export function words(length: number, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length);
  values.forEach((value, i) => {
    setWord(bytes, 2 * i, value);
  });
  return bytes;
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 255;
}

const IPV4_HEADER = 20;
const IPV4_CHECKSUM_AT = 10;

/** An IP packet: the header without options or extension headers, and the payload as it is. */
export function ipPacket(header: IpHeader, payload: Uint8Array): Uint8Array {
  const { source, destination, protocol, ttl, trafficClass = 0 } = header;
  const addresses = [...addressBytes(source), ...addressBytes(destination)];
  const v6 = typeof source === "bigint";
  const [high, low] = lengthBytes(v6 ? payload.length : IPV4_HEADER + payload.length);
  const bytes = v6
    ? [0x60 | (trafficClass >> 4), (trafficClass & 15) << 4, 0, 0, high, low, protocol, ttl, ...addresses]
    : [0x45, trafficClass, high, low, 0, 0, 0, 0, ttl, protocol, 0, 0, ...addresses];
  const packet = new Uint8Array(bytes.length + payload.length);
  packet.set(bytes);
  packet.set(payload, bytes.length);
  if (!v6) setWord(packet, IPV4_CHECKSUM_AT, checksum(packet.subarray(0, IPV4_HEADER)));
  return packet;
}

function lengthBytes(length: number): [number, number] {
  return [length >> 8, length & 255];
}

/**
 * Fills in the checksum of a transport header with its payload, in place. `at`: where it stands, 0 so far.
 * `pseudoHeader`: whether the addresses are part of the sum; only ICMP of IPv4 has none.
 */
export function checksummed(
  header: IpHeader,
  bytes: Uint8Array,
  at: number,
  pseudoHeader = true,
): Uint8Array {
  const { source, destination, protocol } = header;
  const pseudo = pseudoHeader
    ? [...addressBytes(source), ...addressBytes(destination), 0, protocol, ...lengthBytes(bytes.length)]
    : [];
  const whole = new Uint8Array(pseudo.length + bytes.length);
  whole.set(pseudo);
  whole.set(bytes, pseudo.length);
  const sum = checksum(whole);
  // A computed 0 would mean "none" in UDP (RFC 768); elsewhere both are the same number.
  setWord(bytes, at, sum === 0 ? 0xffff : sum);
  return bytes;
}

export const UDP_HEADER = 8;
const UDP_CHECKSUM_AT = 6;

/** A UDP datagram, to be put behind `header`. */
export function udpDatagram(header: IpHeader, ports: Ports, payload: Uint8Array): Uint8Array {
  const length = UDP_HEADER + payload.length;
  const bytes = words(length, [ports.source, ports.destination, length]);
  bytes.set(payload, UDP_HEADER);
  return checksummed(header, bytes, UDP_CHECKSUM_AT);
}

/** An Ethernet frame without its check sequence; short payloads are not padded. */
export function ethernetFrame(
  destination: Mac,
  source: Mac,
  ethertype: number,
  payload: Uint8Array,
): Uint8Array {
  const header = [...macBytes(destination), ...macBytes(source), ethertype >> 8, ethertype & 255];
  const frame = new Uint8Array(header.length + payload.length);
  frame.set(header);
  frame.set(payload, header.length);
  return frame;
}

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
const ARP_ETHERNET_IPV4 = [0, 1, 0x08, 0x00, 6, 4];

/** An ARP message for IPv4 over Ethernet (RFC 826). */
export function arpMessage(
  operation: number,
  sender: { readonly mac: Mac; readonly address: number },
  target: { readonly mac: Mac; readonly address: number },
): Uint8Array {
  const ends = [sender, target].flatMap(({ mac, address }) => [...macBytes(mac), ...addressBytes(address)]);
  return Uint8Array.of(...ARP_ETHERNET_IPV4, operation >> 8, operation & 255, ...ends);
}

const NEIGHBOR_ADVERTISEMENT = 136;
/** The sender is a router, and caches are to take the address over (RFC 4861 section 4.4). */
const ROUTER_AND_OVERRIDE = 0xa0;
const TARGET_LINK_LAYER_ADDRESS = [2, 1];
const ICMP_CHECKSUM_AT = 2;

/** An unsolicited neighbour advertisement of a router, to be put behind `header`: `target` is at `mac`. */
export function neighborAdvertisement(header: IpHeader, target: bigint, mac: Mac): Uint8Array {
  const bytes = Uint8Array.of(
    ...[NEIGHBOR_ADVERTISEMENT, 0, 0, 0, ROUTER_AND_OVERRIDE, 0, 0, 0],
    ...addressBytes(target),
    ...TARGET_LINK_LAYER_ADDRESS,
    ...macBytes(mac),
  );
  return checksummed(header, bytes, ICMP_CHECKSUM_AT);
}
