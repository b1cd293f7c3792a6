/** `debug ...` and its conditions. */
import {
  type ConsoleBackend,
  DEBUG_TOPIC_NAMES,
  DEBUG_TOPICS,
  type DebugCondition,
  type DebugTopic,
  type DebugView,
} from "../backend.js";
import { act, type ExecRow, show } from "../command.js";
import { addressesAsText } from "../json.js";
import { debuggingText } from "../show/system.js";

/** Conditions at a time. */
const CONDITIONS_MAX = 16;

async function change(backend: ConsoleBackend, by: (view: DebugView) => DebugView): Promise<void> {
  await backend.setDebugging(by(await backend.debugging()));
}

const without = (topic: DebugTopic) => (view: DebugView) => ({
  ...view,
  topics: view.topics.filter((each) => each !== topic),
});

function topicRows(topic: DebugTopic): ExecRow[] {
  const off = async (backend: ConsoleBackend) => {
    await change(backend, without(topic));
    return `debug ${topic} is off\n`;
  };
  return [
    act({
      syntax: `debug ${topic}`,
      help: DEBUG_TOPICS[topic],
      example: `debug ${topic}`,
      run: async (_, { backend }) => {
        await change(backend, (view) => ({
          ...without(topic)(view),
          topics: [...without(topic)(view).topics, topic],
        }));
        return `debug ${topic} is on\n`;
      },
      undo: (_, { backend }) => off(backend),
    }),
    act({
      syntax: `undebug ${topic}`,
      help: `no longer: ${DEBUG_TOPICS[topic]}`,
      example: `undebug ${topic}`,
      run: (_, { backend }) => off(backend),
    }),
  ];
}

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
