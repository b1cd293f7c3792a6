/**
 * What makes two boxes one firewall, as the running configuration writes it: section by section (P06), and the static
 * routes (P08).
 *
 * Two lines are equal when their texts are, or when they are after each box's own and its peer's addresses are called
 * just that, and interfaces by their role. Both ways to write a list for a pair are usual: one list for both boxes,
 * and two that mirror each other.
 */
import { hasEntries } from "../acl/evaluate.js";
import { formatEntry } from "../config/ace.js";
import {
  type AccessList,
  type Config,
  DEFAULTS,
  type InspectGlobals,
  type Interface,
  type Position,
} from "../config/model.js";
import { emptyConfig } from "../config/parse.js";
import { show } from "../config/show.js";
import { type Address, parseAddress } from "../ip.js";
import { type Counterparts, counterparts } from "./correspond.js";
import { type PairDraft, type Side, TOP } from "./finding.js";
import { addressesOf } from "./topology.js";

interface Line {
  /** As messages show it. */
  text: string;
  /** The same on both boxes if the line is, addresses and interfaces under their common names. */
  common: string;
  at: Position;
}

interface Section {
  name: string;
  /** Whether the order of the lines means something. */
  ordered: boolean;
  lines: Line[];
}

/** One box with what its addresses and interfaces are called in comparisons. */
interface Box {
  config: Config;
  addresses: Map<Address, string>;
  roles: Map<Interface, string>;
}

function boxOf(config: Config, side: Side, pairs: Counterparts[]): Box {
  const box: Box = { config, addresses: new Map(), roles: new Map() };
  const peer: Side = side === "a" ? "b" : "a";
  const name = (on: Interface, role: string, whose: string) => {
    addressesOf(on).forEach((each, i) => {
      box.addresses.set(each.address, `<${whose} address ${i + 1}, ${role}>`);
    });
  };
  // Own addresses last: where both boxes have the same one by mistake, it is their own.
  for (const pair of pairs) name(pair[peer], pair.role, "peer's");
  for (const pair of pairs) name(pair[side], pair.role, "own");
  for (const pair of pairs) box.roles.set(pair[side], pair.role);
  return box;
}

function withCommonNames(text: string, box: Box): string {
  return text.replace(/[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+/g, (word) => {
    const address = parseAddress(word);
    return (address !== undefined && box.addresses.get(address)) || word;
  });
}

function line(box: Box, text: string, at: Position): Line {
  return { text, common: withCommonNames(text, box), at };
}

/** P06. One finding for each section that differs, with the first difference. */
export function firewallsAreEqual(a: Config, b: Config): PairDraft[] {
  const pairs = counterparts(a, b);
  const bound = new Set([...boundLists(a), ...boundLists(b)]);
  const [here, there] = [sections(boxOf(a, "a", pairs), bound), sections(boxOf(b, "b", pairs), bound)];
  return [...new Set([...here.keys(), ...there.keys()])].flatMap((name) => {
    const [one, other] = [here.get(name), there.get(name)];
    const { ordered } = (one ?? other)!;
    const difference = (ordered ? inOrder : anyOrder)(one?.lines ?? [], other?.lines ?? []);
    return difference === undefined ? [] : [report(name, difference, b)];
  });
}

/** What stands where the other box has something else, or nothing. */
interface Difference {
  here: Line | undefined;
  there: Line | undefined;
}

function report(section: string, { here, there }: Difference, b: Config): PairDraft {
  const quote = (one: Line | undefined) => (one === undefined ? "nothing" : `"${one.text}"`);
  return {
    side: here === undefined ? "b" : "a",
    at: (here ?? there)!.at,
    other: here === undefined ? undefined : there?.at,
    message:
      here === undefined
        ? `difference in ${section}: ${quote(there)} stands in ${b.file} only`
        : `difference in ${section}: ${quote(here)} here, ${quote(there)} in ${b.file}`,
    mend: "the same on both boxes",
  };
}

function isEqual(one: Line | undefined, other: Line | undefined): boolean {
  return one?.text === other?.text || one?.common === other?.common;
}

function inOrder(here: Line[], there: Line[]): Difference | undefined {
  const length = Math.max(here.length, there.length);
  for (let i = 0; i < length; i++) {
    if (!isEqual(here[i], there[i])) return { here: here[i], there: there[i] };
  }
  return undefined;
}

function anyOrder(here: Line[], there: Line[]): Difference | undefined {
  const difference = { here: missingFrom(there, here)[0], there: missingFrom(here, there)[0] };
  return difference.here === undefined && difference.there === undefined ? undefined : difference;
}

/** The lines that the other box does not have, wherever. */
function missingFrom(others: Line[], lines: Line[]): Line[] {
  const texts = new Set(others.map((each) => each.text));
  const commons = new Set(others.map((each) => each.common));
  return lines.filter((each) => !texts.has(each.text) && !commons.has(each.common));
}

/** The lists that decide something on a box; a list for another purpose may differ. */
function boundLists(config: Config): AccessList[] {
  const bindings = [...config.interfaces.values()].flatMap((on) => on.accessGroups);
  const lists = bindings.map(({ family, list }) =>
    (family === 4 ? config.accessLists : config.accessLists6).get(list),
  );
  const ports = config.portMap.map(({ list }) =>
    list === undefined ? undefined : config.accessLists.get(list),
  );
  return [...lists, ...ports].filter((list) => list !== undefined);
}

function sections(box: Box, bound: Set<AccessList>): Map<string, Section> {
  const { config } = box;
  const found: Section[] = [];
  const add = (name: string, part: Partial<Config>, at: Position) => {
    const lines = written(part).map((text) => line(box, text, at));
    found.push({ name, ordered: false, lines });
  };
  const { updateSeconds, updateMsec, hashtableSize, ...globals } = config.inspect;
  const update = updateMsec ?? updateSeconds ?? { at: TOP, value: DEFAULTS.updateSeconds };
  add("the update interval", { inspect: updateMsec ? { updateMsec } : { updateSeconds: update } }, update.at);
  const { sourceRoute, ipOptions } = config;
  add("the global settings", { inspect: withDefaults(globals), sourceRoute, ipOptions }, TOP);
  for (const rule of config.inspectRules.values()) {
    add(`inspection rule ${rule.name}`, { inspectRules: new Map([[rule.name, rule]]) }, rule.at);
  }
  for (const rule of config.inspectRules6.values()) {
    add(`IPv6 inspection rule ${rule.name}`, { inspectRules6: new Map([[rule.name, rule]]) }, rule.at);
  }
  const names = new Set([...bound].map((list) => `${list.family} ${list.name}`));
  for (const list of [...config.accessLists.values(), ...config.accessLists6.values()]) {
    if (!names.has(`${list.family} ${list.name}`) || !hasEntries(list)) continue;
    const lines = list.entries.flatMap((entry) =>
      entry.kind === "ace" ? [line(box, formatEntry(entry, list), entry.at)] : [],
    );
    found.push({ name: `${list.family === 4 ? "" : "IPv6 "}access list ${list.name}`, ordered: true, lines });
  }
  for (const group of config.objectGroups.values()) {
    const bare = { ...group, description: undefined };
    add(`object-group ${group.name}`, { objectGroups: new Map([[group.name, bare]]) }, group.at);
  }
  for (const range of config.timeRanges.values()) {
    add(`time-range ${range.name}`, { timeRanges: new Map([[range.name, range]]) }, range.at);
  }
  add("the port map", { portMap: config.portMap }, config.portMap[0]?.at ?? TOP);
  const bindings = [...config.interfaces.values()].flatMap((on) => bindingLines(box, on));
  found.push({ name: "the binding of interfaces", ordered: false, lines: bindings });
  return new Map(found.map((section) => [section.name, section]));
}

/** The lines of the running configuration that has this part only. */
function written(part: Partial<Config>): string[] {
  const lines = show({ ...emptyConfig(), ...part }).split("\n");
  return lines.map((text) => text.trim()).filter((text) => text !== "" && text !== "!" && text !== "end");
}

/** With the defaults where the text says nothing, so that a default that is written out is no difference. */
function withDefaults(globals: InspectGlobals): InspectGlobals {
  const placed = (key: "maxIncompleteHigh" | "maxIncompleteLow" | "oneMinuteHigh" | "oneMinuteLow") =>
    globals[key] ?? { at: TOP, value: DEFAULTS[key] };
  const switchedOn = Object.fromEntries(Object.entries(globals).filter(([, value]) => value !== false));
  return {
    tcpSynwaitSeconds: DEFAULTS.tcpSynwaitSeconds,
    tcpFinwaitSeconds: DEFAULTS.tcpFinwaitSeconds,
    tcpIdleSeconds: DEFAULTS.tcpIdleSeconds,
    udpIdleSeconds: DEFAULTS.udpIdleSeconds,
    dnsSeconds: DEFAULTS.dnsSeconds,
    reassemblyQueueLength: DEFAULTS.reassemblyQueueLength,
    reassemblyTimeoutSeconds: DEFAULTS.reassemblyTimeoutSeconds,
    reassemblyMemoryKilobytes: DEFAULTS.reassemblyMemoryKilobytes,
    ...switchedOn,
    maxIncompleteHigh: placed("maxIncompleteHigh"),
    maxIncompleteLow: placed("maxIncompleteLow"),
    oneMinuteHigh: placed("oneMinuteHigh"),
    oneMinuteLow: placed("oneMinuteLow"),
    tcpMaxIncompleteHost: {
      at: globals.tcpMaxIncompleteHost?.at ?? TOP,
      value: globals.tcpMaxIncompleteHost?.value ?? DEFAULTS.tcpMaxIncompleteHost,
      blockMinutes: globals.tcpMaxIncompleteHost?.blockMinutes ?? 0,
    },
  };
}

/** What an interface does to packets: its lists, inspection, reverse path check, reassembly. */
function bindingLines(box: Box, on: Interface): Line[] {
  const bare: Interface = {
    name: on.name,
    at: on.at,
    shutdown: on.shutdown,
    addresses: [],
    addresses6: [],
    accessGroups: [],
    inspect: [],
    verifySource: [],
    standby: { groups: new Map() },
  };
  const { accessGroups, inspect, verifySource, virtualReassembly, virtualReassembly6 } = on;
  const { noUnreachables, noUnreachables6 } = on;
  const full = {
    ...bare,
    accessGroups,
    inspect,
    verifySource,
    virtualReassembly,
    virtualReassembly6,
    noUnreachables,
    noUnreachables6,
  };
  const lines = (one: Interface) => written({ interfaces: new Map([[one.name, one]]) });
  const common = new Set(lines(bare));
  const at = accessGroups[0]?.at ?? inspect[0]?.at ?? on.at;
  const role = box.roles.get(on) ?? on.name;
  return lines(full)
    .filter((text) => !common.has(text))
    .map((text) => ({ text: `${text} on ${on.name}`, common: `${text} on ${role}`, at }));
}

/** P08. */
export function routesAreEqual(a: Config, b: Config): PairDraft[] {
  const pairs = counterparts(a, b);
  const [here, there] = [routeLines(boxOf(a, "a", pairs)), routeLines(boxOf(b, "b", pairs))];
  const alone = (side: Side, lines: Line[], others: Line[], where: string) =>
    missingFrom(others, lines).map(({ text, at }) => {
      return { side, at, message: `"${text}" is not in ${where}`, mend: `${text} in ${where}` };
    });
  return [...alone("a", here, there, b.file), ...alone("b", there, here, a.file)];
}

function routeLines(box: Box): Line[] {
  const roles = new Map([...box.roles].map(([on, role]) => [on.name, role]));
  return ([4, 6] as const).flatMap((family) => {
    // What a route is called makes no difference.
    const routes = box.config.routes.filter((route) => route.family === family);
    const texts = written({ routes: routes.map((route) => ({ ...route, name: undefined })) });
    return routes.map((route, i) => {
      const { text, common, at } = line(box, texts[i]!, route.at);
      const words = common.split(" ").map((word) => (word === route.interface && roles.get(word)) || word);
      return { text, common: words.join(" "), at };
    });
  });
}
