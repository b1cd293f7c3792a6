/**
 * Correct hosts over a bad network, and the firewall between them dies: the streams arrive whole, and the one that takes
 * over drops nothing that the first would have passed.
 */
import { describe, expect, test } from "vitest";
import { Random } from "../model/random.js";
import { Connection, type Traits } from "./hosts.js";
import { Pair } from "./pair.js";
import { Talk } from "./talk.js";

const SEEDS = 300;
const STEPS_MAX = 6000;

function traitsOf(r: Random, sack: boolean): Traits {
  return {
    sack,
    scale: r.pick([0, 0, 2, 7]),
    bytes: r.pick([0, 500, 20_000, 100_000, 400_000]),
    buffer: r.pick([3000, 20_000, 60_000, 200_000]),
    goesBack: r.chance(0.5),
  };
}

/** Runs a connection of a seed, with a take-over unless `never`; what was dropped, before and after. */
function run(
  seed: number,
  never: boolean,
): { done: boolean; before: string[]; after: string[]; moved: boolean } {
  const r = new Random(seed);
  const pair = Pair.connected();
  const sack = r.chance(0.5);
  const traits = { client: traitsOf(r, sack), server: traitsOf(r, sack) };
  const network = { loss: r.pick([0, 0.02, 0.1]), delay: r.pick([0, 1, 3]) };
  const connection = new Connection(r, new Talk(pair.active), traits, network);
  pair.drain();
  const told = r.int(80);
  const died = told + r.int(80);
  let before: string[] = [];
  let steps = 0;
  for (; steps < STEPS_MAX && !connection.isDone; steps++) {
    connection.step();
    if (steps === told) pair.update();
    if (steps === died && !never) {
      pair.standby.nowMs = pair.active.nowMs;
      connection.talk.box = pair.promote();
      before = connection.dropped.splice(0);
    }
  }
  return { done: connection.isDone, before, after: connection.dropped, moved: steps > died };
}

describe("streams", () => {
  test("arrive through one firewall, which drops nothing", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      expect({ seed, ...run(seed, true) }).toMatchObject({ done: true, before: [], after: [] });
    }
  }, 120_000);

  test("arrive through two, of which the second drops nothing", () => {
    let moved = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const result = run(seed, false);
      expect({ seed, ...result }).toMatchObject({ done: true, before: [], after: [] });
      if (result.moved) moved++;
    }
    expect(moved).toBeGreaterThan(SEEDS / 2);
  }, 120_000);

  test.each([
    [1447, "a FIN that was told is sent again behind data that is sent again, and is not the second one"],
  ])("seed %d: %s", (seed) => {
    expect(run(seed, false)).toMatchObject({ done: true, after: [], moved: true });
  });
});
