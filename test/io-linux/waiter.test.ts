/** Sleeping and being woken, and the C library that may be missing; needs Linux and no permission. */
import { spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { type Libc, loadLibc } from "../../src/io/linux/libc.js";
import { Waiter } from "../../src/io/linux/waiter.js";

async function load(): Promise<Libc> {
  const loaded = await loadLibc();
  if ("problem" in loaded) throw new Error(loaded.problem);
  return loaded.value;
}

const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

describe.skipIf(process.platform !== "linux")("waiting", () => {
  test("takes parts of a millisecond for what they are", async () => {
    const waiter = new Waiter(await load(), []);
    waiter.wait(0);
    const start = performance.now();
    for (let i = 0; i < 20; i++) waiter.wait(0.1);
    const each = (performance.now() - start) / 20;
    waiter.close();
    expect(each).toBeGreaterThan(0.1);
    expect(each).toBeLessThan(5);
  });

  test("ends when it was woken before, once", async () => {
    const waiter = new Waiter(await load(), []);
    writeSync(waiter.wakeFd, ONE);
    writeSync(waiter.wakeFd, ONE);
    const start = performance.now();
    waiter.wait(10_000);
    expect(performance.now() - start).toBeLessThan(5_000);
    const again = performance.now();
    waiter.wait(20);
    expect(performance.now() - again).toBeGreaterThan(15);
    waiter.close();
  });

  test("is ended by another thread", async () => {
    const waiter = new Waiter(await load(), []);
    const code = `
      const { workerData } = require("node:worker_threads");
      const { writeSync } = require("node:fs");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      writeSync(workerData, new Uint8Array(new BigUint64Array([1n]).buffer));`;
    const worker = new Worker(code, { eval: true, workerData: waiter.wakeFd });
    await new Promise((resolve) => worker.once("online", resolve));
    const start = performance.now();
    waiter.wait(30_000);
    expect(performance.now() - start).toBeLessThan(20_000);
    await worker.terminate();
    waiter.close();
  });

  test("koffi that is not there is a problem in words", () => {
    const hook = `export async function resolve(name, context, next) {
      if (name === "koffi") throw new Error("not installed");
      return next(name, context);
    }`;
    const register = `import { register } from "node:module";
      register("data:text/javascript,${encodeURIComponent(hook)}");`;
    const script = new URL("../../src/io/linux/libc.ts", import.meta.url).href;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        ...["--import", "tsx", "--import", `data:text/javascript,${encodeURIComponent(register)}`],
        ...[
          "--input-type=module",
          "-e",
          `import(${JSON.stringify(script)}).then(async (m) => console.log(JSON.stringify(await m.loadLibc())))`,
        ],
      ],
      { encoding: "utf8" },
    );
    expect({ stdout, stderr }).toMatchObject({
      stdout: expect.stringContaining("needs the optional package koffi") as unknown,
    });
  });
});
