/**
 * ICMP errors about packets that are not forwarded or not taken. RFC 792, 1122 section 3.2.2, 1812 section 4.3.2, 4443.
 *
 * They come from the interface's own address, not from a virtual one: traceroute tells which of the two boxes a packet met,
 * and an answer to an error does not depend on who is active by then.
 */
import { IP_PROTOCOL_ICMP, IP_PROTOCOL_ICMP6 } from "../config/names.js";
import { ETHERNET, type IpHeader, IPV4, IPV6, type IpPacket, parseIp } from "../frame.js";
import { isLinkLocal } from "../hsrp/addresses.js";
import {
  ICMP,
  ICMP4,
  ICMP4_QUERIES,
  ICMP6,
  ICMP6_QUERIES_FROM,
  ICMP_ERROR,
  type IcmpError,
  icmpError,
} from "../icmp.js";
import type { Address } from "../ip.js";
import { isGroupMac } from "../mac.js";
import type { ReportCause } from "./actions.js";
import { take } from "./bucket.js";
import { type Context, count, type Link, mayNow, type Waiting } from "./context.js";
import * as limits from "./limits.js";
import { isSubnetBroadcast, isUnicast } from "./plan.js";
import { linkTo, sendPacket } from "./send.js";

/** `host`: the neighbour does not answer; `port`: nobody here takes what is sent to the port. */
export type Failure = ReportCause | "host" | "port";

interface Kind {
  readonly rate: "unreachable" | "timeExceeded" | "tooBig";
  readonly 4: Omit<IcmpError, "parameter">;
  readonly 6: Omit<IcmpError, "parameter">;
}

const unreachable = (code4: number, code6: number): Kind => ({
  rate: "unreachable",
  4: { type: ICMP4.unreachable, code: code4 },
  6: { type: ICMP6.unreachable, code: code6 },
});

/** The codes: RFC 792 and 1812 section 5.2.7.1, RFC 4443 section 3.1. */
export const KINDS = {
  "no-route": unreachable(0, 0),
  host: unreachable(1, 3),
  port: unreachable(3, 4),
  prohibited: unreachable(13, 1),
  ttl: {
    rate: "timeExceeded",
    4: { type: ICMP4.timeExceeded, code: 0 },
    6: { type: ICMP6.timeExceeded, code: 0 },
  },
  "too-big": {
    rate: "tooBig",
    4: { type: ICMP4.unreachable, code: 4 },
    6: { type: ICMP6.tooBig, code: 0 },
  },
} as const satisfies Record<Failure, Kind>;

interface About extends Waiting {
  readonly failure: Failure;
  /** Of the way that it was too big for. */
  readonly mtu?: number;
  /** From which the error comes; unless given, the own address of the interface. */
  readonly source?: Address;
}

/** Sends the error about a packet that came in by `on`; of one whose way in is not known, `on` undefined. */
export function reportError(context: Context, on: Link | undefined, about: About): undefined {
  const { frame, networkOffset, failure, mtu = 0 } = about;
  const packet = parseIp(frame.subarray(networkOffset));
  const link = on ?? (packet && linkBack(context, packet));
  if (link?.plan === undefined) return;
  if (packet === undefined || !isDue(context, packet)) return count(link, "error_not_due");
  // Of a frame that was to be sent on, the destination is not yet that of the packet.
  const destinationMac = ETHERNET.parse(frame)!.destination;
  if (on !== undefined && isGroupMac(destinationMac)) return count(link, "error_not_due");

  const isIpv6 = typeof packet.source === "bigint";
  const kind: Kind = KINDS[failure];
  if (kind.rate === "unreachable" && !link.plan.sendsUnreachables[isIpv6 ? 6 : 4])
    return count(link, "error_disabled");
  const source = about.source ?? sourceOf(context, link, packet.source);
  if (source === undefined) return count(link, "no_route");
  if (!mayNow(context, link, kind.rate)) return count(link, "error_rate");
  if (!take(context.errors, limits.ERRORS_TOTAL, context.nowMs)) return count(link, "error_rate_total");
  const parameter =
    failure === "too-big" ? Math.max(mtu, isIpv6 ? limits.MTU_MIN_IPV6 : limits.MTU_MIN_IPV4) : 0;
  const header: IpHeader = {
    source,
    destination: packet.source,
    protocol: isIpv6 ? IP_PROTOCOL_ICMP6 : IP_PROTOCOL_ICMP,
    ttl: limits.TTL,
    trafficClass: limits.CONTROL_TRAFFIC_CLASS,
  };
  count(link, "errors_sent");
  const quoted = packet.bytes.subarray(0, quotableBytes(isIpv6));
  sendPacket(context, link, header, icmpError(header, { ...kind[isIpv6 ? 6 : 4], parameter }, quoted));
}

/** As much of the packet as there is room for. */
function quotableBytes(isIpv6: boolean): number {
  const whole = isIpv6 ? limits.ERROR_MAX_IPV6 - IPV6.size : limits.ERROR_MAX_IPV4 - IPV4.size;
  return whole - ICMP_ERROR.size;
}

function linkBack(context: Context, { source }: IpPacket): Link | undefined {
  const [any] = context.links.values();
  return isLinkLocal(source) || any === undefined ? undefined : linkTo(context, any, source);
}

/** RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e). */
function isDue(context: Context, packet: IpPacket): boolean {
  const { source, destination, fragment, protocol, payload } = packet;
  if (fragment === "later" || !isUnicast(source) || !isUnicast(destination)) return false;
  for (const { plan } of context.links.values()) {
    if (plan === undefined) continue;
    if (isSubnetBroadcast(plan, source) || isSubnetBroadcast(plan, destination)) return false;
  }
  // Packets of this router itself: it learns nothing by them.
  if (context.plan.own.has(source)) return false;
  const isIpv6 = typeof source === "bigint";
  if (protocol !== (isIpv6 ? IP_PROTOCOL_ICMP6 : IP_PROTOCOL_ICMP)) return true;
  const message = ICMP.parse(payload);
  if (message === undefined) return false;
  if (!isIpv6) return ICMP4_QUERIES.has(message.type);
  return message.type >= ICMP6_QUERIES_FROM && message.type !== ICMP6.redirect;
}

/** The own address of the interface; of one that has none of its own, that of any other. */
function sourceOf(context: Context, link: Link, destination: Address): Address | undefined {
  if (isLinkLocal(destination)) return link.plan?.linkLocal;
  for (const { plan, own } of [link, ...context.links.values()]) {
    const subnets = typeof destination === "bigint" ? plan?.subnets6 : plan?.subnets;
    const usable = subnets?.find(({ address }) => own.get(address)?.state === "valid");
    if (usable !== undefined) return usable.address;
  }
  return undefined;
}
