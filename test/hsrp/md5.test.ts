import { describe, expect, test } from "vitest";
import { md5 } from "@noble/hashes/legacy.js";
import { keyedDigest, sign, verify } from "../../src/hsrp/md5.js";
import { parsePacket } from "../../src/hsrp/packet.js";
import { isRefused } from "../../src/hsrp/refusals.js";
import { bytesOf, GOLDEN, hexOf, MD5_VECTORS } from "./golden.js";

const NO_END = Number.POSITIVE_INFINITY;

test.each(MD5_VECTORS)("the digest of a capture with the key $secret", ({ secret, hex, digest }) => {
  expect(hexOf(keyedDigest(secret, bytesOf(hex + "00".repeat(16))))).toBe(digest);
});

describe.each(GOLDEN.filter(({ secret }) => secret !== undefined))("$name", (golden) => {
  const { message, credential, hex } = golden;
  if (credential.kind !== "md5") throw new Error("no digest");
  const key = { id: credential.keyId, secret: golden.secret!, acceptedUntilAtMs: NO_END };
  const bytes = bytesOf(hex);

  test("is signed", () => {
    expect(hexOf(sign(message, key, credential.address))).toBe(hexOf(bytes));
  });

  test("is verified, and with any bit changed is not", () => {
    const judged = parsePacket(bytes, message.version);
    if (isRefused(judged)) throw new Error(judged.refusal);
    const { digestAt } = judged.value;
    expect(verify(bytes, digestAt!, key)).toBe(true);
    expect(verify(bytes, digestAt!, { ...key, secret: "HAkez" })).toBe(false);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(verify(damaged, digestAt!, key)).toBe(false);
    }
  });
});

/** RFC 1828 with the padding of RFC 1321, byte by byte. */
function slowDigest(secret: string, payload: Uint8Array): Uint8Array {
  const key = [...secret].map((character) => character.charCodeAt(0));
  const bytes = [...key, 0x80];
  while (bytes.length % 64 !== 56) bytes.push(0);
  for (let i = 0; i < 8; i++) bytes.push(Math.floor((key.length * 8) / 256 ** i) & 255);
  return md5(Uint8Array.from([...bytes, ...payload, ...key]));
}

test("keys of every length: one block up to 55 bytes, two from 56 on", () => {
  const payload = bytesOf(MD5_VECTORS[0].hex + "00".repeat(16));
  const digests = new Set<string>();
  for (let length = 1; length <= 64; length++) {
    const secret = "k".repeat(length);
    expect(keyedDigest(secret, payload)).toEqual(slowDigest(secret, payload));
    digests.add(hexOf(keyedDigest(secret, payload)));
  }
  expect(digests.size).toBe(64);
});
