/** The table of commands: every row reads its example, answers it as text and as JSON, and can be helped with. */
import { describe, expect, test } from "vitest";
import { polarityOf, splitWords } from "../../src/config/grammar.js";
import { Changes } from "../../src/console/changes.js";
import { EXEC_GRAMMARS, ROWS } from "../../src/console/commands/index.js";
import { BRANCH_HELPS } from "../../src/console/help.js";
import { jsonPieces } from "../../src/console/json.js";
import { ConsoleSession } from "../../src/console/session.js";
import { FakeBackend } from "./fake-backend.js";

const words = (line: string) => splitWords(line).map(({ text }) => text);

async function textOf(session: ConsoleSession, line: string): Promise<{ text: string; isDone: boolean }> {
  const output = session.run(line);
  let text = "";
  for (;;) {
    const { value, done } = await output.next();
    if (done) return { text, isDone: value };
    text += value;
  }
}

const newSession = () => {
  const backend = new FakeBackend();
  return new ConsoleSession(backend, new Changes(backend));
};

describe.each(ROWS.map((row) => [row.syntax, row] as const))("%s", (_, row) => {
  test("reads its example", () => {
    const { polarity, from } = polarityOf(row.example);
    const outcome = EXEC_GRAMMARS.privileged.match(
      "exec",
      polarity,
      row.example,
      splitWords(row.example),
      from,
    );
    expect("match" in outcome && outcome.match.row.syntax).toBe(row.syntax);
  });

  test("is there without `enable` only when it changes nothing", () => {
    const outcome = EXEC_GRAMMARS.user.match("exec", "set", row.example, splitWords(row.example));
    expect("match" in outcome).toBe(row.isForAll ?? false);
    if (/^(clear|debug|undebug|configure|copy|write|redundancy|monitor)/.test(row.syntax)) {
      expect(row.isForAll).toBeFalsy();
    }
  });

  test("answers as JSON, whole", async () => {
    const session = newSession();
    const answer = await session.data(row.example);
    if ("problem" in answer) expect(answer.problem).toMatch(/\S/);
    else {
      let json = "";
      for await (const piece of jsonPieces(answer.data)) json += piece;
      expect(json).not.toContain("\n");
      expect(JSON.parse(json)).toBeDefined();
    }
  });
});

describe("help", () => {
  test("every word that several commands begin with says what it is about", () => {
    const branching = new Set<string>();
    for (const row of ROWS) {
      for (let count = 0; count < words(row.example).length; count++) {
        for (const each of EXEC_GRAMMARS.privileged.expectations(
          "exec",
          words(row.example).slice(0, count),
        )) {
          if (each.kind === "keyword" && each.help.length > 1) branching.add(each.text);
        }
      }
    }
    expect([...branching].filter((word) => BRANCH_HELPS[word] === undefined)).toEqual([]);
  });
});

describe("a line", () => {
  test.each([
    ["that is too long", "x".repeat(300), "% the line is longer than 254 characters\n"],
    ["with a control character", "show\u0007", "% there is a control character in the line\n"],
    ["that is empty", "   ", ""],
    ["that is a comment", "! nothing", ""],
    ["with `default`", "default show clock", "        ^\n% Invalid input detected at '^' marker.\n"],
  ])("%s", async (_, line, text) => {
    expect((await textOf(newSession(), line)).text).toBe(text);
  });

  test("says whether it went well", async () => {
    const session = newSession();
    expect((await textOf(session, "show clock")).isDone).toBe(true);
    expect((await textOf(session, "show clocks")).isDone).toBe(false);
    expect((await textOf(session, "show interfaces Gi7/7")).isDone).toBe(false);
    expect((await textOf(session, "show clock | include (")).isDone).toBe(false);
  });
});

describe("completion", () => {
  test.each([
    ["", "sh", ["show"]],
    ["", "show ip insp", ["inspect"]],
    [
      "",
      "show interfaces g",
      ["GigabitEthernet0/0", "GigabitEthernet0/1", "GigabitEthernet0/2", "GigabitEthernet0/3"],
    ],
    ["", "show clock | inc", ["include"]],
    ["", "show clock | include x", []],
    ["", "nothing ", []],
    ["configure terminal", "interf", ["interface"]],
    ["configure terminal", "do show ver", ["version"]],
    ["configure terminal", "exi", ["exit"]],
  ])("%s / %s", async (before, beginning, expected) => {
    const session = newSession();
    await textOf(session, before);
    const { start, words: found } = await session.complete(beginning);
    expect([...found].sort()).toEqual(expected);
    expect(beginning.slice(start)).toBe(/\S*$/.exec(beginning)![0]);
  });
});
