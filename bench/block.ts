/** A batch of the frames of a ring as one block: descriptors with offsets from its first byte, and the bytes. */
import * as L from "../assembly/layout.js";
import type { Core } from "../src/core.js";
import { RING_SLOT, type Ring } from "./ring.js";

export interface Block {
  readonly descriptors: Uint8Array;
  /** Where the frames lie: not a copy. */
  readonly bytes: Uint8Array;
}

export function blockOf(core: Core, ring: Ring, first: number, count: number): Block {
  ring.describe(first, count);
  const descriptors = ring.descriptors(count);
  const at = core.plan.regions.bytes.at + first * RING_SLOT;
  const words = new Uint32Array(descriptors.buffer);
  for (let i = 0; i < count; i++) words[(i * L.DESC_SIZE + L.D_OFFSET) >>> 2]! -= at;
  return { descriptors, bytes: core.bytes.subarray(at, at + count * RING_SLOT) };
}
