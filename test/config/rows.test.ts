/** Every row of the table of commands: it reads its own example, and writes it back. */
import { describe, expect, test } from "vitest";
import { GRAMMAR } from "../../src/config/commands/index.js";
import { splitWords, polarityOf } from "../../src/config/grammar.js";
import { expectations, MODES, type Mode, parse, show } from "../../src/config/index.js";
import { commandsOf } from "./pair.js";
import { plain } from "./plain.js";
import { pathTo, ROWS, textFor } from "./rows.js";

const readable = ROWS.filter((row) => row.refuse === undefined);
const refused = ROWS.filter((row) => row.refuse !== undefined);

describe("the example of each row", () => {
  test.each(readable.map((row) => [row.example, row.mode, row] as const))(
    "%s (%s)",
    (_example, _mode, row) => {
      const { config, diagnostics } = parse(textFor(row));
      expect(diagnostics).toEqual([]);
      const lines = commandsOf(show(config));
      if (row.shown === null) {
        expect(lines).not.toContain(row.example);
      } else {
        expect(lines).toContain(row.shown ?? row.example);
      }
      const again = parse(show(config));
      expect(again.diagnostics).toEqual([]);
      expect(plain(again.config)).toEqual(plain(config));
      expect(show(again.config)).toBe(show(config));
    },
  );

  test.each(readable.map((row) => [row.example, row.mode, row] as const))(
    "%s is read by its own row (%s)",
    (example, mode, row) => {
      const words = splitWords(example);
      const { polarity, from } = polarityOf(words[0]!.text);
      const outcome = GRAMMAR.match(mode, polarity, example, words, from);
      expect("match" in outcome && outcome.match.row.syntax).toBe(row.syntax);
    },
  );

  test.each(refused.map((row) => [row.example, row.refuse!, row] as const))(
    "%s is refused: %s",
    (example, reason, row) => {
      const { config, diagnostics } = parse(textFor(row));
      expect(diagnostics.map(({ severity, message, text }) => ({ severity, message, text }))).toEqual([
        { severity: "error", message: `refused: ${reason}`, text: example },
      ]);
      expect(plain(config)).toEqual(plain(parse(pathTo(row.mode).join("\n")).config));
    },
  );

  test.each(refused.map((row) => [row.example, row] as const))("no %s is kept", (example, row) => {
    const { config, diagnostics } = parse([...pathTo(row.mode), `no ${example}`].join("\n"));
    expect(diagnostics).toEqual([]);
    expect(config.kept.map((line) => [line.text, line.why])).toContainEqual([`no ${example}`, "note"]);
  });
});

describe("a note", () => {
  const notes = ROWS.filter((row) => row.note !== undefined);
  test.each(notes.map((row) => [row.example, row] as const))(
    "%s is kept with its reason, and gone with default",
    (example, row) => {
      const context = pathTo(row.mode);
      const { config } = parse([...context, example].join("\n"));
      const kept = config.kept.filter((line) => line.text === example);
      expect(kept).toHaveLength(1);
      expect(kept[0]!.note).toBe(`no effect here: ${row.note}`);
      const positive = example.replace(/^no /, "");
      const forgotten = parse(
        [...context, example, ...(row.enters ? ["exit"] : []), `default ${positive}`].join("\n"),
      );
      expect(forgotten.diagnostics).toEqual([]);
      expect(forgotten.config.kept.filter((line) => line.text.endsWith(positive))).toEqual([]);
    },
  );
});

describe("undoing", () => {
  const undoable = readable.filter(
    (row) =>
      row.note === undefined &&
      (row.unset || row.remove) &&
      row.set &&
      row.shown !== null &&
      !/^no /.test(row.example),
  );
  test.each(undoable.map((row) => [row.example, row] as const))(
    "default %s leaves nothing of it",
    (example, row) => {
      const context = pathTo(row.mode);
      const { config, diagnostics } = parse(
        [...context, example, ...(row.enters ? ["exit"] : []), `default ${example}`].join("\n"),
      );
      expect(diagnostics).toEqual([]);
      expect(plain(config)).toEqual(plain(parse(context.join("\n")).config));
    },
  );
});

describe("short forms", () => {
  /** The shortest beginning of each keyword that is no beginning of another keyword there. */
  const shorten = (mode: Mode, line: string): string => {
    const words = line.split(" ");
    return words
      .map((word, n) => {
        if (n === 0 && word === "no") return word;
        const keywords = expectations(mode, words.slice(0, n)).filter((one) => one.kind === "keyword");
        const others = keywords.map((one) => one.text).filter((text) => text !== word.toLowerCase());
        if (others.length === keywords.length || !/^[a-z]/i.test(word)) return word;
        for (let length = 1; length < word.length; length++) {
          const short = word.slice(0, length).toLowerCase();
          if (!others.some((text) => text.startsWith(short))) return short;
        }
        return word;
      })
      .join(" ");
  };
  // A word that a keyword is short for may also be a name; IOS has the same trap.
  const plainRows = readable.filter((row) => row.note === undefined && row.shown === undefined);
  test.each(plainRows.map((row) => [row.example, row] as const))("%s", (example, row) => {
    const lines = textFor(row).split("\n").slice(0, -1);
    const short = shorten(row.mode, example);
    const { config, diagnostics } = parse([...lines, short].join("\n"));
    expect(diagnostics).toEqual([]);
    expect(plain(config)).toEqual(plain(parse(textFor(row)).config));
  });
});

test("every mode can be entered, and its prompt says where one is", () => {
  for (const mode of Object.keys(MODES) as Mode[]) {
    if (mode === "opaque") continue;
    const { diagnostics } = parse(pathTo(mode).join("\n"));
    expect(diagnostics).toEqual([]);
    expect(MODES[mode].prompt).toMatch(/^config/);
  }
});

test("no two rows of a mode have the same syntax", () => {
  const seen = ROWS.map((row) => `${row.mode}: ${row.syntax}`);
  expect(seen.filter((text, n) => seen.indexOf(text) !== n)).toEqual([]);
});
