/** The option lists that stand at the end of pcapng blocks. */
import { OPTION_END, OPTION_HEADER, padded } from "./format.js";

/** One option: its code, and where its value lies. */
export type OptionVisitor = (code: number, offset: number, length: number) => void;

/**
 * Calls `visit` for each option between `from` and `to`, both multiples of four into the block. False: an
 * option runs past the end, and those before it have been visited.
 */
export function walkOptions(
  view: DataView,
  from: number,
  to: number,
  littleEndian: boolean,
  visit?: OptionVisitor,
): boolean {
  let at = from;
  while (to - at >= OPTION_HEADER) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (code === OPTION_END) return true;
    if (length > to - at - OPTION_HEADER) return false;
    visit?.(code, at + OPTION_HEADER, length);
    at += OPTION_HEADER + padded(length);
  }
  return true;
}

const decoder = new TextDecoder();

/** UTF-8 text; zeros at its end, which some writers add, are left out, and broken sequences become U+FFFD. */
export function decodeText(bytes: Uint8Array, offset: number, length: number): string {
  let end = offset + length;
  while (end > offset && bytes[end - 1] === 0) end--;
  return decoder.decode(bytes.subarray(offset, end));
}
