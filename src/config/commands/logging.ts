/** `logging ...`: where log lines go, and which. After Cisco's "Cisco IOS Configuration Fundamentals", logging. */
import { formatAddress } from "../../ip.js";
import { command, fail, type Row } from "../command.js";
import { put } from "../lists.js";
import type { Config, Logging } from "../model.js";
import { LOG_LEVELS } from "../names.js";

type Destination = "console" | "monitor" | "buffered" | "trap";

/** What `logging DESTINATION` without a level means (IOS 12.4). */
const DEFAULT_LEVELS: Readonly<Record<Destination, number>> = {
  console: 7,
  monitor: 7,
  buffered: 7,
  trap: 6,
};

/** The transport of `logging host` when none is said, and its port (RFC 5426 section 3.3). */
const SYSLOG_TRANSPORT = "udp";

function showLevel(logging: Logging, destination: Destination, more: string[] = []): string[] {
  const level = logging.levels.get(destination);
  if (level === undefined) return more.length > 0 ? [`logging ${destination} ${more.join(" ")}`] : [];
  if (level === "off") return [`no logging ${destination}`];
  return [["logging", destination, ...more, LOG_LEVELS.name(level)!].join(" ")];
}

const levelRow = (destination: "console" | "monitor" | "trap"): Row =>
  command({
    mode: "global",
    syntax: `logging ${destination} [<level:log-level>]`,
    help: `severity of the lines that go to the ${destination}`,
    example: `logging ${destination} warnings`,
    set: (config: Config, a: { level?: number }) => {
      config.logging.levels.set(destination, a.level ?? DEFAULT_LEVELS[destination]);
    },
    unset: (config) => {
      config.logging.levels.set(destination, "off");
    },
    reset: (config) => {
      config.logging.levels.delete(destination);
    },
    show: (config) => showLevel(config.logging, destination),
  });

/** Most hosts that log lines are sent to. */
export const LOG_HOSTS_MAX = 16;

const hostKey = ({ address, transport }: Logging["hosts"][number]) =>
  `${formatAddress(address)} ${transport}`;

export const LOGGING: readonly Row[] = [
  command({
    mode: "global",
    syntax: "logging on",
    help: "logging to all destinations",
    example: "no logging on",
    set: (config) => {
      config.logging.on = true;
    },
    unset: (config) => {
      config.logging.on = false;
    },
    reset: (config) => {
      config.logging.on = undefined;
    },
    show: ({ logging }) => (logging.on === undefined ? [] : [logging.on ? "logging on" : "no logging on"]),
  }),
  command({
    mode: "global",
    syntax: "logging buffered { <bytes:4096-2147483647> | <level:log-level> }",
    help: "size of the log buffer, and severity of the lines in it",
    example: "logging buffered 51200 warnings",
    set: (config, a) => {
      const { logging } = config;
      logging.levels.set("buffered", a.level ?? DEFAULT_LEVELS.buffered);
      logging.bufferedBytes = a.bytes;
    },
    unset: (config) => {
      config.logging.levels.set("buffered", "off");
      config.logging.bufferedBytes = undefined;
    },
    reset: (config) => {
      config.logging.levels.delete("buffered");
      config.logging.bufferedBytes = undefined;
    },
    show: ({ logging }) =>
      showLevel(logging, "buffered", logging.bufferedBytes === undefined ? [] : [`${logging.bufferedBytes}`]),
  }),
  levelRow("console"),
  levelRow("monitor"),
  command({
    mode: "global",
    syntax: "logging rate-limit <perSecond:1-10000>",
    help: "most log lines in a second",
    example: "logging rate-limit 100",
    set: (config, a) => {
      config.logging.rateLimit = a.perSecond;
    },
    unset: (config) => {
      config.logging.rateLimit = undefined;
    },
    show: ({ logging }) =>
      logging.rateLimit === undefined ? [] : [`logging rate-limit ${logging.rateLimit}`],
  }),
  levelRow("trap"),
  command({
    mode: "global",
    syntax: "logging origin-id (<kind=hostname|ip|ipv6> | string <text:word>)",
    help: "name of this firewall in lines that go to a host",
    example: "logging origin-id hostname",
    set: (config, a) => {
      config.logging.originId = a.kind ?? `string ${a.text}`;
    },
    unset: (config) => {
      config.logging.originId = undefined;
    },
    show: ({ logging }) => (logging.originId === undefined ? [] : [`logging origin-id ${logging.originId}`]),
  }),
  command({
    mode: "global",
    syntax: "logging facility <facility:log-facility>",
    help: "syslog facility",
    example: "logging facility local4",
    set: (config, a) => {
      config.logging.facility = a.facility;
    },
    unset: (config) => {
      config.logging.facility = undefined;
    },
    show: ({ logging }) => (logging.facility === undefined ? [] : [`logging facility ${logging.facility}`]),
  }),
  command({
    mode: "global",
    syntax: "logging source-interface <interface:interface>",
    help: "interface whose address log lines come from",
    example: "logging source-interface Loopback0",
    set: (config, a) => {
      config.logging.sourceInterface = a.interface;
    },
    unset: (config) => {
      config.logging.sourceInterface = undefined;
    },
    show: ({ logging }) =>
      logging.sourceInterface === undefined ? [] : [`logging source-interface ${logging.sourceInterface}`],
  }),
  command({
    mode: "global",
    syntax: "logging [host] <address:address> [transport <transport=udp|tcp|tls> [port <port:1-65535>]]",
    help: "host that log lines are sent to",
    example: "logging host 10.0.0.50 transport tcp port 1514",
    set: (config, a, { at }) => {
      const { hosts } = config.logging;
      const host = {
        at,
        address: a.address,
        transport: a.transport ?? SYSLOG_TRANSPORT,
        ...(a.port !== undefined && { port: a.port }),
      } as const;
      if (hosts.length >= LOG_HOSTS_MAX && !hosts.some((other) => hostKey(other) === hostKey(host))) {
        return fail(`there are ${LOG_HOSTS_MAX} log hosts already`, "address");
      }
      return put(hosts, host, hostKey);
    },
    remove: (config, a) => {
      const { logging } = config;
      logging.hosts = logging.hosts.filter(
        ({ address, transport }) => address !== a.address || transport !== (a.transport ?? SYSLOG_TRANSPORT),
      );
    },
    show: ({ logging }) =>
      logging.hosts.map(({ address, transport, port }) => {
        const words = [`logging host ${formatAddress(address)}`];
        if (transport !== SYSLOG_TRANSPORT || port !== undefined) words.push(`transport ${transport}`);
        if (port !== undefined) words.push(`port ${port}`);
        return words.join(" ");
      }),
  }),
];
