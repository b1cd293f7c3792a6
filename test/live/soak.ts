/**
 * A soak: a pair under traffic, and faults at random, one at a time. No fault may cost an established connection or a byte,
 * one box is active after each and the other hot, and no process grows.
 */
import { readdirSync, readFileSync } from "node:fs";
import { seededRandom } from "../../src/random.js";
import { FAULT_MS, FAULTS, untilActive, untilCopied } from "./faults.js";
import { ECHO_PORT, OUTSIDE, otherSide, Pair, SIDES, type Side } from "./pair.js";
import { monotonicMs, sleep } from "./system.js";
import { churn, hold } from "./traffic.js";

const CONNECTIONS = 100;
const MESSAGES_PER_SECOND = 10;
const NEW_PER_SECOND = 50;
const REST_MS = 1000;
const DRAIN_MS = 30_000;
const ANSWERS_TIMEOUT_MS = 120_000;

/** What a process may come to have beyond what it had when it was first looked at. */
const RSS_GROWTH_MAX = 128 << 20;
const FILES_GROWTH_MAX = 16;
/** Those of the long-lived connections, and of short ones until half a minute after their end. */
const SESSIONS_MAX = CONNECTIONS + NEW_PER_SECOND * 40;

interface Size {
  readonly rssBytes: number;
  readonly files: number;
}

export interface SoakReport {
  readonly faults: number;
  /** What did not hold, in words. */
  readonly problems: readonly string[];
}

function sizeOf(pid: number): Size {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1];
  return { rssBytes: Number(kilobytes) * 1024, files: readdirSync(`/proc/${pid}/fd`).length };
}

class Growth {
  readonly #first = new Map<number, Size>();

  /** What of a process has grown too far since it was first looked at. */
  problems(pid: number): string[] {
    const now = sizeOf(pid);
    const first = this.#first.get(pid);
    if (first === undefined) {
      this.#first.set(pid, now);
      return [];
    }
    const rss = now.rssBytes - first.rssBytes;
    const files = now.files - first.files;
    return [
      ...(rss > RSS_GROWTH_MAX ? [`process ${pid} has grown by ${rss >> 20} MiB`] : []),
      ...(files > FILES_GROWTH_MAX ? [`process ${pid} has ${files} more files open`] : []),
    ];
  }
}

async function sessionsOf(pair: Pair, side: Side): Promise<number> {
  interface Statistics {
    readonly counters: { readonly sessions: { readonly current: number } };
  }
  const { counters } = await pair.firewall(side).show<Statistics>("show ip inspect statistics");
  return counters.sessions.current;
}

/** @param say gets a line about each fault. */
export async function soak(seconds: number, seed: number, say: (line: string) => void): Promise<SoakReport> {
  const random = seededRandom(seed);
  const pair = await Pair.build();
  const problems: string[] = [];
  const growth = new Growth();
  let faults = 0;
  try {
    const held = await hold(pair.inside, OUTSIDE.host, ECHO_PORT, {
      count: CONNECTIONS,
      "open-rate": 500,
      rate: MESSAGES_PER_SECOND,
      "drain-ms": DRAIN_MS,
    });
    const short = await churn(pair.inside, OUTSIDE.host, ECHO_PORT, { rate: NEW_PER_SECOND });
    const endMs = monotonicMs() + seconds * 1000;
    while (monotonicMs() < endMs && problems.length === 0) {
      const active = await pair.untilWhole();
      await untilCopied(pair, active);
      const fault = FAULTS[random() % FAULTS.length]!;
      await fault.fail(pair, active);
      if (fault.winner === "other") await untilActive(pair, otherSide(active));
      else await sleep(FAULT_MS);
      await fault.mend?.(pair, active);
      await pair.start();
      await sleep(REST_MS);
      faults++;
      const { summary } = await held.report();
      const lost = CONNECTIONS - summary.open;
      if (lost > 0) problems.push(`${lost} connections lost by fault ${faults}: ${fault.name}`);
      if (summary.wrong > 0) problems.push(`${summary.wrong} wrong bytes by fault ${faults}: ${fault.name}`);
      for (const side of SIDES) {
        problems.push(...growth.problems(pair.firewall(side).program.pid));
        const sessions = await sessionsOf(pair, side);
        if (sessions > SESSIONS_MAX) problems.push(`${side} has ${sessions} sessions`);
      }
      say(`${faults}: ${fault.name}; ${await pair.active()} is active`);
    }
    const { summary } = await held.stop(ANSWERS_TIMEOUT_MS);
    if (summary.open !== CONNECTIONS || summary.wrong > 0)
      problems.push(`of ${CONNECTIONS} connections at the end: ${JSON.stringify(summary)}`);
    const { summary: shorts } = await short.stop();
    if (shorts.wrong > 0) problems.push(`${shorts.wrong} wrong bytes on new connections`);
    say(`new connections: ${shorts.ok} answered, ${shorts.begun - shorts.ok} not`);
    if (problems.length > 0) say(await pair.describe());
  } finally {
    pair.close();
  }
  return { faults, problems };
}
