/** What the figures were measured on. */
import { cpus, loadavg, totalmem } from "node:os";
import type { Built } from "./build.js";

/** Lines about processor, memory, load, and what compiled and runs the code. */
export function machineOf({ native }: Built): string[] {
  const processors = cpus();
  const load = loadavg()[0]!;
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  const lines = [
    `${processors.length} x ${processors[0]?.model.trim() ?? "unknown processor"}, ${gigabytes} GiB, load ${load.toFixed(1)}`,
    `Node ${process.version} (V8 ${process.versions.v8}); native: ${native?.compiler ?? "no C compiler found"}`,
  ];
  if (load > processors.length / 2)
    lines.push("The machine is busy: ratios still hold roughly, times do not.");
  return lines;
}
