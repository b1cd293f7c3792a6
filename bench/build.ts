/**
 * What the benchmarks compile before they start, into a directory that goes with them: the module of bench/core, and
 * the native reference where the system has a C compiler.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as L from "../assembly/layout.js";
import { KEYS_MAX } from "./keys.js";
import { RING_SLOT } from "./ring.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Tried in this order, after the environment's CC. */
const COMPILERS = ["clang", "gcc", "cc"];
const C_FLAGS = ["-O3", "-march=native", "-std=gnu11", "-Wall", "-Wextra", "-Werror"];

export interface Built {
  /** Where everything lies; removed by `remove`. */
  readonly directory: string;
  /** bench/core, compiled as the product's core is. */
  readonly extras: WebAssembly.Module;
  /** The native reference; undefined where there is no compiler. */
  readonly native: { readonly path: string; readonly compiler: string } | undefined;
  remove(): void;
}

/** Compiles both. Throws when one of them does not compile. */
export function build(): Built {
  const directory = mkdtempSync(join(tmpdir(), "twinwall-bench-"));
  return {
    directory,
    extras: buildExtras(directory),
    native: buildNative(directory),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function buildExtras(directory: string): WebAssembly.Module {
  const require = createRequire(import.meta.url);
  const asc = join(dirname(require.resolve("assemblyscript/package.json")), "bin", "asc.js");
  const outFile = join(directory, "extras.wasm");
  const flags = ["--target", "release", "--outFile", outFile];
  execFileSync(process.execPath, [asc, "bench/core/index.ts", ...flags], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new WebAssembly.Module(readFileSync(outFile));
}

function buildNative(directory: string): Built["native"] {
  const compiler = findCompiler();
  if (compiler === undefined) return undefined;
  const constants: Record<string, number> = { ...L, RING_SLOT, KEYS_MAX };
  const lines = Object.entries(constants).map(([name, value]) => `#define ${name} ${value >>> 0}u`);
  writeFileSync(join(directory, "layout.h"), lines.join("\n") + "\n");
  const path = join(directory, "firewall");
  const source = join(ROOT, "bench", "native", "main.c");
  execFileSync(compiler, [...C_FLAGS, `-I${directory}`, source, "-o", path], { stdio: "inherit" });
  const version = spawnSync(compiler, ["--version"], { encoding: "utf8" }).stdout.split("\n")[0] ?? "";
  return { path, compiler: `${version} ${C_FLAGS.slice(0, 2).join(" ")}` };
}

function findCompiler(): string | undefined {
  const wanted = process.env.CC ? [process.env.CC] : COMPILERS;
  return wanted.find((compiler) => spawnSync(compiler, ["--version"]).status === 0);
}
