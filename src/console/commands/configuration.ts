/** The configuration as a whole: show, compare, copy, replace. */
import { type Config, show as showConfig } from "../../config/index.js";
import { type ConsoleBackend, STARTUP_CONFIG } from "../backend.js";
import { CONFIRM_MINUTES_DEFAULT } from "../changes.js";
import { act, type ExecRow, type Said, show } from "../command.js";
import { changesBetween, diffText } from "../diff.js";

const lines = (text: string) => ({ lines: text.trimEnd().split("\n") });

/** The block of one interface, or nothing. */
function blockOf(config: Config, name: string): string | undefined {
  const text = showConfig(config).split("\n");
  const from = text.indexOf(`interface ${name}`);
  if (from < 0) return undefined;
  const length = text.slice(from + 1).findIndex((line) => !line.startsWith(" "));
  return [...text.slice(from, from + 1 + length), "end", ""].join("\n");
}

async function save(backend: ConsoleBackend, file: string): Promise<Said> {
  const done = await backend.writeFile(file, showConfig(await backend.config()));
  return done.problem === undefined ? (done.text ?? "[OK]\n") : { problem: done.problem };
}

export const CONFIGURATION: readonly ExecRow[] = [
  show({
    syntax: "show running-config [interface <name:interface>]",
    help: "the configuration in force",
    example: "show running-config interface GigabitEthernet0/0",
    view: async ({ name }, { backend }) => {
      const config = await backend.config();
      const text = name === undefined ? showConfig(config) : blockOf(config, name);
      return text === undefined
        ? { problem: `no interface ${name} in the configuration` }
        : { text, isWhole: name === undefined };
    },
    text: ({ text, isWhole }) =>
      isWhole ? `Building configuration...\n\nCurrent configuration : ${text.length} bytes\n${text}` : text,
    data: ({ text }) => lines(text),
  }),
  show({
    syntax: `show ${STARTUP_CONFIG}`,
    help: "the configuration that the box starts with",
    example: "show startup-config",
    view: (_, { backend }) => backend.readFile(STARTUP_CONFIG),
    text: ({ text }) => `Using ${text.length} bytes\n${text}`,
    data: ({ text }) => lines(text),
  }),
  show({
    syntax: "show archive config differences [<file:file>]",
    help: "what differs between a file, or the startup configuration, and the one in force",
    example: "show archive config differences",
    view: async ({ file }, { backend, changes }) => {
      const read = await backend.readFile(file ?? STARTUP_CONFIG);
      if ("problem" in read) return read;
      const before = await changes.read(read.text);
      if ("problem" in before) return before;
      return { changes: changesBetween(before.text, showConfig(await backend.config())) };
    },
    text: ({ changes }) => (changes.length === 0 ? "!No changes were found\n" : diffText(changes)),
  }),
  act({
    syntax: "configure terminal",
    help: "change the configuration line by line",
    example: "configure terminal",
    run: () => ({
      text: "Enter configuration commands, one per line.  End with CNTL/Z or end.\n",
      wish: "configure",
    }),
  }),
  act({
    syntax: "configure replace <file:file> [time <minutes:1-120>] [<confirm>]",
    help: "put a whole configuration in force, and take it back unless it is confirmed in time",
    example: "configure replace new.cfg time 10",
    run: async ({ file, minutes, confirm }, { backend, changes }) => {
      if (confirm && minutes !== undefined) return { problem: "confirm leaves no time to wait for" };
      const read = await backend.readFile(file);
      if ("problem" in read) return read;
      const replaced = await changes.replace(
        read.text,
        confirm ? undefined : (minutes ?? CONFIRM_MINUTES_DEFAULT),
      );
      if ("problem" in replaced) return replaced;
      if (replaced.changes.length === 0) return { text: "!No changes were found\n", data: replaced };
      const minutesLeft = (replaced.confirmWithinMs ?? 0) / 60_000;
      const wait =
        replaced.confirmWithinMs === undefined
          ? ""
          : `Taken back in ${minutesLeft} min unless "configure confirm" comes before.\n`;
      return { text: `${diffText(replaced.changes)}The configuration is in force.\n${wait}`, data: replaced };
    },
  }),
  act({
    syntax: "configure confirm",
    help: "keep the configuration that was put in force last",
    example: "configure confirm",
    run: (_, { changes }) => changes.confirm(),
  }),
  act({
    syntax: "configure revert [now]",
    help: "take the replacement back before its time",
    example: "configure revert now",
    run: (_, { changes }) => changes.revert(),
  }),
  act({
    syntax: `copy running-config (<startup=${STARTUP_CONFIG}> | <file:file>)`,
    help: "save the configuration in force",
    example: "copy running-config startup-config",
    run: ({ file }, { backend }) => save(backend, file ?? STARTUP_CONFIG),
  }),
  act({
    syntax: "write [memory]",
    help: "save the configuration in force as the one to start with",
    example: "write memory",
    run: (_, { backend }) => save(backend, STARTUP_CONFIG),
  }),
];
