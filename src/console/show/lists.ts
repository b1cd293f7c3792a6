/** `show access-lists`: entries as the running configuration has them, with how often each decided. */
import { formatEntry } from "../../config/ace.js";
import type { AccessList, Config, Family } from "../../config/model.js";
import type { RuleInfo } from "../../dataplane.js";
import { matches, text } from "./layout.js";

export interface ListView {
  readonly name: string;
  readonly family: Family;
  readonly kind: AccessList["kind"];
  readonly entries: readonly {
    readonly sequence: number;
    readonly text: string;
    /** Undefined: the list is not in use, so nothing is counted. */
    readonly hits?: number;
  }[];
}

export interface ListsWanted {
  readonly families: readonly Family[];
  readonly name?: string;
}

const keyOf = (family: Family, list: string, sequence: number): string => `${family} ${sequence} ${list}`;

export function listViews(config: Config, rules: readonly RuleInfo[], wanted: ListsWanted): ListView[] {
  const hits = new Map(rules.map((rule) => [keyOf(rule.family, rule.list, rule.sequence), rule.hits]));
  const lists = [...config.accessLists.values(), ...config.accessLists6.values()];
  return lists
    .filter(({ family, name }) => wanted.families.includes(family) && (wanted.name ?? name) === name)
    .map((list) => ({
      name: list.name,
      family: list.family,
      kind: list.kind,
      // Remarks are not shown, as on IOS.
      entries: list.entries.flatMap((entry) => {
        if (entry.kind === "remark") return [];
        const count = hits.get(keyOf(list.family, list.name, entry.sequence));
        const { sequence } = entry;
        return [{ sequence, text: formatEntry(entry, list), ...(count !== undefined && { hits: count }) }];
      }),
    }));
}

export function listsText(views: readonly ListView[]): string {
  return text(views.flatMap(listLines));
}

function listLines({ name, family, kind, entries }: ListView): string[] {
  const heading =
    family === 6
      ? `IPv6 access list ${name}`
      : `${kind === "standard" ? "Standard" : "Extended"} IP access list ${name}`;
  return [
    heading,
    ...entries.map(({ sequence, text: entry, hits }) => {
      const counted = hits ? ` ${matches(hits)}` : "";
      const aligned = entry.replace(/^deny (?= *)/, family === 4 ? "deny   " : "deny ");
      return family === 6
        ? `    ${aligned}${counted} sequence ${sequence}`
        : `    ${sequence} ${aligned}${counted}`;
    }),
  ];
}
