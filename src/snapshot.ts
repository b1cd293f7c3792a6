/**
 * Copies of what a firewall is: a snapshot to keep, and the copy that undoes a call.
 *
 * A snapshot is its configuration and numbering as JSON, then the core's state:
 *
 *   magic 4 | length of the JSON 4, little endian | JSON | state
 *
 * It is trusted as a configuration is: it comes from the operator, not from the network.
 */
import * as L from "../assembly/layout.js";
import type { Capacity, Core } from "./core.js";
import type { Numbering } from "./policy/numbering.js";

const MAGIC = 0x50535754; // "TWSP"
const PREFIX_SIZE = 8;

export interface SnapshotHeader {
  layout: number;
  capacity: Capacity;
  /** The running configuration as text. */
  config: string;
  file: string;
  inside: string[];
  pair?: [string, string];
  macs: [string, string][];
  mtus: [string, number][];
  checksums: boolean;
  numbering: Numbering;
  /** Wall clock minus the clock of `process`, ms. */
  wallOffsetMs: number;
  /** Id of the last session of the policy before this one. */
  rulesSince: string;
}

/** Why bytes cannot be restored. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}

export function writeSnapshot(header: SnapshotHeader, state: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(PREFIX_SIZE + json.length + state.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, json.length, true);
  bytes.set(json, PREFIX_SIZE);
  bytes.set(state, PREFIX_SIZE + json.length);
  return bytes;
}

/**
 * Takes a snapshot apart. Throws SnapshotError when it is none, or one of another layout or capacity.
 * @param stateSize bytes of the state of the instance that is to take it over.
 */
export function readSnapshot(
  bytes: Uint8Array,
  capacity: Readonly<Capacity>,
  stateSize: number,
): { header: SnapshotHeader; state: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PREFIX_SIZE || view.getUint32(0, true) !== MAGIC)
    throw new SnapshotError("this is no snapshot");
  const stateAt = PREFIX_SIZE + view.getUint32(4, true);
  if (stateAt > bytes.length) throw new SnapshotError("the snapshot is cut short");
  const header = parseHeader(bytes.subarray(PREFIX_SIZE, stateAt));
  if (header.layout !== L.LAYOUT_VERSION) {
    throw new SnapshotError(
      `the snapshot has memory layout ${header.layout}, this package ${L.LAYOUT_VERSION}`,
    );
  }
  for (const name of Object.keys(capacity) as (keyof Capacity)[]) {
    if (header.capacity[name] !== capacity[name]) {
      throw new SnapshotError(
        `the snapshot was taken with capacity.${name} ${header.capacity[name]}, this firewall has ${capacity[name]}`,
      );
    }
  }
  const state = bytes.subarray(stateAt);
  if (state.length !== stateSize) throw new SnapshotError("the snapshot is cut short");
  return { header, state };
}

function parseHeader(json: Uint8Array): SnapshotHeader {
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(json));
    if (typeof header === "object" && header !== null && "layout" in header && "capacity" in header) {
      return header as SnapshotHeader;
    }
  } catch {
    // Answered below, as a header of another shape is.
  }
  throw new SnapshotError("the header of the snapshot cannot be read");
}

/**
 * Does `work`, which may call the core, and then undoes all that it changed in the core's memory. Of the flow table
 * only the slots in use are copied, so that the cost follows the sessions that exist and not the capacity.
 */
export function undone<T>(core: Core, work: () => T): T {
  const { hot, fragments, meta } = core.plan.regions;
  const before = core.bytes.slice(L.STATE_AT, hot.at);
  const after = core.bytes.slice(fragments.at, meta.at);
  const putSlotsBack = copySlots(core);
  try {
    return work();
  } finally {
    putSlotsBack();
    core.bytes.set(before, L.STATE_AT);
    core.bytes.set(after, fragments.at);
    core.attach();
  }
}

const HOT_WORDS = L.HOT_SIZE / 4;
const COLD_WORDS = L.COLD_SIZE / 4;

/** Copies the records of the slots in use; the function it returns puts them back, and clears those that were free.
 * The tags, which say which these are, are put back by the caller, later. */
function copySlots(core: Core): () => void {
  const { words, plan } = core;
  const hot = plan.regions.hot.at / 4;
  const cold = plan.regions.cold.at / 4;
  const tagsNow = new Uint16Array(core.bytes.buffer, plan.regions.tags.at, plan.regions.tags.size / 2);
  const tags = tagsNow.slice();
  const used = core.state(L.S_SESSIONS) + core.state(L.S_GONE);
  const records = new Uint32Array(used * (HOT_WORDS + COLD_WORDS));
  let to = 0;
  for (let slot = 0; slot < tags.length; slot++) {
    if (tags[slot] === 0) continue;
    for (let i = hot + slot * HOT_WORDS, end = i + HOT_WORDS; i < end; i++) records[to++] = words[i]!;
    for (let i = cold + slot * COLD_WORDS, end = i + COLD_WORDS; i < end; i++) records[to++] = words[i]!;
  }
  return () => {
    let from = 0;
    for (let slot = 0; slot < tags.length; slot++) {
      const hotAt = hot + slot * HOT_WORDS;
      const coldAt = cold + slot * COLD_WORDS;
      if (tags[slot] !== 0) {
        for (let i = hotAt, end = i + HOT_WORDS; i < end; i++) words[i] = records[from++]!;
        for (let i = coldAt, end = i + COLD_WORDS; i < end; i++) words[i] = records[from++]!;
      } else if (tagsNow[slot] !== 0) {
        words.fill(0, hotAt, hotAt + HOT_WORDS);
        words.fill(0, coldAt, coldAt + COLD_WORDS);
      }
    }
  };
}
