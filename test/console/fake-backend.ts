/** A box that is not there: the example pair's RouterA with values of its own, and a clock that stands still. */
import { readFileSync } from "node:fs";
import { parse, type Config } from "../../src/config/index.js";
import type {
  Applied,
  CaptureCommand,
  CaptureView,
  Clearable,
  ConsoleBackend,
  Done,
  LogLine,
  Outcome,
  Planned,
  SessionPage,
  SessionQuery,
  StandbyStatistics,
} from "../../src/console/backend.js";
import { type DebugView, NO_DEBUG } from "../../src/debug/topics.js";
import { type Change, planChange } from "../../src/node/plan-change.js";
import { phaseOf } from "../../src/console/phase.js";
import type { Counters } from "../../src/counters.js";
import { type HsrpGroupView, REFUSAL_NAMES as HSRP_REFUSALS } from "../../src/hsrp/index.js";
import { parseAddress } from "../../src/ip.js";
import type { OperatorInput, RedundancyView } from "../../src/redundancy/index.js";
import { newCounters } from "../../src/redundancy/counters.js";
import type { Session } from "../../src/session-view.js";
import { REFUSALS as SYNC_REFUSALS } from "../../src/sync-port.js";

const CONFIG = new URL("../../examples/router-a.cfg", import.meta.url);
const UPTIME_MS = 727_416;
const ip = (text: string) => parseAddress(text)!;

export const GROUP: HsrpGroupView = {
  interface: "GigabitEthernet0/0",
  group: 1,
  family: 4,
  version: 1,
  key: "GigabitEthernet0/0 1",
  name: "INSIDE",
  state: "active",
  stateText: "Active",
  stateChanges: 2,
  changedAgoMs: 727_000,
  virtualAddress: ip("10.1.1.1"),
  isVirtualAddressLearned: false,
  secondaryAddresses: [],
  localVirtualMac: "0000.0c07.ac01",
  localVirtualMacOrigin: "default",
  isVirtualMacInUse: true,
  timers: { helloMs: 1000, holdMs: 5000 },
  nextHelloInMs: 416,
  authentication: { kind: "md5" },
  preempt: { minimumMs: 5000, reloadMs: 10_000, syncMs: 20_000 },
  active: { kind: "local" },
  standby: { kind: "neighbor", address: ip("10.1.1.3"), priority: 100, expiresInMs: 4640 },
  priority: 100,
  configuredPriority: 100,
  tracks: [{ object: "GigabitEthernet0/1", isUp: true, decrement: 10, isShutdown: false }],
  tie: ["GigabitEthernet0/0 1", "GigabitEthernet0/1 2"],
};

export const GROUPS: readonly HsrpGroupView[] = [
  GROUP,
  {
    ...GROUP,
    interface: "GigabitEthernet0/1",
    group: 2,
    version: 2,
    key: "GigabitEthernet0/1 2",
    name: undefined,
    state: "standby",
    stateText: "Standby",
    virtualAddress: ip("203.0.113.1"),
    localVirtualMac: "0000.0c9f.f002",
    isVirtualMacInUse: false,
    timers: { helloMs: 200, holdMs: 700 },
    nextHelloInMs: undefined,
    authentication: { kind: "text", text: "abc" },
    preempt: undefined,
    active: {
      kind: "neighbor",
      address: ip("203.0.113.3"),
      priority: 110,
      mac: "0200.5e00.0201",
      expiresInMs: 512,
    },
    standby: { kind: "local" },
    priority: 90,
    tracks: [],
  } as HsrpGroupView,
];

const numbers = (control: number) => ({ control, dynamic: 120, bulk: 3 });

export const REDUNDANCY: RedundancyView = {
  own: { state: "active", number: 13, name: "ACTIVE" },
  peer: { state: "standbyHot", number: 8, name: "STANDBY HOT" },
  machine: "active",
  role: "active",
  mode: "Duplex",
  bootId: 0x1234n,
  generation: 3,
  maintenance: false,
  switchoverObstacle: undefined,
  downReason: undefined,
  notificationMs: 30_000,
  keepAliveMs: 4000,
  keepAliveCount: 0,
  keepAliveThreshold: 7,
  interDevice: { state: "ACT", groupName: "INSIDE", group: "active", peer: "COMM" },
  isAuthenticated: true,
  peerName: "RouterB",
  outOfSyncReason: undefined,
  holdings: "complete",
  bulk: { number: 1, isTaken: false, isServed: true, attempts: 0 },
  verdict: "compatible" as RedundancyView["verdict"],
  peerVerdict: "compatible" as RedundancyView["peerVerdict"],
  findings: [],
  link: {
    hears: true,
    isHeard: true,
    sent: numbers(44),
    received: numbers(43),
    peerSent: numbers(43),
    peerReceived: numbers(44),
  },
  switchovers: 1,
  standbyFailures: 0,
  lastReason: "activeUnitFailed",
  reloadMode: "soft",
  history: [
    { atMs: 1000, own: "negotiation", peer: "disabled", changed: "own" },
    { atMs: 6000, own: "active", peer: "disabled", changed: "own" },
    { atMs: 9000, own: "active", peer: "standbyHot", changed: "peer" },
  ],
  switchoverHistory: [
    { atMs: 6000, generation: 3, takeover: "hot", reason: "activeUnitFailed", outOfSyncMs: 40 },
  ],
  counters: newCounters(),
};

export function session(number: number, more: Partial<Session> = {}): Session {
  return {
    id: (0x100 + number).toString(16).padStart(8, "0"),
    family: 4,
    protocol: 6,
    state: "established",
    halfOpen: false,
    initiator: { address: "10.1.1.5", port: 40_000 + number, interface: "GigabitEthernet0/0", bytes: 360 },
    responder: { address: "198.51.100.7", port: 80, interface: "GigabitEthernet0/1", bytes: 18_220 },
    service: "tcp",
    inspection: "FW",
    rule: 2,
    createdMs: 700_000 + number,
    idleMs: 5000,
    timeoutMs: 3_600_000,
    ...more,
  };
}

const SESSIONS: readonly Session[] = [
  session(1),
  session(2, { state: "syn_sent", halfOpen: true, service: "ftp" }),
  session(3, { state: "fin_wait" }),
  session(4, {
    family: 6,
    initiator: { address: "2001:db8::5", port: 1234, interface: "GigabitEthernet0/0", bytes: 10 },
    responder: { address: "2001:db8:1::7", port: 443, interface: "GigabitEthernet0/1", bytes: 20 },
  }),
];

const COUNTERS: Counters = {
  received: { packets: 1234, bytes: 567_890 },
  verdicts: {
    pass: { packets: 1200, bytes: 560_000 },
    drop: { packets: 30, bytes: 7000 },
    local: { packets: 4, bytes: 890 },
    held: { packets: 0, bytes: 0 },
  },
  reasons: {
    established: { packets: 1100, bytes: 550_000 },
    new_session: { packets: 100, bytes: 10_000 },
    local: { packets: 4, bytes: 890 },
    tcp_no_session: { packets: 10, bytes: 2000 },
    acl_in_deny: { packets: 20, bytes: 5000 },
  },
  sessions: {
    current: 4,
    halfOpen: 1,
    maximum: 9,
    created: 100,
    tcp: 60,
    udp: 30,
    icmp: 8,
    other: 2,
    expired: 50,
    closed: 40,
    evicted: 1,
    cleared: 4,
    reopened: 1,
  },
  datagrams: 5,
  synIgnored: 0,
  eventsLost: 0,
  clockBack: 0,
};

export class FakeBackend implements ConsoleBackend {
  readonly facts = {
    version: "1.2.3",
    platform: "Node.js 20, Linux 6.18",
    packetIo: "AF_XDP, driver mode",
    pid: 4711,
    sessionsMax: 65_536,
  };
  readonly files = new Map<string, string>();
  /** What was asked for that changes something, in order. */
  readonly done: string[] = [];
  /** Texts that were applied. */
  readonly applied: string[] = [];
  sessionsHeld: readonly Session[] = SESSIONS;
  /** Why the next configuration is refused. */
  refusal: string | undefined;
  uptimeMs = UPTIME_MS;
  /** What the box cannot do live. */
  unable: Change | undefined;
  readonly #clearedAtMs = new Map<Clearable, number>();
  #config: Config;
  #debugging: DebugView = NO_DEBUG;
  /** Debug lines that were left out. */
  dropped = 0;
  #captures: CaptureView[] = [];
  readonly #listeners = new Set<(line: LogLine) => void>();

  constructor(text = readFileSync(CONFIG, "utf8")) {
    this.#config = parse(text).config;
    this.files.set("startup-config", text);
  }

  clock() {
    return { dateMs: Date.UTC(2024, 4, 1, 10, 0, 0, 123), uptimeMs: this.uptimeMs, machineMs: this.uptimeMs };
  }
  async standby() {
    return GROUPS;
  }
  async standbyStatistics(): Promise<StandbyStatistics[]> {
    const refused = Object.fromEntries(HSRP_REFUSALS.map((name) => [name, name === "ttl" ? 3 : 0]));
    return [
      {
        interface: "GigabitEthernet0/0",
        received: 727,
        accepted: 724,
        advertisements: 0,
        refused: refused as StandbyStatistics["refused"],
        sent: { hello: 726, coup: 1, resign: 0 },
      },
    ];
  }
  async redundancy() {
    return REDUNDANCY;
  }
  async association() {
    return undefined;
  }
  async bfd() {
    const each = {
      interface: "GigabitEthernet0/0",
      local: ip("10.1.1.2"),
      remote: ip("10.1.1.3"),
      localDiscriminator: 1,
      remoteDiscriminator: 2,
      state: "Up",
      remoteState: "Up",
      diagnostic: "No Diagnostic",
      transmitMs: 5,
      detectionMs: 15,
      trustMs: 2000,
      multiplier: 3,
      stateAgeMs: 61_000,
      upCount: 1,
      received: 12_200,
      sent: 12_201,
      lastReceivedMs: 2,
      clients: ["HSRP", "sync"],
    } as const;
    return [each, { ...each, interface: "GigabitEthernet0/1", state: "Down", remoteState: "Down" } as const];
  }
  async sync() {
    const refused = Object.fromEntries(SYNC_REFUSALS.map((name) => [name, name === "stale" ? 2 : 0]));
    return {
      view: {
        role: "active" as const,
        isPeerPresent: true,
        queued: 3,
        unacknowledgedBytes: 512,
        sentRecords: 420,
        acknowledgedRecords: 417,
        takenRecords: 0,
        bytesSent: 31_234,
        bulks: 1,
        repairs: 0,
        lag: { samples: 420, p50: 0.18, p99: 0.9, max: 2.5 },
      },
      counters: {
        sent: { add: 100, update: 260, delete: 60 },
        taken: { add: 0, update: 0, delete: 0 },
        refused: refused as Record<(typeof SYNC_REFUSALS)[number], number>,
        deletesLost: 0,
        requestsLost: 0,
        gone: 0,
        flushed: 0,
        resynced: 12,
        resyncResets: 0,
        deferred: 7,
      },
      deferred: { waited: 6, acknowledged: 3, gaveUp: 1, discarded: 1, refused: 1 },
    };
  }
  async counters() {
    return COUNTERS;
  }
  async rules() {
    const rule = (number: number, list: string, sequence: number, hits: number) => ({
      number,
      list,
      family: 4 as const,
      sequence,
      action: "permit" as const,
      text: "",
      hits,
    });
    return [rule(1, "INSIDE-IN", 20, 1), rule(2, "INSIDE-IN", 30, 77), rule(3, "OUTSIDE-IN", 40, 0)];
  }
  async interfaces() {
    const each = (name: string, device: string, number: number) => ({
      name,
      device,
      isShutdown: false,
      isUp: true,
      mac: `0200.5e00.000${number}`,
      mtuBytes: 1500,
      backend: "AF_XDP, driver mode",
      counters: {
        device,
        received: 100 * number,
        sent: 90 * number,
        ringFull: 0,
        noBuffer: 2,
        sendRefused: 1,
      },
      receivedBytes: 6400 * number,
      sentBytes: 5760 * number,
    });
    return [
      each("GigabitEthernet0/0", "eth0", 1),
      { ...each("GigabitEthernet0/1", "eth1", 2), isUp: false },
      { name: "GigabitEthernet0/2", isShutdown: true, isUp: false, mtuBytes: 1500 },
    ];
  }
  async routes() {
    return [
      {
        network: ip("0.0.0.0"),
        prefixLength: 0,
        origin: "static" as const,
        interface: "GigabitEthernet0/1",
        nextHop: ip("203.0.113.254"),
      },
      {
        network: ip("10.1.1.0"),
        prefixLength: 24,
        origin: "connected" as const,
        interface: "GigabitEthernet0/0",
      },
      {
        network: ip("10.1.1.2"),
        prefixLength: 32,
        origin: "address" as const,
        interface: "GigabitEthernet0/0",
      },
      {
        network: ip("2001:db8::"),
        prefixLength: 64,
        origin: "connected" as const,
        interface: "GigabitEthernet0/0",
      },
      { network: ip("192.0.2.0"), prefixLength: 24, origin: "static" as const, distance: 5 },
    ];
  }
  async neighbors() {
    return [
      {
        address: ip("10.1.1.1"),
        interface: "GigabitEthernet0/0",
        mac: "0000.0c07.ac01",
        state: "virtual" as const,
      },
      {
        address: ip("10.1.1.5"),
        interface: "GigabitEthernet0/0",
        mac: "0200.5e00.0105",
        ageMs: 185_000,
        state: "reachable" as const,
      },
      { address: ip("10.1.1.9"), interface: "GigabitEthernet0/0", state: "incomplete" as const },
      {
        address: ip("fe80::1"),
        interface: "GigabitEthernet0/0",
        mac: "0200.5e00.0105",
        ageMs: 60_000,
        state: "stale" as const,
      },
    ];
  }
  async sessions({ cursor = 0, limit = 2, phase }: SessionQuery): Promise<SessionPage> {
    const wanted = this.sessionsHeld.slice(cursor, cursor + limit);
    const next = cursor + limit;
    return {
      sessions: wanted.filter((each) => phase === undefined || phaseOf(each) === phase),
      ...(next < this.sessionsHeld.length && { cursor: next }),
      nowMs: 727_000,
    };
  }
  async clearSessions(id: string) {
    const before = this.sessionsHeld.length;
    this.sessionsHeld =
      id === "all" ? [] : this.sessionsHeld.filter((each) => BigInt(`0x${each.id}`) !== BigInt(`0x${id}`));
    return before - this.sessionsHeld.length;
  }
  async clear(what: Clearable, about?: string): Promise<Done> {
    this.done.push(about === undefined ? `clear ${what}` : `clear ${what} ${about}`);
    this.#clearedAtMs.set(what, this.uptimeMs);
    return {};
  }
  clearedAgoMs(what: Clearable) {
    const atMs = this.#clearedAtMs.get(what);
    return atMs === undefined ? undefined : this.uptimeMs - atMs;
  }
  async operate(command: OperatorInput): Promise<Outcome> {
    this.done.push(JSON.stringify(command));
    return command.command === "bulkSync"
      ? { outcome: "refused", text: "this box is not the standby of an active peer" }
      : { outcome: "done", text: "the peer has taken over" };
  }
  async config() {
    return this.#config;
  }
  async applyConfig(text: string): Promise<Applied> {
    if (this.refusal !== undefined) {
      const diagnostic = {
        file: "",
        line: 0,
        column: 1,
        length: 1,
        severity: "error" as const,
        message: this.refusal,
        expected: [],
        text: "",
      };
      this.refusal = undefined;
      return { isApplied: false, diagnostics: [diagnostic], refusals: [] };
    }
    if (this.unable !== undefined) return { isApplied: false, diagnostics: [], refusals: [this.unable] };
    const { config } = parse(text);
    const changes = planChange(this.#config, config);
    this.#config = config;
    this.applied.push(text);
    return { isApplied: true, notes: [], changes };
  }
  async planConfig(text: string): Promise<Planned> {
    const changes = planChange(this.#config, parse(text).config);
    return { isUsable: true, changes: this.unable === undefined ? changes : [this.unable, ...changes] };
  }
  async readFile(name: string) {
    const text = this.files.get(name);
    return text === undefined ? { problem: `${name}: no such file or directory` } : { text };
  }
  async writeFile(name: string, text: string): Promise<Done> {
    this.files.set(name, text);
    return {};
  }
  async log() {
    const { dateMs } = this.clock();
    return {
      lines: [
        {
          dateMs: dateMs - 720_000,
          severity: 5,
          text: "%HSRP-5-STATECHANGE: GigabitEthernet0/0 Grp 1 state Standby -> Active",
        },
        {
          dateMs: dateMs - 1000,
          severity: 4,
          text: "%HSRP-4-BADAUTH: Bad authentication from 10.1.1.9, group 1, remote state Active",
        },
      ],
      forgotten: 0,
      suppressed: 3,
      destinations: ["Console logging: level debugging"],
    };
  }
  onLog(listener: (line: LogLine) => void) {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
  /** Writes a log line. */
  say(text: string): void {
    for (const listener of this.#listeners) listener({ dateMs: this.clock().dateMs, severity: 5, text });
  }
  async debugging() {
    return { ...this.#debugging, dropped: this.dropped };
  }
  async setDebugging(view: DebugView) {
    this.#debugging = view;
  }
  async captures() {
    return this.#captures;
  }
  async capture(command: CaptureCommand): Promise<Done> {
    const name = command.kind === "define" ? command.options.name : command.name;
    const known = this.#captures.find((each) => each.name === name);
    if (command.kind !== "define" && known === undefined) return { problem: `no capture ${name}` };
    const others = this.#captures.filter((each) => each !== known);
    const empty = { isRunning: false, packetsHeld: 0, bytesHeld: 0, packetsLost: 0 };
    if (command.kind === "define") this.#captures = [...others, { ...empty, ...command.options }];
    else if (command.kind === "remove") this.#captures = others;
    else if (command.kind === "export") return { text: `0 packets written to ${command.file}\n` };
    else this.#captures = [...others, { ...known!, isRunning: command.kind === "start" }];
    return {};
  }
}
