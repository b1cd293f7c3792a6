/** The timeouts of a policy, in ms, and the indexes under which sessions refer to them. */
import * as L from "../../assembly/layout.js";
import { type Config, DEFAULTS } from "../config/model.js";
import type { Interner } from "./numbering.js";

/** A doubtful RST leaves a session at most this long. */
const RST_DOUBT_SECONDS = 300;

/** Seconds as ms; what does not fit the core is its longest timeout, 24 days. */
export function timeoutMs(seconds: number): number {
  return Math.min(Math.max(Math.round(seconds * 1000), 1), L.TIMEOUT_MAX_MS);
}

/** Idle timeouts by protocol, where an inspection line has none of its own. */
export function idleTimeouts({ inspect }: Config): { tcp: number; udp: number; icmp: number; dns: number } {
  return {
    tcp: timeoutMs(inspect.tcpIdleSeconds ?? DEFAULTS.tcpIdleSeconds),
    udp: timeoutMs(inspect.udpIdleSeconds ?? DEFAULTS.udpIdleSeconds),
    icmp: timeoutMs(DEFAULTS.icmpIdleSeconds),
    dns: timeoutMs(inspect.dnsSeconds ?? DEFAULTS.dnsSeconds),
  };
}

/** The index of an idle timeout; undefined when all of them are taken. */
export function idleTimer(timers: Interner<number>, ms: number): number | undefined {
  const number = timers.intern(ms);
  return number === undefined ? undefined : L.TIMER_FIRST_IDLE + number;
}

/** The region `timeouts`: ms by index. */
export function timeoutTable(
  { inspect }: Config,
  idleTimers: readonly number[],
  fragmentMs: number,
): Uint32Array {
  const table = new Uint32Array(L.TIMERS_MAX);
  table[L.TIMER_SYNWAIT] = timeoutMs(inspect.tcpSynwaitSeconds ?? DEFAULTS.tcpSynwaitSeconds);
  table[L.TIMER_FINWAIT] = timeoutMs(inspect.tcpFinwaitSeconds ?? DEFAULTS.tcpFinwaitSeconds);
  table[L.TIMER_RST_DOUBT] = timeoutMs(RST_DOUBT_SECONDS);
  table[L.TIMER_FRAGMENT] = fragmentMs;
  table.set(idleTimers, L.TIMER_FIRST_IDLE);
  return table;
}
