/** Hosts as the traffic generator plays them: the packets they send, and what a TCP host knows of its connection. */
import type { Address } from "../../src/ip.js";
import { FLAG, type Segment, tcpOption } from "../support/frames.js";
import type { Random } from "./random.js";

/** A station and the interface behind which it is. */
export interface Host {
  address: Address;
  interface: string;
}

/** One packet of a conversation. */
export interface Emission {
  from: Host;
  to: Host;
  /** Gets its IP header from the traffic generator ... */
  segment?: Segment;
  /** ... unless it has one already ... */
  packet?: Uint8Array;
  /** ... or is a whole frame. */
  frame?: Uint8Array;
  /** Wanted in the IP header. */
  ttl?: number;
  /** The link-layer destination is a group. */
  group?: boolean;
  /** Milliseconds that pass first. */
  waitMs?: number;
}

export type Conversation = Generator<Emission, void, void>;

export const { fin: FIN, syn: SYN, rst: RST, psh: PSH, ack: ACK, urg: URG, ece: ECE, cwr: CWR } = FLAG;
export const add = (a: number, b: number): number => (a + b) >>> 0;
export const EMPTY = new Uint8Array(0);

/** One end of a connection, as it sees itself. */
export class Endpoint {
  readonly host: Host;
  readonly port: number;
  isn: number;
  /** Next sequence number to send. */
  next: number;
  /** Next expected of the other side. */
  expected = 0;
  window: number;
  scale: number | undefined;
  sack: boolean;

  constructor(r: Random, host: Host, port: number) {
    this.host = host;
    this.port = port;
    this.isn = r.chance(0.3) ? add(0xffffffff, -r.int(3000)) : r.u32();
    this.next = this.isn;
    this.window = r.pick([512, 4096, 16384, 65535, 65535]);
    this.scale = r.chance(0.6) ? r.pick([0, 1, 7, 7, 10, 14, 15]) : undefined;
    this.sack = r.chance(0.7);
  }

  synOptions(): number[] {
    return [
      ...tcpOption.mss(1460),
      ...(this.scale === undefined ? [] : tcpOption.windowScale(this.scale)),
      ...(this.sack ? tcpOption.sackPermitted() : []),
    ];
  }
}

export interface Fields {
  seq?: number;
  ack?: number;
  window?: number;
  options?: number[];
  payload?: Uint8Array;
  waitMs?: number;
}

export interface Ports {
  client: number;
  server: number;
}

/** A connection between two of them. */
export interface Connection {
  r: Random;
  client: Endpoint;
  server: Endpoint;
  send: (from: Endpoint, flags: number, fields?: Fields) => Emission;
}
