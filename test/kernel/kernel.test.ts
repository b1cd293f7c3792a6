/**
 * Every packet of the captures that the Linux kernel has judged, compared with its verdict. Each difference stands in
 * differences.json with its cause, and nothing else stands there. TWINWALL_UPDATE=1 writes that file anew.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CAUSES } from "./causes.js";
import { decideCapture, type Decision, type KernelRecord, type KernelRow, wasSent } from "./replay.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const CAPTURES = join(HERE, "../../../shared/pcaps");
const DIFFERENCES = join(HERE, "differences.json");
const SUFFIX = ".kernel.json";

/** capture -> "kernel rule -> our reason: cause" -> frames, as ranges. */
type Differences = Record<string, Record<string, string>>;

function recordFiles(): string[] {
  return readdirSync(CAPTURES, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(SUFFIX))
    .sort();
}

/** 1, 2, 3, 7 -> "1-3,7" */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let end = i;
    while (numbers[end + 1] === numbers[end]! + 1) end++;
    parts.push(end > i ? `${numbers[i]}-${numbers[end]}` : `${numbers[i]}`);
    i = end + 1;
  }
  return parts.join(",");
}

function causeOf(row: KernelRow, decision: Decision, file: string): string {
  return CAUSES.find((cause) => cause.fits(row, decision, file))?.id ?? "unexplained";
}

describe.skipIf(!existsSync(CAPTURES))("the Linux kernel's firewall on the same packets", () => {
  test("agrees, but for the differences listed", async () => {
    const found: Differences = {};
    let compared = 0;
    let agreed = 0;
    for (const name of recordFiles()) {
      const record = JSON.parse(readFileSync(join(CAPTURES, name), "utf8")) as KernelRecord;
      const file = basename(name, SUFFIX);
      const decisions = await decideCapture(join(CAPTURES, name.slice(0, -SUFFIX.length)), record);
      const frames = new Map<string, number[]>();
      for (const row of record.packets.filter(wasSent)) {
        compared++;
        const decision = decisions.get(row[0]);
        if (decision === undefined) throw new Error(`${file}: frame ${row[0]} got no verdict`);
        if ((decision.verdict === "pass") === (row[2] === "pass")) {
          agreed++;
          continue;
        }
        const key = `${row[2]} ${row[3]} -> ${decision.reason}: ${causeOf(row, decision, file)}`;
        frames.set(key, [...(frames.get(key) ?? []), row[0]]);
      }
      if (frames.size > 0) {
        found[file] = Object.fromEntries([...frames].sort().map(([key, numbers]) => [key, ranges(numbers)]));
      }
    }
    console.log(
      `kernel: ${agreed} of ${compared} packets agree (${((100 * agreed) / compared).toFixed(2)} %)`,
    );
    const byCause = new Map<string, number>();
    for (const keys of Object.values(found)) {
      for (const [key, frames] of Object.entries(keys)) {
        const cause = key.split(": ")[1]!;
        const count = frames.split(",").reduce((sum, range) => {
          const [first, last = first] = range.split("-").map(Number);
          return sum + last! - first! + 1;
        }, 0);
        byCause.set(cause, (byCause.get(cause) ?? 0) + count);
      }
    }
    for (const [cause, count] of [...byCause].sort((a, b) => b[1] - a[1])) console.log(`  ${count} ${cause}`);
    if (process.env.TWINWALL_UPDATE === "1")
      writeFileSync(DIFFERENCES, `${JSON.stringify(found, null, 1)}\n`);
    expect(byCause.has("unexplained"), "a difference without a cause").toBe(false);
    expect(found).toEqual(JSON.parse(readFileSync(DIFFERENCES, "utf8")));
  }, 600_000);
});

test("every cause is used, and named once", () => {
  const listed = JSON.parse(readFileSync(DIFFERENCES, "utf8")) as Differences;
  const used = new Set(
    Object.values(listed).flatMap((keys) => Object.keys(keys).map((key) => key.split(": ")[1]!)),
  );
  expect(CAUSES.map(({ id }) => id).filter((id) => !used.has(id))).toEqual([]);
  expect(new Set(CAUSES.map(({ id }) => id)).size).toBe(CAUSES.length);
});
