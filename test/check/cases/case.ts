/**
 * What a case is: a change to a sound configuration, and what one rule says then. And the changes that many share.
 */
import type { Severity } from "../../../src/check/index.js";
import type { Config, IpcAssociation } from "../../../src/config/model.js";
import type { Edit } from "../configurations.js";

export interface Case {
  rule: string;
  name: string;
  edits?: Edit[];
  /** For what the parser refuses: the change is made in the model. */
  change?: (config: Config) => void;
  /** The configuration that is changed; the first box of the sound pair when left out. */
  base?: string;
  /** The other box, when the rule may look at it. */
  peer?: string;
  severity?: Severity;
  /** What the finding says. Undefined: the rule must stay silent. */
  message?: RegExp;
  /** What the line of the finding contains. */
  at?: string;
  /** Sessions that the table holds. */
  capacity?: number;
}

export function casesOf(rule: string, cases: Omit<Case, "rule">[]): Case[] {
  return cases.map((each) => ({ rule, ...each }));
}

export const INSIDE = "interface GigabitEthernet0/0\n";
export const OUTSIDE = "interface GigabitEthernet0/1\n";
export const SYNC = "interface GigabitEthernet0/2\n";

/** Lines before `end`. */
export function atEnd(lines: string): Edit {
  return ["end\n", `${lines}end\n`];
}

/** Entries before the last one of the outside list. */
export function inList(entries: string): Edit {
  return [" deny ip any any log\n", ` ${entries}\n deny ip any any log\n`];
}

/** Entries in the place of the one that lets hellos in; none when empty. */
export function hello(entries: string): Edit {
  return [" permit udp host 198.51.100.3 host 224.0.0.2 eq 1985\n", entries === "" ? "" : ` ${entries}\n`];
}

/** An IPv6 group on the outside interface, behind the list SIX. */
export const IPV6_OUTSIDE: Edit = [
  OUTSIDE,
  `${OUTSIDE} standby version 2
 standby 6 ipv6 autoconfig
 standby 6 preempt
 standby 6 timers 1 5
 standby 6 track GigabitEthernet0/0
 standby 6 authentication md5 key-string six
 ipv6 traffic-filter SIX in
`,
];
export const VERSION_2_INSIDE: Edit = [INSIDE, `${INSIDE} standby version 2\n`];

export function association(config: Config): IpcAssociation {
  return config.ipc!.associations.get(1)!;
}
