/**
 * The package in a browser. Headless Chromium loads it from a web server on this machine, as it is, by an import map,
 * and as a bundler has put it together, on a page and in a worker. Each replays an example and must come to what Node
 * comes to, packet by packet.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import ts from "typescript";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacking } from "../capture/tools.js";
import { type Server, serve } from "./server.js";
import { type Outcome, replay } from "./site/replay.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SITE = fileURLToPath(new URL("site/", import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

const CONFIG = "/examples/office.cfg";
const CAPTURE = "/examples/office.pcapng";

const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  exports: Record<"." | "./replay", { default: string }>;
};

/** What the bare names in the package's modules stand for. ipaddr.js is no module: it makes a global. */
const IMPORT_MAP = {
  imports: {
    twinwall: new URL(exports["."].default, "http://x/").pathname,
    "twinwall/replay": new URL(exports["./replay"].default, "http://x/").pathname,
    "@assemblyscript/loader": "/node_modules/@assemblyscript/loader/index.js",
    fflate: "/node_modules/fflate/esm/browser.js",
    "ipaddr.js": "data:text/javascript,export default globalThis.ipaddr",
  },
};

const page = (...head: string[]) =>
  ['<!doctype html><title>twinwall</title><link rel="icon" href="data:,">', ...head].join("\n");

const PAGES = {
  "/mapped.html": page(
    '<script src="/node_modules/ipaddr.js/lib/ipaddr.js"></script>',
    `<script type="importmap">${JSON.stringify(IMPORT_MAP)}</script>`,
  ),
  "/bundled.html": page('<script type="module" src="/bundle/page.js"></script>'),
};

/** Has Vite make `page.js` and everything that it needs, the worker and the Wasm included. */
async function bundle(outDir: string): Promise<void> {
  await build({
    configFile: false,
    root: SITE,
    base: "./",
    logLevel: "error",
    worker: { format: "es" },
    build: {
      outDir,
      target: "es2022",
      rolldownOptions: { input: join(SITE, "page.js"), output: { entryFileNames: "[name].js" } },
    },
  });
}

function transpile(file: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(readFileSync(file, "utf8"), { compilerOptions }).outputText;
}

describe.skipIf(lacking(CHROMIUM))("in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let expected: Outcome;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "twinwall-bundle-"));
    await bundle(folder);
    server = await serve({
      folders: {
        "/dist/": join(ROOT, "dist"),
        "/node_modules/": join(ROOT, "node_modules"),
        "/examples/": join(ROOT, "examples"),
        "/bundle/": folder,
      },
      texts: { ...PAGES, "/site/replay.js": transpile(join(SITE, "replay.ts")) },
    });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
    expected = await replay(readFileSync(join(ROOT, CONFIG), "utf8"), [readFileSync(join(ROOT, CAPTURE))]);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens a page, evaluates an expression there, and says what there was to complain about and what was asked for. */
  async function evaluate<T>(path: string, expression: string) {
    const context = await browser.newContext();
    const complaints: string[] = [];
    const page: Page = await context.newPage();
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.origin))
        complaints.push(`foreign: ${request.url()}`);
    });
    server.requests.length = 0;
    await page.goto(server.origin + path, { waitUntil: "load" });
    const outcome = await page.evaluate<T>(expression);
    await context.close();
    return { outcome, complaints, requests: [...server.requests] };
  }

  test("the example has something to compare", () => {
    expect(expected.verdicts.length).toBeGreaterThan(2000);
    expect(expected.report.verdicts).toMatchObject({ pass: expect.any(Number), drop: expect.any(Number) });
    expect(new Set(expected.verdicts.map((row) => row.split(" ")[4])).size).toBeGreaterThan(5);
  });

  const files = `${JSON.stringify(CONFIG)}, ${JSON.stringify(CAPTURE)}`;
  test.each([
    [
      "the modules themselves, by an import map",
      "/mapped.html",
      `import("/site/replay.js").then(({ replayFrom }) => replayFrom(${files}))`,
    ],
    ["a bundle", "/bundled.html", `onPage(${files})`],
    ["a bundle in a worker", "/bundled.html", `inWorker(${files})`],
  ])("%s: the same replay as in Node", async (_, path, expression) => {
    const { outcome, complaints, requests } = await evaluate<Outcome>(path, expression);
    expect(complaints).toEqual([]);
    expect(outcome).toEqual(expected);
    expect(requests.filter((each) => each.endsWith(".wasm"))).toHaveLength(1);
  });

  test("each instance has hash keys of its own", async () => {
    const snapshot =
      'Dataplane.create({ config: "hostname here" }).then((dataplane) => dataplane.snapshot())';
    const { outcome } = await evaluate<boolean>(
      "/mapped.html",
      `import("twinwall").then(async ({ Dataplane }) => {
        const [one, other] = await Promise.all([${snapshot}, ${snapshot}]);
        return one.length === other.length && one.some((byte, i) => byte !== other[i]);
      })`,
    );
    expect(outcome).toBe(true);
  });
});
