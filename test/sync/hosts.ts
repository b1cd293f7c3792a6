/**
 * Two correct TCP hosts with a stream each, and the way between them through a firewall: loss and reordering before and
 * behind it, retransmission of both schools, selective acknowledgements, windows that close. Nothing here cheats; what a
 * firewall drops of it, it drops wrongly.
 */
import type { Random } from "../model/random.js";
import { tcpOption } from "../support/frames.js";
import type { Answer } from "./pair.js";
import type { Fields, Talk } from "./talk.js";

const MSS = 1000;
/** Steps without progress after which the first segment is sent again. */
const PATIENCE = 12;
/** Idle steps after which a host asks whether the other one is still there. */
const KEEPALIVE = 60;

export interface Traits {
  sack: boolean;
  scale: number;
  /** Bytes to send. */
  bytes: number;
  /** Receive buffer. */
  buffer: number;
  /** After a timeout everything is sent again from the first hole on, as BSD does. */
  goesBack: boolean;
}

interface Segment {
  flags: string;
  fields: Fields;
}

const diff = (a: number, b: number): number => (a - b) | 0;

class Host {
  readonly traits: Traits;
  readonly #r: Random;
  readonly isn: number;
  /** First unacknowledged, next to send, highest sent; all modulo 2^32. */
  una: number;
  next: number;
  highest: number;
  /** Right edge that the other side has offered. */
  edge = 0;
  /** Next expected, and what lies behind a hole: seq -> end. */
  expected = 0;
  readonly beyond = new Map<number, number>();
  /** Bytes received that the application has not read. */
  #unread = 0;
  #acksDue = 0;
  #silence = 0;
  peerScale = 0;
  scale = 0;
  usesSack = false;
  hasFinished = false;

  constructor(r: Random, traits: Traits) {
    this.#r = r;
    this.traits = traits;
    this.isn = r.chance(0.3) ? (0xffffffff - r.int(20_000)) >>> 0 : r.u32();
    this.una = this.next = this.highest = (this.isn + 1) >>> 0;
  }

  get start(): number {
    return (this.isn + 1) >>> 0;
  }

  /** The number of the FIN. */
  get fin(): number {
    return (this.start + this.traits.bytes) >>> 0;
  }

  /** Everything is sent and acknowledged, FIN and all. */
  get isAcknowledged(): boolean {
    return diff(this.una, this.fin) > 0;
  }

  synOptions(): number[] {
    return [
      ...tcpOption.windowScale(this.traits.scale),
      ...(this.traits.sack ? tcpOption.sackPermitted() : []),
    ];
  }

  #window(): number {
    return Math.min(65535, Math.max(0, this.traits.buffer - this.#unread) >> this.scale);
  }

  #segment(flags: string, seq: number, payload: number): Segment {
    const edges = [...this.beyond].slice(0, 3).flat();
    const options = this.usesSack && edges.length > 0 ? tcpOption.sack(...edges) : [];
    this.#acksDue = 0;
    return { flags, fields: { seq, ack: this.expected, payload, window: this.#window(), options } };
  }

  /** What the host sends in a step. */
  *step(): Generator<Segment> {
    const r = this.#r;
    if (this.#unread > 0 && r.chance(0.7)) {
      const closed = this.#window() === 0;
      this.#unread = Math.max(0, this.#unread - r.int(4000));
      if (closed && this.#window() > 0) this.#acksDue++;
    }
    this.#silence++;
    const outstanding = diff(this.highest, this.una) > 0;
    if (outstanding && this.#silence > PATIENCE) {
      this.#silence = 0;
      if (this.traits.goesBack) this.next = this.una;
      else yield this.#data(this.una);
    } else if (this.#silence > KEEPALIVE) {
      this.#silence = 0;
      if (!this.isAcknowledged && diff(this.edge, this.una) <= 0 && diff(this.una, this.fin) < 0) {
        // The window is closed: a probe of one byte.
        yield this.#segment("A", this.una, 1);
        if (diff(this.una + 1, this.highest) > 0) this.highest = (this.una + 1) >>> 0;
        if (diff(this.next, this.highest) < 0) this.next = this.highest;
      } else {
        yield this.#segment("A", (this.highest - 1) >>> 0, r.int(2));
      }
    }
    for (let burst = r.int(6); burst > 0 && this.#maySend(); burst--) yield this.#data(this.next);
    if (this.#acksDue > 0 && (this.#acksDue > 1 || r.chance(0.5))) yield this.#segment("A", this.highest, 0);
  }

  #maySend(): boolean {
    if (diff(this.next, this.fin) > 0) return false;
    return diff(this.edge, this.next) > 0 || this.next === this.fin;
  }

  /** The segment at `seq`, with FIN when it reaches the end. */
  #data(seq: number): Segment {
    const room = Math.max(diff(this.edge, seq), 1);
    const payload = Math.min(this.#r.chance(0.8) ? MSS : this.#r.between(1, MSS), diff(this.fin, seq), room);
    const end = (seq + Math.max(payload, 0)) >>> 0;
    const fin = end === this.fin;
    const after = (end + (fin ? 1 : 0)) >>> 0;
    if (seq === this.next || diff(after, this.next) > 0) this.next = after;
    if (diff(after, this.highest) > 0) this.highest = after;
    return this.#segment(fin ? "FA" : "A", seq, Math.max(payload, 0));
  }

  /** A segment arrives. */
  take({ flags, fields }: Segment): void {
    const seq = fields.seq!;
    const ack = fields.ack!;
    const payload = fields.payload ?? 0;
    const end = (seq + payload + (flags.includes("F") ? 1 : 0)) >>> 0;
    if (diff(ack, this.una) > 0 && diff(ack, this.highest) <= 0) {
      this.una = ack;
      this.#silence = 0;
      if (diff(this.next, this.una) < 0) this.next = this.una;
    }
    const edge = (ack + fields.window! * 2 ** this.peerScale) >>> 0;
    if (diff(ack, this.una) >= 0 && diff(edge, this.edge) > 0) this.edge = edge;
    if (diff(end, this.expected) > 0) {
      // Beyond the buffer nothing is kept.
      const room = (this.expected + this.traits.buffer - this.#unread) >>> 0;
      if (diff(end, room) <= 1) this.#keep(seq, end, flags.includes("F") ? end : undefined);
      this.#acksDue += 2;
    } else if (payload > 0 || flags.includes("F") || diff(seq, this.expected) < 0) {
      this.#acksDue += 2;
    }
  }

  #keep(seq: number, end: number, fin: number | undefined): void {
    this.beyond.set(seq, end);
    for (let moved = true; moved; ) {
      moved = false;
      for (const [from, to] of this.beyond) {
        if (diff(from, this.expected) > 0) continue;
        this.beyond.delete(from);
        if (diff(to, this.expected) <= 0) continue;
        this.#unread += diff(to, this.expected);
        this.expected = to;
        moved = true;
      }
    }
    if (fin !== undefined) this.#finAt = fin;
    if (this.#finAt !== undefined && this.expected === this.#finAt) this.hasFinished = true;
  }

  #finAt: number | undefined;
}

interface Flying {
  from: "c" | "s";
  segment: Segment;
  dueAt: number;
}

export interface Network {
  loss: number;
  /** Steps that a packet takes at most, on each half of the way. */
  delay: number;
}

/** A connection with both hosts, step by step. */
export class Connection {
  readonly talk: Talk;
  readonly client: Host;
  readonly server: Host;
  /** Answers of the firewall other than "pass". */
  readonly dropped: string[] = [];
  readonly #r: Random;
  readonly #network: Network;
  #toFirewall: Flying[] = [];
  #fromFirewall: Flying[] = [];
  #time = 0;

  /** Opens it: the three packets of the handshake pass. */
  constructor(r: Random, talk: Talk, traits: { client: Traits; server: Traits }, network: Network) {
    this.#r = r;
    this.talk = talk;
    this.#network = network;
    this.client = new Host(r, traits.client);
    this.server = new Host(r, traits.server);
    const { client, server } = this;
    talk.c("S", { seq: client.isn, options: client.synOptions(), window: 65535 });
    talk.s("SA", { seq: server.isn, ack: client.start, options: server.synOptions(), window: 65535 });
    talk.c("A", { seq: client.start, ack: server.start, window: 65535 >> traits.client.scale });
    for (const [own, other] of [
      [client, server],
      [server, client],
    ] as const) {
      own.expected = other.start;
      own.scale = own.traits.scale;
      own.peerScale = other.traits.scale;
      own.usesSack = own.traits.sack && other.traits.sack;
      own.edge = (own.start + Math.min(65535, other.traits.buffer)) >>> 0;
    }
  }

  /** Both streams have arrived, and both hosts know. */
  get isDone(): boolean {
    return (
      this.client.hasFinished &&
      this.server.hasFinished &&
      this.client.isAcknowledged &&
      this.server.isAcknowledged
    );
  }

  step(): void {
    const r = this.#r;
    this.#time++;
    for (const from of ["c", "s"] as const) {
      const host = from === "c" ? this.client : this.server;
      for (const segment of host.step()) this.#launch(this.#toFirewall, { from, segment, dueAt: 0 });
    }
    for (const flying of this.#land("#toFirewall")) {
      const answer: Answer =
        flying.from === "c"
          ? this.talk.c(flying.segment.flags, flying.segment.fields)
          : this.talk.s(flying.segment.flags, flying.segment.fields);
      if (answer.verdict === "pass") this.#launch(this.#fromFirewall, flying);
      else this.dropped.push(`${flying.from} ${answer.reason}`);
    }
    for (const { from, segment } of this.#land("#fromFirewall")) {
      (from === "c" ? this.server : this.client).take(segment);
    }
    if (r.chance(0.3)) this.talk.box.nowMs++;
  }

  #launch(way: Flying[], flying: Flying): void {
    if (this.#r.chance(this.#network.loss)) return;
    way.push({ ...flying, dueAt: this.#time + this.#r.int(this.#network.delay + 1) });
  }

  #land(way: "#toFirewall" | "#fromFirewall"): Flying[] {
    const all = way === "#toFirewall" ? this.#toFirewall : this.#fromFirewall;
    const due = all.filter(({ dueAt }) => dueAt <= this.#time);
    const rest = all.filter(({ dueAt }) => dueAt > this.#time);
    if (way === "#toFirewall") this.#toFirewall = rest;
    else this.#fromFirewall = rest;
    return due;
  }
}
