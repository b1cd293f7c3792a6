/**
 * Log lines in the form of IOS, out of the events of the firewall: access list entries with `log`, sessions with an
 * audit trail, packets that inspection drops (`ip inspect log drop-pkt`), and a session table that is full.
 */
import type { Config } from "../config/model.js";
import type { EventEnd, FirewallEvent, PacketEvent, SessionEvent } from "../events.js";
import { REASONS } from "../reasons.js";
import { AccessLog, type LoggedRule } from "./accesslog.js";
import { protocolName } from "./protocol.js";
import { timestamps } from "./timestamps.js";

/** What the log needs of an entry of `rules()`. */
export interface LogRule {
  readonly list: string;
  readonly family: 4 | 6;
  readonly sequence: number;
}

export interface LogOptions {
  readonly config: Config;
  /** Calendar time of the virtual time 0. */
  readonly start: Date;
  /** By number. */
  readonly rules: readonly LogRule[];
}

export class IosLog {
  readonly #time: (nowMs: number) => string;
  readonly #rules: readonly (LoggedRule | undefined)[];
  readonly #access: AccessLog;
  #text = "";

  constructor({ config, start, rules }: LogOptions) {
    this.#time = timestamps(config.timestamps.log, start);
    this.#rules = rules.map((rule, number) => loggedRule(config, rule, number));
    this.#access = new AccessLog(config.accessListLog, this.#print);
  }

  /** The events of one call of the firewall, at that virtual time in ms. */
  events(events: Iterable<FirewallEvent>, nowMs: number): void {
    this.#access.tick(nowMs);
    for (const event of events) this.#event(event, nowMs);
  }

  /** The replay is over: what has been counted is summed up. */
  end(nowMs: number): void {
    this.#access.tick(nowMs);
    this.#access.end(nowMs);
  }

  /** Characters that `drain` would return. */
  get pending(): number {
    return this.#text.length;
  }

  /** The lines since the last call, each with its line end. */
  drain(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  readonly #print = (line: string, nowMs: number): void => {
    this.#text += `${this.#time(nowMs)}${line}\n`;
  };

  #event(event: FirewallEvent, nowMs: number): void {
    if (event.type === "rule_log") {
      const rule = this.#rules[event.rule - 1];
      if (rule === undefined) throw new Error(`rule ${event.rule} was logged but has no log`);
      this.#access.packet(event, rule, nowMs);
    } else {
      this.#print("source" in event ? packetLine(event) : sessionLine(event), nowMs);
    }
  }
}

function loggedRule(
  config: Config,
  { list, family, sequence }: LogRule,
  number: number,
): LoggedRule | undefined {
  const found = (family === 4 ? config.accessLists : config.accessLists6).get(list);
  const entry = found?.entries.find((each) => each.sequence === sequence);
  if (found === undefined || entry?.kind !== "ace" || entry.log === undefined) return undefined;
  return {
    number,
    list,
    family,
    sequence,
    kind: found.kind,
    action: entry.action,
    log: entry.log,
    cookie: entry.logCookie,
  };
}

/** `10.0.0.5:40000`, `[2001:db8::1]:80`. */
function end(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function sessionLine({ type, initiator, responder, service }: SessionEvent): string {
  const at = ({ address, port }: EventEnd) => `(${end(address, port)})`;
  const sent = (side: EventEnd) => `${at(side)} sent ${side.bytes} bytes`;
  const ends = `initiator ${at(initiator)} -- responder ${at(responder)}`;
  switch (type) {
    case "session_start":
      return `%FW-6-SESS_AUDIT_TRAIL_START: Start ${service} session: ${ends}`;
    case "session_stop": {
      const both = `initiator ${sent(initiator)} -- responder ${sent(responder)}`;
      return `%FW-6-SESS_AUDIT_TRAIL: Stop ${service} session: ${both}`;
    }
    case "evicted":
      return `%FW-4-SESSION_EVICTED: Half-open ${service} session deleted to make room: ${ends}`;
  }
}

function packetLine(event: PacketEvent): string {
  const { type, tcpFlags, sequence, acknowledgement, ipId } = event;
  const protocol = protocolName(event);
  const ends = `${end(event.source, event.sourcePort)} ${end(event.destination, event.destinationPort)}`;
  if (type === "table_full") return `%FW-4-SESSION_TABLE_FULL: No room for a ${protocol} session ${ends}`;
  const flags = tcpFlags.toString(16).padStart(2, "0");
  const tcp = protocol === "tcp" ? ` tcpflags 0x${flags} seq.no ${sequence} ack ${acknowledgement}` : "";
  const cause = CAUSES.get(event.reason);
  return `%FW-6-DROP_PKT: Dropping ${protocol} session ${ends} due to ${cause} with ip ident ${ipId}${tcp}`;
}

/** What IOS calls the reasons of its TCP inspection; any other reason is told in our own words. */
const IOS_CAUSES: Readonly<Record<string, string>> = {
  tcp_flags: "Invalid Flags",
  tcp_no_session: "Stray Segment",
  tcp_state: "Invalid Segment",
  tcp_handshake: "Invalid Segment",
  tcp_seq_high: "Out-Of-Order Segment",
  tcp_seq_old: "Retransmitted Segment",
  tcp_ack_high: "Invalid Segment",
  tcp_ack_old: "Invalid Segment",
  tcp_rst_window: "RST inside current window",
  tcp_after_close: "Stray Segment",
};

const CAUSES: ReadonlyMap<string, string> = new Map(
  REASONS.map(({ name, meaning }) => [name, IOS_CAUSES[name] ?? meaning]),
);
