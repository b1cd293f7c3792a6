/** The addresses that HSRP itself defines: where packets go, and the virtual MAC and link-local addresses. */
import type { Family } from "../config/model.js";
import { formatMac, type Mac, macBytes } from "../frame.js";
import { type Address, bytesToBigint, inPrefix, parseAddress } from "../ip.js";
import type { Version } from "./wire.js";

/** Where packets of a version and family go, and with which TTL they arrive. */
export interface Transport {
  readonly destination: Address;
  readonly destinationMac: Mac;
  /** UDP, of source and destination. */
  readonly port: number;
  readonly ttl: number;
}

/** 224.0.0.2 (RFC 2281 section 4), 224.0.0.102 and ff02::66; their MAC addresses by RFC 1112 and RFC 2464. */
const TRANSPORTS = {
  version1: transport("224.0.0.2", "0100.5e00.0002", 1985, 1),
  version2: transport("224.0.0.102", "0100.5e00.0066", 1985, 1),
  ipv6: transport("ff02::66", "3333.0000.0066", 2029, 255),
};

function transport(destination: string, destinationMac: Mac, port: number, ttl: number): Transport {
  return { destination: parseAddress(destination)!, destinationMac, port, ttl };
}

/** UDP ports of HSRP for IPv4 and IPv6. */
export const HSRP_PORTS: ReadonlySet<number> = new Set(Object.values(TRANSPORTS).map(({ port }) => port));

export function transportOf(version: Version, family: Family): Transport {
  if (family === 6) return TRANSPORTS.ipv6;
  return version === 1 ? TRANSPORTS.version1 : TRANSPORTS.version2;
}

/** Internetwork control (CS6): the type of service of HSRP packets. */
export const TRAFFIC_CLASS = 0xc0;

/** ff02::1 and its MAC address: where unsolicited neighbour advertisements go. */
export const ALL_NODES = { address: parseAddress("ff02::1") as bigint, mac: "3333.0000.0001" };

/** Where group 0's virtual MAC address lies; the group number is added (CISCO-HSRP-MIB). */
const VIRTUAL_MACS = { version1: 0x00000c07ac00, version2: 0x00000c9ff000, ipv6: 0x000573a00000 };

/** The virtual MAC address of a group that configures none: all bits of the group number are in it. */
export function virtualMac(version: Version, family: Family, group: number): Mac {
  const base = VIRTUAL_MACS[family === 6 ? "ipv6" : version === 1 ? "version1" : "version2"];
  const digits = (base + group).toString(16).padStart(12, "0");
  return formatMac(Array.from({ length: 6 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)));
}

const LINK_LOCAL = parseAddress("fe80::") as bigint;
const LINK_LOCAL_LENGTH = 10;

export function isLinkLocal(address: Address): boolean {
  return inPrefix(address, LINK_LOCAL, LINK_LOCAL_LENGTH);
}

/** The link-local address of a MAC address: the modified EUI-64 behind fe80::/64 (RFC 4291, appendix A). */
export function linkLocalOf(mac: Mac): bigint {
  const [first, ...rest] = macBytes(mac);
  return eui64([first! ^ UNIVERSAL_BIT, ...rest]);
}

/** That of a virtual MAC address, whose bits HSRP leaves as they are: fe80::5:73ff:fea0:a for group 10. */
export function virtualLinkLocal(mac: Mac): bigint {
  return eui64(macBytes(mac));
}

const UNIVERSAL_BIT = 2;

function eui64(mac: readonly number[]): bigint {
  return LINK_LOCAL | bytesToBigint([...mac.slice(0, 3), 0xff, 0xfe, ...mac.slice(3)]);
}

/** What the address field of an MD5 TLV holds: an IPv4 address, or the last four bytes of an IPv6 address. */
export function digestAddress(address: Address): number {
  return typeof address === "number" ? address : Number(address & 0xffffffffn);
}
