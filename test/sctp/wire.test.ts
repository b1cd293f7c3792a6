/** Packets as bytes: golden ones in both directions, random ones there and back, broken ones of every kind. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CAUSES, CAUSES_PER_CHUNK_MAX } from "../../src/sctp/cause.js";
import { CHUNK_TYPES, type Chunk, DATA_BEGIN, DATA_END, unknownChunkRule } from "../../src/sctp/chunk.js";
import { crc32c } from "../../src/sctp/crc32c.js";
import {
  CHUNKS_PER_PACKET_MAX,
  COMMON_HEADER,
  emitPacket,
  PACKET_BYTES_MAX,
  type Packet,
  PacketWriter,
  parsePacket,
} from "../../src/sctp/packet.js";
import { PARAMETERS, PARAMETERS_PER_CHUNK_MAX, unknownParameterRule } from "../../src/sctp/parameter.js";
import { chunks, loneChunk, bundledChunk } from "./arbitrary.js";

fc.configureGlobal({ seed: 1 });

const CHECKSUM_AT = 8;

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The same packet with the checksum that its bytes need. */
function withChecksum(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.fill(0, CHECKSUM_AT, CHECKSUM_AT + 4);
  new DataView(copy.buffer).setUint32(CHECKSUM_AT, crc32c(copy), true);
  return copy;
}

const PORTS = { sourcePort: 5000, destinationPort: 5000 };

function packetOf(...contents: Chunk[]): Uint8Array {
  return emitPacket({ ...PORTS, verificationTag: 7, chunks: contents });
}

function parsed(bytes: Uint8Array): Packet {
  const packet = parsePacket(bytes);
  if (typeof packet === "string") throw new Error(packet);
  return packet;
}

describe("CRC32c", () => {
  test("check value", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });

  test("eight bytes a step give what one bit a step gives", () => {
    const slow = (bytes: Uint8Array) => {
      let sum = -1;
      for (const byte of bytes) {
        sum ^= byte;
        for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
      }
      return ~sum >>> 0;
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => crc32c(bytes) === slow(bytes)));
  });
});

const GOLDEN: [string, string, Omit<Packet, "checksum">][] = [
  [
    "INIT",
    "138813880000000098215dbe0100002411223344000100000002000200000001000500080a00000100050008d3000001",
    {
      ...PORTS,
      verificationTag: 0,
      chunks: [
        {
          kind: "init",
          flags: 0,
          initiateTag: 0x11223344,
          advertisedWindow: 65_536,
          outboundStreams: 2,
          inboundStreams: 2,
          initialTsn: 1,
          parameters: [
            { kind: "ipv4Address", address: 0x0a000001 },
            { kind: "ipv4Address", address: 0xd3000001 },
          ],
        },
      ],
    },
  ],
  [
    "HEARTBEAT",
    "13881388aabbccdd56e43091040000100001000c0000000000000000",
    {
      ...PORTS,
      verificationTag: 0xaabbccdd,
      chunks: [
        {
          kind: "heartbeat",
          flags: 0,
          parameters: [{ kind: "heartbeatInfo", bytes: new Uint8Array(8) }],
        },
      ],
    },
  ],
  [
    "DATA",
    "13881388aabbccdd8000f51b0003001500000001000000000000000068656c6c6f000000",
    {
      ...PORTS,
      verificationTag: 0xaabbccdd,
      chunks: [
        {
          kind: "data",
          flags: DATA_BEGIN | DATA_END,
          tsn: 1,
          stream: 0,
          ssn: 0,
          payloadProtocolId: 0,
          bytes: new TextEncoder().encode("hello"),
        },
      ],
    },
  ],
];

describe.each(GOLDEN)("golden packet %s", (_name, hex, packet) => {
  test("is parsed", () => {
    expect(parsed(fromHex(hex))).toMatchObject(packet);
  });

  test("is emitted", () => {
    expect(toHex(emitPacket(packet))).toBe(hex);
  });
});

describe("there and back", () => {
  test("every packet that can be written is read as it was", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(chunks, (contents) => {
        const { chunks: read, ...header } = parsed(packetOf(...contents));
        for (const chunk of contents) {
          seen.add(chunk.kind);
          if ("parameters" in chunk) for (const { kind } of chunk.parameters) seen.add(kind);
          if ("causes" in chunk) for (const { kind } of chunk.causes) seen.add(kind);
        }
        expect(read).toEqual(contents);
        expect(header).toMatchObject({ ...PORTS, verificationTag: 7 });
      }),
      { numRuns: 1000, seed: 1 },
    );
    const all = [CHUNK_TYPES, PARAMETERS, CAUSES].flatMap((table) => Object.keys(table));
    expect(all.filter((kind) => !seen.has(kind))).toEqual([]);
  });

  test("a buffer that held another packet leaves nothing of it behind", () => {
    const writer = new PacketWriter(PACKET_BYTES_MAX);
    const header = { ...PORTS, verificationTag: 7, checksum: 0 };
    fc.assert(
      fc.property(chunks, chunks, (before, contents) => {
        for (const list of [before, contents]) {
          writer.begin(header);
          for (const chunk of list) writer.add(chunk);
        }
        expect(toHex(writer.finish())).toBe(toHex(packetOf(...contents)));
      }),
    );
  });
});

describe("broken packets are refused whole", () => {
  const sample = fc.sample(fc.oneof(loneChunk, bundledChunk), { numRuns: 300, seed: 2 });

  test("cut short at every length", () => {
    for (const chunk of sample) {
      const whole = packetOf(chunk);
      for (let length = 0; length < whole.length; length++) {
        const cut = whole.slice(0, length);
        expect(parsePacket(cut)).toBe(length < COMMON_HEADER + 4 ? "packet_short" : "checksum");
        if (length < COMMON_HEADER + 4) continue;
        // With a checksum that is right again, the length of the chunk tells.
        expect(parsePacket(withChecksum(cut))).toBe("chunk_length");
      }
    }
  });

  test("a chunk that says each length but its own", () => {
    const reasons = new Set<string>();
    for (const chunk of sample) {
      const whole = packetOf(chunk);
      const right = new DataView(whole.buffer).getUint16(COMMON_HEADER + 2);
      for (let length = 0; length < whole.length + 8; length++) {
        if (length === right) continue;
        const lying = whole.slice();
        new DataView(lying.buffer).setUint16(COMMON_HEADER + 2, length);
        const result = parsePacket(withChecksum(lying));
        if (typeof result === "string") {
          reasons.add(result);
          continue;
        }
        // What is still a packet has no byte that was not there.
        expect(emitPacket(result).length).toBeLessThanOrEqual(lying.length);
      }
    }
    expect([...reasons].sort()).toEqual(["chunk_contents", "chunk_length", "chunk_not_alone"]);
  });

  test("every parameter and cause that says a length beyond its chunk, or less than its header", () => {
    for (const chunk of sample) {
      const hasItems =
        ("parameters" in chunk && chunk.parameters.length) || ("causes" in chunk && chunk.causes.length);
      if (!hasItems) continue;
      const whole = packetOf(chunk);
      const itemAt = COMMON_HEADER + 4 + (chunk.kind === "init" || chunk.kind === "initAck" ? 16 : 0);
      for (const length of [0, 1, 2, 3, whole.length, 0xffff]) {
        const lying = whole.slice();
        new DataView(lying.buffer).setUint16(itemAt + 2, length);
        expect(parsePacket(withChecksum(lying))).toBe("chunk_contents");
      }
    }
  });

  test("any change of bytes gives a packet or a reason, and never a throw", () => {
    fc.assert(
      fc.property(
        chunks,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (contents, changes) => {
          const bytes = packetOf(...contents);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const result = parsePacket(withChecksum(bytes));
          if (typeof result !== "string") expect(parsed(emitPacket(result)).chunks).toEqual(result.chunks);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("one changed bit anywhere does not pass the checksum", () => {
    const bytes = packetOf(...fc.sample(bundledChunk, { numRuns: 5, seed: 3 }));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const copy = bytes.slice();
      copy[bit >>> 3]! ^= 1 << (bit & 7);
      expect(parsePacket(copy)).toBe("checksum");
    }
  });

  test("too long", () => {
    expect(parsePacket(withChecksum(new Uint8Array(PACKET_BYTES_MAX + 1)))).toBe("packet_long");
  });

  test("too many chunks", () => {
    const ack: Chunk = { kind: "cookieAck", flags: 0 };
    const most = Array.from({ length: CHUNKS_PER_PACKET_MAX }, () => ack);
    expect(parsed(packetOf(...most)).chunks).toHaveLength(CHUNKS_PER_PACKET_MAX);
    expect(() => packetOf(...most, ack)).toThrow(RangeError);
    const bytes = packetOf(...most);
    const more = withChecksum(
      Uint8Array.from([...bytes, ...bytes.subarray(COMMON_HEADER, COMMON_HEADER + 4)]),
    );
    expect(parsePacket(more)).toBe("chunk_count");
  });

  test("too many parameters or causes", () => {
    const parameters = Array.from({ length: PARAMETERS_PER_CHUNK_MAX }, () => ({
      kind: "ipv4Address" as const,
      address: 1,
    }));
    const causes = Array.from({ length: CAUSES_PER_CHUNK_MAX }, () => ({ kind: "outOfResource" as const }));
    const heartbeat = (list: typeof parameters) =>
      parsePacket(packetOf({ kind: "heartbeat", flags: 0, parameters: list }));
    const abort = (list: typeof causes) => parsePacket(packetOf({ kind: "abort", flags: 0, causes: list }));
    expect(typeof heartbeat(parameters)).toBe("object");
    expect(heartbeat([...parameters, parameters[0]!])).toBe("chunk_contents");
    expect(typeof abort(causes)).toBe("object");
    expect(abort([...causes, causes[0]!])).toBe("chunk_contents");
  });

  test("INIT, INIT ACK and SHUTDOWN COMPLETE with company", () => {
    const ack: Chunk = { kind: "cookieAck", flags: 0 };
    const kinds = new Set<string>();
    for (const chunk of fc.sample(loneChunk, { numRuns: 20, seed: 4 })) {
      kinds.add(chunk.kind);
      expect(parsePacket(packetOf(chunk, ack))).toBe("chunk_not_alone");
      expect(parsePacket(packetOf(ack, chunk))).toBe("chunk_not_alone");
    }
    expect(kinds.size).toBe(3);
  });
});

describe("padding", () => {
  test("of the last parameter may count or not", () => {
    const chunk: Chunk = {
      kind: "heartbeat",
      flags: 0,
      parameters: [{ kind: "heartbeatInfo", bytes: Uint8Array.of(1, 2, 3, 4, 5) }],
    };
    const bytes = packetOf(chunk);
    for (const length of [13, 14, 15, 16]) {
      const changed = bytes.slice();
      new DataView(changed.buffer).setUint16(COMMON_HEADER + 2, length);
      expect(parsed(withChecksum(changed)).chunks).toEqual([chunk]);
    }
  });

  test("is not looked at, and written as zero", () => {
    const [, hex, packet] = GOLDEN[2]!;
    const bytes = fromHex(hex);
    bytes.fill(0xff, bytes.length - 3);
    expect(parsed(withChecksum(bytes))).toMatchObject(packet);
    expect(toHex(emitPacket(parsed(withChecksum(bytes))))).toBe(hex);
  });
});

test("the top bits of an unknown type say what to do", () => {
  const rules = [
    { isSkipped: false, isReported: false },
    { isSkipped: false, isReported: true },
    { isSkipped: true, isReported: false },
    { isSkipped: true, isReported: true },
  ];
  const types = (bits: number) => Array.from({ length: 2 ** bits }, (_, type) => type);
  expect(types(8).map(unknownChunkRule)).toEqual(types(8).map((type) => rules[type >>> 6]));
  expect(types(16).map(unknownParameterRule)).toEqual(types(16).map((type) => rules[type >>> 14]));
});
