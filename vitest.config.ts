import { defineConfig } from "vitest/config";

/** Pairs on the wire have timers: what else runs on the machine would stretch them. */
const LIVE = "test/live/**/*.test.ts";
/** These take minutes, and a machine that does nothing else: `npm run test:live`. */
const LONG = ["real", "wire", "matrix", "attacks", "soak", "observation"].map((name) => `test/live/${name}.test.ts`);

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    projects: [
      {
        extends: true,
        test: { name: "main", include: ["test/**/*.test.ts"], exclude: [LIVE], sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: "live",
          include: [LIVE],
          exclude: process.env.LIVE === "1" ? [] : LONG,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
