/**
 * The same as rehearse-control.ts for the thread that moves the packets: conversations begin and go through a made-up box that
 * tells its peer of them, packets for the box itself arrive, and it sends some of its own.
 */
import { IP_PROTOCOL_UDP } from "../config/names.js";
import type { Dataplane } from "../dataplane.js";
import { ETHERTYPE_IPV4, ethernetFrame, ipPacket, type Mac, udpDatagram } from "../frame.js";
import { SharedSessions } from "../node/shared-sessions.js";
import { RingReader, RingWriter } from "../ring.js";
import { DataplaneBox } from "./dataplane-box.js";
import { ListIo } from "./list-io.js";
import { newMessageRing, readToControl, type ToDataplane, writeToDataplane } from "./messages.js";

/** As often as V8 has to see something before it compiles it for good. */
export const ROUNDS = 3000;
const ROUND_MS = 1;
const MESSAGES_MAX = 64;
/** Packets of a conversation. */
const CONVERSATION = 10;
const TTL = 64;
const PAYLOAD = new Uint8Array(24);

export const REHEARSAL_CONFIG = `ip inspect name FW udp
interface GigabitEthernet0/0
 ip address 10.1.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 10.2.0.1 255.255.255.0
 ip inspect FW out
`;
export const REHEARSAL_SESSIONS = 1024;

interface Station {
  readonly number: number;
  /** Of the box there, and of a neighbour. */
  readonly own: number;
  readonly mac: Mac;
  readonly host: number;
  readonly hostMac: Mac;
}
const station = (number: number): Station => {
  const network = (10 << 24) | (number << 16);
  const [mac, hostMac] = [1, 2].map((last) => `0200.0000.0${number}0${last}`) as [Mac, Mac];
  return { number, own: network | 1, mac, host: network | 2, hostMac };
};
const INSIDE = station(1);
const OUTSIDE = station(2);

function datagram(from: Station, destination: number, ports: { source: number; destination: number }) {
  const header = { source: from.host, destination, protocol: IP_PROTOCOL_UDP, ttl: TTL };
  const packet = ipPacket(header, udpDatagram(header, ports, PAYLOAD));
  const frame = ethernetFrame(from.mac, from.hostMac, ETHERTYPE_IPV4, packet);
  return { frame, carrier: from.number };
}

/** Plays it, in virtual time. `dataplane`: of REHEARSAL_CONFIG, and of no use afterwards. How many packets left. */
export function rehearse(dataplane: Dataplane): number {
  const io = new ListIo(() => dataplane);
  const orders = newMessageRing(MESSAGES_MAX);
  const told = newMessageRing(MESSAGES_MAX);
  const box = new DataplaneBox(
    {
      sessions: new SharedSessions(dataplane, { isPaired: true, updateMs: 1000 }),
      openIo: () => io,
      fromControl: orders,
      toControl: told,
      wakeControl: () => {},
      ports: [undefined, ...[INSIDE, OUTSIDE].map(({ mac }, port) => ({ port, vlan: 0, mac }))],
      wallMs: () => 0,
    },
    0,
  );
  const writer = new RingWriter(orders);
  const reader = new RingReader(told);
  const order = (...messages: ToDataplane[]): void => {
    for (const message of messages) writeToDataplane(writer, message);
  };
  order(
    { kind: "sessions", input: { kind: "activate", generation: 1, hasRival: false } },
    { kind: "sessions", input: { kind: "peer", isPresent: true } },
    ...[INSIDE, OUTSIDE].map(({ number, host, hostMac }): ToDataplane => {
      return { kind: "neighbor", interface: number, address: host, mac: hostMac };
    }),
  );
  let left = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const nowMs = round * ROUND_MS;
    const port = 1024 + Math.floor(round / CONVERSATION);
    const own = datagram(INSIDE, INSIDE.own, { source: port, destination: 3784 });
    io.arriving.push(
      datagram(INSIDE, OUTSIDE.host, { source: port, destination: 53 }),
      datagram(OUTSIDE, INSIDE.host, { source: 53, destination: port }),
      own,
    );
    order({ kind: "transmit", interface: INSIDE.number, frame: own.frame, isForwarded: false });
    while (box.turn(nowMs));
    while (readToControl(reader) !== undefined);
    left += io.sent.splice(0).length;
  }
  return left;
}
