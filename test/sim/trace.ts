/** What happened in a run: the last events as text, and a hash over all of them. */

const KEPT = 60;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class Trace {
  readonly #last: string[] = [];
  #hash = FNV_OFFSET;
  events = 0;

  /** `bytes`: what no line shows, and must be the same in a second run. */
  note(atMs: number, text: string, bytes?: Uint8Array): void {
    const line = `${atMs.toFixed(3)} ${text}`;
    let hash = this.#hash;
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), FNV_PRIME);
    if (bytes !== undefined)
      for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    this.#hash = hash;
    this.#last[this.events++ % KEPT] = line;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** The last events, oldest first. */
  last(): string[] {
    const from = this.events % KEPT;
    return this.events < KEPT ? [...this.#last] : [...this.#last.slice(from), ...this.#last.slice(0, from)];
  }
}
