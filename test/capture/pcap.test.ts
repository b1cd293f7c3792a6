/** pcap files: what is read from them, and what is wrong with broken ones. */
import { describe, expect, test } from "vitest";
import { CAPTURED_MAX, formatCaptureError } from "../../src/capture/index.js";
import * as build from "./build.js";
import { expectedPacket, readCapture } from "./read.js";

describe.each(build.ORDERS)("pcap in %s-endian order", (order) => {
  const data = build.payload(60);

  test.each([
    ["microseconds", 123_456, 123_456_000],
    ["nanoseconds", 123_456_789, 123_456_789],
  ] as const)("%s", (kind, fraction, nanos) => {
    const header = build.pcapHeader(order, { magic: build.PCAP_MAGIC[kind], snapLength: 96, linkType: 113 });
    const capture = readCapture(
      build.concat(
        header,
        build.pcapRecord(order, 1_700_000_000, fraction, data, { wire: 1514 }),
        build.pcapRecord(order, 0xffff_ffff, 0, build.payload(0)),
      ),
    );
    expect(capture.error).toBeUndefined();
    expect(capture.packets).toEqual([
      expectedPacket(data, 1_700_000_000, nanos, { wireLength: 1514 }),
      expectedPacket(build.payload(0), 0xffff_ffff, 0),
    ]);
    expect(capture.interfaces).toMatchObject([
      { index: 0, section: 0, number: 0, linkType: 113, snapLength: 96, link: { name: "Linux cooked v1" } },
    ]);
  });

  test("a record of the modified format is 8 bytes longer", () => {
    const header = build.pcapHeader(order, { magic: build.PCAP_MAGIC.modified });
    const record = build.pcapRecord(order, 7, 8, data, { more: build.payload(8, 9) });
    const capture = readCapture(build.concat(header, record, record));
    expect(capture.error).toBeUndefined();
    expect(capture.packets).toEqual([expectedPacket(data, 7, 8000), expectedPacket(data, 7, 8000)]);
  });

  test("a fraction of a second or more counts into the seconds", () => {
    const micro = build.pcapRecord(order, 10, 2_000_001, data);
    const nano = build.pcapRecord(order, 10, 4_000_000_009, data);
    expect(readCapture(build.concat(build.pcapHeader(order), micro)).packets).toEqual([
      expectedPacket(data, 12, 1000),
    ]);
    const header = build.pcapHeader(order, { magic: build.PCAP_MAGIC.nanoseconds });
    expect(readCapture(build.concat(header, nano)).packets).toEqual([expectedPacket(data, 14, 9)]);
  });

  test("the upper bits of the link type are the length of the frame check sequence", () => {
    const header = build.pcapHeader(order, { linkType: 0x2400_0001 });
    expect(readCapture(header).interfaces).toMatchObject([{ linkType: 1, link: { name: "Ethernet" } }]);
  });

  test("packets of an unknown link type are read", () => {
    const capture = readCapture(
      build.concat(build.pcapHeader(order, { linkType: 147 }), build.pcapRecord(order, 1, 1, data)),
    );
    expect(capture.error).toBeUndefined();
    expect(capture.packets).toHaveLength(1);
    expect(capture.interfaces).toMatchObject([{ linkType: 147, link: undefined }]);
  });

  test("the longest packet is read, one byte more is an error", () => {
    const header = build.pcapHeader(order);
    const longest = build.pcapRecord(order, 1, 1, build.payload(CAPTURED_MAX));
    const over = build.pcapRecord(order, 2, 2, data, { captured: CAPTURED_MAX + 1 });
    const capture = readCapture(build.concat(header, longest, over, longest), 65_536);
    expect(capture.packets).toHaveLength(1);
    expect(capture.error).toEqual({
      message: `captured length ${CAPTURED_MAX + 1} is over ${CAPTURED_MAX}`,
      offset: 24 + 16 + CAPTURED_MAX,
      unit: "record",
      number: 2,
    });
  });

  test.each([
    [1, 4],
    [2, 3],
    [2, 5],
    [3, 4],
  ])("version %i.%i is refused", (major, minor) => {
    const capture = readCapture(build.concat(build.pcapHeader(order, { major, minor }), data));
    expect(capture.packets).toEqual([]);
    expect(capture.error).toEqual({
      message: `pcap version ${major}.${minor} is not 2.4`,
      offset: 0,
      unit: "file header",
      number: 0,
    });
  });
});

describe("files that are no captures", () => {
  const header = { offset: 0, unit: "file header", number: 0 };

  test("empty", () => {
    expect(readCapture(new Uint8Array(0)).error).toEqual({ message: "the file is empty", ...header });
  });

  test.each([1, 2, 3])("%i bytes", (length) => {
    expect(readCapture(build.payload(length)).error).toEqual({
      message: "the file ends inside it",
      ...header,
    });
  });

  test("something else", () => {
    const error = { message: "neither pcap nor pcapng: the file begins with 25 50 44 46", ...header };
    expect(readCapture(build.text("%PDF-1.7 and so on")).error).toEqual(error);
    expect(readCapture(build.text("%PDF-1.7 and so on"), 1).error).toEqual(error);
  });
});

test("errors in words", () => {
  const error = { message: "it is broken", offset: 1234 };
  expect(formatCaptureError({ ...error, unit: "record", number: 17 })).toBe(
    "byte 1234, record 17: it is broken",
  );
  expect(formatCaptureError({ ...error, unit: "block", number: 1 })).toBe("byte 1234, block 1: it is broken");
  expect(formatCaptureError({ ...error, unit: "file header", number: 0 })).toBe(
    "byte 1234, file header: it is broken",
  );
});
