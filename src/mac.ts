/** MAC addresses as values. */

/** In Cisco's form and lower case: `0000.0c07.ac01`. */
export type Mac = string;

export const MAC_BROADCAST: Mac = "ffff.ffff.ffff";
export const MAC_NONE: Mac = "0000.0000.0000";

export const MAC_LENGTH = 6;

/** The six bytes of a MAC address. */
export function macBytes(mac: Mac): number[] {
  const digits = mac.replaceAll(".", "");
  return Array.from({ length: MAC_LENGTH }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function formatMac(bytes: ArrayLike<number>): Mac {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  return [0, 2, 4].map((i) => `${digits[i]}${digits[i + 1]}`).join(".");
}

const GROUP_BIT = 1;

/** Broadcast and multicast addresses: nobody's own. */
export function isGroupMac(mac: Mac): boolean {
  return (macBytes(mac)[0]! & GROUP_BIT) !== 0;
}
