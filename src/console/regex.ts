/**
 * Regular expressions of output filters. What a user types is matched in time proportional to the text (Thompson's
 * construction, simulated on sets of states), so no expression can hold up the process.
 *
 *     .  [abc]  [^a-z]  ( )  |  *  +  ?  ^  $  \x
 */

type Test = (code: number) => boolean;

type Step =
  | { readonly kind: "char"; readonly test: Test }
  /** Goes on at both places. */
  | { readonly kind: "split"; to: number; or: number }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "start" | "end" | "match" };

export interface Pattern {
  /** Whether the expression occurs anywhere in a line. */
  test(line: string): boolean;
}

/** Compiles an expression, or says what is wrong with it. */
export function compilePattern(source: string): Pattern | { readonly problem: string } {
  const compiler = new Compiler(source);
  const problem = compiler.compile();
  return problem === undefined ? new Machine(compiler.steps) : { problem };
}

/** Nesting of parentheses, so that compiling cannot run out of stack. */
const DEPTH_MAX = 50;

class Compiler {
  readonly steps: Step[] = [];
  readonly #source: string;
  #at = 0;
  #problem: string | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  compile(): string | undefined {
    this.#choices(0);
    if (this.#at < this.#source.length) this.#problem ??= "a ) closes nothing";
    this.steps.push({ kind: "match" });
    return this.#problem;
  }

  #choices(depth: number): void {
    const from = this.steps.length;
    this.#sequence(depth);
    if (this.#source[this.#at] !== "|") return;
    this.#at++;
    this.#insert(from, { kind: "split", to: from + 1, or: this.steps.length + 2 });
    const jump: Step = { kind: "jump", to: 0 };
    this.steps.push(jump);
    this.#choices(depth);
    jump.to = this.steps.length;
  }

  #sequence(depth: number): void {
    while (this.#at < this.#source.length && this.#problem === undefined) {
      const char = this.#source[this.#at]!;
      if (char === "|" || char === ")") return;
      const from = this.steps.length;
      this.#atom(char, depth);
      this.#repeats(from);
    }
  }

  #atom(char: string, depth: number): void {
    this.#at++;
    switch (char) {
      case "(":
        if (depth === DEPTH_MAX) this.#problem ??= "too many ( within each other";
        else this.#choices(depth + 1);
        if (this.#source[this.#at++] !== ")") this.#problem ??= "a ( is not closed";
        return;
      case "[":
        this.#class();
        return;
      case ".":
        this.steps.push({ kind: "char", test: () => true });
        return;
      case "^":
        this.steps.push({ kind: "start" });
        return;
      case "$":
        this.steps.push({ kind: "end" });
        return;
      case "*":
      case "+":
      case "?":
        this.#problem ??= `${char} has nothing to repeat`;
        return;
      case "\\":
        if (this.#at === this.#source.length) this.#problem ??= "nothing follows the last \\";
        else this.#literal(this.#source[this.#at++]!);
        return;
      default:
        this.#literal(char);
    }
  }

  #literal(char: string): void {
    const wanted = char.charCodeAt(0);
    this.steps.push({ kind: "char", test: (code) => code === wanted });
  }

  #class(): void {
    const end = this.#source.indexOf("]", this.#at + (this.#source[this.#at] === "^" ? 2 : 1));
    if (end < 0) {
      this.#problem ??= "a [ is not closed";
      return;
    }
    const isNegated = this.#source[this.#at] === "^";
    const body = this.#source.slice(this.#at + (isNegated ? 1 : 0), end);
    this.#at = end + 1;
    const ranges: [number, number][] = [];
    for (let i = 0; i < body.length; i++) {
      const low = body.charCodeAt(i);
      const isRange = body[i + 1] === "-" && i + 2 < body.length;
      const high = isRange ? body.charCodeAt(i + 2) : low;
      if (isRange) i += 2;
      ranges.push([low, high]);
    }
    const isIn: Test = (code) => ranges.some(([low, high]) => code >= low && code <= high);
    this.steps.push({ kind: "char", test: isNegated ? (code) => !isIn(code) : isIn });
  }

  #repeats(from: number): void {
    for (;;) {
      const char = this.#source[this.#at];
      if (char === "*" || char === "?") {
        this.#insert(from, { kind: "split", to: from + 1, or: 0 });
        if (char === "*") this.steps.push({ kind: "jump", to: from });
        (this.steps[from] as { or: number }).or = this.steps.length;
      } else if (char === "+") {
        this.steps.push({ kind: "split", to: from, or: this.steps.length + 1 });
      } else return;
      this.#at++;
    }
  }

  /** Puts a step in front of those from `from` on, which move by one. */
  #insert(from: number, step: Step): void {
    for (const each of this.steps.slice(from)) {
      if (each.kind === "jump" || each.kind === "split") each.to++;
      if (each.kind === "split") each.or++;
    }
    this.steps.splice(from, 0, step);
  }
}

class Machine implements Pattern {
  readonly #steps: readonly Step[];
  /** The round in which a step was last entered. */
  readonly #entered: Uint32Array;
  #round = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#entered = new Uint32Array(steps.length);
  }

  test(line: string): boolean {
    let current: number[] = [];
    this.#nextRound();
    if (this.#enter(0, 0, line, current)) return true;
    for (let at = 0; at < line.length; at++) {
      const code = line.charCodeAt(at);
      const next: number[] = [];
      this.#nextRound();
      for (const index of current) {
        const step = this.#steps[index] as { test: Test };
        if (step.test(code) && this.#enter(index + 1, at + 1, line, next)) return true;
      }
      // The expression may begin at every place.
      if (this.#enter(0, at + 1, line, next)) return true;
      current = next;
    }
    return false;
  }

  #nextRound(): void {
    if (++this.#round === 2 ** 32) {
      this.#entered.fill(0);
      this.#round = 1;
    }
  }

  /** Adds the steps that read a character and can be reached from here without one; true: the match is complete. */
  #enter(from: number, at: number, line: string, into: number[]): boolean {
    const waiting = [from];
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      if (this.#entered[index] === this.#round) continue;
      this.#entered[index] = this.#round;
      const step = this.#steps[index]!;
      if (step.kind === "match") return true;
      if (step.kind === "char") into.push(index);
      else if (step.kind === "jump") waiting.push(step.to);
      else if (step.kind === "split") waiting.push(step.to, step.or);
      else if (step.kind === "start" ? at === 0 : at === line.length) waiting.push(index + 1);
    }
    return false;
  }
}
