/**
 * The order of decisions (docs/decisions.md, 5 and 6): session, else source, inbound list, route, TTL, MTU, outbound
 * list, inspection.
 */
import {
  C_DATAGRAMS,
  CLASS_DATAGRAM,
  CLASS_DROP,
  CLASS_FRAGMENT,
  CLASS_ICMP_ERROR,
  CLASS_ICMP_OTHER,
  CLASS_LOCAL,
  CLASS_TCP,
  D_FLAGS,
  D_RULE,
  D_SESSION,
  D_SESSION_ID,
  D_SIDE,
  DF_TRACE,
  E_PORT_HIGH,
  E_PORT_LOW,
  E_PROTOCOL,
  ENTRY_OTHER,
  ENTRY_SIZE,
  EVENT_RULE_LOG,
  I_ACL_IN4,
  I_ACL_IN6,
  I_ACL_OUT4,
  I_ACL_OUT6,
  I_FLAGS,
  I_INSPECT_IN4,
  I_INSPECT_IN6,
  I_INSPECT_OUT4,
  I_INSPECT_OUT6,
  I_RPF4,
  I_RPF6,
  I_STATEFUL,
  IF_IP4,
  IF_IP6,
  IF_UP,
  IN_COUNT,
  IN_FIRST,
  INSPECT_SIZE,
  M_CLASS,
  M_FLAGS,
  M_ICMP_TYPE,
  M_INGRESS,
  M_PROTOCOL,
  M_REASON,
  M_SCOPE,
  M_SLOT,
  M_TRANSPORT,
  M_TTL,
  M_V6,
  P_ACLS,
  P_FLAGS,
  P_INSPECT,
  P_INSPECT_ENTRIES,
  PF_BLOCK_NON_SESSION,
  R_ACL_IN_DENY,
  R_ACL_IN_IMPLICIT,
  R_ACL_OUT_DENY,
  R_ACL_OUT_IMPLICIT,
  R_BROADCAST,
  R_ICMP_NO_SESSION,
  R_ICMP_UNRELATED,
  R_LOCAL,
  R_LOCAL_MULTICAST,
  R_MARTIAN_SOURCE,
  R_NO_ROUTE,
  R_OWN_SOURCE,
  R_PERMITTED,
  R_PROTOCOL_DISABLED,
  R_REVERSE_PATH,
  R_SOURCE_UNROUTABLE,
  R_HANDOVER,
  R_STANDBY,
  R_TCP_NO_SESSION,
  R_TOO_BIG,
  R_TTL_EXPIRED,
  ROLE_STANDBY,
  RPF_OFF,
  S_KEY,
  S_ROLE,
  SCOPE_LOCAL_MULTICAST,
  SCOPE_UNICAST,
  STATE_AT,
  TR_ACL_IN,
  TR_ACL_OUT,
  TR_ENTRY,
  TR_INSPECT,
  TR_LINK,
  TR_MIRROR,
  TR_MTU,
  TR_ROUTE,
  TR_RULE,
  TR_SANITY,
  TR_SESSION,
  TR_SOURCE,
  TR_TTL,
  VERDICT_DROP,
  VERDICT_HELD,
  VERDICT_LOCAL,
  VERDICT_PASS,
} from "./layout";
import { evaluate, isLog, isPermit } from "./acl";
import { fillKey, mirrorKey } from "./aclkey";
import { be16 } from "./bytes";
import { interfaceAt, interfaceFlags } from "./ethernet";
import { packetEvent } from "./event";

import { releaseDatagram, takeFragment } from "./fragment";
import { decideRelated } from "./icmp";
import { ICMP, ICMPV6, TCP, UDP } from "./key";
import { isTooBig } from "./live";
import {
  isBroadcast,
  isLocal,
  NO_ROUTE,
  reversePathHolds,
  routeInterface,
  routeToDestination,
  routeToSource,
} from "./route";
import { create, decideHit, lookup } from "./session";
import { NO_SLOT, hitsAt, policyAt, setTracing, trace, tracing } from "./state";
import { ACK, FIN, isRequest, RST, SYN } from "./transport";
import { verdict } from "./verdict";

/** What `trace` shows as the egress of a packet for the firewall itself. */
const TRACE_SELF: u32 = 255;

/** Bits of I_STATEFUL, in the order of the bindings. */
const STATEFUL_IN4: u32 = 0;
const STATEFUL_OUT4: u32 = I_INSPECT_OUT4 - I_INSPECT_IN4;
const STATEFUL_IN6: u32 = I_INSPECT_IN6 - I_INSPECT_IN4;
const STATEFUL_OUT6: u32 = I_INSPECT_OUT6 - I_INSPECT_IN4;


@inline
function begin(descriptor: usize, meta: usize): void {
  store<u64>(descriptor, 0, D_RULE); // rule and session
  store<u64>(descriptor, 0, D_SESSION_ID);
  store<u8>(descriptor, 0, D_SIDE);
  if (tracing) setTracing(false);
  if (load<u8>(descriptor, D_FLAGS) & DF_TRACE) beginTrace(meta);
}

/** Decides the packet of `meta`; its descriptor gets the verdict. */
@inline
export function decide(descriptor: usize, meta: usize): void {
  begin(descriptor, meta);
  const kind: u32 = load<u8>(meta, M_CLASS);
  if (kind == CLASS_TCP || kind == CLASS_DATAGRAM) decideTransport(descriptor, meta);
  else decideRest(descriptor, meta, kind);
}

/** The same on a standby: what is for the box itself is taken, everything else is dropped. */
export function decideStandby(descriptor: usize, meta: usize): void {
  begin(descriptor, meta);
  const kind: u32 = load<u8>(meta, M_CLASS);
  if (kind == CLASS_DROP || kind == CLASS_LOCAL) decideRest(descriptor, meta, kind);
  else if (kind == CLASS_FRAGMENT) verdict(descriptor, meta, VERDICT_DROP, R_STANDBY, 0);
  else decideMiss(descriptor, meta);
}

/**
 * The same while the role is handed over: what is for the box itself is taken, everything else waits until it is clear who
 * decides it. No rule is looked at for that.
 */
export function decideHandingOver(descriptor: usize, meta: usize): void {
  const kind: u32 = load<u8>(meta, M_CLASS);
  const isOther =
    kind != CLASS_DROP &&
    kind != CLASS_LOCAL &&
    load<u8>(meta, M_SCOPE) != SCOPE_LOCAL_MULTICAST &&
    !isLocal(routeToDestination(meta));
  if (!isOther) return decideStandby(descriptor, meta);
  begin(descriptor, meta);
  verdict(descriptor, meta, VERDICT_HELD, R_HANDOVER, 0);
}

function beginTrace(meta: usize): void {
  setTracing(true);
  trace(TR_LINK, load<u8>(meta, M_INGRESS));
  trace(TR_SANITY, load<u8>(meta, M_CLASS) == CLASS_DROP ? <u32>load<u8>(meta, M_REASON) : 0);
}

function decideRest(descriptor: usize, meta: usize, kind: u32): void {
  if (kind == CLASS_DROP) verdict(descriptor, meta, VERDICT_DROP, load<u8>(meta, M_REASON), 0);
  else if (kind == CLASS_LOCAL) verdict(descriptor, meta, VERDICT_LOCAL, load<u8>(meta, M_REASON), 0);
  else if (kind == CLASS_FRAGMENT) decideFragment(descriptor, meta);
  else decideWhole(descriptor, meta);
}

function decideFragment(descriptor: usize, meta: usize): void {
  const whole = takeFragment(descriptor, meta);
  if (whole == 0) return;
  decideWhole(descriptor, whole);
  releaseDatagram(descriptor, meta);
}

/** A packet of any class but DROP, LOCAL and FRAGMENT: unfragmented, or put together. */
function decideWhole(descriptor: usize, meta: usize): void {
  const kind: u32 = load<u8>(meta, M_CLASS);
  if (kind == CLASS_TCP || kind == CLASS_DATAGRAM) {
    decideTransport(descriptor, meta);
  } else if (
    kind == CLASS_ICMP_ERROR &&
    load<u8>(meta, M_SCOPE) == SCOPE_UNICAST &&
    load<u8>(meta, M_INGRESS) != 0
  ) {
    if (decideRelated(descriptor, meta)) return;
    if (isInspected(meta)) verdict(descriptor, meta, VERDICT_DROP, R_ICMP_UNRELATED, 0);
    else decideMiss(descriptor, meta);
  } else {
    decideMiss(descriptor, meta);
  }
}

/** Whether any inspection rule is bound where the packet comes in or would go out: then errors need a session. */
function isInspected(meta: usize): bool {
  const v6: u32 = load<u8>(meta, M_V6);
  const route = routeToDestination(meta);
  const egress = isLocal(route) || isBroadcast(route) ? 0 : routeInterface(route);
  const from = interfaceAt(load<u8>(meta, M_INGRESS));
  const to = interfaceAt(egress);
  return (
    field8(from, v6, I_INSPECT_IN4, I_INSPECT_IN6) != 0 ||
    field8(from, v6, I_INSPECT_OUT4, I_INSPECT_OUT6) != 0 ||
    field8(to, v6, I_INSPECT_IN4, I_INSPECT_IN6) != 0 ||
    field8(to, v6, I_INSPECT_OUT4, I_INSPECT_OUT6) != 0
  );
}


@inline
function decideTransport(descriptor: usize, meta: usize): void {
  if (load<u8>(meta, M_SCOPE) == SCOPE_UNICAST) {
    const slot = lookup(meta, load<u32>(meta, M_SLOT));
    trace(TR_SESSION, slot + 1);
    if (slot != NO_SLOT && decideHit(slot, descriptor, meta)) return;
  }
  decideMiss(descriptor, meta);
}


@inline
function field16(record: usize, v6: u32, field4: usize, field6: usize): u32 {
  return load<u16>(record + (v6 ? field6 : field4));
}


@inline
function field8(record: usize, v6: u32, field4: usize, field6: usize): u32 {
  return load<u8>(record + (v6 ? field6 : field4));
}

/** No session: source, lists, route, inspection. */
function decideMiss(descriptor: usize, meta: usize): void {
  const v6: u32 = load<u8>(meta, M_V6);
  const ingress: u32 = load<u8>(meta, M_INGRESS);
  if (ingress != 0 && (load<u8>(interfaceAt(ingress), I_FLAGS) & (v6 ? IF_IP6 : IF_IP4)) == 0) {
    trace(TR_SOURCE, R_PROTOCOL_DISABLED);
    return verdict(descriptor, meta, VERDICT_DROP, R_PROTOCOL_DISABLED, 0);
  }
  const multicast = load<u8>(meta, M_SCOPE) == SCOPE_LOCAL_MULTICAST;
  const wrong = multicast ? 0 : sourceReason(meta, v6, ingress);
  trace(TR_SOURCE, wrong);
  if (wrong != 0) return verdict(descriptor, meta, VERDICT_DROP, wrong, 0);
  const from = interfaceAt(ingress);
  const key = <usize>STATE_AT + S_KEY;
  fillKey(key, meta);

  const listIn = field16(from, v6, I_ACL_IN4, I_ACL_IN6);
  let rule: u32 = 0;
  if (listIn != 0) {
    rule = consult(descriptor, meta, key, listIn, TR_ACL_IN);
    if (!permits(rule)) {
      const reason: u32 = rule != 0 ? R_ACL_IN_DENY : R_ACL_IN_IMPLICIT;
      return finish(descriptor, meta, VERDICT_DROP, reason, 0, rule);
    }
  }
  if (multicast) {
    trace(TR_ROUTE, TRACE_SELF);
    return finish(descriptor, meta, VERDICT_LOCAL, R_LOCAL_MULTICAST, 0, rule);
  }

  const route = routeToDestination(meta);
  const egress = routeInterface(route);
  trace(TR_ROUTE, isLocal(route) ? TRACE_SELF : egress);
  if (isLocal(route)) return finish(descriptor, meta, VERDICT_LOCAL, R_LOCAL, 0, rule);
  if (load<u32>(STATE_AT, S_ROLE) == ROLE_STANDBY)
    return finish(descriptor, meta, VERDICT_DROP, R_STANDBY, 0, 0);
  if (isBroadcast(route)) return finish(descriptor, meta, VERDICT_DROP, R_BROADCAST, 0, 0);
  const to = interfaceAt(egress);
  if (egress == 0 || (interfaceFlags(egress) & IF_UP) == 0) {
    return finish(descriptor, meta, VERDICT_DROP, R_NO_ROUTE, 0, 0);
  }
  if (load<u8>(meta, M_TTL) <= 1) {
    trace(TR_TTL, R_TTL_EXPIRED);
    return finish(descriptor, meta, VERDICT_DROP, R_TTL_EXPIRED, 0, 0);
  }
  if (isTooBig(descriptor, meta, egress)) {
    trace(TR_MTU, R_TOO_BIG);
    return finish(descriptor, meta, VERDICT_DROP, R_TOO_BIG, egress, 0);
  }

  const listOut = field16(to, v6, I_ACL_OUT4, I_ACL_OUT6);
  if (listOut != 0) {
    const ruleOut = consult(descriptor, meta, key, listOut, TR_ACL_OUT);
    if (!permits(ruleOut)) {
      const reason: u32 = ruleOut != 0 ? R_ACL_OUT_DENY : R_ACL_OUT_IMPLICIT;
      return finish(descriptor, meta, VERDICT_DROP, reason, 0, ruleOut);
    }
    if (rule == 0) rule = ruleOut;
  }
  inspectNew(descriptor, meta, v6, from, to, egress, rule, key);
}

/** Inspection of a packet that the lists permit. */
function inspectNew(
  descriptor: usize,
  meta: usize,
  v6: u32,
  from: usize,
  to: usize,
  egress: u32,
  rule: u32,
  key: usize,
): void {
  const inspectIn = field8(from, v6, I_INSPECT_IN4, I_INSPECT_IN6);
  const inspectOut = field8(to, v6, I_INSPECT_OUT4, I_INSPECT_OUT6);
  const kind: u32 = load<u8>(meta, M_CLASS);
  let inspection = inspectIn;
  let stateful = (load<u8>(from, I_STATEFUL) >> (<u8>(v6 ? STATEFUL_IN6 : STATEFUL_IN4))) & 1;
  let entry = entryFor(inspectIn, meta);
  if (entry == 0) {
    inspection = inspectOut;
    entry = entryFor(inspectOut, meta);
    stateful = (load<u8>(to, I_STATEFUL) >> (<u8>(v6 ? STATEFUL_OUT6 : STATEFUL_OUT4))) & 1;
  }
  if (entry == 0) return finish(descriptor, meta, VERDICT_PASS, R_PERMITTED, egress, rule);
  if (begins(meta, kind)) {
    store<u32>(descriptor, rule, D_RULE);
    return create(descriptor, meta, egress, rule, inspection, entry, stateful != 0);
  }
  if (answersAdmitted(meta, key, v6, from, to)) {
    return finish(descriptor, meta, VERDICT_PASS, R_PERMITTED, egress, rule);
  }
  const reason: u32 = kind == CLASS_TCP ? R_TCP_NO_SESSION : R_ICMP_NO_SESSION;
  finish(descriptor, meta, VERDICT_DROP, reason, 0, 0);
}

/** Verdict with the rule that decided, 0 none. */
function finish(descriptor: usize, meta: usize, decided: u32, reason: u32, egress: u32, rule: u32): void {
  store<u32>(descriptor, rule, D_RULE);
  verdict(descriptor, meta, decided, reason, egress);
}

/** Why the source may not be where it came from, 0 when it may. */
function sourceReason(meta: usize, v6: u32, ingress: u32): u32 {
  const route = routeToSource(meta);
  if (isLocal(route)) return R_OWN_SOURCE;
  if (isBroadcast(route)) return R_MARTIAN_SOURCE;
  if (ingress == 0) return R_SOURCE_UNROUTABLE;
  const mode = field8(interfaceAt(ingress), v6, I_RPF4, I_RPF6);
  if (mode != RPF_OFF && !reversePathHolds(meta, mode, route, ingress)) return R_REVERSE_PATH;
  return 0;
}

/** Asks a list, counts the hit and logs it; returns the rule number + 1, 0 when none matches. */
function consult(descriptor: usize, meta: usize, key: usize, list: u32, step: u32): u32 {
  const section = policyAt + load<u32>(policyAt, P_ACLS);
  const rule = evaluate(section, list, key);
  trace(step, list);
  trace(TR_RULE, rule);
  if (rule == 0) return 0;
  const hits = hitsAt + ((<usize>(rule - 1)) << 3);
  store<u64>(hits, load<u64>(hits) + 1);
  if (isLog(section, rule)) {
    const kind: u32 = load<u8>(meta, M_CLASS);
    const protocol: u32 = load<u8>(meta, M_PROTOCOL);
    const ports = kind == CLASS_TCP || (kind == CLASS_DATAGRAM && protocol == UDP);
    packetEvent(
      EVENT_RULE_LOG,
      isPermit(section, rule) ? R_PERMITTED : R_ACL_IN_DENY,
      rule,
      descriptor,
      meta,
      ports,
    );
  }
  return rule;
}


@inline
function permits(rule: u32): bool {
  return rule != 0 && isPermit(policyAt + load<u32>(policyAt, P_ACLS), rule);
}

/** The first entry of an inspection rule that lists the packet, 0 none. */
function entryFor(inspection: u32, meta: usize): usize {
  trace(TR_INSPECT, inspection);
  if (inspection == 0) return 0;
  const rule = policyAt + load<u32>(policyAt, P_INSPECT) + <usize>inspection * INSPECT_SIZE;
  const entries = policyAt + load<u32>(policyAt, P_INSPECT_ENTRIES);
  const first = load<u32>(rule, IN_FIRST);
  const end = first + load<u32>(rule, IN_COUNT);
  const protocol: u32 = load<u8>(meta, M_PROTOCOL);
  const named = protocol == TCP || protocol == UDP || protocol == (load<u8>(meta, M_V6) ? ICMPV6 : ICMP);
  const port = protocol == TCP || protocol == UDP ? be16(<usize>load<u32>(meta, M_TRANSPORT) + 2) : 0;
  for (let number = first; number < end; number++) {
    const entry = entries + <usize>number * ENTRY_SIZE;
    if (load<u8>(entry, E_PROTOCOL) != (named ? protocol : <u32>ENTRY_OTHER)) continue;
    if (port < load<u16>(entry, E_PORT_LOW) || port > load<u16>(entry, E_PORT_HIGH)) continue;
    trace(TR_ENTRY, number + 1);
    return entry;
  }
  trace(TR_ENTRY, 0);
  return 0;
}

/** Whether a packet may begin a session: a plain SYN, an ICMP request, any datagram. */
function begins(meta: usize, kind: u32): bool {
  if (kind == CLASS_TCP) return (load<u8>(meta, M_FLAGS) & (SYN | ACK | RST | FIN)) == SYN;
  if (kind == CLASS_ICMP_OTHER || kind == CLASS_ICMP_ERROR) return false;
  if (load<u8>(meta, M_PROTOCOL) != (load<u8>(meta, M_V6) ? ICMPV6 : ICMP)) return true;
  return isRequest(load<u8>(meta, M_ICMP_TYPE));
}

/**
 * Whether the packet answers traffic that the lists admit without inspection: its mirror image is permitted by an
 * entry of every list that is bound on its way, and of at least one.
 */
function answersAdmitted(meta: usize, key: usize, v6: u32, from: usize, to: usize): bool {
  if (load<u32>(policyAt, P_FLAGS) & PF_BLOCK_NON_SESSION) return false;
  if (load<u8>(meta, M_CLASS) == CLASS_ICMP_OTHER) return false;
  const section = policyAt + load<u32>(policyAt, P_ACLS);
  const listIn = field16(to, v6, I_ACL_IN4, I_ACL_IN6);
  const listOut = field16(from, v6, I_ACL_OUT4, I_ACL_OUT6);
  mirrorKey(key);
  let admitted = (listIn | listOut) != 0;
  if (listIn != 0) admitted = admitted && permits(evaluate(section, listIn, key));
  if (listOut != 0) admitted = admitted && permits(evaluate(section, listOut, key));
  trace(TR_MIRROR, admitted);
  return admitted;
}
