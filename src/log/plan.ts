/** Which lines go where: the `logging` lines of a configuration, and what the command line adds. */
import type { Config, Interface, LogTransport } from "../config/model.js";
import { LOG_FACILITIES } from "../config/names.js";
import { type Address, formatAddress } from "../ip.js";
import type { LogFormat } from "./format.js";
import { LOG_RATE_DEFAULT } from "./rate-limit.js";

/** The command line's share. */
export interface LogSettings {
  /** `--log-file`. */
  readonly file?: { readonly path: string; readonly format: LogFormat };
  /** Format of the terminal. */
  readonly consoleFormat: LogFormat;
}

export interface LogHost {
  readonly address: string;
  readonly port: number;
  readonly transport: LogTransport;
}

/** Everything about the destinations. A level is the severity up to which one takes lines; -1: none. */
export interface LogPlan {
  readonly console: { readonly level: number; readonly format: LogFormat };
  readonly monitor: { readonly level: number };
  readonly buffered: { readonly level: number; readonly bytes: number };
  readonly file: { readonly path: string; readonly format: LogFormat } | undefined;
  readonly hosts: { readonly level: number; readonly list: readonly LogHost[] };
  readonly ratePerSecond: number;
  /** Of a syslog message. */
  readonly facility: number;
  readonly hostname: string;
  readonly address: string | undefined;
}

/** RFC 5426 section 3.3; the port of syslog over TCP on IOS; RFC 5425 section 4.1. */
export const LOG_PORTS: Readonly<Record<LogTransport, number>> = { udp: 514, tcp: 601, tls: 6514 };

/** Levels of destinations that the configuration does not name (IOS 12.4), and nothing. */
const DEBUGGING = 7;
const INFORMATIONAL = 6;
const NONE = -1;
/** Of IOS. */
const FACILITY_DEFAULT = 23;
const HOSTNAME_DEFAULT = "twinwall";
/** IOS has 4096, of the days when memory was dear. */
export const LOG_BUFFER_BYTES_DEFAULT = 256 * 1024;
/** Whatever the configuration says: nothing that only shows things takes more. */
export const LOG_BUFFER_BYTES_MAX = 64 * 1024 * 1024;

export function logPlan(config: Config, settings: LogSettings): LogPlan {
  const { logging } = config;
  const isOn = logging.on !== false;
  const level = (name: "console" | "monitor" | "buffered" | "trap", unsaid: number): number => {
    const said = logging.levels.get(name);
    return said === "off" ? NONE : (said ?? unsaid);
  };
  // `no logging on` leaves the console.
  const unlessOff = (value: number): number => (isOn ? value : NONE);
  return {
    console: { level: level("console", DEBUGGING), format: settings.consoleFormat },
    monitor: { level: unlessOff(level("monitor", DEBUGGING)) },
    buffered: {
      level: unlessOff(level("buffered", DEBUGGING)),
      bytes: Math.min(logging.bufferedBytes ?? LOG_BUFFER_BYTES_DEFAULT, LOG_BUFFER_BYTES_MAX),
    },
    file: isOn ? settings.file : undefined,
    hosts: {
      level: unlessOff(level("trap", INFORMATIONAL)),
      list: logging.hosts.map(({ address, transport, port }) => ({
        address: formatAddress(address),
        port: port ?? LOG_PORTS[transport],
        transport,
      })),
    },
    ratePerSecond: logging.rateLimit ?? LOG_RATE_DEFAULT,
    facility:
      (logging.facility === undefined ? undefined : LOG_FACILITIES.value(logging.facility)) ??
      FACILITY_DEFAULT,
    hostname: hostnameOf(config),
    address:
      logging.sourceInterface === undefined
        ? undefined
        : (addressOf(config, ipv4Of) ?? addressOf(config, ipv6Of)),
  };
}

/** What the lines to a host call the firewall. */
function hostnameOf(config: Config): string {
  const { originId } = config.logging;
  const name = config.hostname ?? HOSTNAME_DEFAULT;
  switch (originId) {
    case undefined:
    case "hostname":
      return name;
    case "ip":
      return addressOf(config, ipv4Of) ?? name;
    case "ipv6":
      return addressOf(config, ipv6Of) ?? name;
    default:
      return originId.slice(ORIGIN_STRING.length);
  }
}

const ORIGIN_STRING = "string ";

const ipv4Of = (on: Interface): Address | undefined =>
  on.addresses.find(({ secondary }) => !secondary)?.address;
const ipv6Of = (on: Interface): Address | undefined =>
  on.addresses6.find(({ linkLocal, eui64 }) => !linkLocal && !eui64)?.address;

/** Of the interface that `logging source-interface` names; without it, of the first that has one. */
function addressOf(config: Config, read: (on: Interface) => Address | undefined): string | undefined {
  const { sourceInterface } = config.logging;
  const candidates = [...config.interfaces.values()].filter(
    ({ name }) => sourceInterface === undefined || name === sourceInterface,
  );
  const found = candidates.map(read).find((address) => address !== undefined);
  return found === undefined ? undefined : formatAddress(found);
}
