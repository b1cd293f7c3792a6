/**
 * Checks what no compiler checks: that imports point one way, that effects stay where they belong, and that offsets
 * in the core have names. Prints every offence as file:line and exits with 1 when there is one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = normalize(join(dirname(fileURLToPath(import.meta.url)), ".."));

/** Folders and files of src/, lowest first: each may import what stands above it in this list, and itself. */
const LAYERS: readonly (readonly string[])[] = [
  ["deque.ts", "doorbell.ts", "ip.ts", "printable.ts", "random.ts", "reasons.ts", "ring.ts"],
  ["mac.ts"],
  ["record.ts"],
  ["frame.ts"],
  ["config/", "capture/"],
  ["arp.ts", "icmp.ts"],
  ["bfd/", "hsrp/", "sctp/"],
  ["acl/"],
  ["policy/", "check/"],
  ["router/"],
  ["redundancy/"],
  ["memory.ts"],
  ["core.ts"],
  ["batch.ts"],
  ["counters.ts", "forwarding.ts", "session-view.ts", "snapshot.ts", "sync-port.ts"],
  ["sync/"],
  ["events.ts", "explain.ts"],
  ["prepare.ts"],
  ["dataplane.ts"],
  ["log/"],
  ["report/"],
  ["replay/"],
  ["node/"],
  ["node.ts"],
  ["pair/"],
  ["debug/"],
  ["live/"],
  ["console/"],
  ["metrics/", "monitor/"],
  ["io/"],
  ["library.ts"],
  ["index.ts", "browser.ts"],
  ["cli/"],
  ["main.ts"],
];

/** Who may touch the platform. */
const EFFECTS = /^src\/(io\/|main\.ts$)/;
const EFFECT =
  /\bfrom "(node:|koffi)|\bimport\("(node:|koffi)|\bDate\.now\b|\bMath\.random\b|\bperformance\.now\b|\bset(Timeout|Interval|Immediate)\(|\bprocess\.(argv|env|stdout|stderr|stdin|exit)\b/;

/** A load or store in the core whose offset is a bare number of two digits or more. */
const BARE_OFFSET = /\b(load|store)<[a-z0-9]+>\([^)]*, \d{2,}\)/;
const LINES_MAX = 450;

interface Offence {
  file: string;
  line: number;
  text: string;
}

const offences: Offence[] = [];

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

function linesOf(file: string): string[] {
  return readFileSync(join(ROOT, file), "utf8").split("\n");
}

function importsOf(file: string): { line: number; target: string; typeOnly: boolean }[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const found: { line: number; target: string; typeOnly: boolean }[] = [];
  for (const match of text.matchAll(/(?:^|\n)(import|export)( type)?\b[^;]*?from "(\.[^"]+)"/g)) {
    const line = text.slice(0, match.index + 1).split("\n").length;
    const path = normalize(join(dirname(file), match[3]!));
    const target = path.endsWith(".js")
      ? `${path.slice(0, -3)}.ts`
      : path.endsWith(".ts")
        ? path
        : `${path}.ts`;
    found.push({ line, target, typeOnly: match[2] !== undefined });
  }
  return found;
}

function layerOf(file: string): number {
  const name = file.slice("src/".length);
  return LAYERS.findIndex((layer) =>
    layer.some((entry) => (entry.endsWith("/") ? name.startsWith(entry) : name === entry)),
  );
}

function folderOf(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

function checkDirections(files: readonly string[]): void {
  for (const file of files) {
    const own = layerOf(file);
    if (own < 0) offences.push({ file, line: 1, text: "stands in no layer of scripts/layers.ts" });
    for (const { line, target } of importsOf(file)) {
      if (target === "assembly/layout.ts") continue;
      const theirs = target.startsWith("src/") ? layerOf(target) : -1;
      if (theirs < 0 || theirs > own || (theirs === own && folderOf(target) !== folderOf(file))) {
        offences.push({ file, line, text: `imports ${target}, which stands above or beside it` });
      }
    }
  }
}

/** Imports of values that come back to where they started. */
function checkCycles(files: readonly string[]): void {
  const graph = new Map(files.map((file) => [file, importsOf(file).filter(({ typeOnly }) => !typeOnly)]));
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      offences.push({ file, line: 1, text: `imports itself: ${[...path.slice(at), file].join(" -> ")}` });
      return;
    }
    if (done.has(file)) return;
    for (const { target } of graph.get(file) ?? []) walk(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
}

function checkLines(files: readonly string[], wrong: (line: string) => boolean, text: string): void {
  for (const file of files) {
    linesOf(file).forEach((line, index) => {
      if (!/^\s*(\*|\/\/|\/\*)/.test(line) && wrong(line)) offences.push({ file, line: index + 1, text });
    });
  }
}

const host = filesBelow("src");
const core = filesBelow("assembly");
checkDirections(host);
checkCycles([...host, ...core]);
checkLines(
  host.filter((file) => !EFFECTS.test(file)),
  (line) => EFFECT.test(line),
  "an effect (clock, randomness, input or output) outside src/io and the entry points",
);
checkLines(
  core.filter((file) => file !== "assembly/layout.ts"),
  (line) => BARE_OFFSET.test(line),
  "an offset without a name",
);
for (const file of [...host, ...core]) {
  const length = linesOf(file).length;
  const isData = file === "assembly/layout.ts";
  if (length > LINES_MAX && !isData)
    offences.push({ file, line: length, text: `has more than ${LINES_MAX} lines` });
}

for (const { file, line, text } of offences) console.error(`${file}:${line}: ${text}`);
console.log(
  offences.length === 0
    ? `layers: ${host.length + core.length} files, imports point one way`
    : `${offences.length} offences`,
);
process.exitCode = offences.length === 0 ? 0 : 1;
