/** Commands of the system that the lab runs to build and to change itself: short, and finished when the call returns. */
import { spawnSync } from "node:child_process";

/** Runs a command to its end and returns what it printed. Throws, with what it said, when it fails. */
export function run(command: string, parameters: readonly string[], input = ""): string {
  const { status, signal, error, stdout, stderr } = spawnSync(command, parameters, {
    encoding: "utf8",
    input,
    maxBuffer: 64 << 20,
  });
  if (status === 0) return stdout;
  const why = error?.message ?? (stderr.trim() || `ended with ${signal ?? status}`);
  throw new Error(`${command} ${parameters.join(" ")}: ${why}`);
}

/** Is there a command of that name? */
export function hasCommand(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
}

/** Lines for `ip`, run as one batch in a namespace, or outside of all. */
export function ipBatch(lines: readonly string[], namespace?: string): void {
  const inside = namespace === undefined ? [] : ["-n", namespace];
  if (lines.length > 0) run("ip", [...inside, "-batch", "-"], lines.join("\n") + "\n");
}

/** A script for `nft`, applied as a whole or not at all. */
export function nft(namespace: string, script: string): void {
  run("ip", ["netns", "exec", namespace, "nft", "-f", "-"], script);
}

/** A monotonic time in ms, by the clock that the traffic programs use. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something holds; throws when it does not in time. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(5);
  }
}
