/**
 * Inspection rules as the core reads them: for each rule a run of entries, applications by their destination port
 * before the protocols as a whole.
 */
import * as L from "../../assembly/layout.js";
import type { Config, Family, InspectProtocol, InspectRule } from "../config/model.js";
import type { Interner } from "./numbering.js";
import type { Problems } from "./problems.js";
import { DNS, type PortRange, portsOf } from "./services.js";
import { idleTimeouts, idleTimer, timeoutMs } from "./timers.js";

export interface InspectionEntry {
  /** IP protocol number, or ENTRY_OTHER. */
  readonly protocol: number;
  /** Destination ports of the first packet; 0 to 65535 where the protocol has none. */
  readonly portLow: number;
  readonly portHigh: number;
  /** What the session is called: the keyword of the line. */
  readonly service: string;
  readonly serviceNumber: number;
  readonly idleMs: number;
  readonly timer: number;
  readonly audit: boolean;
}

export interface InspectionRule {
  /** Its place in the table of the core. */
  readonly number: number;
  readonly family: Family;
  readonly name: string;
  readonly entries: readonly InspectionEntry[];
}

const PROTOCOL = { tcp: 6, udp: 17, icmp: 1, icmp6: 58 } as const;
const PORT_MAX = 65535;
/** The lines that are a whole protocol, in the order in which they are tried: after all applications. */
const GENERIC = ["tcp", "udp", "icmp", "ip"] as const;
/** Lines that set limits and name no traffic. */
const LIMITS = new Set(["fragment", "parameter"]);

/** The key of a rule in the numbering. */
export function ruleKey(family: Family, name: string): string {
  return `${family}:${name}`;
}

/**
 * Compiles every inspection rule of a configuration; the result is indexed by number, with holes where an earlier
 * configuration had a rule.
 */
export function compileInspection(
  config: Config,
  numbers: { rules: Interner<string>; services: Interner<string>; idleTimers: Interner<number> },
  problems: Problems,
): (InspectionRule | undefined)[] {
  for (const mapping of config.portMap) {
    if (mapping.list !== undefined) {
      problems.warning(
        mapping.at,
        `port maps for some hosts only are not supported: this one is not applied`,
      );
    }
  }
  const compiled: (InspectionRule | undefined)[] = [undefined];
  for (const rule of [...config.inspectRules.values(), ...config.inspectRules6.values()]) {
    const number = numbers.rules.intern(ruleKey(rule.family, rule.name));
    if (number === undefined) {
      problems.error(rule.at, `more than ${L.INSPECT_RULES_MAX} inspection rules`);
      break;
    }
    const { family, name } = rule;
    compiled[number] = { number, family, name, entries: compileRule(config, rule, numbers, problems) };
  }
  return Array.from({ length: numbers.rules.values.length }, (_, number) => compiled[number]);
}

function compileRule(
  config: Config,
  rule: InspectRule,
  numbers: { services: Interner<string>; idleTimers: Interner<number> },
  problems: Problems,
): InspectionEntry[] {
  const idle = idleTimeouts(config);
  const entries: InspectionEntry[] = [];
  const add = (
    line: InspectProtocol,
    protocol: number,
    low: number,
    high: number,
    defaultMs: number,
  ): void => {
    const idleMs = line.timeoutSeconds === undefined ? defaultMs : timeoutMs(line.timeoutSeconds);
    const timer = idleTimer(numbers.idleTimers, idleMs);
    const serviceNumber = numbers.services.intern(line.protocol);
    if (timer === undefined || serviceNumber === undefined) {
      problems.error(line.at, "more different timeouts or services than this firewall can tell apart");
      return;
    }
    const audit = line.auditTrail ?? config.inspect.auditTrail ?? false;
    const service = line.protocol;
    entries.push({ protocol, portLow: low, portHigh: high, service, serviceNumber, idleMs, timer, audit });
  };
  const addPorts = (line: InspectProtocol, { transport, low, high }: PortRange): void => {
    const isDns = line.protocol === DNS && transport === "udp";
    add(line, PROTOCOL[transport], low, high, isDns ? idle.dns : idle[transport]);
  };

  const lineOf = new Map(rule.protocols.map((line) => [line.protocol, line]));
  for (const line of rule.protocols) {
    if (LIMITS.has(line.protocol) || (GENERIC as readonly string[]).includes(line.protocol)) continue;
    const ports = portsOf(line.protocol, config.portMap);
    if (ports.length === 0)
      problems.warning(line.at, `no port is mapped to ${line.protocol}: nothing is inspected`);
    for (const range of ports) addPorts(line, range);
  }
  for (const keyword of GENERIC) {
    const line = lineOf.get(keyword);
    if (line === undefined) continue;
    switch (keyword) {
      case "tcp":
        add(line, PROTOCOL.tcp, 0, PORT_MAX, idle.tcp);
        break;
      case "udp":
        // `ip inspect dns-timeout` holds for name lookups under `udp`, too.
        for (const { transport, low, high } of lineOf.has(DNS) ? [] : portsOf(DNS, config.portMap)) {
          if (transport === "udp")
            add({ ...line, timeoutSeconds: undefined }, PROTOCOL.udp, low, high, idle.dns);
        }
        add(line, PROTOCOL.udp, 0, PORT_MAX, idle.udp);
        break;
      case "icmp":
        add(line, rule.family === 4 ? PROTOCOL.icmp : PROTOCOL.icmp6, 0, PORT_MAX, idle.icmp);
        break;
      case "ip":
        add(line, L.ENTRY_OTHER, 0, PORT_MAX, idle.udp);
        break;
    }
  }
  return entries;
}
