/** The commands of earlier sessions, in a file of the user's own. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

export const HISTORY_LINES_MAX = 500;
/** A line with a secret is not kept. */
const SECRET = /\b(key-string|password|secret|authentication)\b/i;

/** XDG base directory specification: state that is worth keeping, but not worth much. */
export function historyPath(environment: Readonly<Record<string, string | undefined>>): string {
  const state = environment.XDG_STATE_HOME || join(homedir(), ".local", "state");
  return join(state, "twinwall", "console-history");
}

/** The lines of the file, the newest first; none where there is no file. */
export function readHistory(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .reverse()
      .slice(0, HISTORY_LINES_MAX);
  } catch {
    return [];
  }
}

/** Keeps the lines, the newest first. Where that fails, the next session begins without them. */
export function writeHistory(path: string, lines: readonly string[]): void {
  const kept = lines
    .filter((line) => !SECRET.test(line))
    .slice(0, HISTORY_LINES_MAX)
    .reverse();
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, kept.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  } catch {
    // Nothing depends on it.
  }
}
