/** What the tests of single rules have in common: worlds at rest, and what was sent and told in them. */
import { expect } from "vitest";
import { type Chunk, type ChunkOf, DATA_IMMEDIATE } from "../../src/sctp/chunk.js";
import type { SctpAction } from "../../src/sctp/index.js";
import { emitPacket } from "../../src/sctp/packet.js";
import { kindsOf, parse, SIDES, type Side, World, type WorldOptions } from "./world.js";

/** Who has sent which chunks, in order. */
export function trace(world: World): string[] {
  return world.sent.map(({ from, bytes }) => `${from} ${kindsOf([parse(bytes)])[0]}`);
}

/** A world whose packets are recorded from the start. */
export function recording(seed = 1, options: Partial<WorldOptions> = {}): World {
  const world = new World({ seed, ...options });
  world.isRecording = true;
  return world;
}

/** What a side was told beside messages and the state of its paths. */
export const news = (world: World, side: Side): SctpAction[] =>
  world.seen[side].map(({ action }) => action).filter(({ kind }) => kind !== "message" && kind !== "path");

/** Both ends have the same association. */
export function agree(world: World): void {
  const [a, b] = SIDES.map((side) => world.endpoints[side].view());
  expect(a).toMatchObject({ state: "ESTABLISHED", localTag: b!.peerTag, peerTag: b!.localTag });
  expect(b!.state).toBe("ESTABLISHED");
}

export const ABORT: Chunk = { kind: "abort", flags: 0, causes: [] };

export type Data = ChunkOf<"data">;
export type Sack = ChunkOf<"sack">;

/** An association that has come to rest, and whose packets from now on are recorded. */
export function calm(options: Partial<WorldOptions> = {}): World {
  const world = new World({ seed: 1, ...options }).connect();
  world.runFor(500);
  world.isRecording = true;
  return world;
}

export function chunksOf(world: World, from: Side, kind: "data"): Data[];
export function chunksOf(world: World, from: Side, kind: "sack"): Sack[];
export function chunksOf(world: World, from: Side, kind: "data" | "sack"): (Data | Sack)[] {
  return world.sent
    .filter((packet) => packet.from === from)
    .flatMap(({ bytes }) => parse(bytes).chunks)
    .filter((chunk): chunk is Data | Sack => chunk.kind === kind);
}

/** Packets of a side that hold a chunk whose name has `kind` in it. */
export const packetsWith = (world: World, from: Side, kind: string) =>
  world.sent.filter((packet) => packet.from === from && kindsOf([parse(packet.bytes)])[0]!.includes(kind));

/** Takes from the user data of `a` what RFC 7053 has added: as a peer sends that does not know it. */
export function withoutImmediate(world: World): void {
  world.intercept = (from, _path, bytes) => {
    const packet = parse(bytes);
    for (const chunk of packet.chunks) if (chunk.kind === "data") chunk.flags &= ~DATA_IMMEDIATE;
    return from === "a" ? emitPacket(packet) : bytes;
  };
}

/** Drops each chunk of user data of a whose place in the order of sending is in the list. */
export function dropData(world: World, places: readonly number[]): void {
  let place = 0;
  world.intercept = (from, _path, bytes) => {
    const hasData = from === "a" && parse(bytes).chunks.some(({ kind }) => kind === "data");
    return hasData && places.includes(place++) ? undefined : bytes;
  };
}
