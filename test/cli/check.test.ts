import { describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit.js";
import { run } from "../../src/cli/run.js";
import { MemoryIo, type MemoryIoOptions } from "./memory-io.js";

async function checked(
  argv: readonly string[],
  files: Record<string, string>,
  options: MemoryIoOptions = {},
) {
  const io = new MemoryIo({ files, ...options });
  const code = await run(["check", ...argv], io);
  return { code, out: io.out, err: io.err };
}

const SOUND = "hostname a\ninterface GigabitEthernet0/0\n ip address 10.0.0.1 255.255.255.0\nend\n";
const UNDEFINED_RULE =
  "interface GigabitEthernet0/0\n ip address 10.0.0.1 255.255.255.0\n ip inspect FW in\nend\n";
const BROKEN = "hostname a\ninterface GigabitEthernet0/0\n ip adress 10.0.0.1 255.255.255.0\n";

describe("exit codes", () => {
  test("0: nothing found", async () => {
    expect(await checked(["a.cfg"], { "a.cfg": SOUND })).toEqual({
      code: EXIT.done,
      out: "no findings\n",
      err: "",
    });
  });

  test("1: an error found, with its place, its rule and how to mend it", async () => {
    const { code, out } = await checked(["a.cfg"], { "a.cfg": UNDEFINED_RULE });
    expect(code).toBe(EXIT.findings);
    expect(out).toMatch(/^a\.cfg:3:\d+: error V19: .*FW/m);
    expect(out).toMatch(/^ {4}mend: /m);
  });

  test("2: a text that is not understood, with a caret and a near miss", async () => {
    const { code, out, err } = await checked(["a.cfg"], { "a.cfg": BROKEN });
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: "" });
    expect(err).toContain("a.cfg:3:5: error: ");
    expect(err).toContain("\n   ip adress 10.0.0.1 255.255.255.0\n      ^~~~~~\n");
    expect(err).toContain('did you mean "address"?');
  });

  test("2: a file that is not there", async () => {
    expect(await checked(["b.cfg"], {})).toEqual({
      code: EXIT.badInput,
      out: "",
      err: "error: b.cfg: no such file or directory\n",
    });
  });
});

test("two configurations are checked as a pair", async () => {
  const { code, out } = await checked(["a.cfg", "b.cfg"], { "a.cfg": SOUND, "b.cfg": SOUND });
  expect(code).toBe(EXIT.findings);
  expect(out).toMatch(/error P02: /);
  expect(out).toContain("b.cfg");
});

test("standard input is a configuration, too", async () => {
  const { code, out } = await checked(["-"], {}, { stdin: UNDEFINED_RULE });
  expect(code).toBe(EXIT.findings);
  expect(out).toMatch(/^\(standard input\):3:/m);
});

test("notes of the parser are shown beside the findings", async () => {
  const text = `frobnicate\n${SOUND}`;
  const { code, err } = await checked(["--lenient", "a.cfg"], { "a.cfg": text });
  expect(code).toBe(EXIT.done);
  expect(err).toContain("a.cfg:1:1: note: ");
  expect((await checked(["a.cfg"], { "a.cfg": text })).code).toBe(EXIT.badInput);
});

describe("--json", () => {
  test("findings with their counts and the diagnostics of the text", async () => {
    const { code, out } = await checked(["--json", "a.cfg"], { "a.cfg": UNDEFINED_RULE });
    expect(code).toBe(EXIT.findings);
    const report = JSON.parse(out) as { errors: number; findings: { id: string; severity: string }[] };
    expect(report.errors).toBe(report.findings.filter(({ severity }) => severity === "error").length);
    expect(report.findings).toContainEqual(expect.objectContaining({ id: "V19", file: "a.cfg", line: 3 }));
  });

  test("a text that is not understood", async () => {
    const { code, out } = await checked(["--json", "a.cfg"], { "a.cfg": BROKEN });
    expect(code).toBe(EXIT.badInput);
    expect(JSON.parse(out)).toMatchObject({
      findings: [],
      diagnostics: [{ file: "a.cfg", line: 3, severity: "error" }],
    });
  });
});

test("--sessions says when a threshold is as good as off", async () => {
  const text = "ip inspect max-incomplete high 5000\nip inspect max-incomplete low 4000\n";
  const ids = async (sessions: string) => {
    const { out } = await checked(["--json", "--sessions", sessions, "a.cfg"], { "a.cfg": text });
    return (JSON.parse(out) as { findings: { id: string }[] }).findings.map(({ id }) => id);
  };
  expect(await ids("2048")).toContain("V21");
  expect(await ids("65536")).not.toContain("V21");
});
