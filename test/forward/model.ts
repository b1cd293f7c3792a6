/**
 * Forwarding once more, slow and obvious: from a frame as it came and the interface that it is to leave by to the frame on
 * the wire. Written from RFC 791, 826, 894, 1812 5.2 and 8200, and not from the core.
 */
import { type Address, inPrefix } from "../../src/ip.js";
import { checksum, concat, ETHERTYPE } from "../support/frames.js";

/** An interface with its device. */
export interface Device {
  number: number;
  port: number;
  mac: number[];
  /** Tag that its frames leave with, 0 none. */
  vlan: number;
  /** Largest IP packet, 0 any. */
  mtu: number;
}

export interface ForwardRoute {
  network: Address;
  prefixLength: number;
  /** Number of the interface. */
  interface: number;
  /** Undefined: connected. */
  gateway?: Address;
}

/** MAC addresses by `NUMBER ADDRESS`. */
export type Neighbors = ReadonlyMap<string, number[]>;

export interface Forwarded {
  code: "send" | "resolve" | "fragment";
  port: number;
  frame: Uint8Array;
}

const TAGS = new Set<number>([ETHERTYPE.vlan, ETHERTYPE.qinq, 0x9100]);
const NOBODY = [0, 0, 0, 0, 0, 0];

const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! * 256 + bytes[at + 1]!;

/** Where the IP packet of a frame begins. */
export function networkOffset(frame: Uint8Array): number {
  let at = 12;
  while (TAGS.has(u16(frame, at))) at += 4;
  return at + 2;
}

/** The IP packet of a frame, without what stands behind it. */
export function packetOf(frame: Uint8Array): Uint8Array {
  const packet = frame.subarray(networkOffset(frame));
  return packet.slice(0, packet[0]! >> 4 === 4 ? u16(packet, 2) : 40 + u16(packet, 4));
}

export function destinationOf(packet: Uint8Array): Address {
  const bytes = packet[0]! >> 4 === 4 ? packet.subarray(16, 20) : packet.subarray(24, 40);
  const value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return bytes.length === 4 ? Number(value) : value;
}

/** Whether the packet may be cut on its way. */
export function mayBeCut(packet: Uint8Array): boolean {
  return packet[0]! >> 4 === 4 && (packet[6]! & 0x40) === 0;
}

/** Who a packet is handed to: the gateway of the longest prefix out of that interface. */
export function nextHop(destination: Address, number: number, routes: readonly ForwardRoute[]): Address {
  const leading = routes.filter(
    (route) => route.interface === number && inPrefix(destination, route.network, route.prefixLength),
  );
  leading.sort((a, b) => b.prefixLength - a.prefixLength);
  return leading[0]?.gateway ?? destination;
}

export function forward(
  frame: Uint8Array,
  device: Device,
  routes: readonly ForwardRoute[],
  neighbors: Neighbors,
): Forwarded {
  const packet = packetOf(frame);
  const isV6 = packet[0]! >> 4 === 6;
  if (isV6) packet[7]! -= 1;
  else {
    packet[8]! -= 1;
    packet.set([0, 0], 10);
    const header = packet.subarray(0, (packet[0]! & 15) * 4);
    const sum = checksum(header);
    packet.set([sum >> 8, sum & 255], 10);
  }
  const hop = nextHop(destinationOf(packet), device.number, routes);
  const mac = neighbors.get(`${device.number} ${hop}`);
  const tag = device.vlan === 0 ? [] : [0x81, 0x00, device.vlan >> 8, device.vlan & 255];
  const type = isV6 ? [0x86, 0xdd] : [0x08, 0x00];
  const whole = concat(Uint8Array.from([...(mac ?? NOBODY), ...device.mac, ...tag, ...type]), packet);
  const tooLong = device.mtu !== 0 && packet.length > device.mtu;
  const code = tooLong ? "fragment" : mac === undefined ? "resolve" : "send";
  return { code, port: device.port, frame: whole };
}
