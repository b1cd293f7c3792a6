/** Packets for the box itself: echo requests are answered, the control machines' datagrams handed on, the rest refused. */
import {
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_SCTP,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
} from "../config/names.js";
import {
  ETHERNET,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  type IpHeader,
  type IpPacket,
  parseIp,
  parseUdp,
} from "../frame.js";
import { HSRP_PORTS, isLinkLocal } from "../hsrp/addresses.js";
import { echoReply, ICMP, ICMP4, ICMP6 } from "../icmp.js";
import { type Address, isMulticast } from "../ip.js";
import type { Mac } from "../mac.js";
import type { RouterInput } from "./actions.js";
import { receiveArp } from "./arp.js";
import { type Context, count, type Link, macFor, mayNow } from "./context.js";
import { receiveDiscovery } from "./discovery.js";
import { reportError } from "./errors.js";
import { SPEAKERS_MAX, TTL } from "./limits.js";
import { isSubnetBroadcast, isUnicast, type RouterInterface } from "./plan.js";
import { sendPacket } from "./send.js";

export type FrameInput = Extract<RouterInput, { kind: "frame" }>;

/** Types of neighbour discovery (RFC 4861 section 4). */
const DISCOVERY = { first: ICMP6.routerSolicitation, last: ICMP6.redirect };

export function receiveFrame(context: Context, link: Link, { frame, networkOffset }: FrameInput): undefined {
  const { plan } = link;
  const ethernet = ETHERNET.parse(frame);
  if (!link.isUp || plan?.mac === undefined) return count(link, "interface_down");
  if (ethernet === undefined || networkOffset < ETHERNET.size) return count(link, "ethertype_ignored");
  const bytes = frame.subarray(networkOffset);
  // Behind VLAN tags the type of the packet stands before it too.
  const ethertype = (frame[networkOffset - 2]! << 8) | frame[networkOffset - 1]!;
  if (ethertype === ETHERTYPE_ARP) return receiveArp(context, link, plan, bytes);
  if (ethertype !== ETHERTYPE_IPV4 && ethertype !== ETHERTYPE_IPV6) return count(link, "ethertype_ignored");
  const packet = parseIp(bytes);
  if (packet === undefined) return count(link, "ip_malformed");
  receivePacket({ context, link, plan, frame, networkOffset, packet, sourceMac: ethernet.source });
}

/** A packet and what it came with. */
interface Arrival {
  readonly context: Context;
  readonly link: Link;
  readonly plan: RouterInterface;
  readonly frame: Uint8Array;
  readonly networkOffset: number;
  readonly packet: IpPacket;
  readonly sourceMac: Mac;
}

function receivePacket(arrival: Arrival): undefined {
  const { context, link, plan, packet, sourceMac } = arrival;
  const { protocol, destination, payload, fragment } = packet;
  if (isDiscovery(packet)) return receiveDiscovery(context, link, plan, packet, sourceMac);
  if (fragment !== undefined) return count(link, "ip_fragment");
  if (!isGroup(arrival) && !isUsable(context, link, destination)) return count(link, "not_own");
  switch (protocol) {
    case IP_PROTOCOL_ICMP:
    case IP_PROTOCOL_ICMP6:
      return receiveIcmp(arrival);
    case IP_PROTOCOL_UDP:
      return receiveUdp(arrival);
    case IP_PROTOCOL_SCTP: {
      if (isGroup(arrival)) return count(link, "protocol_ignored");
      count(link, "sctp_delivered");
      const { source, ttl } = packet;
      context.actions.push({
        kind: "packet",
        interface: link.name,
        protocol,
        source,
        destination,
        ttl,
        payload,
      });
      return;
    }
    // Without a service there is nobody to answer; a reset would only tell that the box is there.
    case IP_PROTOCOL_TCP:
      return count(link, "tcp_ignored");
    default:
      return count(link, "protocol_ignored");
  }
}

function isDiscovery({ protocol, source, payload, fragment }: IpPacket): boolean {
  if (protocol !== IP_PROTOCOL_ICMP6 || typeof source !== "bigint" || fragment === "later") return false;
  const type = payload[ICMP.offsetOf("type")] ?? 0;
  return type >= DISCOVERY.first && type <= DISCOVERY.last;
}

/** Sent to more than one station. */
function isGroup({ context, packet: { destination } }: Arrival): boolean {
  if (!isUnicast(destination)) return true;
  return [...context.plan.interfaces.values()].some((each) => isSubnetBroadcast(each, destination));
}

/** Whether the address is one of this router now: on any of its links but for link-local ones. */
function isUsable(context: Context, link: Link, destination: Address): boolean {
  if (isLinkLocal(destination)) return macFor(context, link, destination) !== undefined;
  for (const each of context.links.values())
    if (macFor(context, each, destination) !== undefined) return true;
  return false;
}

function receiveIcmp(arrival: Arrival): undefined {
  const { context, link, packet } = arrival;
  const { source, destination, protocol, payload } = packet;
  const message = ICMP.parse(payload);
  if (message === undefined) return count(link, "icmp_malformed");
  const isIpv6 = typeof source === "bigint";
  const isEcho = message.type === (isIpv6 ? ICMP6.echo : ICMP4.echo) && message.code === 0;
  const isOfFamily = protocol === (isIpv6 ? IP_PROTOCOL_ICMP6 : IP_PROTOCOL_ICMP);
  if (!isIpv6 && message.type === ICMP4.redirect) return count(link, "redirects_ignored");
  if (!isEcho || !isOfFamily || isGroup(arrival) || !isUnicast(source)) return count(link, "icmp_ignored");
  if (!mayNow(context, link, "echo")) return count(link, "echo_rate");
  count(link, "echo_answered");
  const header: IpHeader = { source: destination, destination: source, protocol, ttl: TTL };
  sendPacket(context, link, header, echoReply(header, payload));
}

function receiveUdp(arrival: Arrival): undefined {
  const { context, link, packet, frame, networkOffset, sourceMac } = arrival;
  const { source, destination, ttl, payload: bytes } = packet;
  const datagram = parseUdp(bytes);
  if (datagram === undefined) return count(link, "udp_malformed");
  const { source: sourcePort, destination: port, payload } = datagram;
  if (context.plan.controlPorts.has(port) && (isMulticast(destination) || !isGroup(arrival))) {
    if (HSRP_PORTS.has(port)) noteSpeaker(link, source);
    count(link, "udp_delivered");
    const addresses = { interface: link.name, source, sourceMac, destination };
    context.actions.push({ kind: "datagram", ...addresses, ttl, sourcePort, port, payload });
    return;
  }
  if (isGroup(arrival)) return count(link, "udp_ignored");
  count(link, "udp_closed");
  // It comes from the address that was asked: that is what traceroute waits for.
  reportError(context, link, { frame, networkOffset, failure: "port", source: destination });
}

/** Remembers the routers of a group that were heard last; nothing more depends on it than what is resolved in advance. */
function noteSpeaker({ speakers }: Link, source: Address): undefined {
  speakers.delete(source);
  speakers.add(source);
  const [oldest] = speakers;
  if (speakers.size > SPEAKERS_MAX) speakers.delete(oldest!);
}
