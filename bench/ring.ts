/**
 * The frames of a benchmark: a ring of 65,536 frames of 64 to 128 bytes in the memory of the core, in which every way
 * of doing the work finds them. What a frame belongs to is a function of its place in the stream, so the same frames
 * can be made again for each contender.
 *
 * Flow f: 10.0.1.0 + f (or 2001:db8:1::f) inside, 198.18.1.0 + f mod 65536 (or 2001:db8:2::) port 443 outside. All
 * TCP sessions start at the same sequence numbers and scale their windows by 14, so a segment whose sequence number is
 * its place in the stream is new and inside the window of whatever session it belongs to.
 */
import * as L from "../assembly/layout.js";
import type { Core } from "../src/core.js";
import {
  ETHERTYPE,
  ethernet,
  FLAG,
  ipv4,
  ipv6,
  type Segment,
  tcp,
  tcpOption,
  udp,
} from "../test/support/frames.js";
import { INSIDE, OUTSIDE } from "./policy.js";
import { scramble } from "./scramble.js";

/** Frames of the ring, and bytes from one to the next. */
export const RING_FRAMES = 65536;
export const RING_SLOT = 128;

export type Protocol = "tcp" | "udp" | "tcp6" | "udp6";

/** What the frames do to their sessions: create them, answer, complete the handshake in both directions, use them. */
export type Phase = "open" | "answer" | "confirm" | "widen" | "data";

/** What makes open sessions of a protocol, in order. */
export const OPENING: Readonly<Record<"tcp" | "udp", readonly Phase[]>> = {
  tcp: ["open", "answer", "confirm", "widen"],
  udp: ["open", "answer"],
};

export const isTcp = (protocol: Protocol): boolean => protocol.startsWith("tcp");
export const isV6 = (protocol: Protocol): boolean => protocol.endsWith("6");

const LENGTH_MIN = 64;
const LENGTH_MAX = 128;
/** Ethernet pads shorter frames. */
const PADDED = 60;
const ETHERNET_HEADER = 14;
const INSIDE_NET = 0x0a000100;
const OUTSIDE_NET = 0xc6120100;
/** Flows beyond this many addresses get another port. */
const ADDRESS_BITS = 22;
const FIRST_PORT = 32768;
const SERVER_PORT = 443;
const INITIATOR_SEQ = 0x10000000;
const RESPONDER_SEQ = 0x20000000;
const WINDOW_SCALE = 14;

/** Flow of the frame at a place of the stream: uniformly random over `flows`, a power of two. */
export const randomFlow =
  (flows: number) =>
  (place: number): number =>
    scramble(place) & (flows - 1);

export class Ring {
  /** Of each slot: bytes of the frame; ingress, DF_* and ethertype as descriptors hold them. */
  readonly slots = new Uint32Array(RING_FRAMES * 2);
  readonly protocol: Protocol;
  readonly #v6: boolean;
  readonly #tcp: boolean;
  readonly #core: Core;
  readonly #view: DataView;
  readonly #at: number;
  /** Sum of the IPv4 header without addresses and checksum. */
  readonly #sums = new Uint32Array(RING_FRAMES);
  #phase: Phase = "open";

  constructor(core: Core, protocol: Protocol) {
    this.#core = core;
    this.#view = core.view;
    this.#at = core.plan.regions.bytes.at;
    this.protocol = protocol;
    this.#v6 = isV6(protocol);
    this.#tcp = isTcp(protocol);
    if (core.plan.batchBytes < RING_FRAMES * RING_SLOT) throw new Error("the core has no room for the ring");
  }

  /** Groups of the table of the core. */
  get groups(): number {
    return this.#core.plan.groups;
  }

  /** Writes what does not depend on the flow. */
  prepare(phase: Phase): void {
    this.#phase = phase;
    const templates = new Map<number, Uint8Array>();
    for (let slot = 0; slot < RING_FRAMES; slot++) {
      const random = scramble(slot + 1);
      const answers = phase === "data" ? random & 1 : phase === "answer" || phase === "widen" ? 1 : 0;
      const wanted = phase === "data" ? LENGTH_MIN + ((random >>> 1) % (LENGTH_MAX - LENGTH_MIN + 1)) : 0;
      const key = wanted * 2 + answers;
      let frame = templates.get(key);
      if (frame === undefined) {
        frame = this.#template(answers === 1, wanted);
        templates.set(key, frame);
      }
      this.#core.bytes.set(frame, this.#at + slot * RING_SLOT);
      this.slots[slot * 2] = frame.length;
      this.slots[slot * 2 + 1] = (answers === 1 ? OUTSIDE : INSIDE) | (L.DF_CHECKSUM_OK << 8);
      this.#sums[slot] = this.#v6 ? 0 : sumWithoutAddresses(frame);
    }
  }

  #template(answers: boolean, wanted: number): Uint8Array {
    const [sourcePort, destinationPort] = answers ? [SERVER_PORT, FIRST_PORT] : [FIRST_PORT, SERVER_PORT];
    const headers = ETHERNET_HEADER + (this.#v6 ? 40 : 20) + (this.#tcp ? 20 : 8);
    const payload = new Uint8Array(Math.max(wanted - headers, 0));
    let segment: Segment;
    if (this.#tcp) {
      const opens = this.#phase === "open" || this.#phase === "answer";
      const options = opens
        ? [...tcpOption.mss(1460), ...tcpOption.sackPermitted(), ...tcpOption.windowScale(WINDOW_SCALE)]
        : [];
      const flags = (opens ? FLAG.syn : 0) | (this.#phase === "open" ? 0 : FLAG.ack);
      segment = tcp({ sourcePort, destinationPort, flags, options, payload });
    } else {
      segment = udp({ sourcePort, destinationPort, payload });
    }
    const packet = this.#v6
      ? ipv6({ source: 0n, destination: 0n }, segment)
      : ipv4({ source: 0, destination: 0 }, segment);
    const type = this.#v6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
    const trailer = new Uint8Array(Math.max(PADDED - ETHERNET_HEADER - packet.length, 0));
    return ethernet(packet, { type, trailer });
  }

  /** Writes what depends on the flow and on the place: the slots from `first` on are the places from `place` on. */
  fill(flowOf: (place: number) => number, place: number, first = 0, count = RING_FRAMES): void {
    for (let slot = first; slot < first + count; slot++, place++) {
      const flow = flowOf(place);
      const answers = (this.slots[slot * 2 + 1]! & 0xff) === OUTSIDE;
      const network = this.#at + slot * RING_SLOT + ETHERNET_HEADER;
      const transport = this.#v6
        ? this.#address6(network, flow, answers)
        : this.#address4(network, flow, answers, this.#sums[slot]!);
      this.#view.setUint16(transport + (answers ? 2 : 0), FIRST_PORT + (flow >>> ADDRESS_BITS));
      if (this.#tcp) this.#number(transport, answers, place);
    }
  }

  #address4(network: number, flow: number, answers: boolean, sum: number): number {
    const inside = INSIDE_NET + (flow & ((1 << ADDRESS_BITS) - 1));
    const outside = OUTSIDE_NET + (flow & 0xffff);
    this.#view.setUint32(network + 12, answers ? outside : inside);
    this.#view.setUint32(network + 16, answers ? inside : outside);
    let total = sum + (inside >>> 16) + (inside & 0xffff) + (outside >>> 16) + (outside & 0xffff);
    total = (total & 0xffff) + (total >>> 16);
    total = (total & 0xffff) + (total >>> 16);
    this.#view.setUint16(network + 10, ~total & 0xffff);
    return network + 20;
  }

  #address6(network: number, flow: number, answers: boolean): number {
    const inside = network + (answers ? 24 : 8);
    const outside = network + (answers ? 8 : 24);
    this.#view.setUint32(inside, 0x20010db8);
    this.#view.setUint32(inside + 4, 0x00010000);
    this.#view.setUint32(inside + 12, 0x100 + (flow & ((1 << ADDRESS_BITS) - 1)));
    this.#view.setUint32(outside, 0x20010db8);
    this.#view.setUint32(outside + 4, 0x00020000);
    this.#view.setUint32(outside + 12, 0x100 + (flow & 0xffff));
    return network + 40;
  }

  #number(transport: number, answers: boolean, place: number): void {
    const opens = this.#phase === "open" || this.#phase === "answer";
    const own = (answers ? RESPONDER_SEQ : INITIATOR_SEQ) + (opens ? 0 : 1);
    const other = (answers ? INITIATOR_SEQ : RESPONDER_SEQ) + 1;
    this.#view.setUint32(transport + 4, this.#phase === "data" ? own + place : own);
    this.#view.setUint32(transport + 8, this.#phase === "open" ? 0 : other);
  }

  /** Describes the frames from `first` on as the batch: what the host writes before each call. */
  describe(first: number, count: number): void {
    const { words, plan } = this.#core;
    const { slots } = this;
    let word = plan.regions.descriptors.at >>> 2;
    let address = this.#at + first * RING_SLOT;
    for (let i = first * 2; i < (first + count) * 2; i += 2) {
      words[word + (L.D_OFFSET >>> 2)] = address;
      words[word + (L.D_CAPTURED >>> 2)] = slots[i]!;
      words[word + (L.D_WIRE >>> 2)] = slots[i]!;
      words[word + (L.D_INGRESS >>> 2)] = slots[i + 1]!;
      word += L.DESC_SIZE >>> 2;
      address += RING_SLOT;
    }
  }

  /** A copy of the first `count` descriptors. */
  descriptors(count: number): Uint8Array<ArrayBuffer> {
    const { at } = this.#core.plan.regions.descriptors;
    return this.#core.bytes.slice(at, at + count * L.DESC_SIZE);
  }

  /** The bytes of a slot, to be changed. */
  frame(slot: number): Uint8Array {
    const at = this.#at + slot * RING_SLOT;
    return this.#core.bytes.subarray(at, at + this.slots[slot * 2]!);
  }
}

function sumWithoutAddresses(frame: Uint8Array): number {
  let sum = 0;
  for (let at = ETHERNET_HEADER; at < ETHERNET_HEADER + 12; at += 2) {
    if (at !== ETHERNET_HEADER + 10) sum += (frame[at]! << 8) | frame[at + 1]!;
  }
  return sum;
}
