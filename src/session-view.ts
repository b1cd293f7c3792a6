/** Sessions as they stand in the core's flow table, in words. Reads only. */
import * as L from "../assembly/layout.js";
import type { Core } from "./core.js";
import { bytesToBigint, formatIpv4, formatIpv6 } from "./ip.js";
import type { Numbering } from "./policy/numbering.js";

export interface SessionEnd {
  /** As text. */
  address: string;
  /** TCP and UDP: the port; ICMP queries: their identifier; other protocols: 0. */
  port: number;
  /** Name of the interface behind which it lives. */
  interface: string;
  /** Payload bytes that it sent. */
  bytes: number;
}

export interface Session {
  /** As text: see `formatSessionId`. */
  id: string;
  family: 4 | 6;
  /** IP protocol number. */
  protocol: number;
  /** `syn_sent` ... `time_wait` for TCP, `opening` and `open` for the rest. */
  state: string;
  /** The responder has not answered, or the handshake is not over. */
  halfOpen: boolean;
  initiator: SessionEnd;
  responder: SessionEnd;
  /** The keyword of the inspection line that created it. */
  service: string;
  /** Name of the inspection rule. */
  inspection: string;
  /** `rules()[rule - 1]` permitted it; 0: no list, or one of a policy that has been replaced. */
  rule: number;
  /** On the clock of `process`. */
  createdMs: number;
  idleMs: number;
  /** Idle time after which it ends. */
  timeoutMs: number;
}

/** TCP: the names of netfilter's states; index: ST_*. */
export const STATE_NAMES: readonly string[] = (() => {
  const names: string[] = [];
  names[L.ST_NONE] = "none";
  names[L.ST_SYN_SENT] = "syn_sent";
  names[L.ST_SYN_RECV] = "syn_recv";
  names[L.ST_ESTABLISHED] = "established";
  names[L.ST_FIN_WAIT] = "fin_wait";
  names[L.ST_CLOSE_WAIT] = "close_wait";
  names[L.ST_LAST_ACK] = "last_ack";
  names[L.ST_TIME_WAIT] = "time_wait";
  names[L.ST_CLOSE] = "close";
  names[L.ST_SYN_SENT2] = "syn_sent2";
  names[L.ST_OPENING] = "opening";
  names[L.ST_OPEN] = "open";
  return names;
})();

const HALF_OPEN: ReadonlySet<number> = new Set([L.ST_SYN_SENT, L.ST_SYN_RECV, L.ST_SYN_SENT2, L.ST_OPENING]);

/** IP protocol by kind; other protocols keep their number in the port field. */
const KIND_PROTOCOLS: ReadonlyMap<number, number> = new Map([
  [L.KIND_TCP4, 6],
  [L.KIND_UDP4, 17],
  [L.KIND_ECHO4, 1],
  [L.KIND_TIMESTAMP4, 1],
  [L.KIND_TCP6, 6],
  [L.KIND_UDP6, 17],
  [L.KIND_ECHO6, 58],
]);

/** An id as reports show it: hexadecimal, at least eight digits, as IOS prints session addresses. */
export function formatSessionId(id: bigint): string {
  return id.toString(16).toUpperCase().padStart(8, "0");
}

/** The id behind such a text; undefined when it is none. */
export function parseSessionId(text: string): bigint | undefined {
  return /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : undefined;
}

/** Slots that hold a session, of all or of those from `from` to before `end`. A packet between two steps may change what is left. */
export function* usedSlots(core: Core, from = 0, end = core.plan.groups * L.GROUP_SLOTS): Generator<number> {
  const tags = core.plan.regions.tags.at / 2;
  const view = new Uint16Array(core.bytes.buffer);
  for (let slot = from; slot < end; slot++) if (view[tags + slot]! > L.TAG_GONE) yield slot;
}

/** Id of the session in a slot. */
export function sessionIdAt(core: Core, slot: number): bigint {
  return core.view.getBigUint64(core.plan.regions.cold.at + slot * L.COLD_SIZE + L.COLD_ID, true);
}

/**
 * The session in a slot; undefined when there is none or its timeout has passed.
 * @param rulesSince id of the last session that a policy before this one created: rules of older ones are unknown.
 */
export function readSession(
  core: Core,
  slot: number,
  numbering: Numbering,
  rulesSince: bigint,
): Session | undefined {
  const { view, plan } = core;
  const hot = plan.regions.hot.at + slot * L.HOT_SIZE;
  const cold = plan.regions.cold.at + slot * L.COLD_SIZE;
  const kind = view.getUint8(hot + L.HOT_KIND);
  if (kind === L.KIND_FREE) return undefined;
  const idleMs = (core.state(L.S_NOW_MS) - view.getUint32(hot + L.HOT_LAST_MS, true)) >>> 0;
  const timer = view.getUint8(hot + L.HOT_TIMER);
  const timeoutMs = view.getUint32(plan.regions.timeouts.at + timer * 4, true);
  if (idleMs >= timeoutMs && !outlivesTimeout(core, idleMs)) return undefined;

  const protocol = KIND_PROTOCOLS.get(kind);
  const end = (side: 0 | 1): SessionEnd => ({
    address: endAddress(view, hot, cold, kind, side),
    port: protocol === undefined ? 0 : view.getUint16(hot + (side === 0 ? L.HOT_PORT0 : L.HOT_PORT1), false),
    interface: numbering.interfaces[view.getUint8(hot + L.HOT_INTERFACE0 + side)] ?? "",
    bytes:
      view.getUint32(hot + L.HOT_BYTES0 + 4 * side, true) +
      view.getUint32(cold + L.COLD_BYTES_HIGH0 + 4 * side, true) * 2 ** 32,
  });
  const state = view.getUint8(hot + L.HOT_STATE);
  const initiator = view.getUint8(hot + L.HOT_FLAGS) & L.HF_INITIATOR1 ? 1 : 0;
  const id = view.getBigUint64(cold + L.COLD_ID, true);
  const ruleKey = numbering.inspectionRules[view.getUint8(cold + L.COLD_INSPECT)] ?? "";
  return {
    id: formatSessionId(id),
    family: kind & L.KIND_V6 ? 6 : 4,
    protocol: protocol ?? view.getUint16(hot + L.HOT_PORT0, false),
    state: STATE_NAMES[state] ?? `state ${state}`,
    halfOpen: HALF_OPEN.has(state),
    initiator: end(initiator),
    responder: end(initiator === 1 ? 0 : 1),
    service: numbering.services[view.getUint16(cold + L.COLD_SERVICE, true)] ?? "",
    inspection: ruleKey.slice(ruleKey.indexOf(":") + 1),
    rule: id > rulesSince ? view.getUint32(cold + L.COLD_RULE, true) : 0,
    createdMs: Number(view.getBigUint64(cold + L.COLD_CREATED_MS, true)),
    idleMs,
    timeoutMs,
  };
}

/** On a standby the peer says when a session ends; after a take-over, one that is silent since is given some time. */
function outlivesTimeout(core: Core, idleMs: number): boolean {
  const promotedMs = core.state64(L.S_PROMOTED_MS);
  const activeMs = Number(core.state64(L.S_NOW_MS) - promotedMs);
  const isSpared = promotedMs !== 0n && activeMs < L.PROMOTED_IDLE_MIN_MS && idleMs >= activeMs;
  return isSpared || core.state(L.S_ROLE) === L.ROLE_STANDBY;
}

function endAddress(view: DataView, hot: number, cold: number, kind: number, side: 0 | 1): string {
  if ((kind & L.KIND_V6) === 0) {
    return formatIpv4(view.getUint32(hot + (side === 0 ? L.HOT_ADDRESS0 : L.HOT_ADDRESS1), false));
  }
  const at = view.byteOffset + cold + (side === 0 ? L.COLD_ADDRESS0 : L.COLD_ADDRESS1);
  return formatIpv6(bytesToBigint(new Uint8Array(view.buffer, at, 16)));
}
