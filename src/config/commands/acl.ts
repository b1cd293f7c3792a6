/** Access lists: `access-list N`, `ip access-list`, `ipv6 access-list`, and what applies to all of them. */
import {
  hasDefaultSequence,
  insertEntry,
  removeEntry,
  removeSequence,
  resequence,
  SEQUENCE_MAX,
  SEQUENCE_START,
  SEQUENCE_STEP,
} from "../access-list.js";
import { formatEntry } from "../ace.js";
import { type AceArguments, type AceForm, buildAce, IPV4_FORMS, IPV6_FORMS } from "../ace-forms.js";
import { command, commandWith, type Context, fail, isFailure, refusalsOf, type Row } from "../command.js";
import type { AccessEntry, AccessList, AddressMatch, Config, Family, Remark } from "../model.js";
import { rangeType } from "../syntax.js";

const STANDARD_NUMBERS = "1-99,1300-1999";
const EXTENDED_NUMBERS = "100-199,2000-2699";
/** Lists of bridges, IPX, DECnet and XNS. */
const FOREIGN_NUMBERS = "200-1299";

type Kind = AccessList["kind"];
type ListMode = "standard-list" | "extended-list" | "ipv6-list";

const listsOf = (config: Config, family: Family) => (family === 4 ? config.accessLists : config.accessLists6);

/** The list of this name, made when it is new; a failure when it is of the other kind. */
function openList(config: Config, family: Family, name: string, kind: Kind, { at }: Context) {
  const lists = listsOf(config, family);
  const known = lists.get(name);
  if (known) return known.kind === kind ? known : fail(`${name} is a ${known.kind} access list`, "list");
  const made: AccessList = { at, family, name, kind, entries: [] };
  lists.set(name, made);
  return made;
}

const isNumbered = (name: string) => /^\d/.test(name);

/** Whether a list is written as `access-list N ...`: those lines have no sequence numbers, and no block. */
function isFlat(list: AccessList, config: Config): boolean {
  return (
    isNumbered(list.name) &&
    list.entries.length > 0 &&
    hasDefaultSequence(list) &&
    !config.kept.some((line) => line.block === header(list))
  );
}

function header(list: AccessList): string {
  return list.family === 6 ? `ipv6 access-list ${list.name}` : `ip access-list ${list.kind} ${list.name}`;
}

/** Entries of a block; a number is written only where reading would give another one. */
function showEntries(list: AccessList): string[] {
  let next = SEQUENCE_START;
  return list.entries.map((entry) => {
    const { sequence } = entry;
    const number = sequence === next ? "" : list.family === 6 ? `sequence ${sequence} ` : `${sequence} `;
    next = sequence + SEQUENCE_STEP;
    return number + formatEntry(entry, list);
  });
}

interface StandardArguments {
  sequence?: number;
  action: "permit" | "deny";
  source: AddressMatch;
  log?: true;
  logCookie?: string;
}

const STANDARD_FORM: AceForm = {
  syntax: "<action=permit|deny> <source:standard-address> [<log> [<logCookie:word>]]",
  example: "permit 10.0.10.0 0.255.0.255 log",
  help: "packets of a source",
};

/** A standard entry as an entry of an extended list: any protocol, any destination. */
const extended = (a: StandardArguments): AceArguments => {
  const { log, ...rest } = a;
  return { ...rest, destination: { kind: "any" }, ...(log && { log: "log" }) };
};

interface RemarkArguments {
  sequence?: number;
  text: string;
}
const remark = ({ text }: RemarkArguments, { at }: Context): Remark => ({
  kind: "remark",
  at,
  sequence: 0,
  text,
});

/** The rows for one form of an entry in the block of a list. */
function entryRow<A extends object>(
  mode: ListMode,
  prefix: string,
  form: AceForm,
  aceOf: (a: A) => AceArguments,
): Row {
  const family: Family = mode === "ipv6-list" ? 6 : 4;
  return commandWith<A>()({
    mode,
    syntax: prefix + form.syntax,
    help: form.help,
    example: form.example,
    set: (list, a, context) => {
      const args = aceOf(a);
      const ace = buildAce(args, family, context.at);
      return isFailure(ace) ? ace : insertEntry(list, ace, args.sequence, context);
    },
    remove: (list, a, context) => {
      const args = aceOf(a);
      if (args.sequence !== undefined) return removeSequence(list, args.sequence, context);
      const ace = buildAce(args, family, context.at);
      return isFailure(ace) ? ace : removeEntry(list, ace, context);
    },
  });
}

/** Rows of a list's block: entries, remarks, `no SEQ`, and the writer of them all. */
function blockRows<A extends object>(
  mode: ListMode,
  forms: readonly AceForm[],
  aceOf: (a: A) => AceArguments,
): Row[] {
  const number = `<sequence:1-${SEQUENCE_MAX}>`;
  const prefix = mode === "ipv6-list" ? `[sequence ${number}] ` : `[${number}] `;
  const rows = forms.map((form) => entryRow(mode, prefix, form, aceOf));
  const [first, ...more] = rows;
  return [
    // The first row writes all entries, so that they keep their order.
    { ...first!, show: (list) => showEntries(list as AccessList) },
    ...more,
    commandWith<RemarkArguments>()({
      mode,
      syntax: `${prefix}remark <text:remark>`,
      help: "a text for people",
      example: "remark mail and web",
      set: (list, a, context) => insertEntry(list, remark(a, context), a.sequence, context),
      remove: (list, a, context) => removeEntry(list, remark(a, context), context),
    }),
    commandWith<{ sequence: number }>()({
      mode,
      syntax: mode === "ipv6-list" ? `sequence ${number}` : number,
      help: "an entry by its number",
      example: mode === "ipv6-list" ? "no sequence 10" : "no 10",
      shown: null,
      remove: (list, a, context) => removeSequence(list, a.sequence, context),
    }),
  ];
}

const inExtended = refusalsOf("extended-list");
const inIpv6 = refusalsOf("ipv6-list");
const atTop = refusalsOf("global");

const REFLEXIVE = "reflexive lists are not evaluated; inspection opens the way back";
const LOCK_AND_KEY = "entries that a login opens are not supported";
const SEQUENCE = `[<sequence:1-${SEQUENCE_MAX}>]`;

const REFUSED: readonly Row[] = [
  inExtended(`${SEQUENCE} evaluate <list:line>`, "evaluate BACK", "reflexive list", REFLEXIVE),
  inExtended(
    `${SEQUENCE} dynamic <entry:line>`,
    "dynamic USERS permit ip any any",
    "lock-and-key",
    LOCK_AND_KEY,
  ),
  inIpv6("evaluate <list:line>", "evaluate BACK", "reflexive list", REFLEXIVE),
  atTop(
    `access-list <list:${EXTENDED_NUMBERS}> dynamic <entry:line>`,
    "access-list 101 dynamic USERS permit ip any any",
    "lock-and-key",
    LOCK_AND_KEY,
  ),
  atTop(
    `access-list <list:${FOREIGN_NUMBERS}> <entry:line>`,
    "access-list 700 permit 0000.0c00.0000 0000.00ff.ffff",
    "lists of other protocols",
    "only IPv4 and IPv6 are filtered here",
  ),
];

/** Puts an entry at the end of a numbered list, which is made if the entry can be. */
function append(config: Config, number: number, kind: Kind, entry: AccessEntry, context: Context) {
  const isNew = !config.accessLists.has(`${number}`);
  const list = openList(config, 4, `${number}`, kind, context);
  if (isFailure(list)) return list;
  const failure = insertEntry(list, entry, undefined, context);
  if (failure && isNew) config.accessLists.delete(list.name);
  return failure;
}

/** Takes an entry out of a numbered list, which is gone with its last entry. */
function removeFrom(config: Config, number: number, entry: AccessEntry, context: Context): undefined {
  const list = config.accessLists.get(`${number}`);
  if (!list) return;
  removeEntry(list, entry, context);
  if (list.entries.length === 0) config.accessLists.delete(list.name);
}

/** One line of a numbered list at the top level. */
function flatRows<A extends object>(
  numbers: string,
  kind: Kind,
  forms: readonly AceForm[],
  aceOf: (a: A) => AceArguments,
): Row[] {
  type Numbered = A & { list: number };
  return forms.map((form) =>
    commandWith<Numbered>()({
      mode: "global",
      syntax: `access-list <list:${numbers}> ${form.syntax}`,
      help: form.help,
      example: `access-list ${parseInt(numbers, 10)} ${form.example}`,
      set: (config, a, context) => {
        const ace = buildAce(aceOf(a), 4, context.at);
        if (isFailure(ace)) return ace;
        return append(config, a.list, kind, ace, context);
      },
      remove: (config, a, context) => {
        const ace = buildAce(aceOf(a), 4, context.at);
        if (isFailure(ace)) return ace;
        return removeFrom(config, a.list, ace, context);
      },
    }),
  );
}

const isStandard = rangeType(STANDARD_NUMBERS)!;
const kindOf = (number: number): Kind =>
  isStandard.parse(`${number}`) === undefined ? "extended" : "standard";

const numberedLists = (config: Config) =>
  [...config.accessLists.values()].filter((list) => isFlat(list, config));

export const NUMBERED: readonly Row[] = [
  ...flatRows<StandardArguments>(STANDARD_NUMBERS, "standard", [STANDARD_FORM], extended),
  ...flatRows<AceArguments>(EXTENDED_NUMBERS, "extended", IPV4_FORMS, (a) => a),
  commandWith<RemarkArguments & { list: number }>()({
    mode: "global",
    syntax: `access-list <list:${STANDARD_NUMBERS},${EXTENDED_NUMBERS}> remark <text:remark>`,
    help: "a text for people",
    example: "access-list 101 remark mail and web",
    set: (config, a, context) => {
      return append(config, a.list, kindOf(a.list), remark(a, context), context);
    },
    remove: (config, a, context) => {
      return removeFrom(config, a.list, remark(a, context), context);
    },
  }),
  commandWith<{ list: number }>()({
    mode: "global",
    syntax: `access-list <list:${STANDARD_NUMBERS},${EXTENDED_NUMBERS}>`,
    help: "a list as a whole",
    example: "no access-list 101",
    shown: null,
    remove: (config, a) => {
      config.accessLists.delete(`${a.list}`);
    },
    show: (config) =>
      numberedLists(config).flatMap((list) =>
        list.entries.map((entry) => `access-list ${list.name} ${formatEntry(entry, list)}`),
      ),
  }),
];

interface ListArguments {
  number?: number;
  list?: string;
}

/** `ip access-list standard|extended`, `ipv6 access-list`: opens a list. */
function listRow(mode: ListMode, head: string, numbers: string | undefined, example: string): Row {
  const family: Family = mode === "ipv6-list" ? 6 : 4;
  const kind: Kind = mode === "standard-list" ? "standard" : "extended";
  const nameOf = (a: ListArguments) => a.list ?? `${a.number}`;
  return commandWith<ListArguments>()({
    mode: "global",
    syntax: `${head} ${numbers === undefined ? "<list:list-name>" : `(<number:${numbers}> | <list:list-name>)`}`,
    help: "an access list",
    example,
    enters: mode,
    set: (config, a, context) => {
      const list = openList(config, family, nameOf(a), kind, context);
      return isFailure(list) ? fail(list.failure, a.list === undefined ? "number" : "list") : list;
    },
    remove: (config, a) => {
      listsOf(config, family).delete(nameOf(a));
    },
    blocks: (config) =>
      [...listsOf(config, family).values()].filter((list) => list.kind === kind && !isFlat(list, config)),
    header,
  });
}

const LIST_REFERENCE = `(<number:${STANDARD_NUMBERS},${EXTENDED_NUMBERS}> | <list:list-name>)`;

export const NAMED: readonly Row[] = [
  listRow("standard-list", "ip access-list standard", STANDARD_NUMBERS, "ip access-list standard MANAGEMENT"),
  listRow("extended-list", "ip access-list extended", EXTENDED_NUMBERS, "ip access-list extended fw-ha-acl"),
  commandWith<ListArguments & { start: number; step: number }>()({
    mode: "global",
    syntax: `ip access-list resequence ${LIST_REFERENCE} <start:1-${SEQUENCE_MAX}> <step:1-${SEQUENCE_MAX}>`,
    help: "number the entries of a list anew",
    example: "ip access-list resequence fw-ha-acl 100 10",
    shown: null,
    set: (config, a) => {
      const name = a.list ?? `${a.number}`;
      const list = config.accessLists.get(name);
      if (!list) return fail(`there is no access list ${name}`, a.list === undefined ? "number" : "list");
      return resequence(list, a.start, a.step);
    },
  }),
  command({
    mode: "global",
    syntax: "ip access-list logging interval <milliseconds:0-2147483647>",
    help: "time between packets that are logged",
    example: "ip access-list logging interval 100",
    set: (config, a) => {
      config.accessListLog.intervalMs = a.milliseconds;
    },
    unset: (config) => {
      config.accessListLog.intervalMs = undefined;
    },
    show: ({ accessListLog: { intervalMs } }) =>
      intervalMs === undefined ? [] : [`ip access-list logging interval ${intervalMs}`],
  }),
  command({
    mode: "global",
    syntax: "ip access-list log-update threshold <packets:0-2147483647>",
    help: "packets of one flow after which it is logged again",
    example: "ip access-list log-update threshold 1000",
    set: (config, a) => {
      config.accessListLog.updateThreshold = a.packets;
    },
    unset: (config) => {
      config.accessListLog.updateThreshold = undefined;
    },
    show: ({ accessListLog: { updateThreshold } }) =>
      updateThreshold === undefined ? [] : [`ip access-list log-update threshold ${updateThreshold}`],
  }),
  ...blockRows<StandardArguments>("standard-list", [STANDARD_FORM], extended),
  ...blockRows<AceArguments>("extended-list", IPV4_FORMS, (a) => a),
  ...REFUSED,
];

export const NAMED6: readonly Row[] = [
  listRow("ipv6-list", "ipv6 access-list", undefined, "ipv6 access-list OUTSIDE6"),
  ...blockRows<AceArguments>("ipv6-list", IPV6_FORMS, (a) => a),
];
