/** The independent programs that some tests compare with. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether tests that need these programs have to be skipped. In CI a missing program is an error. */
export function lacking(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => spawnSync(program, ["--version"]).error !== undefined);
  if (missing.length === 0) return false;
  const message = `not installed: ${missing.join(", ")}`;
  if (process.env.CI === "true") throw new Error(message);
  console.warn(`skipped: ${message}`);
  return true;
}

export interface Ran {
  stdout: string;
  status: number | null;
}

export function run(program: string, ...options: readonly string[]): Ran {
  const { stdout, status, error } = spawnSync(program, options, { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (error !== undefined) throw error;
  return { stdout, status };
}

/** A folder for files that the programs are to read or write; `remove` it afterwards. */
export function scratchFolder(): {
  write(name: string, bytes: Uint8Array): string;
  path(name: string): string;
  remove(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), "capture-test-"));
  const path = (name: string) => join(folder, name);
  return {
    path,
    write(name, bytes) {
      writeFileSync(path(name), bytes);
      return path(name);
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
