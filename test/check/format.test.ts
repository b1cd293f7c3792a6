/**
 * Findings as text and as a value; the exit code.
 */
import { describe, expect, test } from "vitest";
import { exitCodeOf, type Finding, formatFindings, reportOf } from "../../src/check/index.js";

const finding = (fields: Partial<Finding>): Finding => ({
  id: "V07",
  severity: "warning",
  file: "a.cfg",
  line: 1,
  column: 1,
  message: "something",
  mend: "do this",
  ...fields,
});

const SOME = [
  finding({ file: "b.cfg", line: 2 }),
  finding({ line: 30, column: 5 }),
  finding({ id: "V05", line: 30, column: 2, severity: "error", otherAt: { file: "b.cfg", line: 7 } }),
  finding({ id: "V24", line: 9, severity: "info" }),
  finding({ id: "V03", line: 30, column: 5 }),
];

describe("formatFindings", () => {
  test("by file, line, column and rule, with the counts", () => {
    expect(formatFindings(SOME)).toBe(`a.cfg:9:1: info V24: something
    mend: do this
a.cfg:30:2: error V05: something
    mend: do this
    see: b.cfg:7
a.cfg:30:5: warning V03: something
    mend: do this
a.cfg:30:5: warning V07: something
    mend: do this
b.cfg:2:1: warning V07: something
    mend: do this
1 error, 3 warnings, 1 info
`);
  });

  test("nothing found", () => {
    expect(formatFindings([])).toBe("no findings\n");
  });

  test("several of each", () => {
    const twice = [...SOME, ...SOME];
    expect(formatFindings(twice)).toContain("\n2 errors, 6 warnings, 2 infos\n");
  });

  test("colours only when asked for, and then around the same text", () => {
    const escapes = /\u001b\[\d+m/g;
    expect(formatFindings(SOME)).not.toMatch(escapes);
    const colored = formatFindings(SOME, { color: true });
    expect(colored).toContain("\u001b[31merror V05\u001b[39m");
    expect(colored.replace(escapes, "")).toBe(formatFindings(SOME));
  });
});

test("the report is in the same order and goes through JSON", () => {
  const report = reportOf(SOME);
  expect(report).toMatchObject({ errors: 1, warnings: 3, infos: 1 });
  expect(report.findings.map(({ id }) => id)).toEqual(["V24", "V05", "V03", "V07", "V07"]);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test("the exit code is 1 with an error, else 0", () => {
  expect(exitCodeOf([])).toBe(0);
  expect(exitCodeOf(SOME.filter(({ severity }) => severity !== "error"))).toBe(0);
  expect(exitCodeOf(SOME)).toBe(1);
});
