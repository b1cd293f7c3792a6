/**
 * Syntax strings: one string is the grammar of a command, its help, its completion and the type of its arguments.
 *
 *   word             a keyword
 *   <name:TYPE>      an argument: a range (`0-255`, `1-99,1300-1999`) or a type of arguments.ts
 *   <name:TYPE*10>   the same, one to ten times; the value is an array
 *   <name=a|b>       one of the keywords; the value is the keyword
 *   <name>           the keyword itself; the value is true
 *   [ x ]            x or nothing
 *   ( x | y )        x or y
 *   { x | y }        any of x and y, in any order, each at most once
 *
 * A string is compiled to a graph of states: each edge reads one word. What could come next is the edges of a state,
 * so help and completion need nothing else.
 */

/** How one word is read as a value. */
export interface ArgumentType<V> {
  /** What help and "expected" show in its place, such as `A.B.C.D`. */
  readonly shown: string;
  /** The value of a word, or undefined when it does not fit. */
  parse(word: string): V | undefined;
  /** The words it knows, for completion and near misses. */
  readonly names?: readonly string[];
  /** Reads the rest of the line as it stands, spaces included. */
  readonly rest?: boolean;
}

/** A value that is written with several words; `make` builds it from the arguments of its own syntax. */
export interface CompoundType<V> {
  readonly syntax: string;
  make(args: never): V | Refusal;
}

/** A value that reads well but cannot be: the message says why. */
export interface Refusal {
  readonly refusal: string;
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refusal" in value;
}

export type TypeTable = Readonly<Record<string, ArgumentType<unknown> | CompoundType<unknown>>>;

/** The value of the type called `Name` in the table `T`. */
type Value<Name extends string, T> = Name extends `${infer One}*${number}`
  ? Value<One, T>[]
  : Name extends keyof T
    ? T[Name] extends ArgumentType<infer V>
      ? V
      : T[Name] extends CompoundType<infer V>
        ? V
        : never
    : Name extends `${number}-${string}`
      ? number
      : never;

type Words<Text extends string> = Text extends `${infer One}|${infer More}` ? One | Words<More> : Text;

type Slots<Body extends string, T> = Body extends `${infer Name}=${infer Choice}`
  ? Record<Name, Words<Choice>>
  : Body extends `${infer Name}:${infer Type}`
    ? Record<Name, Value<Type, T>>
    : Record<Body, true>;

/** Reads a syntax string as a type. `Depth` has one element for each bracket that is open. */
type Scan<Text extends string, T, Depth extends 0[], Found> = Text extends `<${infer Body}>${infer Rest}`
  ? Scan<Rest, T, Depth, Found & (Depth extends [] ? Slots<Body, T> : Partial<Slots<Body, T>>)>
  : Text extends `${infer Char}${infer Rest}`
    ? Char extends "[" | "(" | "{"
      ? Scan<Rest, T, [...Depth, 0], Found>
      : Char extends "]" | ")" | "}"
        ? Scan<Rest, T, Depth extends [0, ...infer Outer extends 0[]] ? Outer : [], Found>
        : Scan<Rest, T, Depth, Found>
    : Found;

/** The arguments of a syntax string; those inside brackets may be missing. */
export type ArgumentsOf<Syntax extends string, T> = Scan<Syntax, T, [], unknown>;

/** A place for a value. Slots of a compound's own syntax point to the compound. */
export interface Slot {
  readonly name: string;
  readonly many: boolean;
  readonly compound?: CompoundSlot;
}
export interface CompoundSlot {
  readonly slot: Slot;
  make(args: Record<string, unknown>): unknown;
}

/** One word to read. An edge with a `bit` may be taken once: it is one choice of a `{ }`. */
export interface Edge {
  readonly keyword?: string;
  readonly type?: ArgumentType<unknown>;
  readonly slot?: Slot;
  /** What a keyword puts into its slot. */
  readonly value?: unknown;
  readonly bit: number;
  readonly to: State;
}

export interface State {
  /** The edges that read a keyword, by keyword, and those that read an argument. */
  readonly keywords: ReadonlyMap<string, readonly Edge[]>;
  readonly arguments: readonly Edge[];
  /** The command may end here. */
  readonly accept: boolean;
  /** Only arguments are missing from here on: where `no` is enough (`no standby 1 priority`). */
  readonly acceptShort: boolean;
}

/** A `{ }` remembers its used choices in one number. */
const CHOICES_MAX = 31;

interface Draft {
  epsilon: Draft[];
  edge?: { keyword?: string; type?: ArgumentType<unknown>; slot?: Slot; value?: unknown; to: Draft };
  bit: number;
  accept: boolean;
}

const draft = (epsilon: Draft[], more: Partial<Draft> = {}): Draft => ({
  epsilon,
  bit: 0,
  accept: false,
  ...more,
});

const TOKEN = /\s*(<[^>]*>|[^\s<>[\](){}|]+|[[\](){}|])/y;

/** Compiles a syntax string. Throws on a bad one: only a bug in the table of commands can cause it. */
export function compileSyntax(syntax: string, types: TypeTable): State {
  const bits = { next: 0 };
  return finish(new Compiler(syntax, types, bits, undefined).compile(draft([], { accept: true })));
}

class Compiler {
  private readonly tokens: string[] = [];
  private at = 0;
  private readonly syntax: string;
  private readonly types: TypeTable;
  private readonly bits: { next: number };
  private readonly compound: CompoundSlot | undefined;

  constructor(syntax: string, types: TypeTable, bits: { next: number }, compound: CompoundSlot | undefined) {
    this.syntax = syntax;
    this.types = types;
    this.bits = bits;
    this.compound = compound;
    TOKEN.lastIndex = 0;
    for (let m = TOKEN.exec(syntax); m !== null; m = TOKEN.exec(syntax)) this.tokens.push(m[1]!);
  }

  compile(next: Draft): Draft {
    const start = this.sequence()(next);
    if (this.at !== this.tokens.length) throw new Error(`syntax: "${this.syntax}"`);
    return start;
  }

  /** A part of a graph is a function from what follows it to where it starts. */
  private sequence(): (next: Draft) => Draft {
    const parts: ((next: Draft) => Draft)[] = [];
    while (this.at < this.tokens.length && !"|)]}".includes(this.tokens[this.at]!)) parts.push(this.part());
    return (next) => parts.reduceRight((following, part) => part(following), next);
  }

  private choices(close: string): ((next: Draft) => Draft)[] {
    const choices = [this.sequence()];
    while (this.tokens[this.at] === "|") {
      this.at++;
      choices.push(this.sequence());
    }
    if (this.tokens[this.at++] !== close) throw new Error(`syntax: "${this.syntax}" lacks ${close}`);
    return choices;
  }

  private part(): (next: Draft) => Draft {
    const token = this.tokens[this.at++]!;
    if (token === "[") {
      const choices = this.choices("]");
      return (next) => draft([...choices.map((choice) => choice(next)), next]);
    }
    if (token === "(") {
      const choices = this.choices(")");
      return (next) => draft(choices.map((choice) => choice(next)));
    }
    if (token === "{") {
      const choices = this.choices("}");
      return (next) => {
        const loop = draft([]);
        for (const choice of choices) {
          if (this.bits.next === CHOICES_MAX)
            throw new Error(`syntax: "${this.syntax}" has too many choices`);
          loop.epsilon.push(draft([choice(loop)], { bit: 1 << this.bits.next++ }));
        }
        loop.epsilon.push(next);
        return loop;
      };
    }
    if (token.startsWith("<")) return this.slot(token.slice(1, -1));
    return (next) => draft([], { edge: { keyword: token.toLowerCase(), to: next } });
  }

  private slot(body: string): (next: Draft) => Draft {
    const [, name, kind, rest] = /^([^:=]+)([:=]?)(.*)$/.exec(body)!;
    const [, typeName, times] = /^(.*?)(?:\*(\d+))?$/.exec(rest!)!;
    const compound = this.compound;
    const slot: Slot = { name: name!, many: times !== undefined, ...(compound && { compound }) };
    if (kind !== ":") {
      const words = kind === "=" ? rest!.split("|") : [name!];
      return (next) =>
        draft(
          words.map((word) => {
            const value = kind === "=" ? word : true;
            return draft([], { edge: { keyword: word.toLowerCase(), slot, value, to: next } });
          }),
        );
    }
    const type = this.types[typeName!] ?? rangeType(typeName!);
    if (type === undefined) throw new Error(`syntax: "${this.syntax}" has no type ${typeName}`);
    const once = (next: Draft): Draft =>
      "syntax" in type
        ? new Compiler(type.syntax, this.types, this.bits, { slot, make: type.make }).compile(next)
        : draft([], { edge: { type, slot, to: next } });
    return (next) => {
      let start = once(next);
      for (let n = 1; n < Number(times ?? 1); n++) start = once(draft([start, next]));
      return start;
    };
  }
}

interface OpenState {
  keywords: Map<string, Edge[]>;
  arguments: Edge[];
  accept: boolean;
  acceptShort: boolean;
}

/** Replaces the silent steps: each state gets the edges that it can reach without reading a word. */
function finish(start: Draft): State {
  const states = new Map<Draft, OpenState>();
  const stateOf = (from: Draft): OpenState => {
    const known = states.get(from);
    if (known) return known;
    const state: OpenState = { keywords: new Map(), arguments: [], accept: false, acceptShort: false };
    states.set(from, state);
    const visit = (at: Draft, bit: number) => {
      if (at.accept) state.accept = true;
      if (at.edge) addEdge(state, { ...at.edge, bit: bit | at.bit, to: stateOf(at.edge.to) });
      for (const next of at.epsilon) visit(next, bit | at.bit);
    };
    visit(from, 0);
    return state;
  };
  const first = stateOf(start);
  for (let changed = true; changed; ) {
    changed = false;
    for (const state of states.values()) {
      if (state.acceptShort) continue;
      const short = state.accept || state.arguments.some((edge) => edge.to.acceptShort);
      if (short) state.acceptShort = changed = true;
    }
  }
  return first;
}

function addEdge(state: OpenState, edge: Edge): void {
  if (edge.keyword === undefined) {
    state.arguments.push(edge);
    return;
  }
  const edges = state.keywords.get(edge.keyword);
  if (edges) edges.push(edge);
  else state.keywords.set(edge.keyword, [edge]);
}

/** `0-255` or `1-99,1300-1999`: a decimal number within one of the ranges. */
export function rangeType(text: string): ArgumentType<number> | undefined {
  if (!/^\d+-\d+(,\d+-\d+)*$/.test(text)) return undefined;
  const ranges = text.split(",").map((range) => range.split("-").map(Number) as [number, number]);
  return {
    shown: `<${text}>`,
    parse: (word) => {
      if (!/^\d{1,15}$/.test(word)) return undefined;
      const value = Number(word);
      return ranges.some(([low, high]) => value >= low && value <= high) ? value : undefined;
    },
  };
}
