import { describe, expect, test } from "vitest";
import { printable } from "../../src/printable.js";
import {
  bytesText,
  counted,
  grouped,
  type Paint,
  NO_PAINT,
  shareText,
  spanText,
  table,
  wrapped,
} from "../../src/report/text.js";

describe("numbers", () => {
  test.each([
    [0, "0"],
    [999, "999"],
    [1000, "1,000"],
    [1234567, "1,234,567"],
    [100000000, "100,000,000"],
  ])("%d is grouped as %s", (value, text) => expect(grouped(value)).toBe(text));

  test.each([
    [0, "0 packets"],
    [1, "1 packet"],
    [2, "2 packets"],
    [1000, "1,000 packets"],
  ])("%d packets", (value, text) => expect(counted(value, "packet")).toBe(text));

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [9994, "9.99 kB"],
    [9996, "10.0 kB"],
    [99_949, "99.9 kB"],
    [99_951, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [8_912_345, "8.91 MB"],
    [5e18, "5000 PB"],
  ])("%d bytes are %s", (value, text) => expect(bytesText(value)).toBe(text));

  test.each([
    [0, 0, "-"],
    [0, 10, "0.0 %"],
    [10, 10, "100.0 %"],
    [1, 3, "33.3 %"],
    [1, 1999, "0.1 %"],
    [1, 2001, "<0.1 %"],
  ])("%d of %d", (part, whole, text) => expect(shareText(part, whole)).toBe(text));

  test.each([
    [0, "0.000 s"],
    [0.0124, "0.012 s"],
    [9.9994, "9.999 s"],
    [10, "10.0 s"],
    [59.9, "59.9 s"],
    [60, "1:00"],
    [3599, "59:59"],
    [3600, "1:00:00"],
    [86_399, "23:59:59"],
    [86_400, "1 d 00:00:00"],
    [2 * 86_400 + 3 * 3600 + 4 * 60 + 5, "2 d 03:04:05"],
  ])("%d seconds are %s", (value, text) => expect(spanText(value)).toBe(text));
});

test("nothing that drives a terminal is left", () => {
  for (let code = 0; code < 0x2100; code++) {
    const shown = printable(`a${String.fromCharCode(code)}b`);
    const control = code < 32 || (code >= 127 && code < 160) || code === 0x2028 || code === 0x202e;
    if (control) expect(shown).toBe(code === 9 ? "a b" : "a?b");
  }
  expect(printable("äöü 日本 → x")).toBe("äöü 日本 → x");
});

describe("wrapped", () => {
  test.each([
    ["", 10, [""]],
    ["one", 10, ["one"]],
    ["one two three", 7, ["one two", "three"]],
    ["one two three", 8, ["one two", "three"]],
    ["averylongword a b", 5, ["averylongword", "a b"]],
  ])("%j in %d columns", (text, width, lines) => expect(wrapped(text, width)).toEqual(lines));
});

describe("table", () => {
  const columns = [
    { align: "left", title: "name" },
    { align: "right", title: "count" },
    { align: "left" },
  ] as const;

  test("columns are aligned, and no line ends in spaces", () => {
    const rows = [
      ["a", "1", "first"],
      ["bbbbbb", "1,000", ""],
    ];
    expect(table(columns, rows)).toEqual(["  name    count", "  a           1  first", "  bbbbbb  1,000"]);
  });

  test("the widest left-aligned column is cut, numbers never are", () => {
    const rows = [["n".repeat(30), "1".repeat(30), "d".repeat(60)]];
    const lines = table(columns, rows, { width: 100 });
    expect(Math.max(...lines.map((line) => line.length))).toBe(100);
    expect(lines[1]).toContain("1".repeat(30));
    expect(lines[1]).toContain("n".repeat(30));
    expect(lines[1]!.endsWith("d…")).toBe(true);
  });

  test("several columns give way when one is not enough", () => {
    const rows = [["n".repeat(80), "1", "d".repeat(80)]];
    const lines = table(columns, rows, { width: 60 });
    expect(Math.max(...lines.map((line) => line.length))).toBe(60);
  });

  test("colours change nothing but the colours", () => {
    const paint: Paint = { ...NO_PAINT, dim: (text) => `<${text}>`, red: (text) => `[${text}]` };
    const rows = [[{ text: "a", paint: paint.red }, "1", "x"]];
    const plain = (line: string) => line.replace(/[<>[\]]/g, "");
    expect(table(columns, rows, { paint })[1]).toBe("  [a]         1  x");
    expect(table(columns, rows, { paint }).map(plain)).toEqual(table(columns, [["a", "1", "x"]]));
  });
});
