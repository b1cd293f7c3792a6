/** From the name of a configuration file to a configuration, and from that to a firewall. */
import type { Config, Diagnostic } from "../config/model.js";
import { parse } from "../config/parse.js";
import { CAPACITY_BOUNDS, CAPACITY_DEFAULT, CoreError } from "../core.js";
import { ConfigError, Dataplane, type DataplaneOptions } from "../index.js";
import { type Io, isProblem, readText, type Result, STANDARD_STREAM } from "../io/io.js";

/** The largest configuration that is read. */
export const CONFIG_BYTES_MAX = 64 * 1024 * 1024;

export interface LoadedConfig {
  readonly config: Config;
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
  /** No diagnostic is an error. */
  readonly usable: boolean;
}

/** Reads and parses a configuration; a problem means that the file cannot be read at all. */
export async function loadConfig(io: Io, path: string, lenient = false): Promise<Result<LoadedConfig>> {
  const text = await readText(io, path, CONFIG_BYTES_MAX);
  if (isProblem(text)) return text;
  const { config, diagnostics } = parse(text.value, { file: displayName(path), lenient });
  const usable = diagnostics.every(({ severity }) => severity !== "error");
  return { value: { config, text: text.value, diagnostics, usable } };
}

/** What a file is called in messages. */
export function displayName(path: string): string {
  return path === STANDARD_STREAM ? "(standard input)" : path;
}

/** Room for the entries of every list of the configuration, when they are more than the default. */
export function rulesNeeded({ accessLists, accessLists6 }: Config): number {
  const lists = [...accessLists.values(), ...accessLists6.values()];
  const entries = lists.reduce((count, list) => count + list.entries.length, 0);
  return Math.min(Math.max(entries, CAPACITY_DEFAULT.rules), CAPACITY_BOUNDS.rules.max);
}

/** A firewall with what its configuration makes a reader notice, or why there is none. */
export type Created =
  | { readonly dataplane: Dataplane; readonly notes: readonly Diagnostic[] }
  | { readonly diagnostics: readonly Diagnostic[] }
  | { readonly problem: string };

/** Makes a firewall, with room for all rules of the configuration unless `capacity` says how much. */
export async function createDataplane(
  { config, text }: LoadedConfig,
  options: Omit<DataplaneOptions, "config">,
): Promise<Created> {
  const lines = text.split(/\r\n|\n|\r/);
  const withText = (each: Diagnostic): Diagnostic => ({
    ...each,
    text: each.text || (lines[each.line - 1] ?? ""),
  });
  const capacity = { ...options.capacity, rules: options.capacity?.rules ?? rulesNeeded(config) };
  try {
    const dataplane = await Dataplane.create({ ...options, capacity, config });
    return { dataplane, notes: dataplane.notes.map(withText) };
  } catch (error) {
    if (error instanceof CoreError) return { problem: error.message };
    if (error instanceof ConfigError) return { diagnostics: error.diagnostics.map(withText) };
    throw error;
  }
}
