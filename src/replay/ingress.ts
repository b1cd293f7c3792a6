/**
 * On which interface a packet of a capture enters the firewall: by its source address (the core finds out), by the
 * interface it was captured on (`--on`), or by a list with one line for each packet (`--ingress`).
 */
import type { CaptureInterface } from "../capture/index.js";
import { nearest } from "../config/diagnostics.js";
import type { Diagnostic } from "../config/model.js";
import { findInterface } from "../policy/interfaces.js";
import { counted } from "../report/text.js";

/** Ingress number that makes the core choose by the source address. */
export const BY_SOURCE = 0;
/** No interface has this number: the packet was not sent to the firewall. */
export const NOT_SENT = 255;
/** What an ingress file writes for a packet that was not sent. */
export const NOT_SENT_WORD = "-";

/** Why the ingress of a packet cannot be told. */
export interface IngressProblem {
  readonly problem: string;
}

/** Tells the ingress of each packet in turn. */
export interface Ingress {
  /** Interface number, BY_SOURCE or NOT_SENT of packet `n` (from 1), captured on interface `index`. */
  of(n: number, index: number, interfaces: readonly CaptureInterface[]): number | IngressProblem;
  /** What is still wrong when the capture has ended. */
  end(interfaces: readonly CaptureInterface[]): IngressProblem | undefined;
}

/** Every packet by its source address. */
export const bySource: Ingress = { of: () => BY_SOURCE, end: () => undefined };

/** One `--on`: packets captured on `captured`, a number or a name, enter on interface number `ingress`. */
export interface CaptureMapping {
  readonly captured: string;
  readonly ingress: number;
}

/** By the interface of the capture; packets of interfaces that no mapping names enter by their source address. */
export function byCapture(mappings: readonly CaptureMapping[]): Ingress {
  /** By interface of the capture. */
  const known: number[] = [];
  const used = new Set<CaptureMapping>();
  const find = (captured: CaptureInterface): number => {
    const found = mappings.filter((mapping) => isMeant(mapping.captured, captured));
    for (const mapping of found) used.add(mapping);
    return found[0]?.ingress ?? BY_SOURCE;
  };
  return {
    of: (_, index, interfaces) => {
      for (let i = known.length; i <= index; i++) known.push(find(interfaces[i]!));
      return known[index]!;
    },
    end: (interfaces) => {
      for (const captured of interfaces) find(captured);
      const missing = mappings.find((mapping) => !used.has(mapping));
      if (missing === undefined) return undefined;
      const names = interfaces.map(({ index, name }) =>
        name === undefined ? `${index}` : `${index} (${name})`,
      );
      return {
        problem: `the capture has no interface "${missing.captured}"; it has ${names.join(", ") || "none"}`,
      };
    },
  };
}

function isMeant(wanted: string, { index, name }: CaptureInterface): boolean {
  return wanted === name || (/^\d+$/.test(wanted) && Number(wanted) === index);
}

/** By a list with one line for each packet. `numbers`: the interface number of each name of the list. */
export function byList(list: IngressList, numbers: readonly number[], file: string): Ingress {
  return {
    of: (n) => {
      if (n > list.length) {
        return {
          problem: `${file}: ${counted(list.length, "line")}, but the capture goes on with packet ${n}`,
        };
      }
      const name = list.at(n - 1);
      return name === UNSENT ? NOT_SENT : numbers[name]!;
    },
    end: () => undefined,
  };
}

/** Stands in a list for a packet that was not sent; lower values are places in `names`. */
const UNSENT = 255;
/** First size of the list, in packets; it doubles when it is full. */
const LIST_SIZE = 65_536;

/** The lines of an ingress file, one byte each. */
export class IngressList {
  /** Full names of the interfaces that occur, in order of appearance. */
  readonly names: string[] = [];
  #lines = new Uint8Array(LIST_SIZE);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The place in `names` of line `i` (from 0), or UNSENT. */
  at(i: number): number {
    return this.#lines[i]!;
  }

  push(name: number): void {
    if (this.#length === this.#lines.length) {
      const grown = new Uint8Array(2 * this.#length);
      grown.set(this.#lines);
      this.#lines = grown;
    }
    this.#lines[this.#length++] = name;
  }

  /** The place of a name, which is entered when it is new; undefined when there is no room for it. */
  intern(name: string): number | undefined {
    const known = this.names.indexOf(name);
    if (known >= 0) return known;
    return this.names.length < UNSENT ? this.names.push(name) - 1 : undefined;
  }
}

/** Longest line of an ingress file that is read. */
const LINE_MAX = 256;
/** Ways of writing a line that are remembered; the others are understood anew each time. */
const SPELLINGS_MAX = 1024;

/** Reads an ingress file in pieces: an interface name, full or abbreviated, or `-` on each line. */
export class IngressParser {
  readonly list = new IngressList();
  /** The first line that cannot be read. */
  error: Diagnostic | undefined;
  readonly #file: string;
  readonly #interfaces: readonly string[];
  readonly #decoder = new TextDecoder();
  readonly #known = new Map([[NOT_SENT_WORD, UNSENT]]);
  /** The beginning of a line that goes on in the next piece. */
  #rest = "";

  /** `interfaces`: full names of those that there are. */
  constructor(file: string, interfaces: readonly string[]) {
    this.#file = file;
    this.#interfaces = ["", ...interfaces];
  }

  push(bytes: Uint8Array): void {
    if (this.error !== undefined) return;
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) if (!this.#read(line)) return;
    if (this.#rest.length > LINE_MAX) this.#read(this.#rest);
  }

  /** The last line may lack its line end. */
  end(): void {
    const rest = this.#rest + this.#decoder.decode();
    if (this.error === undefined && rest !== "") this.#read(rest);
  }

  #read(line: string): boolean {
    let name = this.#known.get(line);
    if (name === undefined) {
      const word = line.trim();
      name = this.#known.get(word) ?? this.#intern(word);
      if (name === undefined) {
        this.error = this.#refuse(line.slice(0, LINE_MAX), word.slice(0, LINE_MAX));
        return false;
      }
      if (this.#known.size < SPELLINGS_MAX) this.#known.set(line, name);
    }
    this.list.push(name);
    return true;
  }

  #intern(word: string): number | undefined {
    const number = findInterface(this.#interfaces, word);
    return number === undefined ? undefined : this.list.intern(this.#interfaces[number]!);
  }

  #refuse(line: string, word: string): Diagnostic {
    const names = this.#interfaces.slice(1);
    const didYouMean = nearest(word, names);
    return {
      file: this.#file,
      line: this.list.length + 1,
      column: 1 + Math.max(0, line.indexOf(word)),
      length: Math.max(1, word.length),
      severity: "error",
      message: word === "" ? "an empty line" : `no interface "${word}" in the configuration`,
      expected: [...names, NOT_SENT_WORD],
      ...(didYouMean === undefined ? {} : { didYouMean }),
      text: line.replace(/\r$/, ""),
    };
  }
}

/**
 * The two interfaces in use, when there are exactly two: those of the list, or, when all packets of the list enter on
 * one, that and the only other one that can be used.
 */
export function pairInUse(list: IngressList, usable: readonly string[]): [string, string] | undefined {
  const { names } = list;
  const others = usable.filter((name) => !names.includes(name));
  const [first, second, more] = names.length === 1 && others.length === 1 ? [...names, ...others] : names;
  return first !== undefined && second !== undefined && more === undefined ? [first, second] : undefined;
}
