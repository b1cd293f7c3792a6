/**
 * The router's own addresses: announced and defended in IPv4 (RFC 5227), found to be nobody else's in IPv6 before they are
 * used (RFC 4862 section 5.4). IPv4 addresses are used at once: a router that waits for seconds is worse than a duplicate.
 */
import { ARP_REQUEST, arpMessage } from "../arp.js";
import { ETHERTYPE_ARP, ethernetFrame } from "../frame.js";
import { neighborAdvertisement, neighborSolicitation, solicitedNode } from "../icmp.js";
import { ALL_NODES } from "../hsrp/addresses.js";
import { type Address, formatAddress } from "../ip.js";
import { MAC_BROADCAST, MAC_NONE, type Mac } from "../mac.js";
import { discoveryFrame, discoveryHeader, transmit } from "./ask.js";
import { type Context, count, fraction, type Link, NEVER_MS, type OwnAddress, wakeAt } from "./context.js";
import {
  ANNOUNCE_COUNT,
  ANNOUNCE_INTERVAL_MS,
  DAD_DELAY_MS,
  DAD_WAIT_MS,
  DEFEND_INTERVAL_MS,
} from "./limits.js";

const UNSPECIFIED = 0n;

/** Takes the addresses of the configuration: new ones begin, others go on, those that are gone are given up. */
export function takeAddresses(context: Context, link: Link): undefined {
  const { plan } = link;
  const wanted = new Set<Address>();
  if (plan !== undefined) {
    for (const { address } of [...plan.subnets, ...plan.subnets6]) wanted.add(address);
    if (plan.linkLocal !== undefined) wanted.add(plan.linkLocal);
  }
  for (const address of link.own.keys()) if (!wanted.has(address)) link.own.delete(address);
  for (const address of wanted) {
    if (link.own.has(address)) continue;
    const own: OwnAddress = { state: "valid", dueAtMs: NEVER_MS, left: 0, defendAtMs: 0 };
    link.own.set(address, own);
    if (link.isUp) begin(context, address, own);
  }
}

/** The interface has come up. */
export function beginAll(context: Context, link: Link): undefined {
  for (const [address, own] of link.own) begin(context, address, own);
}

function begin(context: Context, address: Address, own: OwnAddress): undefined {
  if (typeof address === "bigint") {
    own.state = "tentative";
    own.left = 1;
    own.dueAtMs = context.nowMs + DAD_DELAY_MS * fraction(context);
  } else {
    own.left = ANNOUNCE_COUNT;
    own.dueAtMs = context.nowMs;
  }
  wakeAt(context, own.dueAtMs);
}

export function stopAll(link: Link): undefined {
  for (const own of link.own.values()) own.dueAtMs = NEVER_MS;
}

/** Does what is due. */
export function expireOwn(context: Context, link: Link): undefined {
  for (const [address, own] of link.own)
    if (own.dueAtMs <= context.nowMs) proceed(context, link, address, own);
}

function proceed(context: Context, link: Link, address: Address, own: OwnAddress): undefined {
  if (own.state === "valid") announce(context, link, address);
  else if (own.left > 0) solicit(context, link, address as bigint);
  else own.state = "valid";
  const waitMs = own.state === "tentative" ? DAD_WAIT_MS : ANNOUNCE_INTERVAL_MS;
  const isOver = own.state === "valid" && own.left <= 1;
  own.left = Math.max(0, own.left - 1);
  own.dueAtMs = isOver ? NEVER_MS : context.nowMs + waitMs;
  wakeAt(context, own.dueAtMs);
}

/** Says where an own address is: an ARP announcement (RFC 5227 section 2.3), or an unsolicited advertisement. */
function announce(context: Context, link: Link, address: Address): undefined {
  const mac = link.plan?.mac;
  if (mac === undefined) return;
  if (typeof address === "number") {
    const message = arpMessage(ARP_REQUEST, { mac, address }, { mac: MAC_NONE, address });
    const frame = ethernetFrame(MAC_BROADCAST, mac, ETHERTYPE_ARP, message);
    if (transmit(context, link, frame)) count(link, "arp_requests_sent");
  } else {
    const header = discoveryHeader(address, ALL_NODES.address);
    const frame = discoveryFrame(header, mac, neighborAdvertisement(header, address, mac));
    if (transmit(context, link, frame)) count(link, "nd_advertisements_sent");
  }
}

/** Asks whether somebody has the address, without having one (RFC 4862 section 5.4.2). */
function solicit(context: Context, link: Link, address: bigint): undefined {
  const mac = link.plan?.mac;
  if (mac === undefined) return;
  const header = discoveryHeader(UNSPECIFIED, solicitedNode(address));
  const frame = discoveryFrame(header, mac, neighborSolicitation(header, address));
  if (transmit(context, link, frame)) count(link, "nd_solicitations_sent");
}

/** Another station claims an own address. */
export function contest(context: Context, link: Link, address: Address, mac: Mac): undefined {
  const own = link.own.get(address)!;
  count(link, "duplicate_address");
  const isTentative = own.state === "tentative";
  if (isTentative) {
    own.state = "duplicate";
    own.dueAtMs = NEVER_MS;
  } else if (context.nowMs < own.defendAtMs) return;
  own.defendAtMs = context.nowMs + DEFEND_INTERVAL_MS;
  const what = typeof address === "bigint" ? "%IPV6_ND-4-DUPLICATE" : "%IP-4-DUPADDR";
  const text = `${what}: Duplicate address ${formatAddress(address)} on ${link.name}, sourced by ${mac}`;
  context.actions.push({ kind: "log", severity: 4, text });
  if (own.state === "valid") announce(context, link, address);
}
