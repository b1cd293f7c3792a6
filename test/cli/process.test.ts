/** The program as a process, and the real world in place of the one in memory: files, pipes, Wireshark. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit.js";
import { run as runVerb } from "../../src/cli/run.js";
import { nodeIo } from "../../src/io/node.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { captureOf, connection, OFFICE, udpFrame } from "../replay/captures.js";
import { MemoryIo } from "./memory-io.js";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PACKETS = 20_000;

const folder = scratchFolder();
afterAll(() => folder.remove());
const config = folder.write("office.cfg", new TextEncoder().encode(OFFICE));
const capture = folder.write("c.pcapng", captureOf(connection()));
const large = folder.write(
  "large.pcapng",
  captureOf(Array.from({ length: PACKETS }, (_, i) => ({ data: udpFrame(true, 7), ms: i }))),
);

interface ProcessOptions {
  /** A file. */
  stdin?: string;
  /** An open file, in place of a pipe. */
  stdout?: number | "pipe";
  /** Bytes of standard output that are read before the pipe is closed. */
  leaveAfter?: number;
  /** It is interrupted so long after its start, as with Ctrl-C. */
  interruptAfterMs?: number;
}

/** Runs the program. */
function twinwall(
  argv: readonly string[],
  { stdin, stdout = "pipe", leaveAfter = Number.POSITIVE_INFINITY, interruptAfterMs }: ProcessOptions,
): Promise<{ code: number | null; signal: string | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...argv], {
      cwd: ROOT,
      stdio: ["pipe", stdout, "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout?.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (out.length >= leaveAfter) child.stdout?.destroy();
    });
    child.stderr!.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    if (interruptAfterMs !== undefined) setTimeout(() => child.kill("SIGINT"), interruptAfterMs);
    child.stdin!.end(stdin === undefined ? "" : readFileSync(stdin));
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** Runs a verb in this process, on real files; what it prints is caught. */
async function verb(...argv: string[]) {
  const memory = new MemoryIo();
  const { stdout, stderr } = memory;
  const code = await runVerb(argv, { ...nodeIo(() => undefined), environment: {}, stdout, stderr });
  return { code, out: memory.out, err: memory.err };
}

describe("a process", () => {
  test("reads standard input, writes standard output, reports on standard error", async () => {
    const argv = ["replay", "-", "--config", config, "--verdicts", "-", "--json"];
    const { code, out, err } = await twinwall(argv, { stdin: large });
    expect(code).toBe(EXIT.done);
    expect(JSON.parse(err)).toMatchObject({ capture: "(standard input)", packets: PACKETS });
    const file = folder.path("v.jsonl");
    await verb("replay", large, "--config", config, "--verdicts", file);
    expect(out === readFileSync(file, "utf8")).toBe(true);
    expect(out.split("\n")).toHaveLength(PACKETS + 1);
  });

  test("ends quietly when nobody reads its output any more", async () => {
    const argv = ["replay", large, "--config", config, "--verdicts", "-"];
    const { code, signal, err } = await twinwall(argv, { leaveAfter: 1 });
    expect({ code, signal, err }).toEqual({ code: EXIT.done, signal: null, err: "" });
  });
});

test.skipIf(process.platform === "win32")("Ctrl-C ends a pair in threads at once", async () => {
  // A minute at the pace of the capture.
  const argv = ["replay", "examples/office.pcapng", "--realtime", "--json"];
  const boxes = ["--config", "examples/router-a.cfg", "--peer", "examples/router-b.cfg"];
  const interruptAfterMs = 6000;
  const startMs = performance.now();
  const { signal, out, err } = await twinwall([...argv, ...boxes], { interruptAfterMs });
  expect({ signal, out, err }).toEqual({ signal: "SIGINT", out: "", err: "" });
  expect(performance.now() - startMs).toBeLessThan(interruptAfterMs + 10_000);
});

test.skipIf(process.platform !== "linux")("standard output that is full", async () => {
  const full = openSync("/dev/full", "w");
  for (const argv of [["--version"], ["replay", capture, "--config", config, "--verdicts", "-", "--json"]]) {
    const { code, err } = await twinwall(argv, { stdout: full });
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(/^error: standard output: no space left on the device\n/m);
    expect(err).not.toMatch(/^ +at /m);
  }
  closeSync(full);
});

describe("real files", () => {
  test("the version of the package", async () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8")) as { version: string };
    expect(await verb("--version")).toEqual({ code: EXIT.done, out: `${version}\n`, err: "" });
  });

  test.each([
    [
      "a capture that is not there",
      ["replay", "/no/such", "--config", config],
      "/no/such: no such file or directory",
    ],
    ["a folder in place of a capture", ["replay", ROOT, "--config", config], `${ROOT}: this is a directory`],
    [
      "a folder in place of an output",
      ["replay", capture, "--config", config, "--log", ROOT],
      "this is a directory",
    ],
    ["a file in place of a folder", ["check", `${config}/x`], "a part of the path is not a directory"],
    ["a folder in place of a configuration", ["check", ROOT], `${ROOT}: this is a directory`],
  ])("%s", async (_, argv, message) => {
    const { code, err } = await verb(...argv);
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(/^error: .*\n$/);
    expect(err).toContain(message);
  });

  test.skipIf(process.platform !== "linux")("a disk that is full", async () => {
    const { code, err } = await verb("replay", large, "--config", config, "--verdicts", "/dev/full");
    expect({ code, err }).toEqual({
      code: EXIT.badInput,
      err: "error: /dev/full: no space left on the device\n",
    });
  });
});

describe.skipIf(lacking("tshark"))("Wireshark reads what --write wrote", () => {
  test("the same frames, and the verdicts as comments", async () => {
    const written = folder.path("out.pcapng");
    expect((await verb("replay", capture, "--config", config, "--write", written)).code).toBe(EXIT.done);
    const fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "ip.src"];
    expect(run("tshark", "-r", written, ...fields).stdout).toBe(
      run("tshark", "-r", capture, ...fields).stdout,
    );
    const comments = run("tshark", "-r", written, "-T", "fields", "-e", "frame.comment")
      .stdout.trimEnd()
      .split("\n");
    expect(comments[0]).toMatch(/^pass new_session: .*; session 00000001$/);
    expect(comments.slice(1).every((comment) => comment.startsWith("pass established: "))).toBe(true);
    const filter = ["-Y", 'frame.comment contains "new_session"'];
    expect(
      run("tshark", "-r", written, ...filter)
        .stdout.trimEnd()
        .split("\n"),
    ).toHaveLength(1);
  });
});
