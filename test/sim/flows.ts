/**
 * What the hosts around the pair do: conversations that the policy admits, packets that it does not, and packets that
 * somebody forges into the conversations of others. A packet is carried as an object beside its frame, so no host has to
 * parse anything.
 */
import { formatIpv4, parseAddress } from "../../src/ip.js";
import type { Random } from "../model/random.js";
import {
  ethernet,
  FLAG,
  icmp,
  ipv4,
  PROTOCOL,
  type Segment as Transport,
  tcp,
  udp,
} from "../support/frames.js";
import { MSS, type Segment, TcpEnd, type TcpWorld, WINDOW } from "./tcp.js";
import { INSIDE, OUTSIDE } from "./variant.js";

export type Side = "client" | "server";

export interface Packet {
  readonly flow: Flow;
  readonly from: Side;
  /** The network on which its sender is. */
  readonly network: string;
  readonly frame: Uint8Array;
  readonly text: string;
  /** No policy admits it, and it belongs to nothing that one admitted. */
  readonly isForbidden: boolean;
  /** A FIN or RST of the sender itself: the session may end. */
  readonly isLast: boolean;
  /** At the receiver. */
  readonly deliver: () => void;
}

/** The world around a flow. */
export interface Surroundings {
  readonly random: Random;
  send(packet: Packet): void;
  wait(afterMs: number, run: () => void): void;
  /** Other flows, for those who meddle. */
  readonly flows: readonly Flow[];
}

/**
 * tcp: from the inside; published: to the web server inside; udp and echo: queries and answers; stream: one datagram from
 * the inside, and then only answers. The others send what must not pass: telnet from the inside, scan from the outside,
 * forged: resets in the name of servers.
 */
export type FlowKind = "tcp" | "published" | "udp" | "echo" | "stream" | "telnet" | "scan" | "forged";

/** How a TCP conversation ends, when its turns are over. */
export type Ending = "client" | "server" | "both" | "reset";

export interface FlowPlan {
  readonly kind: FlowKind;
  /** After the start of the traffic. */
  readonly atMs: number;
  /** Questions with their answers; Infinity: until the hosts are stopped. */
  readonly turns: number;
  readonly requestBytes: number;
  readonly replyBytes: number;
  /** Between an answer and the next question. */
  readonly thinkMs: number;
  readonly ending: Ending;
}

const SERVER = parseAddress("198.51.100.80") as number;
const INSIDE_NET = parseAddress("10.1.1.0") as number;
const WEB = INSIDE_NET + 80;
const OUTSIDE_CLIENTS = parseAddress("192.0.2.0") as number;
const RETRY_MS = 150;
const HOSTS_INSIDE = 8;

export abstract class Flow {
  readonly index: number;
  readonly plan: FlowPlan;
  protected readonly around: Surroundings;
  readonly client: number;
  readonly server: number;
  readonly clientPort: number;
  readonly serverPort: number;
  /** Networks of both. */
  readonly networks: Readonly<Record<Side, string>>;
  isStopped = false;
  /** A FIN or RST was sent: nothing is promised any more. */
  isClosing = false;
  /** Answers that arrived. */
  answers = 0;

  constructor(index: number, plan: FlowPlan, around: Surroundings, serverPort: number) {
    this.index = index;
    this.plan = plan;
    this.around = around;
    const isInbound = plan.kind === "published" || plan.kind === "scan";
    this.client = isInbound ? OUTSIDE_CLIENTS + 10 + (index % 50) : INSIDE_NET + 10 + (index % HOSTS_INSIDE);
    this.server = isInbound ? WEB : SERVER;
    this.clientPort = 20_000 + index;
    this.serverPort = serverPort;
    this.networks = isInbound ? { client: OUTSIDE, server: INSIDE } : { client: INSIDE, server: OUTSIDE };
  }

  get name(): string {
    return `${this.plan.kind}${this.index}`;
  }

  /** Protocol, address and port of the client, which tell its session from all others. */
  get initiator(): string {
    const { kind } = this.plan;
    const protocol =
      kind === "tcp" || kind === "published" ? PROTOCOL.tcp : kind === "echo" ? PROTOCOL.icmp : PROTOCOL.udp;
    return `${protocol} ${formatIpv4(this.client)} ${this.clientPort}`;
  }

  /** Whether both ends expect it to go on. */
  get isOpen(): boolean {
    return this.answers > 0 && !this.isClosing && !this.isStopped;
  }

  abstract start(): void;

  stop(): void {
    this.isStopped = true;
  }

  /** A forged segment of an end, if the flow is one that knows resets. */
  forge(_random: Random): Transport | undefined {
    return undefined;
  }

  protected wait(afterMs: number, run: () => void): void {
    this.around.wait(afterMs, () => {
      if (!this.isStopped) run();
    });
  }

  protected packet(
    from: Side,
    transport: Transport,
    text: string,
    deliver: () => void,
    facts: { isForbidden?: boolean; isLast?: boolean } = {},
  ): void {
    const [source, destination] = from === "client" ? [this.client, this.server] : [this.server, this.client];
    const { isForbidden = false, isLast = false } = facts;
    if (isLast) this.isClosing = true;
    this.around.send({
      flow: this,
      from,
      network: this.networks[from],
      frame: ethernet(ipv4({ source, destination }, transport)),
      text: `${this.name} ${from === "client" ? ">" : "<"} ${text}`,
      isForbidden,
      isLast,
      deliver: () => {
        if (!this.isStopped) deliver();
      },
    });
  }
}

const zeros = new Uint8Array(2 * MSS);

export class TcpFlow extends Flow {
  readonly ends: Readonly<Record<Side, TcpEnd>>;
  #turnsLeft: number;
  /** Bytes that an end still waits for. */
  readonly #awaited: Record<Side, number> = { client: 0, server: 0 };

  constructor(index: number, plan: FlowPlan, around: Surroundings) {
    super(index, plan, around, plan.kind === "published" ? 80 : 443);
    this.#turnsLeft = plan.turns;
    // Near the end of the number space as often as not.
    const initial = (): number =>
      around.random.chance(0.3) ? -around.random.int(3000) >>> 0 : around.random.u32();
    this.ends = {
      client: new TcpEnd(initial(), this.#worldOf("client")),
      server: new TcpEnd(initial(), this.#worldOf("server")),
    };
  }

  start(): void {
    this.ends.server.state = "listen";
    this.ends.client.connect();
  }

  override stop(): void {
    super.stop();
    this.ends.client.stop();
    this.ends.server.stop();
  }

  override get isOpen(): boolean {
    return super.isOpen && this.ends.client.state === "established";
  }

  override forge(random: Random): Transport {
    return this.#transport("server", {
      seq: random.u32(),
      ack: random.u32(),
      syn: false,
      fin: false,
      rst: true,
      hasAck: random.chance(0.5),
      length: 0,
    });
  }

  #worldOf(side: Side): TcpWorld {
    return {
      send: (segment) => this.#send(side, segment),
      wait: (afterMs, run) => this.wait(afterMs, run),
      received: (bytes) => this.#received(side, bytes),
      established: () => {
        if (side === "client") this.#ask();
      },
    };
  }

  #send(side: Side, segment: Segment): void {
    const { syn, fin, rst, hasAck, length, seq, ack } = segment;
    const flags = `${syn ? "S" : ""}${fin ? "F" : ""}${rst ? "R" : ""}${hasAck ? "." : ""}`;
    const other = this.ends[side === "client" ? "server" : "client"];
    const text = `${flags} ${seq}+${length} ack ${ack}`;
    this.packet(side, this.#transport(side, segment), text, () => other.receive(segment), {
      isLast: fin || rst,
    });
  }

  #transport(side: Side, { seq, ack, syn, fin, rst, hasAck, length }: Segment): Transport {
    const flags =
      (syn ? FLAG.syn : 0) | (fin ? FLAG.fin : 0) | (rst ? FLAG.rst : 0) | (hasAck ? FLAG.ack : 0);
    const [sourcePort, destinationPort] =
      side === "client" ? [this.clientPort, this.serverPort] : [this.serverPort, this.clientPort];
    const numbers = { seq, ack: hasAck ? ack : 0, flags, window: WINDOW };
    return tcp({ sourcePort, destinationPort, ...numbers, payload: zeros.subarray(0, length) });
  }

  #ask(): void {
    const { requestBytes, replyBytes } = this.plan;
    this.#turnsLeft--;
    this.#awaited.server += requestBytes;
    this.#awaited.client += replyBytes;
    this.ends.client.write(requestBytes);
  }

  #received(side: Side, bytes: number): void {
    this.#awaited[side] -= bytes;
    if (this.#awaited[side] > 0) return;
    if (side === "server") {
      this.ends.server.write(this.plan.replyBytes);
      return;
    }
    this.answers++;
    this.wait(this.plan.thinkMs, () => {
      if (this.#turnsLeft > 0) this.#ask();
      else this.#end();
    });
  }

  #end(): void {
    const { client, server } = this.ends;
    const { ending } = this.plan;
    if (ending === "reset") client.reset();
    if (ending === "client" || ending === "both") client.finish();
    if (ending === "server" || ending === "both") server.finish();
    // The other end closes a moment later.
    this.wait(30, () => {
      if (ending === "client") server.finish();
      if (ending === "server") client.finish();
    });
  }
}

/** Questions and answers without a connection, by UDP or ICMP; a question without an answer is asked again. */
export class QueryFlow extends Flow {
  #asked = 0;
  #answered = 0;

  constructor(index: number, plan: FlowPlan, around: Surroundings) {
    super(index, plan, around, 4000);
  }

  override get isOpen(): boolean {
    return super.isOpen && this.#answered < this.plan.turns;
  }

  start(): void {
    if (this.#answered >= this.plan.turns) return;
    this.#ask(++this.#asked);
  }

  #ask(number: number): void {
    if (this.#answered >= number) return;
    this.packet("client", this.#transport("client", number), `query ${number}`, () => {
      this.wait(this.plan.thinkMs / 4, () =>
        this.packet("server", this.#transport("server", number), `answer ${number}`, () =>
          this.#take(number),
        ),
      );
    });
    this.wait(RETRY_MS, () => this.#ask(number));
  }

  #take(number: number): void {
    if (number <= this.#answered) return;
    this.#answered = number;
    this.answers++;
    this.wait(this.plan.thinkMs, () => this.start());
  }

  #transport(from: Side, number: number): Transport {
    const isQuery = from === "client";
    const payload = zeros.subarray(0, isQuery ? 20 : 60);
    if (this.plan.kind === "echo")
      return icmp({ type: isQuery ? 8 : 0, identifier: this.clientPort, sequence: number, payload });
    const [sourcePort, destinationPort] = isQuery
      ? [this.clientPort, this.serverPort]
      : [this.serverPort, this.clientPort];
    return udp({ sourcePort, destinationPort, payload });
  }
}

/** One datagram from the inside; then the server sends, and nothing comes from the inside any more. */
export class StreamFlow extends Flow {
  constructor(index: number, plan: FlowPlan, around: Surroundings) {
    super(index, plan, around, 5004);
  }

  start(): void {
    if (this.answers > 0) return;
    const [sourcePort, destinationPort] = [this.clientPort, this.serverPort];
    const payload = zeros.subarray(0, 20);
    this.packet("client", udp({ sourcePort, destinationPort, payload }), "subscribe", () => this.#push());
    this.wait(RETRY_MS, () => this.start());
  }

  #isPushing = false;

  #push(): void {
    if (this.#isPushing) return;
    this.#isPushing = true;
    const next = (): void => {
      const [sourcePort, destinationPort] = [this.serverPort, this.clientPort];
      const payload = zeros.subarray(0, 100);
      this.packet("server", udp({ sourcePort, destinationPort, payload }), "push", () => {
        this.answers++;
      });
      this.wait(this.plan.thinkMs, next);
    };
    next();
  }
}

/** Sends what must not pass, again and again. */
export class ForbiddenFlow extends Flow {
  constructor(index: number, plan: FlowPlan, around: Surroundings) {
    super(index, plan, around, 23);
  }

  start(): void {
    const { kind, thinkMs } = this.plan;
    if (kind === "telnet") this.#offer(tcp({ ...this.#ports(23) }), "telnet");
    else if (kind === "scan") this.#scan();
    else this.#forge();
    this.wait(thinkMs, () => this.start());
  }

  #ports(destinationPort: number): { sourcePort: number; destinationPort: number } {
    return { sourcePort: this.clientPort, destinationPort };
  }

  #offer(transport: Transport, text: string): void {
    this.packet("client", transport, text, () => {}, { isForbidden: true });
  }

  #scan(): void {
    const { random } = this.around;
    const ports = this.#ports(random.between(81, 60_000));
    const transport = random.weighted<() => Transport>([
      [3, () => tcp(ports)],
      [1, () => tcp({ ...ports, flags: FLAG.ack, seq: random.u32(), ack: random.u32() })],
      [1, () => tcp({ ...ports, flags: FLAG.syn | FLAG.ack, seq: random.u32(), ack: random.u32() })],
      [2, () => udp({ ...ports, payload: zeros.subarray(0, 30) })],
      [1, () => icmp({ type: 0, identifier: random.int(65_536), sequence: 1 })],
    ])();
    this.#offer(transport, "scan");
  }

  /** A reset in the name of the server of another flow, with numbers that are guessed. */
  #forge(): void {
    const { random, flows } = this.around;
    const victim = random.pick(flows);
    const transport = victim.forge(random);
    if (transport === undefined || victim.plan.kind === "published") return;
    this.around.send({
      flow: this,
      from: "server",
      network: OUTSIDE,
      frame: ethernet(ipv4({ source: victim.server, destination: victim.client }, transport)),
      text: `${this.name} < forged reset for ${victim.name}`,
      isForbidden: true,
      isLast: false,
      deliver: () => {},
    });
  }
}

export function newFlow(index: number, plan: FlowPlan, around: Surroundings): Flow {
  switch (plan.kind) {
    case "tcp":
    case "published":
      return new TcpFlow(index, plan, around);
    case "udp":
    case "echo":
      return new QueryFlow(index, plan, around);
    case "stream":
      return new StreamFlow(index, plan, around);
    case "telnet":
    case "scan":
    case "forged":
      return new ForbiddenFlow(index, plan, around);
  }
}
