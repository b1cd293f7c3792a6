/** `line con|aux|vty ...`: terminals. There is the console alone; what the validator asks about is recorded. */
import { command, note, notesOf, type Row } from "../command.js";
import { find, put } from "../lists.js";
import type { TerminalLine } from "../model.js";

const NO_TERMINAL = "there is no such terminal";
const line = notesOf("line");
const noted = (syntax: string, example: string, help: string) => line(syntax, example, help, NO_TERMINAL);

const nameOf = (line: TerminalLine) => line.name;

const EXEC_TIMEOUT_MINUTES_MAX = 35791;

export const LINES: readonly Row[] = [
  command({
    mode: "global",
    syntax: "line ([<kind=console|aux|vty|tty>] <first:0-9999> [<last:0-9999>])",
    help: "terminal lines",
    example: "line vty 0 4",
    enters: "line",
    set: (config, a, { at }) => {
      const kind = a.kind === "console" ? "con" : a.kind;
      const name = [kind, a.first, a.last].filter((part) => part !== undefined).join(" ");
      const known = find(config.lines, name, nameOf);
      if (known) return known;
      const made: TerminalLine = { at, name, login: false, password: false };
      put(config.lines, made, nameOf);
      return made;
    },
    blocks: ({ lines }) => lines,
    header: ({ name }) => `line ${name}`,
  }),
  noted("access-class <list:word> (in | out) [vrf-also]", "access-class 10 in", "addresses that may log in"),
  command({
    mode: "line",
    syntax: "exec-timeout <minutes:0-35791> [<seconds:0-2147483>]",
    help: "idle time before a session ends",
    example: "exec-timeout 0 0",
    set: (line, a) => {
      line.execTimeoutSeconds = a.minutes * 60 + (a.seconds ?? 0);
    },
    unset: (line) => {
      line.execTimeoutSeconds = 0;
    },
    reset: (line) => {
      line.execTimeoutSeconds = undefined;
    },
    show: ({ execTimeoutSeconds: all }) => {
      if (all === undefined) return [];
      const minutes = Math.min(Math.floor(all / 60), EXEC_TIMEOUT_MINUTES_MAX);
      return [`exec-timeout ${minutes} ${all - 60 * minutes}`];
    },
  }),
  noted("privilege level <level:0-15>", "privilege level 15", "privilege of a session"),
  note({
    mode: "line",
    syntax: "password <text:line>",
    help: "password of the line",
    example: "password 7 0822455D0A16",
    note: NO_TERMINAL,
    set: (line) => {
      line.password = true;
    },
    unset: (line) => {
      line.password = false;
    },
  }),
  noted("logging synchronous [<text:line>]", "logging synchronous", "log lines between commands"),
  note({
    mode: "line",
    syntax: "login [local | authentication <list:word>]",
    help: "ask for a password",
    example: "login",
    note: NO_TERMINAL,
    set: (line) => {
      line.login = true;
    },
    unset: (line) => {
      line.login = false;
    },
  }),
  noted("activation-character [<text:line>]", "no activation-character", "character that starts a session"),
  noted("exec", "no exec", "sessions on this line"),
  noted(
    "transport (preferred | input | output) <text:line>",
    "transport preferred none",
    "protocols of the line",
  ),
  noted("stopbits <text:line>", "stopbits 1", "serial line"),
  noted(
    "(speed | databits | parity | flowcontrol | length | width) <text:line>",
    "speed 115200",
    "serial line",
  ),
  noted("history [size <lines:0-256>]", "history size 100", "command history"),
  noted("modem <text:line>", "modem InOut", "modem"),
];
