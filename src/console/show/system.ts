/** `show version | clock | logging | history | debugging | monitor capture`. */
import { formatAddressMatch, formatNumberMatch, portNames } from "../../config/ace.js";
import type { TimestampFormat } from "../../config/model.js";
import { DAYS, LOG_LEVELS, MONTHS, PROTOCOLS, PROTOCOLS6 } from "../../config/names.js";
import { formatAddress } from "../../ip.js";
import { datetime } from "../../log/timestamps.js";
import { uptime } from "../../log/timestamps.js";
import { DEBUG_TOPICS, type DebugCondition } from "../../debug/topics.js";
import type {
  BoxFacts,
  CaptureMatch,
  CaptureView,
  Clock,
  DebugStatus,
  LogLine,
  LogView,
} from "../backend.js";
import { ago, plural, text } from "./layout.js";

export function versionText(facts: BoxFacts, hostname: string, { uptimeMs }: Clock): string {
  return text([
    `twinwall ${facts.version}, stateful firewall pair`,
    `${hostname} uptime is ${ago(uptimeMs)}`,
    `Running on ${facts.platform}, process ${facts.pid}`,
    `Packet I/O: ${facts.packetIo}`,
    `${facts.sessionsMax} sessions of table space`,
  ]);
}

const two = (value: number): string => String(value).padStart(2, "0");
const DAY_NAMES = Object.keys(DAYS);

/** `08:16:01.123 UTC Tue Nov 22 2005` */
export function clockText({ dateMs }: Clock): string {
  const date = new Date(dateMs);
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  const day = DAY_NAMES[(date.getUTCDay() + 6) % 7]!.slice(0, 3);
  const month = MONTHS[date.getUTCMonth()]!.slice(0, 3);
  const ms = String(date.getUTCMilliseconds()).padStart(3, "0");
  const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1);
  return text([
    `${time}.${ms} UTC ${capital(day)} ${capital(month)} ${date.getUTCDate()} ${date.getUTCFullYear()}`,
  ]);
}

const TIMESTAMP_DEFAULT: TimestampFormat = { kind: "datetime", msec: true, localtime: false, year: false };

/** A log line as a terminal shows it. */
export function logLineText(line: LogLine, format: TimestampFormat | undefined, clock: Clock): string {
  const { kind } = format ?? TIMESTAMP_DEFAULT;
  const time =
    kind === "uptime"
      ? uptime(Math.max(0, clock.uptimeMs - (clock.dateMs - line.dateMs)))
      : datetime(new Date(line.dateMs), format ?? TIMESTAMP_DEFAULT);
  return text([`${kind === "uptime" ? "" : "*"}${time}: ${line.text}`]);
}

export function loggingText(view: LogView, format: TimestampFormat | undefined, clock: Clock): string {
  const { lines, forgotten, suppressed, destinations } = view;
  const head = [
    `Syslog logging: ${plural(suppressed, "message")} rate-limited`,
    ...destinations.map((line) => `    ${line}`),
    `    Buffer logging: ${plural(lines.length, "message")} kept, ${forgotten} fallen out`,
    "",
    "Log Buffer:",
    "",
  ];
  return text(head) + lines.map((line) => logLineText(line, format, clock)).join("");
}

export const levelName = (severity: number): string => LOG_LEVELS.name(severity) ?? String(severity);

const conditionText = (condition: DebugCondition): string =>
  condition.kind === "interface"
    ? `interface ${condition.interface}`
    : `ip ${formatAddress(condition.address)}`;

export function debuggingText({ topics, conditions, dropped }: DebugStatus): string {
  return text([
    ...topics.map((topic) => `debug ${topic} is on (${DEBUG_TOPICS[topic]})`),
    ...conditions.map((condition, i) => `Condition ${i + 1}: ${conditionText(condition)}`),
    ...(dropped === 0 ? [] : [`${plural(dropped, "line")} dropped: there were too many`]),
  ]);
}

export function matchText(match: CaptureMatch): string {
  if (match.kind === "any") return "any";
  if (match.kind === "list") return `access-list ${match.list}`;
  const { family, protocol, source, destination, sourcePort, destinationPort } = match;
  const names = portNames(protocol);
  const name =
    protocol === undefined
      ? "any protocol"
      : ((family === 4 ? PROTOCOLS : PROTOCOLS6).name(protocol) ?? `protocol ${protocol}`);
  return [
    `ipv${family}`,
    name,
    formatAddressMatch(source),
    ...(sourcePort === undefined ? [] : [formatNumberMatch(sourcePort, names)]),
    formatAddressMatch(destination),
    ...(destinationPort === undefined ? [] : [formatNumberMatch(destinationPort, names)]),
  ].join(" ");
}

export function capturesText(views: readonly CaptureView[]): string {
  return text(
    views.flatMap((view) => [
      `Status Information for Capture ${view.name}`,
      `  Status : ${view.isRunning ? "Active" : "Inactive"}`,
      ...view.interfaces.map((each) => `  Interface: ${each.interface}, Direction: ${each.direction}`),
      `  Match: ${matchText(view.match)}`,
      `  Verdict: ${view.verdict}`,
      `  Buffer: ${view.bufferBytes} bytes${view.isCircular ? ", circular" : ""}, ${view.packetBytes} bytes of each packet`,
      ...(view.packets === undefined ? [] : [`  Limit: ${plural(view.packets, "packet")}`]),
      `  Held: ${plural(view.packetsHeld, "packet")}, ${plural(view.bytesHeld, "byte")}; lost ${view.packetsLost}`,
    ]),
  );
}
