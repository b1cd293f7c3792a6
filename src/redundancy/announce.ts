/**
 * What others are told whenever it changes: the peer who and what this box is, HSRP what the peer is, the log whether
 * both boxes are in sync. All of it follows from the state; here is noticed that it is not what was told last.
 */
import type { Generation, HsrpReport } from "../hsrp/index.js";
import { printable } from "../printable.js";
import type { HsrpCommand } from "./actions.js";
import { generationOf, groupOf, isClaimant, isInSync, isLinked, verdictOf } from "./classify.js";
import { compare, type Hello, helloOf } from "./compatibility.js";
import type { Identity } from "./identity.js";
import { tellChannel } from "./link.js";
import { log, ownRf } from "./log.js";
import { GROUPS_MAX, type PeerState } from "./message.js";
import type { Channel, Context, RedundancyState } from "./state.js";
import type { State } from "./states.js";

/** Tells the peer, and whoever may be the peer. */
export function announce(context: Context): void {
  const { state } = context;
  if (state.identity === undefined) return;
  for (const channel of state.link.channels) {
    if (channel.hello === undefined) {
      channel.hello = ownHello(state, state.identity, channel);
      tellChannel(context, channel, { kind: "hello", ...channel.hello });
    }
    const own = stateOf(state);
    const text = JSON.stringify([own, generationOf(state)]);
    if (text === channel.announced) continue;
    channel.announced = text;
    tellChannel(context, channel, { kind: "state", ...own });
  }
}

/** To hash a large configuration takes its time: the same is hashed once for the same peer. */
function ownHello(state: RedundancyState, identity: Identity, { addresses }: Channel): Hello {
  const key = addresses.join(" ");
  if (state.hashed?.identity !== identity || state.hashed.addresses !== key) {
    state.hashed = { identity, addresses: key, hello: helloOf(identity, addresses) };
  }
  return state.hashed.hello;
}

/** States in which the groups are, or are about to be, given up: the peer need not wait for HSRP to say so. */
const RESIGNED: ReadonlySet<State> = new Set<State>(["disabled", "initialization", "yield"]);

function stateOf(state: RedundancyState): PeerState {
  const { bulk, priority, holdings, isInMaintenance, isDegraded, answered, report } = state;
  return {
    state: ownRf(state),
    group: groupOf(state),
    priority,
    holdings,
    verdict: verdictOf(state),
    isInMaintenance,
    isDegraded,
    bulk: bulk.generation === 0 ? 0 : bulk.number,
    answered,
    activeGroups: RESIGNED.has(state.state) ? [] : report.active.slice(0, GROUPS_MAX).map(printable),
  };
}

/** Tells HSRP what the peer is in, whether the sessions are there, and whether the role is in doubt. */
export function tellHsrp(context: Context): void {
  const { state, actions } = context;
  const peer = peerNews(state);
  const text = JSON.stringify(peer);
  if (text !== state.toldPeer) {
    state.toldPeer = text;
    actions.push({ kind: "hsrp", input: peer });
  }
  const isSynchronised = state.state === "hot" || isClaimant(state);
  if (isSynchronised !== state.toldSynchronised) {
    state.toldSynchronised = isSynchronised;
    actions.push({ kind: "hsrp", input: { kind: "synchronised", isSynchronised } });
  }
  // The hold time says by itself how long HSRP may be silent; BFD is faster than its hellos.
  const isDoubting = state.state === "suspect" && state.wasWatched;
  if (isDoubting !== state.toldDoubting) {
    state.toldDoubting = isDoubting;
    actions.push({ kind: "hsrp", input: { kind: "doubt", isDoubting } });
  }
}

function peerNews(state: RedundancyState): Extract<HsrpCommand, { kind: "peer" }> {
  const { peer, isDenied } = state;
  if (!isLinked(state) || peer?.state === undefined) return { kind: "peer", generation: "equal" };
  const order = Math.sign(peer.generation - generationOf(state));
  const generation: Generation = isDenied || order > 0 ? "ahead" : order < 0 ? "behind" : "equal";
  const report: HsrpReport = { active: peer.state.activeGroups };
  return { kind: "peer", ...(!peer.isSilent && { report }), generation };
}

/** Says when both boxes have come to hold the same sessions, and when they no longer do. */
export function noteSync(context: Context): void {
  const { state } = context;
  const isNow = isInSync(state);
  if (isNow === state.wasInSync) return;
  state.wasInSync = isNow;
  if (isNow) log(context, "SYNCHRONISED", `synchronised with the peer, generation ${generationOf(state)}`);
  else log(context, "NOT_SYNCHRONISED", `not synchronised: ${outOfSyncReason(state)}`);
}

/** Why the boxes do not hold the same sessions; undefined: they do. */
export function outOfSyncReason(state: RedundancyState): string | undefined {
  if (isInSync(state)) return undefined;
  const { peer, findings } = state;
  if (!isLinked(state) || peer === undefined) return "no association with the peer";
  if (peer.isSilent) return "the peer is not heard";
  if (peer.isDeaf) return "the peer does not hear this box";
  const refused = findings.find(({ consequence }) => consequence !== "warned");
  if (verdictOf(state) === "incompatible" && refused !== undefined) return refused.text;
  if (peer.state?.verdict === "incompatible") return "the peer finds that the configurations do not fit";
  if (state.isInMaintenance || peer.state?.isInMaintenance) return "maintenance mode";
  return "the sessions are not copied yet";
}

/** Compares the hellos again after one of them has changed. */
export function compareHellos(context: Context): void {
  const { state } = context;
  const own = state.link.channels[0]?.hello;
  const theirs = state.peer?.hello;
  if (own === undefined || theirs === undefined) return;
  const before = new Set(state.findings.map(({ text }) => text));
  state.findings = compare(own, theirs);
  for (const { text } of state.findings.filter((each) => !before.has(each.text))) {
    log(context, "PROTO_CONFIG_MISMATCH", text, text);
  }
}
