/** The configuration as a whole: show, compare, copy, replace. */
import { type Config, show as showConfig } from "../../config/index.js";
import type { Change as Effect } from "../../node/plan-change.js";
import { type ConsoleBackend, STARTUP_CONFIG } from "../backend.js";
import { CONFIRM_MINUTES_DEFAULT, effectLines } from "../changes.js";
import { act, type ExecRow, type Said, show } from "../command.js";
import { changesBetween, diffText } from "../diff.js";
import { text } from "../show/layout.js";

const lines = (whole: string) => ({ lines: whole.trimEnd().split("\n") });

/** The block of one interface, or nothing. */
function blockOf(config: Config, name: string): string | undefined {
  const all = showConfig(config).split("\n");
  const from = all.indexOf(`interface ${name}`);
  if (from < 0) return undefined;
  const length = all.slice(from + 1).findIndex((line) => !line.startsWith(" "));
  return [...all.slice(from, from + 1 + length), "end", ""].join("\n");
}

const effectsText = (effects: readonly Effect[]): string =>
  text(effectLines(effects).map((each) => `% ${each}`));

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
      const shown = name === undefined ? showConfig(config) : blockOf(config, name);
      return shown === undefined
        ? { problem: `no interface ${name} in the configuration` }
        : { shown, isWhole: name === undefined };
    },
    text: ({ shown, isWhole }) =>
      isWhole
        ? `Building configuration...\n\nCurrent configuration : ${shown.length} bytes\n${shown}`
        : shown,
    data: ({ shown }) => lines(shown),
  }),
  show({
    syntax: `show ${STARTUP_CONFIG}`,
    help: "the configuration that the box starts with",
    example: "show startup-config",
    view: (_, { backend }) => backend.readFile(STARTUP_CONFIG),
    text: ({ text: whole }) => `Using ${whole.length} bytes\n${whole}`,
    data: ({ text: whole }) => lines(whole),
  }),
  show({
    syntax: "show archive config differences [<file:file>]",
    help: "what differs between a file, or the startup configuration, and the one in force",
    example: "show archive config differences",
    view: async ({ file }, { backend, changes }) => {
      const read = await backend.readFile(file ?? STARTUP_CONFIG);
      if ("problem" in read) return read;
      const before = await changes.read(read.text, file ?? STARTUP_CONFIG);
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
        file,
        confirm ? undefined : (minutes ?? CONFIRM_MINUTES_DEFAULT),
      );
      if ("problem" in replaced) return replaced;
      if (replaced.changes.length === 0) return { text: "!No changes were found\n", data: replaced };
      const minutesLeft = (replaced.confirmWithinMs ?? 0) / 60_000;
      const wait =
        replaced.confirmWithinMs === undefined
          ? ""
          : `Taken back in ${minutesLeft} min unless "configure confirm" comes before.\n`;
      const effects = effectsText(replaced.effects);
      return {
        text: `${diffText(replaced.changes)}${effects}The configuration is in force.\n${wait}`,
        data: replaced,
      };
    },
  }),
  act({
    syntax: "configure check <file:file>",
    help: "what configure replace would do, without doing it",
    example: "configure check new.cfg",
    run: async ({ file }, { backend, changes }) => {
      const read = await backend.readFile(file);
      if ("problem" in read) return read;
      const compared = await changes.compare(read.text, file);
      if ("problem" in compared) return compared;
      const { effects } = compared;
      if (compared.changes.length === 0) return { text: "!No changes were found\n", data: compared };
      const verdict = effects.some(({ effect }) => effect === "refused")
        ? "It would be refused, and nothing would change."
        : "It can be put in force live; sessions stay.";
      return {
        text: `${diffText(compared.changes)}${effectsText(effects)}${verdict}\n`,
        data: compared,
      };
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
