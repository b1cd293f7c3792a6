/** `twinwall console` at a terminal: completion, `?`, pauses, history, Ctrl-C and Ctrl-Z, as a user types them. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startConsole } from "../../src/io/console/server.js";
import { lacking } from "../capture/tools.js";
import { FakeBackend, session } from "./fake-backend.js";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const TYPIST = fileURLToPath(new URL("type-on-terminal.py", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test.skipIf(lacking("python3"))("a session at a terminal", { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "console-"));
  const backend = new FakeBackend();
  backend.sessionsHeld = Array.from({ length: 2000 }, (_, i) => session(i));
  const path = join(folder, "console.sock");
  const started = await startConsole({ backend, path, onLog: () => undefined });
  if ("problem" in started) throw new Error(started.problem);
  // What is waited for, and what is typed then.
  const steps: [string, string][] = [
    ["RouterA#", "show ip ins\t"],
    ["inspect ", "?"],
    ["packets, sessions and reasons, counted", "sess\t"],
    ["sessions ", "\r"],
    [" --More-- ", "q"],
    ["RouterA#", "show ip inspect sessions | json\r"],
    [" --More-- ", "\u0003"],
    ["RouterA#", "configure terminal\r"],
    ["(config)#", "interface Gi0/0\r"],
    ["(config-if)#", "ip adr\u0003"],
    ["^C", "description typed\r"],
    ["description typed\r\r\n", "\u001a"],
    ["RouterA#", "\u001b[A"],
    ["description typed", "\u0003"],
    ["RouterA#", "exit\r"],
  ];
  const command = [process.execPath, "--import", "tsx", MAIN, "console", "--socket", path];
  const { stdout } = await promisify(execFile)("python3", [TYPIST, JSON.stringify(steps), ...command], {
    cwd: ROOT,
    env: { ...process.env, XDG_STATE_HOME: folder },
  });
  const { screen, left, status } = JSON.parse(stdout) as { screen: string; left: unknown[]; status: number };
  expect({ left, status }).toEqual({ left: [], status: 0 });
  expect(screen).not.toContain("adr\r\n%");
  expect((await backend.config()).interfaces.get("GigabitEthernet0/0")?.description).toBe("typed");
  // The newest last; nothing of what Ctrl-C took away.
  const history = readFileSync(join(folder, "twinwall", "console-history"), "utf8")
    .trimEnd()
    .split("\n");
  expect(history.slice(-3)).toEqual(["interface Gi0/0", "description typed", "exit"]);
  await started.value.close();
  rmSync(folder, { recursive: true });
});
