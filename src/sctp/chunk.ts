/**
 * Chunks (RFC 9260 section 3.3), each as one field list. Header: type, flags, length; the length leaves out the
 * padding to four bytes.
 */
import { CAUSES_TAIL } from "./cause.js";
import { PARAMETERS_TAIL, type UnknownRule, unknownRule } from "./parameter.js";
import {
  BYTES_TAIL,
  form,
  formsByType,
  ITEM_HEADER,
  ITEM_LENGTH_AT,
  NO_TAIL,
  type Span,
  type Tail,
  type ValueOf,
} from "./tlv.js";

/** First and last TSN of a gap block, as steps from the cumulative TSN. */
export interface GapBlock {
  first: number;
  last: number;
}

const GAP_COUNTS = 4;
const GAP_BLOCK = 4;
const TSN = 4;

/** Two counts, then as many gap blocks and duplicate TSNs (section 3.3.4). */
const GAPS_TAIL: Tail<{ gaps: GapBlock[]; duplicates: number[] }> = {
  read({ view }, at, end) {
    if (end - at < GAP_COUNTS) return undefined;
    const gapCount = view.getUint16(at);
    const duplicateCount = view.getUint16(at + 2);
    const duplicatesAt = at + GAP_COUNTS + gapCount * GAP_BLOCK;
    if (end !== duplicatesAt + duplicateCount * TSN) return undefined;
    const gaps: GapBlock[] = [];
    for (let i = at + GAP_COUNTS; i < duplicatesAt; i += GAP_BLOCK) {
      gaps.push({ first: view.getUint16(i), last: view.getUint16(i + 2) });
    }
    const duplicates: number[] = [];
    for (let i = duplicatesAt; i < end; i += TSN) duplicates.push(view.getUint32(i));
    return { gaps, duplicates };
  },
  size: ({ gaps, duplicates }) => GAP_COUNTS + gaps.length * GAP_BLOCK + duplicates.length * TSN,
  write({ view }, start, { gaps, duplicates }) {
    view.setUint16(start, gaps.length);
    view.setUint16(start + 2, duplicates.length);
    let at = start + GAP_COUNTS;
    for (const { first, last } of gaps) {
      view.setUint16(at, first);
      view.setUint16(at + 2, last);
      at += GAP_BLOCK;
    }
    for (const tsn of duplicates) {
      view.setUint32(at, tsn);
      at += TSN;
    }
  },
};

const INIT_FIELDS = {
  initiateTag: "u32",
  advertisedWindow: "u32",
  outboundStreams: "u16",
  inboundStreams: "u16",
  initialTsn: "u32",
} as const;

const FORMS = {
  data: form(0, { tsn: "u32", stream: "u16", ssn: "u16", payloadProtocolId: "u32" }, BYTES_TAIL),
  init: form(1, INIT_FIELDS, PARAMETERS_TAIL),
  initAck: form(2, INIT_FIELDS, PARAMETERS_TAIL),
  sack: form(3, { cumulativeTsn: "u32", advertisedWindow: "u32" }, GAPS_TAIL),
  heartbeat: form(4, {}, PARAMETERS_TAIL),
  heartbeatAck: form(5, {}, PARAMETERS_TAIL),
  abort: form(6, {}, CAUSES_TAIL),
  shutdown: form(7, { cumulativeTsn: "u32" }, NO_TAIL),
  shutdownAck: form(8, {}, NO_TAIL),
  error: form(9, {}, CAUSES_TAIL),
  cookieEcho: form(10, {}, BYTES_TAIL),
  cookieAck: form(11, {}, NO_TAIL),
  shutdownComplete: form(14, {}, NO_TAIL),
};

/** A chunk of a type that is not in the table: header and body, without padding. */
export interface UnknownChunk {
  kind: "unknown";
  type: number;
  flags: number;
  bytes: Uint8Array;
}

export type Chunk = ({ flags: number } & ValueOf<typeof FORMS>) | UnknownChunk;
export type ChunkKind = Chunk["kind"];
export type ChunkOf<K extends ChunkKind> = Extract<Chunk, { kind: K }>;

/** Types by name. */
export const CHUNK_TYPES: Readonly<Record<keyof typeof FORMS, number>> = Object.fromEntries(
  Object.entries(FORMS).map(([kind, each]) => [kind, each.type]),
) as Record<keyof typeof FORMS, number>;

/** Where the flags of a chunk stand. */
export const CHUNK_FLAGS_AT = 1;
/** Flags of DATA. */
export const DATA_END = 1;
export const DATA_BEGIN = 2;
export const DATA_UNORDERED = 4;
/** The sender asks for a SACK at once. */
export const DATA_IMMEDIATE = 8;
/** Flag of ABORT and SHUTDOWN COMPLETE: the verification tag is the receiver's own view of the sender's tag. */
export const TAG_REFLECTED = 1;

/** Header and fixed fields of a DATA chunk. */
export const DATA_HEADER = ITEM_HEADER + FORMS.data.size({ bytes: new Uint8Array(0) } as ChunkOf<"data">);
/** Header and fixed part of a SACK without gap blocks and duplicates. */
export const SACK_HEADER =
  ITEM_HEADER + FORMS.sack.size({ gaps: [], duplicates: [] } as never as ChunkOf<"sack">);
/** How much a SACK grows with each gap block and with each duplicate TSN. */
export const SACK_ENTRY = GAP_BLOCK;

const BY_TYPE = formsByType(FORMS);

/** The two top bits of a chunk's type (8 bits wide). */
export function unknownChunkRule(type: number): UnknownRule {
  return unknownRule(type >>> 6);
}

/** The chunk at `at` of `length` bytes, which lie inside `from`; undefined when its contents do not fit its length. */
export function parseChunk(from: Span, at: number, length: number): Chunk | undefined {
  const type = from.bytes[at]!;
  const flags = from.bytes[at + CHUNK_FLAGS_AT]!;
  const known = BY_TYPE.get(type);
  if (known === undefined) {
    return { kind: "unknown", type, flags, bytes: from.bytes.subarray(at, at + length) };
  }
  const chunk = known.form.read(from, at + ITEM_HEADER, at + length) as Chunk | undefined;
  if (chunk === undefined) return undefined;
  chunk.kind = known.kind;
  chunk.flags = flags;
  return chunk;
}

/** Bytes of the chunk without padding. */
export function chunkLength(chunk: Chunk): number {
  if (chunk.kind === "unknown") return chunk.bytes.length;
  return ITEM_HEADER + (FORMS[chunk.kind].size as (value: Chunk) => number)(chunk);
}

/** Writes the chunk; `length` is its `chunkLength`. */
export function emitChunk(to: Span, at: number, chunk: Chunk, length: number): void {
  if (chunk.kind === "unknown") {
    to.bytes.set(chunk.bytes, at);
    return;
  }
  const chunkForm = FORMS[chunk.kind];
  to.bytes[at] = chunkForm.type;
  to.bytes[at + CHUNK_FLAGS_AT] = chunk.flags;
  to.view.setUint16(at + ITEM_LENGTH_AT, length);
  (chunkForm.write as (to: Span, at: number, value: Chunk) => void)(to, at + ITEM_HEADER, chunk);
}
