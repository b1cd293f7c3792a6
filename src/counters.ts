/** The core's counters, by name. */
import * as L from "../assembly/layout.js";
import type { Core } from "./core.js";
import { REASONS, type VerdictName } from "./reasons.js";

export interface Tally {
  packets: number;
  /** On the wire. */
  bytes: number;
}

export interface Counters {
  /** Every frame that was given to the firewall: the sum of `verdicts`. */
  received: Tally;
  /** `held`: fragments that wait now; all others have their final verdict. */
  verdicts: { [K in VerdictName]: Tally };
  /** By the name of the reason; only those that occurred. */
  reasons: { [name: string]: Tally };
  sessions: {
    /** Sessions that exist now, and of these the half-open ones; expired ones count until they are visited. */
    current: number;
    halfOpen: number;
    /** Most at a time. */
    maximum: number;
    /** Created since the start, and of these by protocol. */
    created: number;
    tcp: number;
    udp: number;
    icmp: number;
    other: number;
    /** Ended by a timeout; by FIN or RST; to make room; by the operator; replaced by a new SYN. */
    expired: number;
    closed: number;
    evicted: number;
    cleared: number;
    reopened: number;
  };
  /** Datagrams that were put together from fragments. */
  datagrams: number;
  /** SYNs that passed in an open session. */
  synIgnored: number;
  /** Events that found the ring full. */
  eventsLost: number;
  /** Calls with a time before the last one. */
  clockBack: number;
}

/** Reads all counters. */
export function readCounters(core: Core): Counters {
  const counter = (index: number): number => Number(core.state64(L.S_COUNTERS + index * 8));
  const verdicts = { pass: tally(), drop: tally(), local: tally(), held: heldNow(core) };
  const reasons: { [name: string]: Tally } = {};
  for (const { code, name, verdict } of REASONS) {
    const at = L.S_REASON_COUNTERS + code * 16;
    const packets = Number(core.state64(at));
    // Fragments are counted when they are released; what is held now is counted from the table.
    if (packets === 0 || verdict === "held") continue;
    const bytes = Number(core.state64(at + 8));
    reasons[name] = { packets, bytes };
    add(verdicts[verdict], packets, bytes);
  }
  if (verdicts.held.packets > 0) reasons.held = { ...verdicts.held };
  const received = tally();
  for (const { packets, bytes } of Object.values(verdicts)) add(received, packets, bytes);
  const tcp = counter(L.C_CREATED_TCP);
  const udp = counter(L.C_CREATED_UDP);
  const icmp = counter(L.C_CREATED_ICMP);
  const other = counter(L.C_CREATED_OTHER);
  return {
    received,
    verdicts,
    reasons,
    sessions: {
      current: core.state(L.S_SESSIONS),
      halfOpen: core.state(L.S_HALF_OPEN),
      maximum: counter(L.C_MAX_SESSIONS),
      created: tcp + udp + icmp + other,
      tcp,
      udp,
      icmp,
      other,
      expired: counter(L.C_EXPIRED),
      closed: counter(L.C_CLOSED),
      evicted: counter(L.C_EVICTED),
      cleared: counter(L.C_CLEARED),
      reopened: counter(L.C_REOPENED),
    },
    datagrams: counter(L.C_DATAGRAMS),
    synIgnored: counter(L.C_SYN_IGNORED),
    eventsLost: counter(L.C_EVENTS_LOST),
    clockBack: counter(L.C_CLOCK_BACK),
  };
}

function tally(): Tally {
  return { packets: 0, bytes: 0 };
}

function add(sum: Tally, packets: number, bytes: number): void {
  sum.packets += packets;
  sum.bytes += bytes;
}

/** The fragments that wait for the rest of their datagram. */
function heldNow({ view, plan }: Core): Tally {
  const held = tally();
  const { fragments, held: frames } = plan.regions;
  for (let i = 0; i < plan.capacity.fragments; i++) {
    const at = fragments.at + i * L.FRAGMENT_SIZE;
    if (view.getUint8(at + L.F_USED) !== L.FRAGMENT_OPEN) continue;
    for (let next = view.getUint32(at + L.F_FIRST_HELD, true); next !== 0; ) {
      const frame = frames.at + (next - 1) * L.HELD_SIZE;
      add(held, 1, view.getUint32(frame + L.H_META + L.M_WIRE, true));
      next = view.getUint32(frame + L.H_NEXT, true);
    }
  }
  return held;
}
