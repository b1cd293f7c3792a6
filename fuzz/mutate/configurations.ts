/**
 * One damaged configuration through everything that a configuration goes through: parse, show, check, explain, compile,
 * activate. Whatever the text is, nothing throws but ConfigError where a firewall is made, and the laws hold:
 *
 *   show(parse(text)) is read without an error, and shows as itself
 *   a firewall is made, or ConfigError says why not with at least one error that has a place or a message
 */
import { ConfigError, Dataplane } from "../../src/index.js";
import { checkConfig, checkPair } from "../../src/check/index.js";
import { type Config, formatDiagnostic, parse, show } from "../../src/config/index.js";
import type { Random } from "../../test/model/random.js";
import { textFor, ROWS } from "../../test/config/rows.js";
import { mutateText } from "./bytes.js";

const CAPACITY = { sessions: 1024, rules: 512, batch: 8, fragments: 16, events: 16 };
const SEED = new Uint8Array(64).fill(7);
/** One round in so many does what takes long: the pair is checked, a packet explained, the firewall restored. */
const COSTLY_EVERY = 8;
/** How often a whole configuration is among the parts of a text, and how many examples of commands may be. */
const WHOLE_CHANCE = 1 / 16;
const EXAMPLES_MAX = 8;

/** A text made of the samples and of the examples of the command table, damaged. */
export function damagedConfiguration(
  samples: readonly string[],
  words: readonly string[],
  random: Random,
): string {
  const parts: string[] = random.chance(WHOLE_CHANCE) ? [random.pick(samples)] : [];
  for (let examples = random.int(EXAMPLES_MAX); examples >= 0; examples--)
    parts.push(`${textFor(random.pick(ROWS))}\n!`);
  return mutateText(parts.join("\n"), random, words);
}

/** Every word that the command table or a sample knows. */
export function wordsOf(samples: readonly string[]): string[] {
  const texts = [
    ...samples,
    ...ROWS.map(({ example }) => example),
    ...ROWS.map(({ syntax }) => syntax.replace(/[<>[\]{}|()=:]/g, " ")),
  ];
  return [...new Set(texts.flatMap((text) => text.split(/\s+/)))].filter((word) => word !== "");
}

const errorsOf = (diagnostics: readonly { severity: string }[]): number =>
  diagnostics.filter(({ severity }) => severity === "error").length;

/** Takes the text through all of it; throws when something is wrong. `before`: a configuration from an earlier text. */
export function runConfiguration(
  text: string,
  before: Config,
  module: WebAssembly.Module,
  frames: readonly Uint8Array[],
): Config {
  const lenient = text.length % 2 === 0;
  const { config, diagnostics } = parse(text, { file: "fuzz.cfg", lenient });
  for (const diagnostic of diagnostics) formatDiagnostic(diagnostic);
  const shown = show(config);
  const again = parse(shown, { file: "fuzz.cfg", lenient });
  const wrong = again.diagnostics.filter(({ severity }) => severity === "error");
  if (wrong.length > 0)
    throw new Error(`what show writes is refused: ${wrong[0]!.line}: ${wrong[0]!.message}`);
  if (show(again.config) !== shown) throw new Error("show(parse(text)) is no fixed point");
  checkConfig(config, { strict: lenient });
  if (frames.length % COSTLY_EVERY === 0) checkPair(config, before);
  // What was read in part is a configuration too.
  const source = frames.length % 2 === 0 ? text : config;
  runDataplane(source, lenient, module, frames, errorsOf(diagnostics) > 0);
  return config;
}

function runDataplane(
  config: string | Config,
  lenient: boolean,
  module: WebAssembly.Module,
  frames: readonly Uint8Array[],
  refused: boolean,
): void {
  let dataplane: Dataplane;
  try {
    dataplane = Dataplane.createSync(module, {
      config,
      lenient,
      file: "fuzz.cfg",
      capacity: CAPACITY,
      seed: SEED,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (errorsOf(error.diagnostics) === 0) throw new Error("ConfigError without an error");
    return;
  }
  if (refused && typeof config === "string") throw new Error("a text with errors makes a firewall");
  for (const [i, frame] of frames.entries()) {
    dataplane.batch.add(frame, i % 4 === 0 ? 0 : i % dataplane.interfaces.length, i);
    if ((i + 1) % dataplane.batch.capacity !== 0 && i + 1 < frames.length) continue;
    dataplane.process(1000 * i);
    dataplane.batch.clear();
  }
  const { received } = dataplane.counters();
  if (received.packets !== frames.length)
    throw new Error(`${received.packets} of ${frames.length} frames received`);
  dataplane.replacePolicy(dataplane.config);
  if (frames.length % COSTLY_EVERY !== 0) return;
  const name = dataplane.interfaces[1];
  if (frames.length > 0) dataplane.explain(frames[0]!, name === undefined ? {} : { in: name });
  dataplane.restore(dataplane.snapshot());
}
