/** How long does it take to find the line of an access list that decides, by the number of lines? */
import * as L from "../assembly/layout.js";
import { compileAccessLists } from "../src/acl/compile.js";
import type { Config } from "../src/config/model.js";
import { parse as parseConfig } from "../src/config/parse.js";
import { makeFirewall } from "./engine.js";
import { type Extras, makeExtras } from "./extras.js";
import { JavascriptList } from "./javascript/acl.js";
import { KEYS_MAX, type Line, makeKeys, makeLines, textOf } from "./keys.js";
import { type Contender, inProcess, median, race } from "./measure.js";
import { Native } from "./native.js";
import { CONFIGURATION } from "./policy.js";
import { digits, PRODUCT, type Question, type Row, rowOf } from "./report.js";
import type { Workshop } from "./testbed.js";

const SIZES = [10, 100, 1000, 10000];
/** Room for the largest. */
const RULES = 16384;
const SESSIONS = 1024;
/** Who reads line by line looks at about as many lines in a sample, however long the list is. */
const LINES_A_SAMPLE = 4_000_000;

/** Times that a list is compiled; the median counts. */
const COMPILATIONS = 5;
const LIST = "LIST";
const LINEAR = "linear";

export const acl = (workshop: Workshop): Question => ({
  names: SIZES.flatMap((size) => [`acl/${size}`, `acl-linear/${size}`]),
  async *measure(wanted) {
    for (const size of SIZES) {
      if (wanted(`acl/${size}`) || wanted(`acl-linear/${size}`)) {
        for (const row of await measureLists(workshop, size)) if (wanted(row.name)) yield row;
      }
    }
  },
});

async function measureLists(workshop: Workshop, size: number): Promise<Row[]> {
  const { built, core: source } = workshop;
  const lines = makeLines(size);
  const text = configurationOf(lines);
  const { config } = parseConfig(text, { file: "bench" });
  const compileMs = median(Array.from({ length: COMPILATIONS }, () => timeToCompile(config)));
  const firewall = makeFirewall(source, SESSIONS, { config, capacity: { sessions: SESSIONS, rules: RULES } });
  const { core } = firewall;
  const bank = core.plan.regions.banks.at;
  const bytes = core.view.getUint32(bank + core.view.getUint32(bank + L.P_ACLS, true) + L.AH_SIZE, true);
  const native = built.native && new Native(built.directory, built.native.path, core);
  try {
    const bench = new Lookup(
      makeExtras(built.extras, firewall),
      core,
      makeKeys(lines),
      new JavascriptList(lines),
    );
    native?.setKeys(bench.keys);
    await bench.verify(native);
    const sample = Math.min(Math.ceil(LINES_A_SAMPLE / size), KEYS_MAX / 2);
    const contenders = [
      bench.contender(PRODUCT, KEYS_MAX / 2),
      bench.contender(LINEAR, sample),
      bench.contender("javascript", sample),
      bench.contender("touch", KEYS_MAX / 2, bytes),
      ...(native === undefined ? [] : [nativeLookup(native)]),
    ];
    const figures = await race(contenders, workshop.effort(size));
    const note = `${digits(bytes / 1024)} KiB, compiled in ${digits(compileMs)} ms`;
    return [
      { ...rowOf(`acl/${size}`, figures), compiled: { bytes, ms: compileMs }, note },
      { ...rowOf(`acl-linear/${size}`, figures, LINEAR), note: "the same list, read line by line" },
    ];
  } finally {
    native?.close();
  }
}

function timeToCompile(config: Config): number {
  const start = performance.now();
  const compiled = compileAccessLists(config, [{ family: 4, name: LIST }]);
  if (!compiled.ok) throw new Error(compiled.problems.map(({ message }) => message).join("\n"));
  return performance.now() - start;
}

function configurationOf(lines: readonly Line[]): string {
  const bound = CONFIGURATION.replace("255.0.0.0\n", `255.0.0.0\n ip access-group ${LIST} in\n`);
  return bound.replace(/end\n$/, `ip access-list extended ${LIST}\n${lines.map(textOf).join("\n")}\nend\n`);
}

/** Keys in the memory of the core, where the answers go, too. */
class Lookup {
  readonly keys: Uint8Array;
  readonly #extras: Extras;
  readonly #list: JavascriptList;
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #answersAt: number;

  constructor(
    extras: Extras,
    core: ReturnType<typeof makeFirewall>["core"],
    keys: Uint8Array,
    list: JavascriptList,
  ) {
    this.keys = keys;
    this.#extras = extras;
    this.#list = list;
    this.#at = core.plan.regions.bytes.at;
    this.#answersAt = this.#at + keys.length;
    this.#words = new Int32Array(core.bytes.buffer);
    core.bytes.set(keys, this.#at);
  }

  /** `keys` a sample, each sample others. `bytes`: of the list, which the baseline touches. */
  contender(name: string, keys: number, bytes = 0): Contender {
    const work = this.#work(name, bytes);
    let first = 0;
    const run = (): void => {
      if (first + keys > KEYS_MAX) first = 0;
      work(first, keys);
      first += keys;
    };
    return inProcess(name, keys, run, () => {});
  }

  #work(name: string, bytes: number): (first: number, count: number) => void {
    const extras = this.#extras;
    const at = (first: number): number => this.#at + first * L.KEY_SIZE;
    const to = (first: number): number => this.#answersAt + first * 4;
    switch (name) {
      case PRODUCT:
        return (first, count) => extras.search(at(first), count, to(first));
      case LINEAR:
        return (first, count) => extras.searchLinear(at(first), count, to(first));
      case "touch":
        return (first, count) => void extras.searchTouch(at(first), count, bytes);
      default:
        return (first, count) => this.#javascript(first, count);
    }
  }

  #javascript(first: number, count: number): void {
    const keys = this.#at / 4;
    const answers = this.#answersAt / 4;
    for (let i = first; i < first + count; i++)
      this.#words[answers + i] = this.#list.search(this.#words, keys + (i * L.KEY_SIZE) / 4);
  }

  /** Throws unless everybody finds the same line for every key. */
  async verify(native: Native | undefined): Promise<void> {
    const answersOf = (name: string): Int32Array => {
      this.#work(name, 0)(0, KEYS_MAX);
      return this.#words.slice(this.#answersAt / 4, this.#answersAt / 4 + KEYS_MAX);
    };
    const expected = answersOf(PRODUCT);
    const others = [LINEAR, "javascript"].map((name) => ({ name, answers: answersOf(name) }));
    if (native !== undefined) {
      await native.run(`search 0 ${KEYS_MAX}`);
      others.push({ name: "native", answers: native.answers(KEYS_MAX) });
    }
    for (const { name, answers } of others) {
      const wrong = answers.findIndex((answer, i) => answer !== expected[i]);
      if (wrong !== -1)
        throw new Error(`key ${wrong}: ${name} finds ${answers[wrong]}, the product ${expected[wrong]}`);
    }
  }
}

function nativeLookup(native: Native): Contender {
  const keys = KEYS_MAX / 2;
  return {
    name: "native",
    sample: async (count) => {
      const times: number[] = [];
      while (times.length < count) {
        await native.run(`search 0 ${keys}`);
        times.push((await native.run(`search ${keys} ${keys}`)) / keys);
      }
      return times;
    },
  };
}
