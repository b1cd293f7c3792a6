/**
 * SCTP inside UDP (RFC 6951), as far as it is not I/O: which UDP port a path is sent to, and how large a packet may be.
 * The payload of the UDP datagram is the SCTP packet; whoever has the sockets adds nothing else.
 */
import type { Address } from "../ip.js";

/** Registered for both ends (section 3.2). */
export const UDP_ENCAPSULATION_PORT = 9899;

/** In place of a UDP port: packets travel over IP by themselves, as protocol 132. */
export const OVER_IP = 0;

const UDP_HEADER = 8;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

/** The largest SCTP packet where IP packets may have `ipMtu` bytes (section 5.7). */
export function encapsulatedMtu(ipMtu: number, address: Address): number {
  return ipMtu - UDP_HEADER - (typeof address === "number" ? IPV4_HEADER : IPV6_HEADER);
}

/** Whether a packet came as it must: in UDP, or over IP. A path never changes from one to the other. */
export function isEncapsulatedRight(remoteUdpPort: number, sourcePort: number | undefined): boolean {
  return (remoteUdpPort === OVER_IP) === (sourcePort === undefined);
}

/** The port to answer to; undefined: not known, or 0, by which a sender says that it wants no answer (RFC 768). */
export function answerablePort(sourcePort: number | undefined): number | undefined {
  return sourcePort === 0 ? undefined : sourcePort;
}

/**
 * Follows the source port of a packet that has been found to belong to the association, its verification tag included
 * (section 5.4). `ports` has the UDP port of each path; without a port nothing
 * changes: the packet came over IP, or wants no answer.
 */
export function followUdpPort(ports: number[], path: number, sourcePort: number | undefined): void {
  if (sourcePort !== undefined) ports[path] = sourcePort;
}
