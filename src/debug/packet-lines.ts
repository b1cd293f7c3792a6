/** What `debug` tells of packets that the core has decided, and of its sessions. */
import * as L from "../../assembly/layout.js";
import type { Batch } from "../batch.js";
import type { SessionEvent } from "../events.js";
import { IPV4, IPV6, type IpPacket, parseIp, UDP } from "../frame.js";
import { formatAddress, parseAddress } from "../ip.js";
import { reasonOf } from "../reasons.js";
import { record } from "../record.js";
import { isIcmp, isTcp, isUdp, protocolName } from "../report/protocol.js";
import { formatSessionId } from "../session-view.js";
import type { DebugLine, DebugTopic } from "./topics.js";

/** What the numbers of a decision mean. */
export interface PacketNames {
  /** By interface number. */
  readonly interfaces: readonly string[];
  /** "LIST SEQUENCE", by 1 + the number of an entry. */
  readonly rule: (number: number) => string;
}

/** What inspection itself drops, from fragments to the session table, as `ip inspect log drop-pkt` has it. */
const isInspectionDrop = (reason: number): boolean =>
  reason >= L.R_FRAGMENT_MALFORMED && reason <= L.R_TABLE_FULL;

/** Topics of packets. */
export const PACKET_TOPICS = [
  "ip packet",
  "ip packet drop",
  "ipv6 packet",
  "ipv6 packet drop",
  "ip inspect events",
  "ip inspect tcp",
  "ip inspect udp",
  "ip inspect icmp",
] as const satisfies readonly DebugTopic[];

/** Topics of sessions as they begin and end. */
export const SESSION_TOPICS = [
  "ip inspect events",
  "ip inspect object-creation",
  "ip inspect object-deletion",
] as const satisfies readonly DebugTopic[];

const IPV6_VERSION = 6;

/** Undefined: it has no IP header that can be read. `isDetailed`: with numbers and windows. */
export function packetLine(
  batch: Batch,
  i: number,
  names: PacketNames,
  isDetailed: boolean,
): DebugLine | undefined {
  const networkOffset = batch.networkOffset(i);
  const frame = batch.frame(i);
  const bytes = frame.subarray(networkOffset);
  const isV6 = (bytes[0] ?? 0) >>> 4 === IPV6_VERSION;
  const header = networkOffset === 0 ? undefined : (isV6 ? IPV6 : IPV4).parse(bytes);
  if (header === undefined) return undefined;
  const { source, destination } = header;
  const [ingress, egress] = [names.interfaces[batch.ingress(i)], names.interfaces[batch.egress(i)]];
  return {
    topics: topicsOf(batch, i, isV6),
    subject: {
      interfaces: [ingress, egress].filter((name) => name !== undefined && name !== "") as string[],
      addresses: [source, destination],
    },
    text: () => {
      const from = `s=${formatAddress(source)}${ingress ? ` (${ingress})` : ""}`;
      const to = `d=${formatAddress(destination)}${egress ? ` (${egress})` : ""}`;
      const head = `IP: ${from}, ${to}, len ${lengthOf(bytes, isV6)}`;
      const transport = transportText(batch.protocol(i), parseIp(bytes), isDetailed);
      const { verdict, name, meaning } = reasonOf(batch.reasonCode(i));
      const rule = batch.rule(i) === 0 ? "" : `, rule ${names.rule(batch.rule(i))}`;
      const session = batch.session(i) === 0n ? "" : `, session ${formatSessionId(batch.session(i))}`;
      return `${head}, ${transport}, ${verdict} ${name}: ${meaning}${session}${rule}`;
    },
  };
}

function topicsOf(batch: Batch, i: number, isV6: boolean): DebugTopic[] {
  const topics: DebugTopic[] = [isV6 ? "ipv6 packet" : "ip packet"];
  if (batch.verdictCode(i) === L.VERDICT_DROP) topics.push(isV6 ? "ipv6 packet drop" : "ip packet drop");
  if (isInspectionDrop(batch.reasonCode(i))) topics.push("ip inspect events");
  else if (batch.session(i) === 0n) return topics;
  const protocol = batch.protocol(i);
  if (isTcp(protocol)) topics.push("ip inspect tcp");
  else if (isUdp(protocol)) topics.push("ip inspect udp");
  else if (isIcmp(protocol)) topics.push("ip inspect icmp");
  return topics;
}

const lengthOf = (bytes: Uint8Array, isV6: boolean): number =>
  isV6 ? IPV6.size + IPV6.parse(bytes)!.payloadLength : IPV4.parse(bytes)!.totalLength;

const TCP = record({
  source: "u16",
  destination: "u16",
  sequence: "u32",
  acknowledgement: "u32",
  offset: "u8",
  flags: "u8",
  window: "u16",
});
/** From the lowest bit on. */
const TCP_FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
/** Behind type, code and checksum of an ICMP query. */
const ICMP_QUERY = record({ type: "u8", code: "u8", checksum: "u16", identifier: "u16", sequence: "u16" });

/** `TCP 40000 -> 80 SYN`; what cannot be read is left out. */
function transportText(protocol: number, packet: IpPacket | undefined, isDetailed: boolean): string {
  const name = protocolName({ protocol }).toUpperCase();
  if (packet === undefined || packet.fragment === "later") return name;
  const { payload, ttl } = packet;
  const more = isDetailed ? `, ttl ${ttl}` : "";
  if (isTcp(protocol)) {
    const tcp = TCP.parse(payload);
    if (tcp === undefined) return name;
    const { source, destination, flags, sequence, acknowledgement, window } = tcp;
    const set = TCP_FLAGS.filter((_, bit) => (flags & (1 << bit)) !== 0);
    const numbers = isDetailed ? ` seq ${sequence} ack ${acknowledgement} win ${window}` : "";
    return `${name} ${source} -> ${destination} ${set.join(" ") || "no flags"}${numbers}${more}`;
  }
  if (isUdp(protocol)) {
    const udp = UDP.parse(payload);
    if (udp === undefined) return name;
    const length = isDetailed ? ` len ${udp.length}` : "";
    return `${name} ${udp.source} -> ${udp.destination}${length}${more}`;
  }
  const icmp = isIcmp(protocol) ? ICMP_QUERY.parse(payload) : undefined;
  if (icmp === undefined) return `${name}${more}`;
  const numbers = isDetailed ? ` id ${icmp.identifier} seq ${icmp.sequence}` : "";
  return `${name} type ${icmp.type} code ${icmp.code}${numbers}${more}`;
}

/** A session that begins or ends. */
export function sessionLine(event: SessionEvent): DebugLine {
  const { type, cause, id, service, interface: name, initiator, responder } = event;
  const isNew = type === "session_start";
  const ends = `(${endText(initiator)}) => (${endText(responder)})`;
  const bytes = isNew ? "" : ` bytes ${initiator.bytes}:${responder.bytes}`;
  return {
    topics: ["ip inspect events", isNew ? "ip inspect object-creation" : "ip inspect object-deletion"],
    subject: {
      interfaces: [name],
      addresses: [initiator, responder].map(({ address }) => parseAddress(address)!),
    },
    text: () =>
      isNew
        ? `CBAC OBJ_CREATE: create sis ${id} ${service} ${ends}`
        : `CBAC OBJ_DELETE: delete sis ${id} ${service} ${ends} ${cause ?? ""}${bytes}`,
  };
}

/** `10.0.0.5:80`, `[2001:db8::1]:80`. */
const endText = ({ address, port }: SessionEvent["initiator"]): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
