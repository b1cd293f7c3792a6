/**
 * Parameters of INIT, INIT ACK, HEARTBEAT and HEARTBEAT ACK (RFC 9260 sections 3.3.2, 3.3.3, 3.3.5), each as one
 * field list, and what the top bits of an unknown type demand (section 3.2.1).
 */
import {
  BYTES_TAIL,
  form,
  itemList,
  NO_TAIL,
  type Tail,
  U16_TAIL,
  type Unknown,
  type ValueOf,
} from "./tlv.js";

/** One parameter may hold many addresses' worth of others: more than this in one chunk is refused. */
export const PARAMETERS_PER_CHUNK_MAX = 128;

export const PARAMETERS = {
  heartbeatInfo: form(1, {}, BYTES_TAIL),
  ipv4Address: form(5, { address: "u32" }, NO_TAIL),
  ipv6Address: form(6, { address: "u128" }, NO_TAIL),
  stateCookie: form(7, {}, BYTES_TAIL),
  /** A whole parameter that the sender of this one did not know. */
  unrecognizedParameter: form(8, {}, BYTES_TAIL),
  /** How much longer than usual the cookie should live. */
  cookiePreservative: form(9, { incrementMs: "u32" }, NO_TAIL),
  /** Deprecated; its sender is answered with an ABORT. */
  hostName: form(11, {}, BYTES_TAIL),
  /** Types of address parameters that the sender can use. */
  supportedAddressTypes: form(12, {}, U16_TAIL),
};

export type Parameter = ValueOf<typeof PARAMETERS> | Unknown;

const LIST = itemList(PARAMETERS, PARAMETERS_PER_CHUNK_MAX);

export const PARAMETERS_TAIL: Tail<{ parameters: Parameter[] }> = {
  read(from, at, end) {
    const parameters = LIST.read(from, at, end);
    return parameters === undefined ? undefined : { parameters };
  },
  size: (value) => LIST.size(value.parameters),
  write: (to, at, value) => LIST.write(to, at, value.parameters),
};

/** What to do with an item of an unknown type. */
export interface UnknownRule {
  /** Go on with the items behind it. */
  isSkipped: boolean;
  /** Tell the sender. */
  isReported: boolean;
}

/** The two top bits of a parameter's type (16 bits wide). */
export function unknownParameterRule(type: number): UnknownRule {
  return unknownRule(type >>> 14);
}

/** Indexed by the top bits: stop, stop and report, skip, skip and report. */
export function unknownRule(topBits: number): UnknownRule {
  return { isSkipped: (topBits & 2) !== 0, isReported: (topBits & 1) !== 0 };
}
