/** Packets that the router itself sends: by their route, in frames, cut up where they have to be. */
import { ETHERNET, ethernetFrame, ethertypeOf, type IpHeader, ipPacket, udpDatagram } from "../frame.js";
import { IP_PROTOCOL_UDP } from "../config/names.js";
import { isLinkLocal } from "../hsrp/addresses.js";
import { type Address, isMulticast } from "../ip.js";
import { MAC_NONE, type Mac, multicastMac } from "../mac.js";
import type { OutgoingDatagram } from "./actions.js";
import { transmit } from "./ask.js";
import { type Context, count, type Link, ownedMac } from "./context.js";
import { fragment } from "./fragment.js";
import { CONTROL_TRAFFIC_CLASS } from "./limits.js";
import { sendTo } from "./neighbors.js";
import { hopTo } from "./plan.js";

const IDENTIFICATIONS = 2 ** 16;

/** What a packet's frame is to have, where that does not follow from the packet. */
interface FrameMacs {
  readonly sourceMac?: Mac;
  readonly destinationMac?: Mac;
}

/** The link by which a packet leaves, and the station it goes to there; undefined: everybody of its group. */
interface Way {
  readonly link: Link;
  readonly address: Address | undefined;
}

/** `on`: for destinations that every link has its own of. */
function wayTo(context: Context, on: Link, destination: Address, macs: FrameMacs): Way | undefined {
  if (isMulticast(destination) || macs.destinationMac !== undefined) return { link: on, address: undefined };
  if (isLinkLocal(destination)) return { link: on, address: destination };
  const hop = hopTo(context.plan, destination);
  return hop && { link: context.links.get(hop.interface.name)!, address: hop.address };
}

/** The link by which a packet to that destination would leave; undefined: there is no route. */
export function linkTo(context: Context, on: Link, destination: Address): Link | undefined {
  return wayTo(context, on, destination, {})?.link;
}

export function sendPacket(
  context: Context,
  on: Link,
  header: IpHeader,
  payload: Uint8Array,
  macs: FrameMacs = {},
): undefined {
  const { source, destination } = header;
  const way = wayTo(context, on, destination, macs);
  if (way === undefined) return count(on, "no_route");
  const { link, address } = way;
  if (link.plan?.mac === undefined) return count(link, "interface_down");
  context.identification = (context.identification + 1) % IDENTIFICATIONS;
  const packet = ipPacket({ ...header, identification: context.identification }, payload);
  const sourceMac = macs.sourceMac ?? ownedMac(context, link, source) ?? link.plan.mac;
  const destinationMac =
    macs.destinationMac ?? (address === undefined ? multicastMac(destination) : MAC_NONE);
  const whole = ethernetFrame(destinationMac, sourceMac, ethertypeOf(source), packet);
  const isLarge = packet.length > link.plan.mtu;
  if (isLarge && typeof source === "bigint") return count(link, "too_big");
  const frames = isLarge ? fragment(whole, ETHERNET.size, link.plan.mtu) : [whole];
  if (isLarge) count(link, "fragmented");
  count(link, "sent");
  for (const frame of frames) {
    if (address === undefined) transmit(context, link, frame);
    else sendTo(context, link, address, { frame, networkOffset: ETHERNET.size, isOwn: true });
  }
}

/** A datagram of one of the control machines. */
export function sendDatagram(context: Context, on: Link, datagram: OutgoingDatagram): undefined {
  const { protocol = IP_PROTOCOL_UDP, source, destination, ttl, sourcePort, port, payload } = datagram;
  const header = { source, destination, protocol, ttl, trafficClass: CONTROL_TRAFFIC_CLASS };
  const isUdp = protocol === IP_PROTOCOL_UDP;
  const ports = { source: sourcePort ?? 0, destination: port ?? 0 };
  sendPacket(context, on, header, isUdp ? udpDatagram(header, ports, payload) : payload, datagram);
}
