/**
 * Names of namespaces and of directories, and what is done about those that a killed process has left behind: the name
 * says who made it.
 *
 *     tw-PID-START-NUMBER-NAME     START: when that process began, so that a PID used again is not taken for it
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./system.js";

const PREFIX = "tw";
const NAME = new RegExp(`^${PREFIX}-(\\d+)-(\\d+)-\\d+-`);
/** Of the fields of /proc/PID/stat behind the name of the program, the one that is the time it began (proc(5): field 22). */
const START_TIME = 19;

let numbers = 0;

/** A prefix for the names of what this process makes, another one each time. */
export function newPrefix(): string {
  return `${PREFIX}-${process.pid}-${startOf(process.pid)}-${numbers++}`;
}

/** A new directory, which a later process removes should this one not come to it. */
export function newDirectory(name: string): string {
  const path = join(tmpdir(), `${newPrefix()}-${name}`);
  mkdirSync(path);
  return path;
}

/** When a process began, in ticks since the boot; undefined when there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_TIME];
  } catch {
    return undefined;
  }
}

function namespaces(): string[] {
  return run("ip", ["netns", "list"])
    .split("\n")
    .map((line) => line.split(" ")[0]!)
    .filter((name) => name !== "");
}

/** Deletes what processes have left behind that are gone: namespaces, with what runs in them, and directories. */
export function reap(): void {
  for (const name of namespaces().filter(isOrphan)) remove(name);
  for (const name of readdirSync(tmpdir()).filter(isOrphan))
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

function isOrphan(name: string): boolean {
  const match = NAME.exec(name);
  return match !== null && startOf(Number(match[1])) !== match[2];
}

/** Deletes a namespace and kills what runs in it. Its devices go with it. */
export function remove(name: string): void {
  try {
    killIn(name);
    run("ip", ["netns", "delete", name]);
  } catch (error) {
    // Another process reaps the same one at the same time.
    if (namespaces().includes(name)) throw error;
  }
}

/** kill -9 for everything that runs in a namespace. */
export function killIn(name: string): void {
  for (const pid of run("ip", ["netns", "pids", name]).split("\n").filter(Boolean)) kill(Number(pid));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
