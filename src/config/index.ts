/** The configuration: text to model, model to text, and what could stand next in a line. */
import type { Mode } from "./command.js";
import { GRAMMAR } from "./commands/index.js";
import type { Expectation } from "./grammar.js";

export {
  formatAce,
  formatAddressMatch,
  formatEntry,
  formatIcmp,
  formatNumberMatch,
} from "./ace.js";
export { interfaceName } from "./arguments.js";
export { MODES, type Mode } from "./command.js";
export { formatMember } from "./commands/groups.js";
export { formatInspectProtocol } from "./commands/inspect.js";
export { formatDiagnostic, nearest } from "./diagnostics.js";
export { type Edit, edit } from "./edit.js";
export { END_OF_COMMAND, type Expectation, LINE_MAX } from "./grammar.js";
export * from "./model.js";
export {
  emptyConfig,
  ERRORS_MAX,
  type ParseOptions,
  type ParseResult,
  parse,
  WARNINGS_MAX,
} from "./parse.js";
export { show } from "./show.js";

/**
 * What could come after these words in this mode: keywords first, then arguments, then `<cr>` when the command may end
 * there. Words that do not fit give an empty list. Serves `?` and completion.
 */
export function expectations(mode: Mode, words: readonly string[]): Expectation[] {
  return GRAMMAR.expectations(mode, words);
}
