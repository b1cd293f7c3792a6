/**
 * The frame around every message of the pair. Numbers are in network byte order:
 *
 *      0        4     5     6      7       8            12           16       24       32        40        48
 *      | magic  | ver | kind| strm | keyed | length     | generation | boot id| nonce  | nonce   | sequence| contents | tag
 *      |        |     |     |      |       | of contents| of sender  |        | sender | receiver|         |          | 16
 *
 * The tag is HMAC-SHA256 over all that stands before it, cut to 16 bytes. Its key follows from the shared key and both
 * nonces (HKDF, RFC 5869), sender first: a frame of an earlier association or of the other direction has another key.
 * The first frame of each side, `open`, carries its nonce, is keyed by the shared key alone, and proves nothing until a
 * frame with the key of both nonces has come. The sequence rises with each frame of a stream; an old one is refused.
 *
 * Without a shared key the keys follow from the nonces alone: the tag then finds damage, not attackers.
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Refusal } from "./counters.js";
import { choice, count, cursorOf, flag, parse, type RecordOf, record, u8, u32, u64 } from "./fields.js";

/** "TWRF". */
export const MAGIC = 0x54575246;
/** Raised with every change of a frame or message: another one is not read. */
export const PROTOCOL_VERSION = 1;

/** Streams of the association: control, changes of sessions, the copy of all sessions. */
export const STREAMS = ["control", "dynamic", "bulk"] as const;
export type Stream = (typeof STREAMS)[number];
export const DATA_STREAMS = ["dynamic", "bulk"] as const satisfies readonly Stream[];
export type DataStream = (typeof DATA_STREAMS)[number];

/** The number of the stream in the association. */
export function streamNumber(stream: Stream): number {
  return STREAMS.indexOf(stream);
}

/** The kinds of messages, by their numbers. */
export const KINDS = [
  "open",
  "hello",
  "state",
  "keepAlive",
  "probe",
  "youLost",
  "switchoverRequest",
  "switchoverReady",
  "handOver",
  "bulkRequest",
  "bulkAgain",
  "reload",
  "data",
] as const;
export type Kind = (typeof KINDS)[number];

const HEADER_FIELDS = {
  magic: u32,
  version: u8,
  kind: choice(KINDS),
  stream: choice(STREAMS),
  isKeyed: flag,
  length: u32,
  generation: u32,
  bootId: u64,
  senderNonce: u64,
  receiverNonce: u64,
  sequence: count,
};
const HEADER = record(HEADER_FIELDS);
export type Header = RecordOf<typeof HEADER_FIELDS>;

/** What a sender has to say of a frame; the rest of the header follows. */
export type Envelope = Omit<Header, "magic" | "version" | "length">;

export const HEADER_SIZE = 48;
export const TAG_SIZE = 16;
/** Most bytes of contents. */
export const CONTENTS_MAX = 32 * 1024;
export const FRAME_MAX = HEADER_SIZE + CONTENTS_MAX + TAG_SIZE;
/** Offsets of what is looked at before the header is read as a whole. */
const VERSION_AT = 4;
const KIND_AT = 5;
const STREAM_AT = 6;

/**
 * HMAC-SHA256: at least the first 16 bytes of it. The platform's own is several times as fast as the one of
 * `@noble/hashes`, which reaches less than 100 MB/s here; where session records go over a network it is worth giving.
 */
export type Mac = (key: Uint8Array, bytes: Uint8Array) => Uint8Array;

export const nobleMac: Mac = (key, bytes) => hmac(sha256, key, bytes);

const KEY_SIZE = 32;
const ENCODER = new TextEncoder();
const OPENING = ENCODER.encode("twinwall redundancy 1 opening");
const SESSION = ENCODER.encode("twinwall redundancy 1 session");
const NO_SALT = new Uint8Array(0);

function secret(keyString: string | undefined): Uint8Array {
  return ENCODER.encode(keyString ?? "");
}

/** The key of `open` frames. */
export function openingKey(keyString: string | undefined): Uint8Array {
  return hkdf(sha256, secret(keyString), NO_SALT, OPENING, KEY_SIZE);
}

/** The key of all other frames in one direction of one association. */
export function sessionKey(
  keyString: string | undefined,
  senderNonce: bigint,
  receiverNonce: bigint,
): Uint8Array {
  const salt = new Uint8Array(2 * u64.size(0n));
  const to = cursorOf(salt);
  u64.write(to, senderNonce);
  u64.write(to, receiverNonce);
  return hkdf(sha256, secret(keyString), salt, SESSION, KEY_SIZE);
}

/** Contents longer than CONTENTS_MAX are a bug of the caller. */
export function sealFrame(mac: Mac, key: Uint8Array, envelope: Envelope, contents: Uint8Array): Uint8Array {
  if (contents.length > CONTENTS_MAX) throw new RangeError(`${contents.length} bytes in one frame`);
  const frame = new Uint8Array(HEADER_SIZE + contents.length + TAG_SIZE);
  const header = { ...envelope, magic: MAGIC, version: PROTOCOL_VERSION, length: contents.length };
  HEADER.write(cursorOf(frame), header);
  frame.set(contents, HEADER_SIZE);
  const tagAt = HEADER_SIZE + contents.length;
  frame.set(mac(key, frame.subarray(0, tagAt)).subarray(0, TAG_SIZE), tagAt);
  return frame;
}

/** A frame whose form is right; nothing in it is proven. */
export interface Frame {
  readonly header: Header;
  /** Part of the bytes that were read. */
  readonly contents: Uint8Array;
}

/** The frame that these bytes are, or why they are none. */
export function readFrame(bytes: Uint8Array): Frame | Refusal {
  if (bytes.length < HEADER_SIZE + TAG_SIZE) return "short";
  if (cursorOf(bytes).view.getUint32(0) !== MAGIC) return "magic";
  if (bytes[VERSION_AT] !== PROTOCOL_VERSION) return "version";
  if (bytes.length > FRAME_MAX) return "long";
  if (bytes[KIND_AT]! >= KINDS.length) return "kind";
  if (bytes[STREAM_AT]! >= STREAMS.length) return "stream";
  const header = parse(HEADER, bytes.subarray(0, HEADER_SIZE));
  if (header === undefined) return "content";
  const tagAt = bytes.length - TAG_SIZE;
  if (header.length !== tagAt - HEADER_SIZE) return "length";
  return { header, contents: bytes.subarray(HEADER_SIZE, tagAt) };
}

/** Whether the tag of a frame is right. */
export function isAuthentic(mac: Mac, key: Uint8Array, bytes: Uint8Array): boolean {
  const tagAt = bytes.length - TAG_SIZE;
  const tag = mac(key, bytes.subarray(0, tagAt));
  // All bytes are compared: the time must not tell how many were right.
  let difference = 0;
  for (let i = 0; i < TAG_SIZE; i++) difference |= tag[i]! ^ bytes[tagAt + i]!;
  return difference === 0;
}
