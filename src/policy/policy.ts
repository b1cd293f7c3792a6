/**
 * From a configuration to a policy: the image that the core evaluates, and what the host needs to say in words what
 * the core decided. Pure: the same configuration, options and numbering give the same policy.
 */
import * as L from "../../assembly/layout.js";
import { type CompiledLists, compileAccessLists, listKey, type RuleInfo } from "../acl/compile.js";
import { hasEntries } from "../acl/evaluate.js";
import { formatEntry } from "../config/ace.js";
import type { Config, Diagnostic, Direction, Family, TimeRange } from "../config/model.js";
import { compileFragmentLimits } from "./fragments.js";
import { type InspectionBindings, type ListBindings, writeImage } from "./image.js";
import { compileInspection, type InspectionRule, ruleKey } from "./inspection.js";
import { compileInterfaces, findInterface, type PolicyInterface, usesFamily } from "./interfaces.js";
import { Interner, NUMBERING_LIMITS, NUMBERING_START, type Numbering } from "./numbering.js";
import { NOWHERE, Problems } from "./problems.js";
import { compileRoutes, type Route } from "./routes.js";
import { type RuleNames, ruleNamesOf } from "./rules.js";
import { compileSides } from "./sides.js";
import { timeoutTable } from "./timers.js";

export interface PolicyOptions {
  /** Networks behind the inside interface; given, they replace the routes of the configuration. */
  readonly inside?: readonly string[];
  /** Names of two interfaces: what comes in by one goes out by the other, whatever the routes say. */
  readonly pair?: readonly [string, string];
  /** MAC addresses by interface name; frames for other stations are dropped there. */
  readonly macs?: ReadonlyMap<string, string>;
  /** Largest IP packet that an interface sends, by its name. */
  readonly mtus?: ReadonlyMap<string, number>;
  /** False: no checksum is verified. */
  readonly checksums?: boolean;
  /** What the instance has room for. */
  readonly room: {
    /** Access list entries. */
    readonly rules: number;
    /** Frames that may be held. */
    readonly fragments: number;
    /** Bytes of a policy bank. */
    readonly bankSize: number;
  };
  /** The numbering of the policy before this one. */
  readonly numbering?: Numbering;
}

/** An entry of a list as the core numbers it, with its text. */
export interface PolicyRule extends RuleInfo {
  /** As the running configuration has it, without its sequence number. */
  readonly text: string;
}

/** What an instance needs of a policy to enforce it and to name what it decided. It holds no text of an entry, which may be many. */
export interface EnforcedPolicy {
  /** As compiled, or a copy in memory that threads share. */
  readonly image: Uint8Array;
  /** The region `timeouts`. */
  readonly timeouts: Uint32Array;
  readonly numbering: Numbering;
  readonly interfaces: readonly PolicyInterface[];
  /** By their bit in S_TIME_RANGES; undefined: not defined, and never active. */
  readonly timeRanges: readonly (TimeRange | undefined)[];
  readonly ruleNames: RuleNames;
}

export interface Policy extends EnforcedPolicy {
  readonly config: Config;
  readonly routes: readonly Route[];
  readonly inspection: readonly (InspectionRule | undefined)[];
  /** Entries of the access lists, by rule number. */
  readonly rules: readonly PolicyRule[];
  /** `4:NAME` or `6:NAME` by list number; 0 none. */
  readonly lists: readonly string[];
}

/** The part of a policy that is handed to another thread. */
export function enforcedOf(policy: Policy): EnforcedPolicy {
  const { image, timeouts, numbering, interfaces, timeRanges, ruleNames } = policy;
  return { image, timeouts, numbering, interfaces, timeRanges, ruleNames };
}

/**
 * Compiles a configuration.
 * @returns the policy with warnings and notes, or problems of which at least one is an error.
 */
export function compilePolicy(
  config: Config,
  options: PolicyOptions,
): { policy: Policy | undefined; problems: Diagnostic[] } {
  const problems = new Problems(config);
  const before = options.numbering ?? NUMBERING_START;
  const numbers = {
    interfaces: new Interner(before.interfaces, NUMBERING_LIMITS.interfaces),
    rules: new Interner(before.inspectionRules, NUMBERING_LIMITS.inspectionRules),
    services: new Interner(before.services, NUMBERING_LIMITS.services),
    idleTimers: new Interner(before.idleTimers, NUMBERING_LIMITS.idleTimers),
  };
  const { macs = new Map(), mtus = new Map() } = options;
  const interfaces = compileInterfaces(config, numbers.interfaces, { macs, mtus }, problems);
  const sides = options.inside?.length ? compileSides(options.inside, interfaces, problems) : undefined;
  const routes = compileRoutes(config, interfaces, sides, problems);
  const pair = options.pair && compilePair(options.pair, numbers.interfaces.values, problems);
  const inspection = compileInspection(config, numbers, problems);
  const bindings = interfaces.map((each) => inspectionOf(each, numbers.rules, inspection, problems));
  const acls = compileBoundLists(config, interfaces, options.room.rules, problems);
  const fragments = compileFragmentLimits(config, options.room.fragments);
  if (acls === undefined || problems.failed) return { policy: undefined, problems: problems.list };

  const numbering: Numbering = {
    interfaces: numbers.interfaces.values,
    inspectionRules: numbers.rules.values,
    services: numbers.services.values,
    idleTimers: numbers.idleTimers.values,
  };
  const image = writeImage({
    flags: policyFlags(config, options.checksums ?? true),
    interfaces,
    bindings: interfaces.map((each, i) => ({ ...bindings[i]!, ...listsOf(each, acls.listNumbers) })),
    routes,
    inspection,
    fragments,
    acls: acls.section,
    pair,
    families: new Set(sides || pair ? FAMILIES.filter((family) => isUsed(interfaces, family)) : []),
  });
  if (image.length > options.room.bankSize) {
    const message =
      `the policy takes ${image.length} bytes, and capacity.rules (${options.room.rules}) gives it ` +
      `${options.room.bankSize}: raise capacity.rules`;
    problems.error(NOWHERE, message);
    return { policy: undefined, problems: problems.list };
  }
  const lists: string[] = [""];
  for (const [key, number] of acls.listNumbers) lists[number] = key;
  const policy: Policy = {
    config,
    image,
    timeouts: timeoutTable(config, numbering.idleTimers, fragments.timeoutMs),
    numbering,
    interfaces,
    routes,
    inspection,
    rules: withTexts(config, acls.rules),
    lists,
    ruleNames: ruleNamesOf(acls.rules),
    timeRanges: acls.timeRanges.map((name) => config.timeRanges.get(name)),
  };
  return { policy, problems: problems.list };
}

const FAMILIES: readonly Family[] = [4, 6];

/** Whether the configuration speaks of a version of IP on any interface that is up. */
function isUsed(interfaces: readonly PolicyInterface[], family: Family): boolean {
  return interfaces.some(({ up, config }) => up && usesFamily(config, family));
}

/** The numbers of two interfaces, or undefined with an error in `problems`. */
function compilePair(
  names: readonly [string, string],
  interfaces: readonly string[],
  problems: Problems,
): readonly [number, number] | undefined {
  const [a, b] = names.map((name) => findInterface(interfaces, name));
  if (a !== undefined && b !== undefined && a !== b) return [a, b];
  problems.error(NOWHERE, `${names.join(" and ")} are not two interfaces of the configuration`);
  return undefined;
}

function policyFlags({ sourceRoute, ipOptions, inspect }: Config, checksums: boolean): number {
  return (
    (sourceRoute ? L.PF_SOURCE_ROUTE : 0) |
    (ipOptions === "ignore" ? L.PF_OPTIONS_IGNORE : 0) |
    (inspect.blockNonSession ? L.PF_BLOCK_NON_SESSION : 0) |
    (inspect.logDropPackets ? L.PF_LOG_DROPS : 0) |
    (inspect.defer ? L.PF_DEFER : 0) |
    (inspect.resyncStrict ? L.PF_RESYNC_STRICT : 0) |
    (checksums ? 0 : L.PF_NO_CHECKSUMS)
  );
}

/** The lists that are bound to an interface, compiled; undefined, with errors, when that is not possible. */
function compileBoundLists(
  config: Config,
  interfaces: readonly PolicyInterface[],
  rulesMax: number,
  problems: Problems,
): CompiledLists | undefined {
  const groups = interfaces.flatMap((each) => each.config?.accessGroups ?? []);
  const compiled = compileAccessLists(
    config,
    groups.map(({ family, list }) => ({ family, name: list })),
  );
  if (!compiled.ok) {
    for (const { at, list, message } of compiled.problems) {
      problems.error(at, list === "" ? message : `access list ${list}: ${message}`);
    }
    return undefined;
  }
  const { lists } = compiled;
  if (lists.rules.length > rulesMax) {
    problems.error(
      NOWHERE,
      `the access lists in use have ${lists.rules.length} entries, capacity.rules is ${rulesMax}`,
    );
  }
  for (const { at, family, list } of groups) {
    const found = (family === 4 ? config.accessLists : config.accessLists6).get(list);
    if (found === undefined || !hasEntries(found)) {
      const state = found === undefined ? "is not defined" : "has no entries";
      problems.warning(at, `access list ${list} ${state}: everything is denied here`);
    }
  }
  return lists;
}

/** The text of each rule. Rules come in the order of the entries of their list. */
function withTexts(config: Config, rules: readonly RuleInfo[]): PolicyRule[] {
  const texts = new Map<string, string>();
  for (const list of [...config.accessLists.values(), ...config.accessLists6.values()]) {
    for (const entry of list.entries) {
      if (entry.kind !== "ace") continue;
      texts.set(`${listKey(list.family, list.name)} ${entry.sequence}`, formatEntry(entry, list));
    }
  }
  return rules.map((rule) => ({
    ...rule,
    text: texts.get(`${listKey(rule.family, rule.list)} ${rule.sequence}`)!,
  }));
}

/** The numbers of the lists that are bound to an interface; a bound list has one even if it is not defined. */
function listsOf({ config }: PolicyInterface, numbers: ReadonlyMap<string, number>): ListBindings {
  const list = (family: Family, direction: Direction): number => {
    const group = config?.accessGroups.find((each) => each.family === family && each.direction === direction);
    return group === undefined ? 0 : numbers.get(listKey(family, group.list))!;
  };
  return { aclIn4: list(4, "in"), aclOut4: list(4, "out"), aclIn6: list(6, "in"), aclOut6: list(6, "out") };
}

/** The numbers of the inspection rules that are bound to an interface. */
function inspectionOf(
  { config }: PolicyInterface,
  numbers: Interner<string>,
  inspection: readonly (InspectionRule | undefined)[],
  problems: Problems,
): InspectionBindings {
  const rule = (family: Family, direction: Direction): number => {
    const binding = config?.inspect.find((each) => each.family === family && each.direction === direction);
    if (binding === undefined) return 0;
    const number = numbers.numberOf(ruleKey(family, binding.rule));
    if (number !== undefined && inspection[number] !== undefined) return number;
    problems.error(binding.at, `inspection rule ${binding.rule} is not defined`);
    return 0;
  };
  return {
    inspectIn4: rule(4, "in"),
    inspectOut4: rule(4, "out"),
    inspectIn6: rule(6, "in"),
    inspectOut6: rule(6, "out"),
  };
}
