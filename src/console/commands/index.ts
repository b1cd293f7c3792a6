/** The table: every command of the console outside the configuration. */
import { Grammar } from "../../config/grammar.js";
import type { ExecRow } from "../command.js";
import { CONSOLE_TYPES } from "../types.js";
import { CAPTURE } from "./capture.js";
import { CONFIGURATION } from "./configuration.js";
import { DEBUG } from "./debug.js";
import { INSPECT } from "./inspect.js";
import { NETWORK } from "./network.js";
import { PAIR } from "./pair.js";
import { SYSTEM } from "./system.js";

export const ROWS: readonly ExecRow[] = [
  ...SYSTEM,
  ...INSPECT,
  ...PAIR,
  ...NETWORK,
  ...CONFIGURATION,
  ...DEBUG,
  ...CAPTURE,
];

const grammarOf = (rows: readonly ExecRow[]) =>
  new Grammar<ExecRow>(rows, {
    types: CONSOLE_TYPES,
    ownerOf: (mode) => mode,
    canSet: () => true,
    canUnset: ({ undo }) => undo !== undefined,
    unsetsWhole: () => true,
  });

/** Without `enable`, and with it. */
export const EXEC_GRAMMARS = {
  user: grammarOf(ROWS.filter(({ isForAll }) => isForAll)),
  privileged: grammarOf(ROWS),
} as const;
export type Privilege = keyof typeof EXEC_GRAMMARS;
