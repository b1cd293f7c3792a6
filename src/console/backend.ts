/**
 * What the console asks of a running box. Everything is plain data and every answer may take its time, because most of it
 * lives in other threads. Times are lengths in ms, but for those that are called a date (ms since 1970, UTC).
 */
import type { AddressMatch, Config, Diagnostic, Family, PortMatch } from "../config/model.js";
import type { Counters } from "../counters.js";
import type { RuleInfo } from "../dataplane.js";
import type { DebugView } from "../debug/topics.js";
import type { Mac } from "../frame.js";
import type { HsrpGroupView, InterfaceCounters } from "../hsrp/index.js";
import type { Address } from "../ip.js";
import type { PortCounters } from "../live/packet-io.js";
import type { DeferCounters } from "../node/defer.js";
import type { Change } from "../node/plan-change.js";
import type { OperatorInput, RedundancyView } from "../redundancy/index.js";
import type { EndpointView } from "../sctp/view.js";
import type { Session } from "../session-view.js";
import type { SyncCounters } from "../sync-port.js";
import type { SyncView } from "../sync/session-sync.js";

/** The box as a whole: what does not change while it runs. */
export interface BoxFacts {
  /** Of the package. */
  readonly version: string;
  /** Node and the kernel, for `show version`. */
  readonly platform: string;
  /** How frames come and go: `AF_XDP, driver mode`. */
  readonly packetIo: string;
  readonly pid: number;
  /** Room in the session table. */
  readonly sessionsMax: number;
}

export interface Clock {
  readonly dateMs: number;
  readonly uptimeMs: number;
  /** The clock of the machines, which `atMs` in their views is of. */
  readonly machineMs: number;
}

export interface InterfaceView {
  /** Full name. */
  readonly name: string;
  /** Name of the network device; of a subinterface that of its parent; undefined: it has none. */
  readonly device?: string;
  /** `shutdown`. */
  readonly isShutdown: boolean;
  /** The link. */
  readonly isUp: boolean;
  readonly mac?: Mac;
  readonly mtuBytes: number;
  /** 802.1Q tag of a subinterface. */
  readonly vlan?: number;
  readonly backend?: string;
  /** Offloads that are on at the device and are coped with, or were switched off. */
  readonly offloads?: readonly string[];
  /** Of the device; undefined: of a subinterface, or not known. */
  readonly counters?: PortCounters;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
}

export interface RouteView {
  readonly network: Address;
  readonly prefixLength: number;
  readonly origin: "address" | "connected" | "static";
  /** Full name; undefined: packets are dropped. */
  readonly interface?: string;
  readonly nextHop?: Address;
  /** Administrative distance of a static route. */
  readonly distance?: number;
}

/** A neighbour that ARP or neighbour discovery knows, or an address of the box itself. */
export interface NeighborView {
  readonly address: Address;
  readonly interface: string;
  /** Undefined: it is being asked for. */
  readonly mac?: Mac;
  /** Since it was last heard; undefined: it does not age. */
  readonly ageMs?: number;
  readonly state: "own" | "virtual" | "static" | "incomplete" | "reachable" | "stale" | "delay" | "probe";
}

export interface BfdNeighborView {
  readonly interface: string;
  readonly local: Address;
  readonly remote: Address;
  readonly localDiscriminator: number;
  readonly remoteDiscriminator: number;
  /** RFC 5880 section 6.8.1. */
  readonly state: "AdminDown" | "Down" | "Init" | "Up";
  readonly remoteState: "AdminDown" | "Down" | "Init" | "Up";
  readonly diagnostic: string;
  /** What is sent each so often now, and after how long without a packet the neighbour is down. */
  readonly transmitMs: number;
  readonly detectionMs: number;
  readonly multiplier: number;
  readonly stateAgeMs: number;
  /** How long it has to be up before its silence is taken for the neighbour's death. */
  readonly trustMs: number;
  readonly upCount: number;
  readonly received: number;
  readonly sent: number;
  /** Since the last packet; undefined: none has come. */
  readonly lastReceivedMs?: number;
  readonly clients: readonly string[];
}

/** The session sync of the box. */
export interface SyncStatus {
  readonly view: SyncView;
  readonly counters: SyncCounters;
  /** First replies that waited for the peer. */
  readonly deferred: DeferCounters;
}

/** HSRP packets of an interface. */
export interface StandbyStatistics extends InterfaceCounters {
  readonly interface: string;
}

/** What `show ip inspect sessions` groups by. */
export const PHASES = ["established", "halfOpen", "terminating"] as const;
export type Phase = (typeof PHASES)[number];

export interface SessionQuery {
  /** From the page before; undefined: from the start. */
  readonly cursor?: number;
  /** Sessions that are looked for at most, SESSIONS_PER_PAGE unless given. */
  readonly limit?: number;
  readonly phase?: Phase;
}

export const SESSIONS_PER_PAGE = 500;

export interface SessionPage {
  readonly sessions: readonly Session[];
  /** Of the next page; undefined: there is none. A page may be empty and not the last. */
  readonly cursor?: number;
  /** Clock of `createdMs`. */
  readonly nowMs: number;
}

/** What a configuration would do to the box. */
export type Planned =
  /** `changes`: with one that is refused, nothing of it is put in force. */
  | { readonly isUsable: true; readonly changes: readonly Change[] }
  | { readonly isUsable: false; readonly diagnostics: readonly Diagnostic[] };

/** What it has done. */
export type Applied =
  | { readonly isApplied: true; readonly notes: readonly Diagnostic[]; readonly changes: readonly Change[] }
  /** Nothing has changed: for what is wrong with it, or for what cannot be done live. */
  | {
      readonly isApplied: false;
      readonly diagnostics: readonly Diagnostic[];
      readonly refusals: readonly Change[];
    };

/** The outcome of an operator's command, once it is known. */
export interface Outcome {
  readonly outcome: "done" | "refused" | "failed";
  readonly text: string;
}

export interface LogLine {
  readonly dateMs: number;
  /** 0..7 (RFC 5424). */
  readonly severity: number;
  /** `%HSRP-5-STATECHANGE: ...`, without a time stamp. */
  readonly text: string;
}

/** The lines that are kept, and where lines go. */
export interface LogView {
  readonly lines: readonly LogLine[];
  /** Lines that have fallen out. */
  readonly forgotten: number;
  /** Lines that were not written because there were too many of their kind. */
  readonly suppressed: number;
  /** `Console logging: level debugging, 12 messages logged`, as the log has them. */
  readonly destinations: readonly string[];
}

export interface DebugStatus extends DebugView {
  /** Lines that were left out because there were too many. */
  readonly dropped: number;
}

/** Which packets a capture takes. */
export type CaptureMatch =
  | { readonly kind: "any" }
  | { readonly kind: "list"; readonly list: string }
  | {
      readonly kind: "flow";
      readonly family: Family;
      /** IP protocol number; undefined: any. */
      readonly protocol?: number;
      readonly source: AddressMatch;
      readonly destination: AddressMatch;
      readonly sourcePort?: PortMatch;
      readonly destinationPort?: PortMatch;
    };

export interface CaptureOptions {
  readonly name: string;
  readonly interfaces: readonly { readonly interface: string; readonly direction: "in" | "out" | "both" }[];
  readonly match: CaptureMatch;
  readonly verdict: "all" | "drop" | "pass";
  readonly bufferBytes: number;
  /** Bytes of each packet that are kept. */
  readonly packetBytes: number;
  /** Packets after which it stops; undefined: the buffer is what limits it. */
  readonly packets?: number;
  /** The oldest packets make room for new ones. */
  readonly isCircular: boolean;
}

export const CAPTURE_DEFAULTS: Omit<CaptureOptions, "name"> = {
  interfaces: [],
  match: { kind: "any" },
  verdict: "all",
  bufferBytes: 10 * 1024 * 1024,
  packetBytes: 65_535,
  isCircular: false,
};

export interface CaptureView extends CaptureOptions {
  readonly isRunning: boolean;
  readonly packetsHeld: number;
  readonly bytesHeld: number;
  /** Packets that found no room. */
  readonly packetsLost: number;
}

/** What is done to a capture. A problem is a text for the user. */
export type CaptureCommand =
  /** Makes one, or changes one that does not run. */
  | { readonly kind: "define"; readonly options: CaptureOptions }
  | { readonly kind: "start" | "stop" | "clear" | "remove"; readonly name: string }
  /** Writes a pcapng file with the verdict of each packet as its comment. */
  | { readonly kind: "export"; readonly name: string; readonly file: string };

export type Done = { readonly problem?: undefined; readonly text?: string } | { readonly problem: string };

/** A file, or why it cannot be read. */
export type FileText = { readonly text: string } | { readonly problem: string };

/** The name under which the configuration that the box starts with is read and written. */
export const STARTUP_CONFIG = "startup-config";

export type Clearable =
  /** `counters`: of interfaces. */
  | "counters"
  | "access-lists"
  | "inspect-statistics"
  | "inspect-ha-statistics"
  | "arp"
  | "neighbors"
  | "log"
  | "standby-statistics"
  | "redundancy-history"
  | "redundancy-counters";

export interface ConsoleBackend {
  readonly facts: BoxFacts;
  clock(): Clock;

  standby(): Promise<readonly HsrpGroupView[]>;
  standbyStatistics(): Promise<readonly StandbyStatistics[]>;
  redundancy(): Promise<RedundancyView>;
  /** The association with the peer; undefined: none is configured. */
  association(): Promise<EndpointView | undefined>;
  bfd(): Promise<readonly BfdNeighborView[]>;
  sync(): Promise<SyncStatus>;
  counters(): Promise<Counters>;
  rules(): Promise<readonly RuleInfo[]>;
  interfaces(): Promise<readonly InterfaceView[]>;
  routes(): Promise<readonly RouteView[]>;
  /** ARP and neighbour discovery. */
  neighbors(): Promise<readonly NeighborView[]>;
  sessions(query: SessionQuery): Promise<SessionPage>;

  /** Deletes one session by its id, or all; how many there were. */
  clearSessions(id: string | "all"): Promise<number>;
  /** `about`: full name of an interface, or name of a list; undefined: all. */
  clear(what: Clearable, about?: string): Promise<Done>;
  /** How long ago that was done last; undefined: never. */
  clearedAgoMs(what: Clearable): number | undefined;
  operate(command: OperatorInput): Promise<Outcome>;

  /** The running configuration; not to be changed. */
  config(): Promise<Config>;
  /** What putting it in force would do; nothing changes. */
  planConfig(text: string): Promise<Planned>;
  /** Puts a whole configuration in force between two batches, or leaves the old one as it is. */
  applyConfig(text: string): Promise<Applied>;
  readFile(name: string): Promise<FileText>;
  writeFile(name: string, text: string): Promise<Done>;

  log(): Promise<LogView>;
  /** New lines, as they are written; the result ends it. */
  onLog(listener: (line: LogLine) => void): () => void;

  debugging(): Promise<DebugStatus>;
  setDebugging(view: DebugView): Promise<void>;

  captures(): Promise<readonly CaptureView[]>;
  capture(command: CaptureCommand): Promise<Done>;
}
