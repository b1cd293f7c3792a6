/**
 * Mutation check: deletes or inverts one rule, cell or condition at a time, compiles, and runs the tests that must notice.
 * A mutant that none of them notices is a survivor; those that nothing can notice stand in mutants.json with the reason.
 *
 *   tsx scripts/mutate.ts [--file NAME] [--only TEXT] [--from N] [--limit N] [--list] [--again]
 *
 * It works in a copy of the project, and remembers what it found there: an interrupted run goes on where it stopped, and a
 * mutant is tried again when its file or its tests have changed. Exits with 1 when a survivor is not accepted, or when one
 * is that does not survive.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import asc from "assemblyscript/asc";
import ts from "typescript";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const WORK = join(tmpdir(), "twinwall-mutants");
const RESULTS = join(WORK, "results.json");
const ACCEPTED = join(ROOT, "scripts", "mutants.json");
/** A mutant that keeps the tests busy for longer has been noticed. */
const TEST_SECONDS = 240;

interface Target {
  file: string;
  /** Functions and tables that are changed; without, all of the file. */
  within?: readonly string[];
  /** Test files, in the order in which they are run: those that notice most come first. */
  tests: readonly string[];
}

const TARGETS: readonly Target[] = [
  {
    file: "assembly/sync.ts",
    tests: ["queue", "bulk", "update", "records", "defer", "hostile", "property"].map(inSync),
  },
  {
    file: "assembly/resync.ts",
    tests: ["resync", "transfer", "takeover"].map(inSync),
  },
  {
    file: "assembly/tcp.ts",
    within: ["TRANSITIONS"],
    tests: ["test/model/tcp-table.test.ts", "test/model/tcp-rules.test.ts"],
  },
];

function inSync(name: string): string {
  return `test/sync/${name}.test.ts`;
}

/** One change of a file. */
interface Mutant {
  /** Where it is, what stood there and what stands there now: the same as long as those are. */
  id: string;
  line: number;
  from: number;
  to: number;
  text: string;
}

const OPPOSITES: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.EqualsEqualsToken, "!="],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [ts.SyntaxKind.ExclamationEqualsToken, "=="],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
]);

/** Comparisons that differ at their bound only. */
const BOUNDS: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.LessThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, "<"],
  [ts.SyntaxKind.GreaterThanToken, ">="],
  [ts.SyntaxKind.GreaterThanEqualsToken, ">"],
]);

/** All changes of a file, in the order of its text. */
function mutantsOf({ file, within }: Target): Mutant[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(ROOT, file), "utf8"),
    ts.ScriptTarget.ESNext,
    true,
  );
  const found: Mutant[] = [];
  const times = new Map<string, number>();
  let place = "";

  const change = (node: ts.Node, text: string, what: string): void => {
    const before = node.getText(source).replaceAll(/\s+/g, " ");
    const plain = `${place}: ${what} ${before}${text === "" ? "" : ` -> ${text.replaceAll(/\s+/g, " ")}`}`;
    const time = (times.get(plain) ?? 0) + 1;
    times.set(plain, time);
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    const id = time === 1 ? plain : `${plain} (${time})`;
    found.push({ id, line, from: node.getStart(source), to: node.getEnd(), text });
  };

  const visit = (node: ts.Node): void => {
    const name =
      ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)
        ? node.name?.getText(source)
        : ts.isVariableDeclaration(node) && place === ""
          ? node.name.getText(source)
          : undefined;
    if (name === undefined || place !== "") {
      if (place !== "") mutate(node);
      ts.forEachChild(node, visit);
      return;
    }
    if (within !== undefined && !within.includes(name)) return;
    place = name;
    ts.forEachChild(node, visit);
    place = "";
  };

  const mutate = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) change(node, ";", "without");
    else if (ts.isIfStatement(node) || ts.isWhileStatement(node)) invert(node.expression);
    else if (ts.isConditionalExpression(node)) invert(node.condition);
    else if (ts.isBinaryExpression(node)) mutateBinary(node);
    else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
      change(node, node.operand.getText(source), "not inverted:");
    else if (ts.isArrayLiteralExpression(node) && node.elements.length > 3) mutateCells(node.elements);
    else if (ts.isReturnStatement(node) && node.expression !== undefined) mutateReturn(node.expression);
  };

  const invert = (condition: ts.Expression): void =>
    change(condition, `!(${condition.getText(source)})`, "inverted:");

  const mutateBinary = (node: ts.BinaryExpression): void => {
    const { kind } = node.operatorToken;
    const left = node.left.getText(source);
    const right = node.right.getText(source);
    if (kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken) {
      change(node, left, "only the first of");
      change(node, right, "only the second of");
    }
    const bound = BOUNDS.get(kind);
    if (bound !== undefined) change(node, `${left} ${bound} ${right}`, "compared otherwise:");
    const opposite = OPPOSITES.get(kind);
    // A whole condition has been inverted already.
    const isCondition = ts.isIfStatement(node.parent) || ts.isConditionalExpression(node.parent);
    if (opposite !== undefined && !isCondition)
      change(node, `${left} ${opposite} ${right}`, "compared otherwise:");
  };

  const mutateReturn = (expression: ts.Expression): void => {
    if (expression.kind === ts.SyntaxKind.TrueKeyword) change(expression, "false", "returned:");
    if (expression.kind === ts.SyntaxKind.FalseKeyword) change(expression, "true", "returned:");
  };

  /** Each cell gets the value of another one of the table. */
  const mutateCells = (cells: ts.NodeArray<ts.Expression>): void => {
    const values = [...new Set(cells.map((cell) => cell.getText(source)))];
    cells.forEach((cell, i) => {
      const at = values.indexOf(cell.getText(source));
      change(cell, values[(at + 1) % values.length]!, `cell ${i}`);
    });
  };

  visit(source);
  return found;
}

/** Compiles the copy's core; undefined: done, else why not. */
async function compile(): Promise<string | undefined> {
  const { error, stderr } = await asc.main(["assembly/index.ts", "--target", "release"], {
    readFile: (name, base) => {
      const path = join(WORK, base, name);
      return existsSync(path) ? readFileSync(path, "utf8") : null;
    },
    writeFile: (name, contents, base) => writeFileSync(join(WORK, base, name), contents),
    listFiles: () => null,
  });
  return error === null ? undefined : stderr.toString();
}

/** Runs tests one file after the other until one fails; the one that did. */
function noticed(tests: readonly string[]): string | undefined {
  for (const test of tests) {
    const { status } = spawnSync(
      process.execPath,
      [join(WORK, "node_modules", "vitest", "vitest.mjs"), "run", test, "--bail", "1", "--reporter", "dot"],
      { cwd: WORK, timeout: TEST_SECONDS * 1000, killSignal: "SIGKILL", stdio: "ignore" },
    );
    if (status !== 0) return test;
  }
  return undefined;
}

interface CompilerConfig {
  targets: { release: Record<string, unknown> };
}

/** Makes or renews the copy. */
function copyProject(): void {
  mkdirSync(join(WORK, "dist"), { recursive: true });
  for (const name of ["assembly", "src", "test"]) {
    rmSync(join(WORK, name), { recursive: true, force: true });
    cpSync(join(ROOT, name), join(WORK, name), { recursive: true });
  }
  for (const name of ["package.json", "tsconfig.json", "vitest.config.ts"])
    cpSync(join(ROOT, name), join(WORK, name));
  // A mutant runs for seconds: it need not be optimised to the end.
  const config = JSON.parse(readFileSync(join(ROOT, "asconfig.json"), "utf8")) as CompilerConfig;
  Object.assign(config.targets.release, { optimizeLevel: 1, converge: false });
  writeFileSync(join(WORK, "asconfig.json"), JSON.stringify(config));
  if (!existsSync(join(WORK, "node_modules")))
    symlinkSync(join(ROOT, "node_modules"), join(WORK, "node_modules"), "dir");
}

/** Changes when the file or anything that its tests are made of does. */
function fingerprint({ file, tests }: Target): string {
  const hash = createHash("sha256").update(readFileSync(join(ROOT, file)));
  const folders = [...new Set(tests.map((test) => dirname(test)))].sort();
  for (const folder of folders) {
    for (const name of readdirSync(join(ROOT, folder)).sort()) {
      if (
        name.endsWith(".ts") &&
        (!name.endsWith(".test.ts") || tests.some((test) => basename(test) === name))
      )
        hash.update(readFileSync(join(ROOT, folder, name)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** By fingerprint and id: the test that noticed the mutant, or "survived". */
type Results = Record<string, string>;
/** By file: survivors that are accepted, and why. */
type Accepted = Record<string, Record<string, string>>;

const readJson = <T>(path: string, otherwise: T): T =>
  existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : otherwise;

async function check(
  target: Target,
  mutants: readonly Mutant[],
  again: boolean,
): Promise<Map<string, string>> {
  const { file, tests } = target;
  const results = again ? {} : readJson<Results>(RESULTS, {});
  const stamp = fingerprint(target);
  const outcome = new Map<string, string>();
  const source = readFileSync(join(ROOT, file), "utf8");
  const isCore = file.startsWith("assembly/");
  const todo = mutants.filter(({ id }) => {
    const known = results[`${stamp} ${id}`];
    if (known !== undefined) outcome.set(id, known);
    return known === undefined;
  });
  if (todo.length > 0) {
    const problem = isCore ? await compile() : undefined;
    if (problem !== undefined) throw new Error(problem);
    const failing = noticed(tests);
    if (failing !== undefined) throw new Error(`${failing} fails without any change`);
  }
  for (const mutant of todo) {
    const { id, line, from, to, text } = mutant;
    writeFileSync(join(WORK, file), source.slice(0, from) + text + source.slice(to));
    const problem = isCore ? await compile() : undefined;
    const result = problem !== undefined ? "the compiler" : (noticed(tests) ?? "survived");
    outcome.set(id, result);
    results[`${stamp} ${id}`] = result;
    writeFileSync(RESULTS, JSON.stringify(results, undefined, 1));
    console.log(`${result === "survived" ? "SURVIVED" : "noticed "} ${file}:${line} ${id} [${result}]`);
  }
  writeFileSync(join(WORK, file), source);
  return outcome;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      file: { type: "string", multiple: true },
      only: { type: "string" },
      from: { type: "string", default: "0" },
      limit: { type: "string", default: "1000000" },
      list: { type: "boolean", default: false },
      again: { type: "boolean", default: false },
    },
  });
  const accepted = readJson<Accepted>(ACCEPTED, {});
  const targets = TARGETS.filter(({ file }) => values.file?.some((name) => file.endsWith(name)) ?? true);
  if (!values.list) copyProject();
  let failed = false;
  for (const target of targets) {
    const { file } = target;
    const all = mutantsOf(target);
    const from = Number(values.from);
    const chosen = all
      .filter(({ id }) => values.only === undefined || id.includes(values.only))
      .slice(from, from + Number(values.limit));
    if (values.list) {
      for (const { id, line } of chosen) console.log(`${file}:${line} ${id}`);
      continue;
    }
    const outcome = await check(target, chosen, values.again);
    const reasons = accepted[file] ?? {};
    const survivors = [...outcome].filter(([, result]) => result === "survived").map(([id]) => id);
    const unexplained = survivors.filter((id) => !(id in reasons));
    const stale = Object.keys(reasons).filter(
      (id) => !all.some((mutant) => mutant.id === id) || (outcome.has(id) && outcome.get(id) !== "survived"),
    );
    for (const id of unexplained) console.log(`not noticed by any test: ${file} ${id}`);
    for (const id of stale) console.log(`accepted, but no survivor: ${file} ${id}`);
    failed ||= unexplained.length + stale.length > 0;
    const explained = survivors.length - unexplained.length;
    console.log(
      `${file}: ${outcome.size} of ${all.length} mutants, ${outcome.size - survivors.length} noticed, ` +
        `${explained} accepted, ${unexplained.length} survived`,
    );
  }
  process.exitCode = failed ? 1 : 0;
}

await main();
