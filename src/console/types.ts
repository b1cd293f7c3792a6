/** The types of arguments that only commands of the console have; the others are those of the configuration. */
import { TYPES } from "../config/arguments.js";
import type { ArgumentsOf, ArgumentType } from "../config/syntax.js";

/** Longest name of a file, in characters. */
const FILE_NAME_MAX = 255;
/** Digits of a session id at most. */
const SESSION_ID = /^(0x)?[0-9a-f]{1,16}$/i;

const OWN_TYPES = {
  /** A file by its path. Control characters cannot be in a line. */
  file: {
    shown: "FILE",
    parse: (word: string) => (word.length <= FILE_NAME_MAX ? word : undefined),
  },
  "session-id": {
    shown: "HEX-ID",
    parse: (word: string) => (SESSION_ID.test(word) ? word.replace(/^0x/i, "").toLowerCase() : undefined),
  },
} satisfies Record<string, ArgumentType<unknown>>;

export const CONSOLE_TYPES = { ...TYPES, ...OWN_TYPES };

export type ConsoleArguments<Syntax extends string> = ArgumentsOf<Syntax, typeof CONSOLE_TYPES>;
