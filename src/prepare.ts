/** From a configuration and options to what an instance is made of. */
import type { Config, Diagnostic } from "./config/model.js";
import { parse } from "./config/parse.js";
import {
  type Capacity,
  completeCapacity,
  type CoreSetup,
  type CoreSource,
  planMemory,
  SEED_BYTES,
} from "./core.js";
import type { Numbering } from "./policy/numbering.js";
import { compilePolicy, type EnforcedPolicy, type Policy } from "./policy/policy.js";

export interface DataplaneOptions {
  /** A running configuration as text, or a parsed one. */
  config: string | Config;
  /** Name of the configuration, for messages. */
  file?: string;
  /** Keep unknown commands with a note instead of refusing the configuration. */
  lenient?: boolean;
  capacity?: Partial<Capacity>;
  /** SEED_BYTES of hash keys; without it they are random. */
  seed?: Uint8Array;
  /** False: no checksum is verified, for captures taken where the NIC computes them. */
  checksums?: boolean;
  /** Networks behind the inside interface. Given, every packet goes by side, and no route is needed. */
  inside?: readonly string[];
  /** Names of two interfaces: what comes in by one goes out by the other, and no route is needed. */
  pair?: readonly [string, string];
  /** MAC addresses by interface name; there, frames for other stations are dropped. */
  macs?: ReadonlyMap<string, string>;
  /** Largest IP packet that an interface sends, bytes, by its name; elsewhere, and with 0, any. */
  mtus?: ReadonlyMap<string, number>;
  /** The compiled core or its bytes; without it, that of this package. */
  module?: CoreSource;
  /** The clock at the start: ms since any epoch that the calls of `process` share. */
  nowMs?: number;
  /** The wall clock at that moment, which decides time ranges; without it `nowMs` counts from 1970. */
  wallClock?: Date;
}

/** A configuration or an option that cannot be used; each diagnostic of severity "error" says why. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly diagnostics: Diagnostic[];

  constructor(diagnostics: Diagnostic[]) {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    super(
      errors
        .map(({ file, line, message }) => (line === 0 ? message : `${file}:${line}: ${message}`))
        .join("\n"),
    );
    this.diagnostics = diagnostics;
  }
}

/** What the options come to: everything that an instance needs but the Wasm. */
export interface Setup extends CoreSetup {
  readonly policy: Policy | EnforcedPolicy;
  readonly notes: readonly Diagnostic[];
  readonly options: Omit<DataplaneOptions, "config">;
}

/**
 * Checks the options and compiles the policy. Throws ConfigError.
 * @param newSeed hash keys for an instance that was given none.
 */
export function prepare(
  options: DataplaneOptions,
  newSeed: () => Uint8Array,
): Setup & { readonly policy: Policy } {
  const capacity = completeCapacity(options.capacity);
  if ("problem" in capacity) throw new ConfigError([optionProblem(capacity.problem)]);
  const plan = planMemory(capacity);
  if ("problem" in plan) throw new ConfigError([optionProblem(plan.problem)]);
  const seed = options.seed ?? newSeed();
  if (seed.length !== SEED_BYTES) {
    throw new ConfigError([optionProblem(`seed has ${seed.length} bytes; it must have ${SEED_BYTES}`)]);
  }
  const room = { rules: capacity.rules, fragments: capacity.fragments, bankSize: plan.bankSize };
  const { nowMs = 0 } = options;
  if (!(nowMs >= 0 && nowMs <= Number.MAX_SAFE_INTEGER)) {
    throw new ConfigError([
      optionProblem(`nowMs is ${nowMs}; it must be from 0 to ${Number.MAX_SAFE_INTEGER}`),
    ]);
  }
  const { policy, notes } = loadPolicy(options.config, options, room);
  return { plan, seed, policy, notes, options };
}

/** What a policy must fit into. */
export type Room = Parameters<typeof compilePolicy>[1]["room"];

/** Parses and compiles a configuration; throws ConfigError. */
export function loadPolicy(
  source: string | Config,
  options: Pick<DataplaneOptions, "file" | "lenient" | "checksums" | "inside" | "pair" | "macs" | "mtus">,
  room: Room,
  numbering?: Numbering,
): { policy: Policy; notes: Diagnostic[] } {
  const { file, lenient, checksums, inside, pair, macs, mtus } = options;
  const parsed =
    typeof source === "string" ? parse(source, { file, lenient }) : { config: source, diagnostics: [] };
  if (parsed.diagnostics.some(({ severity }) => severity === "error"))
    throw new ConfigError(parsed.diagnostics);
  const { policy, problems } = compilePolicy(parsed.config, {
    checksums,
    inside,
    pair,
    macs,
    mtus,
    room,
    numbering,
  });
  const lines = typeof source === "string" ? source.split(/\r\n|\n|\r/) : [];
  for (const problem of problems) problem.text = lines[problem.line - 1] ?? "";
  const notes = [...parsed.diagnostics, ...problems];
  if (policy === undefined) throw new ConfigError(notes);
  return { policy, notes };
}

function optionProblem(message: string): Diagnostic {
  return { file: "", line: 0, column: 0, length: 1, severity: "error", message, expected: [], text: "" };
}
