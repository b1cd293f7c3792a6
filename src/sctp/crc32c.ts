/**
 * CRC32c (RFC 9260 appendix A): polynomial 1edc6f41 in reflected form, eight bytes a step ("slicing by eight").
 * The sum of "123456789" is e3069283.
 */

const POLYNOMIAL_REFLECTED = 0x82f63b78;
const SLICES = 8;
const SLICE = 256;

/** TABLE[s * SLICE + b]: what byte b adds to the sum when s more bytes follow it in the same step. */
const TABLE = buildTable();

function buildTable(): Int32Array {
  const table = new Int32Array(SLICES * SLICE);
  for (let byte = 0; byte < SLICE; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL_REFLECTED : sum >>> 1;
    table[byte] = sum;
  }
  for (let i = SLICE; i < table.length; i++) {
    const before = table[i - SLICE]!;
    table[i] = table[before & 0xff]! ^ (before >>> 8);
  }
  return table;
}

/** The register after `bytes[start..end)` when it was `register` before. */
function advance(register: number, bytes: Uint8Array, start: number, end: number): number {
  const table = TABLE;
  let sum = register;
  let at = start;
  for (const last = end - SLICES; at <= last; at += SLICES) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    sum =
      table[0x700 + (sum & 0xff)]! ^
      table[0x600 + ((sum >>> 8) & 0xff)]! ^
      table[0x500 + ((sum >>> 16) & 0xff)]! ^
      table[0x400 + (sum >>> 24)]! ^
      table[0x300 + bytes[at + 4]!]! ^
      table[0x200 + bytes[at + 5]!]! ^
      table[0x100 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < end; at++) sum = table[(sum ^ bytes[at]!) & 0xff]! ^ (sum >>> 8);
  return sum;
}

const ZEROS = new Uint8Array(4);

/** The CRC32c of `bytes`, as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  return ~advance(-1, bytes, 0, bytes.length) >>> 0;
}

/** The CRC32c of `bytes[0..length)` as if the four bytes at `fieldAt` were zero (RFC 9260 section 6.8). */
export function crc32cWithout(bytes: Uint8Array, length: number, fieldAt: number): number {
  const before = advance(-1, bytes, 0, fieldAt);
  const field = advance(before, ZEROS, 0, ZEROS.length);
  return ~advance(field, bytes, fieldAt + ZEROS.length, length) >>> 0;
}
