/** The native reference as a process: it shares a file with us, takes commands on its input and answers with times. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { closeSync, existsSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as L from "../assembly/layout.js";
import type { Core } from "../src/core.js";
import type { Tallies } from "./engine.js";
import { KEYS_MAX } from "./keys.js";
import { BATCH_MAX } from "./policy.js";
import { RING_FRAMES, type Ring } from "./ring.js";

/** A file system in memory, where there is one. */
const SHARED_MEMORY = "/dev/shm";
const ALIGNMENT = 4096;

/** What the file holds, in order; see bench/native/main.c. */
const PARTS = ["state", "timeouts", "policy", "descriptors", "slots", "frames", "keys"] as const;
type Part = (typeof PARTS)[number];

export class Native {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #core: Core;
  readonly #file: number;
  readonly #path: string;
  readonly #at: Readonly<Record<Part, number>>;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #ended = false;

  /**
   * Starts the program at `path` with an empty table of the capacity of `core`, under its policy and its hash keys.
   * The shared file lies in memory, or else in `directory`.
   */
  constructor(directory: string, path: string, core: Core) {
    const { regions, bankSize } = core.plan;
    const sizes: Record<Part, number> = {
      state: L.STATE_SIZE,
      timeouts: regions.timeouts.size,
      policy: bankSize,
      descriptors: BATCH_MAX * L.DESC_SIZE,
      slots: RING_FRAMES * 8,
      frames: regions.bytes.size,
      keys: KEYS_MAX * (L.KEY_SIZE + 4),
    };
    let end = 0;
    const at: Record<string, number> = {};
    for (const part of PARTS) {
      at[part] = end;
      end += Math.ceil(sizes[part] / ALIGNMENT) * ALIGNMENT;
    }
    this.#at = at as Record<Part, number>;
    this.#core = core;
    this.#path = join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : directory, `twinwall-bench-${process.pid}`);
    this.#file = openSync(this.#path, "w+");
    ftruncateSync(this.#file, end);
    this.#put("state", core.bytes, L.STATE_AT, sizes.state);
    this.#put("timeouts", core.bytes, regions.timeouts.at, sizes.timeouts);
    this.#put("policy", core.bytes, regions.banks.at, sizes.policy);
    this.#process = spawn(path, [this.#path, ...PARTS.map((part) => String(this.#at[part]))]);
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#waiting.shift()?.(line));
    this.#process.on("close", () => {
      this.#ended = true;
      for (const answer of this.#waiting.splice(0)) answer(undefined);
    });
  }

  #put(part: Part, bytes: Uint8Array, from: number, size: number): void {
    writeSync(this.#file, bytes, from, size, this.#at[part]);
  }

  /** Hands over what is constant of the slots of the ring. */
  setSlots(ring: Ring): void {
    this.#put("slots", new Uint8Array(ring.slots.buffer), 0, ring.slots.byteLength);
  }

  /** Hands over the frames as they are in the memory of the core. */
  setFrames(): void {
    const { at, size } = this.#core.plan.regions.bytes;
    this.#put("frames", this.#core.bytes, at, size);
  }

  setKeys(keys: Uint8Array): void {
    this.#put("keys", keys, 0, keys.length);
  }

  /** The answers of the last search. */
  answers(count: number): Int32Array {
    const bytes = new Uint8Array(count * 4);
    readSync(this.#file, bytes, 0, bytes.length, this.#at.keys + KEYS_MAX * L.KEY_SIZE);
    return new Int32Array(bytes.buffer);
  }

  /** The descriptors of the last batch. */
  descriptors(count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count * L.DESC_SIZE);
    readSync(this.#file, bytes, 0, bytes.length, this.#at.descriptors);
    return bytes;
  }

  /** Gives a command that is answered with a time, in ns. */
  async run(command: string): Promise<number> {
    return Number(await this.#ask(command));
  }

  async tallies(): Promise<Tallies> {
    const [sessions, created, evicted, expired, ...rest] = (await this.#ask("counters")).split(" ");
    const reasons: Tallies["reasons"] = new Map();
    for (const each of rest) {
      const [code, packets, bytes] = each.split(":").map(Number);
      reasons.set(code!, { packets: packets!, bytes: bytes! });
    }
    return {
      sessions: Number(sessions),
      created: Number(created),
      evicted: Number(evicted),
      expired: Number(expired),
      reasons,
    };
  }

  #ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const failed = new Error(`the native reference ended at: ${command}`);
      if (this.#ended) return reject(failed);
      this.#waiting.push((line) => (line === undefined ? reject(failed) : resolve(line)));
      this.#process.stdin.write(`${command}\n`);
    });
  }

  close(): void {
    this.#process.stdin.end();
    this.#process.kill();
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}
