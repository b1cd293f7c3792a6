/**
 * Random lines out of the table of commands: the syntax string of a row is read as a grammar, and each argument gets
 * a random value of its type. So every row is covered, also one that is added later.
 */
import fc from "fast-check";
import { TYPES } from "../../src/config/arguments.js";
import type { Row } from "../../src/config/command.js";
import { formatAddress } from "../../src/ip.js";
import { pathTo, ROWS } from "./rows.js";

type Words = fc.Arbitrary<string>;

const octet = fc.nat(255);
const ipv4 = fc
  .tuple(fc.constantFrom(0, 10, 192, 198, 224, 255), octet, octet, octet)
  .map((parts) => parts.join("."));
const maskLength = fc.nat(32);
const maskOf = (length: number) => formatAddress(length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);
const wildcard = fc.oneof(
  maskLength.map((n) => formatAddress((2 ** (32 - n) - 1) >>> 0)),
  ipv4,
);
const ipv6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((n) => formatAddress(n & fewBits(n)));
/** Makes most of the random addresses short. */
const fewBits = (n: bigint) =>
  n % 3n === 0n ? (1n << 128n) - 1n : 0xffff_0000_0000_0000_0000_0000_0000_ffffn;
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,12}$/);
const text = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
const joined = (...parts: fc.Arbitrary<unknown>[]) => fc.tuple(...parts).map((words) => words.join(" "));

/** Types whose values cannot be read off their table. The others are names of a table, or numbers. */
const ARGUMENTS: Readonly<Record<string, Words>> = {
  word: fc.oneof(name, fc.stringMatching(/^[!-~]{1,20}$/)),
  line: text,
  description: text,
  remark: text,
  "port-map-text": text,
  hostname: name.map((word) => `${word}x`),
  "list-name": fc.oneof(name, fc.stringMatching(/^[!-/:-~][!-~]{0,20}$/)),
  "standby-text": fc.stringMatching(/^[!-~]{1,8}$/),
  "key-string": fc.stringMatching(/^[!-~]{1,30}$/),
  "user-protocol": name.map((word) => `user-${word}`),
  mac: fc
    .tuple(fc.nat(65535), fc.nat(65535), fc.nat(65535))
    .map((parts) => parts.map((n) => n.toString(16)).join(".")),
  ipv4,
  ipv6,
  address: fc.oneof(ipv4, ipv6),
  mask: maskLength.map(maskOf),
  prefix4: joined(ipv4, maskLength).map((word) => word.replace(" ", "/")),
  prefix6: joined(ipv6, fc.constantFrom(0, 10, 48, 64, 127, 128)).map((word) => word.replace(" ", "/")),
  "interface-name": fc.constantFrom(
    "GigabitEthernet0/0",
    "gi0/1",
    "Fa0/1/8",
    "Vlan10",
    "Gi0/0.100",
    "lo0",
    "Serial0/0:1",
  ),
  "interface-type": fc.constantFrom("Ethernet", "gigabit", "Port-channel"),
  "interface-number": fc.constantFrom("0", "0/0", "1/2/3", "0/0.10"),
  clock: fc.tuple(fc.nat(23), fc.nat(59)).map(([hour, minute]) => `${hour}:${`${minute}`.padStart(2, "0")}`),
};

/** The forms a wildcard takes are worth more than random ones. */
const BY_SLOT: Readonly<Record<string, Words>> = { wildcard };

function argument(slot: string, type: string): Words {
  const many = /^(.*)\*(\d+)$/.exec(type);
  if (many) {
    const maxLength = Math.min(Number(many[2]), 4);
    return fc.array(argument(slot, many[1]!), { minLength: 1, maxLength }).map((words) => words.join(" "));
  }
  if (type === "ipv4" && BY_SLOT[slot]) return BY_SLOT[slot];
  const known = ARGUMENTS[type];
  if (known) return known;
  const found = TYPES[type as keyof typeof TYPES];
  if (found === undefined) return number(type);
  if ("syntax" in found) return wordsOf(found.syntax);
  const named = found as { names?: readonly string[]; shown: string };
  const names = named.names && named.names.length > 0 ? [fc.constantFrom(...named.names)] : [];
  const range = /^<(\d+-\d+)>$/.exec(named.shown);
  return fc.oneof(...names, ...(range ? [number(range[1]!)] : []));
}

/** A number of `1-99,1300-1999`; the ends are as likely as all that lies between. */
function number(ranges: string): Words {
  return fc.oneof(
    ...ranges.split(",").map((range) => {
      const [min, max] = range.split("-").map(Number) as [number, number];
      return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max })).map(String);
    }),
  );
}

const compiled = new Map<string, Words>();

/** Random lines of a syntax. */
export function wordsOf(syntax: string): Words {
  const known = compiled.get(syntax);
  if (known) return known;
  const tokens = syntax.match(/<[^>]*>|[^\s<>[\](){}|]+|[[\](){}|]/g) ?? [];
  let at = 0;
  const sequence = (): Words => {
    const parts: Words[] = [];
    while (at < tokens.length && !"|)]}".includes(tokens[at]!)) parts.push(part());
    return fc.tuple(...parts).map((words) => words.filter((word) => word !== "").join(" "));
  };
  const choices = (): Words[] => {
    const all = [sequence()];
    while (tokens[at] === "|") {
      at++;
      all.push(sequence());
    }
    at++;
    return all;
  };
  const part = (): Words => {
    const token = tokens[at++]!;
    if (token === "(") return fc.oneof(...choices());
    if (token === "[") return fc.oneof(fc.constant(""), ...choices());
    if (token === "{") {
      const all = choices();
      return fc
        .shuffledSubarray(all, { maxLength: Math.min(3, all.length) })
        .chain((some) => fc.tuple(...some))
        .map((words) => words.join(" "));
    }
    if (!token.startsWith("<")) return fc.constant(token);
    const [, slot, kind, rest] = /^<([^:=>]+)([:=]?)(.*)>$/.exec(token)!;
    if (kind === ":") return argument(slot!, rest!);
    return fc.constantFrom(...(kind === "=" ? rest!.split("|") : [slot!]));
  };
  const made = sequence();
  compiled.set(syntax, made);
  return made;
}

/** A line of a row with the lines before it that open its mode; the prefix is `no` or `default` now and then. */
export function linesOf(row: Row): fc.Arbitrary<string[]> {
  const prefix = fc.oneof(
    { weight: 6, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.constantFrom("no ", "default ") },
  );
  return fc
    .tuple(prefix, wordsOf(row.syntax))
    .map(([before, words]) => [...pathTo(row.mode), before + words]);
}

/** A text of random commands, in random order, with random indents and separators. */
export function texts(maxCommands: number): fc.Arbitrary<string> {
  const block = fc.constantFrom(...ROWS).chain(linesOf);
  const indents = fc.constantFrom("depth", "none", "double");
  const separator = fc.constantFrom("", "!", "! a comment", "exit");
  return fc
    .array(fc.tuple(block, indents, separator), { maxLength: maxCommands })
    .map((blocks) =>
      blocks
        .flatMap(([lines, indent, after]) => [
          ...lines.map(
            (line, n) => " ".repeat(indent === "none" ? 0 : indent === "double" ? 2 * n : n) + line,
          ),
          ...(after === "" ? [] : [after]),
        ])
        .join("\n"),
    );
}
