/** What `show redundancy states`, `history`, `inter-device` and their kin show, as plain data. */
import { outOfSyncReason } from "./announce.js";
import { generationOf, isClaimant, isLinked, isMaintained, verdictOf } from "./classify.js";
import type { Finding } from "./compatibility.js";
import type { Counters } from "./counters.js";
import { ownRf, peerRf } from "./log.js";
import type { Verdict } from "./message.js";
import { switchoverObstacle } from "./operator.js";
import type { RedundancyOptions, ReloadMode } from "./options.js";
import type { HistoryEntry, Numbers, RedundancyState, SwitchoverEntry } from "./state.js";
import {
  cliNumber,
  type GroupRole,
  type Holdings,
  type Reason,
  type RfState,
  RF_STATES,
  type Role,
  type State,
  STATES,
} from "./states.js";

/** A state as it is printed: `my state = 13 -ACTIVE`. */
export interface ShownState {
  readonly state: RfState;
  readonly number: number;
  readonly name: string;
}

export interface RedundancyView {
  readonly own: ShownState;
  readonly peer: ShownState;
  /** The state of the machine, which is finer. */
  readonly machine: State;
  readonly role: Role;
  readonly mode: "Duplex" | "Simplex";
  readonly bootId: bigint;
  readonly generation: number;
  readonly maintenance: boolean;
  /** Why an operator cannot change roles without loss; undefined: it is enabled. */
  readonly switchoverObstacle: string | undefined;
  /** Undefined: communications are up. */
  readonly downReason: "Simplex mode" | "Failure" | undefined;
  readonly notificationMs: number;
  readonly keepAliveMs: number;
  /** Keep-alives in a row that did not come. */
  readonly keepAliveCount: number;
  readonly keepAliveThreshold: number;
  readonly interDevice: {
    readonly state: "INIT" | "PNC_NO_HSRP" | "ACT" | "STDBY";
    readonly groupName: string | undefined;
    readonly group: GroupRole;
    readonly peer: "COMM" | "NO_COMM";
  };
  /** Messages are authenticated with a shared key; undefined: redundancy is not configured. */
  readonly isAuthenticated: boolean | undefined;
  readonly peerName: string | undefined;
  /** Undefined: both boxes hold the same sessions, but for what is on its way. */
  readonly outOfSyncReason: string | undefined;
  readonly holdings: Holdings;
  readonly bulk: {
    readonly number: number;
    /** All sessions are being received, or sent. */
    readonly isTaken: boolean;
    readonly isServed: boolean;
    readonly attempts: number;
  };
  readonly verdict: Verdict;
  readonly peerVerdict: Verdict;
  readonly findings: readonly Finding[];
  /** Undefined: the association is not open. */
  readonly link:
    | {
        /** Which directions work, as far as both sides can tell. */
        readonly hears: boolean;
        readonly isHeard: boolean;
        /** Frames of both directions, as each side counts them. */
        readonly sent: Numbers;
        readonly received: Numbers;
        readonly peerSent: Numbers;
        readonly peerReceived: Numbers;
      }
    | undefined;
  readonly switchovers: number;
  readonly standbyFailures: number;
  readonly lastReason: Reason;
  readonly reloadMode: ReloadMode;
  readonly history: readonly HistoryEntry[];
  readonly switchoverHistory: readonly SwitchoverEntry[];
  readonly counters: Counters;
}

const shown = (state: RfState): ShownState => ({
  state,
  number: cliNumber(state),
  name: RF_STATES[state].name,
});

const ANY_GROUP: ReadonlySet<State> = new Set<State>(["disabled", "initialization"]);

function interDeviceState(state: RedundancyState): RedundancyView["interDevice"]["state"] {
  if (ANY_GROUP.has(state.state)) return "INIT";
  if (isClaimant(state)) return "ACT";
  return state.group === "other" ? "PNC_NO_HSRP" : "STDBY";
}

/** A copy: what the machine does later does not change it. */
export function viewOf(state: RedundancyState, options: RedundancyOptions): RedundancyView {
  const { identity, peer, timers, books, bulk, serving } = state;
  const linked = isLinked(state);
  const silentMs = peer === undefined ? 0 : state.nowAtMs - peer.heardAtMs;
  const channel = linked ? state.link.channels[0] : undefined;
  return {
    own: shown(ownRf(state)),
    peer: shown(peerRf(state)),
    machine: state.state,
    role: STATES[state.state].role,
    mode: linked ? "Duplex" : "Simplex",
    bootId: state.bootId,
    generation: generationOf(state),
    maintenance: isMaintained(state),
    switchoverObstacle: switchoverObstacle(state),
    downReason: linked ? undefined : state.isAssociationUp ? "Failure" : "Simplex mode",
    notificationMs: timers.notificationMs,
    keepAliveMs: timers.keepAliveMs,
    keepAliveCount: Math.floor(silentMs / timers.keepAliveMs),
    keepAliveThreshold: timers.keepAliveThreshold,
    interDevice: {
      state: interDeviceState(state),
      groupName: identity?.group,
      group: state.group,
      peer: linked ? "COMM" : "NO_COMM",
    },
    isAuthenticated: identity && identity.keyString !== undefined,
    peerName: peer?.hello?.nodeName,
    outOfSyncReason: outOfSyncReason(state),
    holdings: state.holdings,
    bulk: {
      number: serving || bulk.number,
      isTaken: state.state === "coldBulk",
      isServed: serving !== 0 && peerRf(state) !== "standbyHot",
      attempts: state.bulkAttempts,
    },
    verdict: verdictOf(state),
    peerVerdict: peer?.state?.verdict ?? "unknown",
    findings: state.findings,
    link: channel &&
      peer && {
        hears: !peer.isSilent,
        isHeard: !peer.isDeaf,
        sent: { ...channel.sent },
        received: { ...channel.received },
        peerSent: peer.sent,
        peerReceived: peer.received,
      },
    switchovers: books.counters.events.takeovers,
    standbyFailures: books.counters.events.standbyFailures,
    lastReason: books.switchovers.at(-1)?.reason ?? "unsupported",
    reloadMode: options.reloadMode ?? "soft",
    history: [...books.history],
    switchoverHistory: [...books.switchovers],
    counters: { events: { ...books.counters.events }, refused: { ...books.counters.refused } },
  };
}
