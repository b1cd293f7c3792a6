/** `debug ...` and its conditions. */
import {
  DEBUG_GROUPS,
  DEBUG_TOPIC_NAMES,
  DEBUG_TOPICS,
  type DebugCondition,
  type DebugGroup,
  type DebugTopic,
  type DebugView,
  topicsOf,
} from "../../debug/topics.js";
import type { ConsoleBackend } from "../backend.js";
import { act, type ExecRow, show } from "../command.js";
import { addressesAsText } from "../json.js";
import { debuggingText } from "../show/system.js";

/** Conditions at a time. */
const CONDITIONS_MAX = 16;

async function change(backend: ConsoleBackend, by: (view: DebugView) => DebugView): Promise<void> {
  await backend.setDebugging(by(await backend.debugging()));
}

const without = ({ topics, conditions }: DebugView, removed: readonly DebugTopic[]): DebugView => ({
  topics: topics.filter((each) => !removed.includes(each)),
  conditions,
});

/** A topic, or several under one beginning. */
function debugRows(name: string, topics: readonly DebugTopic[], help: string): ExecRow[] {
  const set = async (backend: ConsoleBackend, isOn: boolean) => {
    await change(backend, (view) => {
      const { topics: others, conditions } = without(view, topics);
      return { topics: isOn ? [...others, ...topics] : others, conditions };
    });
    return `debug ${name} is ${isOn ? "on" : "off"}\n`;
  };
  return [
    act({
      syntax: `debug ${name}`,
      help,
      example: `debug ${name}`,
      run: (_, { backend }) => set(backend, true),
      undo: (_, { backend }) => set(backend, false),
    }),
    act({
      syntax: `undebug ${name}`,
      help: `no longer: ${help}`,
      example: `undebug ${name}`,
      run: (_, { backend }) => set(backend, false),
    }),
  ];
}

const topicRows = (topic: DebugTopic): ExecRow[] => debugRows(topic, [topic], DEBUG_TOPICS[topic]);

const GROUP_HELPS: Readonly<Record<DebugGroup, string>> = {
  bfd: "everything about BFD",
  "ip inspect ha": "everything about the session sync",
  "ip sctp": "everything about the association",
  standby: "everything about HSRP",
};

const groupRows = (group: DebugGroup): ExecRow[] => debugRows(group, topicsOf(group), GROUP_HELPS[group]);

const isSame = (a: DebugCondition, b: DebugCondition): boolean =>
  (a.kind === "interface" && b.kind === "interface" && a.interface === b.interface) ||
  (a.kind === "ip" && b.kind === "ip" && a.address === b.address);

async function allOff(backend: ConsoleBackend): Promise<string> {
  await change(backend, ({ conditions }) => ({ topics: [], conditions }));
  return "All possible debugging has been turned off\n";
}

const conditionOf = (a: { on?: string; address?: number | bigint }): DebugCondition =>
  a.on === undefined ? { kind: "ip", address: a.address! } : { kind: "interface", interface: a.on };

export const DEBUG: readonly ExecRow[] = [
  ...DEBUG_TOPIC_NAMES.flatMap(topicRows),
  ...DEBUG_GROUPS.flatMap(groupRows),
  act({
    syntax: "debug condition (interface <on:interface> | ip <address:address>)",
    help: "debug lines must be about one of the conditions",
    example: "debug condition interface GigabitEthernet0/0",
    run: async (a, { backend }) => {
      const wanted = conditionOf(a);
      const { topics, conditions } = await backend.debugging();
      const others = conditions.filter((each) => !isSame(each, wanted));
      if (others.length === CONDITIONS_MAX) return { problem: `at most ${CONDITIONS_MAX} conditions` };
      await backend.setDebugging({ topics, conditions: [...others, wanted] });
      return `Condition ${others.length + 1} set\n`;
    },
    undo: async (a, { backend }) => {
      const { topics, conditions } = await backend.debugging();
      const others = conditions.filter((each) => !isSame(each, conditionOf(a)));
      if (others.length === conditions.length) return { problem: "no such condition" };
      await backend.setDebugging({ topics, conditions: others });
      return "Condition removed\n";
    },
  }),
  act({
    syntax: "undebug all",
    help: "turn all debugging off",
    example: "undebug all",
    run: (_, { backend }) => allOff(backend),
  }),
  act({
    syntax: "debug all",
    help: "turn all debugging on; with no, off",
    example: "debug all",
    run: async (_, { backend }) => {
      await change(backend, ({ conditions }) => ({ topics: DEBUG_TOPIC_NAMES, conditions }));
      return "All possible debugging has been turned on\n";
    },
    undo: (_, { backend }) => allOff(backend),
  }),
  show({
    syntax: "show debugging",
    help: "what is debugged, and under which conditions",
    example: "show debugging",
    isForAll: true,
    view: (_, { backend }) => backend.debugging(),
    text: debuggingText,
    data: (view) => addressesAsText(view, ["address"]),
  }),
];
