/** `show redundancy` and what it shows in detail. */
import type { RedundancyView } from "../../redundancy/index.js";
import { cliNumber, RF_STATES, type RfState } from "../../redundancy/states.js";
import type { Clock } from "../backend.js";
import { ago, plural, text } from "./layout.js";

/** Right-aligned labels, so that the equals signs stand in one column. */
function labelled(width: number, pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.map(([label, value]) => `${label.padStart(width)} = ${value}`);
}

const communications = ({ downReason }: RedundancyView): string =>
  downReason === undefined ? "Up" : `Down      Reason: ${downReason}`;

const manualSwitchover = ({ switchoverObstacle }: RedundancyView): string =>
  switchoverObstacle === undefined ? "enabled" : `disabled (${switchoverObstacle})`;

export function redundancyStates(view: RedundancyView): string {
  const shown = ({ number, name }: RedundancyView["own"]) => `${String(number).padEnd(2)} -${name}`;
  return text([
    ...labelled(15, [
      ["my state", shown(view.own)],
      ["peer state", shown(view.peer)],
      ["Mode", view.mode],
      ["Unit ID", "0"],
    ]),
    "",
    ...labelled(16, [
      ["Maintenance Mode", view.maintenance ? "Enabled" : "Disabled"],
      ["Manual Swact", manualSwitchover(view)],
      ["Communications", communications(view)],
    ]),
    "",
    ...labelled(23, [
      ["client_notification_TMR", `${view.notificationMs} milliseconds`],
      ["keep_alive TMR", `${view.keepAliveMs} milliseconds`],
      ["keep_alive count", String(view.keepAliveCount)],
      ["keep_alive threshold", String(view.keepAliveThreshold)],
    ]),
    "",
    ...labelled(23, [
      ["Sessions held", view.holdings],
      ["In sync", view.outOfSyncReason === undefined ? "yes" : `no (${view.outOfSyncReason})`],
      ["Bulk sync", bulkText(view)],
      ["Compatibility", `${view.verdict} here, ${view.peerVerdict} at the peer`],
    ]),
    ...view.findings.map((finding) => `  ${finding.text}`),
  ]);
}

function bulkText({ bulk }: RedundancyView): string {
  const what = bulk.isTaken ? "being received" : bulk.isServed ? "being sent" : "none under way";
  return `${what}, number ${bulk.number}, ${plural(bulk.attempts, "attempt")}`;
}

/** How long the box was up at an instant on the clock of its machines. */
const uptimeAt = ({ uptimeMs, machineMs }: Clock, atMs: number): string => ago(uptimeMs - (machineMs - atMs));

export function redundancyHistory({ history }: RedundancyView, clock: Clock): string {
  const stateText = (state: RfState) => `${RF_STATES[state].name}(${cliNumber(state)})`;
  return text(
    history.map(({ atMs, own, peer, changed }) => {
      const mark = (which: typeof changed) => (changed === which ? "*" : " ");
      return `${uptimeAt(clock, atMs)} ${mark("own")}my state = ${stateText(own)} ${mark("peer")}peer state = ${stateText(peer)}`;
    }),
  );
}

export function redundancyInterDevice(view: RedundancyView): string {
  const { interDevice, isAuthenticated } = view;
  const group = { active: "Active", standby: "Standby", other: "Other" }[interDevice.group];
  return text([
    `Redundancy inter-device state: RF_INTERDEV_STATE_${interDevice.state}`,
    "  Scheme: Standby",
    `      Groupname: ${interDevice.groupName ?? "(none)"} Group State: ${group}`,
    `  Peer present: RF_INTERDEV_PEER_${interDevice.peer}`,
    `  Security: ${isAuthenticated ? "Configured (key-string)" : "Not configured"}`,
    ...(view.peerName === undefined ? [] : [`  Peer name: ${view.peerName}`]),
    ...linkLines(view),
  ]);
}

/** Frames of both directions, so that a link that carries one direction only is seen before it is needed. */
function linkLines({ link }: RedundancyView): string[] {
  if (link === undefined) return [];
  const streams = Object.keys(link.sent) as (keyof typeof link.sent)[];
  return [
    `  Hears the peer: ${link.hears ? "yes" : "no"}, is heard: ${link.isHeard ? "yes" : "no"}`,
    ...streams.map(
      (stream) =>
        `    ${stream}: sent ${link.sent[stream]} (peer received ${link.peerReceived[stream]}), ` +
        `received ${link.received[stream]} (peer sent ${link.peerSent[stream]})`,
    ),
  ];
}

export function redundancySwitchovers(
  { switchoverHistory, switchovers }: RedundancyView,
  clock: Clock,
): string {
  return text([
    `Switchovers this system has experienced: ${switchovers}`,
    ...switchoverHistory.map(
      ({ atMs, generation, takeover, reason, outOfSyncMs }) =>
        `  ${uptimeAt(clock, atMs)} generation ${generation}, ${reason}, sessions ${takeover}, peer last heard ${outOfSyncMs} ms before`,
    ),
  ]);
}

export function redundancyText(view: RedundancyView, uptimeMs: number): string {
  return text([
    "Redundant System Information :",
    "------------------------------",
    ...labelled(34, [
      ["Available system uptime", ago(uptimeMs)],
      ["Switchovers system experienced", String(view.switchovers)],
      ["Standby failures", String(view.standbyFailures)],
      ["Last switchover reason", view.lastReason],
    ]),
    "",
    ...labelled(34, [
      ["Hardware Mode", view.mode],
      ["Operating Redundancy Mode", "inter-device (stateful)"],
      ["Maintenance Mode", view.maintenance ? "Enabled" : "Disabled"],
      ["Communications", communications(view)],
      ["Reload mode", view.reloadMode],
    ]),
    "",
    "Current Processor Information :",
    "-------------------------------",
    ...labelled(34, [
      ["Current Software state", view.own.name],
      ["Generation", String(view.generation)],
      ["Boot ID", view.bootId.toString(16).padStart(16, "0")],
    ]),
    "",
    ...peerLines(view),
  ]);
}

function peerLines(view: RedundancyView): string[] {
  if (view.mode === "Simplex") {
    return [
      `Peer (slot: unavailable) information is not available because it is in '${view.peer.name}' state`,
    ];
  }
  return [
    "Peer Processor Information :",
    "----------------------------",
    ...labelled(34, [
      ["Name", view.peerName ?? "unknown"],
      ["Current Software state", view.peer.name],
    ]),
  ];
}
