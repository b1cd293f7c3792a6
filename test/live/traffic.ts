/** The traffic programs (native/main.c): compiled once a process, started in boxes, their figures as objects. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Box } from "./lab.js";
import type { Program, ProgramOptions } from "./program.js";
import { newDirectory } from "./reaper.js";

const SOURCES = fileURLToPath(new URL("native/", import.meta.url));
const FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror"];

const MODES = ["main.c", "common.c", "serve.c", "hold.c", "churn.c", "probe.c"];

/** A file of native/: time, options and commands of programs that speak as these do. */
export const COMMON_SOURCE = join(SOURCES, "common.c");

/** Compiles a program; its path. It goes when this process ends. Throws when it does not compile. */
export function compileC(name: string, sources: readonly string[]): string {
  const directory = newDirectory(name);
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, name);
  const { status, error, stderr } = spawnSync(
    process.env.CC ?? "cc",
    [...FLAGS, `-I${SOURCES}`, "-o", path, ...sources],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`cc ${name}: ${error?.message ?? stderr}`);
  return path;
}

let compiled: string | undefined;

function program(): string {
  compiled ??= compileC(
    "traffic",
    MODES.map((file) => join(SOURCES, file)),
  );
  return compiled;
}

/** Of a long-lived connection. Times are monotonic ms (`monotonicMs`); 0: has not happened. */
export interface ConnectionFigures {
  readonly connection: number;
  /** stalled: at the end, an echo was still missing. The other ends are those of the socket. */
  readonly state: "connecting" | "open" | "stalled" | "closed" | "reset" | "refused" | "timeout" | "failed";
  readonly openedMs: number;
  readonly endedMs: number;
  readonly sent: number;
  readonly received: number;
  /** Bytes that came back other than they were sent. */
  readonly wrong: number;
  /** Longest time without a byte, since the last report. */
  readonly gapMs: number;
  readonly roundTripMaxMs: number;
}

export interface HoldSummary {
  readonly open: number;
  readonly stalled: number;
  readonly connecting: number;
  readonly closed: number;
  readonly reset: number;
  readonly refused: number;
  readonly timeout: number;
  readonly failed: number;
  readonly wrong: number;
  readonly received: number;
}

/** Percentiles; null when nothing came back. */
export interface LatencyFigures {
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly maxUs: number | null;
}

export interface ChurnSummary extends LatencyFigures {
  readonly seconds: number;
  readonly begun: number;
  readonly ok: number;
  readonly refused: number;
  readonly reset: number;
  /** By the other end, before the echo. */
  readonly closed: number;
  readonly timeouts: number;
  readonly failed: number;
  readonly wrong: number;
  /** Due by the rate, but too many were under way. */
  readonly skipped: number;
  /** That were opened, answered and closed. */
  readonly perSecond: number;
  /** Longest time without one that was answered. */
  readonly silenceMs: number;
}

export interface ProbeSummary extends LatencyFigures {
  readonly sent: number;
  readonly lost: number;
  /** Longest run without an answer, in the time in which it was sent; 0 when none was lost. */
  readonly gapMs: number;
  /** Longest time between two answers. */
  readonly silenceMs: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly stale: number;
  readonly refused: number;
  readonly gaps: readonly { readonly atMs: number; readonly ms: number }[];
}

export interface ServeSummary {
  readonly accepted: number;
  readonly ended: number;
  readonly reset: number;
  readonly bytes: number;
  readonly datagrams: number;
}

export interface Report<Summary> {
  readonly summary: Summary;
  /** Of `hold` only. */
  readonly connections: readonly ConnectionFigures[];
}

type Numbers = Readonly<Record<string, number>>;

/** A traffic program that runs. */
export class Traffic<Summary> {
  readonly program: Program;
  #read = 0;

  constructor(program: Program) {
    this.program = program;
  }

  /** Waits until it has begun: for `hold`, until all connections are open or have failed. */
  async ready(timeoutMs = 10_000): Promise<this> {
    await this.program.line((line) => line === `{"event":"ready"}`, 0, timeoutMs);
    return this;
  }

  /** The figures since the last report. */
  async report(): Promise<Report<Summary>> {
    this.program.say("report");
    return this.#summary(10_000);
  }

  /** Ends it and gives the last figures; `hold` first waits for what is still on its way. */
  async stop(timeoutMs = 60_000): Promise<Report<Summary>> {
    this.program.say("stop");
    const report = await this.#summary(timeoutMs);
    await this.program.ended();
    return report;
  }

  /** Waits for the figures of a program that ends by itself. */
  async finished(timeoutMs: number): Promise<Report<Summary>> {
    const report = await this.#summary(timeoutMs);
    await this.program.ended();
    return report;
  }

  /** What it said while it ran: connections that ended, bytes that were wrong. */
  events(): Readonly<Record<string, unknown>>[] {
    return this.program.lines.map((line) => JSON.parse(line));
  }

  async #summary(timeoutMs: number): Promise<Report<Summary>> {
    const from = this.#read;
    const last = await this.program.line((line) => line.startsWith(`{"event":"summary"`), from, timeoutMs);
    this.#read = this.program.lines.indexOf(last, from) + 1;
    const connections = this.program.lines
      .slice(from, this.#read)
      .filter((line) => line.startsWith(`{"event":"connection"`))
      .map((line) => JSON.parse(line) as ConnectionFigures);
    return { summary: JSON.parse(last) as Summary, connections };
  }
}

function start<Summary>(
  box: Box,
  mode: readonly string[],
  options: Numbers,
  how: ProgramOptions,
): Traffic<Summary> {
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return new Traffic(box.start(program(), [...mode, ...given], how));
}

/** An echo of TCP and UDP. Options: ports, corrupt (one byte of so many is damaged). */
export function serve(box: Box, port: number, options: Numbers = {}, how: ProgramOptions = {}) {
  return start<ServeSummary>(box, ["serve", String(port)], options, how).ready();
}

/** Long-lived connections. Options: count, open-rate, rate or interval-ms, size, drain-ms. */
export function hold(
  box: Box,
  address: string,
  port: number,
  options: Numbers = {},
  how: ProgramOptions = {},
) {
  return start<HoldSummary>(box, ["hold", address, String(port)], options, how).ready();
}

/** Short connections. Options: rate, parallel, size, timeout-ms, ports, seconds. */
export function churn(
  box: Box,
  address: string,
  port: number,
  options: Numbers = {},
  how: ProgramOptions = {},
) {
  return start<ChurnSummary>(box, ["churn", address, String(port)], options, how).ready();
}

/** UDP round trips. Options: interval-us, size, grace-ms, seconds. */
export function probe(
  box: Box,
  address: string,
  port: number,
  options: Numbers = {},
  how: ProgramOptions = {},
) {
  return start<ProbeSummary>(box, ["probe", address, String(port)], options, how).ready();
}
