/** Cases for V16: HSRP hellos through inbound lists. */
import { PLAIN, SOUND_B } from "../configurations.js";
import { atEnd, type Case, casesOf, hello, INSIDE, IPV6_OUTSIDE, OUTSIDE, VERSION_2_INSIDE } from "./case.js";

export const HELLOS_CASES: Case[] = [
  ...casesOf("V16", [
    { name: "hellos are let in" },
    {
      name: "no entry for them",
      edits: [hello("")],
      severity: "warning",
      message:
        /udp 1985 from any host of 198\.51\.100\.0\/24 to 224\.0\.0\.2\) are denied by list FROM-OUTSIDE, line \d+/,
      at: "ip access-group FROM-OUTSIDE in",
    },
    { name: "from any host of the network", edits: [hello("permit udp 198.51.100.0 0.0.0.255 any eq 1985")] },
    { name: "with any other protocol", edits: [hello("permit ip any any")] },
    { name: "by group and source port", edits: [hello("permit udp any eq 1985 224.0.0.0 0.0.0.255")] },
    {
      name: "from this box's own address only",
      edits: [hello("permit udp host 198.51.100.2 host 224.0.0.2 eq 1985")],
      severity: "warning",
      message: /are denied/,
    },
    {
      name: "from the virtual address only",
      edits: [hello("permit udp host 198.51.100.1 host 224.0.0.2 eq 1985")],
      severity: "warning",
      message: /are denied/,
    },
    {
      name: "from another network",
      edits: [hello("permit udp 198.51.101.0 0.0.0.255 host 224.0.0.2 eq 1985")],
      severity: "warning",
      message: /are denied/,
    },
    {
      name: "to the group of version 2",
      edits: [hello("permit udp any host 224.0.0.102 eq 1985")],
      severity: "warning",
      message: /to 224\.0\.0\.2\) are denied/,
    },
    {
      name: "version 2, to its group",
      edits: [hello("permit udp any host 224.0.0.102 eq 1985"), [OUTSIDE, `${OUTSIDE} standby version 2\n`]],
    },
    {
      name: "version 2, to the group of version 1",
      edits: [[OUTSIDE, `${OUTSIDE} standby version 2\n`]],
      severity: "warning",
      message: /to 224\.0\.0\.102\) are denied/,
    },
    {
      name: "another port",
      edits: [hello("permit udp any any eq 1984")],
      severity: "warning",
      message: /are denied/,
    },
    { name: "with a TTL below 2", edits: [hello("permit udp any any eq 1985 ttl lt 2")] },
    {
      name: "with the precedence of hellos",
      edits: [hello("permit udp any any eq 1985 precedence internet")],
    },
    {
      name: "after a deny",
      edits: [hello("deny udp any 224.0.0.0 15.255.255.255\n permit udp any any")],
      severity: "warning",
      message: /are denied by list FROM-OUTSIDE, line \d+/,
    },
    {
      name: "a deny for some hosts leaves others",
      edits: [hello("deny udp 198.51.100.0 0.0.0.127 any\n permit udp any any eq 1985")],
    },
    {
      name: "through object groups",
      edits: [
        hello("permit object-group HSRP object-group ROUTERS any"),
        [
          "ip access-list extended",
          "object-group network ROUTERS\n host 198.51.100.2\n host 198.51.100.3\nobject-group service HSRP\n udp eq 1985\nip access-list extended",
        ],
      ],
    },
    {
      name: "in a network of many hosts, one at its end",
      edits: [
        ["ip address 198.51.100.2 255.255.255.0", "ip address 198.51.100.2 255.0.0.0"],
        hello("permit udp 198.200.0.0 0.0.0.15 any eq 1985"),
      ],
    },
    {
      name: "in a network of many hosts, all but some",
      edits: [
        ["ip address 198.51.100.2 255.255.255.0", "ip address 198.51.100.2 255.0.0.0"],
        hello("deny udp 198.0.0.0 0.127.255.255 any\n permit udp any any eq 1985"),
      ],
    },
    {
      name: "in a network of many hosts, none",
      edits: [
        ["ip address 198.51.100.2 255.255.255.0", "ip address 198.51.100.2 255.0.0.0"],
        hello("deny udp 198.0.0.0 0.255.255.255 any\n permit udp any any eq 1985"),
      ],
      severity: "warning",
      message: /any host of 198\.0\.0\.0\/8/,
    },
    {
      name: "in a network of many hosts, by a wildcard that is no prefix",
      edits: [
        ["ip address 198.51.100.2 255.255.255.0", "ip address 198.51.100.2 255.0.0.0"],
        hello("permit udp 198.0.0.9 0.255.0.0 any eq 1985"),
      ],
    },
    {
      name: "on the LAN of remote-ip, from its address",
      edits: [
        [INSIDE, `${INSIDE} ip access-group LAN in\n`],
        atEnd("ip access-list extended LAN\n permit udp host 10.20.0.3 any eq 1985\n permit sctp any any\n"),
      ],
    },
    {
      name: "on the LAN of remote-ip, from another address",
      edits: [
        [INSIDE, `${INSIDE} ip access-group LAN in\n`],
        atEnd("ip access-list extended LAN\n permit udp host 10.20.0.4 any eq 1985\n permit sctp any any\n"),
      ],
      severity: "warning",
      message: /udp 1985 from 10\.20\.0\.3 to 224\.0\.0\.2\) are denied by the end of list LAN/,
      at: "ip access-group LAN in",
    },
    {
      name: "the peer is known, and let in",
      peer: SOUND_B,
    },
    {
      name: "the peer is known, and another host is let in",
      edits: [hello("permit udp host 198.51.100.77 any eq 1985")],
      peer: SOUND_B,
      severity: "warning",
      message: /from 198\.51\.100\.3 to/,
    },
    {
      name: "a standard list",
      edits: [
        ["ip access-group FROM-OUTSIDE in", "ip access-group 10 in"],
        atEnd("access-list 10 permit 198.51.100.3\n"),
      ],
    },
    {
      name: "a standard list without the peer",
      edits: [
        ["ip access-group FROM-OUTSIDE in", "ip access-group 10 in"],
        atEnd("access-list 10 permit 192.0.2.1\n"),
      ],
      severity: "warning",
      message: /denied by the end of list 10/,
    },
    { name: "an interface that is shut down", edits: [hello(""), [OUTSIDE, `${OUTSIDE} shutdown\n`]] },
    { name: "no HSRP on the interface", base: PLAIN },
    {
      name: "IPv6, let in",
      edits: [
        IPV6_OUTSIDE,
        VERSION_2_INSIDE,
        hello("permit udp any any eq 1985"),
        atEnd("ipv6 access-list SIX\n permit udp fe80::/10 host ff02::66 eq 2029\n"),
      ],
    },
    {
      name: "IPv6, denied",
      edits: [
        IPV6_OUTSIDE,
        VERSION_2_INSIDE,
        hello("permit udp any any eq 1985"),
        atEnd("ipv6 access-list SIX\n permit tcp any any\n"),
      ],
      severity: "warning",
      message: /udp 2029 from any host of fe80::\/10 to ff02::66\) are denied by the end of list SIX/,
      at: "ipv6 traffic-filter SIX in",
    },
  ]),
];
