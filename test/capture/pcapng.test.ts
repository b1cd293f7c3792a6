/** pcapng files: blocks, interfaces, options, times, and what is wrong with broken ones. */
import { describe, expect, test } from "vitest";
import { CAPTURED_MAX } from "../../src/capture/index.js";
import { BLOCK_MAX, INTERFACES_MAX, TEXT_MAX } from "../../src/capture/format.js";
import * as build from "./build.js";
import { expectedPacket, readCapture } from "./read.js";

describe.each(build.ORDERS)("pcapng in %s-endian order", (order) => {
  const section = build.sectionHeader(order);
  const data = build.payload(61);
  const ethernet = build.interfaceBlock(order);

  test("interfaces with their options", () => {
    const capture = readCapture(
      build.concat(
        section,
        build.interfaceBlock(
          order,
          1,
          96,
          build.option(order, 1, build.text("a comment")),
          build.option(order, 2, build.text("eth0")),
          build.option(order, 3, build.text("zur Straße\0")),
          build.END_OF_OPTIONS,
          build.text("after the end, no option"),
        ),
        build.interfaceBlock(order, 276, 0),
        build.interfaceBlock(order, 9, 0, build.option(order, 2, build.text("p".repeat(TEXT_MAX + 1)))),
      ),
    );
    expect(capture.error).toBeUndefined();
    expect(capture.interfaces).toMatchObject([
      { index: 0, number: 0, name: "eth0", description: "zur Straße", linkType: 1, snapLength: 96 },
      { index: 1, number: 1, name: undefined, linkType: 276, link: { name: "Linux cooked v2" } },
      { index: 2, number: 2, name: "p".repeat(TEXT_MAX), linkType: 9, link: undefined },
    ]);
  });

  test("enhanced and obsolete packets, comments, blocks without packets", () => {
    const comments = build.concat(
      build.option(order, 1, build.text("first")),
      build.option(order, 2, build.u32(1, order)),
      build.option(order, 1, build.text("zweite – 二")),
      build.END_OF_OPTIONS,
    );
    const capture = readCapture(
      build.concat(
        section,
        ...build.otherBlocks(order),
        ethernet,
        ...build.otherBlocks(order),
        build.interfaceBlock(order, 101),
        build.enhancedPacket(order, 1, 1_000_002n, data, { wire: 9000, options: comments }),
        ...build.otherBlocks(order),
        build.obsoletePacket(order, 0, 3_000_004n, data, build.option(order, 1, build.text("old"))),
        build.enhancedPacket(order, 0, 5n, data),
      ),
    );
    expect(capture.error).toBeUndefined();
    expect(capture.packets).toEqual([
      expectedPacket(data, 1, 2000, {
        interfaceIndex: 1,
        wireLength: 9000,
        comments: ["first", "zweite – 二"],
      }),
      expectedPacket(data, 3, 4000, { comments: ["old"] }),
      expectedPacket(data, 0, 5000),
    ]);
  });

  test.each([
    ["no limit", 0, 61, 61, 61],
    ["wire length under the limit", 96, 61, 61, 61],
    ["wire length over the limit", 40, 61, 40, 40],
  ])("simple packet, %s", (_, snapLength, wire, stored, captured) => {
    const capture = readCapture(
      build.concat(
        section,
        build.interfaceBlock(order, 1, snapLength),
        build.interfaceBlock(order, 1, 7),
        build.simplePacket(order, wire, data.subarray(0, stored)),
      ),
    );
    expect(capture.error).toBeUndefined();
    expect(capture.packets).toEqual([
      expectedPacket(data.subarray(0, captured), 0, 0, { timed: false, wireLength: wire }),
    ]);
  });

  test.each(Array.from({ length: 256 }, (_, octet) => octet))("if_tsresol %i", (octet) => {
    const perSecond = octet < 128 ? 10n ** BigInt(octet) : 2n ** BigInt(octet - 128);
    const counts = [
      0n,
      1n,
      perSecond - 1n,
      perSecond,
      perSecond + 1n,
      1_700_000_000n * perSecond + perSecond / 3n,
    ]
      .concat(2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n)
      .filter((count) => count < 2n ** 64n);
    const capture = readCapture(
      build.concat(
        section,
        build.interfaceBlock(order, 1, 0, build.option(order, 9, build.u8(octet))),
        ...counts.map((count) => build.enhancedPacket(order, 0, count, data)),
      ),
    );
    expect(capture.error).toBeUndefined();
    expect(capture.packets.map((packet) => [packet.timeSeconds, packet.timeNanos])).toEqual(
      counts.map((count) => [
        Number(count / perSecond),
        Number(((count % perSecond) * 1_000_000_000n) / perSecond),
      ]),
    );
  });

  test.each([0n, 1n, 3600n, -1n, -3600n])("if_tsoffset %i", (offset) => {
    const capture = readCapture(
      build.concat(
        section,
        build.interfaceBlock(order, 1, 0, build.option(order, 14, build.i64(offset, order))),
        build.enhancedPacket(order, 0, 5_000_001n, data),
      ),
    );
    expect(capture.packets).toEqual([expectedPacket(data, 5 + Number(offset), 1000)]);
  });

  test("each section has its own byte order and interfaces, numbered through the file", () => {
    const other = order === "little" ? "big" : "little";
    const capture = readCapture(
      build.concat(
        section,
        ethernet,
        build.interfaceBlock(order, 101),
        build.enhancedPacket(order, 1, 1n, data),
        build.sectionHeader(other, { minor: 2 }),
        build.interfaceBlock(other, 113),
        build.enhancedPacket(other, 0, 2n, data, { options: build.option(other, 1, build.text("b")) }),
        build.simplePacket(other, 61, data),
      ),
    );
    expect(capture.error).toBeUndefined();
    expect(capture.packets).toEqual([
      expectedPacket(data, 0, 1000, { interfaceIndex: 1 }),
      expectedPacket(data, 0, 2000, { interfaceIndex: 2, comments: ["b"] }),
      expectedPacket(data, 0, 0, { interfaceIndex: 2, timed: false }),
    ]);
    expect(capture.interfaces.map(({ section, number, linkType }) => [section, number, linkType])).toEqual([
      [0, 0, 1],
      [0, 1, 101],
      [1, 0, 113],
    ]);
  });

  const sizes = (type: number, least: number): [string, Uint8Array, string][] =>
    [0, 1, 11, least - 4].map((front) => [
      `block ${type} of length ${front}`,
      build.block(order, type, build.payload(64), { front }),
      `block length ${front} is under ${least}`,
    ]);

  const broken: [string, Uint8Array, string][] = [
    ...sizes(1, 20),
    ...sizes(2, 32),
    ...sizes(3, 16),
    ...sizes(6, 32),
    ...sizes(0xbad, 12),
    [
      "section header of length 24",
      build.concat(build.u32(0x0a0d0d0a, order), build.u32(24, order), build.u32(0x1a2b3c4d, order)),
      "block length 24 is under 28",
    ],
    [
      "length that is no multiple of 4",
      build.block(order, 5, build.payload(64), { front: 75, behind: 75 }),
      "block length 75 is not a multiple of 4",
    ],
    [
      "length over the bound",
      build.block(order, 5, build.payload(64), { front: BLOCK_MAX + 4 }),
      `block length ${BLOCK_MAX + 4} is over ${BLOCK_MAX}`,
    ],
    [
      "length of 4 GiB",
      build.block(order, 6, build.payload(64), { front: 0xffff_fffc }),
      `block length 4294967292 is over ${BLOCK_MAX}`,
    ],
    [
      "two different lengths",
      build.block(order, 5, build.payload(8), { behind: 24 }),
      "block length 20 in front, but 24 behind",
    ],
    [
      "section header without byte-order magic",
      build.sectionHeader(order, { magic: 0x1a2b3c4e }),
      "a section header without the byte-order magic",
    ],
    ["section of version 2.0", build.sectionHeader(order, { major: 2 }), "pcapng version 2.0 is not 1.0"],
    ["section of version 1.1", build.sectionHeader(order, { minor: 1 }), "pcapng version 1.1 is not 1.0"],
    [
      "section with a broken option",
      build.sectionHeader(order, { options: build.option(order, 4, build.payload(4), 5) }),
      "an option runs past the end of its block",
    ],
    [
      "interface with a broken option",
      build.interfaceBlock(order, 1, 0, build.option(order, 2, build.payload(4), 5)),
      "an option runs past the end of its block",
    ],
    [
      "if_tsresol of 2 bytes",
      build.interfaceBlock(order, 1, 0, build.option(order, 9, build.u8(6, 0))),
      "if_tsresol is 2 bytes long instead of 1",
    ],
    [
      "if_tsoffset of 4 bytes",
      build.interfaceBlock(order, 1, 0, build.option(order, 14, build.payload(4))),
      "if_tsoffset is 4 bytes long instead of 8",
    ],
    [
      "packet with a broken option",
      build.enhancedPacket(order, 0, 0n, data, { options: build.option(order, 1, build.payload(4), 0xffff) }),
      "an option runs past the end of its block",
    ],
    [
      "packet of an interface that is not described",
      build.enhancedPacket(order, 1, 0n, data),
      "interface 1 has not been described in this section",
    ],
    [
      "obsolete packet of an interface that is not described",
      build.obsoletePacket(order, 0xffff, 0n, data),
      "interface 65535 has not been described in this section",
    ],
    [
      "packet longer than its block",
      build.enhancedPacket(order, 0, 0n, build.payload(60), { captured: 61 }),
      "captured length 61 runs past the end of its block",
    ],
    [
      "packet over the bound",
      build.enhancedPacket(order, 0, 0n, data, { captured: 0xffff_ffff }),
      `captured length 4294967295 is over ${CAPTURED_MAX}`,
    ],
    [
      "simple packet longer than its block",
      build.simplePacket(order, 61, build.payload(60)),
      "captured length 61 runs past the end of its block",
    ],
    [
      "simple packet over the bound",
      build.simplePacket(order, 0xffff_ffff, data),
      `captured length 4294967295 is over ${CAPTURED_MAX}`,
    ],
  ];

  test.each(broken)("%s", (_, bad, message) => {
    const before = build.concat(section, ethernet, build.enhancedPacket(order, 0, 1n, data));
    for (const pieceLength of [1, 7, 1_000_000]) {
      const capture = readCapture(build.concat(before, bad, before), pieceLength);
      expect(capture.packets).toEqual([expectedPacket(data, 0, 1000)]);
      expect(capture.error).toEqual({ message, offset: before.length, unit: "block", number: 4 });
    }
  });

  test("a simple packet needs an interface", () => {
    expect(readCapture(build.concat(section, build.simplePacket(order, 61, data))).error).toEqual({
      message: "a simple packet before the first interface",
      offset: section.length,
      unit: "block",
      number: 2,
    });
  });

  test("interfaces of an earlier section do not count", () => {
    const bytes = build.concat(section, ethernet, section, build.enhancedPacket(order, 0, 1n, data));
    expect(readCapture(bytes).error?.message).toBe("interface 0 has not been described in this section");
  });

  test("the number of interfaces has a bound", () => {
    const all = build.concat(section, ...Array.from({ length: INTERFACES_MAX }, () => ethernet));
    expect(readCapture(all).error).toBeUndefined();
    const more = readCapture(build.concat(all, ethernet));
    expect(more.interfaces).toHaveLength(INTERFACES_MAX);
    expect(more.error?.message).toBe(`more than ${INTERFACES_MAX} interfaces`);
  });

  test("the longest packet is read", () => {
    const longest = build.payload(CAPTURED_MAX);
    const capture = readCapture(
      build.concat(section, ethernet, build.enhancedPacket(order, 0, 1n, longest)),
      65_536,
    );
    expect(capture.error).toBeUndefined();
    expect(capture.packets).toEqual([expectedPacket(longest, 0, 1000)]);
  });
});
