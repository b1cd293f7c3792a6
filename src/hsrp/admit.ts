/**
 * Which packets are believed. From cheap to dear: where the packet comes from, its form, what it says, how many there
 * were, and only then its digest; at last whether it can be true. A refused packet changes no role, timer or address.
 */
import { type Address, inPrefix } from "../ip.js";
import type { PacketInput } from "./actions.js";
import { digestAddress, isLinkLocal, transportOf } from "./addresses.js";
import type { Heard } from "./group.js";
import { timersOf, virtualAddressOf } from "./in-force.js";
import { logRefusal } from "./log.js";
import { type Key, verify } from "./md5.js";
import { HELLO_MS_MAX, HOLD_MS_MAX, type HsrpInterface, PRIORITY_MAX } from "./options.js";
import { type GroupMessage, type HsrpPacket, parsePacket } from "./packet.js";
import { isRefused, type Judged, type Refusal } from "./refusals.js";
import { type Context, type Group, isPlaceable, NEVER_MS } from "./state.js";

/** A packet for a group, or an advertisement, which has no effect. */
export type Admitted = { readonly group: Group; readonly heard: Heard } | "advertisement";

/** Packets that an interface takes beside the hellos of its groups, per second and at once. */
const RATE_SPARE = 100;
const BURST_SPARE = 32;
/** Of the hellos that a group can expect: several routers, and all of them at once. */
const ROUTERS_MAX = 4;
const BURST_PER_GROUP = 8;
const SECOND_MS = 1000;

/** The same hello says nothing new within this share of the hello time. */
const REPEAT_SHARE = 1 / 4;

/** Judges a packet, counts it, and writes a log line when it is refused. `groups`: those of its interface. */
export function admit(
  context: Context,
  on: HsrpInterface,
  groups: readonly Group[],
  input: PacketInput,
): Admitted | undefined {
  const counters = context.state.books.interfaces[on.name]!;
  counters.received += 1;
  const judged = judge(context, on, groups, input);
  if (isRefused(judged)) {
    counters.refused[judged.refusal] += 1;
    context.actions.push({
      kind: "refused",
      interface: on.name,
      source: input.source,
      ...(judged.message !== undefined && { group: judged.message.group }),
      refusal: judged.refusal,
    });
    logRefusal(context, judged.refusal, input, judged.group, judged.message);
    return undefined;
  }
  if (judged.value === "advertisement") counters.advertisements += 1;
  else counters.accepted += 1;
  return judged.value;
}

type Verdict = { value: Admitted } | { refusal: Refusal; group?: Group; message?: GroupMessage };

function judge(context: Context, on: HsrpInterface, groups: readonly Group[], input: PacketInput): Verdict {
  const family = typeof input.source === "number" ? 4 : 6;
  const ofFamily = groups.filter(({ spec }) => spec.options.family === family);
  if (!context.state.links[on.name]!.isUp || ofFamily.length === 0) return { refusal: "interface" };
  const misdirected = judgeHeader(context, on, input);
  if (misdirected !== undefined) return { refusal: misdirected };
  const parsed = parsePacket(input.payload, on.version);
  if (isRefused(parsed)) return parsed;
  const packet = parsed.value;
  if (packet.message.kind === "interface") {
    return takesRate(context, on, ofFamily) ? { value: "advertisement" } : { refusal: "rate" };
  }
  const { message } = packet;
  if (message.family !== family) return { refusal: "family" };
  const group = ofFamily.find(({ spec }) => spec.options.group === message.group);
  if (group === undefined) return { refusal: "group" };
  const contents = judgeContents(context, group, message);
  if (contents !== undefined) return { refusal: contents, group, message };
  const proof = judgeProof(context, on, ofFamily, group, input, packet);
  if (isRefused(proof)) return { ...proof, group, message };
  const claim = judgeClaim(context, group, message, input.source);
  if (claim !== undefined) return { refusal: claim, group, message };
  if (message.opcode === "hello") remember(context, group, input, proof.value);
  return { value: { group, heard: { message, source: input.source } } };
}

function judgeHeader({ options }: Context, on: HsrpInterface, input: PacketInput): Refusal | undefined {
  const { source, destination, ttl } = input;
  const transport = transportOf(on.version, typeof source === "number" ? 4 : 6);
  if (destination !== transport.destination) return "destination";
  const networks = typeof source === "number" ? on.networks : on.networks6;
  if (source === on.linkLocal || networks.some(({ address }) => address === source)) return "own_source";
  const isNear =
    typeof source === "bigint"
      ? isLinkLocal(source)
      : networks.some(({ address, prefixLength }) => inPrefix(source, address, prefixLength));
  if (!isNear) return "foreign_source";
  if (on.peers !== undefined && !on.peers.includes(source)) return "unknown_peer";
  return ttl === transport.ttl || options.isLenient ? undefined : "ttl";
}

/** What a packet says about a group, compared with what can be. */
function judgeContents({ options }: Context, group: Group, message: GroupMessage): Refusal | undefined {
  const { spec, state } = group;
  if (state.state === "initial") return "not_running";
  if (message.priority > PRIORITY_MAX) return "priority";
  const { opcode, helloMs, holdMs, virtualAddress } = message;
  if (opcode === "hello") {
    const leastMs = options.isLenient && message.version === 1 ? 0 : 1;
    const isTooShort = helloMs < leastMs || holdMs < leastMs || (holdMs < helloMs && holdMs > 0);
    if (isTooShort || helloMs > HELLO_MS_MAX || holdMs > HOLD_MS_MAX) return "timers";
  }
  const expected = virtualAddressOf(group);
  const isRight = expected === undefined ? isPlaceable(spec.on, virtualAddress) : virtualAddress === expected;
  return isRight ? undefined : "virtual_address";
}

/**
 * Until when a packet's proof holds. Equal bytes were proven before: so a flood of other packets does not keep a known
 * hello out, and one of the same hello costs nothing.
 */
function judgeProof(
  context: Context,
  on: HsrpInterface,
  groups: readonly Group[],
  group: Group,
  { source, payload }: PacketInput,
  packet: HsrpPacket,
): Judged<number> {
  const { nowMs } = context;
  const { verified } = group.state;
  if (verified?.source === source && equals(verified.payload, payload)) {
    if (nowMs < verified.repeatUntilAtMs) return { refusal: "repeated" };
    if (nowMs < verified.trustedUntilAtMs) return { value: verified.trustedUntilAtMs };
  }
  if (!takesRate(context, on, groups)) return { refusal: "rate" };
  return authenticate(context, group, source, payload, packet);
}

function remember(
  { nowMs }: Context,
  group: Group,
  { source, payload }: PacketInput,
  trustedUntilAtMs: number,
): void {
  const repeatUntilAtMs = nowMs + REPEAT_SHARE * timersOf(group).helloMs;
  group.state.verified = { source, payload: payload.slice(), repeatUntilAtMs, trustedUntilAtMs };
}

function equals(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** Until when the packet's proof holds. */
function authenticate(
  { nowMs }: Context,
  { state }: Group,
  source: Address,
  payload: Uint8Array,
  { credential, digestAt }: HsrpPacket,
): Judged<number> {
  const { authentication } = state;
  if (credential.kind !== authentication.kind) return { refusal: "authentication_missing" };
  if (authentication.kind === "text") {
    const isRight = credential.kind === "text" && credential.text === authentication.text;
    return isRight ? { value: NEVER_MS } : { refusal: "authentication_text" };
  }
  if (credential.kind !== "md5") return { refusal: "authentication_missing" };
  const candidates = authentication.keys.filter(
    (key) => key.id === credential.keyId && nowMs < key.acceptedUntilAtMs,
  );
  if (candidates.length === 0) return { refusal: "authentication_key" };
  if (credential.address !== digestAddress(source)) return { refusal: "authentication_address" };
  const key = candidates.find((each: Key) => verify(payload, digestAt!, each));
  return key === undefined ? { refusal: "authentication_digest" } : { value: key.acceptedUntilAtMs };
}

/** Whether what an authentic packet claims can be true now: old packets are as authentic as new ones. */
function judgeClaim(
  { state: { peer } }: Context,
  { spec, state }: Group,
  { opcode, state: claimed }: GroupMessage,
  source: Address,
): Refusal | undefined {
  const isTold = peer.report !== undefined;
  const isToldActive = peer.report?.active.includes(spec.key) ?? false;
  if (opcode === "resign") {
    if (state.active?.address !== source) return "resign_source";
    return isToldActive ? "contradiction" : undefined;
  }
  const deposes = state.state === "active" && (opcode === "coup" || claimed === "active");
  return deposes && isTold && !isToldActive ? "contradiction" : undefined;
}

/** The generic cell rate algorithm: whether one more packet is within the rate of the interface; if so, it counts. */
function takesRate({ nowMs, state }: Context, on: HsrpInterface, groups: readonly Group[]): boolean {
  const link = state.links[on.name]!;
  const expected = groups.reduce((sum, group) => sum + SECOND_MS / timersOf(group).helloMs, 0);
  const everyMs = SECOND_MS / (RATE_SPARE + ROUTERS_MAX * expected);
  const burst = BURST_SPARE + BURST_PER_GROUP * groups.length;
  const atMs = Math.max(nowMs, link.rateAtMs) + everyMs;
  // Half an interval is for rounding.
  if (atMs - nowMs > (burst + 0.5) * everyMs) return false;
  link.rateAtMs = atMs;
  return true;
}
