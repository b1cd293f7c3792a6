/** Laws that hold for every text: what is read is written back, and a line that fails changes nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Config, ERRORS_MAX, parse, show } from "../../src/config/index.js";
import { linesOf, texts } from "./generate.js";
import { plain } from "./plain.js";
import { ROWS } from "./rows.js";

const SEED = 20_060_717;

/** The round trip of a configuration that `parse` made. */
function expectRoundTrip(config: Config, lenient: boolean): void {
  const text = show(config);
  const again = parse(text, { lenient });
  expect(again.diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  expect(show(again.config)).toBe(text);
  expect(sorted(again.config)).toEqual(sorted(config));
}

/**
 * Lists of the same kind are written one after the other, so their order among lists of another kind is not in the
 * text; all other order is.
 */
function sorted(config: Config): unknown {
  const inOrder = (map: Map<string, unknown>) => new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  return plain({
    ...config,
    accessLists: inOrder(config.accessLists),
    objectGroups: inOrder(config.objectGroups),
    logging: { ...config.logging, levels: inOrder(config.logging.levels) },
    routes: [4, 6].map((family) => config.routes.filter((route) => route.family === family)),
  });
}

describe.each([{ lenient: false }, { lenient: true }])("lenient: $lenient", ({ lenient }) => {
  test("random commands of every row come back", () => {
    let applied = 0;
    fc.assert(
      fc.property(texts(25), (text) => {
        const { config, diagnostics } = parse(text, { lenient });
        applied += diagnostics.filter((d) => d.severity === "error").length === 0 ? 1 : 0;
        expectRoundTrip(config, lenient);
      }),
      { seed: SEED, numRuns: 400 },
    );
    expect(applied).toBeGreaterThan(10);
  });

  test("any characters at all come back, and nothing throws", () => {
    const lines = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme-ascii" })));
    fc.assert(
      fc.property(fc.tuple(texts(4), lines), ([text, noise]) => {
        const { config } = parse(`${text}\n${noise.join("\n")}\n${text}`, { lenient });
        expectRoundTrip(config, lenient);
      }),
      { seed: SEED, numRuns: 250 },
    );
  });

  test("commands with one word changed come back", () => {
    const word = fc.oneof(
      fc.constantFrom("", "any", "4294967296", "no", "host", "0.0.0.0", "1"),
      fc.string(),
    );
    fc.assert(
      fc.property(texts(12), fc.nat(), word, (text, at, other) => {
        const words = text.split(/( |\n)/);
        if (words.length > 1) words[(at * 2) % words.length] = other;
        expectRoundTrip(parse(words.join(""), { lenient }).config, lenient);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

test.each(ROWS.map((row) => [row.mode, row.syntax.slice(0, 80), row] as const))(
  "random lines of the row come back: %s: %s",
  (_mode, _syntax, row) => {
    let read = 0;
    fc.assert(
      fc.property(linesOf(row), (lines) => {
        const { config, diagnostics } = parse(lines.join("\n"));
        if (diagnostics.every((d) => d.severity !== "error")) read++;
        expectRoundTrip(config, false);
      }),
      { seed: SEED, numRuns: 15 },
    );
    // Few random arguments are wrong, so a row that reads none of its own lines has a bad syntax. (A list of a random
    // name cannot be numbered anew, because it is not there.)
    const readable = row.refuse === undefined && (row.set || row.note) && !row.syntax.includes("resequence");
    if (readable) expect(read).toBeGreaterThan(0);
  },
);

test("a line with an error changes nothing", () => {
  let failed = 0;
  const changed = fc.tuple(fc.constantFrom(...ROWS).chain(linesOf), fc.nat(), fc.string({ minLength: 1 }));
  fc.assert(
    fc.property(changed, ([lines, at, other]) => {
      const before = lines.slice(0, -1);
      const words = lines[lines.length - 1]!.split(" ");
      words[at % words.length] = other.replace(/[\r\n]/g, "");
      const { config, diagnostics } = parse([...before, words.join(" ")].join("\n"));
      if (diagnostics.every((d) => d.severity !== "error")) return;
      failed++;
      expect(plain(config)).toEqual(plain(parse(before.join("\n")).config));
    }),
    { seed: SEED, numRuns: 2500 },
  );
  expect(failed).toBeGreaterThan(500);
});

test("diagnostics stay inside the text, and are bounded", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 2000 }), (noise) => {
      const text = noise.replace(/ /g, "\n");
      const { diagnostics } = parse(text, { file: "noise.cfg" });
      const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
      expect(diagnostics.filter((d) => d.severity === "error").length).toBeLessThanOrEqual(ERRORS_MAX + 1);
      for (const d of diagnostics) {
        expect(d.file).toBe("noise.cfg");
        expect(d.line).toBeLessThanOrEqual(lines.length);
        expect(d.column).toBeGreaterThanOrEqual(1);
        if (d.text !== "") expect(lines[d.line - 1]!.startsWith(d.text)).toBe(true);
        expect(d.column - 1).toBeLessThanOrEqual(lines[d.line - 1]!.length);
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});
