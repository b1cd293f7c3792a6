import { describe, expect, test } from "vitest";
import { REASONS } from "../../src/reasons.js";
import { VerdictLines } from "../../src/report/lines.js";
import {
  timeText,
  type VerdictNames,
  type VerdictRow,
  verdictComment,
  verdictOf,
} from "../../src/report/verdict.js";
import { formatSessionId } from "../../src/session-view.js";

const NAMES: VerdictNames = {
  interfaces: ["", "GigabitEthernet0/0", 'Odd"name\\'],
  rules: ["IN 10", 'L"ist 20'],
};
const ROW: VerdictRow = {
  n: 1,
  seconds: 1_700_000_000,
  nanos: 5,
  ingress: 1,
  egress: 2,
  reason: REASONS[0]!.code,
  session: 0x1an,
  rule: 2,
};

function lineOf(row: VerdictRow): string {
  const lines = new VerdictLines(NAMES);
  lines.add(row);
  return new TextDecoder().decode(lines.drain());
}

describe("lines", () => {
  test("a whole line, byte by byte", () => {
    expect(lineOf({ ...ROW, egress: 1, rule: 1 })).toBe(
      '{"n":1,"t":"1700000000.000000005","in":"GigabitEthernet0/0","out":"GigabitEthernet0/0"' +
        ',"verdict":"pass","reason":"established","session":"0000001A","rule":"IN 10"}\n',
    );
  });

  test("what is missing is null", () => {
    const line = lineOf({ ...ROW, ingress: 0, egress: 0, session: 0n, rule: 0 });
    expect(JSON.parse(line)).toMatchObject({ in: null, out: null, session: null, rule: null });
  });

  test("every reason has its name and verdict, and names are escaped", () => {
    for (const { code, name, verdict } of REASONS) {
      expect(JSON.parse(lineOf({ ...ROW, reason: code }))).toEqual({
        n: 1,
        t: "1700000000.000000005",
        in: "GigabitEthernet0/0",
        out: 'Odd"name\\',
        verdict,
        reason: name,
        session: formatSessionId(0x1an),
        rule: 'L"ist 20',
      });
    }
  });

  test("many lines in one buffer are each a line, in order", () => {
    const lines = new VerdictLines(NAMES);
    const count = 5000;
    for (let n = 1; n <= count; n++)
      lines.add({ ...ROW, n, seconds: n >> 3, nanos: (n * 7_919_999) % 1_000_000_000 });
    expect(lines.pending).toBeGreaterThan(131_072);
    const text = new TextDecoder().decode(lines.drain());
    expect(lines.pending).toBe(0);
    const parsed = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { n: number; t: string });
    expect(parsed.map(({ n }) => n)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    for (const { n, t } of parsed) expect(t).toBe(timeText(n >> 3, (n * 7_919_999) % 1_000_000_000));
  });

  test("a number without a name is a bug, and says so", () => {
    expect(() => lineOf({ ...ROW, rule: 3 })).toThrow(RangeError);
    expect(() => lineOf({ ...ROW, ingress: 9 })).toThrow(RangeError);
  });
});

describe("time", () => {
  test.each([
    [0, 0, "0.000000000"],
    [1, 999_999_999, "1.999999999"],
    [4_294_967_295, 1, "4294967295.000000001"],
    [-5, 0, "-5.000000000"],
    [-5, 500_000_000, "-4.500000000"],
    [-1, 1, "-0.999999999"],
    [2 ** 53 - 1, 0, "9007199254740991.000000000"],
  ])("%d s and %d ns", (seconds, nanos, text) => {
    expect(timeText(seconds, nanos)).toBe(text);
    expect(JSON.parse(lineOf({ ...ROW, seconds, nanos })).t).toBe(text);
  });
});

describe("comments", () => {
  test("all that is known", () => {
    expect(verdictComment({ ...ROW, rule: 1 }, NAMES)).toBe(
      'pass established: belongs to a session; in GigabitEthernet0/0; out Odd"name\\; session 0000001A; rule IN 10',
    );
  });

  test("nothing but the reason, for every reason", () => {
    for (const { code, name, verdict, meaning } of REASONS) {
      const row = { ...ROW, reason: code, ingress: 0, egress: 0, session: 0n, rule: 0 };
      expect(verdictComment(row, NAMES)).toBe(`${verdict} ${name}: ${meaning}`);
      expect(verdictOf(row)).toBe(verdict);
    }
  });
});
