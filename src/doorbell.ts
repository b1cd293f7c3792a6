/**
 * How one thread wakes another: two words of shared memory, used through Atomics only.
 *
 *   asleep | bell
 *
 * Who is going to sleep says so, looks once more for work, and waits; who has work for it publishes first and looks then
 * whether it sleeps. One of both sees the other.
 */

const ASLEEP = 0;
const BELL = 1;
export const DOORBELL_WORDS = 2;

export class Doorbell {
  readonly #words: Int32Array;
  readonly #at: number;

  /** `words`: of shared memory; DOORBELL_WORDS of them from `at` on, 0 at first. */
  constructor(words: Int32Array, at = 0) {
    this.#words = words;
    this.#at = at;
  }

  /** Has the other thread look for work, if it sleeps. To be called after the work can be seen. True: it slept. */
  ring(): boolean {
    if (Atomics.load(this.#words, this.#at + ASLEEP) === 0) return false;
    Atomics.add(this.#words, this.#at + BELL, 1);
    Atomics.notify(this.#words, this.#at + BELL);
    return true;
  }

  /** Sleeps for at most `timeoutMs`, unless `hasWork` says at the last moment that there is work. */
  sleep(timeoutMs: number, hasWork: () => boolean): void {
    const bell = Atomics.load(this.#words, this.#at + BELL);
    this.sleepBy(hasWork, () => Atomics.wait(this.#words, this.#at + BELL, bell, timeoutMs));
  }

  /** The same where the sleep is another one, which `ring` does not end by itself. */
  sleepBy(hasWork: () => boolean, sleep: () => void): void {
    Atomics.store(this.#words, this.#at + ASLEEP, 1);
    if (!hasWork()) sleep();
    Atomics.store(this.#words, this.#at + ASLEEP, 0);
  }
}
