/**
 * Log lines in the form of IOS, out of the events of the firewall: access list entries with `log`, sessions with an
 * audit trail, packets that inspection drops (`ip inspect log drop-pkt`), and a session table that is full.
 */
import type { Config } from "../config/model.js";
import type { EventEnd, FirewallEvent, PacketEvent, SessionEvent } from "../events.js";
import { iosLine } from "../log/format.js";
import { type LogFields, type LogRecord, logRecord, type RecordOptions } from "../log/record.js";
import { timestamps } from "../log/timestamps.js";
import { REASONS } from "../reasons.js";
import { AccessLog, type LineSink, type LoggedRule } from "./accesslog.js";
import { isIcmp, isTcp, isUdp, protocolName } from "./protocol.js";

/** What the log needs of an entry of `rules()`. */
export interface LogRule {
  readonly list: string;
  readonly family: 4 | 6;
  readonly sequence: number;
  /** As the configuration has it, without its sequence number. */
  readonly text: string;
}

/** What the numbers in events mean. */
export interface LogPolicy {
  readonly config: Config;
  /** By number. */
  readonly rules: readonly LogRule[];
}

/** Takes the records of events, in the order of their times. */
export type RecordSink = (record: LogRecord) => void;

/** Lost events are told of at most once in this time. */
export const LOSS_INTERVAL_MS = 10_000;

/** In an event of a frame without a link header. */
const NO_MAC = "00:00:00:00:00:00";

/** Makes log records of the events of a firewall. */
export class EventLog {
  readonly #wallMs: (nowMs: number) => number;
  readonly #take: RecordSink;
  #rules!: readonly LogRule[];
  #logged!: readonly (LoggedRule | undefined)[];
  #access!: AccessLog;
  #lost = 0;
  #lossAtMs = Number.NEGATIVE_INFINITY;

  /** `wallMs`: what the wall clock shows at a time of the events, ms since 1970. */
  constructor(policy: LogPolicy, wallMs: (nowMs: number) => number, take: RecordSink) {
    this.#wallMs = wallMs;
    this.#take = take;
    this.#use(policy);
  }

  /** The events from now on are those of another policy, and none of the one before: what has been counted is summed up. */
  replacePolicy(policy: LogPolicy, nowMs: number): void {
    this.end(nowMs);
    this.#use(policy);
  }

  #use({ config, rules }: LogPolicy): void {
    this.#rules = rules;
    this.#logged = rules.map((rule, number) => loggedRule(config, rule, number));
    this.#access = new AccessLog(config.accessListLog, this.#accessLine);
  }

  /** So many more events were lost on their way here: there were too many. */
  lost(events: number): void {
    this.#lost += events;
  }

  /** The events of one call of the firewall, at that time in ms; none: what is due is summed up, once a second, say. */
  events(events: Iterable<FirewallEvent>, nowMs: number): void {
    this.#access.tick(nowMs);
    if (nowMs - this.#lossAtMs >= LOSS_INTERVAL_MS) this.#tellLoss(nowMs);
    for (const event of events) this.#event(event, nowMs);
  }

  /** Nothing more comes: what has been counted is summed up. */
  end(nowMs: number): void {
    this.#access.tick(nowMs);
    this.#access.end(nowMs);
    this.#tellLoss(nowMs);
  }

  #tellLoss(nowMs: number): void {
    if (this.#lost === 0) return;
    this.#lossAtMs = nowMs;
    this.#record(`%SYS-4-EVENTSLOST: ${this.#lost} events of packets and sessions were lost`, nowMs);
    this.#lost = 0;
  }

  #event(event: FirewallEvent, nowMs: number): void {
    if (event.type === "rule_log") {
      const rule = this.#logged[event.rule - 1];
      // An event that was on its way while the policy was replaced: its number means nothing any more.
      if (rule === undefined) this.lost(1);
      else this.#access.packet(event, rule, nowMs);
    } else if ("source" in event) {
      this.#print(packetLine(event), nowMs, packetFields(event), event.rule);
    } else if (event.isAudited || event.type === "evicted") {
      this.#print(sessionLine(event), nowMs, sessionFields(event), event.rule);
    }
  }

  readonly #accessLine: LineSink = (line, nowMs, packets, event) => {
    if (event === undefined) this.#print(line, nowMs, { event: "rule_log", packets });
    else this.#print(line, nowMs, { ...packetFields(event), packets }, event.rule);
  };

  /** `rule`: of the entry that decided, 1 + its number; 0 none. */
  #print(line: string, nowMs: number, fields: LogFields, rule = 0): void {
    const entry = this.#rules[rule - 1];
    const all =
      entry === undefined
        ? fields
        : { ...fields, rule: `${entry.list} ${entry.sequence}`, ruleText: entry.text };
    this.#record(line, nowMs, { origin: "traffic", fields: all });
  }

  #record(line: string, nowMs: number, options: RecordOptions = {}): void {
    this.#take(logRecord(line, { wallMs: this.#wallMs(nowMs), uptimeMs: nowMs }, options));
  }
}

export interface LogOptions extends LogPolicy {
  /** Calendar time of the virtual time 0. */
  readonly start: Date;
}

/** The lines of a replay, as text. */
export class IosLog {
  readonly #log: EventLog;
  #text = "";

  constructor({ config, start, rules }: LogOptions) {
    const timestamp = timestamps(config.timestamps.log);
    const startMs = start.getTime();
    this.#log = new EventLog(
      { config, rules },
      (nowMs) => startMs + nowMs,
      (record) => {
        this.#text += `${iosLine(record, timestamp)}\n`;
      },
    );
  }

  /** The events of one call of the firewall, at that virtual time in ms. */
  events(events: Iterable<FirewallEvent>, nowMs: number): void {
    this.#log.events(events, nowMs);
  }

  /** The replay is over: what has been counted is summed up. */
  end(nowMs: number): void {
    this.#log.end(nowMs);
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
}

function sessionFields(event: SessionEvent): LogFields {
  const { type, cause, id, service, initiator, responder } = event;
  const bytes =
    type === "session_start" ? {} : { initiatorBytes: initiator.bytes, responderBytes: responder.bytes };
  return {
    event: type,
    session: id,
    service,
    ...(cause !== undefined && { cause }),
    interface: event.interface,
    protocol: protocolName(event),
    source: initiator.address,
    sourcePort: initiator.port,
    destination: responder.address,
    destinationPort: responder.port,
    ...bytes,
  };
}

function packetFields(event: PacketEvent): LogFields {
  const { type, reason, protocol, source, destination, ipId, mac } = event;
  const ports = { sourcePort: event.sourcePort, destinationPort: event.destinationPort };
  const { tcpFlags, sequence, acknowledgement } = event;
  return {
    event: type,
    reason,
    interface: event.interface,
    protocol: protocolName(event),
    source,
    destination,
    ...(isTcp(protocol) && { ...ports, tcpFlags, sequence, acknowledgement }),
    ...(isUdp(protocol) && ports),
    ...(isIcmp(protocol) && { icmpType: event.icmpType, icmpCode: event.icmpCode }),
    ipId,
    ...(mac !== NO_MAC && { mac }),
  };
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
