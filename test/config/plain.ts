/** Configurations without what a comparison should not see: positions and file names. */
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
