/**
 * Mutation check: deletes or changes one rule, cell or condition at a time, compiles, and runs the tests that must notice.
 * A mutant that none of them notices is a survivor; those that nothing can notice stand in mutants.json with the reason.
 *
 *   tsx scripts/mutate.ts [--file NAME] [--only TEXT] [--from N] [--limit N] [--every N] [--list] [--again]
 *
 * It works in a copy of the project (one run at a time), and remembers what it found there: an interrupted run goes on
 * where it stopped. A mutant is tried again when its file or the test that noticed it has changed; a survivor, when any of
 * its tests has. Exits with 1 when a survivor is not accepted, or when one is that does not survive.
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
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import asc from "assemblyscript/asc";
import ts from "typescript";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const WORK = join(tmpdir(), "twinwall-mutants");
const RESULTS = join(WORK, "results.json");
const ACCEPTED = join(ROOT, "scripts", "mutants.json");
/** A mutant that keeps one file of tests busy for longer has been noticed. The slowest takes a fourth of it. */
const TEST_SECONDS = 90;

interface Target {
  file: string;
  /** Functions and tables that are changed; without, all of the file. */
  within?: readonly string[];
  /** What a cell of its table that has no rule says; without, every cell has one. */
  empty?: string;
  /** Test files, in the order in which they are run: those that notice most come first. */
  tests: readonly string[];
}

const TARGETS: readonly Target[] = [
  {
    file: "assembly/sync.ts",
    tests: testsIn("sync", "queue update bulk records defer told takeover property hostile"),
  },
  { file: "assembly/resync.ts", tests: testsIn("sync", "resync resume takeover transfer") },
  {
    file: "assembly/tcp.ts",
    within: ["TRANSITIONS"],
    empty: "xx",
    tests: testsIn("model", "tcp-table tcp-rules"),
  },
  { file: "src/hsrp/table.ts", within: ["TABLE"], tests: testsIn("hsrp", "table roles") },
  { file: "src/redundancy/table.ts", within: ["TABLE"], tests: testsIn("redundancy", "table machine world") },
  {
    file: "src/sctp/states.ts",
    within: ["STATE_TABLE"],
    tests: testsIn("sctp", "tables setup teardown restart refusals endpoint paths transfer"),
  },
  { file: "src/sctp/collision.ts", within: ["COLLISION_TABLE"], tests: testsIn("sctp", "tables") },
];

function testsIn(folder: string, names: string): string[] {
  return names.split(" ").map((name) => `test/${folder}/${name}.test.ts`);
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

/** All changes of a file below `root`, in the order of its text. */
function mutantsOf(root: string, { file, within, empty }: Target): Mutant[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(root, file), "utf8"),
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
      ts.isFunctionDeclaration(node) || ts.isVariableDeclaration(node)
        ? node.name?.getText(source)
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
    else if (ts.isIfStatement(node)) mutateRule(node);
    else if (ts.isWhileStatement(node)) change(node.expression, "false", "never:");
    else if (ts.isConditionalExpression(node)) {
      change(node, node.whenTrue.getText(source), "always the first of");
      change(node, node.whenFalse.getText(source), "always the second of");
    } else if (ts.isBinaryExpression(node)) mutateBinary(node);
    else if (ts.isArrayLiteralExpression(node) && node.elements.length > 3) mutateCells(node);
    else if (ts.isReturnStatement(node) && node.expression !== undefined) mutateReturn(node.expression);
  };

  const mutateRule = ({ expression, thenStatement, elseStatement }: ts.IfStatement): void => {
    change(expression, "true", "always:");
    // A rule that is one statement is deleted with that.
    if (elseStatement !== undefined || !ts.isExpressionStatement(thenStatement))
      change(expression, "false", "never:");
  };

  const mutateBinary = (node: ts.BinaryExpression): void => {
    const { kind } = node.operatorToken;
    const left = node.left.getText(source);
    const right = node.right.getText(source);
    if (isLogical(kind)) {
      change(node, left, "only the first of");
      change(node, right, "only the second of");
    }
    const bound = BOUNDS.get(kind);
    if (bound !== undefined) change(node, `${left} ${bound} ${right}`, "compared otherwise:");
    const opposite = OPPOSITES.get(kind);
    // A condition, or a part of one, has been taken away already.
    const isPart =
      ts.isIfStatement(node.parent) ||
      ts.isConditionalExpression(node.parent) ||
      (ts.isBinaryExpression(node.parent) && isLogical(node.parent.operatorToken.kind));
    if (opposite !== undefined && !isPart)
      change(node, `${left} ${opposite} ${right}`, "compared otherwise:");
  };

  const mutateReturn = (expression: ts.Expression): void => {
    if (expression.kind === ts.SyntaxKind.TrueKeyword) change(expression, "false", "returned:");
    if (expression.kind === ts.SyntaxKind.FalseKeyword) change(expression, "true", "returned:");
  };

  /** A text loses all or a part of what it says; any other cell its rule, or it gets that of another one. */
  const mutateCells = ({ elements, parent }: ts.ArrayLiteralExpression): void => {
    const row = ts.isPropertyAssignment(parent) ? `${parent.name.getText(source)}, ` : "";
    const values = [...new Set(elements.map((cell) => cell.getText(source)))];
    elements.forEach((cell, i) => {
      const value = cell.getText(source);
      const next = values[(values.indexOf(value) + 1) % values.length]!;
      const other = empty === undefined || value === empty ? next : empty;
      const texts = ts.isStringLiteral(cell) && cell.text !== "" ? lesserCells(cell.text) : [other];
      for (const text of texts) change(cell, text, `${row}cell ${i}`);
    });
  };

  visit(source);
  return found;
}

const isLogical = (kind: ts.SyntaxKind): boolean =>
  kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken;

/** What is left of a cell "actions/state" or "action state" without all of it, its state, or one of its actions. */
function lesserCells(cell: string): string[] {
  const [, actions, state] = /^([^ /]*)(.*)$/.exec(cell)! as unknown as [string, string, string];
  const letters = /^[A-Z]+$/.test(actions) ? [...actions] : [];
  const fewer = letters.map((_letter, i) => letters.toSpliced(i, 1).join("") + state);
  const lesser = new Set(["", actions, ...fewer]);
  lesser.delete(cell);
  return [...lesser].map((text) => JSON.stringify(text));
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

const VITEST_OPTIONS = [
  ["--bail", "1"],
  ["--reporter", "dot"],
  // Threads, and not processes: they end with the process that has taken too long.
  ["--pool", "threads"],
  ["--maxWorkers", "1"],
  // What has not changed is not translated again.
  ["--experimental.fsModuleCache"],
  ["--experimental.fsModuleCachePath", join(WORK, "cache")],
].flat();

/** Runs tests one file after the other until one fails; the one that did. */
function noticed(tests: readonly string[]): string | undefined {
  for (const test of tests) {
    const { status } = spawnSync(
      process.execPath,
      [join(WORK, "node_modules", "vitest", "vitest.mjs"), "run", test, ...VITEST_OPTIONS],
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

/** Changes when the file, the tests or what those use of their folders do. */
function fingerprint(file: string, tests: readonly string[]): string {
  const hash = createHash("sha256");
  const folders = [...new Set(tests.map((test) => dirname(test)))];
  const helpers = folders.flatMap((folder) =>
    readdirSync(join(WORK, folder))
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .map((name) => join(folder, name)),
  );
  for (const path of [file, ...tests, ...helpers.sort()]) hash.update(readFileSync(join(WORK, path)));
  return hash.digest("hex").slice(0, 16);
}

/** What became of a mutant: the test that noticed it, or one of these; and the fingerprint for which that holds. */
interface Outcome {
  result: string;
  fingerprint: string;
}
const SURVIVED = "survived";
const REFUSED = "the compiler";

/** By file and id. */
type Results = Record<string, Outcome>;
/** By file: survivors that are accepted, and why. */
type Accepted = Record<string, Record<string, string>>;

const readJson = <T>(path: string, otherwise: T): T =>
  existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : otherwise;

/** What became of each mutant, by id. */
async function check(
  { file, tests }: Target,
  mutants: readonly Mutant[],
  again: boolean,
): Promise<Map<string, string>> {
  const results = readJson<Results>(RESULTS, {});
  const outcome = new Map<string, string>();
  const source = readFileSync(join(WORK, file), "utf8");
  const isCore = file.startsWith("assembly/");
  const fingerprints = new Map(tests.map((test) => [test, fingerprint(file, [test])]));
  const ofAll = fingerprint(file, tests);
  const holdsFor = (result: string): string => fingerprints.get(result) ?? ofAll;
  const todo = mutants.filter(({ id }) => {
    const known = results[`${file} ${id}`];
    if (again || known === undefined || known.fingerprint !== holdsFor(known.result)) return true;
    outcome.set(id, known.result);
    return false;
  });
  if (todo.length > 0) {
    const failing = noticed(tests);
    if (failing !== undefined) throw new Error(`${failing} fails without any change`);
  }
  for (const { id, line, from, to, text } of todo) {
    writeFileSync(join(WORK, file), source.slice(0, from) + text + source.slice(to));
    const problem = isCore ? await compile() : undefined;
    const result = problem !== undefined ? REFUSED : (noticed(tests) ?? SURVIVED);
    outcome.set(id, result);
    results[`${file} ${id}`] = { result, fingerprint: holdsFor(result) };
    writeFileSync(RESULTS, JSON.stringify(results, undefined, 1));
    console.log(`${result === SURVIVED ? "SURVIVED" : "noticed "} ${file}:${line} ${id} [${result}]`);
  }
  writeFileSync(join(WORK, file), source);
  if (isCore && todo.length > 0) await compile();
  return outcome;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      file: { type: "string", multiple: true },
      only: { type: "string" },
      from: { type: "string", default: "0" },
      limit: { type: "string", default: "1000000" },
      every: { type: "string", default: "1" },
      list: { type: "boolean", default: false },
      again: { type: "boolean", default: false },
    },
  });
  const accepted = readJson<Accepted>(ACCEPTED, {});
  const targets = TARGETS.filter(
    ({ file }) => values.file?.some((name) => `/${file}`.endsWith(`/${name}`)) ?? true,
  );
  if (!values.list) {
    copyProject();
    const problem = await compile();
    if (problem !== undefined) throw new Error(problem);
  }
  let failed = false;
  for (const target of targets) {
    const { file } = target;
    const all = mutantsOf(values.list ? ROOT : WORK, target);
    const from = Number(values.from);
    const chosen = all
      .filter(({ id }) => values.only === undefined || id.includes(values.only))
      .slice(from, from + Number(values.limit))
      .filter((_mutant, i) => i % Number(values.every) === 0);
    if (values.list) {
      for (const { id, line } of chosen) console.log(`${file}:${line} ${id}`);
      continue;
    }
    const outcome = await check(target, chosen, values.again);
    const reasons = accepted[file] ?? {};
    const survivors = [...outcome].filter(([, result]) => result === SURVIVED).map(([id]) => id);
    const unexplained = survivors.filter((id) => !(id in reasons));
    const stale = Object.keys(reasons).filter(
      (id) => !all.some((mutant) => mutant.id === id) || (outcome.has(id) && outcome.get(id) !== SURVIVED),
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
