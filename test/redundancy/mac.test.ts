/** The HMAC of the platform against the one in JavaScript, which stands in for it in a browser. */
import { expect, test } from "vitest";
import { nodeMac } from "../../src/io/mac.js";
import { seededRandom, randomBytes } from "../../src/random.js";
import { nobleMac } from "../../src/redundancy/index.js";

/** Around the block of SHA-256 (64 bytes), and beyond it. */
const LENGTHS = [0, 1, 31, 32, 55, 56, 63, 64, 65, 1200, 40_000];

test("both give the same bytes, for keys and messages of any length", () => {
  const random = seededRandom(1);
  for (const keyLength of LENGTHS) {
    const key = randomBytes(random, keyLength);
    for (const length of LENGTHS) {
      const bytes = randomBytes(random, length);
      expect(Uint8Array.from(nodeMac(key, bytes))).toEqual(nobleMac(key, bytes));
    }
  }
});

test("RFC 4231, test case 2", () => {
  const encoder = new TextEncoder();
  const tag = nodeMac(encoder.encode("Jefe"), encoder.encode("what do ya want for nothing?"));
  expect(Buffer.from(tag).toString("hex")).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});
