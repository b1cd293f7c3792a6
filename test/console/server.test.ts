/** The socket with real clients: those of the command line, programs, and those that mean no good. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run } from "../../src/cli/run.js";
import { connectConsole } from "../../src/io/console/client.js";
import { type ConsoleServer, startConsole } from "../../src/io/console/server.js";
import { MemoryIo } from "../cli/memory-io.js";
import { FakeBackend, session } from "./fake-backend.js";

let folder: string;
let path: string;
let backend: FakeBackend;
let server: ConsoleServer;
const logged: string[] = [];

async function start(sessionsMax?: number): Promise<ConsoleServer> {
  const started = await startConsole({
    backend,
    path,
    ...(sessionsMax !== undefined && { sessionsMax }),
    onLog: ({ text }) => logged.push(text),
  });
  if ("problem" in started) throw new Error(started.problem);
  return started.value;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "console-"));
  path = join(folder, "run", "console.sock");
  backend = new FakeBackend();
  logged.length = 0;
  server = await start();
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** All that comes back for some bytes, after which nothing more is said. */
function exchange(sent: string | Buffer, end = true): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ path, allowHalfOpen: true });
    let got = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      got += chunk;
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(got));
    socket.on("end", () => socket.end());
    if (end) socket.end(sent);
    else socket.write(sent);
  });
}

async function verb(...argv: string[]) {
  const io = new MemoryIo();
  const code = await run(argv, io);
  return { code, out: io.out, err: io.err };
}

const until = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("the socket", () => {
  test("is for its user alone, in a directory of its own", () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "run")).mode & 0o777).toBe(0o700);
  });

  test("goes away with the server", async () => {
    await server.close();
    expect(existsSync(path)).toBe(false);
    server = await start();
  });

  test("of a live process is left alone", async () => {
    const second = await startConsole({ backend, path, onLog: () => undefined });
    expect(second).toEqual({ problem: `${path}: another process has its console there` });
    expect(await exchange("show clock\n")).toContain("UTC");
  });

  test("of a process that was killed is replaced", async () => {
    await server.close();
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await new Promise((resolve) => spawn(process.execPath, ["-e", script]).on("close", resolve));
    expect(existsSync(path)).toBe(true);
    server = await start();
    expect(await exchange("show clock\n")).toContain("UTC");
  });

  test("is never made in place of something else, nor with a path that is too long", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "mine");
    expect(await startConsole({ backend, path: file, onLog: () => undefined })).toEqual({
      problem: `${file}: there is something else than a socket`,
    });
    const long = join(folder, "x".repeat(120));
    expect(await startConsole({ backend, path: long, onLog: () => undefined })).toEqual({
      problem: `${long}: longer than 107 bytes`,
    });
  });
});

describe("a terminal", () => {
  test("gets a prompt after each line, and what a half line at the end says", async () => {
    expect(await exchange("\nshow clock\r\nshow cl")).toBe(
      "RouterA#10:00:00.123 UTC Wed May 1 2024\nRouterA#10:00:00.123 UTC Wed May 1 2024\nRouterA#",
    );
  });

  test("is left by exit, whatever else was sent", async () => {
    expect(await exchange("exit\nshow clock\n")).toBe("");
  });

  test("that is idle is closed as line con 0 says", async () => {
    await backend.applyConfig("hostname R\nline con 0\n exec-timeout 0 1\nend\n");
    expect(await exchange("\n", false)).toBe("R#\n% the session was idle for too long\n");
  });
});

describe("a program", () => {
  test("gets one answer to each request, in their order", async () => {
    const requests = [
      { id: 1, command: "show standby delay" },
      { id: 2, line: "configure terminal" },
      { id: 3, help: "interf" },
      { id: 4, complete: "interf" },
      { id: 5, line: "nonsense" },
      { id: 6, command: "nonsense" },
    ];
    const answers = (await exchange(requests.map((each) => JSON.stringify(each)).join("\n")))
      .trimEnd()
      .split("\n");
    const parsed = answers.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(parsed[0]).toEqual({
      id: 1,
      ok: true,
      data: [
        { interface: "GigabitEthernet0/0", minimumSeconds: 1, reloadSeconds: 120 },
        { interface: "GigabitEthernet0/1", minimumSeconds: 1, reloadSeconds: 120 },
      ],
    });
    expect(parsed[1]).toMatchObject({ id: 2, text: expect.stringContaining("one per line") });
    expect(parsed[2]).toEqual({ id: 2, ok: true, prompt: "RouterA(config)#", isOver: false });
    expect(parsed[3]).toMatchObject({ id: 3, ok: true, data: expect.stringContaining("interface") });
    expect(parsed[4]).toEqual({ id: 4, ok: true, data: { start: 0, words: ["interface"] } });
    expect(parsed.at(-2)).toMatchObject({ id: 5, ok: false, prompt: "RouterA(config)#" });
    expect(parsed.at(-1)).toMatchObject({ id: 6, ok: false, error: "Invalid input detected at '^' marker." });
  });

  test("is told what is wrong with a request", async () => {
    const lines = [
      "{x",
      "{}",
      '{"id":1}',
      '{"id":1,"line":"a","help":"b"}',
      '{"id":1.5,"line":"a"}',
      '{"id":1,"line":7}',
    ];
    const answers = (await exchange(lines.join("\n"))).trimEnd().split("\n");
    expect(answers.map((line) => (JSON.parse(line) as { error: string }).error)).toEqual([
      "this is not JSON",
      "id must be a whole number",
      "one of command, line, complete, help must be a string",
      "one of command, line, complete, help must be a string",
      "id must be a whole number",
      "one of command, line, complete, help must be a string",
    ]);
  });

  test("gets a long list whole, and log lines only between its lines", async () => {
    backend.sessionsHeld = Array.from({ length: 20_000 }, (_, i) => session(i));
    const talking = setInterval(() => backend.say("%TEST-5-LINE: something happened"), 1);
    const answers = await exchange(
      '{"id":1,"line":"terminal monitor"}\n{"id":2,"command":"show ip inspect sessions"}\n',
    );
    clearInterval(talking);
    const parsed = answers
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id?: number; data?: unknown[] });
    expect(parsed.find(({ id }) => id === 2)?.data).toHaveLength(20_000);
    expect(parsed.some((each) => "log" in each)).toBe(true);
  });

  test("that fails because of a bug is told so, and the console goes on", async () => {
    backend.standby = () => Promise.reject(new Error("the thread is gone"));
    expect(await exchange('{"id":1,"command":"show standby"}\n')).toBe(
      '{"id":1,"ok":false,"error":"internal error"}\n',
    );
    expect(await exchange("show standby\nshow clock\n")).toMatch(/^% internal error\n.*UTC/s);
    expect(logged[0]).toMatch(/^%SYS-3-CONSOLE: internal error: Error: the thread is gone/);
  });
});

describe("a client that means no good", () => {
  test.each([
    ["a huge line", Buffer.alloc(1_000_000, "a"), /^\n% a line is longer than 4096 bytes\n$/],
    ["binary", Buffer.from(Array.from({ length: 2000 }, (_, i) => i % 256)), /^(% .*\n|RouterA#)*$/],
    ["a line of nothing but brackets", `${"{".repeat(4000)}\n`, /"this is not JSON"/],
  ])("%s", async (_, sent, answer) => {
    expect(await exchange(sent)).toMatch(answer);
    expect(await exchange("show clock\n")).toContain("UTC");
  });

  test("that opens 1000 connections gets as many sessions as there are, and then they are free again", async () => {
    const sockets: Socket[] = Array.from({ length: 1000 }, () => {
      const socket = createConnection(path);
      socket.on("error", () => undefined);
      socket.on("data", () => undefined);
      return socket;
    });
    await until(() => server.sessions === 16 && sockets.filter((socket) => socket.destroyed).length === 984);
    for (const socket of sockets) socket.destroy();
    await until(() => server.sessions === 0);
    expect(await exchange("show clock\n")).toContain("UTC");
  });

  test("that never reads is cut off when it has been idle for too long, and costs no memory until then", async () => {
    await backend.applyConfig("hostname R\nline con 0\n exec-timeout 0 1\nend\n");
    backend.sessionsHeld = Array.from({ length: 200_000 }, (_, i) => session(i));
    let pages = 0;
    const page = backend.sessions.bind(backend);
    backend.sessions = (query) => {
      pages++;
      return page({ ...query, limit: 500 });
    };
    const socket = createConnection(path);
    socket.pause();
    socket.on("error", () => undefined);
    socket.write('{"id":1,"command":"show ip inspect sessions"}\n');
    await until(() => server.sessions === 1);
    await until(() => server.sessions === 0);
    // It stopped when the client did not take any more.
    expect(pages).toBeLessThan(20);
    socket.destroy();
  });
});

describe("twinwall console", () => {
  test("carries out a command", async () => {
    expect(await verb("console", "--socket", path, "show", "clock")).toEqual({
      code: 0,
      out: "10:00:00.123 UTC Wed May 1 2024\n",
      err: "",
    });
    const { out } = await verb("console", "--socket", path, "--json", "show", "clock");
    expect(JSON.parse(out)).toMatchObject({ dateMs: Date.UTC(2024, 4, 1, 10, 0, 0, 123) });
  });

  test("carries out a script, and marks what failed", async () => {
    const io = new MemoryIo({ stdin: "configure terminal\nhostname New\nnonsense\nend\nshow clock\n" });
    expect(await run(["console", "--socket", path], io)).toBe(1);
    expect(io.out).toContain("10:00:00.123 UTC");
    expect(io.err).toBe(
      "New(config)#nonsense\n            ^\n% Invalid input detected at '^' marker.\n% unknown command \"nonsense\"\n",
    );
    expect((await backend.config()).hostname).toBe("New");
  });

  test("says when no firewall answers, or none has room", async () => {
    expect(await verb("console", "--socket", join(folder, "none"), "show", "clock")).toMatchObject({
      code: 2,
      err: expect.stringContaining("no firewall has its console there"),
    });
    await server.close();
    server = await start(0);
    expect(await verb("console", "--socket", path, "show", "clock")).toMatchObject({
      code: 2,
      err: expect.stringContaining("all 0 sessions of the console are in use"),
    });
  });

  test("is no client of something else", async () => {
    const other = join(folder, "other");
    const stranger = createServer((socket) => socket.end("who are you\n"));
    await new Promise<void>((resolve) => stranger.listen(other, resolve));
    const connected = await connectConsole(other);
    if ("problem" in connected) throw new Error(connected.problem);
    expect(await connected.value.ask({ line: "" })).toMatchObject({ ok: false, error: "who are you" });
    stranger.close();
  });
});

test("twinwall top prints one view with its rates", async () => {
  const { code, out, err } = await verb("top", "--socket", path, "--once");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^RouterA {2}ACTIVE {2}up 00:12:07 {2}AF_XDP, driver mode\n/);
  expect(out).toMatch(/acl_in_deny +0\/s +20\n/);
});
