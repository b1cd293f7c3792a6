/** What the two halves of a session sync say to each other: a byte for the kind, then what it carries. */
import type { Names } from "../sync-port.js";
import * as L from "../../assembly/layout.js";

/** Kinds by their numbers; 0 is none. */
const KINDS = ["", "names", "records", "acknowledgement", "requests", "difference"] as const;

export type SyncFrame =
  /** What the numbers in the records that follow stand for. */
  | { kind: "names"; names: Names }
  /** Records of the core: to the standby, in order. */
  | { kind: "records"; records: Uint8Array }
  /** Records that the standby has looked at since the peer came. */
  | { kind: "acknowledgement"; taken: bigint }
  /** Records of the core: from the standby, sessions that it does not know. */
  | { kind: "requests"; records: Uint8Array }
  /** From the standby, after each comparison: buckets whose digests differ. */
  | { kind: "difference"; buckets: bigint };

export const KIND_SIZE = 1;
const NUMBER_SIZE = 8;
/** Names that a peer may have, all kinds together, as text. */
const NAMES_BYTES_MAX = 30_000;
const NAME_LENGTH_MAX = 256;

export function emitFrame(frame: SyncFrame): Uint8Array {
  const kind = KINDS.indexOf(frame.kind);
  switch (frame.kind) {
    case "names":
      return withKind(kind, new TextEncoder().encode(JSON.stringify(frame.names)));
    case "records":
    case "requests":
      return withKind(kind, frame.records);
    case "acknowledgement":
      return withKind(kind, numberBytes(frame.taken));
    case "difference":
      return withKind(kind, numberBytes(frame.buckets));
  }
}

/** Undefined: no frame. */
export function parseFrame(bytes: Uint8Array): SyncFrame | undefined {
  const kind = KINDS[bytes[0] ?? 0];
  const body = bytes.subarray(KIND_SIZE);
  switch (kind) {
    case "names": {
      const names = parseNames(body);
      return names && { kind, names };
    }
    case "records":
    case "requests":
      return body.length > 0 && body.length <= L.SYNC_IN_SIZE ? { kind, records: body } : undefined;
    case "acknowledgement":
      return body.length === NUMBER_SIZE ? { kind, taken: numberOf(body) } : undefined;
    case "difference":
      return body.length === NUMBER_SIZE ? { kind, buckets: numberOf(body) } : undefined;
    default:
      return undefined;
  }
}

function withKind(kind: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(KIND_SIZE + body.length);
  bytes[0] = kind;
  bytes.set(body, KIND_SIZE);
  return bytes;
}

function numberBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(NUMBER_SIZE);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function numberOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0);
}

function parseNames(bytes: Uint8Array): Names | undefined {
  if (bytes.length > NAMES_BYTES_MAX) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { interfaces, inspectionRules, services } = value as Record<string, unknown>;
  return isNames(interfaces, L.INTERFACES_MAX) &&
    isNames(inspectionRules, L.INSPECT_RULES_MAX + 1) &&
    isNames(services, L.SERVICES_MAX)
    ? { interfaces, inspectionRules, services }
    : undefined;
}

function isNames(value: unknown, max: number): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= max &&
    value.every((name) => typeof name === "string" && name.length <= NAME_LENGTH_MAX)
  );
}
