/** What happens on an open TCP connection, as hosts do it, as networks spoil it, and as attackers would have it. */
import { tcpOption } from "../support/frames.js";
import {
  ACK,
  add,
  type Connection,
  type Conversation,
  EMPTY,
  type Endpoint,
  FIN,
  PSH,
  RST,
  SYN,
  URG,
} from "./endpoint.js";
import type { Random } from "./random.js";

/** Data in both directions, acknowledged, lost, repeated, out of order; probes; attacks. */
export function* transfer(connection: Connection): Conversation {
  const { r, client, server, send } = connection;
  const rounds = r.weighted([
    [5, r.int(4)],
    [5, r.int(20)],
    [2, r.int(80)],
  ]);
  for (let round = 0; round < rounds; round++) {
    const [from, to] = r.chance(0.6) ? [client, server] : [server, client];
    const kind = r.int(100);
    if (kind < 55) yield* burst(connection, from, to);
    else if (kind < 60) yield send(from, ACK, { waitMs: r.chance(0.02) ? r.between(1000, 40_000) : 0 });
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
export function* burst({ r, send }: Connection, from: Endpoint, to: Endpoint): Conversation {
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
