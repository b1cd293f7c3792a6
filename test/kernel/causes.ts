/**
 * Why the firewall and the kernel's connection tracking may differ about a packet. A difference that fits none of
 * these is a fault of one of the two.
 */
import type { Decision, KernelRow } from "./replay.js";

export interface Cause {
  id: string;
  /** One sentence: who is stricter, and why that is meant. */
  why: string;
  fits(row: KernelRow, decision: Decision, file: string): boolean;
}

/** The firewall drops for one of these reasons what the kernel lets pass. */
const dropsFor =
  (...reasons: string[]) =>
  ([, , verdict]: KernelRow, decision: Decision): boolean =>
    verdict === "pass" && decision.verdict === "drop" && reasons.includes(decision.reason);

export const CAUSES: readonly Cause[] = [
  {
    id: "land",
    why: "Both ends have one address (captures of a loopback interface): no such packet may cross a firewall.",
    fits: dropsFor("land"),
  },
  {
    id: "multicast",
    why: "The kernel bridged; a router takes link-local multicast itself and forwards no other multicast or broadcast.",
    fits: (row, decision) =>
      row[2] === "pass" &&
      (decision.reason === "local_multicast" ||
        ["multicast", "broadcast", "link_scope"].includes(decision.reason)),
  },
  {
    id: "martian",
    why: "Source or destination is an address that no host behind a router has (0/8, 127/8, 169.254/16, 240/4, link-local).",
    fits: dropsFor("martian_source", "martian_destination"),
  },
  {
    id: "encapsulation",
    why: "The kernel was given the packet without its MPLS, PPPoE or other shim, which the firewall does not look into.",
    fits: dropsFor("ethertype"),
  },
  {
    id: "options",
    why: "IPv4 options other than EOL and NOP are dropped unless `ip options ignore` is configured (RFC 7126).",
    fits: dropsFor("ip_option", "ip_option_malformed", "ip_record_route", "ip_source_route"),
  },
  {
    id: "ttl",
    why: "The kernel bridged; a router drops what has no hop left.",
    fits: dropsFor("ttl_expired"),
  },
  {
    id: "quotes-ttl",
    why: "The ICMP error quotes a packet that had no hop left here, so that there is no session.",
    fits: dropsFor("icmp_unrelated"),
  },
  {
    id: "application",
    why: "A data channel that the kernel's helper expected; it needs the inspection of its application.",
    fits: (row, decision) =>
      row[2] === "pass" &&
      decision.verdict === "drop" &&
      ["acl_in_deny", "tcp_no_session", "icmp_no_session"].includes(decision.reason),
  },
  {
    id: "handshake",
    why: "While a connection opens the kernel lets segments through that acknowledge no SYN; here they must.",
    fits: dropsFor("tcp_handshake", "tcp_seq_high", "tcp_ack_high", "tcp_rst_window"),
  },
  {
    id: "old",
    why: "Data or acknowledgements from before the window pass the kernel as ignored; here they are dropped (RFC 5961 5).",
    fits: dropsFor("tcp_seq_old", "tcp_ack_old"),
  },
  {
    id: "extension-headers",
    why: "Routing headers with segments left, extension headers in a wrong order or too many, or no transport header (RFC 5095, 7112, 8200 4.1).",
    fits: dropsFor("ipv6_routing_header", "ipv6_extension"),
  },
  {
    id: "damaged",
    why: "The frame is cut or its lengths lie; the kernel was given it padded and mended.",
    fits: dropsFor("frame_truncated", "ip_header", "ip_length", "udp_header", "tcp_header", "icmp_header"),
  },
  {
    id: "fragments",
    why: "A first fragment without its whole transport header, or a datagram that was completed only for the kernel.",
    fits: dropsFor(
      "fragment_tiny",
      "fragment_timeout",
      "fragment_overlap",
      "frame_truncated",
      "fragment_table_full",
    ),
  },
  {
    id: "port-zero",
    why: "Port 0 is no port that a session may have.",
    fits: dropsFor("port_zero"),
  },
  {
    id: "sctp",
    why: "The kernel follows the chunks of SCTP; here it is a protocol between two addresses.",
    fits: (row, decision, file) =>
      /sctp|forces|fabric-path/.test(file) && row[3] === "inv" && decision.verdict === "pass",
  },
  {
    id: "kernel-state",
    why: "The kernel took an earlier segment otherwise (a RST or SYN+ACK that answers no SYN moved its state), and so refuses this one.",
    fits: (row, decision) => row[2] === "drop" && row[3] === "inv" && decision.reason === "established",
  },
  {
    id: "kernel-invalid",
    why: "Conntrack calls the packet invalid for its protocol (a broken inner header, a type it does not know); here it is an ordinary first packet of the inside.",
    fits: (row, decision) =>
      row[2] === "drop" && ["inv", "untracked", "-"].includes(row[3]) && decision.verdict === "pass",
  },
  {
    id: "kernel-timer",
    why: "The kernel's timer for a conversation seen in one direction only is 30 s, and its entry was gone.",
    fits: (row, decision) => row[2] === "drop" && row[3] === "new-drop" && decision.verdict === "pass",
  },
];
