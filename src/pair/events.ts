/** What is to happen when, in virtual time: a binary heap; of two events at a time the one that was added first goes first. */

interface Entry<Event> {
  readonly atMs: number;
  readonly order: number;
  readonly event: Event;
}

/** The events are not looked at. */
export class EventQueue<Event> {
  readonly #heap: Entry<Event>[];
  #order: number;

  /** `original`: a queue of which this one is to be a copy. */
  constructor(original?: EventQueue<Event>) {
    this.#heap = original === undefined ? [] : [...original.#heap];
    this.#order = original === undefined ? 0 : original.#order;
  }

  /** Time of the next event; Infinity: none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  add(atMs: number, event: Event): void {
    const heap = this.#heap;
    const entry = { atMs, order: this.#order++, event };
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(heap[parent]!, entry)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
  }

  /** Takes the next event out. */
  take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) this.#sink(last);
    return first.event;
  }

  /** All of them, in no order. */
  *[Symbol.iterator](): Generator<Event, void, undefined> {
    for (const { event } of this.#heap) yield event;
  }

  #sink(entry: Entry<Event>): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(entry, heap[child]!)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = entry;
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
