/**
 * The core against the model over random traffic: more than a million packets, and of each the verdict, the reason, the
 * interfaces, the entry and the session; after each few calls the counters and the sessions. A difference is reported
 * with its seed and the shortest sequence of frames that shows it.
 */
import { describe, expect, test } from "vitest";
import { Dataplane } from "../../src/index.js";
import { REASONS } from "../../src/reasons.js";
import { compare } from "./comparison.js";
import { coreModule } from "./lab.js";
import { configOf, WORLDS, type World } from "./worlds.js";

/** Other traffic than every day's: `COMPARE_SEED=100 npx vitest run test/model/compare.test.ts`. */
const FIRST_SEED = Number(process.env.COMPARE_SEED ?? 1);
const SEEDS = [FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2];
const PACKETS = 40_000;
const TIMEOUT_MS = 300_000;
/** Reasons that no traffic can reach: a policy is always loaded, and the box stands alone. */
const UNREACHABLE = ["handover", "not_ready", "standby"];

function make(world: World): Dataplane {
  const { checksums, inside, pair, macs, mtus, capacity } = world.options;
  return Dataplane.createSync(coreModule, {
    config: configOf(world),
    checksums,
    inside,
    pair,
    macs,
    mtus,
    capacity,
  });
}

describe("core and model", () => {
  const seen = new Set<string>();
  let packets = 0;

  describe.each(WORLDS)("$name", (world) => {
    test.each(SEEDS)(
      "seed %d",
      (seed) => {
        const { reasons } = compare(world, make, seed, PACKETS);
        const total = [...reasons.values()].reduce((sum, count) => sum + count.packets, 0);
        expect(total - (reasons.get("held")?.packets ?? 0)).toBe(PACKETS);
        for (const reason of reasons.keys()) seen.add(reason);
        packets += PACKETS;
      },
      TIMEOUT_MS,
    );
  });

  test("a million packets, every reason among them", () => {
    expect(packets).toBeGreaterThanOrEqual(1_000_000);
    const missing = REASONS.map(({ name }) => name).filter((name) => !seen.has(name));
    expect(missing).toEqual(UNREACHABLE);
  });
});
