/**
 * Datagrams between the boxes in the slots of a ring.
 *
 *   network u16 | TTL u8 | family u8 | source port u16 | port u16 | source, 16 bytes | destination, 16 bytes |
 *   protocol u8 | payload
 *
 * What has no ports has 0 there.
 */
import { IP_PROTOCOL_SCTP, IP_PROTOCOL_UDP } from "../config/names.js";
import { addressBytes } from "../frame.js";
import { type Address, bytesToBigint } from "../ip.js";
import type { Carrier, DatagramInput } from "../node.js";
import { newRing, type RingMemory, type RingReader, type RingWriter } from "../ring.js";

const NETWORK = 0;
const TTL = 2;
const FAMILY = 3;
const SOURCE_PORT = 4;
const PORT = 6;
const SOURCE = 8;
const DESTINATION = 24;
const PROTOCOL = 40;
const HEADER = 41;
/** What an Ethernet frame carries: the association keeps its packets below that, and HSRP is far from it. */
const PAYLOAD_MAX = 1500;

export function newDatagramRing(slots: number): RingMemory {
  return newRing(slots, HEADER + PAYLOAD_MAX);
}

/** A datagram, with the number of its network. */
export type Datagram = Pick<DatagramInput, "source" | "destination" | "ttl" | "payload"> & Carrier;

/** Puts a datagram into the ring. False: it is full, or the datagram is longer than a network carries. */
export function writeDatagram(ring: RingWriter, network: number, datagram: Datagram): boolean {
  const { source, destination, ttl, protocol, payload } = datagram;
  const slot = payload.length > PAYLOAD_MAX ? undefined : ring.claim();
  if (slot === undefined) return false;
  const view = new DataView(slot.buffer, slot.byteOffset);
  view.setUint16(NETWORK, network);
  view.setUint8(TTL, ttl);
  view.setUint8(FAMILY, typeof source === "bigint" ? 6 : 4);
  view.setUint8(PROTOCOL, protocol);
  view.setUint16(SOURCE_PORT, protocol === IP_PROTOCOL_UDP ? datagram.sourcePort : 0);
  view.setUint16(PORT, protocol === IP_PROTOCOL_UDP ? datagram.port : 0);
  slot.set(addressBytes(source), SOURCE);
  slot.set(addressBytes(destination), DESTINATION);
  slot.set(payload, HEADER);
  ring.publish(HEADER + payload.length);
  return true;
}

/** Takes the oldest datagram out of the ring, its payload copied; undefined: there is none. */
export function readDatagram(ring: RingReader): { network: number; datagram: Datagram } | undefined {
  const bytes = ring.peek()?.bytes;
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const isV6 = view.getUint8(FAMILY) === 6;
  const address = (at: number): Address =>
    isV6 ? bytesToBigint(bytes.subarray(at, at + 16)) : view.getUint32(at);
  const carrier: Carrier =
    view.getUint8(PROTOCOL) === IP_PROTOCOL_SCTP
      ? { protocol: IP_PROTOCOL_SCTP }
      : {
          protocol: IP_PROTOCOL_UDP,
          sourcePort: view.getUint16(SOURCE_PORT),
          port: view.getUint16(PORT),
        };
  const datagram = {
    ...carrier,
    source: address(SOURCE),
    destination: address(DESTINATION),
    ttl: view.getUint8(TTL),
    // The receiver keeps parts of it for longer than the slot is its own.
    payload: bytes.slice(HEADER),
  };
  const network = view.getUint16(NETWORK);
  ring.release();
  return { network, datagram };
}
