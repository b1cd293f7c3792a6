/** Numbers that look random and are the same in every run. */

/** Scrambles 32 bits (the finalizer of MurmurHash3). */
export function scramble(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
