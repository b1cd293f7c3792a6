/** Times between ticks of any unit and seconds with nanoseconds, compared with the same in big integers. */
import { describe, expect, test } from "vitest";
import { convertTicks, nanos64, timeScale } from "../../src/capture/time.js";
import { ticks } from "./build.js";
import { seeded } from "./read.js";

const seconds = new Float64Array(1);
const nanos = new Uint32Array(1);

describe.each(Array.from({ length: 13 }, (_, digits) => digits))("10^-%i s", (digits) => {
  const perSecond = 10n ** BigInt(digits);
  const scale = timeScale(digits, 0);

  test("random counts of every length, and both sides of every carry", () => {
    const random = seeded(digits + 1);
    for (let round = 0; round < 20_000; round++) {
      const bits = BigInt(1 + random(64));
      const drawn = (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
      const count = drawn & ((1n << bits) - 1n);
      // Nine in ten lie within two ticks of a whole second, where an approximate quotient goes wrong.
      const near = random(10) === 0 ? count : count - (count % perSecond) + BigInt(random(5) - 2);
      if (near < 0n || near >= 1n << 64n) continue;
      const { high, low } = ticks(near);
      convertTicks(scale, high, low, seconds, nanos, 0);
      const expected = [Number(near / perSecond), Number(((near % perSecond) * 1_000_000_000n) / perSecond)];
      if (seconds[0] !== expected[0] || nanos[0] !== expected[1]) {
        expect({ near, time: [seconds[0], nanos[0]] }).toEqual({ near, time: expected });
      }
    }
    convertTicks(scale, 0, 0, seconds, nanos, 0);
    expect([seconds[0], nanos[0]]).toEqual([0, 0]);
  });
});

describe("nanos64", () => {
  const value = (s: number, n: number) => {
    const { high, low } = nanos64(s, n);
    return (BigInt(high) << 32n) | BigInt(low);
  };

  test("random times", () => {
    const random = seeded(64);
    const rounds = 50_000;
    let equal = 0;
    for (let round = 0; round < rounds; round++) {
      const s = Math.floor(random(2 ** 32) * (random(2) === 0 ? 1 : 4)) + random(100);
      const n = random(4) === 0 ? 999_999_999 : random(1_000_000_000);
      const expected = BigInt(s) * 1_000_000_000n + BigInt(n);
      if (value(s, n) === expected) equal++;
      else expect({ s, n, value: value(s, n) }).toEqual({ s, n, value: expected });
    }
    expect(equal).toBe(rounds);
  });

  test.each([
    [0, 0, 0n],
    [18_446_744_073, 709_551_615, 2n ** 64n - 1n],
    [18_446_744_073, 709_551_616, 2n ** 64n - 1n],
    [1e300, 0, 2n ** 64n - 1n],
    [-1, 999_999_999, 0n],
  ])("%d s and %d ns", (s, n, expected) => {
    expect(value(s, n)).toBe(expected);
  });
});
