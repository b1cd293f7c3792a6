/** Commands of an interface that have no effect here, and those that are refused because they should have one. */
import { notesOf, refusalsOf, type Row } from "../command.js";

const noted = notesOf("interface");

export const rejected = refusalsOf("interface");

/** IPv4. */
export const IP_NOTES: readonly Row[] = [
  noted("ip redirects", "no ip redirects", "ICMP redirects", "redirects are not sent"),
  noted("ip proxy-arp", "no ip proxy-arp", "proxy ARP", "ARP is answered for own addresses only"),
  noted("ip directed-broadcast", "no ip directed-broadcast", "directed broadcasts", "they are not forwarded"),
  noted("ip mask-reply", "no ip mask-reply", "ICMP mask replies", "they are not sent"),
  noted(
    "ip route-cache [cef | flow | policy | same-interface]",
    "no ip route-cache",
    "fast switching",
    "there is one way to switch packets",
  ),
  noted("ip flow (ingress | egress)", "ip flow ingress", "flow export", "flows are not exported"),
  noted("ip nbar protocol-discovery", "ip nbar protocol-discovery", "protocol counts", "NBAR is not run"),
  noted("ip mtu <bytes:68-9216>", "ip mtu 1500", "largest IP packet", "the MTU of the device counts"),
  noted(
    "ip tcp adjust-mss <bytes:500-1460>",
    "ip tcp adjust-mss 1452",
    "MSS of forwarded SYNs",
    "segments are not rewritten",
  ),
];

/** The port and its hardware. */
export const PORT_NOTES: readonly Row[] = [
  noted("negotiation auto", "negotiation auto", "autonegotiation", "the host sets the port"),
  noted(
    "bandwidth <kilobits:1-10000000>",
    "bandwidth 100000",
    "bandwidth for routing protocols",
    "there is no routing protocol",
  ),
  noted(
    "delay <tens:1-16777215>",
    "delay 100",
    "delay for routing protocols",
    "there is no routing protocol",
  ),
  noted("mtu <bytes:64-18000>", "mtu 1500", "largest frame", "the host sets the port"),
  noted(
    "load-interval <seconds:30-600>",
    "load-interval 30",
    "time over which load is averaged",
    "counters are totals",
  ),
  noted("keepalive [<seconds:0-32767>]", "no keepalive", "keepalive frames", "they are not sent"),
  noted(
    "hold-queue <packets:0-65535> (in | out)",
    "hold-queue 100 out",
    "length of a queue",
    "the host queues",
  ),
  noted(
    "carrier-delay <text:line>",
    "carrier-delay msec 0",
    "delay before a link change counts",
    "the host reports the link",
  ),
  noted("arp timeout <seconds:0-2147483>", "arp timeout 300", "life of an ARP entry", "it is four hours"),
  noted("cdp enable", "no cdp enable", "Cisco Discovery Protocol", "CDP is not spoken"),
  noted("mop (enabled | sysid)", "no mop enabled", "maintenance protocol", "MOP is not spoken"),
  noted(
    "switchport [<text:line>]",
    "switchport access vlan 10",
    "port of the built-in switch",
    "there is no switch",
  ),
  noted("spanning-tree <text:line>", "spanning-tree portfast", "spanning tree", "there is no switch"),
];

/** IPv6. */
export const IPV6_NOTES: readonly Row[] = [
  noted("ipv6 redirects", "no ipv6 redirects", "ICMPv6 redirects", "redirects are not sent"),
  noted(
    "ipv6 nd <text:line>",
    "ipv6 nd ra suppress",
    "router advertisements",
    "HSRP groups are advertised, and nothing else",
  ),
  noted("ipv6 mtu <bytes:1280-9216>", "ipv6 mtu 1500", "largest IPv6 packet", "the MTU of the device counts"),
];

/** What can be ignored only at the price of other packets being forwarded than the text says. */
export const REFUSED: readonly Row[] = [
  rejected(
    "ip nat <text:line>",
    "ip nat outside",
    "address translation",
    "addresses are not translated; translate before or behind the firewall",
  ),
  rejected(
    "ip policy route-map <name:word>",
    "ip policy route-map PBR",
    "policy routing",
    "routes follow the destination only",
  ),
  rejected(
    "ip vrf forwarding <name:word>",
    "ip vrf forwarding RED",
    "VRF of the interface",
    "there is one routing table",
  ),
  rejected(
    "vrf forwarding <name:word>",
    "vrf forwarding RED",
    "VRF of the interface",
    "there is one routing table",
  ),
  rejected(
    "zone-member security <name:word>",
    "zone-member security INSIDE",
    "security zone",
    "the zone firewall and stateful failover exclude each other; use `ip inspect`",
  ),
  rejected(
    "crypto <text:line>",
    "crypto map VPN",
    "encryption",
    "packets are not encrypted; end tunnels elsewhere",
  ),
  rejected(
    "bridge-group <group:1-255> [<text:line>]",
    "bridge-group 1",
    "bridging",
    "the firewall routes; it is not transparent",
  ),
  rejected(
    "service-policy <text:line>",
    "service-policy output QOS",
    "policy of the interface",
    "a policy could drop or mark packets; it is not applied here",
  ),
  rejected("ip ips <text:line>", "ip ips SIGS in", "intrusion prevention", "signatures are not matched here"),
  rejected(
    "ip urlfilter <text:line>",
    "ip urlfilter exclusive-domain deny example.com",
    "URL filter",
    "URLs are not filtered here",
  ),
];
