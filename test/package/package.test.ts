/**
 * What npm would publish, as a user gets it: packed, installed into an empty folder, and used there as a command, as a
 * library by both module systems, and by TypeScript. The project has to be built.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What is optional is left out: only the live mode needs it, on Linux. */
const NPM_OPTIONS = [
  ...["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--engine-strict"],
  "--omit=optional",
];
/** One more attempt, and soon: without a network the whole installation would take minutes to fail. */
const NPM_RETRIES = ["--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=1000"];
/** Of one program: npm has to install within it. */
const TIMEOUT_MS = 180_000;
const TARBALL_BYTES_MAX = 1_500_000;
/** Of everything that the installation brings. */
const INSTALLED_BYTES_MAX = 10_000_000;
/** What npm says when it cannot reach the registry. */
const OFFLINE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/;

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

interface Ran {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end; what it returns and prints. */
function run(cwd: string, program: string, ...argv: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(program, argv, { cwd, timeout: TIMEOUT_MS, maxBuffer: 2 ** 26 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : (error.code ?? "killed"), out, err }),
    );
  });
}

/** The files below a folder, with `/` between their parts. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .sort();
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const folder = mkdtempSync(join(tmpdir(), "twinwall-package-"));
const app = join(folder, "app");
const installed = join(app, "node_modules", "twinwall");
afterAll(() => rmSync(folder, { recursive: true }));

async function pack(): Promise<Packed> {
  // Without scripts: the build has been made.
  const options = ["--ignore-scripts", "--json", "--pack-destination", folder];
  const { code, out, err } = await run(ROOT, "npm", "pack", ...options);
  if (code !== 0) throw new Error(`npm pack: ${err}`);
  return (JSON.parse(out) as [Packed])[0];
}

/** Whether the package has been installed; not without a registry, which in CI is an error. */
async function install(tarball: string): Promise<boolean> {
  mkdirSync(app);
  const { code, err } = await run(app, "npm", "install", ...NPM_OPTIONS, ...NPM_RETRIES, tarball);
  if (code === 0) return true;
  if (process.env.CI === "true" || !OFFLINE.test(err)) throw new Error(`npm install: ${err}`);
  console.warn("skipped: the npm registry cannot be reached");
  return false;
}

const packed = await pack();
const tarball = join(folder, packed.filename);
const isInstalled = await install(tarball);

describe("the tarball", () => {
  test("has what the package needs, and nothing else", () => {
    const compiled = ["assembly/layout.ts", ...filesBelow(join(ROOT, "src")).map((file) => `src/${file}`)]
      .filter((file) => !file.endsWith(".d.ts"))
      .flatMap((file) => [".js", ".d.ts"].map((ending) => `dist/${file.replace(/\.ts$/, ending)}`));
    const examples = filesBelow(join(ROOT, "examples")).filter((file) => /\.(cfg|pcapng)$/.test(file));
    const whole = ["docs", "systemd"].flatMap((folder) =>
      filesBelow(join(ROOT, folder)).map((file) => `${folder}/${file}`),
    );
    expect(packed.files.map(({ path }) => path).sort()).toEqual(
      [
        "LICENSE",
        "README.md",
        "package.json",
        "dist/core.wasm",
        ...compiled,
        ...examples.map((file) => `examples/${file}`),
        ...whole,
      ].sort(),
    );
  });

  test("is small", () => {
    expect(packed.size).toBeLessThan(TARBALL_BYTES_MAX);
  });

  test("publint finds nothing wrong", async () => {
    const bytes = readFileSync(tarball);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
    expect(pkg?.name).toBe("twinwall");
    expect(messages.map((message) => `${message.type}: ${formatMessage(message, pkg!)}`)).toEqual([]);
  });
});

describe.skipIf(!isInstalled)("installed into an empty folder", () => {
  const node = (...argv: string[]) => run(app, process.execPath, ...argv);
  /** Runs a program text; what it prints, when it ends well and says nothing on standard error. */
  const evaluate = async (type: "module" | "commonjs", text: string): Promise<string> => {
    const { code, out, err } = await node(`--input-type=${type}`, "--eval", text);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    return out.trim();
  };

  test("brings its dependencies, which have none, and no script that runs at install", () => {
    const manifests = filesBelow(join(app, "node_modules")).filter((file) =>
      /(^|\/)package\.json$/.test(file),
    );
    const packages = manifests.filter((file) => /^(@[^/]+\/)?[^/]+\/package\.json$/.test(file)).map(dirname);
    expect(packages).toEqual(["twinwall", ...Object.keys(manifestOf(ROOT).dependencies)].sort());
    expect(manifests.filter((file) => file.includes("/node_modules/"))).toEqual([]);
    for (const file of manifests) {
      const { scripts = {} } = manifestOf(join(app, "node_modules", dirname(file)));
      const atInstall = Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name));
      expect({ file, atInstall }).toEqual({ file, atInstall: [] });
    }
    // npm builds an addon where it finds this file.
    expect(filesBelow(app).filter((file) => file.endsWith("binding.gyp"))).toEqual([]);
  });

  test("is small", () => {
    const sizes = filesBelow(app).map((file) => readFileSync(join(app, file)).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(INSTALLED_BYTES_MAX);
  });

  test("no file names the folder that it was built in", () => {
    const naming = filesBelow(installed).filter((file) => readFileSync(join(installed, file)).includes(ROOT));
    expect(naming).toEqual([]);
  });

  test("the command", async () => {
    const { version } = manifestOf(ROOT);
    const ran = await run(app, "npx", "--no-install", "twinwall", "--version");
    expect(ran).toEqual({ code: 0, out: `${version}\n`, err: expect.not.stringMatching(/twinwall|error/i) });
  });

  test("the command replays an example of the package", async () => {
    const example = (name: string) => `node_modules/twinwall/examples/${name}`;
    const argv = ["replay", example("office.pcapng"), "--config", example("office.cfg"), "--json"];
    const { code, out } = await run(app, join("node_modules", ".bin", "twinwall"), ...argv);
    expect(code).toBe(0);
    const { packets, verdicts } = JSON.parse(out);
    expect(packets).toBeGreaterThan(2000);
    expect(verdicts.pass + verdicts.drop + verdicts.local).toBe(packets);
    expect(Math.min(verdicts.pass, verdicts.drop, verdicts.local)).toBeGreaterThan(0);
  });

  test("import: the Wasm is found by itself", async () => {
    const text = readFileSync(join(ROOT, "examples/embed.mjs"), "utf8");
    expect(await evaluate("module", text)).toBe(
      "pass new_session\npass established\ndrop acl_in_deny\nudp open 10.0.0.5 203.0.113.9",
    );
  });

  test.skipIf(!hasRequireModule())("require", async () => {
    const text = `
      const { Dataplane } = require("twinwall");
      const { Replay } = require("twinwall/replay");
      Dataplane.create({ config: "hostname here" }).then((dataplane) =>
        console.log(dataplane.config.hostname, new Replay(dataplane).packets));`;
    expect(await evaluate("commonjs", text)).toBe("here 0");
  });

  test("what the package exports, and nothing else", async () => {
    const names = ["twinwall", "twinwall/replay", "twinwall/core.wasm", "twinwall/package.json"];
    const inside = ["twinwall/dist/src/core.js", "twinwall/dist/src/main.js"];
    const text = `
      import { existsSync } from "node:fs";
      for (const name of ${JSON.stringify([...names, ...inside])}) {
        try { console.log(existsSync(new URL(import.meta.resolve(name)))); } catch (error) { console.log(error.code); }
      }`;
    expect((await evaluate("module", text)).split("\n")).toEqual([
      ...names.map(() => "true"),
      ...inside.map(() => "ERR_PACKAGE_PATH_NOT_EXPORTED"),
    ]);
  });

  describe("TypeScript", () => {
    const tsc = join(
      dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
      "bin",
      "tsc",
    );
    const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022"];
    writeFileSync(
      join(app, "user.mts"),
      `
      import { type Counters, Dataplane, type FirewallEvent, type Session } from "twinwall";
      import { CaptureReader, readBatches, Replay } from "twinwall/replay";

      export async function replay(config: string, file: AsyncIterable<Uint8Array>): Promise<Counters> {
        const dataplane = await Dataplane.create({ config, capacity: { sessions: 1024 } });
        const replay = new Replay(dataplane, { verdicts: ({ n, reason }) => void (n + reason) });
        const reader = new CaptureReader();
        for await (const packets of readBatches(file, reader)) replay.feed(packets, reader.interfaces);
        replay.finish(reader.interfaces);
        const sessions: Session[] = [...dataplane.sessions()];
        const events: FirewallEvent[] = [...dataplane.events()];
        if (sessions.length + events.length > 1024) throw new Error();
        return dataplane.counters();
      }

      export const same = (bytes: Uint8Array): Dataplane => Dataplane.createSync(bytes, { config: "" });
      // @ts-expect-error
      export const noConfig = Dataplane.create({});
      // @ts-expect-error
      export const noSuchMember: number = (await Dataplane.create({ config: "" })).noSuchMember;
      `,
    );

    test.each([
      ["Node, without any types beside the language's", ["--module", "nodenext", "--lib", "es2022"]],
      ["Node, with the DOM, as when nothing is said", ["--module", "nodenext"]],
      ["a bundler", ["--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom"]],
    ])("%s", async (_, options) => {
      const { code, out } = await node(tsc, ...strict, ...options, "user.mts");
      expect({ code, out }).toEqual({ code: 0, out: "" });
    });
  });
});

/** Whether this Node lets CommonJS require modules: since 20.19 and 22.12. */
function hasRequireModule(): boolean {
  return (process.features as { require_module?: boolean }).require_module === true;
}
