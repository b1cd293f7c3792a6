/**
 * Packet times. A time is whole seconds since 1970 and nanoseconds of that second, because no single
 * JavaScript number holds both; a pcapng time is a count of ticks in two 32-bit halves, in a unit that each
 * interface chooses.
 */

export const NANOS_PER_SECOND = 1_000_000_000;
const TWO_32 = 0x1_0000_0000;

/** The last whole second that a 64-bit count of nanoseconds reaches, and the nanoseconds after it. */
const NANOS64_SECONDS_MAX = 18_446_744_073;
const NANOS64_REST_MAX = 709_551_615;

/** How the ticks of one interface become a time. */
export interface TimeScale {
  /**
   * Ticks per second where that and its arithmetic are exact, which is every usual unit; 0 for the others.
   */
  readonly ticksPerSecond: number;
  readonly nanosPerTick: number;
  /** The same as ticksPerSecond for any unit: up to 10^127 or 2^127. */
  readonly wideTicksPerSecond: bigint;
  /** if_tsoffset: seconds to add. */
  readonly offsetSeconds: number;
}

/**
 * The powers of ten for which `convertTicks` needs no bigint: with fewer ticks in a second the quotient of a
 * 64-bit count outgrows a double, with more its remainder outgrows 32 bits.
 */
const EXACT_DIGITS_MIN = 4;
const EXACT_DIGITS_MAX = 9;

/** The scale of an if_tsresol octet: a power of ten, or of two when its highest bit is set. */
export function timeScale(resolution: number, offsetSeconds: number): TimeScale {
  const exponent = resolution & 0x7f;
  const decimal = (resolution & 0x80) === 0;
  const exact = decimal && exponent >= EXACT_DIGITS_MIN && exponent <= EXACT_DIGITS_MAX;
  return {
    ticksPerSecond: exact ? 10 ** exponent : 0,
    nanosPerTick: exact ? 10 ** (EXACT_DIGITS_MAX - exponent) : 0,
    wideTicksPerSecond: (decimal ? 10n : 2n) ** BigInt(exponent),
    offsetSeconds,
  };
}

/**
 * The time of a 64-bit count of ticks, into row `i` of both columns; what is finer than a nanosecond is cut
 * off.
 *
 * The double that stands for the count is wrong in its last bits, so the quotient may be one off. The
 * remainder then lies between -divisor and 2 * divisor, so that 32 bits of it are enough to know it exactly
 * and to mend both.
 */
export function convertTicks(
  scale: TimeScale,
  high: number,
  low: number,
  seconds: Float64Array,
  nanos: Uint32Array,
  i: number,
): void {
  const divisor = scale.ticksPerSecond;
  if (divisor === 0) {
    const ticks = ticksOf(high, low);
    const wide = scale.wideTicksPerSecond;
    seconds[i] = Number(ticks / wide) + scale.offsetSeconds;
    nanos[i] = Number(((ticks % wide) * BigInt(NANOS_PER_SECOND)) / wide);
    return;
  }
  let quotient = Math.floor((high * TWO_32 + low) / divisor);
  let rest = (low - Math.imul(quotient, divisor)) | 0;
  if (rest < 0) {
    quotient--;
    rest += divisor;
  } else if (rest >= divisor) {
    quotient++;
    rest -= divisor;
  }
  seconds[i] = quotient + scale.offsetSeconds;
  nanos[i] = rest * scale.nanosPerTick;
}

function ticksOf(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/**
 * A time as 64 bits of nanoseconds. A time before 1970 or after 2554 does not fit and becomes the nearest
 * that does.
 */
export function nanos64(seconds: number, nanos: number): { high: number; low: number } {
  if (seconds < 0) return nanos64(0, 0);
  if (seconds > NANOS64_SECONDS_MAX || (seconds === NANOS64_SECONDS_MAX && nanos > NANOS64_REST_MAX)) {
    return nanos64(NANOS64_SECONDS_MAX, NANOS64_REST_MAX);
  }
  // seconds * 10^9 in two parts, each of which a double holds exactly.
  const upper = Math.floor(seconds / 65_536) * NANOS_PER_SECOND;
  const lower = (seconds % 65_536) * NANOS_PER_SECOND + nanos;
  const upperHigh = Math.floor(upper / 65_536);
  const rest = (upper % 65_536) * 65_536 + lower;
  return { high: upperHigh + Math.floor(rest / TWO_32), low: rest % TWO_32 };
}
