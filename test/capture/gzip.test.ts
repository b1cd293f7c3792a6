/** Compressed captures: what we add to fflate, against zlib: members, damage, bounds, all up to the break. */
import { constants, crc32, deflateRawSync, gunzipSync, gzipSync, type ZlibOptions } from "node:zlib";
import { describe, expect, test } from "vitest";
import { GzipReader, HEADER_MAX, WAITING_MAX } from "../../src/capture/gzip.js";
import * as build from "./build.js";
import { readCapture, seeded } from "./read.js";
import { SAMPLES } from "./samples.js";

/** Decompresses in pieces, and says what came out before the end or the error. */
function gunzip(
  bytes: Uint8Array,
  pieceLength = bytes.length,
): { output: Buffer; error: string | undefined } {
  const stream = new GzipReader();
  const parts: Buffer[] = [];
  const take = () => {
    for (let part = stream.next(); part !== undefined; part = stream.next()) parts.push(Buffer.from(part));
  };
  for (let at = 0; at < bytes.length; at += pieceLength) {
    // A copy that is destroyed afterwards shows that no piece is kept.
    const piece = Uint8Array.from(bytes.subarray(at, at + pieceLength));
    stream.push(piece);
    take();
    piece.fill(0xee);
  }
  stream.end();
  take();
  expect(stream.finished).toBe(true);
  return { output: Buffer.concat(parts), error: stream.error };
}

/** Data of different kinds: noise, few symbols, long repetitions, text. */
function material(kind: number, length: number, seed: number): Buffer {
  const random = seeded(seed);
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; ) {
    if (kind === 3 && i > 0 && random(3) > 0) {
      const distance = 1 + random(Math.min(i, 40_000));
      for (let n = 1 + random(400); n > 0 && i < length; n--, i++) bytes[i] = bytes[i - distance]!;
    } else {
      bytes[i++] = kind === 0 ? random(256) : kind === 1 ? random(3) : 97 + random(26) * random(2);
    }
  }
  return bytes;
}

const OPTIONS: [string, ZlibOptions][] = [
  ["stored", { level: 0 }],
  ["fast", { level: 1 }],
  ["usual", {}],
  ["best", { level: 9 }],
  ["fixed codes", { strategy: constants.Z_FIXED }],
  ["Huffman only", { strategy: constants.Z_HUFFMAN_ONLY }],
  ["run lengths", { strategy: constants.Z_RLE }],
  ["small window", { windowBits: 9, memLevel: 1 }],
];

const NOT_A_MEMBER = "the gzip data has something else where a member should begin";
const KNOWN_ERROR =
  /^the gzip (data ends too early|checksum is wrong|length is wrong|data has (something|a header) .+|data is damaged: invalid (block type|length\/literal|distance))$/;

function zlibAccepts(bytes: Uint8Array): boolean {
  try {
    gunzipSync(bytes);
    return true;
  } catch {
    return false;
  }
}

describe.each(OPTIONS)("%s", (_, options) => {
  test.each([0, 1, 2, 3])("material %i of every size", (kind) => {
    for (const length of [0, 1, 2, 3, 257, 258, 259, 32_767, 32_768, 65_535, 65_536, 65_537, 300_000]) {
      const plain = material(kind, length, length + kind);
      const { output, error } = gunzip(gzipSync(plain, options), 8192);
      expect(error).toBeUndefined();
      expect(output.equals(plain)).toBe(true);
    }
  });

  test("in pieces of every length", () => {
    const plain = material(3, 700, 5);
    const compressed = gzipSync(plain, options);
    for (let pieceLength = 1; pieceLength <= compressed.length; pieceLength++) {
      expect(gunzip(compressed, pieceLength)).toEqual({ output: plain, error: undefined });
    }
    const longer = material(3, 200_000, 6);
    expect(gunzip(gzipSync(longer, options), 11).output.equals(longer)).toBe(true);
  });
});

describe("members", () => {
  const first = material(3, 50_000, 1);
  const second = material(3, 50_000, 2);

  test("several, one after the other", () => {
    const parts = [first, Buffer.alloc(0), second, first];
    const bytes = Buffer.concat(parts.map((part) => gzipSync(part)));
    for (const pieceLength of [1, 17, bytes.length]) {
      const { output, error } = gunzip(bytes, pieceLength);
      expect(error).toBeUndefined();
      expect(output.equals(Buffer.concat(parts))).toBe(true);
    }
  });

  test("more than a thousand without any data", () => {
    const empty = gzipSync(Buffer.alloc(0));
    const bytes = Buffer.concat([...Array.from({ length: 1500 }, () => empty), gzipSync(first)]);
    const { output, error } = gunzip(bytes);
    expect(error).toBeUndefined();
    expect(output.equals(first)).toBe(true);
  });

  test.each([
    ["checksum", -8, "the gzip checksum is wrong"],
    ["length", -4, "the gzip length is wrong"],
  ])("a wrong %s is found in each, however far the next header reaches", (_, offset, message) => {
    const extra = build.concat(build.u8(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3), build.u16(65_535, "little"));
    const longHeader = build.concat(extra, build.payload(65_535), gzipSync(second).subarray(10));
    const plains = [first, second, first];
    const parts = [gzipSync(first), longHeader, gzipSync(first)];
    for (let broken = 0; broken < parts.length; broken++) {
      const damaged = parts.map((part) => Uint8Array.from(part));
      damaged[broken]![damaged[broken]!.length + offset]! ^= 1;
      for (const pieceLength of [1000, 8192, 1_000_000]) {
        expect(gunzip(build.concat(...parts), pieceLength).error).toBeUndefined();
        const { output, error } = gunzip(build.concat(...damaged), pieceLength);
        expect(error).toBe(message);
        expect(output.equals(Buffer.concat(plains.slice(0, broken + 1)))).toBe(true);
      }
    }
  });

  test("cut at every length of the trailers and of the headers between", () => {
    const bytes = Buffer.concat([gzipSync(first), gzipSync(second)]);
    const middle = gzipSync(first).length;
    const cuts: [Buffer, number, number][] = [
      [first, middle - 8, middle - 1],
      [first, middle + 1, middle + 10],
      [Buffer.concat([first, second]), bytes.length - 8, bytes.length - 1],
    ];
    for (const [output, from, to] of cuts) {
      for (let length = from; length <= to; length++) {
        const cut = gunzip(bytes.subarray(0, length), 5000);
        expect(cut.error).toBe("the gzip data ends too early");
        expect(cut.output.equals(output)).toBe(true);
      }
    }
    expect(gunzip(bytes.subarray(0, middle)).error).toBeUndefined();
  });

  test("a match does not reach into the member before", () => {
    // One fixed block: a match of length 3 at distance 1, with nothing before it in its member; then the end.
    const bits = "1" + "10" + "0000001" + "00000" + "0000000";
    const raw = Uint8Array.from({ length: 3 }, (_, i) => {
      const octet = bits.slice(8 * i, 8 * i + 8).padEnd(8, "0");
      return Number.parseInt([...octet].reverse().join(""), 2);
    });
    const member = build.concat(build.u8(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), raw, new Uint8Array(8));
    const { output, error } = gunzip(build.concat(gzipSync(first), member));
    expect(output.equals(first)).toBe(true);
    expect(error).toBe("the gzip data is damaged: invalid distance");
  });

  test("header fields are passed over", () => {
    const plain = material(3, 300, 3);
    const raw = deflateRawSync(plain);
    const trailer = gzipSync(plain).subarray(-8);
    const fields: [number, Uint8Array][] = [
      [4, build.concat(build.u16(300, "little"), build.payload(300))],
      [8, build.text("name\0")],
      [16, build.text("comment\0")],
      [2, build.u8(0, 0)],
    ];
    for (let mask = 0; mask < 16; mask++) {
      const chosen = fields.filter((_, i) => mask & (1 << i));
      const flags = chosen.reduce((sum, [flag]) => sum + flag, 0);
      const header = build.concat(
        build.u8(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3),
        ...chosen.map(([, f]) => f),
      );
      const bytes = build.concat(header, raw, trailer);
      for (const pieceLength of [1, bytes.length]) {
        expect(gunzip(bytes, pieceLength)).toEqual({ output: plain, error: undefined });
      }
      for (let length = 2; length < header.length; length++) {
        const cut = gunzip(bytes.subarray(0, length));
        expect([length, cut.output.length, cut.error]).toEqual([length, 0, "the gzip data ends too early"]);
      }
    }
  });
});

describe("damage", () => {
  const plain = material(3, 3000, 9);

  /** What zlib makes of data that ends too early. */
  const arrived = (cut: Uint8Array) => gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH });
  const compressing = OPTIONS.filter(([name]) => name !== "stored");

  test.each(compressing)(
    "cut at every length, %s: as much comes out as zlib can make of it",
    (_, options) => {
      const compressed = gzipSync(plain, options);
      for (let length = 10; length < compressed.length; length++) {
        const cut = compressed.subarray(0, length);
        const { output, error } = gunzip(cut, 100);
        expect(error).toBe("the gzip data ends too early");
        expect(output.equals(arrived(cut))).toBe(true);
      }
    },
  );

  test("cut in stored blocks: all whole ones come out", () => {
    const blocks = [material(0, 65_535, 1), material(0, 1, 2), material(0, 40_000, 3)];
    const header = (length: number, last: number) =>
      build.concat(build.u8(last), build.u16(length, "little"), build.u16(length ^ 0xffff, "little"));
    const stored = blocks.map((block, i) => build.concat(header(block.length, i === 2 ? 1 : 0), block));
    const whole = Buffer.concat(blocks);
    const compressed = build.concat(
      gzipSync("").subarray(0, 10),
      ...stored,
      build.u32(crc32(whole), "little"),
      build.u32(whole.length, "little"),
    );
    expect(gunzip(compressed).error).toBeUndefined();
    let end = 10;
    let before = 0;
    stored.forEach((block, i) => {
      for (const length of [end, end + 1, end + 5, end + block.length - 1]) {
        const { output, error } = gunzip(compressed.subarray(0, length), 10_000);
        expect(error).toBe("the gzip data ends too early");
        expect(output.equals(whole.subarray(0, before))).toBe(true);
      }
      end += block.length;
      before += blocks[i]!.length;
    });
  });

  test.each([
    [build.text("hello"), NOT_A_MEMBER],
    [build.u8(0), "the gzip data ends too early"],
    [build.u8(0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0), NOT_A_MEMBER],
    [build.u8(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 7), "the gzip data is damaged: invalid block type"],
    [
      build.u8(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(80).fill(0xfd)),
      "the gzip data is damaged: invalid length/literal",
    ],
  ])("followed by %j", (more, message) => {
    expect(gunzip(build.concat(gzipSync(plain), more))).toEqual({ output: plain, error: message });
  });

  test.each(OPTIONS)(
    "random changes, %s: no other data is accepted, and what zlib accepts is",
    (_, options) => {
      const random = seeded(77);
      const compressed = gzipSync(plain, options);
      let refused = 0;
      const rounds = 800;
      for (let round = 0; round < rounds; round++) {
        const damaged = Uint8Array.from(compressed);
        for (let changes = 1 + random(3); changes > 0; changes--)
          damaged[random(damaged.length)] = random(256);
        const { output, error } = gunzip(damaged, 1 + random(300));
        if (error === undefined) expect(output.equals(plain)).toBe(true);
        else refused++;
        if (zlibAccepts(damaged)) expect(error).toBeUndefined();
        else if (error !== undefined) expect(error).toMatch(KNOWN_ERROR);
      }
      expect(refused).toBeGreaterThan(rounds / 2);
    },
  );
});

describe("bounds", () => {
  test("a small file that expands to a huge one comes out in pieces", () => {
    const half = gzipSync(Buffer.alloc(2 ** 26), { level: 9 });
    const stream = new GzipReader();
    let length = 0;
    let longest = 0;
    for (let member = 0; member < 2; member++) {
      stream.push(half);
      for (let part = stream.next(); part !== undefined; part = stream.next()) {
        length += part.length;
        longest = Math.max(longest, part.length);
      }
    }
    stream.end();
    expect(stream.next()).toBeUndefined();
    expect(stream.error).toBeUndefined();
    expect(length).toBe(2 ** 27);
    expect(longest).toBeLessThanOrEqual(WAITING_MAX);
  });

  test("a header that does not end is given up", () => {
    const stream = new GzipReader();
    stream.push(build.u8(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3));
    expect(stream.next()).toBeUndefined();
    const name = new Uint8Array(1000).fill(97);
    let length = 0;
    for (; !stream.finished && length < 2 * HEADER_MAX; length += name.length) {
      stream.push(name);
      expect(stream.next()).toBeUndefined();
    }
    expect(stream.error).toBe("the gzip data has a header that is too long");
    expect(length).toBeGreaterThan(HEADER_MAX - 1000);
    expect(length).toBeLessThanOrEqual(HEADER_MAX + 1000);
  });

  test("using it against its contract is a bug", () => {
    const stream = new GzipReader();
    stream.push(build.u8(0x1f));
    expect(() => stream.push(build.u8(0x8b))).toThrow("push before next()");
    stream.end();
    expect(() => stream.push(build.u8(0x8b))).toThrow("push after end");
  });
});

describe.each(SAMPLES)("$name, compressed", ({ bytes }) => {
  const all = readCapture(bytes);

  test("reads like the plain file, in pieces of every length", () => {
    const compressed = gzipSync(bytes);
    for (let pieceLength = 1; pieceLength <= compressed.length; pieceLength++) {
      expect(readCapture(compressed, pieceLength)).toEqual(all);
    }
    const members = Buffer.concat([gzipSync(bytes.subarray(0, 51)), gzipSync(bytes.subarray(51))]);
    expect(readCapture(members)).toEqual(all);
  });

  test("cut at every length: every packet that has arrived, then one error", () => {
    const compressed = gzipSync(bytes);
    for (let length = 2; length < compressed.length; length++) {
      const cut = compressed.subarray(0, length);
      const capture = readCapture(cut);
      const arrived =
        length < 10 ? new Uint8Array(0) : gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH });
      expect(capture.packets).toEqual(readCapture(arrived).packets);
      expect(capture.error?.message).toBe("the gzip data ends too early");
      expect(capture.error?.offset).toBeLessThanOrEqual(arrived.length);
    }
  });

  test("an intact gzip file of a broken capture", () => {
    const cut = bytes.subarray(0, bytes.length - 1);
    expect(readCapture(gzipSync(cut))).toEqual(readCapture(cut));
    expect(readCapture(gzipSync(new Uint8Array(0))).error?.message).toBe("the file is empty");
  });
});
