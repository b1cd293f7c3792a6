import { describe, expect, test } from "vitest";
import type { Packet } from "../../src/capture/index.js";
import { VerdictQueue } from "../../src/replay/order.js";

/** A small generator of pseudo-random numbers below `n` (Lehmer), the same in every run. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
}

describe("the order of the capture", () => {
  test("nothing passes a row that is not decided", () => {
    const queue = new VerdictQueue();
    const seen: number[] = [];
    const drain = () => queue.drain(({ n }) => seen.push(n));
    const first = queue.push(1, 0, 0);
    const second = queue.push(2, 0, 0);
    const third = queue.push(3, 0, 0);
    queue.decide(second, 1, 2, 5, 0n, 0);
    drain();
    expect(seen).toEqual([]);
    queue.decide(first, 1, 2, 5, 0n, 0);
    drain();
    expect(seen).toEqual([1, 2]);
    expect(queue.length).toBe(1);
    queue.decide(third, 1, 2, 5, 0n, 0);
    drain();
    expect(seen).toEqual([1, 2, 3]);
    expect(queue.length).toBe(0);
  });

  test("a row keeps everything that was said of it", () => {
    const queue = new VerdictQueue();
    queue.decide(queue.push(2 ** 40, 2 ** 34, 999_999_999), 63, 62, 91, 2n ** 60n, 65_536);
    const rows: unknown[] = [];
    queue.drain((row) => rows.push({ ...row }));
    expect(rows).toEqual([
      {
        n: 2 ** 40,
        seconds: 2 ** 34,
        nanos: 999_999_999,
        ingress: 63,
        egress: 62,
        reason: 91,
        session: 2n ** 60n,
        rule: 65_536,
      },
    ]);
  });

  test.each([1, 2, 3, 4])(
    "thousands of rows, decided in any order, come out in theirs, once (seed %d)",
    (seed) => {
      const pick = random(seed);
      const queue = new VerdictQueue();
      const open: { ticket: number; n: number }[] = [];
      const seen: { n: number; session: bigint }[] = [];
      const count = 20_000;
      const decideOne = (i: number) => {
        const [{ ticket, n }] = open.splice(i, 1) as [{ ticket: number; n: number }];
        queue.decide(ticket, 1, 2, 1 + (n % 90), BigInt(n), n);
      };
      for (let n = 1; n <= count; n++) {
        open.push({ ticket: queue.push(n, n, n), n });
        // Most are decided at once, some wait for long.
        if (pick(10) > 0) decideOne(open.length - 1);
        else if (open.length > 4000) while (open.length > 0) decideOne(pick(open.length));
        if (pick(50) === 0) queue.drain(({ n: number, session }) => seen.push({ n: number, session }));
      }
      while (open.length > 0) decideOne(pick(open.length));
      queue.drain(({ n: number, session }) => seen.push({ n: number, session }));
      expect(seen).toEqual(Array.from({ length: count }, (_, i) => ({ n: i + 1, session: BigInt(i + 1) })));
    },
  );
});

describe("packets", () => {
  const packetOf = (bytes: Uint8Array): Packet => ({
    interfaceIndex: 0,
    timeSeconds: 0,
    timeNanos: 0,
    data: bytes,
    wireLength: bytes.length,
  });

  test("those that wait survive the reader's next batch, those that were kept are not copied again", () => {
    const queue = new VerdictQueue();
    const buffer = new Uint8Array([1, 2, 3, 4]);
    const tickets = [0, 1, 2].map((i) => queue.push(i + 1, 0, 0, packetOf(buffer.subarray(i, i + 2))));
    queue.keepPackets();
    buffer.fill(9);
    tickets.push(queue.push(4, 0, 0, packetOf(buffer.subarray(0, 2))));
    queue.keepPackets();
    buffer.fill(8);
    for (const ticket of tickets) queue.decide(ticket, 1, 2, 5, 0n, 0);
    const seen: number[][] = [];
    queue.drain((_, packet) => seen.push([...packet!.data]));
    expect(seen).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [9, 9],
    ]);
  });

  test("rows without packets stay without", () => {
    const queue = new VerdictQueue();
    const ticket = queue.push(1, 0, 0);
    queue.keepPackets();
    queue.decide(ticket, 0, 0, 17, 0n, 0);
    const seen: unknown[] = [];
    queue.drain((_, packet) => seen.push(packet));
    expect(seen).toEqual([undefined]);
  });
});
