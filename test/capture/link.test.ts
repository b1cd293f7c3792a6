/** Where the network layer begins, for every link type. */
import { describe, expect, test } from "vitest";
import {
  ETHERTYPE_IN_FRAME,
  ETHERTYPE_UNKNOWN,
  ethertypeOf,
  headerLengthOf,
  LINK_TYPES,
  linkType,
  locate,
} from "../../src/capture/index.js";
import { concat, payload, u16, u32, u8 } from "./build.js";

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const UNKNOWN = ETHERTYPE_UNKNOWN;

/** A frame in the middle of other bytes, as it lies in a batch. */
function at(number: number, frame: Uint8Array, capturedLength = frame.length): [number, number] {
  const found = locate(linkType(number), concat(payload(5), frame, payload(40)), 5, capturedLength);
  return [ethertypeOf(found), headerLengthOf(found)];
}

const ip = (version: number) => u8((version << 4) | 5, ...payload(19));
const big = (value: number) => u16(value, "big");

function cookedV1(hardware: number, protocol: number): Uint8Array {
  return concat(big(0), big(hardware), big(6), payload(8), big(protocol));
}

function cookedV2(hardware: number, protocol: number): Uint8Array {
  return concat(big(protocol), big(0), u32(3, "big"), big(hardware), u8(0, 6), payload(8));
}

const UNKNOWN_NUMBERS = [2, 9, 105, 147, 253, 65_535];

test("every link type is in the table once, and no other is found", () => {
  const numbers = LINK_TYPES.map((link) => link.number);
  expect(numbers).toEqual([0, 1, 12, 14, 101, 108, 113, 228, 229, 276]);
  for (const link of LINK_TYPES) expect(linkType(link.number)).toBe(link);
  for (const number of UNKNOWN_NUMBERS) {
    expect(linkType(number)).toBeUndefined();
    expect(at(number, ip(4))).toEqual([UNKNOWN, 0]);
  }
});

test("Ethernet is left to the core, however short", () => {
  expect(at(1, payload(60))).toEqual([ETHERTYPE_IN_FRAME, 0]);
  expect(at(1, payload(0))).toEqual([ETHERTYPE_IN_FRAME, 0]);
});

test.each([12, 14, 101])("raw IP %i: the version decides", (number) => {
  expect(at(number, ip(4))).toEqual([IPV4, 0]);
  expect(at(number, ip(6))).toEqual([IPV6, 0]);
  for (const version of [0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15]) {
    expect(at(number, ip(version))).toEqual([UNKNOWN, 0]);
  }
  expect(at(number, u8())).toEqual([UNKNOWN, 0]);
});

test("raw IPv4 and raw IPv6: the link type decides", () => {
  expect(at(228, ip(6))).toEqual([IPV4, 0]);
  expect(at(229, ip(4))).toEqual([IPV6, 0]);
});

const FAMILIES: [number, number][] = [
  [2, IPV4],
  [10, IPV6],
  [24, IPV6],
  [28, IPV6],
  [30, IPV6],
  [0, UNKNOWN],
  [7, UNKNOWN],
  [0x0200, UNKNOWN],
  [0x020000, UNKNOWN],
  [0x1e00_0001, UNKNOWN],
];

describe.each(FAMILIES)("address family %i", (family, ethertype) => {
  test("null/loopback in either byte order", () => {
    expect(at(0, concat(u32(family, "little"), payload(20)))).toEqual([ethertype, 4]);
    expect(at(0, concat(u32(family, "big"), payload(20)))).toEqual([ethertype, 4]);
  });
  test("OpenBSD loopback in network order only", () => {
    expect(at(108, concat(u32(family, "big"), payload(20)))).toEqual([ethertype, 4]);
    expect(at(108, concat(u32(family, "little"), payload(20)))).toEqual([UNKNOWN, 4]);
  });
});

const COOKED: [hardware: number, protocol: number, ethertype: number][] = [
  [1, IPV4, IPV4],
  [772, IPV6, IPV6],
  [65_534, IPV4, IPV4],
  [1, 0x0806, 0x0806],
  [1, 0x8100, 0x8100],
  [778, IPV4, IPV4],
  [512, IPV6, IPV6],
  [1, 1, UNKNOWN],
  [1, 4, UNKNOWN],
  [280, 12, UNKNOWN],
  [1, 0x05ff, UNKNOWN],
  [1, 0x0600, 0x0600],
  [770, IPV4, UNKNOWN],
  [803, IPV4, UNKNOWN],
  [824, 0x0800, UNKNOWN],
];

test.each(COOKED)("Linux cooked, hardware %i, protocol %i", (hardware, protocol, ethertype) => {
  expect(at(113, concat(cookedV1(hardware, protocol), ip(4)))).toEqual([ethertype, 16]);
  expect(at(276, concat(cookedV2(hardware, protocol), ip(4)))).toEqual([ethertype, 20]);
});

test.each([
  [0, 4, u32(2, "little")],
  [108, 4, u32(2, "big")],
  [113, 16, cookedV1(1, IPV4)],
  [276, 20, cookedV2(1, IPV4)],
])("link type %i needs its %i bytes", (number, length, header) => {
  expect(at(number, concat(header, ip(4)), length)).toEqual([IPV4, length]);
  for (let captured = 0; captured < length; captured++) {
    expect(at(number, concat(header, ip(4)), captured)).toEqual([UNKNOWN, 0]);
  }
});
