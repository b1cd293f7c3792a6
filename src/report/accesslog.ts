/**
 * Log lines of access list entries with `log` or `log-input`. The first packet of a flow is logged at once, what
 * follows is counted and summed up every five minutes, or every N packets with `ip access-list log-update threshold`.
 * `ip access-list logging interval` spaces the lines; what it suppresses is counted, too.
 */
import { DEFAULTS } from "../config/model.js";
import type { PacketEvent } from "../events.js";
import { isIcmp, isTcp, isUdp, protocolName } from "./protocol.js";

/** Flows that are counted at a time; when another comes, the oldest is summed up early. */
export const ACCESS_LOG_FLOWS_MAX = 4096;

export const ACCESS_LOG_SUMMARY_MS = DEFAULTS.accessListLogSeconds * 1000;

/** What a line says of the entry that was matched. */
export interface LoggedRule {
  /** Index in `rules()`. */
  readonly number: number;
  readonly list: string;
  readonly family: 4 | 6;
  readonly kind: "standard" | "extended";
  readonly sequence: number;
  readonly action: "permit" | "deny";
  readonly log: "log" | "log-input";
  /** The word after `log`. */
  readonly cookie?: string | undefined;
}

interface Flow {
  /** Its first packet. */
  readonly event: PacketEvent;
  /** What stands in the line, without the number of packets. */
  readonly text: string;
  readonly cookie: string;
  /** When it was last logged, in virtual ms. */
  sinceMs: number;
  /** Packets since then. */
  packets: number;
}

export interface AccessLogOptions {
  /** Packets after which a flow is summed up, besides the time; undefined: the time only. */
  readonly updateThreshold?: number | undefined;
  /** Least time between two lines of new flows; undefined: none. */
  readonly intervalMs?: number | undefined;
}

/**
 * Takes a line and the virtual time in ms that it is of. `packets`: how many it speaks of; `event`: the first packet of
 * their flow, where they are of one.
 */
export type LineSink = (line: string, nowMs: number, packets: number, event?: PacketEvent) => void;

export class AccessLog {
  /** In the order in which they were last logged. */
  readonly #flows = new Map<string, Flow>();
  readonly #options: AccessLogOptions;
  readonly #print: LineSink;
  #lastLineMs: number | undefined;
  #missed = 0;
  #missedSinceMs = 0;

  constructor(options: AccessLogOptions, print: LineSink) {
    this.#options = options;
    this.#print = print;
  }

  /** A packet that matched an entry with `log`. */
  packet(event: PacketEvent, rule: LoggedRule, nowMs: number): void {
    const key = flowKey(event, rule);
    const flow = this.#flows.get(key);
    if (flow === undefined) {
      this.#begin(key, event, rule, nowMs);
      return;
    }
    flow.packets++;
    if (flow.packets === this.#options.updateThreshold) this.#sum(key, flow, nowMs);
  }

  /** Prints the summaries that are due. */
  tick(nowMs: number): void {
    for (const [key, flow] of this.#flows) {
      const dueMs = flow.sinceMs + ACCESS_LOG_SUMMARY_MS;
      if (dueMs > nowMs) break;
      this.#flows.delete(key);
      // Counting goes on now, not when the summary was due: so the flows stay in the order of their times.
      if (flow.packets > 0) this.#sum(key, flow, dueMs, nowMs);
    }
    const missedDueMs = this.#missedSinceMs + ACCESS_LOG_SUMMARY_MS;
    if (this.#missed > 0 && missedDueMs <= nowMs) this.#sumMissed(missedDueMs);
  }

  /** Prints every count that is left. */
  end(nowMs: number): void {
    for (const [key, flow] of [...this.#flows]) if (flow.packets > 0) this.#sum(key, flow, nowMs);
    this.#flows.clear();
    if (this.#missed > 0) this.#sumMissed(nowMs);
  }

  #begin(key: string, event: PacketEvent, rule: LoggedRule, nowMs: number): void {
    const { intervalMs } = this.#options;
    if (intervalMs !== undefined && this.#lastLineMs !== undefined && nowMs - this.#lastLineMs < intervalMs) {
      if (this.#missed++ === 0) this.#missedSinceMs = nowMs;
      return;
    }
    this.#lastLineMs = nowMs;
    if (this.#flows.size === ACCESS_LOG_FLOWS_MAX) this.#evict(nowMs);
    const cookie = rule.cookie === undefined ? "" : ` [${rule.cookie}]`;
    const flow: Flow = { event, text: flowText(event, rule), cookie, sinceMs: nowMs, packets: 1 };
    this.#sum(key, flow, nowMs);
  }

  #evict(nowMs: number): void {
    for (const [key, flow] of this.#flows) {
      if (flow.packets > 0) this.#print(flowLine(flow), nowMs, flow.packets, flow.event);
      this.#flows.delete(key);
      return;
    }
  }

  /** Prints a flow, as of `printMs`, and starts to count anew, as the newest. */
  #sum(key: string, flow: Flow, printMs: number, nowMs = printMs): void {
    this.#print(flowLine(flow), printMs, flow.packets, flow.event);
    flow.packets = 0;
    flow.sinceMs = nowMs;
    this.#flows.delete(key);
    this.#flows.set(key, flow);
  }

  #sumMissed(nowMs: number): void {
    this.#print(
      `%SEC-6-IPACCESSLOGRL: access-list logging rate-limited or missed ${packets(this.#missed)}`,
      nowMs,
      this.#missed,
    );
    this.#missed = 0;
  }
}

/** As IOS counts: "1 packet", "2 packets", no thousands separators. */
function packets(count: number): string {
  return `${count} packet${count === 1 ? "" : "s"}`;
}

function flowKey(event: PacketEvent, rule: LoggedRule): string {
  const { protocol, source, destination } = event;
  if (rule.kind === "standard") return `${rule.number} ${source}`;
  const transport = isIcmp(protocol)
    ? `${event.icmpType}/${event.icmpCode}`
    : `${event.sourcePort}>${event.destinationPort}`;
  return `${rule.number} ${protocol} ${source} ${destination} ${transport}`;
}

function flowLine({ text, cookie, packets: count }: Flow): string {
  return `${text}${packets(count)}${cookie}`;
}

/** The line up to the number of packets. */
function flowText(event: PacketEvent, rule: LoggedRule): string {
  const { source, destination, protocol } = event;
  const action = rule.action === "permit" ? "permitted" : "denied";
  if (rule.kind === "standard") return `%SEC-6-IPACCESSLOGS: list ${rule.list} ${action} ${source} `;
  const input = rule.log === "log-input" ? ` (${event.interface}${macText(event.mac)})` : "";
  const [facility, list] =
    rule.family === 4
      ? ["SEC-6-IPACCESSLOG", rule.list]
      : ["IPV6-6-ACCESSLOG", `${rule.list}/${rule.sequence}`];
  const line = (form: string, name: string, from: string, to: string) =>
    `%${facility}${form}: list ${list} ${action} ${name} ${from}${input} -> ${to}, `;
  if (isTcp(protocol) || isUdp(protocol)) {
    const from = `${source}(${event.sourcePort})`;
    return line("P", protocolName(event), from, `${destination}(${event.destinationPort})`);
  }
  if (isIcmp(protocol)) {
    return line("DP", protocolName(event), source, `${destination} (${event.icmpType}/${event.icmpCode})`);
  }
  return line("NP", String(protocol), source, destination);
}

/** " aabb.cc00.0200"; empty when the frame had no link header. */
function macText(mac: string): string {
  const hex = mac.replaceAll(":", "");
  return /^0*$/.test(hex) ? "" : ` ${hex.slice(0, 4)}.${hex.slice(4, 8)}.${hex.slice(8)}`;
}
