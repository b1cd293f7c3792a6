/** The expressions of output filters against those of JavaScript, and their time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, type Pattern } from "../../src/console/regex.js";

function compiled(source: string): Pattern {
  const pattern = compilePattern(source);
  if ("problem" in pattern) throw new Error(pattern.problem);
  return pattern;
}

const { source } = fc.letrec<{ source: string; part: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom("a", "b", "c", ".", "[ab]", "[^b]", "[a-c]", "^", "$", "\\.", "a*", "b+", "c?", ".*"),
    tie("source").map((inner) => `(${inner})`),
    tie("source").map((inner) => `(${inner})*`),
    tie("source").map((inner) => `(${inner})+`),
    tie("source").map((inner) => `(${inner})?`),
  ),
  source: fc
    .array(fc.array(tie("part") as fc.Arbitrary<string>, { maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((choices) => choices.map((parts) => parts.join("")).join("|")),
}));

describe("an expression", () => {
  // Short lines and little nesting: the other side backtracks.
  test("finds what JavaScript's finds", () => {
    fc.assert(
      fc.property(source, fc.stringMatching(/^[abc.]{0,5}$/), (pattern, line) => {
        expect(compiled(pattern).test(line)).toBe(new RegExp(pattern).test(line));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["a(", "a ( is not closed"],
    ["a)", "a ) closes nothing"],
    ["[ab", "a [ is not closed"],
    ["*a", "* has nothing to repeat"],
    ["a\\", "nothing follows the last \\"],
    ["(".repeat(60) + ")".repeat(60), "too many ( within each other"],
  ])("%s is refused", (pattern, problem) => {
    expect(compilePattern(pattern)).toEqual({ problem });
  });

  test("is matched in time in proportion to the text", () => {
    const startMs = performance.now();
    expect(compiled("^(a+)+$").test(`${"a".repeat(20_000)}b`)).toBe(false);
    expect(compiled("(a*)*(b*)*(a|a|a)*c").test("a".repeat(20_000))).toBe(false);
    // Backtracking would take longer than there is time.
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});
