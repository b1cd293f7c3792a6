/** What the messages of the peer do here. */
import { compareHellos } from "./announce.js";
import { generationOf, groupOf, isMaintained, isPeerActive, takesRecords, verdictOf } from "./classify.js";
import type { Header } from "./envelope.js";
import { hearKeepAlive, type Received, refuse, tell } from "./link.js";
import { count } from "./log.js";
import type { Message, PeerState } from "./message.js";
import { endSwitchover } from "./operator.js";
import { tellRival } from "./perform.js";
import { type Context, NEVER_MS } from "./state.js";
import type { Event } from "./table.js";

/** Takes a message of the proven peer. The event that it is by itself; undefined: what follows, follows from the state. */
export function hear(context: Context, received: Received): Event | undefined {
  if (received.kind === "message") return hearMessage(context, received.header, received.message);
  const { state, actions } = context;
  const { header, payload, missing } = received;
  if (!takesRecords(state)) refuse(context, "unexpected");
  else if (header.generation !== generationOf(state)) refuse(context, "generation");
  else if (header.stream !== "control") {
    count(context, "dataReceived");
    actions.push({ kind: "data", stream: header.stream, payload, missing });
  }
  return undefined;
}

function hearMessage(context: Context, header: Header, message: Message): Event | undefined {
  const { state } = context;
  const peer = state.peer!;
  switch (message.kind) {
    case "hello": {
      const { kind: _kind, ...hello } = message;
      peer.hello = hello;
      state.bulkAttempts = 0;
      compareHellos(context);
      return undefined;
    }
    case "state": {
      const { kind: _kind, ...news } = message;
      hearState(context, header.generation, news);
      return undefined;
    }
    case "keepAlive":
      hearKeepAlive(context, message);
      return undefined;
    case "probe":
      state.answered = message.token;
      return undefined;
    case "youLost":
      // The sender's `state` with the same news follows.
      if (peer.state === undefined) refuse(context, "unexpected");
      else hearState(context, header.generation, { ...peer.state, state: "active" });
      return undefined;
    case "switchoverRequest":
      tell(context, { kind: "switchoverReady", token: message.token, isReady: isReadyToTakeOver(context) });
      return undefined;
    case "switchoverReady":
      return hearReady(context, message.token, message.isReady);
    case "handOver":
      if (state.state !== "hot" || !isPeerActive(state)) refuse(context, "unexpected");
      else {
        state.handedOver = message.reason;
        // That much is sure: the peer has given up the role, and its groups.
        peer.state = { ...peer.state!, state: "activeDrain", activeGroups: [] };
      }
      return undefined;
    case "bulkRequest":
      serve(context, header.generation, message.bulk);
      return undefined;
    case "bulkAgain":
      if (isPeerActive(state) && message.bulk === state.bulk.number) return "bulkFailed";
      refuse(context, "unexpected");
      return undefined;
    case "reload":
      if (!isPeerActive(state)) refuse(context, "unexpected");
      return isPeerActive(state) ? "reload" : undefined;
    case "open":
      // Link judges it; it never comes this far.
      return undefined;
  }
}

function hearState(context: Context, generation: number, news: PeerState): void {
  const { state } = context;
  const peer = state.peer!;
  if (news.state === "active") {
    state.handedOver = undefined;
    if (generation !== peer.generation || peer.state?.state !== "active") {
      // What was heard in the group before says nothing of this active.
      state.hasHeardActive = state.isActiveHeard;
    }
  } else state.isConflictTold = false;
  if (generation !== peer.generation) state.bulkAttempts = 0;
  if (state.state === "active" && isActing(peer.state) && !isActing(news)) tellRival(context);
  peer.state = news;
  peer.generation = generation;
  state.known = Math.max(state.known, generation);
  if (state.probe.status === "waiting" && news.answered === state.probe.token) {
    state.probe = { ...state.probe, status: "answered" };
    state.alarms.probe = NEVER_MS;
  }
}

/** Whether a box in this state forwards. */
function isActing(news: PeerState | undefined): boolean {
  return news?.state === "active";
}

/** Whether this box could be active instead of the peer. */
function isReadyToTakeOver({ state }: Context): boolean {
  const isHot = state.state === "hot" && isPeerActive(state);
  return isHot && groupOf(state) === "standby" && !state.isDegraded && !isMaintained(state);
}

function hearReady(context: Context, token: number, isReady: boolean): Event | undefined {
  const { switchover, state } = context.state;
  if (switchover?.token !== token || state !== "active") {
    refuse(context, "unexpected");
    return undefined;
  }
  if (isReady) return "drainBegun";
  endSwitchover(context, "refused", "the peer is not ready to take over");
  return undefined;
}

/** Begins to send all sessions to the peer, if it may have them. */
function serve(context: Context, generation: number, bulk: number): void {
  const { state, actions } = context;
  const peer = state.peer!;
  const isFit = verdictOf(state) === "compatible" && peer.state?.verdict === "compatible";
  if (state.state !== "active" || !isFit || isMaintained(state) || bulk === 0) {
    refuse(context, "unexpected");
    return;
  }
  if (generation !== state.claim) {
    // The peer has not heard of this generation yet; when it has, it asks again.
    refuse(context, "generation");
    return;
  }
  state.serving = bulk;
  // Its `state`, which says so, is under way.
  peer.state = { ...peer.state!, state: "standbyColdBulk", bulk };
  count(context, "bulkBegun");
  actions.push({ kind: "bulk-begin", bulk, generation: state.claim });
}
