/** HSRP, redundancy, the association and BFD: what they show, and what an operator can ask of the pair. */
import type { OperatorInput } from "../../redundancy/index.js";
import type { ConsoleBackend } from "../backend.js";
import { act, type ExecRow, type Said, show } from "../command.js";
import { addressesAsText } from "../json.js";
import { associationText } from "../show/association.js";
import {
  redundancyHistory,
  redundancyInterDevice,
  redundancyStates,
  redundancySwitchovers,
  redundancyText,
} from "../show/redundancy.js";
import { bfdText } from "../show/routes.js";
import {
  standbyBrief,
  standbyDelays,
  standbyDelayText,
  standbyStatisticsText,
  standbyText,
} from "../show/standby.js";

const STANDBY_ADDRESSES = ["virtualAddress", "secondaryAddresses", "address"];

async function operate(backend: ConsoleBackend, command: OperatorInput): Promise<Said> {
  const { outcome, text } = await backend.operate(command);
  return outcome === "done"
    ? { text: `${text}\n`, data: { outcome, text } }
    : { problem: `${outcome}: ${text}` };
}

export const PAIR: readonly ExecRow[] = [
  show({
    syntax: "show standby [<brief>] [<on:interface>]",
    help: "HSRP groups",
    example: "show standby brief",
    isForAll: true,
    view: async ({ on }, { backend }) => {
      const groups = await backend.standby();
      return on === undefined ? groups : groups.filter((group) => group.interface === on);
    },
    text: (groups, { brief }) => (brief ? standbyBrief(groups) : standbyText(groups)),
    data: (groups) => addressesAsText(groups, STANDBY_ADDRESSES),
  }),
  show({
    syntax: "show standby statistics [<on:interface>]",
    help: "HSRP packets, and why they were refused",
    example: "show standby statistics",
    isForAll: true,
    view: async ({ on }, { backend }) =>
      (await backend.standbyStatistics()).filter((each) => on === undefined || each.interface === on),
    text: standbyStatisticsText,
  }),
  show({
    syntax: "show standby delay",
    help: "how long groups wait before they start",
    example: "show standby delay",
    isForAll: true,
    view: async (_, { backend }) => standbyDelays(await backend.config()),
    text: standbyDelayText,
  }),
  show({
    syntax: "show redundancy",
    help: "the pair as a whole",
    example: "show redundancy",
    isForAll: true,
    view: async (_, { backend }) => backend.redundancy(),
    text: (view, _, { backend }) => redundancyText(view, backend.clock().uptimeMs),
  }),
  show({
    syntax: "show redundancy states",
    help: "states of both boxes, and whether they are in sync",
    example: "show redundancy states",
    isForAll: true,
    view: async (_, { backend }) => backend.redundancy(),
    text: redundancyStates,
  }),
  show({
    syntax: "show redundancy history",
    help: "changes of the states",
    example: "show redundancy history",
    isForAll: true,
    view: async (_, { backend }) => backend.redundancy(),
    text: (view, _, { backend }) => redundancyHistory(view, backend.clock()),
    data: ({ history }) => history,
  }),
  show({
    syntax: "show redundancy switchover [history]",
    help: "take-overs by this box",
    example: "show redundancy switchover",
    isForAll: true,
    view: async (_, { backend }) => backend.redundancy(),
    text: (view, _, { backend }) => redundancySwitchovers(view, backend.clock()),
    data: ({ switchoverHistory }) => switchoverHistory,
  }),
  show({
    syntax: "show redundancy inter-device",
    help: "the two boxes as IOS sees them",
    example: "show redundancy inter-device",
    isForAll: true,
    view: async (_, { backend }) => backend.redundancy(),
    text: redundancyInterDevice,
    data: ({ interDevice, isAuthenticated, peerName, link }) => ({
      interDevice,
      isAuthenticated,
      peerName,
      link,
    }),
  }),
  show({
    syntax: "show redundancy counters",
    help: "messages and events of redundancy",
    example: "show redundancy counters",
    isForAll: true,
    view: async (_, { backend }) => (await backend.redundancy()).counters,
    text: ({ events, refused }) =>
      Object.entries({ ...events, ...refused })
        .filter(([, count]) => count > 0)
        .map(([name, count]) => `  ${name} ${count}\n`)
        .join(""),
  }),
  show({
    syntax: "show ip sctp association",
    help: "the association with the peer and its paths",
    example: "show ip sctp association",
    isForAll: true,
    view: async (_, { backend }) => ({ association: await backend.association() }),
    text: ({ association }) => associationText(association),
    data: ({ association }) => addressesAsText(association ?? null, ["local", "remote"]),
  }),
  show({
    syntax: "show bfd neighbors [<details>]",
    help: "BFD sessions",
    example: "show bfd neighbors details",
    isForAll: true,
    view: async (_, { backend }) => backend.bfd(),
    text: (neighbors, { details }) => bfdText(neighbors, details ?? false),
    data: (neighbors) => addressesAsText(neighbors, ["local", "remote"]),
  }),
  act({
    syntax: "redundancy switchover",
    help: "hand over to the peer without losing a packet",
    example: "redundancy switchover",
    run: (_, { backend }) => operate(backend, { kind: "operator", command: "switchover", isForced: false }),
  }),
  act({
    syntax: "redundancy force-switchover",
    help: "hand over to the peer, whatever state it is in",
    example: "redundancy force-switchover",
    run: (_, { backend }) => operate(backend, { kind: "operator", command: "switchover", isForced: true }),
  }),
  act({
    syntax: "redundancy bulk-sync",
    help: "ask the active for all sessions again",
    example: "redundancy bulk-sync",
    run: (_, { backend }) => operate(backend, { kind: "operator", command: "bulkSync" }),
  }),
  act({
    syntax: "redundancy reload peer",
    help: "have the peer start anew",
    example: "redundancy reload peer",
    run: (_, { backend }) => operate(backend, { kind: "operator", command: "reloadPeer" }),
  }),
  act({
    syntax: "redundancy maintenance-mode",
    help: "split the pair: no sync, no change of roles",
    example: "redundancy maintenance-mode",
    run: (_, { backend }) => operate(backend, { kind: "operator", command: "maintenance", isOn: true }),
    undo: (_, { backend }) => operate(backend, { kind: "operator", command: "maintenance", isOn: false }),
  }),
  act({
    syntax: "clear standby statistics",
    help: "set the counters of HSRP to zero",
    example: "clear standby statistics",
    run: (_, { backend }) => backend.clear("standby-statistics"),
  }),
  act({
    syntax: "clear redundancy history",
    help: "forget the history of states and of take-overs",
    example: "clear redundancy history",
    run: (_, { backend }) => backend.clear("redundancy-history"),
  }),
  act({
    syntax: "clear redundancy counters",
    help: "set the counters of redundancy to zero",
    example: "clear redundancy counters",
    run: (_, { backend }) => backend.clear("redundancy-counters"),
  }),
];
