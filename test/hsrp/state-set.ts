/** A set of states, each three 32-bit numbers, in the order in which they came; in typed arrays, for there are many. */
export class StateSet {
  #words = new Int32Array(3 * 1024);
  #size = 0;
  /** Places + 1 by hash; 0 is free. At most half full. */
  #slots = new Int32Array(2048);

  get size(): number {
    return this.#size;
  }

  /** One of the three numbers of the state at a place. */
  word(place: number, index: 0 | 1 | 2): number {
    return this.#words[3 * place + index]!;
  }

  add(first: number, second: number, third: number): void {
    const at = 3 * this.#size;
    const words = this.#words;
    words[at] = first;
    words[at + 1] = second;
    words[at + 2] = third;
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(at) & mask; ; slot = (slot + 1) & mask) {
      const found = 3 * (this.#slots[slot]! - 1);
      if (found < 0) {
        this.#slots[slot] = this.#size + 1;
        break;
      }
      if (
        words[found] === words[at] &&
        words[found + 1] === words[at + 1] &&
        words[found + 2] === words[at + 2]
      ) {
        return;
      }
    }
    this.#size += 1;
    if (3 * this.#size === words.length) this.#grow();
  }

  #grow(): void {
    const words = new Int32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    this.#slots = new Int32Array(4 * this.#size);
    const mask = this.#slots.length - 1;
    for (let place = 0; place < this.#size; place++) {
      let slot = this.#hash(3 * place) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = place + 1;
    }
  }

  #hash(at: number): number {
    let hash = 0;
    for (let i = 0; i < 3; i++) {
      hash = Math.imul(hash ^ this.#words[at + i]!, 0x85ebca77);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}
