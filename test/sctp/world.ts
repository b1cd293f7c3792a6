/**
 * Two endpoints in virtual time: up to two links between them with loss, duplication, delay, corruption and cuts, all
 * drawn from a seed; and an application on each that sends numbered messages and checks what arrives.
 */
import type { Chunk } from "../../src/sctp/chunk.js";
import { Endpoint, type EndpointOptions, type SctpAction, type SctpInput } from "../../src/sctp/index.js";
import { type CommonHeader, emitPacket, type Packet, parsePacket } from "../../src/sctp/packet.js";

/** xorshift32: numbers 0..2^32-1 from a seed. */
export function randomOf(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

export interface Faults {
  /** Parts of all packets. */
  loss: number;
  duplicate: number;
  corrupt: number;
  delayMs: number;
  /** Added to the delay, uniformly: packets overtake each other. */
  jitterMs: number;
}

export const PERFECT: Faults = { loss: 0, duplicate: 0, corrupt: 0, delayMs: 1, jitterMs: 0 };

export const SIDES = ["a", "b"] as const;
export type Side = (typeof SIDES)[number];

export const ADDRESSES: Record<Side, number[]> = {
  a: [0x0a000001, 0xd3000001],
  b: [0x0a000002, 0xd3000002],
};
export const PORTS: Record<Side, number> = { a: 5000, b: 5001 };

export interface WorldOptions {
  seed: number;
  /** 1 or 2. */
  paths?: number;
  faults?: Partial<Faults>;
  a?: Partial<EndpointOptions>;
  b?: Partial<EndpointOptions>;
}

/** The bounds of the seed configuration. */
export const SEED_DEFAULTS = {
  rtoMinMs: 300,
  rtoMaxMs: 600,
  pathRetransmit: 4,
  assocRetransmit: 4,
  streams: 3,
} as const;

interface Flight {
  atMs: number;
  order: number;
  to: Side;
  path: number;
  bytes: Uint8Array;
  udpPort: number;
}

export interface Seen {
  atMs: number;
  action: SctpAction;
}

/** The messages of one side, as the other must get them. */
interface Traffic {
  /** Of the machine and of the association, so that a message of before can be told. */
  instance: number;
  generation: number;
  /** Next number of each stream, and of unordered messages. */
  sent: number[];
  unordered: number;
  accepted: number;
}

interface Expectation {
  instance: number;
  generation: number;
  next: number[];
  unordered: Set<number>;
  received: number;
}

const HEADER = 16;
/** With the number of the message added: of no protocol that tshark knows, so that it does not look into messages. */
const PAYLOAD_PROTOCOL = 0x7700_0000;

export class World {
  readonly random: () => number;
  readonly options: WorldOptions;
  nowMs = 0;
  endpoints: Record<Side, Endpoint>;
  readonly seen: Record<Side, Seen[]> = { a: [], b: [] };
  /** Packets by who sent them, when it asked for them. */
  readonly sent: { atMs: number; from: Side; path: number; bytes: Uint8Array }[] = [];
  readonly faults: Record<Side, Faults>[];
  /** isCut[path][from] */
  readonly isCut: Record<Side, boolean>[];
  isRecording = false;
  /** Called for each packet before it flies; may change, keep or drop it. */
  intercept: (from: Side, path: number, bytes: Uint8Array) => Uint8Array | undefined = (_f, _p, bytes) =>
    bytes;
  readonly traffic: Record<Side, Traffic>;
  readonly expected: Record<Side, Expectation>;
  readonly #flights: Flight[] = [];
  #order = 0;
  #instances = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = randomOf(options.seed);
    const faults = { ...PERFECT, ...options.faults };
    const paths = options.paths ?? 1;
    this.faults = Array.from({ length: paths }, () => ({ a: { ...faults }, b: { ...faults } }));
    this.isCut = Array.from({ length: paths }, () => ({ a: false, b: false }));
    this.endpoints = { a: this.newEndpoint("a"), b: this.newEndpoint("b") };
    const fresh = () => ({ instance: ++this.#instances, generation: 0, sent: [], unordered: 0, accepted: 0 });
    this.traffic = { a: fresh(), b: fresh() };
    const none = () => ({ instance: 0, generation: 0, next: [], unordered: new Set<number>(), received: 0 });
    this.expected = { a: none(), b: none() };
  }

  newEndpoint(side: Side): Endpoint {
    const peer = other(side);
    const paths = this.options.paths ?? 1;
    return new Endpoint({
      ...SEED_DEFAULTS,
      localPort: PORTS[side],
      remotePort: PORTS[peer],
      localAddresses: ADDRESSES[side].slice(0, paths),
      remoteAddresses: ADDRESSES[peer].slice(0, paths),
      random: this.random,
      secret: Uint8Array.of(1, 2, 3, side === "a" ? 4 : 5),
      ...this.options[side],
    });
  }

  fraction(): number {
    return this.random() / 2 ** 32;
  }

  step(side: Side, input: SctpInput): SctpAction[] {
    const actions = this.endpoints[side].step(input, this.nowMs);
    for (const action of actions) this.#carryOut(side, action);
    return actions;
  }

  #carryOut(side: Side, action: SctpAction): void {
    if (action.kind === "transmit") {
      const path = ADDRESSES[other(side)].indexOf(action.to as number);
      this.transmit(side, path, action.bytes);
      return;
    }
    this.seen[side].push({ atMs: this.nowMs, action });
    if (action.kind === "message") this.#check(side, action);
    if (action.kind === "up" || action.kind === "restarted") {
      const traffic = this.traffic[side];
      traffic.generation++;
      traffic.sent = [];
      traffic.unordered = 0;
    }
  }

  /** Puts a packet on the link, with what the link does to it. */
  transmit(from: Side, path: number, packet: Uint8Array): void {
    if (this.isRecording) this.sent.push({ atMs: this.nowMs, from, path, bytes: packet });
    const bytes = this.intercept(from, path, packet);
    if (bytes === undefined || this.isCut[path]![from]) return;
    const { loss, duplicate, corrupt, delayMs, jitterMs } = this.faults[path]![from];
    const copies = this.fraction() < duplicate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.fraction() < loss) continue;
      const copy = bytes.slice();
      if (this.fraction() < corrupt) copy[this.random() % copy.length]! ^= 1 << (this.random() % 8);
      const atMs = this.nowMs + delayMs + this.fraction() * jitterMs;
      this.#fly({ atMs, order: this.#order++, to: other(from), path, bytes: copy, udpPort: 9899 });
    }
  }

  #fly(flight: Flight): void {
    const flights = this.#flights;
    let at = flights.length;
    while (at > 0 && flights[at - 1]!.atMs > flight.atMs) at--;
    flights.splice(at, 0, flight);
  }

  /** Hands a datagram in, as if it had come from the peer's address of this path. */
  deliver(to: Side, path: number, bytes: Uint8Array, udpPort = 9899): SctpAction[] {
    const from = ADDRESSES[other(to)][path]!;
    return this.step(to, { kind: "datagram", from, to: ADDRESSES[to][path]!, bytes, udpPort });
  }

  /**
   * A packet to one side as only its peer could make it: right ports, and the right tag unless another is given.
   */
  forge(to: Side, chunks: Chunk[], header: Partial<CommonHeader> = {}): Uint8Array {
    return emitPacket({
      sourcePort: PORTS[other(to)],
      destinationPort: PORTS[to],
      verificationTag: chunks[0]?.kind === "init" ? 0 : this.endpoints[to].view().localTag,
      ...header,
      chunks,
    });
  }

  /** Hands a forged packet in and gives the chunks of what is answered at once. */
  provoke(to: Side, chunks: Chunk[], header: Partial<CommonHeader> = {}, path = 0): Packet[] {
    return packetsOf(this.deliver(to, path, this.forge(to, chunks, header)));
  }

  /** Lets time pass until `untilMs` or until `isDone`. */
  runUntil(untilMs: number, isDone: () => boolean = () => false): boolean {
    // What is waited for is looked at when time has passed, not after each packet of the same moment.
    for (let checkedMs = Number.NaN; ; ) {
      if (checkedMs !== this.nowMs && isDone()) return true;
      checkedMs = this.nowMs;
      const flight = this.#flights[0];
      const deadlines = SIDES.map((side) => this.endpoints[side].deadlineMs);
      const next = Math.min(flight?.atMs ?? Number.POSITIVE_INFINITY, ...deadlines);
      if (next > untilMs) {
        this.nowMs = untilMs;
        return isDone();
      }
      this.nowMs = Math.max(this.nowMs, next);
      if (flight !== undefined && flight.atMs <= this.nowMs) {
        this.#flights.shift();
        this.deliver(flight.to, flight.path, flight.bytes, flight.udpPort);
      } else {
        const side = SIDES.find((each) => this.endpoints[each].deadlineMs <= this.nowMs)!;
        this.step(side, { kind: "tick" });
      }
    }
  }

  runFor(ms: number, isDone?: () => boolean): boolean {
    return this.runUntil(this.nowMs + ms, isDone);
  }

  /** Both connect, and the association is there. */
  connect(): this {
    for (const side of SIDES) this.step(side, { kind: "connect" });
    if (!this.runFor(60_000, () => this.isUp())) throw new Error("no association");
    return this;
  }

  isUp(): boolean {
    return SIDES.every((side) => this.endpoints[side].view().isUp);
  }

  /** The machine is gone with all that it knew, and a new one takes its place. */
  restart(side: Side): void {
    this.endpoints[side] = this.newEndpoint(side);
    this.traffic[side] = { instance: ++this.#instances, generation: 0, sent: [], unordered: 0, accepted: 0 };
    this.expected[side] = { instance: 0, generation: 0, next: [], unordered: new Set(), received: 0 };
  }

  cut(
    isCut: boolean,
    paths: readonly number[] = [...this.isCut.keys()],
    from: readonly Side[] = SIDES,
  ): void {
    for (const path of paths) for (const side of from) this.isCut[path]![side] = isCut;
  }

  /** Sends the next message of a stream; false: refused. */
  send(
    side: Side,
    stream: number,
    size: number,
    options: { isUnordered?: boolean; isMore?: boolean } = {},
  ): boolean {
    const traffic = this.traffic[side];
    const number = options.isUnordered ? traffic.unordered : (traffic.sent[stream] ?? 0);
    const bytes = new Uint8Array(Math.max(size, HEADER)).fill(number & 0xff, HEADER);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, traffic.instance);
    view.setUint32(4, traffic.generation);
    view.setUint32(8, number);
    view.setUint32(12, bytes.length);
    const payloadProtocolId = PAYLOAD_PROTOCOL + number;
    const actions = this.step(side, { kind: "send", stream, payloadProtocolId, bytes, ...options });
    if (actions.some(({ kind }) => kind === "refused")) return false;
    if (options.isUnordered) traffic.unordered++;
    else traffic.sent[stream] = number + 1;
    traffic.accepted++;
    return true;
  }

  /** What arrives is whole, the next message of its stream or an unordered one, of no association that is over. */
  #check(side: Side, message: Extract<SctpAction, { kind: "message" }>): void {
    const { bytes, stream, payloadProtocolId } = message;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [instance, generation, number, size] = [0, 4, 8, 12].map((at) => view.getUint32(at));
    const expected = this.expected[side];
    if (instance !== expected.instance || generation !== expected.generation) {
      if (
        instance! < expected.instance ||
        (instance === expected.instance && generation! < expected.generation)
      ) {
        throw new Error(`a message of association ${instance}/${generation} after ${expected.instance}`);
      }
      expected.instance = instance!;
      expected.generation = generation!;
      expected.next = [];
      expected.unordered = new Set();
    }
    const isWhole = size === bytes.length && isFilled(bytes, HEADER, number! & 0xff);
    if (!isWhole || payloadProtocolId !== PAYLOAD_PROTOCOL + number!)
      throw new Error("a message arrived changed");
    expected.received++;
    if (message.isUnordered) {
      if (expected.unordered.has(number!)) throw new Error(`unordered message ${number} twice`);
      expected.unordered.add(number!);
      return;
    }
    if (number !== (expected.next[stream] ?? 0)) {
      throw new Error(`stream ${stream}: message ${number} instead of ${expected.next[stream] ?? 0}`);
    }
    expected.next[stream] = number! + 1;
  }

  /** Actions of one kind that one side gave. */
  actions<K extends SctpAction["kind"]>(side: Side, kind: K): Extract<SctpAction, { kind: K }>[] {
    return this.seen[side].map(({ action }) => action).filter((action) => action.kind === kind) as never;
  }

  /** When the last action of this kind was given. */
  lastAtMs(side: Side, kind: SctpAction["kind"]): number {
    const seen = this.seen[side].findLast(({ action }) => action.kind === kind);
    if (seen === undefined) throw new Error(`${side} has not seen ${kind}`);
    return seen.atMs;
  }
}

function isFilled(bytes: Uint8Array, start: number, value: number): boolean {
  for (let i = start; i < bytes.length; i++) if (bytes[i] !== value) return false;
  return true;
}

/** The packets among actions, parsed. */
export function packetsOf(actions: readonly SctpAction[]): Packet[] {
  return actions.flatMap((action) => (action.kind === "transmit" ? [parse(action.bytes)] : []));
}

/** A packet that must be one. */
export function parse(bytes: Uint8Array): Packet {
  const packet = parsePacket(bytes);
  if (typeof packet === "string") throw new Error(`no packet: ${packet}`);
  return packet;
}

export function kindsOf(packets: readonly Packet[]): string[] {
  return packets.map(({ chunks }) => chunks.map(({ kind }) => kind).join("+"));
}

export function other(side: Side): Side {
  return side === "a" ? "b" : "a";
}
