/** What the core reports besides verdicts, decoded: sessions that begin and end, packets that are to be logged. */
import * as L from "../assembly/layout.js";
import type { Core } from "./core.js";
import { bytesToBigint, formatIpv4, formatIpv6 } from "./ip.js";
import type { Numbering } from "./policy/numbering.js";
import { reasonOf } from "./reasons.js";
import { formatSessionId } from "./session-view.js";

/**
 * A session began or ended. Only sessions with an audit trail are reported, and those that were evicted, unless
 * `Forwarding.tellSessions` wants all.
 */
export interface SessionEvent {
  type: "session_start" | "session_stop" | "evicted";
  /** Why it ended: `expired`, `closed` (FIN or RST), `evicted`, `cleared` by the operator or `reopened` by a new SYN. */
  cause?: string;
  /** It has an audit trail. */
  isAudited: boolean;
  id: string;
  family: 4 | 6;
  protocol: number;
  /** The keyword of the inspection line. */
  service: string;
  /** Interface of the initiator. */
  interface: string;
  initiator: EventEnd;
  responder: EventEnd;
  /** `rules()[rule - 1]` permitted it; 0 none. */
  rule: number;
}

export interface EventEnd {
  address: string;
  /** As in `SessionEnd`. */
  port: number;
  /** Payload bytes that it sent. */
  bytes: number;
}

/** A packet matched an entry with `log`, was dropped (`ip inspect log drop-pkt`), or found the session table full. */
export interface PacketEvent {
  type: "rule_log" | "drop" | "table_full";
  /** Name of the reason; for `rule_log` that of a permit or a deny by the entry. */
  reason: string;
  family: 4 | 6;
  protocol: number;
  /** Name of the ingress interface. */
  interface: string;
  source: string;
  destination: string;
  /** 0 where the protocol has none. */
  sourcePort: number;
  destinationPort: number;
  /** The TCP flag byte, sequence and acknowledgement number; 0 without TCP. */
  tcpFlags: number;
  sequence: number;
  acknowledgement: number;
  icmpType: number;
  icmpCode: number;
  /** Identification of the IPv4 header. */
  ipId: number;
  /** Source MAC address of the frame (`log-input`); all zeros without a link header. */
  mac: string;
  /** `rules()[rule - 1]`; 0 none. */
  rule: number;
  /** The cookie of the frame. */
  cookie: number;
}

export type FirewallEvent = SessionEvent | PacketEvent;

const SESSION_EVENTS: ReadonlyMap<number, SessionEvent["type"]> = new Map([
  [L.EVENT_SESSION_START, "session_start"],
  [L.EVENT_SESSION_STOP, "session_stop"],
  [L.EVENT_EVICTED, "evicted"],
]);

const PACKET_EVENTS: ReadonlyMap<number, PacketEvent["type"]> = new Map([
  [L.EVENT_RULE_LOG, "rule_log"],
  [L.EVENT_DROP, "drop"],
  [L.EVENT_TABLE_FULL, "table_full"],
]);

/** The counter that an ended session was counted in. */
const CAUSES: ReadonlyMap<number, string> = new Map([
  [L.C_EXPIRED, "expired"],
  [L.C_CLOSED, "closed"],
  [L.C_EVICTED, "evicted"],
  [L.C_CLEARED, "cleared"],
  [L.C_REOPENED, "reopened"],
]);

const PROTOCOLS_WITH_PORT: ReadonlySet<number> = new Set([1, 6, 17, 58]);
const TCP = 6;
const ICMP: ReadonlySet<number> = new Set([1, 58]);

/** Decodes the events of the last call, in the order in which they happened. */
export function* readEvents(core: Core, numbering: Numbering): Generator<FirewallEvent> {
  const written = core.state(L.S_EVENTS_WRITTEN);
  for (let i = 0; i < written; i++) {
    const at = core.plan.regions.events.at + i * L.EVENT_SIZE;
    const type = core.view.getUint8(at + L.EV_TYPE);
    const session = SESSION_EVENTS.get(type);
    const packet = PACKET_EVENTS.get(type);
    if (session !== undefined) yield readSessionEvent(core.view, at, session, numbering);
    else if (packet !== undefined) yield readPacketEvent(core.view, at, packet, numbering);
    else throw new Error(`event type ${type} has no name`);
  }
}

function address(view: DataView, at: number, v6: boolean): string {
  if (!v6) return formatIpv4(view.getUint32(at, false));
  return formatIpv6(bytesToBigint(new Uint8Array(view.buffer, view.byteOffset + at, 16)));
}

function readSessionEvent(
  view: DataView,
  at: number,
  type: SessionEvent["type"],
  numbering: Numbering,
): SessionEvent {
  const v6 = view.getUint8(at + L.EV_V6) !== 0;
  const protocol = view.getUint8(at + L.EV_PROTOCOL);
  const port = (field: number): number =>
    PROTOCOLS_WITH_PORT.has(protocol) ? view.getUint16(at + field, true) : 0;
  const bytes = (field: number): number => Number(view.getBigUint64(at + field, true));
  return {
    type,
    ...(type === "session_start" ? {} : { cause: CAUSES.get(view.getUint8(at + L.EV_REASON)) ?? "unknown" }),
    isAudited: (view.getUint8(at + L.EV_FLAGS) & L.CF_AUDIT) !== 0,
    id: formatSessionId(view.getBigUint64(at + L.EV_SESSION_ID, true)),
    family: v6 ? 6 : 4,
    protocol,
    service: numbering.services[view.getUint16(at + L.EV_SERVICE, true)] ?? "",
    interface: numbering.interfaces[view.getUint8(at + L.EV_INGRESS)] ?? "",
    initiator: {
      address: address(view, at + L.EV_SOURCE, v6),
      port: port(L.EV_SOURCE_PORT),
      bytes: bytes(L.EV_BYTES_INITIATOR),
    },
    responder: {
      address: address(view, at + L.EV_DESTINATION, v6),
      port: port(L.EV_DESTINATION_PORT),
      bytes: bytes(L.EV_BYTES_RESPONDER),
    },
    rule: view.getUint32(at + L.EV_RULE, true),
  };
}

function readPacketEvent(
  view: DataView,
  at: number,
  type: PacketEvent["type"],
  numbering: Numbering,
): PacketEvent {
  const v6 = view.getUint8(at + L.EV_V6) !== 0;
  const protocol = view.getUint8(at + L.EV_PROTOCOL);
  const isIcmp = ICMP.has(protocol);
  const isTcp = protocol === TCP;
  const flags = view.getUint8(at + L.EV_FLAGS);
  const mac = Array.from({ length: 6 }, (_, i) =>
    view
      .getUint8(at + L.EV_MAC + i)
      .toString(16)
      .padStart(2, "0"),
  );
  return {
    type,
    reason: reasonOf(view.getUint8(at + L.EV_REASON)).name,
    family: v6 ? 6 : 4,
    protocol,
    interface: numbering.interfaces[view.getUint8(at + L.EV_INGRESS)] ?? "",
    source: address(view, at + L.EV_SOURCE, v6),
    destination: address(view, at + L.EV_DESTINATION, v6),
    sourcePort: view.getUint16(at + L.EV_SOURCE_PORT, true),
    destinationPort: view.getUint16(at + L.EV_DESTINATION_PORT, true),
    tcpFlags: isTcp ? flags : 0,
    sequence: isTcp ? view.getUint32(at + L.EV_SEQ, true) : 0,
    acknowledgement: isTcp ? view.getUint32(at + L.EV_ACK, true) : 0,
    icmpType: isIcmp ? flags : 0,
    icmpCode: isIcmp ? view.getUint8(at + L.EV_ICMP_CODE) : 0,
    ipId: view.getUint16(at + L.EV_IP_ID, true),
    mac: mac.join(":"),
    rule: view.getUint32(at + L.EV_RULE, true),
    cookie: view.getUint32(at + L.EV_COOKIE, true),
  };
}
