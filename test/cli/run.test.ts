import { describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit.js";
import { run } from "../../src/cli/run.js";
import { MemoryIo, type MemoryIoOptions } from "./memory-io.js";

async function ran(argv: readonly string[], options: MemoryIoOptions = {}) {
  const io = new MemoryIo(options);
  const code = await run(argv, io);
  return { code, out: io.out, err: io.err, io };
}

const VERBS = ["replay", "explain", "check"];

describe("help and version", () => {
  test("the version of the package, and nothing else", async () => {
    expect(await ran(["--version"])).toMatchObject({ code: EXIT.done, out: "1.2.3\n", err: "" });
  });

  test("the program names its verbs, with examples and exit codes", async () => {
    const { code, out, err } = await ran(["--help"]);
    expect({ code, err }).toEqual({ code: EXIT.done, err: "" });
    for (const verb of VERBS) {
      expect(out).toMatch(new RegExp(`^ {2}${verb} `, "m"));
      expect(out).toContain(`  $ twinwall ${verb} `);
    }
    expect(out).toContain("Exit codes:");
  });

  test.each(VERBS)("%s has an example, --json and its exit codes in its help", async (verb) => {
    const { code, out, err } = await ran([verb, "--help"]);
    expect({ code, err }).toEqual({ code: EXIT.done, err: "" });
    expect(out).toContain(`Usage: twinwall ${verb}`);
    expect(out).toContain(`  $ twinwall ${verb} `);
    expect(out).toContain("--json");
    expect(out).toContain("Exit codes: 0 ");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect((await ran(["help", verb])).out).toBe(out);
  });

  test("the examples of every help are command lines that are understood", async () => {
    for (const verb of VERBS) {
      const { out } = await ran([verb, "--help"]);
      const lines = [...out.matchAll(/^ {2}\$ (?:.* \| )?twinwall (.+)$/gm)].map((match) =>
        match[1]!.split(" "),
      );
      expect(lines.length).toBeGreaterThan(0);
      for (const argv of lines) {
        // No file is there: the command line was understood if that is the only complaint.
        const { code, err } = await ran(argv);
        expect(code).toBe(EXIT.badInput);
        expect(err).toMatch(/^error: \S+\.cfg: no such file or directory\n$/);
      }
    }
  });
});

describe("bad usage", () => {
  test.each([
    [[], /^Usage: twinwall/],
    [["repaly"], /unknown command 'repaly'\n\(Did you mean replay\?\)/],
    [["check"], /missing required argument 'config'/],
    [["check", "a", "b", "c"], /too many arguments/],
    [["check", "--strct", "a"], /unknown option '--strct'\n\(Did you mean --strict\?\)/],
    [["check", "--sessions", "1", "a"], /Expected a number from 1024 to 8388608/],
    [["check", "-", "-"], /only one configuration can come from standard input/],
    [["replay", "x.pcap"], /required option '--config <file>' not specified/],
    [["replay", "--config", "a.cfg"], /missing required argument 'capture'/],
    [["replay", "-", "--config", "-"], /only one file can come from standard input/],
    [["replay", "x", "--config", "-", "--ingress", "-"], /only one file can come from standard input/],
    [
      ["replay", "x", "--config", "a", "--verdicts", "-", "--log", "-"],
      /only one file can go to standard output/,
    ],
    [["replay", "x", "--config", "a", "--write", "x"], /x would be overwritten while it is read/],
    [["replay", "x", "--config", "a", "--log", "a"], /a would be overwritten while it is read/],
    [["replay", "x", "--config", "a", "--log", "l", "--verdicts", "l"], /two outputs cannot go to one file/],
    [["replay", "x", "--config", "a", "--only", "drop"], /--only chooses what --write writes/],
    [
      ["replay", "x", "--config", "a", "--write", "w", "--only", "dorp"],
      /Allowed choices are pass, drop, local/,
    ],
    [["replay", "x", "--config", "a", "--inside", "10.0.0.0/33"], /Expected A\.B\.C\.D\/n or X::\/n/],
    [["replay", "x", "--config", "a", "--on", "Gi0/0"], /Expected IFACE=N/],
    [["replay", "x", "--config", "a", "--on", "=1"], /Expected IFACE=N/],
    [["replay", "x", "--config", "a", "--mac", "Gi0/0=02:00"], /Expected IFACE=aa:bb:cc:dd:ee:ff/],
    [["replay", "x", "--config", "a", "--fragments", "1e3"], /Expected a number from/],
    [["replay", "x", "--config", "a", "--ingress", "i", "--on", "Gi0/0=1"], /cannot be used with option/],
    [["replay", "x", "--config", "a", "--ingress", "i", "--inside", "::/0"], /cannot be used with option/],
    [["explain", "--in", "Gi0/0", "--config", "a"], /missing required argument 'packet'/],
    [
      ["explain", "--config", "a", "tcp", "1.2.3.4:1", "1.2.3.5:1"],
      /required option '--in <iface>' not specified/,
    ],
    [["explain", "--in", "x", "--config", "a", "tcp"], /a packet is PROTOCOL/],
    [["explain", "--in", "x", "--config", "a", "--ttl", "256", "tcp"], /Expected a number from 0 to 255/],
    [["explain", "--in", "x", "--config", "a", "--at", "noon", "tcp"], /Expected YYYY-MM-DDTHH:MM/],
    [
      ["explain", "--in", "x", "--config", "a", "--at", "2024-13-01T00:00", "tcp"],
      /Expected YYYY-MM-DDTHH:MM/,
    ],
    [
      ["explain", "--in", "x", "--config", "a", "--expect", "held", "tcp"],
      /Allowed choices are pass, drop, local/,
    ],
  ])("%j", async (argv, message) => {
    const { code, out, err } = await ran(argv);
    expect(code).toBe(EXIT.badInput);
    expect(out).toBe("");
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^ +at /m);
  });
});

describe("what must not happen", () => {
  test("a bug is one line with a request, and an exit code of its own", async () => {
    const io = new MemoryIo();
    io.open = async () => {
      throw new TypeError("x is not a function\nsecond line");
    };
    expect(await run(["check", "a.cfg"], io)).toBe(EXIT.internal);
    expect(io.err).toBe(
      "error: internal error: TypeError: x is not a function; please report it with the command line\n",
    );
  });

  test("something thrown that is no error is told, too", async () => {
    const io = new MemoryIo();
    io.open = () => Promise.reject("a string");
    expect(await run(["check", "a.cfg"], io)).toBe(EXIT.internal);
    expect(io.err).toContain("internal error: a string;");
  });
});

describe("colours", () => {
  const files = { "bad.cfg": "hostnam x\n" };
  test.each<[string, MemoryIoOptions, boolean]>([
    ["a terminal", { terminal: true }, true],
    ["a file", {}, false],
    ["NO_COLOR", { terminal: true, environment: { NO_COLOR: "1" } }, false],
    ["an empty NO_COLOR", { terminal: true, environment: { NO_COLOR: "" } }, true],
    ["NO_COLOR and FORCE_COLOR", { environment: { NO_COLOR: "1", FORCE_COLOR: "1" } }, false],
    ["FORCE_COLOR", { environment: { FORCE_COLOR: "1" } }, true],
    ["a dumb terminal", { terminal: true, environment: { TERM: "dumb" } }, false],
  ])("%s", async (_, options, colored) => {
    const { err } = await ran(["check", "missing.cfg"], { files, ...options });
    expect(err.includes("\u001b[31merror")).toBe(colored);
    expect(err.replace(/\u001b\[\d+m/g, "")).toBe("error: missing.cfg: no such file or directory\n");
  });
});
