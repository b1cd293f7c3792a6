/** The Ethernet frames of what the HSRP machine sends and announces. */
import { IP_PROTOCOL_ICMP6, IP_PROTOCOL_UDP } from "../config/names.js";
import { ARP_REPLY, arpMessage } from "../arp.js";
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  ethernetFrame,
  ethertypeOf,
  type IpHeader,
  ipPacket,
  MAC_BROADCAST,
  udpDatagram,
} from "../frame.js";
import { ND_HOP_LIMIT, neighborAdvertisement } from "../icmp.js";
import type { AnnounceAction, SendAction } from "./actions.js";
import { ALL_NODES, TRAFFIC_CLASS } from "./addresses.js";

/** The frame of an HSRP packet, without padding and check sequence. */
export function frameOf(action: SendAction): Uint8Array {
  const { source, destination, ttl, port, payload, sourceMac, destinationMac } = action;
  const header: IpHeader = {
    source,
    destination,
    protocol: IP_PROTOCOL_UDP,
    ttl,
    trafficClass: TRAFFIC_CLASS,
  };
  const packet = ipPacket(header, udpDatagram(header, { source: port, destination: port }, payload));
  return ethernetFrame(destinationMac, sourceMac, ethertypeOf(source), packet);
}

/**
 * The frame that tells neighbours where a virtual address is: a gratuitous ARP reply to everybody (RFC 5227 section 3),
 * or an unsolicited neighbour advertisement to all nodes (RFC 4861 section 7.2.6).
 */
export function announcementFrame({ address, mac }: AnnounceAction): Uint8Array {
  if (typeof address === "number") {
    const message = arpMessage(ARP_REPLY, { mac, address }, { mac: MAC_BROADCAST, address });
    return ethernetFrame(MAC_BROADCAST, mac, ETHERTYPE_ARP, message);
  }
  const header: IpHeader = {
    source: address,
    destination: ALL_NODES.address,
    protocol: IP_PROTOCOL_ICMP6,
    ttl: ND_HOP_LIMIT,
  };
  const packet = ipPacket(header, neighborAdvertisement(header, address, mac));
  return ethernetFrame(ALL_NODES.mac, mac, ETHERTYPE_IPV6, packet);
}
