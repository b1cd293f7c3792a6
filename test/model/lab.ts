/** A firewall, the core or the model, with two hosts at it, for tests that read like a packet trace. */
import { INTERFACES_MAX } from "../../assembly/layout.js";
import { parse } from "../../src/config/parse.js";
import { Dataplane } from "../../src/index.js";
import { readCoreFile } from "../../src/io/wasm.js";
import { ethernet, FLAG, ip, tcp, type TcpFields } from "../support/frames.js";
import { ModelFirewall } from "./firewall.js";
import type { ModelOptions } from "./policy.js";

/** The compiled core, once for all instances of a test file. */
export const coreModule = new WebAssembly.Module(new Uint8Array(await readCoreFile()));

/** Hash keys that are the same in every run. */
const SEED = Uint8Array.from({ length: 64 }, (_, i) => (i * 41 + 3) & 255);

export const INSIDE = "GigabitEthernet0/0";
export const OUTSIDE = "GigabitEthernet0/1";

export interface Result {
  verdict: string;
  reason: string;
  ingress: string | undefined;
  egress: string | undefined;
  rule: string | undefined;
}

export interface Arrival {
  /** Interface name; undefined: by the source address. */
  on: string | undefined;
  wireLength?: number;
  ethertype?: number;
}

/** What the two firewalls are asked for. */
interface Subject {
  arrive(frame: Uint8Array, arrival: Arrival, nowMs: number): Result[];
  expire(nowMs: number): Result[];
  sessions(): { state: string; timeoutMs: number }[];
  counts(): { created: number; reopened: number; current: number; synIgnored: number };
}

export type LabOptions = ModelOptions & { config: string };

class CoreSubject implements Subject {
  private readonly firewall: Dataplane;

  constructor(options: LabOptions) {
    const capacity = { sessions: 1024, ...options.capacity };
    this.firewall = Dataplane.createSync(coreModule, { ...options, capacity, seed: SEED });
  }

  arrive(frame: Uint8Array, { on, wireLength, ethertype }: Arrival, nowMs: number): Result[] {
    const { batch } = this.firewall;
    batch.clear();
    const ingress = on === undefined ? 0 : (this.firewall.interfaceNumber(on) ?? INTERFACES_MAX);
    batch.add(frame, ingress, 0, { wireLength, ethertype });
    return this.results(this.firewall.process(nowMs));
  }

  expire(nowMs: number): Result[] {
    return this.results(this.firewall.expire(nowMs));
  }

  sessions(): { state: string; timeoutMs: number }[] {
    return [...this.firewall.sessions()].map(({ state, timeoutMs }) => ({ state, timeoutMs }));
  }

  counts() {
    const { sessions, synIgnored } = this.firewall.counters();
    const { created, reopened, current } = sessions;
    return { created, reopened, current, synIgnored };
  }

  private results(count: number): Result[] {
    const { batch, interfaces } = this.firewall;
    const rules = this.firewall.rules();
    return Array.from({ length: count }, (_, i) => {
      const rule = rules[batch.rule(i) - 1];
      return {
        verdict: batch.verdict(i),
        reason: batch.reason(i),
        ingress: interfaces[batch.ingress(i)] || undefined,
        egress: interfaces[batch.egress(i)] || undefined,
        rule: rule && `${rule.list} ${rule.sequence}`,
      };
    });
  }
}

class ModelSubject implements Subject {
  private readonly firewall: ModelFirewall;

  constructor(options: LabOptions) {
    const { config, diagnostics } = parse(options.config);
    if (diagnostics.some(({ severity }) => severity === "error"))
      throw new Error(JSON.stringify(diagnostics));
    this.firewall = new ModelFirewall(config, {
      ...options,
      capacity: { sessions: 1024, ...options.capacity },
    });
  }

  arrive(bytes: Uint8Array, { on, wireLength = bytes.length, ethertype }: Arrival, nowMs: number): Result[] {
    return this.firewall.step({ bytes, wireLength, ingress: on, ethertype, cookie: 0 }, nowMs);
  }

  expire(nowMs: number): Result[] {
    return this.firewall.expire(nowMs);
  }

  sessions(): { state: string; timeoutMs: number }[] {
    return this.firewall.sessions.all().map(({ tcp, halfOpen, timeoutMs }) => {
      const state = tcp?.state.toLowerCase() ?? (halfOpen ? "opening" : "open");
      return { state, timeoutMs };
    });
  }

  counts() {
    const { ended, synIgnored } = this.firewall.counters;
    const { created, size } = this.firewall.sessions;
    return { created, reopened: ended.reopened, current: size, synIgnored };
  }
}

/** The firewalls that the tables hold for. */
export const SUBJECTS = ["core", "model"] as const;
export type SubjectName = (typeof SUBJECTS)[number];

/** One firewall and its clock. */
export class Lab {
  readonly subject: Subject;
  nowMs = 1000;

  constructor(name: SubjectName, options: LabOptions) {
    this.subject = name === "core" ? new CoreSubject(options) : new ModelSubject(options);
  }

  /** Gives one frame to the firewall; its verdict. */
  arrive(frame: Uint8Array, arrival: Arrival): Result {
    return this.subject.arrive(frame, arrival, this.nowMs)[0]!;
  }

  /** A sound frame around an IP packet. */
  packet(packet: Uint8Array, on: string | undefined): Result {
    return this.arrive(ethernet(packet), { on });
  }

  /** Lets time pass; what was released. */
  wait(milliseconds: number): Result[] {
    this.nowMs += milliseconds;
    return this.subject.expire(this.nowMs);
  }
}

/** Inspection from the inside, nothing from the outside. */
export const OFFICE = `
ip inspect name FW tcp timeout 600
ip inspect name FW udp
ip inspect name FW icmp
ip inspect tcp synwait-time 20
ip inspect tcp finwait-time 5
interface ${INSIDE}
 ip address 10.1.0.1 255.255.255.0
 ip inspect FW in
!
interface ${OUTSIDE}
 ip address 198.51.100.1 255.255.255.0
 ip access-group CLOSED in
!
ip route 0.0.0.0 0.0.0.0 198.51.100.254
ip access-list extended CLOSED
 deny ip any any
`;

export const CLIENT = "10.1.0.10";
export const SERVER = "203.0.113.80";
export const CLIENT_PORT = 40_000;
export const SERVER_PORT = 80;
/** Sequence numbers of the two SYNs. */
export const CLIENT_ISN = 1000;
export const SERVER_ISN = 500_000;
/** What both advertise, unscaled, unless a segment says otherwise. */
export const WINDOW = 8192;

type Segment = Omit<Partial<TcpFields>, "payload"> & { payload?: number };

/** A TCP connection through a firewall: `c` sends from the client, `s` from the server. */
export class Talk {
  readonly lab: Lab;

  constructor(name: SubjectName) {
    this.lab = new Lab(name, { config: OFFICE });
  }

  /** From the client; `payload` is a length. */
  c(flags: string, fields: Segment = {}): Result {
    const ports = { sourcePort: CLIENT_PORT, destinationPort: SERVER_PORT };
    const segment = tcp({ ...ports, ...asTcp(flags, fields) });
    return this.lab.packet(ip({ source: CLIENT, destination: SERVER }, segment), INSIDE);
  }

  /** From the server. */
  s(flags: string, fields: Segment = {}): Result {
    const ports = { sourcePort: SERVER_PORT, destinationPort: CLIENT_PORT };
    const segment = tcp({ ...ports, ...asTcp(flags, fields) });
    return this.lab.packet(ip({ source: SERVER, destination: CLIENT }, segment), OUTSIDE);
  }

  /** The state of the one session; undefined: there is none. */
  state(): string | undefined {
    return this.lab.subject.sessions()[0]?.state;
  }

  /** Idle time after which the session ends. */
  timeoutMs(): number | undefined {
    return this.lab.subject.sessions()[0]?.timeoutMs;
  }

  /** The three packets of the handshake. */
  open(client: Segment = {}, server: Segment = {}): this {
    this.c("S", { seq: CLIENT_ISN, ...client });
    this.s("SA", { seq: SERVER_ISN, ack: CLIENT_ISN + 1, ...server });
    this.c("A", { seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1 });
    return this;
  }
}

const FLAG_LETTERS: Record<string, number> = {
  S: FLAG.syn,
  A: FLAG.ack,
  F: FLAG.fin,
  R: FLAG.rst,
  U: FLAG.urg,
  P: FLAG.psh,
};

function asTcp(flags: string, { payload = 0, ...fields }: Segment): Partial<TcpFields> {
  const bits = [...flags].reduce((sum, letter) => sum | FLAG_LETTERS[letter]!, 0);
  return { window: WINDOW, ...fields, flags: bits, payload: new Uint8Array(payload) };
}
