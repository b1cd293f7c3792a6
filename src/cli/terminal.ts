/** What the verbs print, and how: colours, errors, diagnostics. */
import pc from "picocolors";
import { formatDiagnostic } from "../config/diagnostics.js";
import type { Diagnostic } from "../config/model.js";
import type { Io, Stream } from "../io/io.js";
import { printable } from "../printable.js";
import type { Paint } from "../report/text.js";
import { EXIT } from "./exit.js";

/** Whether a stream gets colours: a terminal that can, unless NO_COLOR says otherwise (no-color.org). */
export function hasColor({ environment }: Io, stream: Stream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return (FORCE_COLOR !== undefined && FORCE_COLOR !== "") || (stream.isTerminal && TERM !== "dumb");
}

export function paintOf(io: Io, stream: Stream): Paint {
  return pc.createColors(hasColor(io, stream));
}

/** `error: MESSAGE` on standard error. */
export function printError(io: Io, message: string): void {
  io.stderr.write(`${paintOf(io, io.stderr).red("error")}: ${printable(message)}\n`);
}

/** Prints an error, and gives the exit code for bad input. */
export function refuse(io: Io, problem: string): number {
  printError(io, problem);
  return EXIT.badInput;
}

/** Diagnostics on standard error, those of the given severities. */
export function printDiagnostics(
  io: Io,
  diagnostics: readonly Diagnostic[],
  severities: readonly Diagnostic["severity"][],
): void {
  for (const diagnostic of diagnostics) {
    if (severities.includes(diagnostic.severity)) io.stderr.write(`${diagnosticText(diagnostic)}\n`);
  }
}

/** A diagnostic about an option stands in no line of any file. */
function diagnosticText(diagnostic: Diagnostic): string {
  if (diagnostic.line > 0) return formatDiagnostic(diagnostic);
  return printable(`${diagnostic.severity}: ${diagnostic.message}`);
}
