/** The table of commands, seen from the tests: which lines lead to the mode of a row. */
import type { Mode, Row } from "../../src/config/command.js";
import { SECTIONS } from "../../src/config/commands/index.js";

export const ROWS: readonly Row[] = SECTIONS.flat();

/** The lines that open a mode. */
export function pathTo(mode: Mode): string[] {
  if (mode === "global") return [];
  const enters = ROWS.find((row) => row.enters === mode && row.refuse === undefined)!;
  return [...pathTo(enters.mode), enters.example];
}

/** What must be there for the example of a row to make sense. */
function preparation({ example, mode }: Row): string[] {
  if (example.startsWith("ip access-list resequence")) return ["ip access-list extended fw-ha-acl"];
  if (example === "no sequence 10") return ["permit ipv6 any any"];
  if (example === "no 10") return [mode === "standard-list" ? "permit any" : "permit ip any any"];
  return [];
}

/** A text in which the last line is the example of the row. */
export function textFor(row: Row): string {
  return [...pathTo(row.mode), ...preparation(row), row.example].join("\n");
}
