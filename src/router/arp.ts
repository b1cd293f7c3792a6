/** ARP frames that come in: answers for own and owned addresses, and what is learned of neighbours. RFC 826, 5227. */
import { ARP_REPLY, ARP_REQUEST, type ArpMessage, arpMessage, parseArp } from "../arp.js";
import { ETHERTYPE_ARP, ethernetFrame } from "../frame.js";
import { isGroupMac, MAC_NONE } from "../mac.js";
import { transmit } from "./ask.js";
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
import { hear, neighborOf, warm } from "./neighbors.js";
import { contest } from "./own.js";
import { isOnLink, type RouterInterface } from "./plan.js";

/** What a sender has that only asks whether its address is free (RFC 5227 section 2.1.1). */
const NO_ADDRESS = 0;

export function receiveArp(
  context: Context,
  link: Link,
  plan: RouterInterface,
  bytes: Uint8Array,
): undefined {
  const message = parseArp(bytes);
  if (message === undefined) return count(link, "arp_malformed");
  const isRequest = message.operation === ARP_REQUEST;
  count(link, isRequest ? "arp_requests_received" : "arp_replies_received");
  if (!mayNow(context, link, isRequest ? "requestsIn" : "answersIn")) return count(link, "arp_rate");
  const { sender, target } = message;
  if (isGroupMac(sender.mac) || sender.mac === MAC_NONE) return count(link, "arp_bad_mac");
  if (isOwnMac(context, link, sender.mac)) return count(link, "arp_own_mac");
  if (isOursOrShared(context, link, sender.address)) return receiveClaim(context, link, message);
  const isProbe = sender.address === NO_ADDRESS;
  if (!isProbe && !isOnLink(context.plan, plan, sender.address)) return count(link, "arp_foreign_sender");

  const isForUs = isOursOrShared(context, link, target.address);
  const isGratuitous = sender.address === target.address;
  if (!isForUs && isRequest && !isGratuitous) return overhear(context, link, plan, message);
  if (!isForUs && !isGratuitous) return count(link, "arp_not_for_us");
  if (isRequest && isForUs) answer(context, link, message);
  if (isProbe) return;
  if (isGratuitous) hear(context, link, sender.address, sender.mac, "hint");
  else hear(context, link, sender.address, sender.mac, isRequest ? "solicit" : "answer");
}

/** The sender says that an address of this router, or of its groups, is at its own MAC address. */
function receiveClaim(context: Context, link: Link, { sender }: ArpMessage): undefined {
  const { address, mac } = sender;
  if (link.own.has(address)) return contest(context, link, address, mac);
  receiveVirtualClaim(context, link, address, mac);
}

/** The same for a virtual address: HSRP judges it. The other routers of the group may have it. */
export function receiveVirtualClaim(
  context: Context,
  link: Link,
  address: ArpMessage["sender"]["address"] | bigint,
  mac: string,
): undefined {
  if (mac === (ownedMac(context, link, address) ?? link.plan?.virtual.get(address))) return;
  count(link, "virtual_address_claimed");
  context.actions.push({ kind: "arp", interface: link.name, address, mac });
}

/** Answers if the address is usable now; a virtual one is answered for by the router that owns it, and no other. */
function answer(context: Context, link: Link, { sender, target }: ArpMessage): undefined {
  const mac = macFor(context, link, target.address);
  if (mac === undefined) return;
  const reply = arpMessage(ARP_REPLY, { mac, address: target.address }, sender);
  if (transmit(context, link, ethernetFrame(sender.mac, mac, ETHERTYPE_ARP, reply))) {
    count(link, "arp_replies_sent");
  }
}

/** What the active router asks for, a router that stands by will have to know. */
function overhear(
  context: Context,
  link: Link,
  plan: RouterInterface,
  { sender, target }: ArpMessage,
): undefined {
  if (!link.speakers.has(sender.address) || !isOnLink(context.plan, plan, target.address)) {
    return count(link, "arp_not_for_us");
  }
  warmFor(context, link, target.address);
}

/** Resolves a neighbour that another router of the group asks for. */
export function warmFor(context: Context, link: Link, address: number | bigint): undefined {
  if (neighborOf(link, address) !== undefined) return;
  if (mayNow(context, link, "warm")) warm(context, link, address);
  else count(link, "neighbor_rate");
}
