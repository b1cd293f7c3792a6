import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { Dataplane as BrowserDataplane } from "../../src/browser.js";
import * as browser from "../../src/browser.js";
import * as node from "../../src/index.js";
import { readCoreFile } from "../../src/io/wasm.js";
import { OFFICE } from "./support.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^"';]*?\sfrom\s+)?"([^"]+)"|import\("([^"]+)"\)/g;

/** All modules that a source file needs, itself included; what is not a file of the project by its bare name. */
async function modulesOf(file: string, seen = new Map<string, string>()): Promise<Map<string, string>> {
  if (seen.has(file)) return seen;
  const text = await readFile(file, "utf8");
  seen.set(file, text);
  for (const [, from, dynamic] of text.matchAll(IMPORT)) {
    const name = (from ?? dynamic)!;
    if (!name.startsWith(".")) seen.set(name, "");
    else await modulesOf(join(dirname(file), name.replace(/\.js$/, ".ts")), seen);
  }
  return seen;
}

describe("the entry points", () => {
  test("offer the same", () => {
    expect(Object.keys(browser).sort()).toEqual(Object.keys(node).sort());
  });

  test("for browsers: nothing that only Node has", async () => {
    const modules = await modulesOf(join(ROOT, "src/browser.ts"));
    expect(modules.size).toBeGreaterThan(30);
    const outside = [...modules.keys()].filter((name) => !name.startsWith(ROOT));
    expect(outside.sort()).toEqual(["@assemblyscript/loader", "ipaddr.js"]);
    const globals =
      /\bprocess\.(env|argv|stdin|stdout|stderr|platform|exit)\b|\bBuffer\.|\brequire\(|\b__dirname\b/;
    expect([...modules].filter(([, text]) => globals.test(text)).map(([name]) => name)).toEqual([]);
    const forNode = [...(await modulesOf(join(ROOT, "src/index.ts"))).keys()];
    expect(forNode).toContain("node:fs/promises");
  });

  test("no module waits at its top", async () => {
    const modules = await modulesOf(join(ROOT, "src/index.ts"));
    expect(
      [...modules].filter(([, text]) => /^(const .* = )?await\b/m.test(text)).map(([name]) => name),
    ).toEqual([]);
  });

  test("in a browser the core comes by fetch", async () => {
    const bytes = await readCoreFile();
    const fetched: string[] = [];
    vi.stubGlobal("fetch", async (url: URL) => {
      fetched.push(url.pathname);
      return fetched.length === 1
        ? new Response(bytes.slice())
        : new Response("", { status: 404, statusText: "Not Found" });
    });
    try {
      const dataplane = await BrowserDataplane.create({ config: OFFICE, capacity: { sessions: 1024 } });
      expect(dataplane).toBeInstanceOf(BrowserDataplane);
      expect(dataplane.process(0)).toBe(0);
      await expect(BrowserDataplane.create({ config: OFFICE })).rejects.toThrow(
        /core\.wasm cannot be fetched: 404 Not Found/,
      );
      expect(fetched[0]).toMatch(/\/core\.wasm$/);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("the example", () => {
  test("is at most 30 lines and does what it says", async () => {
    const text = await readFile(join(ROOT, "examples/embed.mjs"), "utf8");
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
    const folder = await mkdtemp(join(tmpdir(), "twinwall-"));
    try {
      const file = join(folder, "embed.mjs");
      const library = pathToFileURL(join(ROOT, "src/index.ts")).href;
      await writeFile(file, text.replace('"twinwall"', JSON.stringify(library)));
      const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", file], {
        cwd: ROOT,
      });
      expect(stdout).toBe(
        "pass new_session\npass established\ndrop acl_in_deny\nudp open 10.0.0.5 203.0.113.9\n",
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
