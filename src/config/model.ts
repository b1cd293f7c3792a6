/**
 * The configuration of one firewall, as the running-config states it.
 *
 * Only `parse` makes one and only `show` writes one; everything else reads. Names are case-sensitive, interface
 * names are always full (`GigabitEthernet0/0`), addresses are values (see ip.ts), times are in the unit of the
 * command that sets them. `undefined` means "not configured"; the default stands once, in DEFAULTS below.
 */
import type { Address } from "../ip.js";
import type { AccessList, ObjectGroup, TimeRange } from "./list-model.js";

export type * from "./list-model.js";

/** Where a statement stands in the text it was read from; lines and columns count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** Something the text named, with the place where it did. */
export interface Placed {
  at: Position;
}

export type Direction = "in" | "out";
export type Family = 4 | 6;

export interface Config {
  /** Name of the file the text came from, for messages. */
  file: string;
  version?: string;
  hostname?: string;
  timestamps: { log?: TimestampFormat; debug?: TimestampFormat };
  interfaces: Map<string, Interface>;
  routes: StaticRoute[];
  accessLists: Map<string, AccessList>;
  /** `ipv6 access-list` names live in a space of their own. */
  accessLists6: Map<string, AccessList>;
  objectGroups: Map<string, ObjectGroup>;
  timeRanges: Map<string, TimeRange>;
  inspect: InspectGlobals;
  /** `ip inspect name NAME ...`, in order of appearance. */
  inspectRules: Map<string, InspectRule>;
  /** `ipv6 inspect name NAME ...`: a space of its own. */
  inspectRules6: Map<string, InspectRule>;
  portMap: PortMapping[];
  logging: Logging;
  /** `ip source-route` / `no ip source-route`; undefined: neither was said. */
  sourceRoute?: boolean;
  /** `standby bfd all-interfaces` / `no standby bfd all-interfaces`; undefined: neither was said. */
  standbyBfd?: boolean;
  /** `ip options drop|ignore`. */
  ipOptions?: "drop" | "ignore";
  /** `ip access-list logging interval MS`, `ip access-list log-update threshold N`. */
  accessListLog: { intervalMs?: number; updateThreshold?: number };
  redundancy?: InterDevice;
  ipc?: IpcZone;
  httpServer?: Placed & { enabled: boolean };
  lines: TerminalLine[];
  keyChains: Map<string, KeyChain>;
  /** Lines that are accepted without effect, or (lenient) not understood; kept for the round trip. */
  kept: KeptLine[];
}

export type TimestampFormat = {
  kind: "uptime" | "datetime";
  msec: boolean;
  localtime: boolean;
  year: boolean;
};

export interface Interface extends Placed {
  name: string;
  description?: string;
  shutdown: boolean;
  /** The first is the primary address; `no ip address` leaves none. */
  addresses: InterfaceAddress[];
  /** `no ip address` was said: a routed port that has none. */
  noAddress?: boolean;
  addresses6: InterfaceAddress6[];
  /** `ipv6 enable` without an address. */
  ipv6Enable?: boolean;
  accessGroups: AccessGroup[];
  inspect: InspectBinding[];
  verifySource: UnicastRpf[];
  virtualReassembly?: VirtualReassembly;
  virtualReassembly6?: VirtualReassembly;
  encapsulation?: Placed & { vlan: number; native: boolean };
  noUnreachables?: boolean;
  noUnreachables6?: boolean;
  bfd?: BfdInterval;
  standby: StandbyInterface;
  duplex?: string;
  speed?: string;
  mediaType?: string;
}

export interface InterfaceAddress extends Placed {
  /** IPv4 value. */
  address: number;
  prefixLength: number;
  secondary: boolean;
}

export interface InterfaceAddress6 extends Placed {
  address: Address;
  prefixLength: number;
  linkLocal: boolean;
  eui64: boolean;
}

export interface AccessGroup extends Placed {
  family: Family;
  list: string;
  direction: Direction;
}

export interface InspectBinding extends Placed {
  family: Family;
  rule: string;
  direction: Direction;
  /** `redundancy stateful GROUP`. */
  stateful?: string;
}

export interface UnicastRpf extends Placed {
  family: Family;
  via: "rx" | "any";
  allowDefault: boolean;
}

export interface VirtualReassembly extends Placed {
  maxReassemblies?: number;
  maxFragments?: number;
  timeoutSeconds?: number;
  dropFragments: boolean;
}

/** `bfd interval`: what is sent at most so often, what is taken at most so often, and losses in a row. */
export interface BfdInterval extends Placed {
  intervalMs: number;
  minRxMs: number;
  multiplier: number;
}

export interface StandbyInterface {
  version?: Placed & { value: 1 | 2 };
  delayMinimumSeconds?: number;
  delayReloadSeconds?: number;
  delayAt?: Position;
  useBia?: boolean;
  /** `standby bfd` / `no standby bfd`; undefined: as `standby bfd all-interfaces` says. */
  bfd?: boolean;
  groups: Map<number, StandbyGroup>;
}

/** One HSRP group of one interface. */
export interface StandbyGroup extends Placed {
  group: number;
  /** `standby G ip` without an address learns it: `learn`. */
  ip?: Placed & { address: number | "learn" };
  secondaryIps: (Placed & { address: number })[];
  ipv6?: Placed & { address: Address | "autoconfig" };
  name?: Placed & { value: string };
  priority?: Placed & { value: number };
  preempt?: Placed & { minimumSeconds?: number; reloadSeconds?: number; syncSeconds?: number };
  timers?: Placed & { helloMs: number; holdMs: number; helloMsec: boolean; holdMsec: boolean };
  authentication?: Placed &
    (
      | { kind: "text"; text: string }
      | { kind: "md5-string"; key: string; timeoutSeconds?: number }
      | { kind: "md5-chain"; chain: string }
    );
  tracks: (Placed & { object: string; decrement?: number; shutdown: boolean })[];
  macAddress?: string;
}

export interface StaticRoute extends Placed {
  family: Family;
  network: Address;
  prefixLength: number;
  nextHop?: Address;
  interface?: string;
  distance?: number;
  /** `name WORD`, `tag N`, `permanent`: kept, without effect on forwarding. */
  name?: string;
  tag?: number;
  permanent?: boolean;
}

/** `ip inspect` globals. undefined: the default of DEFAULTS. */
export interface InspectGlobals {
  maxIncompleteHigh?: Placed & { value: number };
  maxIncompleteLow?: Placed & { value: number };
  oneMinuteHigh?: Placed & { value: number };
  oneMinuteLow?: Placed & { value: number };
  tcpMaxIncompleteHost?: Placed & { value: number; blockMinutes?: number };
  tcpSynwaitSeconds?: number;
  tcpFinwaitSeconds?: number;
  tcpIdleSeconds?: number;
  udpIdleSeconds?: number;
  dnsSeconds?: number;
  hashtableSize?: number;
  auditTrail?: boolean;
  alertOff?: boolean;
  logDropPackets?: boolean;
  reassemblyQueueLength?: number;
  reassemblyTimeoutSeconds?: number;
  reassemblyMemoryKilobytes?: number;
  reassemblyAlarm?: boolean;
  windowScaleLoose?: boolean;
  blockNonSession?: boolean;
  updateSeconds?: Placed & { value: number };
  updateMsec?: Placed & { value: number };
  defer?: boolean;
  resyncStrict?: boolean;
  tcpSynCookie?: boolean;
}

/** The defaults that IOS 12.4 has where the text says nothing. */
export const DEFAULTS = {
  maxIncompleteHigh: 500,
  maxIncompleteLow: 400,
  oneMinuteHigh: 500,
  oneMinuteLow: 400,
  tcpMaxIncompleteHost: 50,
  tcpSynwaitSeconds: 30,
  tcpFinwaitSeconds: 5,
  tcpIdleSeconds: 3600,
  udpIdleSeconds: 30,
  icmpIdleSeconds: 10,
  dnsSeconds: 5,
  hashtableSize: 1024,
  fragmentMaximum: 256,
  fragmentTimeoutSeconds: 1,
  reassemblyQueueLength: 16,
  reassemblyTimeoutSeconds: 5,
  reassemblyMemoryKilobytes: 1024,
  updateSeconds: 10,
  virtualReassemblyMaxReassemblies: 16,
  virtualReassemblyMaxFragments: 32,
  virtualReassemblyTimeoutSeconds: 3,
  accessListLogSeconds: 300,
  retransmitMinMs: 300,
  retransmitMaxMs: 600,
  pathRetransmit: 4,
  assocRetransmit: 4,
  /** Registered for both ends (RFC 6951 section 3.2). */
  encapsulationPort: 9899,
  standbyHelloMs: 3000,
  standbyHoldMs: 10000,
  standbyPriority: 100,
  standbyTrackDecrement: 10,
  standbyDelayMinimumSeconds: 1,
  standbyDelayReloadSeconds: 5,
} as const;

export interface InspectRule extends Placed {
  family: Family;
  name: string;
  protocols: InspectProtocol[];
}

/** One `ip inspect name NAME PROTOCOL ...` line. */
export interface InspectProtocol extends Placed {
  /** The keyword: tcp, udp, icmp, ip (any other protocol, ours), ftp, dns, fragment, user-NAME, ... */
  protocol: string;
  alert?: boolean;
  auditTrail?: boolean;
  timeoutSeconds?: number;
  routerTraffic?: boolean;
  /** `fragment maximum N timeout S`. */
  fragmentMaximum?: number;
  /** Words after the keyword that only its application inspection reads (`java-list 10`, `max-data 1000`, ...). */
  options: string[];
}

export interface PortMapping extends Placed {
  protocol: string;
  transports: ("tcp" | "udp")[];
  ports: { low: number; high: number }[];
  list?: string;
  description?: string;
}

export type LogTransport = "udp" | "tcp" | "tls";

export interface Logging {
  hosts: (Placed & { address: Address; transport: LogTransport; port?: number })[];
  /** Severity 0..7 by destination, or off. */
  levels: Map<"console" | "monitor" | "buffered" | "trap", number | "off">;
  bufferedBytes?: number;
  facility?: string;
  sourceInterface?: string;
  originId?: string;
  on?: boolean;
  rateLimit?: number;
}

export interface InterDevice extends Placed {
  scheme?: Placed & { name: string };
}

export interface IpcZone extends Placed {
  associations: Map<number, IpcAssociation>;
}

export interface IpcAssociation extends Placed {
  id: number;
  shutdown: boolean;
  /** What messages between the boxes are authenticated with. */
  keyString?: Placed & { value: string };
  protocol?: "sctp";
  /** How its packets travel: in UDP (RFC 6951), from and to this port, or over IP. */
  encapsulation?: Placed & ({ kind: "udp"; port?: number } | { kind: "ip" });
  localPort?: Placed & { value: number };
  localIps: (Placed & { address: number })[];
  remotePort?: Placed & { value: number };
  remoteIps: (Placed & { address: number })[];
  retransmitTimeout?: Placed & { minMs: number; maxMs: number };
  pathRetransmit?: Placed & { value: number };
  assocRetransmit?: Placed & { value: number };
}

export interface TerminalLine extends Placed {
  /** `con 0`, `vty 0 4`, ... */
  name: string;
  /** Idle time after which a session ends, 0 for never. */
  execTimeoutSeconds?: number;
  login: boolean;
  password: boolean;
}

export interface KeyChain extends Placed {
  name: string;
  keys: Map<number, { id: number; keyString?: string }>;
}

export interface KeptLine extends Placed {
  /** The block it stands in (`interface GigabitEthernet0/0`; a line for each level), or undefined at the top. */
  block?: string;
  text: string;
  /** `note`: known and without effect here; `unknown`: kept because the caller asked for leniency. */
  why: "note" | "unknown";
  note: string;
}

/** One problem with a text. `column` and `length` mark the word; `expected` lists what could have stood there. */
export interface Diagnostic {
  file: string;
  line: number;
  column: number;
  length: number;
  severity: "error" | "warning" | "note";
  message: string;
  expected: string[];
  /** The nearest known word, when one is close. */
  didYouMean?: string;
  /** The line itself, for the caret. */
  text: string;
}
