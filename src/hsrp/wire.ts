/**
 * The records that HSRP packets are made of, and the numbers in them. Version 1 is RFC 2281 section 5.1; the TLVs and
 * version 2 are Cisco's, as Wireshark's packet-hsrp.c reads them.
 *
 *     version 1   hello, coup, resign   STATE_1 [TLV MD5]
 *                 advertise             ADVERTISE_1
 *     version 2   hello, coup, resign   TLV GROUP_STATE, TLV text or MD5
 *                 interface state       TLV INTERFACE_STATE
 */
import { record } from "../record.js";
import type { State } from "./table.js";

export type Version = 1 | 2;

export const TLV_HEADER = record({ type: "u8", length: "u8" });

/** Types of TLVs; in version 1 they follow the fixed record. */
export const TLV = { groupState: 1, interfaceState: 2, text: 3, md5: 4 } as const;

export const STATE_1 = record({
  version: "u8",
  opcode: "u8",
  state: "u8",
  helloSeconds: "u8",
  holdSeconds: "u8",
  priority: "u8",
  group: "u8",
  reserved: "u8",
  /** Text, or zeros when an MD5 TLV follows. */
  authentication: "bytes8",
  virtualAddress: "u32",
});

export const ADVERTISE_1 = record({
  version: "u8",
  opcode: "u8",
  type: "u16",
  length: "u16",
  state: "u8",
  reserved: "u8",
  activeGroups: "u16",
  passiveGroups: "u16",
  reserved2: "u32",
});
export const ADVERTISE_TYPE = 1;
/** What follows the length. IOS 12.4 counts the type and the length too. */
export const ADVERTISE_LENGTH = ADVERTISE_1.size - ADVERTISE_1.offsetOf("state");
export const ADVERTISE_LENGTH_IOS = ADVERTISE_1.size - ADVERTISE_1.offsetOf("type");

export const GROUP_STATE = record({
  version: "u8",
  opcode: "u8",
  state: "u8",
  ipVersion: "u8",
  group: "u16",
  /** The sender's burned-in MAC address. */
  identifier: "mac",
  priority: "u32",
  helloMs: "u32",
  holdMs: "u32",
  /** An IPv4 address stands in the first four bytes. */
  virtualAddress: "bytes16",
});

export const INTERFACE_STATE = record({ activeGroups: "u16", passiveGroups: "u16" });

export const TEXT = record({ text: "bytes8" });

export const MD5 = record({
  algorithm: "u8",
  padding: "u8",
  flags: "u16",
  /** The sender's IPv4 address; of an IPv6 address the last four bytes. */
  address: "u32",
  keyId: "u32",
  digest: "bytes16",
});
export const MD5_ALGORITHM = 1;

/** The version byte of each version. */
export const VERSION_BYTE = { 1: 0, 2: 2 } as const satisfies Record<Version, number>;

export const OPCODES = { hello: 0, coup: 1, resign: 2 } as const;
export type Opcode = keyof typeof OPCODES;
/** Version 1 only. */
export const OPCODE_ADVERTISE = 3;

/** A state as a packet names it; only version 2 knows a disabled group. */
export type WireState = State | "disabled";

export const STATE_CODES = {
  1: { initial: 0, learn: 1, listen: 2, speak: 4, standby: 8, active: 16 },
  2: { disabled: 0, initial: 1, learn: 2, listen: 3, speak: 4, standby: 5, active: 6 },
} as const satisfies Record<Version, Partial<Record<WireState, number>>>;

export const INTERFACE_STATES = { dormant: 1, passive: 2, active: 3 } as const;
export type InterfaceActivity = keyof typeof INTERFACE_STATES;

/** The name of a number in one of the tables above. */
export function nameOf<K extends string>(
  table: Readonly<Partial<Record<K, number>>>,
  code: number,
): K | undefined {
  return (Object.keys(table) as K[]).find((name) => table[name] === code);
}
