/** The box and the terminal. */
import { act, type ExecRow, show } from "../command.js";
import { clockText, loggingText, versionText } from "../show/system.js";
import { text } from "../show/layout.js";
import { summaryOf } from "../summary.js";
import { topScreen } from "../top.js";

/** No line of the summary is cut. */
const WHOLE_SCREEN = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY };

export const SYSTEM: readonly ExecRow[] = [
  show({
    syntax: "show version",
    help: "what runs here, and since when",
    example: "show version",
    isForAll: true,
    view: async (_, { backend }) => ({
      ...backend.facts,
      hostname: (await backend.config()).hostname ?? "Router",
      clock: backend.clock(),
    }),
    text: ({ hostname, clock, ...facts }) => versionText(facts, hostname, clock),
  }),
  show({
    syntax: "show summary",
    help: "what twinwall top shows, once",
    example: "show summary",
    isForAll: true,
    view: (_, { backend }) => summaryOf(backend),
    text: (summary) => text(topScreen(summary, undefined, WHOLE_SCREEN)),
  }),
  show({
    syntax: "show clock",
    help: "date and time",
    example: "show clock",
    isForAll: true,
    view: async (_, { backend }) => backend.clock(),
    text: clockText,
  }),
  show({
    syntax: "show logging",
    help: "the last log lines",
    example: "show logging",
    isForAll: true,
    view: async (_, { backend }) => ({ log: await backend.log(), config: await backend.config() }),
    text: ({ log, config }, _, { backend }) => loggingText(log, config.timestamps.log, backend.clock()),
    data: ({ log }) => log,
  }),
  show({
    syntax: "show history",
    help: "the last commands of this session",
    example: "show history",
    isForAll: true,
    view: async (_, { terminal }) => [...terminal.history],
    text: (history) => text(history.map((line) => `  ${line}`)),
  }),
  act({
    syntax: "clear logging",
    help: "forget the log lines",
    example: "clear logging",
    run: (_, { backend }) => backend.clear("log"),
  }),
  act({
    syntax: "terminal length <lines:0-512>",
    help: "lines after which a pause is made; 0 for none",
    example: "terminal length 0",
    isForAll: true,
    run: ({ lines }, { terminal }) => {
      terminal.length = lines;
      return undefined;
    },
  }),
  act({
    syntax: "terminal monitor",
    help: "print log lines as they come",
    example: "terminal monitor",
    isForAll: true,
    run: (_, { terminal }) => {
      terminal.isMonitoring = true;
      return undefined;
    },
    undo: (_, { terminal }) => {
      terminal.isMonitoring = false;
      return undefined;
    },
  }),
  act({
    syntax: "terminal no monitor",
    help: "print no log lines any more",
    example: "terminal no monitor",
    isForAll: true,
    run: (_, { terminal }) => {
      terminal.isMonitoring = false;
      return undefined;
    },
  }),
  act({
    syntax: "enable",
    help: "all commands",
    example: "enable",
    isForAll: true,
    run: () => ({ wish: "enable" }),
  }),
  act({
    syntax: "disable",
    help: "only commands that change nothing",
    example: "disable",
    isForAll: true,
    run: () => ({ wish: "disable" }),
  }),
  ...["exit", "logout", "quit"].map((word) =>
    act({
      syntax: word,
      help: "end the session",
      example: word,
      isForAll: true,
      run: () => ({ wish: "exit" }),
    }),
  ),
];
