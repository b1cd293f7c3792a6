/**
 * V19: every name that is used is defined, and what is defined is used. Inspection rules, access lists, object
 * groups, time ranges and key chains.
 */
import { hasEntries } from "../acl/evaluate.js";
import type { Ace, Config, Family, ObjectGroup, Placed, Position } from "../config/model.js";
import type { Draft } from "./finding.js";

/** One mention of a name: where, and what mentions it. */
interface Use {
  name: string;
  at: Position;
  by: string;
}

export function namesAreDefined(config: Config): Draft[] {
  const words = wordsOfKeptLines(config);
  return [
    ...inspectRules(config, 4),
    ...inspectRules(config, 6),
    ...accessLists(config, 4, words),
    ...accessLists(config, 6, words),
    ...objectGroups(config, words),
    ...timeRanges(config, words),
    ...keyChains(config),
  ];
}

/** Commands without effect here may name a list (`access-class 10 in`, `snmp-server community ...`). */
function wordsOfKeptLines(config: Config): Set<string> {
  return new Set(config.kept.flatMap((line) => line.text.split(/\s+/)));
}

/** An error for each use of a name that is not defined, a warning for each definition that nothing uses. */
function compare(
  what: string,
  defined: ReadonlyMap<string, Placed>,
  uses: Use[],
  define: (name: string) => string,
  remove: (name: string) => string,
  mentioned: Set<string> = new Set(),
): Draft[] {
  const used = new Set(uses.map((use) => use.name));
  const unused = [...defined].filter(([name]) => !used.has(name) && !mentioned.has(name));
  return [
    ...uses
      .filter((use) => !defined.has(use.name))
      .map(({ name, at, by }) => ({
        at,
        message: `${by} names ${what} ${name}, which is not defined`,
        mend: define(name),
      })),
    ...unused.map(([name, { at }]) => ({
      severity: "warning" as const,
      at,
      message: `${what} ${name} is defined and not used`,
      mend: remove(name),
    })),
  ];
}

function inspectRules(config: Config, family: Family): Draft[] {
  const word = family === 4 ? "ip" : "ipv6";
  const uses = [...config.interfaces.values()].flatMap((on) =>
    on.inspect
      .filter((each) => each.family === family)
      .map(({ rule, direction, at }) => ({
        name: rule,
        at,
        by: `${word} inspect ${rule} ${direction} on ${on.name}`,
      })),
  );
  return compare(
    `${word} inspection rule`,
    family === 4 ? config.inspectRules : config.inspectRules6,
    uses,
    (name) => `${word} inspect name ${name} tcp (and the other protocols)`,
    (name) => `${word} inspect ${name} out on the outside interface, or no ${word} inspect name ${name}`,
  );
}

function accessLists(config: Config, family: Family, words: Set<string>): Draft[] {
  const [word, bind] = family === 4 ? ["ip", "ip access-group"] : ["ipv6", "ipv6 traffic-filter"];
  const lists = family === 4 ? config.accessLists : config.accessLists6;
  const bindings = [...config.interfaces.values()].flatMap((on) =>
    on.accessGroups
      .filter((each) => each.family === family)
      .map(({ list, direction, at }) => ({
        name: list,
        at,
        by: `${bind} ${list} ${direction} on ${on.name}`,
      })),
  );
  const others = family === 4 ? listsOfInspection(config) : [];
  const uses = [...bindings, ...others];
  const empty = uses.filter(({ name }) => {
    const list = lists.get(name);
    return list !== undefined && !hasEntries(list);
  });
  return [
    ...compare(
      `${word} access list`,
      lists,
      uses,
      (name) =>
        `${word} access-list ${family === 4 ? "extended " : ""}${name} with its entries, or no ${bind} ${name}`,
      (name) => {
        const kind = family === 4 ? ` ${lists.get(name)!.kind}` : "";
        return `${bind} ${name} in on an interface, or no ${word} access-list${kind} ${name}`;
      },
      words,
    ),
    ...empty.map(({ name, at, by }) => ({
      at,
      other: lists.get(name)!.at,
      message: `${by} names access list ${name}, which has no entry: IOS would permit everything`,
      mend: `entries in ${name}, deny ip any any if nothing is to pass`,
    })),
  ];
}

/** Lists that the port map and inspection rules (`http java-list 10`) use. */
function listsOfInspection(config: Config): Use[] {
  const ports = config.portMap.flatMap(({ list, protocol, at }) =>
    list === undefined ? [] : [{ name: list, at, by: `ip port-map ${protocol}` }],
  );
  const rules = [...config.inspectRules.values()].flatMap((rule) =>
    rule.protocols.flatMap(({ protocol, options, at }) => {
      const words = options.join(" ").split(/\s+/);
      const name = words[words.indexOf("java-list") + 1];
      if (!words.includes("java-list") || name === undefined) return [];
      return [{ name, at, by: `ip inspect name ${rule.name} ${protocol}` }];
    }),
  );
  return [...ports, ...rules];
}

function aces(config: Config): { ace: Ace; list: string; family: Family }[] {
  return [...config.accessLists.values(), ...config.accessLists6.values()].flatMap((list) =>
    list.entries.flatMap((ace) =>
      ace.kind === "ace" ? [{ ace, list: list.name, family: list.family }] : [],
    ),
  );
}

type GroupKind = ObjectGroup["kind"];

/** What a group must be where it is used. */
interface GroupUse extends Use {
  kind: GroupKind;
}

function objectGroups(config: Config, words: Set<string>): Draft[] {
  const uses: GroupUse[] = [];
  for (const { ace, list, family } of aces(config)) {
    const by = `list ${list}`;
    const network: GroupKind = family === 4 ? "network" : "v6-network";
    for (const end of [ace.source, ace.destination]) {
      if (end.kind === "group") uses.push({ name: end.name, at: ace.at, by, kind: network });
    }
    if (ace.serviceGroup !== undefined) {
      const kind = family === 4 ? "service" : "v6-service";
      uses.push({ name: ace.serviceGroup, at: ace.at, by, kind });
    }
  }
  for (const group of config.objectGroups.values()) {
    for (const member of group.members) {
      if (member.kind !== "group") continue;
      uses.push({ name: member.name, at: member.at, by: `object-group ${group.name}`, kind: group.kind });
    }
  }
  const misfits = uses.filter(({ name, kind }) => {
    const group = config.objectGroups.get(name);
    return group !== undefined && group.kind !== kind;
  });
  return [
    ...compare(
      "object-group",
      config.objectGroups,
      uses,
      (name) => `object-group ${uses.find((use) => use.name === name)!.kind} ${name} with its members`,
      (name) => `no object-group ${config.objectGroups.get(name)!.kind} ${name}`,
      words,
    ),
    ...misfits.map(({ name, kind, at, by }) => ({
      at,
      other: config.objectGroups.get(name)!.at,
      message: `${by} needs a ${kind} group, and ${name} is a ${config.objectGroups.get(name)!.kind} group`,
      mend: `object-group ${kind} OTHER-NAME in its place`,
    })),
    ...rings(config),
  ];
}

/** Groups that contain themselves. */
function rings(config: Config): Draft[] {
  return [...config.objectGroups.values()].flatMap((group): Draft[] => {
    const seen = new Set<string>();
    const waiting = [group.name];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      for (const member of config.objectGroups.get(name)?.members ?? []) {
        if (member.kind !== "group") continue;
        if (member.name === group.name) {
          const message = `object-group ${group.name} contains itself`;
          return [{ at: member.at, message, mend: `no group-object ${member.name}` }];
        }
        if (!seen.has(member.name)) waiting.push(member.name);
        seen.add(member.name);
      }
    }
    return [];
  });
}

function timeRanges(config: Config, words: Set<string>): Draft[] {
  const uses = aces(config).flatMap(({ ace, list }) =>
    ace.timeRange === undefined ? [] : [{ name: ace.timeRange, at: ace.at, by: `list ${list}` }],
  );
  return compare(
    "time-range",
    config.timeRanges,
    uses,
    (name) => `time-range ${name} with absolute or periodic`,
    (name) => `no time-range ${name}`,
    words,
  );
}

/** Only their use: a key chain that nothing here uses may serve a command that is kept without effect. */
function keyChains(config: Config): Draft[] {
  const uses = [...config.interfaces.values()].flatMap((on) =>
    [...on.standby.groups.values()].flatMap(({ authentication, group }) =>
      authentication?.kind === "md5-chain"
        ? [{ name: authentication.chain, at: authentication.at, by: `standby ${group} on ${on.name}` }]
        : [],
    ),
  );
  const known = new Map([...config.keyChains].filter(([name]) => uses.some((use) => use.name === name)));
  return compare(
    "key chain",
    known,
    uses,
    (name) => `key chain ${name} with key and key-string`,
    (name) => name,
  );
}
