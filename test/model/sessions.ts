/** The model's section 5, but TCP: the sessions that exist, whose packet is whose, and what an ICMP error quotes. */
import type { Address } from "../../src/ip.js";
import { address6, newChain, walkChain } from "./ip.js";
import {
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
} from "../../src/config/names.js";
import { type Family, type IpPacket, type Transport, u16, u32 } from "./packet.js";
import type { Side, TcpTrack } from "./tcp.js";
import { icmpClass } from "./transport.js";

export type SessionKind = "tcp" | "udp" | "echo" | "timestamp" | "other";

/** One end of a session. The port: TCP, UDP; identifier of an ICMP query; number of another protocol. */
export interface End {
  address: Address;
  port: number;
}

/** Both ends of a packet and the kind of session that it can belong to. */
export interface FlowKey {
  family: Family;
  kind: SessionKind;
  source: End;
  destination: End;
}

export interface Session extends FlowKey {
  /** `source` is the initiator, `destination` the responder. Sessions count from 1. */
  id: number;
  /** Interface of either side. */
  sourceInterface: string;
  destinationInterface: string;
  createdMs: number;
  /** Of the last packet that was passed. */
  lastMs: number;
  timeoutMs: number;
  /** Of the open state. */
  idleMs: number;
  /** What the inspection rule calls it. */
  service: string;
  halfOpen: boolean;
  /** Payload that each side has sent. */
  sourceBytes: number;
  destinationBytes: number;
  tcp: TcpTrack | undefined;
}

const ECHO = new Map([
  [4, { request: 8, reply: 0 }],
  [6, { request: 128, reply: 129 }],
]);
const TIMESTAMP = { request: 13, reply: 14 };

/** Whether an ICMP query is a request; undefined for every other type. */
export function isRequest(family: Family, type: number): boolean | undefined {
  const echo = ECHO.get(family)!;
  if (type === echo.request || (family === 4 && type === TIMESTAMP.request)) return true;
  return type === echo.reply || (family === 4 && type === TIMESTAMP.reply) ? false : undefined;
}

/** The request that a reply answers; any other type is itself. */
export function requestOf(family: Family, type: number): number {
  const echo = ECHO.get(family)!;
  if (type === echo.reply) return echo.request;
  return family === 4 && type === TIMESTAMP.reply ? TIMESTAMP.request : type;
}

/** Bytes of payload: behind the header of TCP and UDP, else of IP. */
export function payloadOf(packet: IpPacket, transport: Transport): number {
  if (transport.kind === "tcp") return transport.segment.length;
  return transport.kind === "udp" ? transport.length : packet.payloadLength;
}

/** Undefined: no session can hold such a packet. */
export function flowKey(packet: IpPacket, transport: Transport): FlowKey | undefined {
  const { family, source, destination, protocol } = packet;
  const between = (kind: SessionKind, sourcePort: number, destinationPort: number): FlowKey => ({
    family,
    kind,
    source: { address: source, port: sourcePort },
    destination: { address: destination, port: destinationPort },
  });
  switch (transport.kind) {
    case "tcp":
      return between("tcp", transport.segment.sourcePort, transport.segment.destinationPort);
    case "udp":
      return between("udp", transport.sourcePort, transport.destinationPort);
    case "icmp":
      if (transport.class !== "query") return undefined;
      return between(queryKind(family, transport.type), transport.identifier, transport.identifier);
    case "other":
      return between("other", protocol, protocol);
  }
}

function queryKind(family: Family, type: number): SessionKind {
  const echo = ECHO.get(family)!;
  return type === echo.request || type === echo.reply ? "echo" : "timestamp";
}

function textOf({ address, port }: End): string {
  return `${address}:${port}`;
}

/** The same text for both directions. */
export function keyText({ family, kind, source, destination }: FlowKey): string {
  const ends = [textOf(source), textOf(destination)].sort();
  return `${kind}${family} ${ends[0]} ${ends[1]}`;
}

/** The end of a session that sent a packet. */
export function isFromInitiator(session: Session, key: FlowKey): boolean {
  return session.source.address === key.source.address && session.source.port === key.source.port;
}

/** All sessions. Expired ones are gone as soon as anyone looks. */
export class SessionTable {
  readonly capacity: number;
  created = 0;
  private readonly byKey = new Map<string, Session>();
  /** Half-open sessions in the order in which they became so. */
  private readonly halfOpen = new Set<Session>();
  /** When all were last looked at; time has to pass before more can have expired. */
  private sweptMs = -1;
  /** Called for every session that ends. */
  private readonly onEnd: (session: Session, why: SessionEnd) => void;

  constructor(capacity: number, onEnd: (session: Session, why: SessionEnd) => void) {
    this.capacity = capacity;
    this.onEnd = onEnd;
  }

  get size(): number {
    return this.byKey.size;
  }

  all(): Session[] {
    return [...this.byKey.values()];
  }

  halfOpenCount(): number {
    return this.halfOpen.size;
  }

  find(key: FlowKey, nowMs: number): Session | undefined {
    const session = this.byKey.get(keyText(key));
    if (session === undefined || !isIdle(session, nowMs)) return session;
    this.end(session, whyIdle(session));
    return undefined;
  }

  /** Makes room where there is none: what has expired goes, else the oldest half-open. False: nothing can go. */
  makeRoom(nowMs: number): boolean {
    if (this.byKey.size < this.capacity) return true;
    this.expire(nowMs);
    if (this.byKey.size < this.capacity) return true;
    const [oldest] = this.halfOpen;
    if (oldest === undefined) return false;
    this.end(oldest, "evicted");
    return true;
  }

  add(session: Session): void {
    this.byKey.set(keyText(session), session);
    if (session.halfOpen) this.halfOpen.add(session);
  }

  setHalfOpen(session: Session, halfOpen: boolean): void {
    if (halfOpen === session.halfOpen) return;
    session.halfOpen = halfOpen;
    if (halfOpen) this.halfOpen.add(session);
    else this.halfOpen.delete(session);
  }

  end(session: Session, why: SessionEnd): void {
    this.byKey.delete(keyText(session));
    this.halfOpen.delete(session);
    this.onEnd(session, why);
  }

  expire(nowMs: number): void {
    if (nowMs === this.sweptMs) return;
    this.sweptMs = nowMs;
    for (const session of this.all()) if (isIdle(session, nowMs)) this.end(session, whyIdle(session));
  }
}

export type SessionEnd = "expired" | "closed" | "evicted" | "reopened";

/** A TCP session that both sides have closed only waits for its timer. */
function whyIdle({ tcp }: Session): SessionEnd {
  return tcp?.state === "LAST_ACK" || tcp?.state === "TIME_WAIT" ? "closed" : "expired";
}

function isIdle(session: Session, nowMs: number): boolean {
  return nowMs - session.lastMs >= session.timeoutMs;
}

/** What an ICMP error quotes of the packet that caused it. */
export interface Quote {
  key: FlowKey;
  /** TCP. */
  seq?: number;
  /** ICMP query: whether it is a request. */
  request?: boolean;
}

const QUOTED_TRANSPORT = 8;

/**
 * Reads the packet quoted by an ICMP error of `family`; `bytes` are what was captured behind the error's own header.
 * Undefined: too short, broken, ICMP but no query, a later fragment.
 */
export function readQuote(family: Family, bytes: Uint8Array): Quote | undefined {
  const header = family === 4 ? quotedIpv4(bytes) : quotedIpv6(bytes);
  if (header === undefined || bytes.length < header.transport + QUOTED_TRANSPORT) return undefined;
  const { source, destination, protocol, transport: at } = header;
  const between = (kind: SessionKind, sourcePort: number, destinationPort: number): FlowKey => ({
    family,
    kind,
    source: { address: source, port: sourcePort },
    destination: { address: destination, port: destinationPort },
  });
  if (protocol === IP_PROTOCOL_TCP) {
    return { key: between("tcp", u16(bytes, at), u16(bytes, at + 2)), seq: u32(bytes, at + 4) };
  }
  if (protocol === IP_PROTOCOL_UDP) return { key: between("udp", u16(bytes, at), u16(bytes, at + 2)) };
  if (protocol !== (family === 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMP6)) {
    return { key: between("other", protocol, protocol) };
  }
  const type = bytes[at]!;
  if (icmpClass(family, type) !== "query") return undefined;
  const identifier = u16(bytes, at + 4);
  const request = isRequest(family, type);
  return { key: between(queryKind(family, type), identifier, identifier), request };
}

interface QuotedHeader {
  source: Address;
  destination: Address;
  protocol: number;
  /** Offset of the transport header. */
  transport: number;
}

function quotedIpv4(bytes: Uint8Array): QuotedHeader | undefined {
  if (bytes.length < 20 || bytes[0]! >> 4 !== 4) return undefined;
  const transport = (bytes[0]! & 15) * 4;
  const offset = u16(bytes, 6) & 0x1fff;
  if (transport < 20 || offset !== 0) return undefined;
  return { source: u32(bytes, 12), destination: u32(bytes, 16), protocol: bytes[9]!, transport };
}

function quotedIpv6(bytes: Uint8Array): QuotedHeader | undefined {
  if (bytes.length < 40 || bytes[0]! >> 4 !== 6) return undefined;
  const chain = newChain(bytes[6]!);
  const quoted = bytes.subarray(40);
  if (walkChain(chain, quoted, quoted.length) !== undefined) return undefined;
  const isLater = chain.fragment !== undefined && (u16(chain.fragment.header, 2) & 0xfff8) !== 0;
  if (isLater) return undefined;
  const source = address6(bytes, 8);
  return { source, destination: address6(bytes, 24), protocol: chain.type, transport: 40 + chain.at };
}

const QUOTE_WINDOW_MIN = 66000;

/** Whether the sender of a quoted segment can have sent it: `sender` and `receiver` of that segment. */
export function isQuotedSeqPossible(seq: number, sender: Side, receiver: Side): boolean {
  const lowest = (sender.end - Math.max(receiver.maxwin, QUOTE_WINDOW_MIN)) | 0;
  return ((seq - lowest) | 0) >= 0 && ((seq - sender.maxend) | 0) <= 0;
}
