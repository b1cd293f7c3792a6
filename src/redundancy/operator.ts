/** Commands of the operator, and handovers that a fault asks for. */
import type { OperatorCommand, OperatorInput } from "./actions.js";
import { isInSync, isLinked, isMaintained, isPeerActive, isPeerHot } from "./classify.js";
import { tell } from "./link.js";
import { count, log } from "./log.js";
import { arm } from "./perform.js";
import { type Context, NEVER_MS, randomToken, type RedundancyState } from "./state.js";
import type { Reason } from "./states.js";
import type { Event } from "./table.js";

type Outcome = "done" | "refused" | "failed";

export function reply(context: Context, command: OperatorCommand, outcome: Outcome, text: string): void {
  context.actions.push({ kind: "reply", command, outcome, text });
}

/** Carries out a command, or says why not. The event that it is; undefined: none. */
export function command(context: Context, input: OperatorInput): Event | undefined {
  switch (input.command) {
    case "switchover":
      return input.isForced ? force(context) : ask(context);
    case "reloadPeer":
      return reloadPeer(context);
    case "bulkSync":
      return bulkSync(context);
    case "maintenance":
      setMaintenance(context, input.isOn);
      return undefined;
  }
}

/** Why roles cannot be changed without loss now; undefined: they can. */
export function switchoverObstacle(state: RedundancyState): string | undefined {
  const { peer, switchover, switchoverNotBeforeAtMs, nowAtMs } = state;
  if (state.state !== "active") return "this box is not active";
  if (!isLinked(state) || peer?.state === undefined) return "system is simplex (no peer unit)";
  if (switchover !== undefined) return "a switchover is under way";
  if (isMaintained(state)) return "maintenance mode";
  if (!isPeerHot(state)) return "the peer is not STANDBY HOT";
  if (!isInSync(state)) return "not synchronised with the peer";
  if (peer.state.group !== "standby") return "the peer's group is not Standby";
  if (peer.state.isDegraded) return "an interface of the peer is down";
  if (nowAtMs < switchoverNotBeforeAtMs) return "roles have changed less than a hold time ago";
  return undefined;
}

function ask(context: Context): undefined {
  const obstacle = switchoverObstacle(context.state);
  if (obstacle !== undefined) reply(context, "switchover", "refused", obstacle);
  else beginSwitchover(context, "userInitiated", true);
  return undefined;
}

/** Asks the peer to take over. Nothing changes before it says that it is ready. */
export function beginSwitchover(context: Context, reason: Reason, isOrdered: boolean): void {
  const { state, random } = context;
  state.switchover = { token: randomToken(random), reason, isOrdered };
  arm(context, "drain", state.timers.drainMs);
  count(context, "switchoversBegun");
  log(context, "SWITCHOVER", `handing over to the peer (${reason})`);
  tell(context, { kind: "switchoverRequest", token: state.switchover.token, reason });
}

function force(context: Context): Event | undefined {
  const { state, random } = context;
  const isSimplex = !isLinked(state) || state.peer?.state === undefined;
  if ((state.state !== "active" && state.state !== "drain") || isSimplex) {
    const text = isSimplex ? "system is simplex (no peer unit)" : "this box is not active";
    reply(context, "switchover", "refused", text);
    return undefined;
  }
  // Even by force nothing is lost where that can be had; the second time it is not waited for.
  if (switchoverObstacle(state) === undefined) {
    beginSwitchover(context, "userForced", true);
    return undefined;
  }
  endSwitchover(context, "failed", "forced instead");
  state.switchover = { token: randomToken(random), reason: "userForced", isOrdered: true };
  count(context, "switchoversBegun");
  return "forced";
}

/** Ends a handover, if there is one. */
export function endSwitchover(context: Context, outcome: Outcome, text: string): void {
  const { state, nowMs } = context;
  const { switchover } = state;
  if (switchover === undefined) return;
  state.switchover = undefined;
  state.alarms.drain = NEVER_MS;
  state.switchoverNotBeforeAtMs = nowMs + state.timers.settleMs;
  count(context, outcome === "done" ? "switchoversDone" : "switchoversFailed");
  log(context, "SWITCHOVER", `${outcome}: ${text}`);
  if (switchover.isOrdered) reply(context, "switchover", outcome, text);
}

function reloadPeer(context: Context): undefined {
  const { state } = context;
  if (state.state !== "active") reply(context, "reloadPeer", "refused", "this box is not active");
  else if (!isLinked(state)) reply(context, "reloadPeer", "refused", "system is simplex (no peer unit)");
  else {
    tell(context, { kind: "reload" });
    reply(context, "reloadPeer", "done", "the peer starts anew");
  }
  return undefined;
}

function bulkSync(context: Context): Event | undefined {
  const { state } = context;
  if (!isPeerActive(state) || state.state === "negotiation") {
    reply(context, "bulkSync", "refused", "this box is not the standby of an active peer");
    return undefined;
  }
  state.bulkAttempts = 0;
  reply(context, "bulkSync", "done", "all sessions are asked for");
  return "renewed";
}

function setMaintenance(context: Context, isOn: boolean): void {
  const { state } = context;
  if (state.isInMaintenance !== isOn) log(context, "MAINTENANCE", `maintenance mode ${isOn ? "on" : "off"}`);
  state.isInMaintenance = isOn;
  reply(context, "maintenance", "done", isOn ? "the boxes are split" : "the standby starts anew");
}

/** A box with an interface down hands over to a sound peer as soon as that costs nothing. */
export function considerFaults(context: Context): void {
  const { state } = context;
  if (state.isDegraded && switchoverObstacle(state) === undefined)
    beginSwitchover(context, "activeGWdown", false);
}

/** When a handover that a fault asks for may begin; Infinity: none is wanted, or nothing stands against it but the peer. */
export function faultDeadlineMs({
  isDegraded,
  state,
  switchoverNotBeforeAtMs,
  nowAtMs,
}: RedundancyState): number {
  const isWaiting = isDegraded && state === "active" && switchoverNotBeforeAtMs > nowAtMs;
  return isWaiting ? switchoverNotBeforeAtMs : NEVER_MS;
}
