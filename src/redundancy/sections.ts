/**
 * What of a configuration its peer must have, section by section; canonical.ts makes a hash of each. What is each box's
 * own is in no section: its name, its addresses, its end of the association, its keys.
 *
 * The order counts of interfaces and of the entries of lists; elsewhere it does not.
 */
import {
  type AccessEntry,
  type AccessList,
  type Config,
  DEFAULTS,
  type InspectGlobals,
  type InspectRule,
  type Interface,
} from "../config/model.js";
import { ipv4Mask, ipv6Mask } from "../ip.js";

/** What a difference means: the peer cannot become hot, or it is only told. */
export type Consequence = "refused" | "warned";

interface SectionFacts {
  readonly title: string;
  readonly consequence: Consequence;
  /** A command that shows what to compare. */
  readonly hint: string;
  /** The section in parts; a part without a name is the section as a whole. */
  parts(config: Config): readonly Part[];
}

interface Part {
  readonly name: string;
  readonly value: unknown;
}

/** In the order of the wire. */
export const SECTIONS = {
  interfaces: {
    title: "interfaces",
    consequence: "refused",
    hint: "show running-config | section interface",
    parts: (config) => each(config, dutiesOf),
  },
  inspection: {
    title: "inspection rules",
    consequence: "refused",
    hint: "show running-config | include inspect name",
    parts: (config) =>
      byName(
        inspectRules(config).map(({ name, family, protocols }) => ({
          name: named(family, name),
          value: unordered(protocols.map((line) => without(line, "alert", "auditTrail"))),
        })),
      ),
  },
  globals: {
    title: "global settings",
    consequence: "refused",
    hint: "show running-config | include ip inspect|source-route|ip options",
    parts: (config) => {
      const { sourceRoute, ipOptions } = config;
      return whole({ inspect: globalsOf(config, "admission"), sourceRoute, ipOptions });
    },
  },
  accessLists: {
    title: "access lists",
    consequence: "refused",
    hint: "show running-config | section access-list",
    parts: (config) =>
      boundLists(config).map((each) => ({
        name: named(each.family, each.name),
        value: entriesOf(each).map((entry) => without(entry, "sequence", "log", "logCookie")),
      })),
  },
  objectGroups: {
    title: "object groups",
    consequence: "refused",
    hint: "show running-config | section object-group",
    parts: (config) =>
      byName(
        [...config.objectGroups.values()].map(({ name, kind, members }) => ({
          name,
          value: { kind, members: unordered(members) },
        })),
      ),
  },
  timeRanges: {
    title: "time ranges",
    consequence: "refused",
    hint: "show running-config | section time-range",
    parts: (config) =>
      byName(
        [...config.timeRanges.values()].map(({ name, absolute, periodic }) => ({
          name,
          value: { absolute, periodic: unordered(periodic) },
        })),
      ),
  },
  portMap: {
    title: "port map",
    consequence: "refused",
    hint: "show running-config | include port-map",
    parts: ({ portMap }) => whole(unordered(portMap.map((each) => without(each, "description")))),
  },
  routes: {
    title: "static routes",
    consequence: "refused",
    hint: "show running-config | include route",
    parts: ({ routes }) => whole(unordered(routes.map((each) => without(each, "name", "tag", "permanent")))),
  },
  groups: {
    title: "HSRP groups",
    consequence: "warned",
    hint: "show running-config | include standby",
    parts: (config) =>
      each(config, ({ standby: { version, useBia, groups } }) => {
        const own = [...groups.values()].map((group) => without(group, "authentication"));
        return own.length === 0
          ? undefined
          : { version: version?.value ?? 1, useBia, groups: unordered(own) };
      }),
  },
  association: {
    title: "timers of the association",
    consequence: "warned",
    hint: "show running-config | section ipc zone",
    parts: ({ ipc }) =>
      [...(ipc?.associations.values() ?? [])].map((each) => ({
        name: `association ${each.id}`,
        value: {
          minMs: each.retransmitTimeout?.minMs ?? DEFAULTS.retransmitMinMs,
          maxMs: each.retransmitTimeout?.maxMs ?? DEFAULTS.retransmitMaxMs,
          path: each.pathRetransmit?.value ?? DEFAULTS.pathRetransmit,
          association: each.assocRetransmit?.value ?? DEFAULTS.assocRetransmit,
        },
      })),
  },
  copying: {
    title: "settings of the session copy",
    consequence: "warned",
    hint: "show running-config | include inspect redundancy",
    parts: (config) => whole(globalsOf(config, "copying")),
  },
  logging: {
    title: "logging",
    consequence: "warned",
    hint: "show running-config | include log|audit|alert",
    parts: (config) => {
      const { hosts, levels, ...logging } = config.logging;
      return whole({
        ...without(logging, "sourceInterface", "originId"),
        hosts: unordered(hosts),
        levels: unordered(levels),
        globals: globalsOf(config, "logging"),
        accessListLog: config.accessListLog,
        lines: unordered(inspectRules(config).flatMap(loggingLines)),
        entries: boundLists(config).flatMap(loggingEntries),
      });
    },
  },
  descriptions: {
    title: "descriptions and interfaces that are shut down",
    consequence: "warned",
    hint: "show running-config | include description|remark|shutdown",
    parts: (config) =>
      whole({
        interfaces: each(config, ({ description, shutdown }) => ({ description, shutdown })),
        remarks: boundLists(config).flatMap(remarksOf),
        groups: byName(
          [...config.objectGroups.values()].map(({ name, description }) => ({ name, value: description })),
        ),
        ports: unordered(config.portMap.map(({ description }) => description)),
        routes: unordered(config.routes.map(({ name, tag, permanent }) => ({ name, tag, permanent }))),
      }),
  },
} as const satisfies Record<string, SectionFacts>;

export type Section = keyof typeof SECTIONS;
export const SECTION_NAMES = Object.keys(SECTIONS) as readonly Section[];

/** To which section a global setting belongs; `none` is what makes no difference to the peer. */
const GLOBALS = {
  maxIncompleteHigh: "admission",
  maxIncompleteLow: "admission",
  oneMinuteHigh: "admission",
  oneMinuteLow: "admission",
  tcpMaxIncompleteHost: "admission",
  tcpSynwaitSeconds: "admission",
  tcpFinwaitSeconds: "admission",
  tcpIdleSeconds: "admission",
  udpIdleSeconds: "admission",
  dnsSeconds: "admission",
  hashtableSize: "none",
  auditTrail: "logging",
  alertOff: "logging",
  logDropPackets: "logging",
  reassemblyQueueLength: "admission",
  reassemblyTimeoutSeconds: "admission",
  reassemblyMemoryKilobytes: "admission",
  reassemblyAlarm: "logging",
  windowScaleLoose: "admission",
  blockNonSession: "admission",
  updateSeconds: "copying",
  updateMsec: "copying",
  defer: "copying",
  resyncStrict: "copying",
  tcpSynCookie: "admission",
} as const satisfies Record<keyof InspectGlobals, "admission" | "copying" | "logging" | "none">;

const GLOBAL_NAMES = Object.keys(GLOBALS) as (keyof InspectGlobals)[];

/** The settings of a topic with their defaults, so that a default that is written out is no difference. */
function globalsOf({ inspect }: Config, topic: string): Record<string, unknown> {
  const defaults: Readonly<Record<string, number>> = DEFAULTS;
  return Object.fromEntries(
    GLOBAL_NAMES.filter((name) => GLOBALS[name] === topic).map((name) => {
      const set = inspect[name] || undefined;
      return [name, typeof set === "object" ? without(set, "at") : { value: set ?? defaults[name] }];
    }),
  );
}

const whole = (value: unknown): readonly Part[] => [{ name: "", value }];

/** IPv4 and IPv6 have names of their own. */
const named = (family: 4 | 6, name: string): string => (family === 4 ? name : `IPv6 ${name}`);

/** Something of every interface that takes part. */
function each(config: Config, of: (on: Interface) => unknown): readonly Part[] {
  return [...config.interfaces.values()]
    .filter(takesPart)
    .map((on) => ({ name: on.name, value: of(on) }))
    .filter(({ value }) => value !== undefined);
}

/** Not one that the configuration only lists, as IOS does with every empty slot. */
function takesPart(on: Interface): boolean {
  return (
    on.addresses.length + on.addresses6.length + on.accessGroups.length + on.inspect.length > 0 ||
    on.ipv6Enable === true
  );
}

/** What an interface does to packets, and the networks that it is in. */
function dutiesOf(on: Interface): Record<string, unknown> {
  return {
    networks: on.addresses.map(({ address, prefixLength, secondary }) => ({
      network: (address & ipv4Mask(prefixLength)) >>> 0,
      prefixLength,
      secondary,
    })),
    networks6: on.addresses6
      .filter(({ linkLocal }) => !linkLocal)
      .map(({ address, prefixLength }) => ({
        network: BigInt(address) & ipv6Mask(prefixLength),
        prefixLength,
      })),
    takesIpv6: on.ipv6Enable === true || on.addresses6.length > 0,
    accessGroups: unordered(on.accessGroups),
    inspect: unordered(on.inspect),
    verifySource: unordered(on.verifySource),
    virtualReassembly: on.virtualReassembly,
    virtualReassembly6: on.virtualReassembly6,
    encapsulation: on.encapsulation,
    noUnreachables: on.noUnreachables,
    noUnreachables6: on.noUnreachables6,
  };
}

/** The lists that decide something, by name; a list for another purpose may differ. */
function boundLists(config: Config): AccessList[] {
  const named4 = config.portMap.flatMap(({ list: name }) => (name === undefined ? [] : [name]));
  const bound = [...config.interfaces.values()].flatMap((on) => on.accessGroups);
  const of = (family: 4 | 6) => bound.filter((group) => group.family === family).map((group) => group.list);
  const found = (lists: Map<string, AccessList>, names: Iterable<string>) =>
    [...new Set(names)].sort().flatMap((name) => lists.get(name) ?? []);
  return [...found(config.accessLists, [...of(4), ...named4]), ...found(config.accessLists6, of(6))];
}

type Ace = Extract<AccessEntry, { kind: "ace" }>;

function entriesOf({ entries }: AccessList): Ace[] {
  return entries.filter((entry) => entry.kind === "ace");
}

function loggingEntries(list: AccessList): unknown[] {
  return entriesOf(list).flatMap(({ log, logCookie }, index) =>
    log ? [[list.name, index, log, logCookie]] : [],
  );
}

function remarksOf({ name, entries }: AccessList): unknown[] {
  return entries.flatMap((entry) => (entry.kind === "remark" ? [[name, entry.text]] : []));
}

function inspectRules(config: Config): InspectRule[] {
  return [...config.inspectRules.values(), ...config.inspectRules6.values()];
}

function loggingLines({ name, family, protocols }: InspectRule): unknown[] {
  return protocols.flatMap(({ protocol, alert, auditTrail }) =>
    alert === undefined && auditTrail === undefined ? [] : [[family, name, protocol, alert, auditTrail]],
  );
}

function byName(parts: readonly Part[]): readonly Part[] {
  return [...parts].sort((x, y) => (x.name < y.name ? -1 : 1));
}

/** Items whose order means nothing. */
export class Unordered {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

const unordered = (items: Iterable<unknown>): Unordered => new Unordered([...items]);

function without(value: object, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
