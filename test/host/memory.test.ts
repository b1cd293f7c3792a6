import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import {
  CAPACITY_BOUNDS,
  CAPACITY_DEFAULT,
  type Capacity,
  completeCapacity,
  planMemory,
} from "../../src/core.js";
import { planOf } from "./support.js";

const CAPACITIES = [1024, 4096, 65536, 1048576, 4194304];

describe("capacity", () => {
  test("what is not given is the default", () => {
    expect(completeCapacity()).toEqual(CAPACITY_DEFAULT);
    expect(completeCapacity({ sessions: 4096 })).toEqual({ ...CAPACITY_DEFAULT, sessions: 4096 });
  });

  for (const name of Object.keys(CAPACITY_BOUNDS) as (keyof Capacity)[]) {
    const { min, max } = CAPACITY_BOUNDS[name];
    test(`${name}: ${min} to ${max}, and nothing beside`, () => {
      for (const value of [min, max]) expect(completeCapacity({ [name]: value })).toHaveProperty(name, value);
      for (const value of [min - 1, max + 1, -1, min + 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(completeCapacity({ [name]: value })).toEqual({
          problem: `capacity.${name} is ${value}; it must be a whole number from ${min} to ${max}`,
        });
      }
    });
  }

  test("more than 4 GiB is refused", () => {
    const most = Object.fromEntries(Object.entries(CAPACITY_BOUNDS).map(([name, { max }]) => [name, max]));
    const within = planMemory(most as unknown as Capacity);
    expect(within).toHaveProperty("size");
    const beyond = planMemory({ ...(most as unknown as Capacity), sessions: 4 * L.SESSIONS_LIMIT });
    expect(beyond).toEqual({ problem: expect.stringContaining("the core can address 4 GiB") });
  });
});

describe.each(CAPACITIES)("memory for %i sessions", (sessions) => {
  const plan = planOf({ sessions });
  const regions = Object.entries(plan.regions);

  test("regions follow each other on cache lines, behind the state and inside the memory", () => {
    let end = L.STATE_AT + L.STATE_SIZE;
    for (const [name, { at, size }] of regions) {
      expect(at % 64, name).toBe(0);
      expect(at, name).toBeGreaterThanOrEqual(end);
      expect(at - end, name).toBeLessThan(64);
      // What there is none of by default takes no room.
      expect(size > 0, name).toBe(name !== "buffers");
      end = at + size;
    }
    expect(plan.size).toBeGreaterThanOrEqual(end);
    expect(plan.size % 65536).toBe(0);
    expect(plan.size - end).toBeLessThan(65536);
  });

  test("buffers, which the kernel shares, begin with a page of its own", () => {
    for (const buffers of [1, 4096]) {
      const { regions: with_, size } = planOf({ sessions, buffers });
      expect(with_.buffers.at % 4096).toBe(0);
      expect(with_.buffers.at).toBeGreaterThanOrEqual(with_.bytes.at + with_.bytes.size);
      expect(with_.buffers.size).toBe(buffers * L.BUFFER_SIZE);
      expect(size).toBeGreaterThanOrEqual(with_.buffers.at + with_.buffers.size);
    }
  });

  test("each region holds what it is for", () => {
    const { capacity, groups, bankSize } = plan;
    const slots = groups * L.GROUP_SLOTS;
    expect(groups * L.GROUP_FILL).toBeGreaterThanOrEqual(sessions);
    expect((groups - 1) * L.GROUP_FILL).toBeLessThan(sessions);
    const sizes = Object.fromEntries(regions.map(([name, { size }]) => [name, size]));
    expect(sizes).toMatchObject({
      timeouts: L.TIMERS_MAX * 4,
      tags: slots * 2,
      overflow: groups * 2,
      hot: slots * L.HOT_SIZE,
      cold: slots * L.COLD_SIZE,
      fragments: capacity.fragments * L.FRAGMENT_SIZE,
      held: capacity.fragments * L.HELD_SIZE,
      events: capacity.events * L.EVENT_SIZE,
      banks: 2 * bankSize,
      hits: 2 * capacity.rules * 8,
      meta: L.PASS_MAX * L.META_SIZE,
      live: L.LIVE_SIZE,
      neighbors: L.NEIGHBOR_PLACES * L.NEIGHBOR_SIZE,
    });
    expect(sizes.descriptors).toBeGreaterThanOrEqual((capacity.batch + capacity.fragments) * L.DESC_SIZE);
    expect(bankSize).toBeGreaterThanOrEqual(L.POLICY_IMAGE_MIN);
    expect(bankSize % 64).toBe(0);
    // The place of the frame that is only explained lies behind those of the batch.
    expect(plan.batchBytes).toBeGreaterThanOrEqual(L.FRAME_MAX);
    expect(sizes.bytes! - plan.batchBytes).toBeGreaterThanOrEqual(L.FRAME_HEADROOM + L.FRAME_MAX);
  });
});
