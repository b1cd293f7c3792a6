/**
 * Meticulous Keyed SHA1 (RFC 5880 section 6.7.4): SHA1 over the packet with the key in the place of the digest. Every
 * packet has a number of its own, so that an old one proves nothing.
 *
 * The key is not the `key-string` of the association but is derived from it: whatever becomes of SHA1, the messages of
 * the association stand on a key of their own.
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { CONTROL, SHA1_SECTION } from "./wire.js";

const DIGEST_SIZE = 20;
const DIGEST_AT = CONTROL.size + SHA1_SECTION.offsetOf("digest");
const NO_SALT = new Uint8Array(0);
const ENCODER = new TextEncoder();
const PURPOSE = ENCODER.encode("twinwall bfd 1 keyed sha1");

/** The only key that is used. */
export const KEY_ID = 1;

/** What an emitted packet has in the place of its digest until it is signed. */
export const UNSIGNED: Uint8Array = new Uint8Array(DIGEST_SIZE);

/** The key of sessions with a peer that has the same `key-string`. */
export function keyOf(keyString: string): Uint8Array {
  return hkdf(sha256, ENCODER.encode(keyString), NO_SALT, PURPOSE, DIGEST_SIZE);
}

/** Writes the digest into a packet that has a section for it. */
export function sign(packet: Uint8Array, key: Uint8Array): void {
  packet.set(key, DIGEST_AT);
  packet.set(sha1(packet), DIGEST_AT);
}

/** Whether the digest is that of the key. `packet`: without what came behind it. */
export function verify(packet: Uint8Array, key: Uint8Array): boolean {
  const expected = packet.slice();
  sign(expected, key);
  let difference = 0;
  // Every byte is looked at: the time tells nothing about how much of a guess was right.
  for (let i = DIGEST_AT; i < DIGEST_AT + DIGEST_SIZE; i++) difference |= expected[i]! ^ packet[i]!;
  return difference === 0;
}
