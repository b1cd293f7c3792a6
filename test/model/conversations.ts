/** TCP as hosts speak it, good and bad: how a connection begins, and how it ends. */
import { tcp, tcpOption } from "../support/frames.js";
import {
  ACK,
  add,
  type Connection,
  type Conversation,
  CWR,
  ECE,
  type Emission,
  EMPTY,
  Endpoint,
  type Fields,
  FIN,
  type Host,
  type Ports,
  RST,
  SYN,
  URG,
} from "./endpoint.js";
import type { Random } from "./random.js";
import { burst, transfer } from "./transfer.js";

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
