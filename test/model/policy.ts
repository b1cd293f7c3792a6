/** What the model reads out of a configuration: interfaces, routes, lists, inspection rules, timers, limits. */
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
import { type Address, inPrefix, ipv4Mask, parseCidr } from "../../src/ip.js";
import type { FragmentLimits } from "./fragments.js";
import type { HeaderRules } from "./ip.js";
import type { Family, IpPacket, Transport } from "./packet.js";
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
  capacity?: { sessions?: number; fragments?: number };
}

/** The decision of an access list on one packet. */
export interface ListVerdict {
  permitted: boolean;
  /** `ACL SEQ`; undefined: no entry decided. */
  rule: string | undefined;
}

interface ModelRoute {
  network: Address;
  prefixLength: number;
  /** Undefined: discarded. */
  interface: string | undefined;
  isDefault: boolean;
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
/** The longest prefix that has a broadcast and a network address [3021]. */
const SUBNET_PREFIX_MAX = 30;
const NEXT_HOP_DEPTH = 8;

const toMs = (seconds: number): number => Math.min(seconds * 1000, TIMEOUT_MAX_MS);

export class Policy {
  readonly config: Config;
  readonly checksums: boolean;
  readonly headerRules: HeaderRules;
  readonly fragmentLimits: FragmentLimits;
  readonly hits = new Map<string, number>();
  private isActive: TimeRangeTest = () => false;
  private readonly own = new Set<Address>();
  private readonly broadcasts = new Set<Address>();
  private readonly routes: ModelRoute[];
  private readonly macs = new Map<string, number[]>();
  private readonly pair: readonly string[];
  /** Families of which every interface takes part, because packets do not go by routes. */
  private readonly families: readonly Family[];

  constructor(config: Config, options: ModelOptions) {
    this.config = config;
    this.checksums = options.checksums ?? true;
    this.headerRules = {
      checksums: this.checksums,
      sourceRoute: config.sourceRoute === true,
      optionsIgnored: config.ipOptions === "ignore",
    };
    this.fragmentLimits = fragmentLimits(config, options.capacity?.fragments ?? FRAGMENTS);
    for (const [name, text] of options.macs ?? []) {
      this.macs.set(
        name,
        text.split(":").map((part) => Number.parseInt(part, 16)),
      );
    }
    this.pair = options.pair ?? [];
    const bySide = options.inside !== undefined || options.pair !== undefined;
    const used = [...config.interfaces.keys()].filter((name) => this.isUp(name));
    this.families = ([4, 6] as const).filter(
      (family) => bySide && used.some((name) => this.configures(name, family)),
    );
    this.readAddresses();
    this.routes = options.inside === undefined ? this.readRoutes() : this.readSides(options.inside);
    this.routes.sort((a, b) => b.prefixLength - a.prefixLength);
  }

  /** Tells the time on a wall clock that began in 1970. */
  setTime(nowMs: number): void {
    if (this.config.timeRanges.size > 0) this.isActive = timeRangesAt(this.config, calendarOf(nowMs));
  }

  // Interfaces.

  isUp(name: string): boolean {
    const own = this.config.interfaces.get(name);
    const parent = this.config.interfaces.get(parentOf(name) ?? "");
    return own !== undefined && !own.shutdown && parent?.shutdown !== true;
  }

  /** Whether an interface takes part in a version of IP. */
  takesPart(name: string, family: Family): boolean {
    return this.families.includes(family) || this.configures(name, family);
  }

  private configures(name: string, family: Family): boolean {
    const each = this.config.interfaces.get(name)!;
    const addresses = family === 4 ? each.addresses : each.addresses6;
    if (addresses.length > 0 || (family === 6 && each.ipv6Enable === true)) return true;
    return [...each.accessGroups, ...each.inspect].some((binding) => binding.family === family);
  }

  /** `virtual-reassembly drop-fragments` of the family. */
  refusesFragments(name: string, family: Family): boolean {
    const each = this.config.interfaces.get(name);
    return (family === 4 ? each?.virtualReassembly : each?.virtualReassembly6)?.dropFragments === true;
  }

  subinterface(parent: string, vlan: number): string | undefined {
    const all = [...this.config.interfaces.values()];
    return all.find((each) => parentOf(each.name) === parent && each.encapsulation?.vlan === vlan)?.name;
  }

  hasSubinterfaces(name: string): boolean {
    return [...this.config.interfaces.keys()].some((other) => parentOf(other) === name);
  }

  /** The address that frames must have to be taken; undefined: all are taken. */
  macOf(name: string): number[] | undefined {
    return this.macs.get(name) ?? this.macs.get(parentOf(name) ?? "");
  }

  // Addresses and routes.

  isOwn(address: Address): boolean {
    return this.own.has(address);
  }

  /** Network or broadcast address of a connected subnet. */
  isSubnetBroadcast(address: Address): boolean {
    return this.broadcasts.has(address);
  }

  /** The interface that leads to an address. */
  interfaceTo(address: Address): string | undefined {
    return this.routeTo(address)?.interface;
  }

  /** The interface by which a packet leaves; none when it is for the firewall, or a broadcast. */
  egressTo(destination: Address, ingress: string): string | undefined {
    if (this.isOwn(destination) || this.isSubnetBroadcast(destination)) return undefined;
    const egress = this.pair.includes(ingress)
      ? this.pair.find((name) => name !== ingress)
      : this.interfaceTo(destination);
    return egress !== undefined && this.isUp(egress) ? egress : undefined;
  }

  /** Whether unicast reverse path forwarding on `ingress` admits a source. */
  isReversePath(ingress: string, family: Family, source: Address): boolean {
    const checks = this.config.interfaces.get(ingress)?.verifySource ?? [];
    const check = checks.find((each) => each.family === family);
    if (check === undefined) return true;
    const route = this.routeTo(source);
    if (route?.interface === undefined || (route.isDefault && !check.allowDefault)) return false;
    return check.via === "any" || route.interface === ingress;
  }

  private routeTo(address: Address): ModelRoute | undefined {
    return this.routes.find(({ network, prefixLength }) => inPrefix(address, network, prefixLength));
  }

  private readAddresses(): void {
    for (const each of this.config.interfaces.values()) {
      if (!this.isUp(each.name)) continue;
      for (const { address, prefixLength } of each.addresses) {
        this.own.add(address);
        if (prefixLength > SUBNET_PREFIX_MAX) continue;
        const network = (address & ipv4Mask(prefixLength)) >>> 0;
        this.broadcasts.add(network);
        this.broadcasts.add((network | ~ipv4Mask(prefixLength)) >>> 0);
      }
      for (const { address, linkLocal } of each.addresses6) if (!linkLocal) this.own.add(address);
      if (each.addresses.length === 0) continue;
      for (const { ip, secondaryIps } of each.standby.groups.values()) {
        if (typeof ip?.address === "number") this.own.add(ip.address);
        for (const { address } of secondaryIps) this.own.add(address);
      }
    }
  }

  private readRoutes(): ModelRoute[] {
    const connected: ModelRoute[] = [];
    for (const each of this.config.interfaces.values()) {
      if (!this.isUp(each.name)) continue;
      const addresses = [...each.addresses, ...each.addresses6.filter(({ linkLocal }) => !linkLocal)];
      for (const { address, prefixLength } of addresses) {
        connected.push({ network: address, prefixLength, interface: each.name, isDefault: false });
      }
    }
    const sameNetwork = (a: ModelRoute, b: ModelRoute) =>
      a.prefixLength === b.prefixLength && inPrefix(a.network, b.network, b.prefixLength);
    const routes = [...connected];
    const statics = [...this.config.routes].sort((a, b) => (a.distance ?? 1) - (b.distance ?? 1));
    // A next hop may itself be reached by a static route: what resolves in one round helps in the next.
    for (let round = 0; round < NEXT_HOP_DEPTH; round++) {
      for (const { network, prefixLength, nextHop, interface: name } of statics) {
        const isDefault = prefixLength === 0;
        const discarded = name?.startsWith("Null") === true;
        if (name !== undefined && !discarded && !this.isUp(name)) continue;
        const out = name ?? (nextHop === undefined ? undefined : this.nextHopInterface(nextHop, routes));
        if (out === undefined) continue;
        const route = { network, prefixLength, interface: discarded ? undefined : out, isDefault };
        if (!routes.some((other) => sameNetwork(other, route))) routes.push(route);
      }
    }
    return routes;
  }

  private nextHopInterface(nextHop: Address, routes: ModelRoute[]): string | undefined {
    const leading = routes.filter((route) => inPrefix(nextHop, route.network, route.prefixLength));
    leading.sort((a, b) => b.prefixLength - a.prefixLength);
    return leading.find((route) => !route.isDefault)?.interface;
  }

  /** `--inside`: the networks named lie on the side where sessions start, the rest of the world on the other. */
  private readSides(inside: string[]): ModelRoute[] {
    const usable = [...this.config.interfaces.values()].filter(
      (each) => this.isUp(each.name) && each.addresses.length + each.addresses6.length > 0,
    );
    const bound = (direction: Direction) =>
      usable.find((each) => each.inspect.some((binding) => binding.direction === direction));
    const outward = bound("out");
    const insideInterface = bound("in") ?? usable.find((each) => each !== outward);
    const outsideInterface =
      (outward !== insideInterface ? outward : undefined) ?? usable.find((each) => each !== insideInterface);
    const routes: ModelRoute[] = inside.map((cidr) => {
      const { network, prefixLength } = parseCidr(cidr)!;
      return { network, prefixLength, interface: insideInterface?.name, isDefault: false };
    });
    for (const network of [0, 0n]) {
      routes.push({ network, prefixLength: 0, interface: outsideInterface?.name, isDefault: false });
    }
    return routes;
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

/** `GigabitEthernet0/0` of `GigabitEthernet0/0.10`. */
function parentOf(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : name.slice(0, dot);
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
