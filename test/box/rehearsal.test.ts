/** What is rehearsed is what has to be quick later: it happens, and nothing of it is left. */
import { expect, test } from "vitest";
import { Dataplane } from "../../src/index.js";
import { nodeMac } from "../../src/io/mac.js";
import { rehearse as rehearseControl } from "../../src/live/rehearse-control.js";
import { REHEARSAL_CONFIG, REHEARSAL_SESSIONS, ROUNDS, rehearse } from "../../src/live/rehearse-dataplane.js";
import { coreModule } from "../forward/network.js";
import { Random } from "../model/random.js";

test("the machines: one box becomes active, dies, and the other takes over", () => {
  const random = new Random(1);
  const props = { random: () => random.u32(), secret: random.bytes(32), mac: nodeMac };
  expect(rehearseControl(props)).toEqual({ takeovers: 2, frames: expect.toSatisfy((n: number) => n > 2000) });
});

test("the dataplane: each packet leaves, and what the box itself sends", () => {
  const dataplane = Dataplane.createSync(coreModule, {
    config: REHEARSAL_CONFIG,
    capacity: { sessions: REHEARSAL_SESSIONS },
  });
  expect(rehearse(dataplane)).toBe(3 * ROUNDS);
  expect(dataplane.counters().reasons).toMatchObject({ local: { packets: ROUNDS } });
});
