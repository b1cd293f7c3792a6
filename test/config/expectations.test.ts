/** What could come next: the table as help and completion. */
import { describe, expect, test } from "vitest";
import { END_OF_COMMAND, expectations, type Mode } from "../../src/config/index.js";
import { pathTo, ROWS } from "./rows.js";

const texts = (mode: Mode, ...words: string[]) => expectations(mode, words).map((one) => one.text);

describe("after these words", () => {
  test.each([
    [
      "interface",
      ["standby", "1"],
      ["authentication", "ip", "ipv6", "mac-address", "name", "preempt", "priority", "timers", "track"],
    ],
    ["interface", ["standby", "1", "priority"], ["<0-255>"]],
    ["interface", ["standby", "1", "priority", "110"], [END_OF_COMMAND]],
    ["interface", ["standby", "1", "preempt"], ["delay", END_OF_COMMAND]],
    ["interface", ["standby", "1", "preempt", "delay"], ["minimum", "reload", "sync", END_OF_COMMAND]],
    ["interface", ["standby", "1", "preempt", "delay", "reload", "5"], ["minimum", "sync", END_OF_COMMAND]],
    ["interface", ["standby", "1", "ip"], ["A.B.C.D", END_OF_COMMAND]],
    ["interface", ["ip", "access-group", "L"], ["in", "out"]],
    ["interface", ["stan", "1", "prio"], ["<0-255>"]],
    ["global", ["ip", "inspect", "max-incomplete"], ["high", "low"]],
    ["global", ["hostname"], ["WORD"]],
    ["global", ["hostname", "R1", "R2"], []],
    ["global", ["no", "hostname"], ["WORD", END_OF_COMMAND]],
    ["global", ["no", "ip", "source-route"], [END_OF_COMMAND]],
    ["global", ["foo"], []],
    [
      "extended-list",
      ["permit", "tcp", "any", "eq", "www"],
      ["any", "host", "object-group", "<0-65535>", "A.B.C.D"],
    ],
    ["key", [], ["accept-lifetime", "key-string", "send-lifetime"]],
  ] as const)("%s: %j", (mode, words, expected) => {
    expect(texts(mode, ...words)).toEqual(expected);
  });
});

test("an argument tells the names it knows", () => {
  const port = expectations("extended-list", ["permit", "udp", "any", "any", "eq"]).find(
    (one) => one.kind === "argument",
  )!;
  expect(port.text).toBe("<0-65535>");
  expect(port.names).toContain("domain");
  expect(port.names).not.toContain("www");
});

test("help comes from the rows that go on", () => {
  expect(expectations("interface", ["standby", "1"]).find((one) => one.text === "priority")!.help).toEqual([
    "the higher becomes active",
  ]);
});

test("an example can be typed word by word: each word is among what was expected, and the end is", () => {
  let words = 0;
  for (const row of ROWS) {
    const line = row.example.split(" ");
    for (let n = 0; n <= line.length; n++) {
      const expected = expectations(row.mode, line.slice(0, n));
      const swallowed = expected.length === 0;
      if (n === line.length) {
        // After a text to the end of the line nothing is expected, not even its end.
        if (!swallowed)
          expect([row.example, expected.map((one) => one.kind)]).toContainEqual(
            expect.arrayContaining(["end"]),
          );
      } else if (!swallowed && !["no", "default"].includes(line[n]!)) {
        const keyword = expected.some((one) => one.text === line[n]!.toLowerCase());
        expect(keyword || expected.some((one) => one.kind === "argument")).toBe(true);
        words++;
      }
    }
  }
  expect(words).toBeGreaterThan(ROWS.length);
});

test("every row has help that fits on a line, and an example in its mode", () => {
  for (const row of ROWS) {
    expect(row.help).toMatch(/^.{3,90}$/);
    expect(row.example.length).toBeGreaterThan(0);
    expect(pathTo(row.mode).length).toBeGreaterThanOrEqual(row.mode === "global" ? 0 : 1);
  }
});
