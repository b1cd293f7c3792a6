/** MAC addresses as values. */
import type { Address } from "./ip.js";

/** In Cisco's form and lower case: `0000.0c07.ac01`. */
export type Mac = string;

export const MAC_BROADCAST: Mac = "ffff.ffff.ffff";
export const MAC_NONE: Mac = "0000.0000.0000";

export const MAC_LENGTH = 6;

/** Where the digits of each byte stand in the text. */
const DIGITS_AT = [0, 2, 5, 7, 10, 12] as const;
/** The two digits of each byte: addresses are read and written with every packet of the box. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The six bytes of a MAC address. */
export function macBytes(mac: Mac): number[] {
  return DIGITS_AT.map((at) => Number.parseInt(mac.slice(at, at + 2), 16));
}

export function formatMac(bytes: ArrayLike<number>): Mac {
  const pair = (at: number): string => `${DIGITS[bytes[at]!]}${DIGITS[bytes[at + 1]!]}`;
  return `${pair(0)}.${pair(2)}.${pair(4)}`;
}

const GROUP_BIT = 1;

/** Broadcast and multicast addresses: nobody's own. */
export function isGroupMac(mac: Mac): boolean {
  return (macBytes(mac)[0]! & GROUP_BIT) !== 0;
}

/** Of IPv4: the last 23 bits of the group (RFC 1112 section 6.4). Of IPv6: the last 32 (RFC 2464 section 7). */
const MULTICAST_IPV4 = { prefix: 0x01005e000000, bits: 0x7fffff };
const MULTICAST_IPV6 = { prefix: 0x333300000000, bits: 0xffffffffn };

/** The MAC address of an IP multicast address. */
export function multicastMac(address: Address): Mac {
  const number =
    typeof address === "number"
      ? MULTICAST_IPV4.prefix + (address & MULTICAST_IPV4.bits)
      : MULTICAST_IPV6.prefix + Number(address & MULTICAST_IPV6.bits);
  const digits = number.toString(16).padStart(2 * MAC_LENGTH, "0");
  return [0, 4, 8].map((at) => digits.slice(at, at + 4)).join(".");
}
