/** Changes of bytes and of text, as damage and hostility make them. */
import type { Random } from "../../test/model/random.js";

/** Values that lengths and counters are sensitive to. */
const HOSTILE_BYTES = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xfc, 0xff] as const;
const HOSTILE_WORDS = [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff] as const;
const CHANGES_MAX = 6;
const TEXT_CHANGES_MAX = 3;
const RUN_MAX = 64;

type Change = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A place, and up to `RUN_MAX` bytes from there. */
function run(bytes: Uint8Array, random: Random): { from: number; to: number } {
  const from = random.int(bytes.length + 1);
  return { from, to: Math.min(bytes.length, from + 1 + random.int(RUN_MAX)) };
}

function inPlace(change: (bytes: Uint8Array, random: Random) => void): Change {
  return (bytes, random) => {
    const changed = Uint8Array.from(bytes);
    if (changed.length > 0) change(changed, random);
    return changed;
  };
}

const CHANGES: readonly (readonly [weight: number, Change])[] = [
  [
    4,
    inPlace((bytes, random) => {
      bytes[random.int(bytes.length)]! ^= 1 << random.int(8);
    }),
  ],
  [
    4,
    inPlace((bytes, random) => {
      bytes[random.int(bytes.length)] = random.pick(HOSTILE_BYTES);
    }),
  ],
  [
    3,
    inPlace((bytes, random) => {
      if (bytes.length < 4) return;
      const view = new DataView(bytes.buffer);
      view.setUint32(random.int(bytes.length - 3), random.pick(HOSTILE_WORDS), random.chance(0.5));
    }),
  ],
  [
    1,
    inPlace((bytes, random) => {
      const { from, to } = run(bytes, random);
      bytes.set(random.bytes(to - from), from);
    }),
  ],
  // Cut out, put in, repeated, torn off, continued with another one.
  [
    2,
    (bytes, random) => {
      const { from, to } = run(bytes, random);
      return concat(bytes.subarray(0, from), bytes.subarray(to));
    },
  ],
  [
    1,
    (bytes, random) => {
      const { from } = run(bytes, random);
      return concat(bytes.subarray(0, from), random.bytes(1 + random.int(RUN_MAX)), bytes.subarray(from));
    },
  ],
  [
    1,
    (bytes, random) => {
      const { from, to } = run(bytes, random);
      return concat(bytes.subarray(0, to), bytes.subarray(from));
    },
  ],
  [2, (bytes, random) => bytes.slice(0, random.int(bytes.length + 1))],
  [
    1,
    (bytes, random, other) =>
      concat(bytes.subarray(0, random.int(bytes.length + 1)), other.subarray(random.int(other.length + 1))),
  ],
];

/** The bytes with a few changes; `other` is what they may be continued with. */
export function mutateBytes(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let changed = bytes;
  for (let changes = 1 + random.int(CHANGES_MAX); changes > 0; changes--)
    changed = random.weighted(CHANGES)(changed, random, other);
  return changed;
}

const HOSTILE_TEXT = [
  "",
  "0",
  "-1",
  "1",
  "4294967295",
  "4294967296",
  "99999999999999999999",
  "no",
  "any",
  "host",
  "0.0.0.0",
  "255.255.255.255",
  "256.1.1.1",
  "::",
  "::/0",
  "2001:db8::/129",
  "1.1.1.1/33",
  "deny",
  "permit",
  "\t",
  "!",
  "end",
  "exit",
  "\u0000",
  "\u00e9",
  "x".repeat(300),
  '"',
  "*",
  "eq",
  "range",
  "log",
  "|",
  "?",
  "\r",
] as const;

type TextChange = (lines: string[], random: Random, words: readonly string[]) => void;

/** Puts another word where one of a line stands. */
function replaceWord(lines: string[], random: Random, word: (random: Random) => string): void {
  const at = random.int(lines.length);
  const words = lines[at]!.split(/(\s+)/);
  words[random.int(words.length)] = word(random);
  lines[at] = words.join("");
}

/** Puts a changed copy of one line where another stands. */
function replaceLine(lines: string[], random: Random, change: (line: string) => string): void {
  const at = random.int(lines.length);
  lines[at] = change(random.pick(lines));
}

const TEXT_CHANGES: readonly (readonly [weight: number, TextChange])[] = [
  [5, (lines, random, words) => replaceWord(lines, random, () => random.pick(words))],
  [4, (lines, random) => replaceWord(lines, random, () => random.pick(HOSTILE_TEXT))],
  [2, (lines, random) => replaceWord(lines, random, () => String(random.u32() >>> random.int(32)))],
  [2, (lines, random) => void lines.splice(random.int(lines.length), 1 + random.int(3))],
  [2, (lines, random) => void lines.splice(random.int(lines.length), 0, random.pick(lines))],
  [1, (lines, random) => replaceLine(lines, random, (line) => ` ${line}`)],
  [1, (lines, random) => replaceLine(lines, random, (line) => `no ${line.trim()}`)],
  [
    1,
    (lines, random) => {
      const at = random.int(lines.length);
      const line = lines[at]!;
      const from = random.int(line.length + 1);
      lines[at] =
        line.slice(0, from) + String.fromCharCode(random.int(300)) + line.slice(from + random.int(2));
    },
  ],
  [
    1,
    (lines, random) => {
      const [a, b] = [random.int(lines.length), random.int(lines.length)];
      [lines[a], lines[b]] = [lines[b]!, lines[a]!];
    },
  ],
];

/** The text with none or a few of its lines and words changed; `words` are what else may stand in it. */
export function mutateText(text: string, random: Random, words: readonly string[]): string {
  const lines = text.split("\n");
  for (let changes = random.int(TEXT_CHANGES_MAX + 1); changes > 0; changes--) {
    if (lines.length === 0) lines.push("");
    random.weighted(TEXT_CHANGES)(lines, random, words);
  }
  return lines.join("\n");
}
