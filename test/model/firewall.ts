/** The model of the whole firewall: the order of decisions of docs/decisions.md, once more in plain code. */
import type { Config } from "../../src/config/model.js";
import { REASONS, type VerdictName } from "../../src/reasons.js";
import { FragmentTable, type Held } from "./fragments.js";
import { isLinkLocal, isLocalMulticast, isMulticast, isNeighborDiscovery, parseIp } from "./ip.js";
import { type Arrival, isForUs, isGroup, receive, TYPE_ARP, TYPE_IPV4 } from "./link.js";
import {
  ACK,
  type Frame,
  type IpPacket,
  isRefusal,
  type Outcome,
  SYN,
  type TcpSegment,
  type Transport,
} from "./packet.js";
import { mirror, type ModelOptions, Policy } from "./policy.js";
import {
  type FlowKey,
  flowKey,
  isFromInitiator,
  isQuotedSeqPossible,
  isRequest,
  keyText,
  payloadOf,
  readQuote,
  type Session,
  type SessionEnd,
  SessionTable,
} from "./sessions.js";
import { judge, openTrack, type TcpState } from "./tcp.js";
import { parseTransport } from "./transport.js";

const VERDICTS = new Map(REASONS.map(({ name, verdict }) => [name, verdict]));
const SESSIONS = 65536;
/** A doubtful RST leaves this much time to the session, at most. */
const RST_DOUBT_MS = 300_000;
const HALF_OPEN_STATES: ReadonlySet<TcpState> = new Set(["SYN_SENT", "SYN_RECV", "SYN_SENT2"]);
const CLOSING_STATES: ReadonlySet<TcpState> = new Set(["LAST_ACK", "TIME_WAIT"]);

/** What is decided about a whole packet; the outcome without its cookie. */
type Decision = Omit<Outcome, "cookie">;

export interface ModelCounters {
  reasons: Map<string, { packets: number; bytes: number }>;
  created: Record<"tcp" | "udp" | "icmp" | "other", number>;
  ended: Record<SessionEnd, number>;
  synIgnored: number;
  datagrams: number;
}

export class ModelFirewall {
  readonly policy: Policy;
  readonly sessions: SessionTable;
  readonly counters: ModelCounters = {
    reasons: new Map(),
    created: { tcp: 0, udp: 0, icmp: 0, other: 0 },
    ended: { expired: 0, closed: 0, evicted: 0, reopened: 0 },
    synIgnored: 0,
    datagrams: 0,
  };
  private readonly fragments = new FragmentTable();
  private nowMs = 0;

  constructor(config: Config, options: ModelOptions = {}) {
    this.policy = new Policy(config, options);
    this.sessions = new SessionTable(options.capacity?.sessions ?? SESSIONS, (_, why) => {
      this.counters.ended[why]++;
    });
  }

  /** Decides one frame. The first outcome is not always its own: fragments that are given up come before it. */
  step(frame: Frame, nowMs: number): Outcome[] {
    return this.process([frame], nowMs);
  }

  /** Decides the frames of one call, which arrive at the same time. */
  process(frames: readonly Frame[], nowMs: number): Outcome[] {
    return [...this.advance(nowMs), ...frames.flatMap((frame) => this.take(frame))];
  }

  private take(frame: Frame): Outcome[] {
    const arrival = receive(frame, this.policy);
    if (isRefusal(arrival)) {
      return [this.finish(frame, decide(arrival.refused, { ingress: arrival.ingress }))];
    }
    if (arrival.ethertype === TYPE_ARP) {
      return [this.finish(frame, decide("arp", { ingress: arrival.ingress }))];
    }
    return this.takeIp(frame, arrival);
  }

  /** Lets the time pass without a packet. */
  expire(nowMs: number): Outcome[] {
    const outcomes = this.advance(nowMs);
    this.sessions.expire(this.nowMs);
    return outcomes;
  }

  /** Gives up every held fragment. */
  flush(): Outcome[] {
    return this.fragments.flush().map((held) => this.release(held, decide("fragment_timeout", held)));
  }

  /** Fragments that wait for the rest of their datagram. */
  heldNow(): number {
    return this.fragments.heldNow();
  }

  private advance(nowMs: number): Outcome[] {
    this.nowMs = Math.max(this.nowMs, nowMs);
    this.policy.setTime(this.nowMs);
    const due = this.fragments.begin(this.policy.fragmentLimits, this.nowMs);
    return due.map((held) => this.release(held, decide("fragment_timeout", held)));
  }

  private takeIp(frame: Frame, arrival: Arrival): Outcome[] {
    const { bytes, wireLength, station } = arrival;
    const family = arrival.ethertype === TYPE_IPV4 ? 4 : 6;
    const { headerRules } = this.policy;
    const checksums = headerRules.checksums && frame.offload !== "all";
    const packet = parseIp(family, bytes, wireLength, { ...headerRules, checksums });
    if (isRefusal(packet)) return [this.finish(frame, decide(packet.refused, { ingress: arrival.ingress }))];
    // Neighbour discovery does not tell by a route where it came from; everything else does, if need be.
    const isDiscovery = packet.local === "neighbor_discovery";
    const ingress =
      arrival.ingress ?? (isDiscovery ? undefined : this.policy.routes.interfaceTo(packet.source));
    if (ingress !== undefined && station !== undefined) {
      if (!isForUs(station, ingress, this.policy))
        return [this.finish(frame, decide("not_for_us", { ingress }))];
      const isMisled = isGroup(station) && !isMulticast(packet.destination);
      if (isMisled && this.policy.interfaces.macOf(ingress) !== undefined) {
        return [this.finish(frame, decide("link_broadcast", { ingress }))];
      }
    }
    if (packet.fragment !== undefined) return this.takeFragment(frame, packet, ingress);
    return [this.finish(frame, this.takeDatagram(packet, ingress, frame.offload === undefined))];
  }

  private takeFragment(frame: Frame, packet: IpPacket, ingress: string | undefined): Outcome[] {
    if (ingress !== undefined && this.policy.interfaces.refusesFragments(ingress, packet.family)) {
      return [this.finish(frame, decide("fragment_refused", { ingress }))];
    }
    const answer = this.fragments.add({ frame, packet, ingress }, this.policy.fragmentLimits, this.nowMs);
    switch (answer.kind) {
      case "held":
        return [this.finish(frame, decide("held", { ingress }))];
      case "dropped": {
        const decision = decide(answer.reason, { ingress });
        return [this.finish(frame, decision), ...answer.released.map((held) => this.release(held, decision))];
      }
      case "complete": {
        this.counters.datagrams++;
        const { datagram } = answer;
        const decision = isRefusal(datagram)
          ? decide(datagram.refused, { ingress })
          : this.takeDatagram(datagram, ingress, frame.offload === undefined);
        return [this.finish(frame, decision), ...answer.released.map((held) => this.release(held, decision))];
      }
    }
  }

  /** Decides a whole packet: sections 4 to 6. `checksums`: the frame says nothing against verifying them. */
  private takeDatagram(packet: IpPacket, ingress: string | undefined, checksums: boolean): Decision {
    const transport = parseTransport(packet, checksums && this.policy.checksums);
    if (isRefusal(transport)) return decide(transport.refused, { ingress });
    if (packet.local !== undefined) return decide(packet.local, { ingress });
    // Neighbour discovery that was not recognised before came in fragments [6980].
    const isIcmp6 = packet.family === 6 && transport.kind === "icmp";
    if (isIcmp6 && isNeighborDiscovery(transport.type)) return decide("link_scope", { ingress });
    if (isLocalMulticast(packet.destination)) return this.takeLocalMulticast(packet, transport, ingress);
    // For the firewall itself: no session leads there.
    if (isLinkLocal(packet.destination))
      return this.takeNew(packet, transport, undefined, ingress, undefined);
    if (transport.kind === "icmp" && transport.class === "error") {
      return this.takeIcmpError(packet, transport.quote, transport, ingress);
    }

    const key = flowKey(packet, transport);
    const session = key && this.sessions.find(key, this.nowMs);
    if (session === undefined) return this.takeNew(packet, transport, key, ingress, undefined);
    return this.takeKnown(packet, transport, key!, session, ingress);
  }

  private takeLocalMulticast(packet: IpPacket, transport: Transport, ingress: string | undefined): Decision {
    if (ingress !== undefined && !this.policy.interfaces.takesPart(ingress, packet.family)) {
      return decide("protocol_disabled", { ingress });
    }
    const list = ingress && this.policy.listAt(ingress, packet.family, "in");
    if (!list) return decide("local_multicast", { ingress });
    const { permitted, rule } = this.policy.ask(list, packet, transport);
    if (permitted) return decide("local_multicast", { ingress, rule });
    return decide(rule === undefined ? "acl_in_implicit" : "acl_in_deny", { ingress, rule });
  }

  // Section 5.

  private takeKnown(
    packet: IpPacket,
    transport: Transport,
    key: FlowKey,
    session: Session,
    ingress: string | undefined,
  ): Decision {
    const forward = isFromInitiator(session, key);
    const { sourceInterface, destinationInterface } = session;
    const [near, egress] = forward
      ? [sourceInterface, destinationInterface]
      : [destinationInterface, sourceInterface];
    if (ingress !== near) return decide("wrong_interface", { ingress, session });
    if (packet.ttl <= 1) return decide("ttl_expired", { ingress, session });
    if (this.policy.isTooBig(packet, egress)) return decide("mtu_exceeded", { ingress, egress, session });

    if (transport.kind === "tcp") {
      const refusal = this.advanceTcp(session, transport.segment, forward);
      if (refusal === "reopen") return this.takeNew(packet, transport, key, ingress, session);
      if (refusal !== undefined) return decide(refusal, { ingress, session });
    } else {
      if (transport.kind === "icmp" && isRequest(packet.family, transport.type) !== forward) {
        return decide("icmp_no_session", { ingress, session });
      }
      session.lastMs = this.nowMs;
      if (!forward) this.sessions.setHalfOpen(session, false);
    }
    const bytes = payloadOf(packet, transport);
    if (forward) session.sourceBytes += bytes;
    else session.destinationBytes += bytes;
    return decide("established", { ingress, egress, session });
  }

  /** The reason to drop the segment, `reopen`, or undefined: passed. */
  private advanceTcp(session: Session, segment: TcpSegment, forward: boolean): string | undefined {
    const answer = judge(session.tcp!, forward ? "original" : "reply", segment);
    if ("drop" in answer) return answer.drop;
    if ("reopen" in answer) return "reopen";
    if (answer.synIgnored) this.counters.synIgnored++;
    session.lastMs = this.nowMs;
    if (answer.next === undefined) {
      this.sessions.end(session, "closed");
      return undefined;
    }
    session.tcp = answer.next;
    this.sessions.setHalfOpen(session, HALF_OPEN_STATES.has(answer.next.state));
    session.timeoutMs = answer.doubt ? Math.min(RST_DOUBT_MS, session.timeoutMs) : this.tcpTimeoutMs(session);
    return undefined;
  }

  private tcpTimeoutMs(session: Session): number {
    const { state } = session.tcp!;
    if (HALF_OPEN_STATES.has(state)) return this.policy.synwaitMs();
    return CLOSING_STATES.has(state) ? this.policy.finwaitMs() : session.idleMs;
  }

  private takeIcmpError(
    packet: IpPacket,
    bytes: Uint8Array,
    transport: Transport,
    ingress: string | undefined,
  ): Decision {
    const { family } = packet;
    const unrelated = decide("icmp_unrelated", { ingress });
    const asAnyPacket = () => this.takeNew(packet, transport, undefined, ingress, undefined);
    if (ingress === undefined) return asAnyPacket();
    const quote = readQuote(family, bytes);
    if (quote === undefined || quote.key.source.address !== packet.destination) return unrelated;
    const { key, seq, request } = quote;
    const session = this.sessions.find(key, this.nowMs);
    if (session === undefined) {
      const egress = this.policy.routes.egressTo(packet.destination, ingress);
      const inspected = this.policy.inspects(ingress, family) || this.policy.inspects(egress, family);
      return inspected ? unrelated : asAnyPacket();
    }

    const forward = isFromInitiator(session, key);
    if (request !== undefined && request !== forward) return unrelated;
    if (seq !== undefined) {
      const { initiator, responder } = session.tcp!;
      const [sender, receiver] = forward ? [initiator, responder] : [responder, initiator];
      if (!isQuotedSeqPossible(seq, sender, receiver)) return unrelated;
    }
    const { sourceInterface, destinationInterface } = session;
    const [egress, far] = forward
      ? [sourceInterface, destinationInterface]
      : [destinationInterface, sourceInterface];
    if (ingress !== far) return decide("wrong_interface", { ingress, session });
    if (packet.ttl <= 1) return decide("ttl_expired", { ingress, session });
    if (this.policy.isTooBig(packet, egress)) return decide("mtu_exceeded", { ingress, egress, session });
    return decide("related", { ingress, egress, session });
  }

  // Section 6.

  /** @param replaced the closed session whose place a new one takes. */
  private takeNew(
    packet: IpPacket,
    transport: Transport,
    key: FlowKey | undefined,
    ingress: string | undefined,
    replaced: Session | undefined,
  ): Decision {
    const { family, source, destination } = packet;
    const { policy } = this;
    if (ingress !== undefined && !policy.interfaces.takesPart(ingress, family))
      return decide("protocol_disabled", { ingress });
    if (policy.routes.isOwn(source)) return decide("own_source", { ingress });
    if (policy.routes.isSubnetBroadcast(source)) return decide("martian_source", { ingress });
    if (ingress === undefined) return decide("source_unroutable", { ingress });
    if (!isLinkLocal(source) && !policy.routes.isReversePath(ingress, family, source))
      return decide("reverse_path", { ingress });

    const inbound = policy.listAt(ingress, family, "in");
    const entered = inbound === undefined ? undefined : policy.ask(inbound, packet, transport);
    if (entered && !entered.permitted) {
      return decide(entered.rule === undefined ? "acl_in_implicit" : "acl_in_deny", {
        ingress,
        rule: entered.rule,
      });
    }
    if (policy.routes.isOwn(destination)) return decide("local", { ingress, rule: entered?.rule });
    if (policy.routes.isSubnetBroadcast(destination)) return decide("broadcast", { ingress });
    const egress = policy.routes.egressTo(destination, ingress);
    if (egress === undefined) return decide("no_route", { ingress });
    if (packet.ttl <= 1) return decide("ttl_expired", { ingress });
    if (policy.isTooBig(packet, egress)) return decide("mtu_exceeded", { ingress, egress });

    const outbound = policy.listAt(egress, family, "out");
    const left = outbound === undefined ? undefined : policy.ask(outbound, packet, transport);
    if (left && !left.permitted) {
      return decide(left.rule === undefined ? "acl_out_implicit" : "acl_out_deny", {
        ingress,
        rule: left.rule,
      });
    }
    const rule = entered?.rule ?? left?.rule;
    const permitted = decide("permitted", { ingress, egress, rule });
    const inspection = policy.inspectionOf(ingress, egress, packet, transport);
    if (inspection === undefined) return permitted;
    if (transport.kind === "icmp" && transport.class !== "query")
      return decide("icmp_no_session", { ingress });
    if (!mayOpen(packet, transport)) {
      const block = policy.config.inspect.blockNonSession === true;
      if (!block && this.isAnswerToPermitted(packet, transport, ingress, egress)) return permitted;
      return decide(transport.kind === "tcp" ? "tcp_no_session" : "icmp_no_session", { ingress });
    }

    if (replaced !== undefined) this.sessions.end(replaced, "reopened");
    if (!this.sessions.makeRoom(this.nowMs)) return decide("table_full", { ingress });
    const tcp = transport.kind === "tcp" ? openTrack(transport.segment) : undefined;
    const session: Session = {
      ...key!,
      id: ++this.sessions.created,
      sourceInterface: ingress,
      destinationInterface: egress,
      createdMs: this.nowMs,
      lastMs: this.nowMs,
      timeoutMs: tcp === undefined ? inspection.idleMs : policy.synwaitMs(),
      idleMs: inspection.idleMs,
      service: inspection.service,
      halfOpen: true,
      sourceBytes: payloadOf(packet, transport),
      destinationBytes: 0,
      tcp,
    };
    this.sessions.add(session);
    this.counters.created[transport.kind]++;
    return decide("new_session", { ingress, egress, rule, session });
  }

  /** Whether the lists admit the mirror image of the packet, each by an entry. */
  private isAnswerToPermitted(
    packet: IpPacket,
    transport: Transport,
    ingress: string,
    egress: string,
  ): boolean {
    const asked = mirror(packet, transport);
    const lists = [
      this.policy.listAt(egress, packet.family, "in"),
      this.policy.listAt(ingress, packet.family, "out"),
    ].filter((list) => list !== undefined);
    if (lists.length === 0) return false;
    return lists.every((list) => {
      const { permitted, rule } = this.policy.ask(list, asked.packet, asked.transport, false);
      return permitted && rule !== undefined;
    });
  }

  // Reports.

  private finish(frame: Frame, decision: Decision): Outcome {
    const count = this.counters.reasons.get(decision.reason) ?? { packets: 0, bytes: 0 };
    count.packets++;
    count.bytes += frame.wireLength;
    this.counters.reasons.set(decision.reason, count);
    return { cookie: frame.cookie, ...decision };
  }

  private release(held: Held, decision: Decision): Outcome {
    return this.finish(held.frame, decision);
  }
}

/** Whether the packet may open a session where it is listed. */
function mayOpen(packet: IpPacket, transport: Transport): boolean {
  if (transport.kind === "tcp") return (transport.segment.flags & (SYN | ACK)) === SYN;
  return transport.kind !== "icmp" || isRequest(packet.family, transport.type) === true;
}

interface Found {
  ingress?: string | undefined;
  egress?: string;
  rule?: string | undefined;
  session?: Session;
}

function decide(reason: string, { ingress, egress, rule, session }: Found): Decision {
  return {
    verdict: VERDICTS.get(reason) as VerdictName,
    reason,
    ingress,
    egress,
    rule,
    sessionKey: session && keyText(session),
    sessionId: session?.id,
  };
}
