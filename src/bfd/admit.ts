/** Which packets are believed (RFC 5880 section 6.8.6). From cheap to dear: the digest is looked at last. */
import type { PacketInput } from "./actions.js";
import { isRefused, type Judged, type Refusal } from "./refusals.js";
import { KEY_ID, verify } from "./sha1.js";
import { type Context, count, type Session } from "./state.js";
import { BFD_TTL, type ControlPacket, parsePacket, SIGNED_SIZE, SOURCE_PORT_MIN } from "./wire.js";

/** A packet and the session that it is for. */
export interface Admitted {
  readonly session: Session;
  readonly packet: ControlPacket;
}

/**
 * So far ahead of the last number that was taken may the next one be. Section 6.7.4 has three times the multiplier, which
 * a neighbor that answers polls or has just become faster can exceed within the detection time. What is further behind
 * than it is ahead is refused all the same, and the digest proves the rest.
 */
const SEQUENCES_AHEAD_MAX = 2 ** 16;

/** Judges a packet and counts it. */
export function admit(context: Context, input: PacketInput): Admitted | undefined {
  count(context, "received");
  const judged = judge(context, input);
  if (isRefused(judged)) {
    const { refusal } = judged;
    context.state.counters.refused[refusal] += 1;
    context.actions.push({ kind: "refused", interface: input.interface, source: input.source, refusal });
    return undefined;
  }
  count(context, "accepted");
  return judged.value;
}

function judge(context: Context, input: PacketInput): Judged<Admitted> {
  if (input.ttl !== BFD_TTL) return { refusal: "ttl" };
  if (input.sourcePort < SOURCE_PORT_MIN) return { refusal: "source_port" };
  const parsed = parsePacket(input.payload);
  if (isRefused(parsed)) return parsed;
  const packet = parsed.value;
  const found = sessionOf(context, input, packet);
  if (isRefused(found)) return found;
  const session = found.value;
  const isUp = context.state.linksUp[input.interface] === true;
  if (session.state === "adminDown" || !isUp) return { refusal: "admin_down" };
  const refusal = authenticate(context, session, packet, input.payload);
  return refusal === undefined ? { value: { session, packet } } : { refusal };
}

/** By our discriminator where the sender knows it, else by where the packet comes from (RFC 5881 section 3). */
function sessionOf({ state }: Context, input: PacketInput, packet: ControlPacket): Judged<Session> {
  const { yourDiscriminator } = packet;
  const isFrom = ({ path }: Session): boolean =>
    path.interface === input.interface && path.remote === input.source && path.local === input.destination;
  if (yourDiscriminator === 0) {
    const value = state.sessions.find(isFrom);
    return value === undefined ? { refusal: "session" } : { value };
  }
  const value = state.sessions.find(({ localDiscriminator }) => localDiscriminator === yourDiscriminator);
  if (value === undefined) return { refusal: "session" };
  return isFrom(value) ? { value } : { refusal: "interface" };
}

function authenticate(
  { key }: Context,
  session: Session,
  { authentication }: ControlPacket,
  payload: Uint8Array,
): Refusal | undefined {
  if (key === undefined) return authentication === undefined ? undefined : "authentication_unexpected";
  if (authentication === undefined) return "authentication_missing";
  const { keyId, sequence } = authentication;
  if (keyId !== KEY_ID) return "authentication_key";
  const { receivedSequence } = session;
  if (receivedSequence !== undefined) {
    const ahead = (sequence - receivedSequence) >>> 0;
    if (ahead === 0 || ahead > SEQUENCES_AHEAD_MAX) return "authentication_sequence";
  }
  if (!verify(payload.subarray(0, SIGNED_SIZE), key)) return "authentication_digest";
  session.receivedSequence = sequence;
  return undefined;
}
