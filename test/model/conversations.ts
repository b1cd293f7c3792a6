/** TCP as hosts speak it, good and bad: the handshake, data, closing, and everything that may be sent in between. */
import { FLAG, type Segment, tcp, tcpOption } from "../support/frames.js";
import type { Address } from "../../src/ip.js";
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

const { fin: FIN, syn: SYN, rst: RST, psh: PSH, ack: ACK, urg: URG, ece: ECE, cwr: CWR } = FLAG;
const add = (a: number, b: number): number => (a + b) >>> 0;
const EMPTY = new Uint8Array(0);

/** One end of a connection, as it sees itself. */
class Endpoint {
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

interface Fields {
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

/** One TCP connection from `a` to `b`, with what can go wrong in it. */
export function* tcpConversation(r: Random, a: Host, b: Host, ports: Ports): Conversation {
  const client = new Endpoint(r, a, ports.client);
  const server = new Endpoint(r, b, ports.server);
  const send = (from: Endpoint, flags: number, fields: Fields = {}): Emission => {
    const to = from === client ? server : client;
    const segment = tcp({
      sourcePort: from.port,
      destinationPort: to.port,
      seq: fields.seq ?? from.next,
      ack: flags & ACK ? (fields.ack ?? from.expected) : 0,
      flags,
      window: fields.window ?? from.window,
      options: fields.options,
      payload: fields.payload,
    });
    return { from: from.host, to: to.host, segment, waitMs: fields.waitMs };
  };
  const connection: Connection = { r, client, server, send };
  const times = r.chance(0.25) ? 2 : 1;
  for (let time = 0; time < times; time++) {
    const opened = yield* handshake(connection);
    if (opened) {
      yield* transfer(connection);
      yield* closing(connection);
    }
    // The same ports again, as a client does that runs out of them.
    client.isn = r.chance(0.5) ? add(client.next, r.between(1, 70000)) : r.u32();
    server.isn = r.u32();
  }
}

interface Connection {
  r: Random;
  client: Endpoint;
  server: Endpoint;
  send: (from: Endpoint, flags: number, fields?: Fields) => Emission;
}

function* handshake({ r, client, server, send }: Connection): Generator<Emission, boolean, void> {
  client.next = client.isn;
  server.next = server.isn;
  // A connection of which the firewall has not seen the beginning.
  if (r.chance(0.03)) {
    client.next = add(client.isn, 1);
    client.expected = server.next = add(server.isn, 1);
    server.expected = client.next;
    return true;
  }
  const fast = r.chance(0.05) ? r.bytes(r.between(1, 40)) : EMPTY;
  const extra = r.chance(0.1) ? ECE | CWR : 0;
  const syn = () =>
    send(client, SYN | extra, { seq: client.isn, options: client.synOptions(), payload: fast });
  yield syn();
  let synEnd = add(client.isn, 1 + fast.length);
  if (r.chance(0.12)) {
    if (r.chance(0.4)) {
      client.isn = add(client.isn, r.pick([1, 64000, 0x80000000, -5000]));
      synEnd = add(client.isn, 1 + fast.length);
    }
    yield syn();
  }
  if (r.chance(0.04)) yield send(client, ACK, { seq: synEnd, ack: add(server.isn, 1) });
  if (r.chance(0.04))
    yield send(server, ACK, { seq: r.u32(), ack: add(client.isn, r.pick([1, 700, -9000])) });
  if (r.chance(0.03)) yield send(client, FIN | ACK, { seq: synEnd, ack: 0 });

  if (r.chance(0.04)) {
    // Simultaneous open [9293, 3.5].
    yield send(server, SYN, { seq: server.isn, options: server.synOptions() });
    if (r.chance(0.2)) yield send(server, SYN, { seq: add(server.isn, r.pick([0, 0, 9])), options: [] });
    if (r.chance(0.2)) yield syn();
    if (r.chance(0.2)) yield send(server, r.pick([ACK, FIN | ACK]), { seq: add(server.isn, 1), ack: synEnd });
    if (r.chance(0.1))
      yield send(r.pick([client, server]), RST, { seq: r.pick([client.isn, server.isn, synEnd]) });
    const both = [
      send(client, SYN | ACK, { seq: client.isn, ack: add(server.isn, 1), options: client.synOptions() }),
      send(server, SYN | ACK, { seq: server.isn, ack: synEnd, options: server.synOptions() }),
    ];
    for (const each of r.shuffle(both)) if (r.chance(0.9)) yield each;
    client.next = synEnd;
    client.expected = server.next = add(server.isn, 1);
    server.expected = client.next;
    if (r.chance(0.5)) yield send(server, ACK);
    return true;
  }

  if (r.chance(0.1)) {
    // Refused, and what pretends to be a refusal.
    const ack = r.weighted([
      [6, synEnd],
      [1, add(synEnd, 1)],
      [1, client.isn],
      [1, r.u32()],
    ]);
    yield send(server, r.chance(0.85) ? RST | ACK : RST, { seq: r.pick([0, 0, server.isn]), ack });
    if (r.chance(0.3)) yield syn();
    return false;
  }
  if (r.chance(0.03)) {
    yield send(client, RST, {
      seq: r.pick([client.isn, synEnd, add(synEnd, 1), add(client.isn, -1), r.u32()]),
    });
    return false;
  }

  const offered = server.scale !== undefined && (client.scale !== undefined || r.chance(0.15));
  const options = offered || r.chance(0.02) ? server.synOptions() : tcpOption.mss(1400);
  const synAck = (ack: number) => send(server, SYN | ACK, { seq: server.isn, ack, options });
  if (r.chance(0.06)) yield synAck(r.pick([client.isn, add(synEnd, 1), r.u32(), add(client.isn, 1)]));
  yield synAck(synEnd);
  if (r.chance(0.08)) yield synAck(synEnd);
  if (!offered || client.scale === undefined) client.scale = server.scale = undefined;
  client.next = synEnd;
  client.expected = server.next = add(server.isn, 1);
  server.expected = client.next;

  if (r.chance(0.06)) {
    yield r.pick([
      () => send(client, SYN, { seq: client.isn, options: client.synOptions() }),
      () => send(client, SYN, { seq: add(client.isn, 17) }),
      () => send(server, SYN, { seq: server.isn }),
      () => send(client, RST, { seq: client.next }),
      () => send(client, RST, { seq: add(client.next, 5) }),
      () => send(server, RST | ACK, { seq: add(server.next, r.pick([0, -1, 1, 900])) }),
      () => send(server, ACK, { payload: r.bytes(5) }),
      () => send(client, FIN | ACK),
      () => send(client, SYN | ACK, { seq: client.isn, ack: server.next }),
    ])();
  }
  if (r.chance(0.05)) return false;
  if (r.chance(0.8)) yield send(client, ACK);
  return true;
}

/** Data in both directions, acknowledged, lost, repeated, out of order; probes; attacks. */
function* transfer(connection: Connection): Conversation {
  const { r, client, server, send } = connection;
  const rounds = r.weighted([
    [5, r.int(3)],
    [5, r.int(12)],
    [1, r.int(60)],
  ]);
  for (let round = 0; round < rounds; round++) {
    const [from, to] = r.chance(0.6) ? [client, server] : [server, client];
    const kind = r.int(100);
    if (kind < 55) yield* burst(connection, from, to);
    else if (kind < 60) yield send(from, ACK, { waitMs: r.chance(0.1) ? r.between(1000, 40_000) : 0 });
    else if (kind < 64) {
      // Keep-alive and its answer.
      yield send(from, ACK, { seq: add(from.next, -1), payload: r.chance(0.3) ? r.bytes(1) : EMPTY });
      yield send(to, ACK);
    } else if (kind < 68) {
      // Closed window, probe, opened again.
      yield send(to, ACK, { window: 0 });
      yield send(from, ACK, { payload: r.bytes(1) });
      if (r.chance(0.5)) {
        from.next = add(from.next, 1);
        to.expected = from.next;
      }
      yield send(to, ACK, { window: r.chance(0.5) ? 0 : to.window });
    } else if (kind < 71) to.window = r.pick([0, 1, 100, 2000, 65535]);
    else if (kind < 74) yield send(from, ACK | URG | PSH, { payload: r.bytes(3) });
    else if (kind < 78) yield* strayReset(connection, from, to);
    else if (kind < 82) yield* straySyn(connection);
    else if (kind < 86) {
      // Old, far or impossible numbers.
      const seq = add(from.next, farAway(r, from.window));
      yield send(from, ACK, { seq, payload: r.bytes(r.int(30)) });
    } else if (kind < 90) {
      yield send(from, ACK, { ack: add(from.expected, farAway(r, from.window)), payload: r.bytes(r.int(9)) });
    } else if (kind < 93) {
      const edge = add(from.expected, r.pick([10, 1460, 5000, -10, 0x40000000]));
      yield send(from, ACK, { options: tcpOption.sack(add(edge, -10), edge) });
    } else if (kind < 96) {
      // More than was offered.
      const scaled = to.window * 2 ** (to.scale ?? 0);
      const seq = add(from.expected === 0 ? from.next : from.next, scaled + r.between(-2, 2000));
      yield send(from, ACK | PSH, { seq, payload: r.bytes(r.between(1, 100)) });
    } else if (kind < 98) yield send(from, ACK, { options: oddOptions(r) });
    else {
      const flags = r.pick([0, FIN, SYN | FIN, SYN | RST, FIN | RST | ACK, PSH, URG, 0x3f, FIN | PSH | URG]);
      yield send(from, flags);
    }
  }
}

/** Distances at which a window check can go wrong. */
function farAway(r: Random, window: number): number {
  return r.pick([
    1,
    -1,
    window,
    -window,
    window + 1,
    66000,
    -66000,
    -66001,
    -67000,
    0x7fffffff,
    0x80000000,
    0x80000001,
    -0x7fffffff,
    r.int(200_000),
    -r.int(200_000),
    r.u32(),
  ]);
}

function oddOptions(r: Random): number[] {
  return r.pick([
    [1, 1, 1, 1],
    [0, 5, 10, 1],
    [5, 1, 0, 0],
    [5, 200, 1, 1],
    [3, 3, 20, 1],
    [5, 12, ...r.bytes(10)],
    [5, 10, ...r.bytes(8), 1, 1],
    [2, 4, 0, 0],
    [254, 0],
    [8],
    [...r.bytes(40)],
  ]);
}

/** A few segments, and what the network may make of them. */
function* burst({ r, send }: Connection, from: Endpoint, to: Endpoint): Conversation {
  const count = r.between(1, 4);
  const segments: { seq: number; payload: Uint8Array }[] = [];
  for (let i = 0; i < count; i++) {
    const length = r.weighted([
      [6, r.between(1, 60)],
      [2, r.between(1, 400)],
      [1, 1400],
    ]);
    segments.push({ seq: from.next, payload: r.bytes(length) });
    from.next = add(from.next, length);
  }
  const before = to.expected;
  const order = r.chance(0.15) ? r.shuffle([...segments]) : segments;
  for (const { seq, payload } of order) {
    const flags = ACK | (r.chance(0.5) ? PSH : 0);
    yield send(from, flags, { seq, payload });
    if (r.chance(0.07)) yield send(from, flags, { seq, payload });
  }
  if (count > 1 && r.chance(0.25)) {
    // The first one was lost behind the firewall: selective acknowledgement, then it comes again.
    const second = segments[1]!.seq;
    if (to.sack) yield send(to, ACK, { ack: before, options: tcpOption.sack(second, from.next) });
    else yield send(to, ACK, { ack: before });
    yield send(from, ACK, segments[0]);
  }
  to.expected = from.next;
  if (r.chance(0.9)) yield send(to, ACK);
}

function* strayReset({ r, send }: Connection, from: Endpoint, to: Endpoint): Conversation {
  const seq = r.weighted([
    [2, add(from.next, 1)],
    [2, add(from.next, r.int(to.window || 1))],
    [3, add(from.next, farAway(r, to.window))],
    [1, from.next],
    [1, add(from.next, -1)],
  ]);
  yield send(from, r.chance(0.5) ? RST : RST | ACK, { seq });
}

/** SYN in an open session, answered in all the ways there are. */
function* straySyn({ r, client, server, send }: Connection): Conversation {
  if (r.chance(0.15)) {
    yield send(server, r.pick([SYN, SYN | ACK]), { seq: r.pick([server.isn, r.u32()]) });
    return;
  }
  const seq = r.pick([client.isn, add(client.next, r.int(1000)), r.u32()]);
  yield send(client, SYN, { seq, options: client.synOptions() });
  const answer = r.int(4);
  if (answer === 0) yield send(server, ACK);
  if (answer === 1) yield send(server, SYN | ACK, { seq: r.u32(), ack: add(seq, r.pick([0, 2, 77])) });
  if (answer === 2) {
    // The client has been restarted and the server takes it.
    client.isn = seq;
    client.next = add(seq, 1);
    server.isn = r.u32();
    server.next = add(server.isn, 1);
    server.expected = client.next;
    client.expected = server.next;
    yield send(server, SYN | ACK, { seq: server.isn, ack: client.next, options: server.synOptions() });
    if (r.chance(0.8)) yield send(client, ACK);
  }
}

function* closing(connection: Connection): Conversation {
  const { r, client, server, send } = connection;
  const kind = r.int(10);
  if (kind === 0) return;
  const [first, second] = r.chance(0.6) ? [client, server] : [server, client];
  if (kind <= 2) {
    yield send(first, r.chance(0.5) ? RST : RST | ACK);
    if (r.chance(0.5)) yield send(second, ACK, { payload: r.bytes(3) });
    return;
  }
  const fin = (from: Endpoint) => send(from, FIN | ACK | (r.chance(0.05) ? URG : 0));
  const firstFin = fin(first);
  if (kind === 3) {
    // Both at once.
    const secondFin = fin(second);
    yield firstFin;
    yield secondFin;
    first.next = add(first.next, 1);
    second.next = add(second.next, 1);
    first.expected = second.next;
    second.expected = first.next;
    yield send(first, ACK);
    yield send(second, ACK);
  } else {
    yield firstFin;
    if (r.chance(0.15)) yield firstFin;
    first.next = add(first.next, 1);
    if (r.chance(0.9)) {
      second.expected = first.next;
      yield send(second, ACK);
    }
    // Half closed: the other side goes on.
    for (
      let i = r.weighted([
        [6, 0],
        [2, 1],
        [1, 6],
      ] as const);
      i > 0;
      i--
    )
      yield* burst(connection, second, first);
    if (r.chance(0.1)) yield firstFin;
    if (r.chance(0.1)) return;
    second.expected = first.next;
    yield fin(second);
    if (r.chance(0.1)) yield send(second, FIN | ACK);
    second.next = add(second.next, 1);
    first.expected = second.next;
    if (r.chance(0.95)) yield send(first, ACK);
  }
  yield* afterwards(connection, first, second);
}

function* afterwards(connection: Connection, first: Endpoint, second: Endpoint): Conversation {
  const { r, client, send } = connection;
  for (
    let i = r.weighted([
      [6, 0],
      [3, 1],
      [1, 3],
    ] as const);
    i > 0;
    i--
  ) {
    yield r.pick([
      () => send(second, FIN | ACK, { seq: add(second.next, -1) }),
      () => send(first, ACK),
      () => send(first, ACK, { payload: r.bytes(4) }),
      () => send(second, FIN | ACK, { payload: r.bytes(1) }),
      () => send(second, SYN, { seq: r.u32() }),
      () => send(second, SYN | ACK, { seq: r.u32() }),
      () => send(first, RST),
      () => send(client, ACK, { waitMs: r.between(3000, 6000) }),
      () => send(first, RST, { seq: r.u32() }),
    ])();
  }
}
