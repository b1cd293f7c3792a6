/** The messages of the pair: one list of fields each, from which parsing, writing and the types follow. */
import { address } from "./address.js";
import { ADDRESSES_MAX } from "./canonical.js";
import { HELLO, NAME_BYTES_MAX } from "./compatibility.js";
import type { Kind } from "./envelope.js";
import {
  choice,
  count,
  emit,
  type Field,
  flag,
  list,
  parse,
  record,
  text,
  u8,
  u32,
  type ValueOf,
} from "./fields.js";
import { GROUP_ROLES, HOLDINGS, REASONS, RF_STATE_NAMES } from "./states.js";

/** HSRP groups that a box can report; with the longest names they still fit into a frame. */
export const GROUPS_MAX = 64;

/** What a box thinks of the peer's hello. */
export const VERDICTS = ["unknown", "compatible", "incompatible"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** How far frames have come, stream by stream: the last number sent and the highest received. */
const progress = record({ sent: count, received: count });

const BODIES = {
  /** The first frame of an association: own addresses, which configurations may name differently. */
  open: record({ addresses: list(address, ADDRESSES_MAX) }),
  /** Who the sender is, and what its configuration is like. Again whenever that changes. */
  hello: HELLO,
  /** What the sender is now. Again whenever that changes. */
  state: record({
    state: choice(RF_STATE_NAMES),
    group: choice(GROUP_ROLES),
    /** HSRP priority in the group that is followed. */
    priority: u8,
    holdings: choice(HOLDINGS),
    verdict: choice(VERDICTS),
    isInMaintenance: flag,
    /** An interface that takes part in the failover is down. */
    isDegraded: flag,
    /** The bulk that the sender is taking or has taken; 0: none. */
    bulk: u32,
    /** Token of the last probe that this answers; 0: none. */
    answered: u32,
    /** Keys of the HSRP groups in which the sender is Active. */
    activeGroups: list(text(NAME_BYTES_MAX), GROUPS_MAX),
  }),
  keepAlive: record({ control: progress, dynamic: progress, bulk: progress }),
  /** Asks for a `state` with this token. */
  probe: record({ token: u32 }),
  /** The sender is active now, whatever the receiver is. */
  youLost: record({ reason: choice(REASONS) }),
  /** Will you take over? */
  switchoverRequest: record({ token: u32, reason: choice(REASONS) }),
  switchoverReady: record({ token: u32, isReady: flag }),
  /** You have all sessions: take over. */
  handOver: record({ token: u32, reason: choice(REASONS) }),
  /** Send all sessions, as the bulk of this number. */
  bulkRequest: record({ bulk: u32 }),
  /** The copy of this number has come apart: ask for another. */
  bulkAgain: record({ bulk: u32 }),
  /** Start anew (`redundancy reload peer`). */
  reload: record({}),
} as const satisfies Record<Exclude<Kind, "data">, Field<unknown>>;

export type MessageKind = keyof typeof BODIES;
export type BodyOf<K extends MessageKind> = ValueOf<(typeof BODIES)[K]>;
/** A message other than session records, which are opaque here. */
export type Message = {
  readonly [K in MessageKind]: { readonly kind: K } & Readonly<BodyOf<K>>;
}[MessageKind];
export type PeerState = BodyOf<"state">;

export function emitMessage(message: Message): Uint8Array {
  return emit(BODIES[message.kind] as Field<unknown>, message);
}

/** The message of a kind that these bytes are, to the last of them; undefined: they are none. */
export function parseMessage(kind: MessageKind, contents: Uint8Array): Message | undefined {
  const body = parse(BODIES[kind] as Field<object>, contents);
  return body === undefined ? undefined : ({ kind, ...body } as Message);
}
