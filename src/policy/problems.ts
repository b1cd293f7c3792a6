/** What the compiler of policies reports: diagnostics that point at the statement that caused them. */
import type { Config, Diagnostic, Position } from "../config/model.js";

/** For what stands in no line of the configuration: an option, or the lack of a statement. */
export const NOWHERE: Position = { line: 0, column: 0 };

/** Collects the problems of one policy. Errors make it unusable; warnings and notes say what was left out and why. */
export class Problems {
  readonly list: Diagnostic[] = [];
  readonly #file: string;

  constructor(config: Config) {
    this.#file = config.file;
  }

  get failed(): boolean {
    return this.list.some(({ severity }) => severity === "error");
  }

  error(at: Position, message: string): void {
    this.#add("error", at, message);
  }

  warning(at: Position, message: string): void {
    this.#add("warning", at, message);
  }

  note(at: Position, message: string): void {
    this.#add("note", at, message);
  }

  #add(severity: Diagnostic["severity"], at: Position, message: string): void {
    this.list.push({
      file: this.#file,
      line: at.line,
      column: at.column,
      length: 1,
      severity,
      message,
      expected: [],
      text: "",
    });
  }
}
