/** Sync records for tests: where every field lies, cutting a stream into records, changing them. */
import * as L from "../../assembly/layout.js";

export const ACTIONS = ["", "add", "update", "delete", "request", "begin", "end", "verify"] as const;

/** The records of a stream, as views of it. */
export function split(stream: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < stream.length; ) {
    const { length } = recordAt(stream, at);
    records.push(stream.subarray(at, at + length));
    at += length;
  }
  return records;
}

function recordAt(stream: Uint8Array, at: number): { length: number } {
  return { length: stream[at + L.SR_LENGTH]! | (stream[at + L.SR_LENGTH + 1]! << 8) };
}

export const viewOf = (record: Uint8Array): DataView =>
  new DataView(record.buffer, record.byteOffset, record.byteLength);

export const actionOf = (record: Uint8Array): (typeof ACTIONS)[number] => ACTIONS[record[L.SR_ACTION]!]!;
export const idOf = (record: Uint8Array): bigint => viewOf(record).getBigUint64(L.SR_ID, true);
export const versionOf = (record: Uint8Array): bigint => viewOf(record).getBigUint64(L.SR_VERSION, true);

/** What a stream says: the action of each record, in order. */
export const actionsOf = (...streams: Uint8Array[]): string[] => streams.flatMap(split).map(actionOf);

export const isTcp = (record: Uint8Array): boolean => (record[L.SR_KIND]! & ~L.KIND_V6) === L.KIND_TCP4;

/** Where the parts of a record begin; undefined: it has none. */
export function partsOf(record: Uint8Array): {
  ends: number;
  live: number | undefined;
  windows: number | undefined;
  birth: number | undefined;
} {
  const action = record[L.SR_ACTION]!;
  const ends = L.SR_ADDRESSES + (record[L.SR_KIND]! & L.KIND_V6 ? 32 : 8);
  const hasLive = action === L.SYNC_ADD || action === L.SYNC_UPDATE;
  const behind = ends + L.SL_SIZE;
  return {
    ends: L.SR_ADDRESSES,
    live: hasLive ? ends : undefined,
    windows: hasLive && isTcp(record) ? behind : undefined,
    birth: action === L.SYNC_ADD ? behind + (isTcp(record) ? L.SW_SIZE : 0) : undefined,
  };
}

/** A changed copy of a record. */
export function changed(record: Uint8Array, change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const copy = record.slice();
  change(viewOf(copy), copy);
  return copy;
}

/** The same records with another version each, so that they are not stale. */
export const withVersion = (record: Uint8Array, version: bigint): Uint8Array =>
  changed(record, (view) => view.setBigUint64(L.SR_VERSION, version, true));

export function join(records: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(records));
}
