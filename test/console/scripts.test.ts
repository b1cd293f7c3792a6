/**
 * Sessions as they look on a terminal: test/console/scripts/*.txt. What stands behind a prompt or a pause is typed, all
 * else is what must come. With REWRITE_SCRIPTS=1 the files are written anew; read the difference before it is kept.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Changes } from "../../src/console/changes.js";
import { ConsoleSession } from "../../src/console/session.js";
import { LineTerminal, MORE } from "../../src/console/terminal.js";
import { FakeBackend } from "./fake-backend.js";

const FOLDER = new URL("scripts/", import.meta.url);
const TYPED = /^(?:Router\w*(?:\([\w-]+\))?[#>]| --More-- )(.*)$/;
/** A script that is rewritten from nothing but what is typed. */
const UNPROMPTED = /^> (.*)$/;

async function transcript(script: string): Promise<string> {
  const backend = new FakeBackend();
  const session = new ConsoleSession(backend, new Changes(backend));
  let screen = "";
  const terminal = new LineTerminal(session, async (text) => {
    screen += text;
    return true;
  });
  await terminal.start();
  for (const line of script.split("\n")) {
    const typed = TYPED.exec(line) ?? UNPROMPTED.exec(line);
    // The last line is the prompt that waits.
    if (typed === null || (line === script.split("\n").at(-1) && typed[1] === "")) continue;
    screen += `${typed[1]}\n`;
    await terminal.line(typed[1]!);
    if (session.isOver) break;
  }
  return screen;
}

for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".txt"))) {
  test(name, async () => {
    const file = new URL(name, FOLDER);
    const script = readFileSync(file, "utf8").replace(/\n$/, "");
    const screen = await transcript(script);
    if (process.env.REWRITE_SCRIPTS === "1")
      writeFileSync(file, screen.endsWith("\n") ? screen : `${screen}\n`);
    else expect(`${screen.replace(/\n$/, "")}`).toBe(script);
    expect(screen).not.toContain(`${MORE}${MORE}`);
  });
}
