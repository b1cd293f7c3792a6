/** The session table of a box, as it lies in the memory of its core. Reads only. */
import * as L from "../../assembly/layout.js";
import type { Core } from "../../src/core.js";

export interface Entry {
  readonly id: number;
  readonly version: number;
  readonly state: number;
  /** The peer is told of it, as the policy has it; and has been. */
  readonly isShared: boolean;
  readonly isKnown: boolean;
  /** The peer has acknowledged the record that told of it. */
  readonly isAcknowledged: boolean;
}

const HALF_OPEN: ReadonlySet<number> = new Set([L.ST_SYN_SENT, L.ST_SYN_RECV, L.ST_SYN_SENT2, L.ST_OPENING]);

/** A session that both ends have agreed to. */
export const isOpen = ({ state }: Entry): boolean => !HALF_OPEN.has(state);

/** Numbers of 64 bits that are small enough for a number: generations and counters of a simulation are. */
function wide(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** The sessions that exist, by id. Deleted ones that wait for the peer to be told are left out. */
export function readTable(core: Core): Map<number, Entry> {
  const { view, plan, bytes } = core;
  const { tags, hot, cold } = plan.regions;
  const mark = core.state(L.S_GENERATION_MARK) + 1;
  const acknowledged = Number(core.state64(L.S_RECORDS_ACKED));
  const table = new Map<number, Entry>();
  const words = new Uint16Array(bytes.buffer, tags.at, plan.groups * L.GROUP_SLOTS);
  for (let slot = 0; slot < words.length; slot++) {
    if (words[slot]! <= L.TAG_GONE) continue;
    const rest = cold.at + slot * L.COLD_SIZE;
    const id = wide(view, rest + L.COLD_ID);
    const isKnown = bytes[rest + L.COLD_MARK] === mark;
    table.set(id, {
      id,
      version: wide(view, rest + L.COLD_VERSION),
      state: bytes[hot.at + slot * L.HOT_SIZE + L.HOT_STATE]!,
      isShared: (bytes[rest + L.COLD_FLAGS]! & L.CF_SYNC) !== 0,
      isKnown,
      isAcknowledged: isKnown && view.getUint32(rest + L.COLD_ADD_NUMBER, true) <= acknowledged,
    });
  }
  return table;
}

/** What both boxes keep to compare their tables by. */
export function digestsOf(core: Core): string {
  const digests = Array.from({ length: L.SYNC_BUCKETS }, (_, i) => core.state64(L.S_DIGESTS + 8 * i));
  return `${core.state(L.S_KNOWN)} ${digests.join(" ")}`;
}
