/**
 * The keyed MD5 of HSRP packets (RFC 1828): MD5(key, padding, message, key), where the padding is what MD5 would close
 * the key with: 0x80, zeros, and the key's length in bits, up to the end of a block. Up to 55 bytes that is one block.
 * A longer key is closed as MD5 itself does it, with a second block; RFC 1828 asks for no more than that, and no
 * public packet shows what IOS does. The message is the UDP payload with zeros for the digest.
 *
 * There is no sequence number in it: an old packet stays valid (see `contradiction` in refusals.ts).
 */
import { md5 } from "@noble/hashes/legacy.js";
import { emitPacket, type HsrpPacket } from "./packet.js";
import { MD5 } from "./wire.js";

const BLOCK = 64;
const LENGTH_FIELD = 8;
const DIGEST = 16;

/** A key of keyed MD5. `id` is 0 for a key string, else the number in the key chain. */
export interface Key {
  readonly id: number;
  /** Bytes as Latin-1. */
  readonly secret: string;
  /** After this time it is no longer taken; it was replaced. Infinity: the key in use. */
  readonly acceptedUntilAtMs: number;
}

/** The digest over `payload`, whose own digest field is zero. */
export function keyedDigest(secret: string, payload: Uint8Array): Uint8Array {
  const key = Uint8Array.from(secret, (character) => character.charCodeAt(0));
  const padded = new Uint8Array(Math.ceil((key.length + 1 + LENGTH_FIELD) / BLOCK) * BLOCK);
  padded.set(key);
  padded[key.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - LENGTH_FIELD, key.length * 8, true);
  return md5.create().update(padded).update(payload).update(key).digest();
}

/** The payload of a message with the digest of `key`. `address`: see MD5 in wire.ts. */
export function sign(message: HsrpPacket["message"], key: Key, address: number): Uint8Array {
  const blank = new Uint8Array(DIGEST);
  const payload = emitPacket({ message, credential: { kind: "md5", keyId: key.id, address, digest: blank } });
  payload.set(keyedDigest(key.secret, payload), payload.length - MD5.size + MD5.offsetOf("digest"));
  return payload;
}

/** Whether the digest at `digestAt` is that of the key. */
export function verify(payload: Uint8Array, digestAt: number, key: Key): boolean {
  const blanked = payload.slice();
  blanked.fill(0, digestAt, digestAt + DIGEST);
  const expected = keyedDigest(key.secret, blanked);
  let difference = 0;
  // Every byte is looked at: the time tells nothing about how much of a guess was right.
  for (let i = 0; i < DIGEST; i++) difference |= expected[i]! ^ payload[digestAt + i]!;
  return difference === 0;
}
