/** Conversations through a box of a pair, packet by packet: `c` sends from the client, `s` from the server. */
import {
  FLAG,
  icmp,
  icmp6,
  ip,
  type IpFields,
  raw,
  type Segment,
  tcp,
  type TcpFields,
  udp,
} from "../support/frames.js";
import { type Answer, type Box, INSIDE, OUTSIDE } from "./pair.js";

export const CLIENT = "10.1.0.10";
export const SERVER = "203.0.113.80";
export const CLIENT6 = "2001:db8:1::10";
export const SERVER6 = "2001:db8:9::80";
/** The client's port that makes it side 0 of a session with port 80 or 7777, and the one that makes it side 1. */
export const PORTS_BY_SIDE = [40_000, 40_048] as const;

/** Sequence numbers behind the two SYNs. */
export const C = 1001;
export const S = 500_001;
export const WINDOW = 8192;

export interface Ends {
  client: string;
  server: string;
  clientPort: number;
  serverPort: number;
  /** Interfaces behind which they live. */
  inside: string;
  outside: string;
}

const ENDS: Ends = {
  client: CLIENT,
  server: SERVER,
  clientPort: PORTS_BY_SIDE[0],
  serverPort: 80,
  inside: INSIDE,
  outside: OUTSIDE,
};

export const ENDS6: Partial<Ends> = { client: CLIENT6, server: SERVER6 };

export type Fields = Omit<Partial<TcpFields>, "payload"> & { payload?: number };

const LETTERS: Record<string, number> = { S: FLAG.syn, A: FLAG.ack, F: FLAG.fin, R: FLAG.rst };

/** A TCP connection; it can be moved to another box. */
export class Talk {
  box: Box;
  readonly ends: Ends;

  constructor(box: Box, ends: Partial<Ends> = {}) {
    this.box = box;
    this.ends = { ...ENDS, ...ends };
  }

  c(flags: string, fields: Fields = {}): Answer {
    const { client, server, clientPort, serverPort, inside } = this.ends;
    const segment = segmentOf(clientPort, serverPort, flags, fields);
    return this.box.packet(ip({ source: client, destination: server }, segment), inside);
  }

  s(flags: string, fields: Fields = {}): Answer {
    const { client, server, clientPort, serverPort, outside } = this.ends;
    const segment = segmentOf(serverPort, clientPort, flags, fields);
    return this.box.packet(ip({ source: server, destination: client }, segment), outside);
  }

  /** The three packets of the handshake. */
  open(client: Fields = {}, server: Fields = {}): this {
    this.c("S", { seq: C - 1, ...client });
    this.s("SA", { seq: S - 1, ack: C, ...server });
    this.c("A", { seq: C, ack: S });
    return this;
  }

  /** State of the session; undefined: there is none. */
  get state(): string | undefined {
    const { client, clientPort, serverPort } = this.ends;
    return [...this.box.firewall.sessions()].find(
      ({ initiator, responder }) =>
        initiator.address === client && initiator.port === clientPort && responder.port === serverPort,
    )?.state;
  }
}

function segmentOf(sourcePort: number, destinationPort: number, flags: string, fields: Fields): Segment {
  const { payload = 0, ...rest } = fields;
  const bits = [...flags].reduce((sum, letter) => sum | LETTERS[letter]!, 0);
  const seq = (rest.seq ?? 0) >>> 0;
  const ack = (rest.ack ?? 0) >>> 0;
  const numbers = { seq, ack, flags: bits, payload: new Uint8Array(payload) };
  return tcp({ sourcePort, destinationPort, window: WINDOW, ...rest, ...numbers });
}

export const TCP_STATES = [
  "syn_sent",
  "syn_recv",
  "established",
  "fin_wait",
  "close_wait",
  "last_ack",
  "time_wait",
  "syn_sent2",
] as const;
export type TcpState = (typeof TCP_STATES)[number];

/** Brings a connection into a state; the client closes first. */
export function bringTo(talk: Talk, state: TcpState): Talk {
  const steps: [TcpState, () => Answer][] = [
    ["syn_sent", () => talk.c("S", { seq: C - 1 })],
    ["syn_recv", () => talk.s("SA", { seq: S - 1, ack: C })],
    ["established", () => talk.c("A", { seq: C, ack: S })],
    ["fin_wait", () => talk.c("FA", { seq: C, ack: S })],
    ["close_wait", () => talk.s("A", { seq: S, ack: C + 1 })],
    ["last_ack", () => talk.s("FA", { seq: S, ack: C + 1 })],
    ["time_wait", () => talk.c("A", { seq: C + 1, ack: S + 1 })],
  ];
  if (state === "syn_sent2") {
    steps[0]![1]();
    talk.s("S", { seq: S - 1 });
    return talk;
  }
  for (const [reached, step] of steps) {
    step();
    if (reached === state) return talk;
  }
  return talk;
}

/** A request and, if wanted, its answer, of a protocol without a state table. */
export interface Exchange {
  name: string;
  ask: (box: Box) => Answer;
  answer: (box: Box) => Answer;
}

const exchange = (
  name: string,
  client: string,
  server: string,
  request: () => Segment,
  reply: () => Segment,
): Exchange => {
  const send = (box: Box, fields: IpFields, segment: Segment, on: string): Answer =>
    box.packet(ip(fields, segment), on);
  return {
    name,
    ask: (box) => send(box, { source: client, destination: server }, request(), INSIDE),
    answer: (box) => send(box, { source: server, destination: client }, reply(), OUTSIDE),
  };
};

const datagram = (sourcePort: number, destinationPort: number): Segment =>
  udp({ sourcePort, destinationPort, payload: new Uint8Array(10) });

/** Of the server; DNS would have a timeout of its own. */
const UDP_PORT = 7777;

/** A UDP exchange from this client port. */
export const udpExchange = (port: number, client = CLIENT, server = SERVER): Exchange =>
  exchange(
    `UDP ${port}`,
    client,
    server,
    () => datagram(port, UDP_PORT),
    () => datagram(UDP_PORT, port),
  );

/** One of each protocol without a state table, in both families. */
export const EXCHANGES: readonly Exchange[] = [
  udpExchange(PORTS_BY_SIDE[0]),
  udpExchange(112),
  udpExchange(5353, CLIENT6, SERVER6),
  exchange(
    "echo",
    CLIENT,
    SERVER,
    () => icmp({ type: 8, identifier: 77 }),
    () => icmp({ type: 0, identifier: 77 }),
  ),
  exchange(
    "timestamp",
    CLIENT,
    SERVER,
    () => icmp({ type: 13, identifier: 78, payload: new Uint8Array(12) }),
    () => icmp({ type: 14, identifier: 78, payload: new Uint8Array(12) }),
  ),
  exchange(
    "echo over IPv6",
    CLIENT6,
    SERVER6,
    () => icmp6({ type: 128, identifier: 77 }),
    () => icmp6({ type: 129, identifier: 77 }),
  ),
  exchange(
    "GRE",
    CLIENT,
    SERVER,
    () => raw(47, new Uint8Array(30)),
    () => raw(47, new Uint8Array(20)),
  ),
  exchange(
    "GRE over IPv6",
    CLIENT6,
    SERVER6,
    () => raw(47, new Uint8Array(30)),
    () => raw(47, new Uint8Array(20)),
  ),
];
