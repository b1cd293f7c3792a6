/**
 * A queue as plain data: taking from the front moves a mark, and the items before it are cut off once they are half
 * of the array, so that each item costs a constant amount of work however long the queue is.
 */

export interface Deque<T> {
  items: (T | undefined)[];
  /** Index of the first item that is still in the queue. */
  head: number;
}

/** Fewer items than this at the front are not worth cutting off. */
const CUT_MIN = 64;

export function newDeque<T>(): Deque<T> {
  return { items: [], head: 0 };
}

export function dequeLength<T>(deque: Deque<T>): number {
  return deque.items.length - deque.head;
}

export function pushBack<T>(deque: Deque<T>, item: T): void {
  deque.items.push(item);
}

/** The item at `index` from the front, or undefined behind the end. */
export function itemAt<T>(deque: Deque<T>, index: number): T | undefined {
  return deque.items[deque.head + index];
}

export function takeFront<T>(deque: Deque<T>): T | undefined {
  if (deque.head === deque.items.length) return undefined;
  const item = deque.items[deque.head];
  deque.items[deque.head++] = undefined;
  if (deque.head >= CUT_MIN && deque.head * 2 >= deque.items.length) {
    deque.items.splice(0, deque.head);
    deque.head = 0;
  }
  return item;
}
