/** What is wrong with a line that no row reads, in words. */
import { nearest } from "./diagnostics.js";
import type { Expectation, Mismatch, SyntaxRow, Word } from "./grammar.js";

/** A problem of a line: which characters (from 0), what is wrong, what could have stood there. */
export interface Problem {
  start: number;
  length: number;
  message: string;
  expected?: readonly string[];
  didYouMean?: string;
}

/**
 * Describes a mismatch. `from` is the index of the first word of the command, and `firstWords` are those that a
 * command could begin with.
 */
export function describeMismatch(
  mismatch: Mismatch<SyntaxRow>,
  line: string,
  words: readonly Word[],
  from: number,
  firstWords: () => readonly string[],
): Problem {
  const word = words[mismatch.at];
  if (word !== undefined && mismatch.at === from && mismatch.reason === "unknown") {
    const didYouMean = nearest(word.text, firstWords());
    return {
      start: word.start,
      length: word.text.length,
      message: `unknown command "${word.text}"`,
      ...(didYouMean !== undefined && { didYouMean }),
    };
  }
  const expectations = mismatch.expected();
  const expected = expectations.map((expectation) => expectation.text);
  if (word === undefined) {
    return { start: line.trimEnd().length, length: 1, message: "the command is not complete", expected };
  }
  const { start, text } = word;
  const at = { start, length: text.length };
  if (mismatch.message !== undefined) return { ...at, message: mismatch.message };
  if (mismatch.reason === "ambiguous") {
    const meant = expected.filter((candidate) => candidate.startsWith(text.toLowerCase()));
    return { ...at, message: `"${text}" is ambiguous`, expected: meant };
  }
  const didYouMean = nearest(text, expectations.flatMap(namesOf));
  return {
    ...at,
    message: messageFor(text, expected),
    expected,
    ...(didYouMean !== undefined && { didYouMean }),
  };
}

function namesOf(expectation: Expectation): readonly string[] {
  return expectation.kind === "keyword" ? [expectation.text] : (expectation.names ?? []);
}

function messageFor(text: string, expected: readonly string[]): string {
  if (/^\d+$/.test(text) && expected.some((shown) => /^<\d/.test(shown))) return `${text} is out of range`;
  return `"${text}" does not fit here`;
}
