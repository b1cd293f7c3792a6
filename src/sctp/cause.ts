/**
 * Error causes of ERROR and ABORT chunks (RFC 9260 section 3.3.10), each as one field list.
 */
import { BYTES_TAIL, form, itemList, NO_TAIL, type Tail, type Unknown, type ValueOf } from "./tlv.js";

/** More causes than this in one chunk are refused. */
export const CAUSES_PER_CHUNK_MAX = 64;

export const CAUSES = {
  invalidStream: form(1, { stream: "u16", reserved: "u16" }, NO_TAIL),
  /** A count of 32 bits and as many parameter types of 16. */
  missingParameter: form(2, {}, BYTES_TAIL),
  staleCookie: form(3, { stalenessMicroseconds: "u32" }, NO_TAIL),
  outOfResource: form(4, {}, NO_TAIL),
  unresolvableAddress: form(5, {}, BYTES_TAIL),
  unrecognizedChunk: form(6, {}, BYTES_TAIL),
  invalidParameter: form(7, {}, NO_TAIL),
  unrecognizedParameters: form(8, {}, BYTES_TAIL),
  noUserData: form(9, { tsn: "u32" }, NO_TAIL),
  cookieWhileShuttingDown: form(10, {}, NO_TAIL),
  restartWithNewAddresses: form(11, {}, BYTES_TAIL),
  userInitiatedAbort: form(12, {}, BYTES_TAIL),
  protocolViolation: form(13, {}, BYTES_TAIL),
};

export type Cause = ValueOf<typeof CAUSES> | Unknown;

const LIST = itemList(CAUSES, CAUSES_PER_CHUNK_MAX);

export const CAUSES_TAIL: Tail<{ causes: Cause[] }> = {
  read(from, at, end) {
    const causes = LIST.read(from, at, end);
    return causes === undefined ? undefined : { causes };
  },
  size: (value) => LIST.size(value.causes),
  write: (to, at, value) => LIST.write(to, at, value.causes),
};
