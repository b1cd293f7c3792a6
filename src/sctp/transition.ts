/**
 * Runs the state table: one function for each action that a cell can ask for.
 */
import { takeAcknowledgement } from "./acknowledge.js";
import type { Association } from "./association.js";
import type { Cause } from "./cause.js";
import type { Chunk, ChunkOf } from "./chunk.js";
import { type Context, count, type DownReason } from "./context.js";
import type { Cookie } from "./cookie.js";
import { receiveData } from "./inbound.js";
import { takeHeartbeatAck } from "./paths.js";
import type { InboundMessage } from "./reassembly.js";
import {
  confirm,
  echo,
  establishFromCookie,
  initiate,
  type judgeInitAck,
  meet,
  offer,
  refresh,
  sendCookie,
  sendInit,
} from "./setup.js";
import { next, type StateAction, type StateEvent } from "./states.js";
import {
  end,
  reflectShutdownComplete,
  refuseLate,
  sendAbort,
  sendShutdown,
  sendShutdownAck,
  sendShutdownComplete,
  shutdownChunk,
} from "./teardown.js";

/** What comes with an event; each action takes from it what it needs. */
export interface EventDetail {
  chunk?: Chunk;
  cookie?: Cookie;
  offered?: NonNullable<ReturnType<typeof judgeInitAck>>;
  stalenessMicroseconds?: number;
  /** Why the association ends here. */
  reason?: DownReason;
  /** For the ABORT. */
  causes?: Cause[];
}

/**
 * Lets an event happen: false when it means nothing in this state. The state changes first, so that an action may
 * raise an event of its own.
 */
export function happen(context: Context, event: StateEvent, detail: EventDetail = {}): boolean {
  const { state } = context;
  const step = next(state.code, event);
  if (step.action === undefined) return false;
  state.code = step.state;
  ACTIONS[step.action](context, detail);
  return true;
}

type Action = (context: Context, detail: EventDetail) => void;

function associationOf({ state }: Context): Association {
  if (state.association === undefined) throw new Error(`no association in state ${state.code}`);
  return state.association;
}

function chunkOf<K extends Chunk["kind"]>({ chunk }: EventDetail, kind: K): ChunkOf<K> {
  if (chunk?.kind !== kind) throw new Error(`the event has no ${kind} chunk`);
  return chunk as ChunkOf<K>;
}

function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the event lacks a detail");
  return value;
}

const ACTIONS: Readonly<Record<StateAction, Action>> = {
  initiate,
  reinit: (context) => sendInit(context, associationOf(context)),
  offer: (context, detail) => offer(context, chunkOf(detail, "init"), false),
  offerOwn: (context, detail) => offer(context, chunkOf(detail, "init"), true),
  echo: (context, { offered }) => echo(context, associationOf(context), needed(offered)),
  reecho: (context) => sendCookie(context, associationOf(context), []),
  refresh: (context, { stalenessMicroseconds }) =>
    refresh(context, associationOf(context), needed(stalenessMicroseconds)),
  establish: (context, { cookie }) => establishFromCookie(context, needed(cookie)),
  rebuild: (context, { cookie }) => establishFromCookie(context, needed(cookie)),
  ackCookie: (context) => {
    context.replies.push({ kind: "cookieAck", flags: 0 });
  },
  confirm: (context) => confirm(context, associationOf(context)),
  meet: (context) => meet(context, associationOf(context)),
  refuseLate: (context, { cookie }) => refuseLate(context, associationOf(context), needed(cookie).peerTag),
  receive: (context, detail) => receive(context, chunkOf(detail, "data")),
  receiveLate(context, detail) {
    receive(context, chunkOf(detail, "data"));
    const { association } = context.state;
    if (association === undefined) return;
    association.inbound.isSackDue = true;
    if (!context.replies.some(({ kind }) => kind === "shutdown")) {
      context.replies.push(shutdownChunk(association));
    }
  },
  acknowledge(context, detail) {
    const sack = chunkOf(detail, "sack");
    count(context, "sacks_received");
    if (takeAcknowledgement(context, associationOf(context), sack)) context.flush.isForced = true;
  },
  answer(context, detail) {
    const { parameters } = chunkOf(detail, "heartbeat");
    context.replies.push({ kind: "heartbeatAck", flags: 0, parameters });
  },
  answered(context, detail) {
    const [info] = chunkOf(detail, "heartbeatAck").parameters;
    const isOurs =
      info?.kind === "heartbeatInfo" && takeHeartbeatAck(context, associationOf(context), info.bytes);
    if (!isOurs) count(context, "heartbeat_invalid");
  },
  drain(context) {
    associationOf(context).isEndedHere = true;
  },
  sendShut: (context) => sendShutdown(context, associationOf(context)),
  takeShut: takeShutdown,
  shutAgain: takeShutdown,
  sendAck: (context) => sendShutdownAck(context, associationOf(context)),
  sendComp(context) {
    const association = associationOf(context);
    sendShutdownComplete(context, association);
    end(context, association, endReason(association));
  },
  reflect: reflectShutdownComplete,
  forget: (context, { reason }) => end(context, associationOf(context), needed(reason)),
  abort(context, { reason, causes = [] }) {
    const association = associationOf(context);
    sendAbort(context, association, causes);
    end(context, association, needed(reason));
  },
  end(context, { reason }) {
    const association = associationOf(context);
    end(context, association, reason ?? endReason(association));
  },
};

function endReason(association: Association): DownReason {
  return association.isEndedHere ? "shutdown" : "peer_shutdown";
}

/** The peer's SHUTDOWN acknowledges like a SACK without gap blocks; what it leaves out of those stays as it was. */
function takeShutdown(context: Context, detail: EventDetail): void {
  const association = associationOf(context);
  const { cumulativeTsn } = chunkOf(detail, "shutdown");
  if (
    takeAcknowledgement(context, association, { cumulativeTsn, advertisedWindow: undefined, gaps: undefined })
  ) {
    context.flush.isForced = true;
  }
}

function receive(context: Context, chunk: ChunkOf<"data">): void {
  const association = associationOf(context);
  if (chunk.bytes.length === 0) {
    violate(context, "data_empty", [{ kind: "noUserData", tsn: chunk.tsn }]);
    return;
  }
  const ready: InboundMessage[] = [];
  const outcome = receiveData(association.inbound, chunk, context.settings, ready);
  for (const message of ready) context.actions.push({ kind: "message", ...message });
  switch (outcome) {
    case "taken":
      count(context, "data_received");
      count(context, "messages_received", ready.length);
      break;
    case "data_stream":
      count(context, outcome);
      context.replies.push({
        kind: "error",
        flags: 0,
        causes: [{ kind: "invalidStream", stream: chunk.stream, reserved: 0 }],
      });
      break;
    case "data_message_long":
      violate(context, outcome, [{ kind: "outOfResource" }]);
      break;
    case "data_fragment":
    case "data_ssn":
      violate(context, outcome, [{ kind: "protocolViolation", bytes: new Uint8Array(0) }]);
      break;
    default:
      count(context, outcome);
  }
}

function violate(
  context: Context,
  refusal: "data_empty" | "data_fragment" | "data_message_long" | "data_ssn",
  causes: Cause[],
): void {
  count(context, refusal);
  happen(context, "violated", { reason: "protocol_violation", causes });
}
