/** `show ip inspect ...` and its `clear`. */
import { haSessionsText, type ListedSession, sessionsText } from "../show/sessions.js";
import {
  haStatisticsText,
  inspectConfigText,
  inspectInterfaces,
  inspectInterfacesText,
  ruleLines,
  rulesOf,
  statisticsText,
  statisticsView,
} from "../show/inspect.js";
import { plural, text } from "../show/layout.js";
import { type ConsoleBackend, PHASES, type SessionQuery } from "../backend.js";
import { act, type ExecRow, show } from "../command.js";

/** All sessions, group by group, in pages of the box's own size. */
async function* listed(backend: ConsoleBackend): AsyncGenerator<ListedSession, void> {
  for (const phase of PHASES) {
    let query: SessionQuery | undefined = { phase };
    while (query !== undefined) {
      const { sessions, cursor, nowMs } = await backend.sessions(query);
      for (const session of sessions) yield { ...session, phase, nowMs };
      query = cursor === undefined ? undefined : { phase, cursor };
    }
  }
}

export const INSPECT: readonly ExecRow[] = [
  show({
    syntax: "show ip inspect sessions [<detail>]",
    help: "sessions that inspection created",
    example: "show ip inspect sessions detail",
    isForAll: true,
    view: async ({ detail }, { backend }) => ({
      sessions: listed(backend),
      rules: detail ? await backend.rules() : undefined,
    }),
    text: ({ sessions, rules }) => sessionsText(sessions, rules),
    data: ({ sessions }) => sessions,
  }),
  show({
    syntax: "show ip inspect statistics",
    help: "packets, sessions and reasons, counted",
    example: "show ip inspect statistics",
    isForAll: true,
    view: (_, { backend }) => statisticsView(backend),
    text: statisticsText,
  }),
  show({
    syntax: "show ip inspect config",
    help: "thresholds, timeouts and inspection rules",
    example: "show ip inspect config",
    isForAll: true,
    view: async (_, { backend }) => backend.config(),
    text: inspectConfigText,
    data: ({ inspect, inspectRules, inspectRules6 }) => ({ inspect, inspectRules, inspectRules6 }),
  }),
  show({
    syntax: "show ip inspect interfaces",
    help: "rules and lists of each interface",
    example: "show ip inspect interfaces",
    isForAll: true,
    view: async (_, { backend }) => inspectInterfaces(await backend.config()),
    text: inspectInterfacesText,
  }),
  show({
    syntax: "show ip inspect name <rule:word>",
    help: "one inspection rule",
    example: "show ip inspect name FW",
    isForAll: true,
    view: async ({ rule: wanted }, { backend }) => {
      const config = await backend.config();
      const rules = rulesOf(config).filter(({ name }) => name === wanted);
      return rules.length === 0 ? { problem: `no inspection rule ${wanted}` } : { rules, config };
    },
    text: ({ rules, config }) => text(rules.flatMap((rule) => ruleLines(rule, config))),
    data: ({ rules }) => rules,
  }),
  show({
    syntax: "show ip inspect all",
    help: "configuration, interfaces and sessions",
    example: "show ip inspect all",
    isForAll: true,
    view: async (_, { backend }) => ({ config: await backend.config(), sessions: listed(backend) }),
    text: async function* ({ config, sessions }) {
      yield inspectConfigText(config);
      yield inspectInterfacesText(inspectInterfaces(config));
      yield* sessionsText(sessions, undefined);
    },
    data: ({ config: { inspect, inspectRules, inspectRules6 } }) => ({
      inspect,
      inspectRules,
      inspectRules6,
    }),
  }),
  show({
    syntax: "show ip inspect ha sessions [<detail>]",
    help: "sessions with the state of their copy",
    example: "show ip inspect ha sessions",
    isForAll: true,
    view: async ({ detail }, { backend }) => ({
      sessions: listed(backend),
      redundancy: await backend.redundancy(),
      rules: detail ? await backend.rules() : undefined,
    }),
    text: ({ sessions, redundancy, rules }) => haSessionsText(sessions, redundancy, rules),
    data: ({ sessions }) => sessions,
  }),
  show({
    syntax: "show ip inspect ha statistics",
    help: "session records to and from the peer, and the lag",
    example: "show ip inspect ha statistics",
    isForAll: true,
    view: async (_, { backend }) => ({ sync: await backend.sync(), redundancy: await backend.redundancy() }),
    text: ({ sync, redundancy }) => haStatisticsText(sync, redundancy),
    data: ({ sync, redundancy }) => ({ ...sync, outOfSyncReason: redundancy.outOfSyncReason ?? null }),
  }),
  act({
    syntax: "clear ip inspect (session | sessions) (<all=*> | <id:session-id>)",
    help: "end sessions: all, or the one with this id",
    example: "clear ip inspect session *",
    run: async ({ id }, { backend }) => {
      const cleared = await backend.clearSessions(id ?? "all");
      if (id !== undefined && cleared === 0) return { problem: `no session ${id}` };
      return { text: `${plural(cleared, "session")} cleared\n`, data: { cleared } };
    },
  }),
  act({
    syntax: "clear ip inspect statistics",
    help: "set the counters of packets and sessions to zero",
    example: "clear ip inspect statistics",
    run: (_, { backend }) => backend.clear("inspect-statistics"),
  }),
  act({
    syntax: "clear ip inspect ha statistics",
    help: "set the counters of the session sync to zero",
    example: "clear ip inspect ha statistics",
    run: (_, { backend }) => backend.clear("inspect-ha-statistics"),
  }),
];
