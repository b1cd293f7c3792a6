/**
 * The stable name and meaning of every reason code. Names are part of the interface: reports, JSON and comments in
 * captures use them, so they are never renamed. Order follows the order of decisions.
 */
import * as L from "../assembly/layout.js";

export type VerdictName = "pass" | "drop" | "local" | "held";

export interface Reason {
  code: number;
  name: string;
  verdict: VerdictName;
  meaning: string;
}

const row = (code: number, name: string, verdict: VerdictName, meaning: string): Reason => ({
  code,
  name,
  verdict,
  meaning,
});

export const REASONS: readonly Reason[] = [
  row(L.R_ESTABLISHED, "established", "pass", "belongs to a session"),
  row(L.R_NEW_SESSION, "new_session", "pass", "permitted and inspected: a session was created"),
  row(L.R_RELATED, "related", "pass", "ICMP error about a packet of a session"),
  row(L.R_PERMITTED, "permitted", "pass", "permitted by the access lists, not inspected"),
  row(L.R_LOCAL, "local", "local", "addressed to the firewall"),
  row(L.R_ARP, "arp", "local", "ARP"),
  row(L.R_NEIGHBOR_DISCOVERY, "neighbor_discovery", "local", "IPv6 neighbour discovery"),
  row(L.R_LOCAL_MULTICAST, "local_multicast", "local", "link-local multicast (HSRP, routing, MLD)"),
  row(L.R_HELD, "held", "held", "fragment waiting for the rest of its datagram"),
  row(L.R_HANDOVER, "handover", "held", "waits until the role has been handed over"),

  row(L.R_NOT_READY, "not_ready", "drop", "no policy is loaded"),
  row(L.R_BAD_DESCRIPTOR, "bad_descriptor", "drop", "the host described no frame of this memory"),
  row(L.R_INTERFACE_DOWN, "interface_down", "drop", "the ingress interface is down or unknown"),
  row(L.R_FRAME_TRUNCATED, "frame_truncated", "drop", "the frame ends inside a header"),
  row(L.R_ETHERTYPE, "ethertype", "drop", "neither IPv4 nor IPv6 nor ARP"),
  row(L.R_VLAN, "vlan", "drop", "a VLAN tag that no interface has, or too many tags"),
  row(L.R_NOT_FOR_US, "not_for_us", "drop", "the destination MAC address is another station's"),
  row(L.R_LINK_BROADCAST, "link_broadcast", "drop", "unicast IP in a broadcast or multicast frame"),

  row(L.R_IP_HEADER, "ip_header", "drop", "IP version or header length is wrong"),
  row(L.R_IP_LENGTH, "ip_length", "drop", "the IP length is more than the frame holds"),
  row(L.R_IP_CHECKSUM, "ip_checksum", "drop", "wrong IPv4 header checksum"),
  row(L.R_IP_OPTION_MALFORMED, "ip_option_malformed", "drop", "IPv4 options that do not fit their header"),
  row(L.R_IP_SOURCE_ROUTE, "ip_source_route", "drop", "loose or strict source route"),
  row(L.R_IP_RECORD_ROUTE, "ip_record_route", "drop", "record route option"),
  row(L.R_IP_OPTION, "ip_option", "drop", "another IPv4 option"),
  row(L.R_MARTIAN_SOURCE, "martian_source", "drop", "a source address that no host may have"),
  row(L.R_MARTIAN_DESTINATION, "martian_destination", "drop", "a destination address that no host may have"),
  row(L.R_LAND, "land", "drop", "source and destination address are equal"),
  row(L.R_OWN_SOURCE, "own_source", "drop", "the source is an address of the firewall"),
  row(L.R_SOURCE_UNROUTABLE, "source_unroutable", "drop", "no interface leads to the source"),
  row(L.R_REVERSE_PATH, "reverse_path", "drop", "the source is not reachable as `ip verify` demands"),
  row(L.R_BROADCAST, "broadcast", "drop", "limited or directed broadcast"),
  row(L.R_MULTICAST, "multicast", "drop", "multicast, which is not routed"),
  row(L.R_TTL_EXPIRED, "ttl_expired", "drop", "TTL or hop limit would become 0"),
  row(L.R_TOO_BIG, "mtu_exceeded", "drop", "larger than the MTU of the way out, and not to be cut"),
  row(L.R_NO_ROUTE, "no_route", "drop", "no route to the destination"),
  row(L.R_LINK_SCOPE, "link_scope", "drop", "link-scope IPv6 towards another link"),
  row(
    L.R_IPV6_EXTENSION,
    "ipv6_extension",
    "drop",
    "IPv6 extension headers out of order, too many or malformed",
  ),
  row(
    L.R_IPV6_ROUTING_HEADER,
    "ipv6_routing_header",
    "drop",
    "IPv6 routing header type 0 or with segments left",
  ),
  row(
    L.R_PROTOCOL_DISABLED,
    "protocol_disabled",
    "drop",
    "the interface takes no part in this version of IP",
  ),
  row(L.R_STANDBY, "standby", "drop", "this box is standby and forwards nothing"),

  row(L.R_FRAGMENT_REFUSED, "fragment_refused", "drop", "the interface takes no fragments"),
  row(L.R_FRAGMENT_MALFORMED, "fragment_malformed", "drop", "fragment without data or of an odd length"),
  row(L.R_FRAGMENT_TINY, "fragment_tiny", "drop", "first fragment without the whole transport header"),
  row(L.R_FRAGMENT_OVERLAP, "fragment_overlap", "drop", "fragments overlap or end twice"),
  row(L.R_FRAGMENT_OVERSIZE, "fragment_oversize", "drop", "datagram of more than 65535 bytes"),
  row(L.R_FRAGMENT_TABLE_FULL, "fragment_table_full", "drop", "no room to hold another fragment"),
  row(L.R_FRAGMENT_TIMEOUT, "fragment_timeout", "drop", "the datagram was not completed in time"),
  row(L.R_FRAGMENT_TOO_LARGE, "fragment_too_large", "drop", "fragment larger than a held frame"),

  row(L.R_TCP_HEADER, "tcp_header", "drop", "TCP header does not fit"),
  row(L.R_TCP_FLAGS, "tcp_flags", "drop", "impossible TCP flags"),
  row(L.R_TCP_CHECKSUM, "tcp_checksum", "drop", "wrong TCP checksum"),
  row(L.R_UDP_HEADER, "udp_header", "drop", "UDP header or length does not fit"),
  row(L.R_UDP_CHECKSUM, "udp_checksum", "drop", "wrong UDP checksum"),
  row(L.R_ICMP_HEADER, "icmp_header", "drop", "ICMP header does not fit"),
  row(L.R_ICMP_CHECKSUM, "icmp_checksum", "drop", "wrong ICMP checksum"),
  row(L.R_PORT_ZERO, "port_zero", "drop", "port 0"),
  row(L.R_ICMP_FORBIDDEN, "icmp_forbidden", "drop", "ICMP redirect or source quench"),

  row(L.R_TCP_NO_SESSION, "tcp_no_session", "drop", "TCP without a session, and not a SYN"),
  row(L.R_TCP_STATE, "tcp_state", "drop", "TCP segment that the state does not allow"),
  row(L.R_TCP_HANDSHAKE, "tcp_handshake", "drop", "does not answer the SYN of the session"),
  row(L.R_TCP_SEQ_HIGH, "tcp_seq_high", "drop", "data beyond the receiver's window"),
  row(L.R_TCP_SEQ_OLD, "tcp_seq_old", "drop", "data before the window"),
  row(L.R_TCP_ACK_HIGH, "tcp_ack_high", "drop", "acknowledges data that was never sent"),
  row(L.R_TCP_ACK_OLD, "tcp_ack_old", "drop", "acknowledgement far in the past"),
  row(L.R_TCP_RST_WINDOW, "tcp_rst_window", "drop", "RST outside the window"),
  row(L.R_TCP_AFTER_CLOSE, "tcp_after_close", "drop", "new data after both sides have closed"),
  row(L.R_ICMP_NO_SESSION, "icmp_no_session", "drop", "ICMP without a session, and no request"),
  row(L.R_ICMP_UNRELATED, "icmp_unrelated", "drop", "ICMP error that quotes no packet of a session"),
  row(L.R_WRONG_INTERFACE, "wrong_interface", "drop", "the session does not live on this interface"),
  row(L.R_TABLE_FULL, "table_full", "drop", "no room for another session"),

  row(L.R_ACL_IN_DENY, "acl_in_deny", "drop", "denied by an entry of the inbound list"),
  row(L.R_ACL_IN_IMPLICIT, "acl_in_implicit", "drop", "no entry of the inbound list matches"),
  row(L.R_ACL_OUT_DENY, "acl_out_deny", "drop", "denied by an entry of the outbound list"),
  row(L.R_ACL_OUT_IMPLICIT, "acl_out_implicit", "drop", "no entry of the outbound list matches"),
];

const BY_CODE = new Map(REASONS.map((reason) => [reason.code, reason]));

/** The reason of a code that the core wrote; a code without one is a bug of this table. */
export function reasonOf(code: number): Reason {
  const reason = BY_CODE.get(code);
  if (reason === undefined) throw new Error(`reason code ${code} has no name`);
  return reason;
}

const BY_NAME = new Map(REASONS.map((reason) => [reason.name, reason]));

/** The reason of that name; a name without one is a bug of whoever made it. */
export function reasonNamed(name: string): Reason {
  const reason = BY_NAME.get(name);
  if (reason === undefined) throw new Error(`no reason is called ${name}`);
  return reason;
}
