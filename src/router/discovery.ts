/** Neighbour discovery that comes in (RFC 4861 section 7.2, RFC 4862 section 5.4). */
import type { IpPacket } from "../frame.js";
import { ALL_NODES } from "../hsrp/addresses.js";
import {
  NA_OVERRIDE,
  NA_ROUTER,
  NA_SOLICITED,
  type NeighborMessage,
  neighborAdvertisement,
  parseNeighborMessage,
} from "../icmp.js";
import { isGroupMac, MAC_NONE, type Mac } from "../mac.js";
import { advertiseSoon, answerRouterSolicitation } from "./advertise.js";
import { receiveVirtualClaim, warmFor } from "./arp.js";
import { discoveryFrame, discoveryHeader, transmit } from "./ask.js";
import {
  type Context,
  count,
  isOursOrShared,
  isOwnMac,
  type Link,
  macFor,
  mayNow,
  ownedMac,
} from "./context.js";
import { hear, neighborOf } from "./neighbors.js";
import { contest } from "./own.js";
import { isOnLink, type RouterInterface } from "./plan.js";

const UNSPECIFIED = 0n;

/** `from`: the source address of the frame. */
export function receiveDiscovery(
  context: Context,
  link: Link,
  plan: RouterInterface,
  packet: IpPacket,
  from: Mac,
): undefined {
  count(link, "nd_received");
  if (packet.fragment !== undefined) return count(link, "nd_fragmented");
  const message = parseNeighborMessage(packet);
  if (message === undefined) return count(link, "nd_malformed");
  const isAnswer = message.kind === "neighbor-advertisement";
  if (!mayNow(context, link, isAnswer ? "answersIn" : "requestsIn")) return count(link, "nd_rate");
  const source = packet.source as bigint;
  switch (message.kind) {
    case "neighbor-solicitation":
      return receiveSolicitation(context, link, plan, source, message, from);
    case "neighbor-advertisement":
      return receiveAdvertisement(context, link, message, from);
    case "router-solicitation":
      count(link, "router_solicitations_received");
      return answerRouterSolicitation(context, link);
    case "router-advertisement":
      count(link, "router_advertisements_received");
      // Hosts have just been told something else of a virtual router that is this one.
      if (ownedMac(context, link, source) !== undefined) advertiseSoon(context, link, source);
      return;
    case "redirect":
      return count(link, "redirects_ignored");
  }
}

/** False, and counted: the MAC address cannot be that of another station. */
function isForeignMac(context: Context, link: Link, mac: Mac): boolean {
  if (isGroupMac(mac) || mac === MAC_NONE) count(link, "nd_bad_mac");
  else if (isOwnMac(context, link, mac)) count(link, "nd_own_mac");
  else return true;
  return false;
}

function receiveSolicitation(
  context: Context,
  link: Link,
  plan: RouterInterface,
  source: bigint,
  { target, sourceMac }: Extract<NeighborMessage, { kind: "neighbor-solicitation" }>,
  from: Mac,
): undefined {
  if (!isForeignMac(context, link, sourceMac ?? from)) return;
  const own = link.own.get(target);
  if (source === UNSPECIFIED) {
    // Somebody else is about to take the address.
    if (own !== undefined && own.state !== "valid") return contest(context, link, target, from);
    if (macFor(context, link, target) === undefined) return count(link, "nd_not_for_us");
    return answer(context, link, target, ALL_NODES.address, ALL_NODES.mac);
  }
  if (isOursOrShared(context, link, source)) return claim(context, link, source, sourceMac ?? from);
  if (!isOnLink(context.plan, plan, source)) return count(link, "nd_foreign_sender");
  if (!isOursOrShared(context, link, target)) {
    if (link.speakers.has(source) && isOnLink(context.plan, plan, target))
      return warmFor(context, link, target);
    return count(link, "nd_not_for_us");
  }
  const mac = sourceMac ?? neighborOf(link, source)?.mac ?? from;
  if (sourceMac !== undefined) hear(context, link, source, sourceMac, "solicit");
  if (macFor(context, link, target) !== undefined) answer(context, link, target, source, mac);
}

/** Says where an address of this router is. To all nodes, it is not an answer to anybody (section 7.2.4). */
function answer(context: Context, link: Link, target: bigint, destination: bigint, to: Mac): undefined {
  const mac = macFor(context, link, target)!;
  const solicited = destination === ALL_NODES.address ? 0 : NA_SOLICITED;
  const header = discoveryHeader(target, destination);
  const message = neighborAdvertisement(header, target, mac, NA_ROUTER + solicited + NA_OVERRIDE);
  if (transmit(context, link, discoveryFrame(header, mac, message, to)))
    count(link, "nd_advertisements_sent");
}

function receiveAdvertisement(
  context: Context,
  link: Link,
  {
    target,
    targetMac,
    isSolicited,
    isOverride,
  }: Extract<NeighborMessage, { kind: "neighbor-advertisement" }>,
  from: Mac,
): undefined {
  const mac = targetMac ?? from;
  if (!isForeignMac(context, link, mac)) return;
  if (isOursOrShared(context, link, target)) return claim(context, link, target, mac);
  const known = neighborOf(link, target);
  // Without its option a message says that the neighbour lives, and not where (section 7.2.5).
  const told = targetMac ?? known?.mac;
  if (known === undefined || told === undefined) return count(link, "nd_not_for_us");
  const isMoved = known.mac !== undefined && known.mac !== told;
  const event = isSolicited && (isOverride || !isMoved) ? "answer" : "hint";
  hear(context, link, target, told, event, isOverride);
}

/** Another station says that it has an address of this router, or of its groups. */
function claim(context: Context, link: Link, address: bigint, mac: Mac): undefined {
  if (link.own.has(address)) contest(context, link, address, mac);
  else receiveVirtualClaim(context, link, address, mac);
}
