/** HSRP packets that are known byte for byte; tshark decodes each, and its UDP checksum is right. */
import type { Credential, GroupMessage, InterfaceMessage } from "../../src/hsrp/packet.js";
import { parseAddress } from "../../src/ip.js";

export const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const addressOf = (text: string) => parseAddress(text)!;

export interface Golden {
  name: string;
  hex: string;
  message: GroupMessage | InterfaceMessage;
  credential: Credential;
  /** Key of the digest. */
  secret?: string;
}

const CISCO: Credential = { kind: "text", text: "cisco" };
const md5 = (keyId: number, digest: string): Credential => ({
  kind: "md5",
  keyId,
  address: 0x0a000001,
  digest: bytesOf(digest),
});

const VERSION_1: GroupMessage = {
  kind: "group",
  version: 1,
  family: 4,
  opcode: "hello",
  state: "active",
  group: 1,
  priority: 100,
  helloMs: 1000,
  holdMs: 5000,
  virtualAddress: 0x0a000003,
};

const VERSION_2: GroupMessage = {
  ...VERSION_1,
  version: 2,
  group: 300,
  helloMs: 3000,
  holdMs: 10000,
  identifier: "0200.0000.0001",
};

const version1 = (changes: Partial<GroupMessage>): GroupMessage => ({ ...VERSION_1, ...changes });
const version2 = (changes: Partial<GroupMessage>): GroupMessage => ({ ...VERSION_2, ...changes });

export const GOLDEN: readonly Golden[] = [
  {
    name: "version 1 hello, Active",
    hex: "0000100105640100636973636f0000000a000003",
    message: VERSION_1,
    credential: CISCO,
  },
  {
    name: "version 1 hello, Standby",
    hex: "0000080105640100636973636f0000000a000003",
    message: version1({ state: "standby" }),
    credential: CISCO,
  },
  {
    name: "version 1 coup from Standby",
    hex: "00010801056e0100636973636f0000000a000003",
    message: version1({ opcode: "coup", state: "standby", priority: 110 }),
    credential: CISCO,
  },
  {
    name: "version 1 resign from Active",
    hex: "0002100105640100636973636f0000000a000003",
    message: version1({ opcode: "resign" }),
    credential: CISCO,
  },
  {
    name: "version 1 advertise, passive",
    hex: "00030001000a02000000000100000000",
    message: { kind: "interface", version: 1, state: "passive", activeGroups: 0, passiveGroups: 1 },
    credential: { kind: "none" },
  },
  {
    name: "version 1 hello, MD5",
    hex: `000010010564010000000000000000000a000003041c010000000a00000100000000
      5a33af46eeed0b4af63a044440772d92`,
    message: VERSION_1,
    credential: md5(0, "5a33af46eeed0b4af63a044440772d92"),
    secret: "HAkey",
  },
  {
    name: "version 2 hello, Active",
    hex: `012802000604012c0200000000010000006400000bb8000027100a0000030000000000000000000000000308
      636973636f000000`,
    message: VERSION_2,
    credential: CISCO,
  },
  {
    name: "version 2 hello, MD5",
    hex: `012802000604012c0200000000010000006400000bb8000027100a000003000000000000000000000000041c
      010000000a00000100000007f69749063c3338db2805a67ea31623b5`,
    message: VERSION_2,
    credential: md5(7, "f69749063c3338db2805a67ea31623b5"),
    secret: "HAkey",
  },
  {
    name: "version 2 hello, IPv6",
    hex: `012802000606000a0200000000010000006400000bb800002710fe80000000000000000573fffea0000a0308
      636973636f000000`,
    message: version2({ family: 6, group: 10, virtualAddress: addressOf("fe80::5:73ff:fea0:a") as bigint }),
    credential: CISCO,
  },
  {
    name: "version 2 interface state",
    hex: "020400000001",
    message: { kind: "interface", version: 2, activeGroups: 0, passiveGroups: 1 },
    credential: { kind: "none" },
  },
];

/** From captures of IOS with known keys. */
export const MD5_VECTORS = [
  {
    secret: "password12345",
    hex: "000004030a64010000000000000000000a000064041c010000000a00001400000000",
    digest: "52e1db09d18d695b8fefb3730ff8d9d6",
  },
  {
    secret: "openwall",
    hex: "000004030a5a01000000000000000000ac102801041c01000000ac10281400000000",
    digest: "f15dfa631a0679e0801f8e6b0c0c17ac",
  },
  {
    secret: "openwall12345",
    hex: "000010030a64010000000000000000000a000064041c010000000a00001400000000",
    digest: "f02fc41b1b516e2d1261d8800d39ccea",
  },
] as const;

export const GOLDEN_FRAME =
  "01005e00000200000c07ac01080045c00030000000000111cefa0a000001e000000207c107c1001c9ffb" +
  "0000100105640100636973636f0000000a000003";

export const GOLDEN_ARP =
  "ffffffffffff00000c07ac010806000108000604000200000c07ac010a000003ffffffffffff0a000003";
