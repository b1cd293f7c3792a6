/** Requests for the MAC address of a neighbour, and the frames that all else leaves in. */
import { ARP_REQUEST, arpMessage } from "../arp.js";
import { IP_PROTOCOL_ICMP6 } from "../config/names.js";
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, ethernetFrame, type IpHeader, ipPacket } from "../frame.js";
import { isLinkLocal } from "../hsrp/addresses.js";
import { ND_HOP_LIMIT, neighborSolicitation, solicitedNode } from "../icmp.js";
import { type Address, inPrefix } from "../ip.js";
import { MAC_BROADCAST, MAC_NONE, type Mac, multicastMac } from "../mac.js";
import { type Context, count, type Link, type Neighbor } from "./context.js";
import { ownAddressFor } from "./plan.js";

/** Sends a frame by an interface; false, and counted: it is down or cannot send. */
export function transmit(context: Context, link: Link, frame: Uint8Array, isForwarded?: true): boolean {
  if (!link.isUp || link.plan?.mac === undefined) {
    count(link, "interface_down");
    return false;
  }
  context.actions.push({
    kind: "transmit",
    interface: link.name,
    frame,
    ...(isForwarded && { isForwarded }),
  });
  return true;
}

/** Who a request is from. */
interface Asker {
  readonly mac: Mac;
  readonly address: Address;
}

/**
 * Asks for a neighbour: everybody (`to` undefined), or the neighbour where it was last. What a neighbour is asked by itself
 * comes from the virtual address, if this router has one on that subnet: so it learns where that is, even if it missed
 * every announcement.
 * @returns false when there is no address to ask from yet.
 */
export function ask(context: Context, { on: link, address }: Neighbor, to: Mac | undefined): boolean {
  const asker =
    (to === undefined ? undefined : virtualAsker(context, link, address)) ?? ownAsker(link, address);
  if (asker === undefined) return false;
  const frame =
    typeof address === "number" ? arpRequest(asker, address, to) : solicitation(asker, address, to);
  if (transmit(context, link, frame)) {
    count(link, typeof address === "number" ? "arp_requests_sent" : "nd_solicitations_sent");
  }
  return true;
}

function ownAsker(link: Link, address: Address): Asker | undefined {
  const { plan } = link;
  const own = plan && ownAddressFor(plan, address);
  if (own === undefined || plan?.mac === undefined) return undefined;
  return link.own.get(own)?.state === "valid" ? { mac: plan.mac, address: own } : undefined;
}

function virtualAsker({ owned }: Context, { name, plan }: Link, neighbor: Address): Asker | undefined {
  const subnet = plan?.subnets.find(({ address, prefixLength }) => inPrefix(neighbor, address, prefixLength));
  for (const { interface: on, addresses, mac } of owned.values()) {
    if (on !== name) continue;
    const address = addresses.find((each) =>
      typeof neighbor === "bigint"
        ? isLinkLocal(each)
        : subnet !== undefined && inPrefix(each, subnet.address, subnet.prefixLength),
    );
    if (address !== undefined) return { mac, address };
  }
  return undefined;
}

function arpRequest({ mac, address }: Asker, target: number, to: Mac | undefined): Uint8Array {
  const sender = { mac, address: address as number };
  const message = arpMessage(ARP_REQUEST, sender, { mac: MAC_NONE, address: target });
  return ethernetFrame(to ?? MAC_BROADCAST, mac, ETHERTYPE_ARP, message);
}

function solicitation({ mac, address }: Asker, target: bigint, to: Mac | undefined): Uint8Array {
  const destination = to === undefined ? solicitedNode(target) : target;
  const header = discoveryHeader(address, destination);
  return discoveryFrame(header, mac, neighborSolicitation(header, target, mac), to);
}

/** The IP header of a message of neighbour discovery. */
export function discoveryHeader(source: Address, destination: bigint): IpHeader {
  return { source, destination, protocol: IP_PROTOCOL_ICMP6, ttl: ND_HOP_LIMIT };
}

/** The frame of a message of neighbour discovery, to one station or, without `to`, to a multicast address. */
export function discoveryFrame(header: IpHeader, from: Mac, message: Uint8Array, to?: Mac): Uint8Array {
  const destination = to ?? multicastMac(header.destination);
  return ethernetFrame(destination, from, ETHERTYPE_IPV6, ipPacket(header, message));
}
