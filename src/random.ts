/** Random numbers that a seed repeats: for simulations, and nothing that has to be secret. */

/** 32-bit numbers: splitmix32 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014). */
export class SeededRandom {
  /** What the next numbers follow from: put back, they come again. */
  state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  readonly next = (): number => {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let value = this.state;
    value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
    return (value ^ (value >>> 15)) >>> 0;
  };
}

/** The same as a function. */
export const seededRandom = (seed: number): (() => number) => new SeededRandom(seed).next;

/** So many bytes of them. */
export function randomBytes(random: () => number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random() & 255);
}
