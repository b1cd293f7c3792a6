/**
 * Serial-number arithmetic (RFC 1982, RFC 9260 section 1.6): TSNs count modulo 2^32, stream sequence numbers
 * modulo 2^16. Two numbers are compared by the shorter way around the circle.
 */

/** Steps from `from` to `to`, negative when `to` lies behind: exact while they are less than 2^31 apart. */
export function tsnDistance(from: number, to: number): number {
  return (to - from) | 0;
}

export function isTsnAfter(tsn: number, than: number): boolean {
  return tsnDistance(than, tsn) > 0;
}

/** `tsn` moved by `steps`, which may be negative. */
export function tsnPlus(tsn: number, steps: number): number {
  return (tsn + steps) >>> 0;
}

/** The same for stream sequence numbers: exact while they are less than 2^15 apart. */
export function ssnDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

export function nextSsn(ssn: number): number {
  return (ssn + 1) & 0xffff;
}
