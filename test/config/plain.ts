/** Configurations without what a comparison should not see: positions and file names. */
import type { Config } from "../../src/config/index.js";

/** A copy without `at`, `delayAt` and `file`, and without keys that are undefined. Maps become lists of entries. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...value].map(([key, item]) => [key, plain(item)]);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== undefined && key !== "at" && key !== "delayAt" && key !== "file")
      .map(([key, item]) => [key, plain(item)]),
  );
}

/** The same, without the order of blocks that may stand in any order in a text. */
export function unordered(config: Config): unknown {
  const sorted = (map: Map<string, unknown>) => plain([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  return [
    plain({ ...config, accessLists: undefined, objectGroups: undefined }),
    sorted(config.accessLists),
    sorted(config.objectGroups),
  ];
}
