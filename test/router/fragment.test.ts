/** Packets that are cut up: each fragment by itself, and put together again by Wireshark. */
import { describe, expect, test } from "vitest";
import { fragment } from "../../src/router/index.js";
import { lacking } from "../capture/tools.js";
import { ethernet, ipv4, udp } from "../support/frames.js";
import { tshark } from "./wireshark.js";

const HEADER = 14;
/** Router alert and a stream identifier are copied; NOP, a time stamp and record route are not. */
const ROUTER_ALERT = [0x94, 4, 0, 0];
const STREAM = [0x88, 4, 0x12, 0x34];
const TIMESTAMP = [0x44, 8, 5, 0, 0, 0, 0, 0];

const payload = Uint8Array.from({ length: 3001 }, (_, i) => (i * 7) & 255);

function frameOf(changes: Partial<Parameters<typeof ipv4>[0]> = {}, tags: number[] = []): Uint8Array {
  const segment = udp({ sourcePort: 4000, destinationPort: 5000, payload });
  return ethernet(ipv4({ source: "10.0.0.9", destination: "192.0.2.9", id: 77, ...changes }, segment), {
    tags,
  });
}

const word = (frame: Uint8Array, at: number) => (frame[HEADER + at]! << 8) | frame[HEADER + at + 1]!;

describe("a packet without options", () => {
  const whole = frameOf();
  const pieces = fragment(whole, HEADER, 1400);

  test("is cut at multiples of eight bytes, each piece as large as can be", () => {
    expect(pieces.map((piece) => piece.length - HEADER)).toEqual([1396, 1396, 277]);
    expect(pieces.map((piece) => word(piece, 6))).toEqual([0x2000, 0x2000 + 172, 344]);
    expect(pieces.map((piece) => word(piece, 4))).toEqual([77, 77, 77]);
    expect(pieces.map((piece) => word(piece, 2))).toEqual([1396, 1396, 277]);
  });

  test("loses no byte", () => {
    const data = pieces.flatMap((piece) => [...piece.subarray(HEADER + 20)]);
    expect(data).toEqual([...whole.subarray(HEADER + 20)]);
    expect(pieces.every((piece) => piece.subarray(0, HEADER).every((byte, i) => byte === whole[i]))).toBe(
      true,
    );
  });
});

test("options go by their copy bit", () => {
  const options = [...TIMESTAMP, 1, ...ROUTER_ALERT, 1, ...STREAM];
  const [first, second] = fragment(frameOf({ options }), HEADER, 1000);
  expect([...first!.subarray(HEADER + 20, HEADER + 20 + options.length)]).toEqual(options);
  expect(first![HEADER]).toBe(0x4a);
  expect([...second!.subarray(HEADER + 20, HEADER + 28)]).toEqual([...ROUTER_ALERT, ...STREAM]);
  expect(second![HEADER]).toBe(0x47);
});

test("a fragment that is cut goes on from its own offset, and stays without an end", () => {
  const pieces = fragment(frameOf({ offset: 800, moreFragments: true }), HEADER, 1400);
  expect(pieces.map((piece) => word(piece, 6))).toEqual([0x2000 + 100, 0x2000 + 272, 0x2000 + 444]);
});

test("VLAN tags stand before each fragment, and padding in none", () => {
  const tagged = frameOf({}, [10]);
  const padded = new Uint8Array(tagged.length + 6);
  padded.set(tagged);
  const pieces = fragment(padded, HEADER + 4, 1400);
  expect(pieces.map((piece) => piece.length)).toEqual([1414, 1414, 295]);
  expect(pieces.every((piece) => piece[12] === 0x81 && piece[15] === 10)).toBe(true);
});

test("what is no whole IPv4 packet, or leaves no room for data, is in no fragment", () => {
  expect(fragment(frameOf().subarray(0, 100), HEADER, 1400)).toEqual([]);
  expect(fragment(frameOf({ version: 6 }), HEADER, 1400)).toEqual([]);
  expect(fragment(frameOf({ options: new Array(40).fill(1) }), HEADER, 66)).toEqual([]);
  expect(fragment(frameOf(), HEADER, 68).length).toBe(Math.ceil(3009 / 48));
});

describe.skipIf(lacking("tshark"))("Wireshark", () => {
  test("puts the fragments together: the checksum over all of them is right", () => {
    const options = [...TIMESTAMP, ...STREAM];
    const pieces = [
      ...fragment(frameOf(), HEADER, 1400),
      ...fragment(frameOf({ id: 78, options }), HEADER, 576),
    ];
    const rows = tshark(pieces, [
      "udp.checksum.status",
      "udp.length",
      "ip.checksum.status",
      "_ws.expert.message",
    ]);
    expect(rows.every(([, , header, expert]) => header === "1" && expert === "")).toBe(true);
    expect(rows.filter(([status]) => status === "1").map(([, length]) => length)).toEqual(["3009", "3009"]);
  });
});
