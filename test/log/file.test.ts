import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { scratchFolder } from "../capture/tools.js";
import { type LiveLog, startLogging, until } from "./live.js";
import { configOf, record } from "./records.js";

let undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

function folderOf(): ReturnType<typeof scratchFolder> {
  const folder = scratchFolder();
  undo.push(() => folder.remove());
  return folder;
}

function logTo(path: string, format: "ios" | "json" = "ios"): LiveLog {
  const live = startLogging("no logging console\n", {
    settings: { consoleFormat: "ios", file: { path, format } },
  });
  undo.push(() => live.logging.close());
  return live;
}

const texts = (path: string): string[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => line.slice(line.indexOf("%")));

describe("a log file", () => {
  test("is appended to, whole at the end, and nobody else's to read", async () => {
    const folder = folderOf();
    const path = folder.write("fw.log", new TextEncoder().encode("before\n"));
    rmSync(path);
    const first = startLogging("", { settings: { consoleFormat: "ios", file: { path, format: "ios" } } });
    for (let i = 0; i < 500; i++) first.logging.log(record(`%A-2-B: ${i}`));
    await first.logging.close();
    const second = logTo(path);
    second.logging.log(record("%A-2-B: 500"));
    await until("the last line", () => texts(path).length === 501);
    expect(texts(path)).toEqual(Array.from({ length: 501 }, (_, i) => `%A-2-B: ${i}`));
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test("JSON lines", async () => {
    const path = folderOf().path("fw.json");
    const { logging } = logTo(path, "json");
    logging.write("%A-5-B: x", { packets: 3 });
    await until("a line", () => {
      try {
        return readFileSync(path, "utf8").endsWith("\n");
      } catch {
        return false;
      }
    });
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
      severity: 5,
      text: "%A-5-B: x",
      packets: 3,
    });
  });

  test("moved away, it is begun anew, and no line is lost or doubled", async () => {
    const folder = folderOf();
    const [path, old] = [folder.path("fw.log"), folder.path("fw.log.1")];
    const { logging } = logTo(path);
    for (let i = 0; i < 100; i++) logging.log(record(`%A-2-B: ${i}`));
    await until("the first half", () => {
      try {
        return texts(path).length === 100;
      } catch {
        return false;
      }
    });
    renameSync(path, old);
    for (let i = 100; i < 150; i++) logging.log(record(`%A-2-B: ${i}`));
    logging.reopen();
    for (let i = 150; i < 200; i++) logging.log(record(`%A-2-B: ${i}`));
    const both = (): string[] => {
      try {
        return [...texts(old), ...texts(path)];
      } catch {
        return [];
      }
    };
    await until("everything", () => both().length === 200);
    expect(both()).toEqual(Array.from({ length: 200 }, (_, i) => `%A-2-B: ${i}`));
    expect(texts(path).length).toBeGreaterThanOrEqual(50);
  });

  test("that cannot be made is tried again, and said", async () => {
    const folder = folderOf();
    const path = folder.path("missing/fw.log");
    const { logging } = logTo(path);
    logging.log(record("%A-5-B: kept"));
    const view = () => logging.view().destinations.find(({ name }) => name.startsWith("file"))!;
    await until("a failure", () => view().failures > 0);
    expect(view().problem).toBe("no such file or directory");
    expect(logging.buffered().map(({ text }) => text)).toContain(
      `%SYS-3-LOGGINGHOST_FAIL: Logging to file ${path} failed: no such file or directory`,
    );
    mkdirSync(folder.path("missing"));
    await until("the line", () => view().status === "open" && view().queuedLines === 0);
    expect(texts(path)).toContain("%A-5-B: kept");
  });

  test("is left when the configuration says so", async () => {
    const path = folderOf().path("fw.log");
    const { logging } = logTo(path);
    logging.log(record("%A-5-B: yes"));
    logging.configure(configOf("no logging on\n"));
    logging.log(record("%A-5-B: no"));
    await until("the line", () => {
      try {
        return texts(path).length === 1;
      } catch {
        return false;
      }
    });
    expect(texts(path)).toEqual(["%A-5-B: yes"]);
  });
});

/** A disk of so many KiB in a folder; undefined: who may not mount one skips. */
function smallDisk(kibibytes: number): string | undefined {
  const folder = folderOf();
  const path = folder.path("disk");
  mkdirSync(path);
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "none", path]);
  if (status === 0) {
    undo.push(() => void spawnSync("umount", ["-l", path]));
    return path;
  }
  const message = `cannot mount a disk: ${stderr}`;
  if (process.env.CI === "true") throw new Error(message);
  console.warn(`skipped: ${message}`);
  return undefined;
}

test("a full disk: whole lines only, the rest waits, what is lost is counted, and it goes on when there is room", async (context) => {
  const disk = smallDisk(64);
  if (disk === undefined) return context.skip();
  const path = `${disk}/fw.log`;
  const { logging } = logTo(path);
  const view = () => logging.view().destinations.find(({ name }) => name.startsWith("file"))!;
  const notes: string[] = [];
  logging.watch(({ mnemonic }) => {
    if (mnemonic !== "LINE") notes.push(mnemonic);
  });
  const long = "x".repeat(700);
  let written = 0;
  for (; written < 4000 && view().lostLines === 0; written++) {
    logging.log(record(`%A-2-LINE: ${written} ${long}`));
    if (written % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(view().lostLines).toBe(1);
  expect(view().problem).toBe("no space left on the device");
  expect(notes).toEqual(expect.arrayContaining(["LOGSPACE", "LOGGINGHOST_FAIL", "LOGQUEUE"]));
  const file = readFileSync(path, "utf8");
  expect(file.length).toBeGreaterThan(10_000);
  expect(file.endsWith("x\n")).toBe(true);
  expect(spawnSync("mount", ["-o", "remount,size=4m", disk]).status).toBe(0);
  await until("what waited", () => view().queuedLines === 0);
  const lines = texts(path).filter((line) => line.includes("-LINE:"));
  const numbers = lines.map((line) => Number(line.split(" ")[1]));
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(numbers).toHaveLength(written - 1);
  await until("the loss is told", () => notes.includes("LOGLOST"));
}, 120_000);
