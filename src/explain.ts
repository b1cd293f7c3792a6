/**
 * What would happen to one frame, in words. The core decides it as any other and notes its steps; here the steps
 * become phases that name the list, the entry, the route and the session, and all changes are undone.
 */
import * as L from "../assembly/layout.js";
import type { Core } from "./core.js";
import { type Address, bytesToBigint, formatAddress, inPrefix } from "./ip.js";
import type { InspectionEntry } from "./policy/inspection.js";
import type { Policy, PolicyRule } from "./policy/policy.js";
import type { Route } from "./policy/routes.js";
import { type Reason, reasonOf, type VerdictName } from "./reasons.js";
import { readSession, type Session, STATE_NAMES } from "./session-view.js";
import { undone } from "./snapshot.js";

/** One step of the decision. */
export interface Phase {
  phase:
    | "ingress"
    | "sanity"
    | "fragment"
    | "session"
    | "state"
    | "window"
    | "related"
    | "source"
    | "acl in"
    | "route"
    | "ttl"
    | "mtu"
    | "forward"
    | "acl out"
    | "inspection"
    | "mirror"
    | "eviction"
    | "creation";
  /** In a word. */
  result: string;
  /** In a sentence. */
  detail: string;
}

export interface Explanation {
  verdict: VerdictName;
  /** Stable name, and what it means. */
  reason: string;
  meaning: string;
  /** Names of interfaces; null none. */
  ingress: string | null;
  egress: string | null;
  /** The access list entry that decided, as `LIST SEQUENCE`; null none. */
  rule: string | null;
  /** Id of the session; null none. */
  session: string | null;
  phases: Phase[];
}

export interface ExplainRequest {
  frame: Uint8Array;
  /** Interface number; 0 by the source address. */
  ingress: number;
  ethertype: number;
  nowMs: number;
  /** S_TIME_RANGES at that time. */
  timeRanges: bigint;
}

interface Step {
  code: number;
  value: number;
  /** The session that the step names, as it was before the packet; as it is after it where it was created. */
  session?: Session;
  /** The same session after the packet; undefined when it has ended. */
  after?: Session;
}

const SESSION_BEFORE: ReadonlySet<number> = new Set([L.TR_SESSION, L.TR_EVICT, L.TR_RELATED]);
/** What TR_ROUTE shows as the egress of a packet for the firewall itself. */
const ROUTE_SELF = 255;
const TCP = 6;
/** What a packet of a session is dropped for before its window is looked at. */
const EARLIER: ReadonlySet<number> = new Set([L.R_WRONG_INTERFACE, L.R_TTL_EXPIRED, L.R_TOO_BIG]);
/** What a live instance makes of a packet, where the verdict does not say it. */
const FORWARDED: ReadonlyMap<number, Phase> = new Map([
  [L.FW_SEND, { phase: "forward", result: "send", detail: "the next hop is known" }],
  [L.FW_DEFER, { phase: "forward", result: "wait", detail: "waits until the peer knows the session" }],
  [
    L.FW_RESOLVE,
    { phase: "forward", result: "resolve", detail: "the MAC address of the next hop is asked for" },
  ],
  [L.FW_FRAGMENT, { phase: "forward", result: "cut", detail: "larger than the MTU: it leaves in fragments" }],
]);
/** What the state of a connection is the reason for. */
const NOT_ALLOWED: ReadonlySet<number> = new Set([L.R_TCP_STATE, L.R_TCP_HANDSHAKE]);
const IPV4_DESTINATION = 16;
const IPV4_HEADER_MIN = 20;
const IPV6_DESTINATION = 24;
const IPV6_HEADER = 40;

/** Decides the frame, undoes it, and tells the steps. `rulesSince`: as for `readSession`. */
export function explainFrame(
  core: Core,
  policy: Policy,
  rulesSince: bigint,
  request: ExplainRequest,
): Explanation {
  const session = (slot: number): Session | undefined =>
    readSession(core, slot, policy.numbering, rulesSince);
  const traced = undone(core, () => {
    const descriptor = decide(core, request);
    const steps = readTrace(core);
    for (const step of steps) {
      if (step.code === L.TR_CREATE && step.value !== 0) step.session = session(step.value - 1);
      if (step.code === L.TR_SESSION && step.value !== 0) step.after = session(step.value - 1);
    }
    return { steps, ...descriptor };
  });
  for (const step of traced.steps) {
    if (SESSION_BEFORE.has(step.code) && step.value !== 0) step.session = session(step.value - 1);
  }
  const reason = reasonOf(traced.reason);
  const rule = traced.rule === 0 ? undefined : policy.rules[traced.rule - 1];
  const known = traced.steps.find((step) => step.session !== undefined && step.code !== L.TR_EVICT)?.session;
  return {
    verdict: reason.verdict,
    reason: reason.name,
    meaning: reason.meaning,
    ingress: policy.numbering.interfaces[traced.ingress] || null,
    egress: policy.numbering.interfaces[traced.egress] || null,
    rule: rule ? `${rule.list} ${rule.sequence}` : null,
    session: traced.hasSession ? (known?.id ?? null) : null,
    phases: describe(traced.steps, policy, reason, destinationOf(request.frame, traced.network)),
  };
}

/** Puts the frame behind those of the batch, and its descriptor in the place of the first one. */
function decide(core: Core, request: ExplainRequest) {
  const { view, plan } = core;
  const at = plan.regions.bytes.at + plan.batchBytes + L.FRAME_HEADROOM;
  const captured = Math.min(request.frame.length, L.FRAME_MAX);
  core.bytes.set(request.frame.subarray(0, captured), at);
  const descriptor = plan.regions.descriptors.at;
  core.bytes.fill(0, descriptor, descriptor + L.DESC_SIZE);
  view.setUint32(descriptor + L.D_OFFSET, at, true);
  view.setUint32(descriptor + L.D_CAPTURED, captured, true);
  view.setUint32(descriptor + L.D_WIRE, request.frame.length, true);
  view.setUint8(descriptor + L.D_INGRESS, request.ingress);
  view.setUint8(descriptor + L.D_FLAGS, L.DF_TRACE | L.DF_IDS);
  view.setUint16(descriptor + L.D_ETHERTYPE, request.ethertype, true);
  core.setState64(L.S_TIME_RANGES, request.timeRanges);
  core.process(1, request.nowMs);
  return {
    reason: view.getUint8(descriptor + L.D_REASON),
    ingress: view.getUint8(descriptor + L.D_INGRESS),
    egress: view.getUint8(descriptor + L.D_EGRESS),
    rule: view.getUint32(descriptor + L.D_RULE, true),
    hasSession: view.getUint32(descriptor + L.D_SESSION, true) !== 0,
    network: view.getUint16(descriptor + L.D_NETWORK, true),
  };
}

function readTrace(core: Core): Step[] {
  const length = Math.min(core.state(L.S_TRACE_LENGTH), L.TRACE_MAX);
  return Array.from({ length }, (_, i) => ({
    code: core.state(L.S_TRACE + i * 8),
    value: core.state(L.S_TRACE + i * 8 + 4),
  }));
}

/** The destination address of an IP packet, as far as it was captured. */
function destinationOf(frame: Uint8Array, network: number): Address | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const available = frame.length - network;
  const version = available > 0 ? frame[network]! >> 4 : 0;
  if (version === 4 && available >= IPV4_HEADER_MIN) return view.getUint32(network + IPV4_DESTINATION, false);
  if (version === 6 && available >= IPV6_HEADER) {
    return bytesToBigint(frame.subarray(network + IPV6_DESTINATION, network + IPV6_HEADER));
  }
  return undefined;
}

/** The phases; steps that belong together (a list and its entry, a session and its state) become one. */
function describe(
  steps: readonly Step[],
  policy: Policy,
  reason: Reason,
  destination: Address | undefined,
): Phase[] {
  const entries = policy.inspection.flatMap((rule) => rule?.entries ?? []);
  const found = steps.find((step) => step.code === L.TR_SESSION);
  const phases: Phase[] = [];
  steps.forEach((step, i) => {
    const next = steps[i + 1];
    const phase =
      step.code === L.TR_STATE
        ? describeState(step.value >>> 8, found?.after, reason)
        : describeStep(step, next, policy, entries, destination);
    if (phase !== undefined) phases.push(phase);
  });
  // Between two ends that are both open nothing but the window is looked at, and the core notes no step for it.
  if (
    found?.session?.protocol === TCP &&
    !steps.some(({ code }) => code === L.TR_STATE) &&
    !EARLIER.has(reason.code)
  ) {
    phases.push(describeWindow(reason.verdict === "drop" ? reason.code : 0));
  }
  return phases;
}

function describeState(before: number, after: Session | undefined, { code }: Reason): Phase {
  const from = STATE_NAMES[before] ?? `state ${before}`;
  if (NOT_ALLOWED.has(code))
    return { phase: "state", result: "not allowed", detail: `not allowed in ${from}` };
  if (after === undefined)
    return { phase: "state", result: "ended", detail: `the connection ends in ${from}` };
  const detail =
    after.state === from
      ? `the connection stays in ${from}`
      : `the connection goes from ${from} to ${after.state}`;
  return { phase: "state", result: after.state, detail };
}

function describeWindow(reason: number): Phase {
  if (reason === 0) {
    return {
      phase: "window",
      result: "ok",
      detail: "sequence and acknowledgement numbers are inside the windows",
    };
  }
  const { name, meaning } = reasonOf(reason);
  return { phase: "window", result: name, detail: meaning };
}

function describeStep(
  { code, value, session }: Step,
  next: Step | undefined,
  policy: Policy,
  entries: readonly InspectionEntry[],
  destination: Address | undefined,
): Phase | undefined {
  const name = (number: number): string => policy.numbering.interfaces[number] || `interface ${number}`;
  const sound = (phase: Phase["phase"], fine: string): Phase => {
    if (value === 0) return { phase, result: "ok", detail: fine };
    const reason = reasonOf(value);
    return { phase, result: reason.name, detail: reason.meaning };
  };
  switch (code) {
    case L.TR_LINK:
      return value === 0
        ? { phase: "ingress", result: "none", detail: "no interface leads to the source" }
        : { phase: "ingress", result: name(value), detail: `arrives on ${name(value)}` };
    case L.TR_SANITY:
      return sound("sanity", "headers, lengths, addresses and checksums are sound");
    case L.TR_FRAGMENT:
      if (value === L.VERDICT_HELD) {
        return { phase: "fragment", result: "held", detail: "waits for the rest of its datagram" };
      }
      return value === 0
        ? { phase: "fragment", result: "complete", detail: "the datagram is complete and decided as a whole" }
        : sound("fragment", "");
    case L.TR_SESSION:
      return value === 0
        ? { phase: "session", result: "none", detail: "belongs to no session" }
        : { phase: "session", result: "found", detail: describeSession(session) };
    case L.TR_WINDOW:
      return describeWindow(value);
    case L.TR_RELATED:
      return value === 0
        ? { phase: "related", result: "none", detail: "quotes no packet of a session" }
        : { phase: "related", result: "found", detail: `quotes a packet of ${describeSession(session)}` };
    case L.TR_SOURCE:
      return sound("source", "the source address may come from here");
    case L.TR_ACL_IN:
      return describeList("acl in", value, next, policy);
    case L.TR_ACL_OUT:
      return describeList("acl out", value, next, policy);
    case L.TR_ROUTE:
      return describeRoute(value, destination, policy.routes, name);
    case L.TR_TTL:
      return sound("ttl", "TTL or hop limit allows another hop");
    case L.TR_MTU:
      return sound("mtu", "fits the MTU of the way out");
    case L.TR_FORWARD:
      return FORWARDED.get(value);
    case L.TR_INSPECT:
      return describeInspection(value, next, policy, entries);
    case L.TR_MIRROR:
      return value === 0
        ? {
            phase: "mirror",
            result: "no",
            detail: "the lists on the way back do not permit the other direction by an entry",
          }
        : {
            phase: "mirror",
            result: "yes",
            detail: "answers traffic that the lists permit without inspection",
          };
    case L.TR_EVICT:
      return {
        phase: "eviction",
        result: "evicted",
        detail: `the table is full: ${describeSession(session)} makes room`,
      };
    case L.TR_CREATE:
      return value === 0
        ? {
            phase: "creation",
            result: "full",
            detail: "the table is full and no half-open session can make room",
          }
        : { phase: "creation", result: "created", detail: describeSession(session) };
    case L.TR_RULE:
    case L.TR_ENTRY:
      return undefined;
    default:
      throw new Error(`trace step ${code} has no text`);
  }
}

function describeSession(session: Session | undefined): string {
  if (session === undefined) return "a session that has ended";
  const end = ({ address, port }: Session["initiator"]): string =>
    port === 0 ? address : address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const { id, service, state, initiator, responder } = session;
  return `session ${id} (${service}, ${state}) ${end(initiator)} -> ${end(responder)}`;
}

function ruleText(rule: PolicyRule): string {
  return `${rule.sequence} ${rule.text}`;
}

function describeList(
  phase: "acl in" | "acl out",
  list: number,
  next: Step | undefined,
  policy: Policy,
): Phase {
  const key = policy.lists[list] ?? "";
  const listName = key.slice(key.indexOf(":") + 1);
  const number = next?.code === L.TR_RULE ? next.value : 0;
  const rule = number === 0 ? undefined : policy.rules[number - 1];
  return rule === undefined
    ? { phase, result: "deny", detail: `no entry of ${listName} matches: its implicit deny` }
    : { phase, result: rule.action, detail: `${listName}: ${ruleText(rule)}` };
}

function describeRoute(
  egress: number,
  destination: Address | undefined,
  routes: readonly Route[],
  name: (number: number) => string,
): Phase {
  const route =
    destination === undefined
      ? undefined
      : routes.find(({ network, prefixLength }) => inPrefix(destination, network, prefixLength));
  if (egress === ROUTE_SELF) {
    const whose = route
      ? `${formatAddress(route.network)} is an address of ${name(route.interface)}`
      : "link-local multicast";
    return { phase: "route", result: "local", detail: `for the firewall itself: ${whose}` };
  }
  if (route === undefined) return { phase: "route", result: "none", detail: "no route to the destination" };
  const prefix = `${formatAddress(route.network)}/${route.prefixLength}`;
  const via = route.nextHop === undefined ? "" : ` via ${formatAddress(route.nextHop)}`;
  const origin = {
    address: "own address",
    subnet: "subnet broadcast",
    connected: "connected",
    static: "static",
    side: "by side",
  }[route.origin];
  if (route.interface === 0)
    return { phase: "route", result: "none", detail: `${prefix} is discarded (Null0)` };
  return {
    phase: "route",
    result: name(route.interface),
    detail: `${prefix} (${origin})${via}, ${name(route.interface)}`,
  };
}

function describeInspection(
  number: number,
  next: Step | undefined,
  policy: Policy,
  entries: readonly InspectionEntry[],
): Phase | undefined {
  // The core asks the rule of the ingress and, when that lists nothing, the one of the egress: unbound ones are silent.
  if (number === 0) return undefined;
  const rule = policy.inspection[number]?.name ?? `rule ${number}`;
  const entry = next?.code === L.TR_ENTRY && next.value !== 0 ? entries[next.value - 1] : undefined;
  return entry === undefined
    ? { phase: "inspection", result: "not listed", detail: `${rule} does not list this traffic` }
    : {
        phase: "inspection",
        result: entry.service,
        detail: `${rule} lists it as ${entry.service}, idle timeout ${entry.idleMs / 1000} s`,
      };
}
