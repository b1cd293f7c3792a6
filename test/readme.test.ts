/** What README.md and docs/ say of the project, held against the project. The project has to be built. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import * as L from "../assembly/layout.js";
import { CaptureReader, readBatches } from "../src/capture/index.js";
import { PAIR_RULES, RULES } from "../src/check/rules.js";
import { EXIT } from "../src/cli/exit.js";
import { CAPACITY_BOUNDS, CAPACITY_DEFAULT, type Capacity } from "../src/core.js";
import { REASONS } from "../src/reasons.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const readme = read("README.md");
/** For sentences, which a line may break anywhere. */
const flowing = readme.replace(/\s+/g, " ");
const decisions = read("docs/decisions.md");
const manifest = JSON.parse(read("package.json")) as {
  scripts: Record<string, string>;
  engines: { node: string };
};

/** What stands between the fences of a language. */
const fenced = (language: string): string[] =>
  [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!);

/** The cells of each row of the table under a heading that begins like this, its head left out. */
function tableOf(text: string, head: string): string[][] {
  const at = text.indexOf(`\n${head}`);
  if (at < 0) return [];
  const lines = text.slice(at + 1).split("\n");
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(2, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const inQuotes = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
const number = (value: number) => value.toLocaleString("en-US");
const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"];

async function node(...argv: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, argv, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", COLUMNS: "100" },
  });
  return stdout;
}

describe("the commands", () => {
  test("of npm are scripts of the package", () => {
    const named = [...readme.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
      (match) => match[1] ?? match[2]!,
    );
    expect(named).toEqual(expect.arrayContaining(["start", "test", "bench", "check"]));
    expect(named.filter((name) => manifest.scripts[name] === undefined)).toEqual([]);
  });

  test("that stand first suffice on a fresh machine", () => {
    const [first] = fenced("sh");
    const lines = first!.trimEnd().split("\n");
    expect(lines.map((line) => line.replace(/\s*#.*/, ""))).toEqual([
      "npm ci && npm start",
      "npm ci && npm test",
    ]);
    expect(manifest.scripts.prestart).toMatch(/\bbuild$/);
    expect(manifest.scripts.pretest).toMatch(/\bbuild$/);
    expect(flowing).toContain(`Node ${manifest.engines.node.replace(">=", "")} or newer`);
  });

  test("of twinwall are there, with the options named beside them", async () => {
    const rows = tableOf(readme, "| command |");
    expect(rows.length).toBeGreaterThan(2);
    for (const [command, text] of rows) {
      const verb = /^`twinwall (\w+)/.exec(command!)?.[1];
      const help = await node("dist/src/main.js", verb!, "--help");
      expect(help).toContain(`Usage: twinwall ${verb} `);
      const options = [...`${command} ${text}`.matchAll(/--[a-z-]+/g)].map(([option]) => option);
      expect(options.filter((option) => !new RegExp(`${option}\\b`).test(help))).toEqual([]);
    }
    expect(flowing).toContain(
      `${EXIT.done} (done), ${EXIT.findings} (findings, or a failed expectation) and ${EXIT.badInput} (bad input or usage)`,
    );
  });

  test("npm start prints the report that is quoted", async () => {
    const [program, ...argv] = manifest.scripts.start!.split(" ");
    expect(program).toBe("node");
    const printed = (await node(...argv)).split("\n");
    const quoted = fenced("")
      .find((block) => block.includes("verdict"))!
      .split("\n")
      .filter((line) => line !== "" && line.trim() !== "...");
    expect(quoted.length).toBeGreaterThan(5);
    expect(quoted.filter((line) => !printed.includes(line))).toEqual([]);
  });
});

test("the example is examples/embed.mjs, and runs", async () => {
  expect(fenced("js")).toContain(read("examples/embed.mjs"));
  expect(await node("examples/embed.mjs")).toBe(
    "pass new_session\npass established\ndrop acl_in_deny\nudp open 10.0.0.5 203.0.113.9\n",
  );
});

describe("the limits", () => {
  const LABELS: { readonly [K in keyof Capacity]: string } = {
    sessions: "sessions at a time",
    rules: "access list entries",
    batch: "frames a batch",
    fragments: "frames held for reassembly",
    events: "events a call",
    buffers: "frame buffers that devices write into",
  };

  test("that an instance is made with", () => {
    const names = Object.keys(CAPACITY_BOUNDS) as (keyof Capacity)[];
    expect(tableOf(readme, "| limit |")).toEqual(
      names.map((name) => {
        const { min, max } = CAPACITY_BOUNDS[name];
        return [LABELS[name], ...[min, CAPACITY_DEFAULT[name], max].map(number)];
      }),
    );
  });

  test("that are fixed", () => {
    const inCore = (file: string, name: string): string => {
      const value = new RegExp(`const ${name}: u32 = (\\d+);`).exec(read(file))![1];
      return WORDS[Number(value)]!;
    };
    for (const phrase of [
      `${number(L.INTERFACES_MAX - 1)} interfaces`,
      `${number(L.ROUTES_MAX)} routes a family`,
      `frames of ${number(L.FRAME_MAX)} bytes`,
      `held fragments of ${number(L.HELD_FRAME_MAX)} bytes`,
      `${inCore("assembly/ipv6.ts", "IPV6_EXTENSIONS_MAX")} IPv6 extension headers`,
      `${inCore("assembly/ethernet.ts", "VLAN_TAGS_MAX")} VLAN tags`,
    ]) {
      expect(flowing).toContain(phrase);
    }
  });
});

describe("the reasons", () => {
  const names = REASONS.map(({ name }) => name);

  test("are all in docs/decisions.md", () => {
    const named = new Set(inQuotes(decisions));
    expect(names.filter((name) => !named.has(name))).toEqual([]);
  });

  test.each(["README.md", "docs/decisions.md", "examples/README.md"])("that %s names exist", (file) => {
    // Names of two words and more: single ones are too often something else.
    const named = inQuotes(read(file)).filter((word) => /^[a-z\d]+(_[a-z\d]+)+$/.test(word));
    expect(named.filter((word) => !names.includes(word))).toEqual([]);
  });
});

describe("figures", () => {
  test("the rules of check", () => {
    expect(RULES).toHaveLength(35);
    expect(flowing).toContain(
      `thirty-five rules for a configuration and ${WORDS[PAIR_RULES.length]} for a pair`,
    );
  });

  test("how many packets of the kernel's captures agree", () => {
    const [, share, packets] = /([\d.]+) % of ([\d,]+) packets agree/.exec(flowing)!;
    const differences = JSON.parse(read("test/kernel/differences.json")) as Record<
      string,
      Record<string, string>
    >;
    const differing = Object.values(differences)
      .flatMap((kinds) => Object.values(kinds))
      .flatMap((frames) => frames.split(","))
      .map((range) => range.split("-").map(Number))
      .reduce((sum, [first, last = first]) => sum + last! - first! + 1, 0);
    const compared = Number(packets!.replaceAll(",", ""));
    expect(share).toBe(((100 * (compared - differing)) / compared).toFixed(1));
  });

  test("how many packets each example has", async () => {
    const rows = tableOf(read("examples/README.md"), "| file | packets |");
    expect(rows.length).toBeGreaterThan(4);
    for (const [name, packets] of rows) {
      const file = inQuotes(name!)[0]!;
      const reader = new CaptureReader();
      for await (const _ of readBatches([readFileSync(join(ROOT, "examples", file))], reader));
      expect({ file, packets }).toEqual({ file, packets: number(reader.packets) });
    }
  });
});

test.each(["README.md", "docs/decisions.md", "examples/README.md"])(
  "links and paths in %s lead to files",
  (file) => {
    const text = read(file);
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1]!);
    const folder = dirname(file);
    expect(targets.filter((target) => !existsSync(join(ROOT, folder, target)))).toEqual([]);
    const paths = text.match(/\b(src|test|bench|fuzz|assembly|examples|docs|scripts)\/[\w./-]*[\w/]/g) ?? [];
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  },
);
