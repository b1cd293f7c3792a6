/** Reads a capture to its end in the ways the tests need: all at once, in pieces, as plain values. */
import { CaptureReader, type CaptureError, type CaptureInterface } from "../../src/capture/index.js";

export interface ReadPacket {
  interfaceIndex: number;
  timeSeconds: number;
  timeNanos: number;
  timed: boolean;
  wireLength: number;
  hex: string;
  comments: string[];
}

export interface ReadCapture {
  packets: ReadPacket[];
  interfaces: readonly CaptureInterface[];
  error: CaptureError | undefined;
}

/** Reads `bytes` in pieces of `pieceLength`, copying out what the batches lend. */
export function readCapture(
  bytes: Uint8Array,
  pieceLength = Math.max(bytes.length, 1),
  packetsMax?: number,
): ReadCapture {
  const reader = new CaptureReader(packetsMax === undefined ? {} : { packetsMax });
  const packets: ReadPacket[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength) {
    // A copy that is destroyed afterwards shows that the reader keeps no piece.
    const piece = Uint8Array.from(bytes.subarray(at, at + pieceLength));
    reader.push(piece);
    take(reader, packets);
    piece.fill(0xee);
  }
  reader.end();
  take(reader, packets);
  if (reader.packets !== packets.length) throw new Error("the reader miscounts");
  return { packets, interfaces: reader.interfaces, error: reader.error };
}

function take(reader: CaptureReader, packets: ReadPacket[]): void {
  for (let batch = reader.next(); batch !== undefined; batch = reader.next()) {
    if (batch.count === 0 || batch.count > batch.capacity) throw new Error(`a batch of ${batch.count}`);
    let end = batch.offset[0]!;
    for (let i = 0; i < batch.count; i++) {
      if (batch.offset[i]! < end) throw new Error("packets out of order within their batch");
      end = batch.offset[i]! + batch.capturedLength[i]!;
      const packet = batch.packet(i);
      if (packet.data.length !== batch.capturedLength[i])
        throw new Error("a packet outside of its batch's bytes");
      packets.push({
        interfaceIndex: packet.interfaceIndex,
        timeSeconds: packet.timeSeconds,
        timeNanos: packet.timeNanos,
        timed: batch.timed[i] === 1,
        wireLength: packet.wireLength,
        hex: Buffer.from(packet.data).toString("hex"),
        comments: batch.comments(i),
      });
    }
    if (batch.end !== end) throw new Error(`the batch ends at ${batch.end} instead of ${end}`);
  }
}

/** What a packet of these fields reads as. */
export function expectedPacket(
  data: Uint8Array,
  timeSeconds: number,
  timeNanos: number,
  more: Partial<ReadPacket> = {},
): ReadPacket {
  return {
    interfaceIndex: 0,
    timeSeconds,
    timeNanos,
    timed: true,
    wireLength: data.length,
    hex: Buffer.from(data).toString("hex"),
    comments: [],
    ...more,
  };
}

/** Numbers in [0, below) from a seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
