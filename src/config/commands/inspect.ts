/** `ip inspect ...` and `ipv6 inspect name`. Ranges after Cisco's "Classic Firewall" reference. */
import { command, commandWith, refused, type Row } from "../command.js";
import { put, remove } from "../lists.js";
import type { Config, Family, InspectGlobals, InspectProtocol, InspectRule, Placed } from "../model.js";

type KeyOf<V> = {
  [K in keyof InspectGlobals]-?: V extends InspectGlobals[K] ? K : never;
}[keyof InspectGlobals];
type NumberKey = Exclude<KeyOf<number>, KeyOf<boolean>>;
type PlacedKey = KeyOf<Placed & { value: number }>;
type FlagKey = Exclude<KeyOf<boolean>, KeyOf<number>>;

/** Highest number of the thresholds, and longest time in seconds. */
const COUNT = "1-4294967295";
const SECONDS = "1-2147483";

const numberRow = (key: NumberKey, head: string, range: string, example: string, help: string): Row =>
  commandWith<{ value: number }>()({
    mode: "global",
    syntax: `${head} <value:${range}>`,
    help,
    example,
    set: ({ inspect }, a) => {
      inspect[key] = a.value;
    },
    unset: ({ inspect }) => {
      inspect[key] = undefined;
    },
    show: ({ inspect }) => (inspect[key] === undefined ? [] : [`${head} ${inspect[key]}`]),
  });

const thresholdRow = (key: PlacedKey, head: string, range: string, example: string, help: string): Row =>
  commandWith<{ value: number }>()({
    mode: "global",
    syntax: `${head} <value:${range}>`,
    help,
    example,
    set: ({ inspect }, a, { at }) => {
      inspect[key] = { at, value: a.value };
    },
    unset: ({ inspect }) => {
      inspect[key] = undefined;
    },
    show: ({ inspect }) => (inspect[key] === undefined ? [] : [`${head} ${inspect[key].value}`]),
  });

const flagRow = (key: FlagKey, syntax: string, help: string): Row =>
  commandWith<unknown>()({
    mode: "global",
    syntax,
    help,
    example: syntax,
    set: ({ inspect }) => {
      inspect[key] = true;
    },
    unset: ({ inspect }) => {
      inspect[key] = undefined;
    },
    show: ({ inspect }) => (inspect[key] ? [syntax] : []),
  });

/** Sizes that the session hash table may have. */
const HASH_SIZES = "<size=1024|2048|4096|8192>";

const hashtableRow = (syntax: `${string} ${typeof HASH_SIZES}`): Row =>
  commandWith<{ size: "1024" | "2048" | "4096" | "8192" }>()({
    mode: "global",
    syntax,
    help: "size of the session table",
    example: syntax.replace(HASH_SIZES, "2048"),
    shown: "ip inspect hashtable-size 2048",
    set: ({ inspect }, a) => {
      inspect.hashtableSize = Number(a.size);
    },
    unset: ({ inspect }) => {
      inspect.hashtableSize = undefined;
    },
    ...(syntax.includes("hashtable-size") && {
      show: ({ inspect }: Config) =>
        inspect.hashtableSize === undefined ? [] : [`ip inspect hashtable-size ${inspect.hashtableSize}`],
    }),
  });

const GLOBALS: readonly Row[] = [
  flagRow("logDropPackets", "ip inspect log drop-pkt", "log each packet that inspection drops"),
  flagRow("auditTrail", "ip inspect audit-trail", "log each session"),
  flagRow("alertOff", "ip inspect alert-off", "no alerts"),
  thresholdRow(
    "maxIncompleteHigh",
    "ip inspect max-incomplete high",
    COUNT,
    "ip inspect max-incomplete high 20000000",
    "half-open sessions above which old ones are deleted",
  ),
  thresholdRow(
    "maxIncompleteLow",
    "ip inspect max-incomplete low",
    COUNT,
    "ip inspect max-incomplete low 20000000",
    "half-open sessions below which that ends",
  ),
  thresholdRow(
    "oneMinuteHigh",
    "ip inspect one-minute high",
    COUNT,
    "ip inspect one-minute high 20000000",
    "new sessions in a minute above which half-open ones are deleted",
  ),
  thresholdRow(
    "oneMinuteLow",
    "ip inspect one-minute low",
    COUNT,
    "ip inspect one-minute low 20000000",
    "new sessions in a minute below which that ends",
  ),
  hashtableRow(`ip inspect hashtable-size ${HASH_SIZES}`),
  hashtableRow(`ip inspect hashtable ${HASH_SIZES}`),
  numberRow(
    "udpIdleSeconds",
    "ip inspect udp idle-time",
    SECONDS,
    "ip inspect udp idle-time 60",
    "seconds after which an idle UDP session ends",
  ),
  numberRow(
    "dnsSeconds",
    "ip inspect dns-timeout",
    SECONDS,
    "ip inspect dns-timeout 7",
    "seconds after which a DNS query is given up",
  ),
  numberRow(
    "tcpIdleSeconds",
    "ip inspect tcp idle-time",
    SECONDS,
    "ip inspect tcp idle-time 36000",
    "seconds after which an idle TCP session ends",
  ),
  numberRow(
    "tcpFinwaitSeconds",
    "ip inspect tcp finwait-time",
    SECONDS,
    "ip inspect tcp finwait-time 10",
    "seconds that a closing TCP session stays",
  ),
  numberRow(
    "tcpSynwaitSeconds",
    "ip inspect tcp synwait-time",
    SECONDS,
    "ip inspect tcp synwait-time 20",
    "seconds that a TCP handshake may take",
  ),
  command({
    mode: "global",
    syntax: "ip inspect tcp max-incomplete host <sessions:1-4294967295> [block-time <minutes:0-35791>]",
    help: "half-open TCP sessions to one host, and for how long more are refused",
    example: "ip inspect tcp max-incomplete host 20000000 block-time 0",
    set: ({ inspect }, a, { at }) => {
      const blockMinutes = a.minutes === undefined ? {} : { blockMinutes: a.minutes };
      inspect.tcpMaxIncompleteHost = { at, value: a.sessions, ...blockMinutes };
    },
    unset: ({ inspect }) => {
      inspect.tcpMaxIncompleteHost = undefined;
    },
    show: ({ inspect: { tcpMaxIncompleteHost: host } }) => {
      if (!host) return [];
      const block = host.blockMinutes === undefined ? "" : ` block-time ${host.blockMinutes}`;
      return [`ip inspect tcp max-incomplete host ${host.value}${block}`];
    },
  }),
  numberRow(
    "reassemblyQueueLength",
    "ip inspect tcp reassembly queue length",
    "0-1024",
    "ip inspect tcp reassembly queue length 32",
    "segments that wait for a missing one",
  ),
  numberRow(
    "reassemblyTimeoutSeconds",
    "ip inspect tcp reassembly timeout",
    "1-3600",
    "ip inspect tcp reassembly timeout 10",
    "seconds that segments wait for a missing one",
  ),
  numberRow(
    "reassemblyMemoryKilobytes",
    "ip inspect tcp reassembly memory limit",
    COUNT,
    "ip inspect tcp reassembly memory limit 2048",
    "kilobytes for waiting segments",
  ),
  command({
    mode: "global",
    syntax: "ip inspect tcp reassembly alarm <alarm=on|off>",
    help: "log lines about waiting segments",
    example: "ip inspect tcp reassembly alarm off",
    set: ({ inspect }, a) => {
      inspect.reassemblyAlarm = a.alarm === "on";
    },
    remove: ({ inspect }) => {
      inspect.reassemblyAlarm = undefined;
    },
    show: ({ inspect: { reassemblyAlarm: alarm } }) =>
      alarm === undefined ? [] : [`ip inspect tcp reassembly alarm ${alarm ? "on" : "off"}`],
  }),
  flagRow(
    "windowScaleLoose",
    "ip inspect tcp window-scale-enforcement loose",
    "pass window scale options that do not fit",
  ),
  flagRow("blockNonSession", "ip inspect tcp block-non-session", "drop TCP segments of no session"),
];

/** State of sessions to the other box. */
const REDUNDANCY: readonly Row[] = [
  thresholdRow(
    "updateSeconds",
    "ip inspect redundancy update seconds",
    "10-60",
    "ip inspect redundancy update seconds 30",
    "seconds between updates of the standby box",
  ),
  thresholdRow(
    "updateMsec",
    "ip inspect redundancy update msec",
    "10-60000",
    "ip inspect redundancy update msec 500",
    "milliseconds between updates of the standby box",
  ),
  flagRow(
    "defer",
    "ip inspect redundancy defer",
    "hold a packet back until the standby box knows its session",
  ),
  flagRow(
    "resyncStrict",
    "ip inspect redundancy resync strict",
    "after a take-over, believe no TCP segment that is far from what was known",
  ),
];

interface RuleArguments {
  rule: string;
  protocol: string;
  alert?: "on" | "off";
  audit?: "on" | "off";
  timeout?: number;
  "router-traffic"?: true;
  javaList?: string;
  urlfilter?: true;
  program?: number;
  wait?: number;
  bytes?: number;
  reset?: true;
  "secure-login"?: true;
  maximum?: number;
  sessions?: number;
}

const COMMON = `alert <alert=on|off> | audit-trail <audit=on|off> | timeout <timeout:${SECONDS}>`;

/** What may follow `inspect name NAME`, with an example of each. */
const RULE_FORMS: readonly { syntax: string; example: string; help: string }[] = [
  {
    syntax: `<protocol=tcp|udp|icmp|ip> { <router-traffic> | ${COMMON} }`,
    example: "tcp alert on audit-trail off router-traffic timeout 36000",
    help: "sessions of a transport; `ip`: of every other protocol",
  },
  {
    syntax: "<protocol=fragment> [maximum <maximum:50-10000>] [timeout <timeout:1-1000>]",
    example: "fragment maximum 500 timeout 4",
    help: "datagrams in fragments",
  },
  {
    syntax: `<protocol=http> { java-list <javaList:word> | <urlfilter> | ${COMMON} }`,
    example: "http java-list 10 urlfilter timeout 120",
    help: "web traffic",
  },
  {
    syntax: `<protocol=rpc> program-number <program:0-4294967295> [wait-time <wait:0-35791>] { ${COMMON} }`,
    example: "rpc program-number 100003 wait-time 5 alert off",
    help: "Sun RPC programs",
  },
  {
    syntax: `<protocol=smtp|esmtp> [max-data <bytes:${COUNT}>] { ${COMMON} }`,
    example: "esmtp max-data 1000000 timeout 30",
    help: "mail transfer",
  },
  {
    syntax: `<protocol=imap|pop3> { <reset> | <secure-login> | ${COMMON} }`,
    example: "imap reset secure-login audit-trail on",
    help: "mail boxes",
  },
  {
    syntax: `<protocol=parameter> max-sessions <sessions:${COUNT}>`,
    example: "parameter max-sessions 1000",
    help: "bound of the rule's sessions",
  },
  {
    syntax: `<protocol:user-protocol> { ${COMMON} }`,
    example: "user-backup timeout 600",
    help: "a protocol of `ip port-map`",
  },
  {
    syntax: `<protocol:inspect-protocol> { ${COMMON} }`,
    example: "ftp alert on audit-trail on timeout 300",
    help: "an application",
  },
];

function protocolOf(a: RuleArguments, at: Placed["at"]): InspectProtocol {
  const options: string[] = [];
  if (a.program !== undefined) options.push(`program-number ${a.program}`);
  if (a.wait !== undefined) options.push(`wait-time ${a.wait}`);
  if (a.javaList !== undefined) options.push(`java-list ${a.javaList}`);
  if (a.urlfilter) options.push("urlfilter");
  if (a.bytes !== undefined) options.push(`max-data ${a.bytes}`);
  if (a.reset) options.push("reset");
  if (a["secure-login"]) options.push("secure-login");
  if (a.sessions !== undefined) options.push(`max-sessions ${a.sessions}`);
  return {
    at,
    protocol: a.protocol,
    ...(a.alert && { alert: a.alert === "on" }),
    ...(a.audit && { auditTrail: a.audit === "on" }),
    ...(a.timeout !== undefined && { timeoutSeconds: a.timeout }),
    ...(a["router-traffic"] && { routerTraffic: true }),
    ...(a.maximum !== undefined && { fragmentMaximum: a.maximum }),
    options,
  };
}

/** A rule has each protocol once, and each RPC program. */
const protocolKey = ({ protocol, options }: InspectProtocol): string =>
  protocol === "rpc" ? `rpc ${options[0]}` : protocol;

/** One line of a rule after its name, as the running configuration has it. */
export function formatInspectProtocol(p: InspectProtocol): string {
  const words = [p.protocol, ...p.options];
  if (p.fragmentMaximum !== undefined) words.push(`maximum ${p.fragmentMaximum}`);
  if (p.alert !== undefined) words.push(`alert ${p.alert ? "on" : "off"}`);
  if (p.auditTrail !== undefined) words.push(`audit-trail ${p.auditTrail ? "on" : "off"}`);
  if (p.routerTraffic) words.push("router-traffic");
  if (p.timeoutSeconds !== undefined) words.push(`timeout ${p.timeoutSeconds}`);
  return words.join(" ");
}

function ruleRows(family: Family): Row[] {
  const head = family === 4 ? "ip inspect name" : "ipv6 inspect name";
  const rulesOf = (config: Config) => (family === 4 ? config.inspectRules : config.inspectRules6);
  const rows = RULE_FORMS.map((form) =>
    commandWith<RuleArguments>()({
      mode: "global",
      syntax: `${head} <rule:word> ${form.syntax}`,
      help: form.help,
      example: `${head} FIREWALL ${form.example}`,
      set: (config, a, { at }) => {
        const rules = rulesOf(config);
        const rule: InspectRule = rules.get(a.rule) ?? { at, family, name: a.rule, protocols: [] };
        rules.set(a.rule, rule);
        return put(rule.protocols, protocolOf(a, at), protocolKey);
      },
      remove: (config, a, { at }) => {
        const rules = rulesOf(config);
        const rule = rules.get(a.rule);
        if (!rule) return;
        remove(rule.protocols, protocolKey(protocolOf(a, at)), protocolKey);
        if (rule.protocols.length === 0) rules.delete(a.rule);
      },
    }),
  );
  const whole = commandWith<{ rule: string }>()({
    mode: "global",
    syntax: `${head} <rule:word>`,
    help: "a rule as a whole",
    example: `no ${head} FIREWALL`,
    shown: null,
    remove: (config, a) => {
      rulesOf(config).delete(a.rule);
    },
    show: (config) =>
      [...rulesOf(config).values()].flatMap(({ name, protocols }) =>
        protocols.map((protocol) => `${head} ${name} ${formatInspectProtocol(protocol)}`),
      ),
  });
  return [...rows, whole];
}

const APPLICATION_FIREWALL: Row = refused({
  mode: "global",
  syntax: "ip inspect name <rule:word> appfw <policy:word>",
  help: "application firewall policy",
  example: "ip inspect name FIREWALL appfw POLICY",
  refuse: "application firewall policies are not applied here",
});

export const INSPECT: readonly Row[] = [...GLOBALS, ...ruleRows(4), APPLICATION_FIREWALL, ...REDUNDANCY];
export const INSPECT6: readonly Row[] = ruleRows(6);
