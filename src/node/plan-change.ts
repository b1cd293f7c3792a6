/** What another configuration does to a running box, in words for who is about to give it. */
import { groupTimersOf, hashSections, SECTIONS, type Section, updateMsOf } from "../redundancy/index.js";
import { hasAddress, isUp, portOf, usedAssociation } from "../check/topology.js";
import type { Config } from "../config/model.js";
import { type GroupChange, type GroupSpec, optionsOf, planGroups } from "../hsrp/index.js";
import { endsOf } from "./endpoint.js";

/**
 * `refused`: the box cannot do it without a restart of the process. `restarts`, `stops`, `starts`: what is named does;
 * sessions stay. `changes`: it goes on otherwise. `waits`: both boxes must have it before the standby is hot again.
 */
export type Effect = "refused" | "restarts" | "stops" | "starts" | "changes" | "waits";

export interface Change {
  readonly effect: Effect;
  /** One line. */
  readonly text: string;
}

/** What was given to the process when it started. */
export interface Process {
  /** Full names of the interfaces that have a device; subinterfaces are carried by theirs. */
  readonly attached: ReadonlySet<string>;
  /** Entries of access lists that fit. */
  readonly rulesMax: number;
}

/** Nothing of a configuration that is refused is put in force. Without `process`, nothing is. */
export function planChange(before: Config, after: Config, process?: Process): Change[] {
  return [
    ...(process === undefined ? [] : refusals(after, process)),
    ...groupChanges(before, after),
    ...pairChanges(before, after),
    ...associationChanges(before, after),
    ...comparedChanges(before, after),
  ];
}

function refusals(after: Config, { attached, rulesMax }: Process): Change[] {
  const refused = (text: string): Change => ({ effect: "refused", text: `${text}: it takes a restart` });
  const bare = [...after.interfaces.values()].filter(
    (each) => hasAddress(each) && isUp(each) && !attached.has(portOf(each.name)),
  );
  const gone = [...attached].filter((name) => !after.interfaces.has(name));
  const rules = rulesInUse(after);
  return [
    ...bare.map(({ name }) => refused(`${name} has an address but no device`)),
    ...gone.map((name) => refused(`${name} has a device, and cannot be taken away`)),
    ...(rules > rulesMax ? [refused(`${rules} entries of access lists, room for ${rulesMax}`)] : []),
  ];
}

function rulesInUse({ interfaces, accessLists, accessLists6 }: Config): number {
  const bound = [...interfaces.values()].flatMap(({ accessGroups }) => accessGroups);
  const lists = new Set(
    bound.map(({ family, list }) => (family === 4 ? accessLists : accessLists6).get(list)),
  );
  const entries = [...lists].flatMap((list) => list?.entries ?? []);
  return entries.filter(({ kind }) => kind === "ace").length;
}

/** MAC addresses are not the configuration's: they change nothing here. */
const ANY_MAC = "0000.0000.0001";

function groupChanges(before: Config, after: Config): Change[] {
  const options = (config: Config) =>
    optionsOf(config, {
      macs: new Map([...config.interfaces.keys()].map((name) => [name, ANY_MAC])),
      random: () => 0,
    });
  return planGroups(options(before), options(after)).flatMap((change) => groupChange(change, after));
}

function groupChange({ kind, before, after, settings }: GroupChange, config: Config): Change[] {
  const { on, options } = (after ?? before)!;
  const family = options.family === 6 ? " (IPv6)" : "";
  const group = `HSRP group ${options.group}${family} on ${on.name}`;
  switch (kind) {
    case "starts":
      return [{ effect: "starts", text: `${group} starts in ${on.delayMinimumMs / 1000} s` }];
    case "stops":
      return [{ effect: "stops", text: `${group} resigns and stops${problemText(after)}` }];
    case "restarts": {
      const what = before!.on.version === on.version ? "another address of the interface" : "another version";
      return [{ effect: "restarts", text: `${group} resigns and restarts: ${what}` }];
    }
    case "goesOn": {
      if (settings.length === 0) return [];
      const isSeparating = settings.some((each) => SEPARATING.has(each));
      const { holdMs } = options.timers ?? groupTimersOf(config);
      const warning = isSeparating
        ? `; the other box must have it within ${holdMs / 1000} s, or both become active`
        : "";
      return [{ effect: "changes", text: `${group} changes in place: ${settings.join(", ")}${warning}` }];
    }
    case "rests":
      return [];
  }
}

/** Who has these otherwise does not believe the hellos of the other. */
const SEPARATING: ReadonlySet<GroupChange["settings"][number]> = new Set([
  "virtual address",
  "authentication",
]);

const problemText = (spec: GroupSpec | undefined): string =>
  spec?.problem === undefined ? "" : `: ${spec.problem}`;

function pairChanges(before: Config, after: Config): Change[] {
  const [old, now] = [before.redundancy?.scheme?.name, after.redundancy?.scheme?.name];
  if (old === now) return [];
  if (old === undefined)
    return [{ effect: "starts", text: `failover starts: the box forwards when group ${now} is Active here` }];
  if (now === undefined)
    return [{ effect: "stops", text: "failover stops: the box forwards whatever the other one does" }];
  const text = `failover follows group ${now} in place of ${old}; no reload, but both boxes must have it`;
  return [{ effect: "waits", text }];
}

function associationChanges(before: Config, after: Config): Change[] {
  const [old, now] = [endsOf(before), endsOf(after)];
  const association = `association ${(usedAssociation(after) ?? usedAssociation(before))?.id}`;
  const keyOf = (config: Config) => usedAssociation(config)?.keyString?.value;
  if (old === undefined && now === undefined) return [];
  if (old === undefined) return [{ effect: "starts", text: `${association} starts` }];
  if (now === undefined) return [{ effect: "stops", text: `${association} stops: no sessions are copied` }];
  const isSame = JSON.stringify(old) === JSON.stringify(now) && keyOf(before) === keyOf(after);
  const text = `${association} restarts: the sessions are copied anew when both boxes have the same`;
  return isSame ? [] : [{ effect: "restarts", text }];
}

/** Sections that the boxes compare, where failover is configured. */
function comparedChanges(before: Config, after: Config): Change[] {
  if (after.redundancy?.scheme === undefined) return [];
  const remote = (config: Config) => usedAssociation(config)?.remoteIps.map(({ address }) => address) ?? [];
  const [old, now] = [hashSections(before, remote(before)), hashSections(after, remote(after))];
  const sections = (Object.keys(SECTIONS) as Section[]).filter(
    (section) =>
      SECTIONS[section].consequence === "refused" && old[section].hash.join() !== now[section].hash.join(),
  );
  const compared = sections.map((section): Change => {
    const text = `${SECTIONS[section].title} change: the standby is not hot until both boxes have the same`;
    return { effect: "waits", text };
  });
  const [was, is] = [updateMsOf(before), updateMsOf(after)];
  const interval: Change = {
    effect: "changes",
    text: `counters are told every ${is} ms in place of ${was} ms`,
  };
  return was === is ? compared : [...compared, interval];
}
