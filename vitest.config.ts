import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Pairs on the wire have timers: what else runs on the machine would stretch them. */
const LIVE = "test/live/**/*.test.ts";
/** These take minutes, and a machine that does nothing else: `npm run test:live`. */
const LONG = ["real", "wire", "matrix", "attacks", "soak", "observation"].map((name) => `test/live/${name}.test.ts`);
/** What runs in real time, with other programs, threads or devices: one file after the other, so that nothing is late. */
const TIMED = [
  "test/{browser,io-linux,log,metrics,package,ring,systemd,threads}/**/*.test.ts",
  "test/cli/{process,replay-pair}.test.ts",
  "test/console/{interactive,server,top}.test.ts",
  "test/sctp/{raw,restart,usrsctp}.test.ts",
];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    projects: [
      {
        extends: true,
        test: {
          name: "main",
          include: ["test/**/*.test.ts"],
          exclude: [LIVE, ...TIMED],
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "timed", include: TIMED, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "live",
          include: [LIVE],
          exclude: process.env.LIVE === "1" ? [] : LONG,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
