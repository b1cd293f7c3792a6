/**
 * The state cookie (RFC 9260 section 5.1.3): all that an INIT and our answer to it have agreed on, signed, so that
 * nothing is kept for a peer before it has shown that it receives what is sent to it.
 *
 *     | fields of COOKIE_FIELDS | HMAC-SHA256 of them (32 bytes) |
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { record, type ValuesOf } from "./record.js";
import { spanOf } from "./tlv.js";

/** Valid.Cookie.Life (section 16). */
export const COOKIE_LIFE_MS = 60_000;
/** A cookie preservative prolongs the life by at most this. */
export const COOKIE_INCREMENT_MAX_MS = 60_000;

const COOKIE_FIELDS = {
  mintedAtMs: "f64",
  lifeMs: "u32",
  /** Number of associations that had ended when the cookie was minted. */
  epoch: "u32",
  localTag: "u32",
  peerTag: "u32",
  /** Of the association that existed when the cookie was minted, or 0. */
  localTieTag: "u32",
  peerTieTag: "u32",
  localInitialTsn: "u32",
  peerInitialTsn: "u32",
  peerWindow: "u32",
  peerOutboundStreams: "u16",
  peerInboundStreams: "u16",
  /** Bit i: the peer has said that the address of path i is its own. */
  pathMask: "u32",
} as const;
const LAYOUT = record(COOKIE_FIELDS);
const MAC = 32;
const COOKIE = LAYOUT.size + MAC;

export type Cookie = ValuesOf<typeof COOKIE_FIELDS>;

/**
 * The key of one endpoint. `nonce` is drawn when the endpoint is made, so that no cookie outlives it even where the
 * secret does.
 */
export function cookieKey(secret: Uint8Array, nonce: readonly number[]): Uint8Array {
  return hmac(
    sha256,
    secret,
    Uint8Array.from(nonce.flatMap((word) => [word >>> 24, word >>> 16, word >>> 8, word])),
  );
}

export function mintCookie(key: Uint8Array, cookie: Readonly<Cookie>): Uint8Array {
  const bytes = new Uint8Array(COOKIE);
  LAYOUT.write(spanOf(bytes).view, 0, cookie);
  bytes.set(hmac(sha256, key, bytes.subarray(0, LAYOUT.size)), LAYOUT.size);
  return bytes;
}

/** The contents, or undefined: not one of ours. */
export function openCookie(key: Uint8Array, bytes: Uint8Array): Cookie | undefined {
  if (bytes.length !== COOKIE) return undefined;
  const mac = hmac(sha256, key, bytes.subarray(0, LAYOUT.size));
  // All bytes are compared: the time must not tell how many were right.
  let difference = 0;
  for (let i = 0; i < MAC; i++) difference |= mac[i]! ^ bytes[LAYOUT.size + i]!;
  return difference === 0 ? LAYOUT.read(spanOf(bytes).view, 0, {}) : undefined;
}

/** How long ago the cookie has expired in milliseconds; 0 or less: it is fresh. */
export function cookieStalenessMs(cookie: Readonly<Cookie>, nowMs: number): number {
  return nowMs - cookie.mintedAtMs - cookie.lifeMs;
}
