/**
 * Rewrites the text of a Wasm module so that it needs no SIMD: every v128 becomes two i64, every SIMD instruction a
 * call of a function that does the same lane by lane. Debian's wasm2c knows no SIMD; its coverage is what guides the
 * fuzzer, and everything that is not SIMD stays as the compiler wrote it.
 *
 *   wasm2wat core.wasm | tsx fuzz/core/lower.ts > lowered.wat
 *
 * The functions that stand for instructions are the only ones with names: simd_...
 *
 * Reads the linear form of wasm2wat, one instruction a line. An instruction that it does not know ends it with an
 * error; a v128 that is dropped or selected is found by the validation of wat2wasm. `fuzz/core/verify.ts` compares the
 * result with the module that it came from.
 */
import { readFileSync } from "node:fs";

/** A function that stands for an instruction: its signature with v128 as `v`, and its body. */
interface Helper {
  /** Letters of the operands: v (two i64), i (i32), l (i64). */
  readonly from: string;
  readonly to: "v" | "i" | "l";
  /** Folded expressions, one for each i64 of the result. */
  readonly body: readonly string[];
}

const WASM_TYPES: Readonly<Record<string, string>> = { v: "i64 i64", i: "i32", l: "i64" };
const HALF_BITS = 64;

const call = (name: string, ...operands: (string | number | bigint)[]): string =>
  `(${[name, ...operands].join(" ")})`;
const i64 = (value: bigint | number): string => call("i64.const", BigInt.asIntN(HALF_BITS, BigInt(value)));
const maskOf = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** Lane `i` of an operand as an unsigned i64. */
function lane(operand: string, bits: number, i: number): string {
  const half = call("local.get", `$${operand}${i * bits < HALF_BITS ? 0 : 1}`);
  if (bits === HALF_BITS) return half;
  return call("i64.and", call("i64.shr_u", half, i64((i * bits) % HALF_BITS)), i64(maskOf(bits)));
}

function signedLane(operand: string, bits: number, i: number): string {
  const value = lane(operand, bits, i);
  return bits === HALF_BITS ? value : call(`i64.extend${bits}_s`, value);
}

/** The two halves of a vector whose lanes are given; what a lane has above its width is cut off. */
function vector(bits: number, laneAt: (i: number) => string): string[] {
  const perHalf = HALF_BITS / bits;
  return [0, 1].map((half) => {
    const lanes = Array.from({ length: perHalf }, (_, i) => {
      const value = laneAt(half * perHalf + i);
      if (bits === HALF_BITS) return value;
      return call("i64.shl", call("i64.and", value, i64(maskOf(bits))), i64(i * bits));
    });
    return lanes.reduce((all, one) => call("i64.or", all, one));
  });
}

const choose = (yes: string, no: string, when: string): string => call("select", yes, no, when);
const truth = (when: string): string => choose(i64(-1), i64(0), when);

/** Two lanes in, one out; a comparison answers all ones. */
const BINARY: Readonly<Record<string, (a: string, b: string) => string>> = {
  add: (a, b) => call("i64.add", a, b),
  sub: (a, b) => call("i64.sub", a, b),
  mul: (a, b) => call("i64.mul", a, b),
  eq: (a, b) => truth(call("i64.eq", a, b)),
  ne: (a, b) => truth(call("i64.ne", a, b)),
  lt_u: (a, b) => truth(call("i64.lt_u", a, b)),
  le_u: (a, b) => truth(call("i64.le_u", a, b)),
  gt_u: (a, b) => truth(call("i64.gt_u", a, b)),
  ge_u: (a, b) => truth(call("i64.ge_u", a, b)),
  min_u: (a, b) => choose(a, b, call("i64.lt_u", a, b)),
  max_u: (a, b) => choose(a, b, call("i64.gt_u", a, b)),
  sub_sat_u: (a, b) => choose(i64(0), call("i64.sub", a, b), call("i64.lt_u", a, b)),
};
const SIGNED_BINARY: Readonly<Record<string, (a: string, b: string) => string>> = {
  lt_s: (a, b) => truth(call("i64.lt_s", a, b)),
  le_s: (a, b) => truth(call("i64.le_s", a, b)),
  gt_s: (a, b) => truth(call("i64.gt_s", a, b)),
  ge_s: (a, b) => truth(call("i64.ge_s", a, b)),
};
const BITWISE: Readonly<Record<string, (a: string, b: string) => string>> = {
  and: (a, b) => call("i64.and", a, b),
  or: (a, b) => call("i64.or", a, b),
  xor: (a, b) => call("i64.xor", a, b),
  andnot: (a, b) => call("i64.and", a, call("i64.xor", b, i64(-1))),
};
const get = (local: string): string => call("local.get", `$${local}`);

/** Instructions of one lane width that are not two lanes to one. */
function perWidth(bits: number, operation: string, immediates: readonly string[]): Helper | undefined {
  const count = 128 / bits;
  const indexes = Array.from({ length: count }, (_, i) => i);
  const scalar = bits === HALF_BITS ? "l" : "i";
  const narrow = (value: string): string => (scalar === "i" ? call("i32.wrap_i64", value) : value);
  const both = (each: (i: number) => string, join: string): string =>
    indexes.map(each).reduce((all, one) => call(join, all, one));
  switch (operation) {
    case "splat": {
      const value = scalar === "i" ? call("i64.extend_i32_u", get("a")) : get("a");
      return { from: scalar, to: "v", body: vector(bits, () => value) };
    }
    case "extract_lane":
    case "extract_lane_u":
      return { from: "v", to: scalar, body: [narrow(lane("a", bits, Number(immediates[0])))] };
    case "extract_lane_s":
      return { from: "v", to: scalar, body: [narrow(signedLane("a", bits, Number(immediates[0])))] };
    case "all_true":
      return {
        from: "v",
        to: "i",
        body: [both((i) => call("i64.ne", lane("a", bits, i), i64(0)), "i32.and")],
      };
    case "bitmask": {
      const bit = (i: number): string =>
        call("i64.shl", call("i64.shr_u", lane("a", bits, i), i64(bits - 1)), i64(i));
      return { from: "v", to: "i", body: [call("i32.wrap_i64", both(bit, "i64.or"))] };
    }
    default:
      return undefined;
  }
}

/** `i8x16.narrow_i16x8_s` and its like: lanes of both operands, saturated to half their width. */
function narrowing(bits: number, signed: boolean): Helper {
  const count = 128 / bits;
  const low = signed ? -(1n << BigInt(bits - 1)) : 0n;
  const high = signed ? maskOf(bits - 1) : maskOf(bits);
  const body = vector(bits, (i) => {
    const value = signedLane(i < count / 2 ? "a" : "b", bits * 2, i % (count / 2));
    const atMost = choose(value, i64(high), call("i64.le_s", value, i64(high)));
    return choose(atMost, i64(low), call("i64.ge_s", value, i64(low)));
  });
  return { from: "vv", to: "v", body };
}

/** `i32x4.extadd_pairwise_i16x8_u` and its like. */
function pairwise(bits: number): Helper {
  const sum = (i: number): string =>
    call("i64.add", lane("a", bits / 2, 2 * i), lane("a", bits / 2, 2 * i + 1));
  return { from: "v", to: "v", body: vector(bits, sum) };
}

function shuffle(lanes: readonly string[]): Helper {
  return {
    from: "vv",
    to: "v",
    body: vector(8, (i) => lane(Number(lanes[i]) < 16 ? "a" : "b", 8, Number(lanes[i]) % 16)),
  };
}

/** The helper of an instruction; undefined for one that this file does not know. */
function helperFor(name: string, immediates: readonly string[]): Helper | undefined {
  const halves = (each: (half: number) => string): string[] => [0, 1].map(each);
  if (name === "i8x16.shuffle") return shuffle(immediates);
  if (name === "v128.any_true") {
    return { from: "v", to: "i", body: [call("i64.ne", call("i64.or", get("a0"), get("a1")), i64(0))] };
  }
  if (name === "v128.not") {
    return { from: "v", to: "v", body: halves((h) => call("i64.xor", get(`a${h}`), i64(-1))) };
  }
  if (name === "v128.bitselect") {
    const body = halves((h) =>
      call(
        "i64.or",
        call("i64.and", get(`a${h}`), get(`c${h}`)),
        call("i64.and", get(`b${h}`), call("i64.xor", get(`c${h}`), i64(-1))),
      ),
    );
    return { from: "vvv", to: "v", body };
  }
  const [, shape, operation] = /^(v128|i8x16|i16x8|i32x4|i64x2)\.(\w+)$/.exec(name) ?? [];
  if (shape === undefined || operation === undefined) return undefined;
  if (shape === "v128") {
    const bitwise = BITWISE[operation];
    return bitwise && { from: "vv", to: "v", body: halves((h) => bitwise(get(`a${h}`), get(`b${h}`))) };
  }
  const bits = Number(/\d+/.exec(shape)![0]);
  const binary = BINARY[operation];
  if (binary) {
    const body = vector(bits, (i) => binary(lane("a", bits, i), lane("b", bits, i)));
    return { from: "vv", to: "v", body };
  }
  const signed = SIGNED_BINARY[operation];
  if (signed) {
    const body = vector(bits, (i) => signed(signedLane("a", bits, i), signedLane("b", bits, i)));
    return { from: "vv", to: "v", body };
  }
  if (operation.startsWith("narrow_")) return narrowing(bits, operation.endsWith("_s"));
  if (operation.startsWith("extadd_pairwise_") && operation.endsWith("_u")) return pairwise(bits);
  return perWidth(bits, operation, immediates);
}

function helperText(name: string, { from, to, body }: Helper): string {
  const parameters = [...from].flatMap((type, i) => {
    const local = "abc"[i]!;
    return type === "v"
      ? [`(param $${local}0 i64)`, `(param $${local}1 i64)`]
      : [`(param $${local} ${WASM_TYPES[type]})`];
  });
  return `  (func ${name} ${parameters.join(" ")} (result ${WASM_TYPES[to]})\n    ${body.join("\n    ")})`;
}

/** Where the locals of a function went. */
interface Locals {
  /** New index of each old local; a v128 takes that index and the next. */
  readonly index: readonly number[];
  readonly isVector: readonly boolean[];
  /** Three more: an address, and the halves of a vector in hand. */
  readonly address: number;
  readonly low: number;
  readonly high: number;
  /** The declaration of everything that is not a parameter. */
  readonly declaration: string;
}

function placeLocals(parameters: readonly string[], locals: readonly string[]): Locals {
  const index: number[] = [];
  const isVector: boolean[] = [];
  let next = 0;
  for (const type of [...parameters, ...locals]) {
    index.push(next);
    isVector.push(type === "v128");
    next += type === "v128" ? 2 : 1;
  }
  const all = [...locals.map((type) => (type === "v128" ? "i64 i64" : type)), "i32 i64 i64"];
  return {
    index,
    isVector,
    address: next,
    low: next + 1,
    high: next + 2,
    declaration: `    (local ${all.join(" ")})`,
  };
}

const typesIn = (line: string, kind: string): string[] =>
  [...line.matchAll(new RegExp(`\\(${kind}((?: \\w+)+)\\)`, "g"))].flatMap((match) =>
    match[1]!.trim().split(" "),
  );

class Lowering {
  readonly #out: string[] = [];
  readonly #helpers = new Map<string, Helper>();
  #locals: Locals = placeLocals([], []);

  lower(text: string): string {
    const lines = text.trimEnd().split("\n");
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      if (/^\s*\(func /.test(line)) {
        const declared = /^\s*\(local /.test(lines[i + 1] ?? "") ? lines[++i]! : "";
        this.#locals = placeLocals(typesIn(line, "param"), typesIn(declared, "local"));
        // A function without instructions ends on its last declaration.
        const closes = declared.endsWith("))") || (declared === "" && /\)\)$/.test(line));
        const head = closes && declared === "" ? line.slice(0, -1) : line;
        this.#out.push(halved(head), this.#locals.declaration + (closes ? ")" : ""));
      } else {
        this.#instruction(line);
      }
    }
    // The last parenthesis closes the module.
    const last = this.#out.pop()!;
    const helpers = [...this.#helpers].map(([name, helper]) => helperText(name, helper));
    return [...this.#out, last.slice(0, -1), ...helpers, ")", ""].join("\n");
  }

  #instruction(line: string): void {
    const [, indent, code, closing] = /^(\s*)(.*?)(\)*)$/.exec(line) as unknown as string[];
    const [name = "", ...rest] = code!.replace(/\s*;;.*$/, "").split(" ");
    const replaced = this.#replace(name, rest);
    if (replaced === undefined) this.#out.push(halved(line));
    else this.#out.push(replaced.map((each) => indent + each).join("\n") + closing);
  }

  /** The lines that stand for an instruction; undefined: it stays. */
  #replace(name: string, rest: readonly string[]): string[] | undefined {
    const { index, isVector, address, low, high } = this.#locals;
    if (name.startsWith("local.")) {
      const old = Number(rest[0]);
      const at = index[old]!;
      if (!isVector[old]) return [`${name} ${at}`];
      if (name === "local.get") return [`local.get ${at}`, `local.get ${at + 1}`];
      const set = [`local.set ${at + 1}`, `local.set ${at}`];
      return name === "local.set" ? set : [...set, `local.get ${at}`, `local.get ${at + 1}`];
    }
    if (!/^(v128|[if]\d+x\d+)\./.test(name)) return undefined;
    if (name === "v128.const") {
      const words = rest.slice(1).map(BigInt);
      const half = (i: number): bigint => BigInt.asIntN(64, words[i]! | (words[i + 1]! << 32n));
      return [`i64.const ${half(0)}`, `i64.const ${half(2)}`];
    }
    const offset = Number(rest.find((word) => word.startsWith("offset="))?.slice("offset=".length) ?? 0);
    const place = (half: number): string => `offset=${offset + half * 8} align=1`;
    if (name === "v128.load") {
      const read = (half: number): string[] => [`local.get ${address}`, `i64.load ${place(half)}`];
      return [`local.set ${address}`, ...read(0), ...read(1)];
    }
    if (name === "v128.store") {
      const write = (half: number): string[] => [
        `local.get ${address}`,
        `local.get ${half === 0 ? low : high}`,
        `i64.store ${place(half)}`,
      ];
      return [`local.set ${high}`, `local.set ${low}`, `local.set ${address}`, ...write(0), ...write(1)];
    }
    const helperName = `$simd_${[name.replace(".", "_"), ...rest].join("_")}`;
    if (!this.#helpers.has(helperName)) {
      const helper = helperFor(name, rest);
      if (helper === undefined) throw new Error(`fuzz/core/lower.ts does not know the instruction ${name}`);
      this.#helpers.set(helperName, helper);
    }
    return [`call ${helperName}`];
  }
}

/** v128 in a type. */
const halved = (line: string): string => line.replace(/\bv128\b/g, "i64 i64");

process.stdout.write(new Lowering().lower(readFileSync(0, "utf8")));
