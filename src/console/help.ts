/** What `?` prints and what the tab key completes, out of what could stand next. */
import { END_OF_COMMAND, type Expectation } from "../config/index.js";
import { FILTERS, FILTER_NAMES, JSON_FILTER } from "./filter.js";
import { row } from "./show/layout.js";

/** What a word is about that many commands begin with. */
export const BRANCH_HELPS: Readonly<Record<string, string>> = {
  show: "what there is",
  clear: "forget or set to zero",
  debug: "log lines about what happens inside",
  undebug: "fewer such log lines",
  no: "take a command back",
  default: "set a command to what it is without being said",
  ip: "IPv4",
  ipv6: "IPv6",
  ipv4: "IPv4",
  inspect: "inspection of sessions",
  packet: "packets, with verdict and reason",
  sctp: "the association with the peer",
  bfd: "BFD",
  ha: "copies of sessions on the peer",
  standby: "HSRP",
  redundancy: "the pair",
  configure: "change the configuration",
  copy: "copy a file",
  terminal: "this terminal",
  monitor: "captures",
  capture: "packets with their verdicts",
  match: "which packets",
  buffer: "room for packets",
  limit: "when it ends",
  interface: "an interface",
  sessions: "sessions",
};

/** Words that the session itself reads in the modes of the configuration. */
export const SESSION_WORDS: readonly Expectation[] = [
  { text: "do", kind: "keyword", help: ["run a command of the mode before this one"] },
  { text: "end", kind: "keyword", help: ["leave the configuration"] },
  { text: "exit", kind: "keyword", help: ["back to the mode around this one"] },
];

export const PIPE_EXPECTATIONS: readonly Expectation[] = [
  ...FILTER_NAMES.map((name): Expectation => ({ text: name, kind: "keyword", help: [FILTERS[name]] })),
  { text: JSON_FILTER, kind: "keyword", help: ["the data as JSON"] },
];

export const PATTERN_EXPECTATION: Expectation = {
  text: "LINE",
  kind: "argument",
  help: ["regular expression"],
};

function helpOf({ text, help }: Expectation): string {
  if (help.length === 1) return help[0]!;
  return BRANCH_HELPS[text] ?? `${help[0]}, and more`;
}

/** Widest column of words. */
const WORDS_WIDTH_MAX = 30;

/** All that could stand next, one to a line. */
export function expectationsText(expectations: readonly Expectation[]): string {
  const width = Math.min(WORDS_WIDTH_MAX, Math.max(0, ...expectations.map(({ text }) => text.length)));
  return expectations
    .map(
      (each) =>
        `  ${each.text === END_OF_COMMAND ? each.text : row([width + 1], [each.text, helpOf(each)])}\n`,
    )
    .join("");
}

/** The expectations that a beginning of a word leaves. */
export function startingWith(expectations: readonly Expectation[], beginning: string): Expectation[] {
  const wanted = beginning.toLowerCase();
  return expectations.filter(({ kind, text, names }) => {
    if (kind === "keyword") return text.startsWith(wanted);
    return kind === "argument" && names?.some((name) => name.toLowerCase().startsWith(wanted));
  });
}

/** Words that complete a beginning. */
export function completionsOf(
  expectations: readonly Expectation[],
  beginning: string,
  interfaces: readonly string[],
): string[] {
  const wanted = beginning.toLowerCase();
  const words = expectations.flatMap(({ kind, text, names }) => {
    if (kind === "keyword") return [text];
    // Names of arguments are offered only when one is begun, for there are many; interfaces are those that exist.
    if (text === "INTERFACE") return [...interfaces];
    return beginning === "" ? [] : [...(names ?? [])];
  });
  return [...new Set(words)].filter((word) => word.toLowerCase().startsWith(wanted));
}
