/** What the model reads out of a configuration: lists, inspection rules, timers, limits. */
import { TIMEOUT_MAX_MS } from "../../assembly/layout.js";
import { type AclPacket, evaluate, type TimeRangeTest, timeRangesAt } from "../../src/acl/evaluate.js";
import {
  type CalendarTime,
  type Config,
  DEFAULTS,
  type Direction,
  type InspectProtocol,
  type InspectRule,
} from "../../src/config/model.js";
import type { FragmentLimits } from "./fragments.js";
import { Interfaces } from "./interfaces.js";
import type { HeaderRules } from "./ip.js";
import type { Family, IpPacket, Transport } from "./packet.js";
import { Routes } from "./routes.js";
import { requestOf } from "./sessions.js";

export interface ModelOptions {
  /** False: no checksum is verified. */
  checksums?: boolean;
  /** Networks of the inside: routing by side instead of routes. */
  inside?: string[];
  /** The two interfaces in use: what enters by one leaves by the other. */
  pair?: [string, string];
  /** MAC address by interface name; frames to other stations are dropped. */
  macs?: Map<string, string>;
  /** Largest IP packet that an interface sends, by its name. */
  mtus?: Map<string, number>;
  capacity?: { sessions?: number; fragments?: number };
}

/** The decision of an access list on one packet. */
export interface ListVerdict {
  permitted: boolean;
  /** `ACL SEQ`; undefined: no entry decided. */
  rule: string | undefined;
}

/** The system-defined port map, as far as the model's configurations name applications. */
const APPLICATION_PORTS: Record<string, { tcp?: number; udp?: number }> = {
  ftp: { tcp: 21 },
  tftp: { udp: 69 },
  http: { tcp: 80 },
  https: { tcp: 443 },
  smtp: { tcp: 25 },
  ssh: { tcp: 22 },
  telnet: { tcp: 23 },
  dns: { tcp: 53, udp: 53 },
  sip: { tcp: 5060, udp: 5060 },
  ntp: { udp: 123 },
};
const WHOLE_PROTOCOLS = ["tcp", "udp", "icmp", "ip"];
/** Capacity of the core where none is given. */
const FRAGMENTS = 256;

const toMs = (seconds: number): number => Math.min(seconds * 1000, TIMEOUT_MAX_MS);

export class Policy {
  readonly config: Config;
  readonly interfaces: Interfaces;
  readonly routes: Routes;
  readonly checksums: boolean;
  readonly headerRules: HeaderRules;
  readonly fragmentLimits: FragmentLimits;
  readonly hits = new Map<string, number>();
  private readonly mtus: ReadonlyMap<string, number>;
  private isActive: TimeRangeTest = () => false;

  constructor(config: Config, options: ModelOptions) {
    this.config = config;
    this.checksums = options.checksums ?? true;
    this.headerRules = {
      checksums: this.checksums,
      sourceRoute: config.sourceRoute === true,
      optionsIgnored: config.ipOptions === "ignore",
      isOwn: (address) => this.routes.isOwn(address),
    };
    this.mtus = options.mtus ?? new Map();
    this.fragmentLimits = fragmentLimits(config, options.capacity?.fragments ?? FRAGMENTS);
    const bySide = options.inside !== undefined || options.pair !== undefined;
    this.interfaces = new Interfaces(config, options.macs ?? new Map(), bySide);
    this.routes = new Routes(config, this.interfaces, options.inside, options.pair ?? []);
  }

  /** Tells the time on a wall clock that began in 1970. */
  setTime(nowMs: number): void {
    if (this.config.timeRanges.size > 0) this.isActive = timeRangesAt(this.config, calendarOf(nowMs));
  }

  /** Whether a packet is too large for an interface, and may not be cut. */
  isTooBig(packet: IpPacket, egress: string): boolean {
    const mtu = this.mtus.get(egress) ?? this.mtus.get(egress.replace(/\..*/, "")) ?? 0;
    return mtu !== 0 && packet.uncuttable > mtu;
  }

  // Access lists.

  /** Undefined: no list is bound there. */
  listAt(name: string, family: Family, direction: Direction): string | undefined {
    const groups = this.config.interfaces.get(name)?.accessGroups ?? [];
    return groups.find((group) => group.family === family && group.direction === direction)?.list;
  }

  /** Asks a list, and counts the packet on the entry that decides unless `count` is false. */
  ask(list: string, packet: IpPacket, transport: Transport, count = true): ListVerdict {
    const { action, entry } = evaluate(this.config, list, aclPacket(packet, transport), this.isActive);
    const rule = entry === undefined ? undefined : `${list} ${entry.sequence}`;
    if (rule !== undefined && count) {
      const key = `${packet.family} ${rule}`;
      this.hits.set(key, (this.hits.get(key) ?? 0) + 1);
    }
    return { permitted: action === "permit", rule };
  }

  // Inspection.

  /** Whether any inspection rule of the family is bound to the interface. */
  inspects(name: string | undefined, family: Family): boolean {
    const bindings = (name !== undefined && this.config.interfaces.get(name)?.inspect) || [];
    return bindings.some((binding) => binding.family === family);
  }

  /** The line of the inspection rules on the packet's way that lists it; undefined: none. */
  inspectionOf(
    ingress: string,
    egress: string,
    packet: IpPacket,
    transport: Transport,
  ): { service: string; idleMs: number } | undefined {
    const rules = [this.ruleAt(ingress, packet.family, "in"), this.ruleAt(egress, packet.family, "out")];
    for (const rule of rules) {
      const entry = rule && this.entryOf(rule, transport);
      if (entry !== undefined)
        return { service: entry.protocol, idleMs: this.idleMs(rule!, entry, transport) };
    }
    return undefined;
  }

  private ruleAt(name: string, family: Family, direction: Direction): InspectRule | undefined {
    const bindings = this.config.interfaces.get(name)?.inspect ?? [];
    const binding = bindings.find((each) => each.family === family && each.direction === direction);
    const rules = family === 4 ? this.config.inspectRules : this.config.inspectRules6;
    return binding && rules.get(binding.rule);
  }

  private entryOf(rule: InspectRule, transport: Transport): InspectProtocol | undefined {
    const { kind } = transport;
    if (kind === "tcp" || kind === "udp") {
      const port = kind === "tcp" ? transport.segment.destinationPort : transport.destinationPort;
      const application = rule.protocols.find(
        ({ protocol }) => !WHOLE_PROTOCOLS.includes(protocol) && this.hasPort(protocol, kind, port),
      );
      if (application !== undefined) return application;
    }
    const whole = kind === "other" ? "ip" : kind;
    return rule.protocols.find(({ protocol }) => protocol === whole);
  }

  private hasPort(application: string, transport: "tcp" | "udp", port: number): boolean {
    if (APPLICATION_PORTS[application]?.[transport] === port) return true;
    return this.config.portMap.some(
      (mapping) =>
        mapping.protocol === application &&
        mapping.list === undefined &&
        mapping.transports.includes(transport) &&
        mapping.ports.some(({ low, high }) => port >= low && port <= high),
    );
  }

  private idleMs(rule: InspectRule, entry: InspectProtocol, transport: Transport): number {
    const { inspect } = this.config;
    const dnsMs = toMs(inspect.dnsSeconds ?? DEFAULTS.dnsSeconds);
    if (
      entry.protocol === "udp" &&
      transport.kind === "udp" &&
      this.hasPort("dns", "udp", transport.destinationPort)
    ) {
      // A name lookup under `udp` has the time of `ip inspect dns-timeout`, unless a `dns` line took it before.
      if (!rule.protocols.some(({ protocol }) => protocol === "dns")) return dnsMs;
    }
    if (entry.timeoutSeconds !== undefined) return toMs(entry.timeoutSeconds);
    if (transport.kind === "tcp") return toMs(inspect.tcpIdleSeconds ?? DEFAULTS.tcpIdleSeconds);
    if (transport.kind === "icmp") return toMs(DEFAULTS.icmpIdleSeconds);
    return entry.protocol === "dns" ? dnsMs : toMs(inspect.udpIdleSeconds ?? DEFAULTS.udpIdleSeconds);
  }

  synwaitMs(): number {
    return toMs(this.config.inspect.tcpSynwaitSeconds ?? DEFAULTS.tcpSynwaitSeconds);
  }

  finwaitMs(): number {
    return toMs(this.config.inspect.tcpFinwaitSeconds ?? DEFAULTS.tcpFinwaitSeconds);
  }
}

function calendarOf(nowMs: number): CalendarTime {
  const [year, month, day, hour, minute] = new Date(nowMs).toISOString().split(/\D/).map(Number);
  return { year: year!, month: month!, day: day!, hour: hour!, minute: minute! };
}

/**
 * `fragment` lines of the rules in use come before `ip virtual-reassembly`, and that before the defaults; of several
 * lines the largest number of frames and the shortest time hold. One source may have half of the frames.
 */
function fragmentLimits(config: Config, capacity: number): FragmentLimits {
  const interfaces = [...config.interfaces.values()];
  const bound = interfaces.flatMap(({ inspect }) =>
    inspect.map(({ family, rule }) => (family === 4 ? config.inspectRules : config.inspectRules6).get(rule)),
  );
  const lines = bound.flatMap(
    (rule) => rule?.protocols.filter(({ protocol }) => protocol === "fragment") ?? [],
  );
  const reassembly = interfaces
    .flatMap((each) => [each.virtualReassembly, each.virtualReassembly6])
    .filter((each) => each !== undefined)
    .map((each) => ({
      datagrams: each.maxReassemblies ?? DEFAULTS.virtualReassemblyMaxReassemblies,
      fragments: each.maxFragments ?? DEFAULTS.virtualReassemblyMaxFragments,
      seconds: each.timeoutSeconds ?? DEFAULTS.virtualReassemblyTimeoutSeconds,
    }));
  let wanted: number = DEFAULTS.fragmentMaximum;
  let seconds: number = DEFAULTS.virtualReassemblyTimeoutSeconds;
  if (lines.length > 0) {
    wanted = Math.max(...lines.map(({ fragmentMaximum }) => fragmentMaximum ?? DEFAULTS.fragmentMaximum));
    seconds = Math.min(
      ...lines.map(({ timeoutSeconds }) => timeoutSeconds ?? DEFAULTS.fragmentTimeoutSeconds),
    );
  } else if (reassembly.length > 0) {
    wanted = Math.max(...reassembly.map(({ datagrams, fragments }) => datagrams * fragments));
    seconds = Math.min(...reassembly.map((each) => each.seconds));
  }
  const frames = Math.min(capacity, wanted);
  const perSource = Math.ceil(frames / 2);
  const perDatagram = Math.min(perSource, ...reassembly.map(({ fragments }) => fragments));
  return { pool: capacity, frames, perSource, perDatagram, timeoutMs: toMs(seconds) };
}

/** What a list sees of a packet. */
function aclPacket(packet: IpPacket, transport: Transport): AclPacket {
  const { source, destination, protocol, ttl, tos, options, flowLabel, extensions } = packet;
  const seen: AclPacket = {
    source,
    destination,
    protocol,
    ttl,
    trafficClass: tos,
    options,
    flowLabel,
    ...extensions,
  };
  switch (transport.kind) {
    case "tcp": {
      const { sourcePort, destinationPort, flags } = transport.segment;
      return { ...seen, sourcePort, destinationPort, tcpFlags: flags };
    }
    case "udp":
      return { ...seen, sourcePort: transport.sourcePort, destinationPort: transport.destinationPort };
    case "icmp":
      return { ...seen, icmpType: transport.type, icmpCode: transport.code };
    case "other":
      return { ...seen, ...transport.known };
  }
}

/** The packet that this one would answer: ends swapped, ICMP replies as their requests. */
export function mirror(packet: IpPacket, transport: Transport): { packet: IpPacket; transport: Transport } {
  const swapped = { ...packet, source: packet.destination, destination: packet.source };
  switch (transport.kind) {
    case "tcp": {
      const { sourcePort, destinationPort } = transport.segment;
      const segment = { ...transport.segment, sourcePort: destinationPort, destinationPort: sourcePort };
      return { packet: swapped, transport: { ...transport, segment } };
    }
    case "icmp":
      return { packet: swapped, transport: { ...transport, type: requestOf(packet.family, transport.type) } };
    default:
      return { packet: swapped, transport };
  }
}
