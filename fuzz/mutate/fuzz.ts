/** The rounds of the mutation fuzzer: each its own random numbers, so that each can be repeated alone. */
import { Dataplane } from "../../src/index.js";
import { parse } from "../../src/config/index.js";
import { Random } from "../../test/model/random.js";
import { damagedCapture, runCapture } from "./captures.js";
import { damagedConfiguration, runConfiguration, wordsOf } from "./configurations.js";
import { captureSamples, configurationSamples, frameSamples } from "./corpus.js";

export const KINDS = ["captures", "configurations"] as const;
export type Kind = (typeof KINDS)[number];

export interface FuzzOptions {
  /** The core. */
  readonly module: WebAssembly.Module;
  readonly seed: number;
  /** Number of the first round. */
  readonly first: number;
  readonly count: number;
  /** What the rounds are about, in turn. */
  readonly kinds: readonly Kind[];
  /** A folder with more captures to start from. */
  readonly captures?: string;
}

/** Something that went wrong. */
export interface Finding {
  readonly kind: Kind;
  readonly number: number;
  readonly input: Uint8Array;
  /** With its stack. */
  readonly error: string;
}

export interface Round {
  readonly kind: Kind;
  readonly number: number;
  readonly finding: Finding | undefined;
}

/** A round that takes longer has not ended as it should. */
const ROUND_MS_MAX = 20_000;
const CAPACITY = { sessions: 1024, rules: 512, batch: 32, fragments: 32, events: 64 };
const SEED = new Uint8Array(64).fill(9);
/** Two rounds of different seeds have nothing to do with each other. */
const ROUND_FACTOR = 0x9e3779b1;

/** Runs the rounds, one at a time. */
export async function* fuzz(options: FuzzOptions): AsyncGenerator<Round, void> {
  const { module, seed, first, count, kinds } = options;
  const configurations = configurationSamples();
  const captures = await captureSamples(options.captures);
  const frames = await frameSamples();
  const words = wordsOf(configurations);
  const parsed = configurations.map((text) => parse(text).config);
  for (let number = first; number < first + count; number++) {
    const random = new Random((seed + Math.imul(number, ROUND_FACTOR)) >>> 0);
    const kind = kinds[number % kinds.length]!;
    const started = performance.now();
    let input = new Uint8Array(0);
    let error: string | undefined;
    try {
      if (kind === "captures") {
        input = Uint8Array.from(damagedCapture(captures, random));
        const config = random.pick(parsed);
        await runCapture(
          input,
          Dataplane.createSync(module, { config, capacity: CAPACITY, seed: SEED }),
          random,
        );
      } else {
        const text = damagedConfiguration(configurations, words, random);
        input = new TextEncoder().encode(text);
        const sent = Array.from({ length: random.int(16) }, () => random.pick(frames));
        runConfiguration(text, random.pick(parsed), module, sent);
      }
    } catch (thrown) {
      error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    const elapsed = performance.now() - started;
    if (error === undefined && elapsed > ROUND_MS_MAX) error = `took ${Math.round(elapsed)} ms`;
    yield { kind, number, finding: error === undefined ? undefined : { kind, number, input, error } };
  }
}
