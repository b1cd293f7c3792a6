/** Data as JSON: what JSON has no form for gets one, and lists that come piece by piece are written as they come. */
import { type Address, formatAddress } from "../ip.js";
/** Data as JSON: what JSON has no form for gets one, and lists that come piece by piece are written as they come. */

/** Numbers beyond 2^53 and instants that are never are no numbers in JSON. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Uint8Array)
    return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return value;
}

/** A copy in which the fields of these names hold addresses as text. */
export function addressesAsText(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => addressesAsText(each, names));
  if (typeof value !== "object" || value === null || value instanceof Map || value instanceof Set)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      names.includes(name) ? formatEach(each) : addressesAsText(each, names),
    ]),
  );
}

function formatEach(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(formatEach);
  return typeof value === "number" || typeof value === "bigint" ? formatAddress(value as Address) : value;
}

export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value ?? null, plain, indent);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** Pieces of one JSON value. Without an indent there is no line end in it. */
export async function* jsonPieces(value: unknown, indent?: number): AsyncGenerator<string, void> {
  if (!isAsyncIterable(value)) {
    yield toJson(value, indent);
    return;
  }
  const gap = indent === undefined ? "" : `\n${" ".repeat(indent)}`;
  let isFirst = true;
  for await (const each of value) {
    const text = toJson(each, indent).replaceAll("\n", gap);
    yield `${isFirst ? "[" : ","}${gap}${text}`;
    isFirst = false;
  }
  yield isFirst ? "[]" : `${indent === undefined ? "" : "\n"}]`;
}
