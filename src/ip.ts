/**
 * Addresses as values. An IPv4 address is a number (0..2^32-1); where both families meet, an `Address` is used:
 * IPv4 as a number, IPv6 as a bigint. Text is read and written here and nowhere else.
 */
import ipaddr from "ipaddr.js";

export type Address = number | bigint;

export function familyOf(address: Address): 4 | 6 {
  return typeof address === "bigint" ? 6 : 4;
}

/** Dotted quad with four decimal parts and no leading zeros, or undefined. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** RFC 4291 text without a zone, or undefined. */
export function parseIpv6(text: string): bigint | undefined {
  if (!text.includes(":") || text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  return bytesToBigint(ipaddr.IPv6.parse(text).toByteArray());
}

/** RFC 5952 text. */
export function formatIpv6(value: bigint): string {
  return ipaddr.fromByteArray(bigintToBytes(value)).toString();
}

export function parseAddress(text: string): Address | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

export function formatAddress(address: Address): string {
  return typeof address === "number" ? formatIpv4(address) : formatIpv6(address);
}

/** 16 bytes in network order. */
export function bigintToBytes(value: bigint): number[] {
  const bytes: number[] = new Array(16);
  for (let i = 15; i >= 0; i--, value >>= 8n) bytes[i] = Number(value & 255n);
  return bytes;
}

export function bytesToBigint(bytes: ArrayLike<number>): bigint {
  let value = 0n;
  for (let i = 0; i < bytes.length; i++) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

/** The IPv4 mask of a prefix length: 24 -> 0xffffff00. */
export function ipv4Mask(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

/** The prefix length of a contiguous mask, or undefined. */
export function prefixLengthOfMask(mask: number): number | undefined {
  const length = Math.clz32(~mask >>> 0);
  return ipv4Mask(length) === mask ? length : undefined;
}

export function ipv6Mask(prefixLength: number): bigint {
  return ((1n << 128n) - 1n) ^ ((1n << BigInt(128 - prefixLength)) - 1n);
}

/** Whether `address` lies in `network`/`prefixLength`; different families never match. */
export function inPrefix(address: Address, network: Address, prefixLength: number): boolean {
  if (typeof address === "number") {
    if (typeof network !== "number") return false;
    const mask = ipv4Mask(prefixLength);
    return (address & mask) >>> 0 === (network & mask) >>> 0;
  }
  if (typeof network === "number") return false;
  const mask = ipv6Mask(prefixLength);
  return (address & mask) === (network & mask);
}

/** `A.B.C.D/n` or `X::/n`; without a length, a host. */
export function parseCidr(text: string): { network: Address; prefixLength: number } | undefined {
  const [head, tail, more] = text.split("/");
  const network = parseAddress(head!);
  if (network === undefined || more !== undefined) return undefined;
  const bits = typeof network === "number" ? 32 : 128;
  if (tail === undefined) return { network, prefixLength: bits };
  if (!/^\d{1,3}$/.test(tail) || Number(tail) > bits) return undefined;
  return { network, prefixLength: Number(tail) };
}

const MULTICAST_IPV4 = { network: 0xe0000000, prefixLength: 4 };
const MULTICAST_IPV6 = { network: 0xffn << 120n, prefixLength: 8 };

/** A group of stations: 224.0.0.0/4 (RFC 1112) or ff00::/8 (RFC 4291 section 2.7). */
export function isMulticast(address: Address): boolean {
  const { network, prefixLength } = typeof address === "number" ? MULTICAST_IPV4 : MULTICAST_IPV6;
  return inPrefix(address, network, prefixLength);
}
