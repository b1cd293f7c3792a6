/** What must arrive waits for room, in its order; what may be lost does not overtake it. */
import { expect, test } from "vitest";
import { Outbox } from "../../src/live/outbox.js";
import { newRing, RingReader } from "../../src/ring.js";

function setUp() {
  const memory = newRing(2, 8);
  const reader = new RingReader(memory);
  const outbox = new Outbox<number>(memory, (ring, value) => ring.write(Uint8Array.of(value)));
  const read = (): number | undefined => {
    const value = reader.peek()?.bytes[0];
    if (value !== undefined) reader.release();
    return value;
  };
  return { outbox, read };
}

test("what is posted to a full ring arrives later, in its order", () => {
  const { outbox, read } = setUp();
  for (let i = 1; i <= 5; i++) outbox.post(i);
  expect(outbox.isWaiting).toBe(true);
  const arrived: number[] = [];
  for (let turns = 0; turns < 10; turns++) {
    for (let value = read(); value !== undefined; value = read()) arrived.push(value);
    outbox.flush();
  }
  expect(arrived).toEqual([1, 2, 3, 4, 5]);
  expect(outbox.isWaiting).toBe(false);
  expect(outbox.refused).toBe(0);
});

test("what may be lost is, and is counted, while anything waits", () => {
  const { outbox, read } = setUp();
  for (let i = 1; i <= 3; i++) outbox.post(i);
  expect(read()).toBe(1);
  // There is room in the ring, but 3 waits for it.
  outbox.offer(9);
  expect(outbox.refused).toBe(1);
  expect(outbox.flush()).toBe(true);
  expect([read(), read(), read()]).toEqual([2, 3, undefined]);
  outbox.offer(4);
  expect(read()).toBe(4);
});

test("a flush with nothing to write says so", () => {
  const { outbox } = setUp();
  expect(outbox.flush()).toBe(false);
  for (let i = 1; i <= 3; i++) outbox.post(i);
  expect(outbox.flush()).toBe(false);
});
