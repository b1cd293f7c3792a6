/** Cases for V18, V19, V28, V29: lists, and the names of what is defined. */
import { PLAIN } from "../configurations.js";
import { atEnd, type Case, casesOf, inList, INSIDE, OUTSIDE, SYNC } from "./case.js";

export const LISTS_CASES: Case[] = [
  ...casesOf("V18", [
    { name: "an extended list" },
    {
      name: "no list",
      edits: [[" ip access-group FROM-OUTSIDE in\n", ""]],
      severity: "warning",
      message: /ip inspect OUTBOUND out on GigabitEthernet0\/1 protects nothing/,
      at: "ip inspect OUTBOUND out",
    },
    {
      name: "a list in the other direction",
      edits: [["ip access-group FROM-OUTSIDE in", "ip access-group FROM-OUTSIDE out"]],
      severity: "warning",
      message: /protects nothing/,
    },
    {
      name: "a standard list",
      edits: [
        ["ip access-group FROM-OUTSIDE in", "ip access-group 10 in"],
        atEnd("access-list 10 permit any\n"),
      ],
      severity: "warning",
      message: /stands with the standard list 10/,
      at: "ip access-group 10 in",
    },
    {
      name: "inspection inward needs none there",
      base: PLAIN,
      edits: [
        [" ip inspect OUT out\n", ""],
        [INSIDE, `${INSIDE} ip inspect OUT in\n`],
      ],
    },
    {
      name: "an IPv4 list does not do for IPv6",
      edits: [[OUTSIDE, `${OUTSIDE} ipv6 inspect SIX out\n`], atEnd("ipv6 inspect name SIX tcp\n")],
      severity: "warning",
      message: /ipv6 inspect SIX out on GigabitEthernet0\/1 protects nothing/,
    },
  ]),
  ...casesOf("V19", [
    { name: "all defined, all used" },
    {
      name: "an inspection rule that is not defined",
      edits: [["ip inspect OUTBOUND out", "ip inspect OUTBUOND out"]],
      severity: "error",
      message:
        /ip inspect OUTBUOND out on GigabitEthernet0\/1 names ip inspection rule OUTBUOND, which is not defined/,
      at: "ip inspect OUTBUOND out",
    },
    {
      name: "an inspection rule that is not used",
      edits: [atEnd("ip inspect name SPARE tcp\n")],
      severity: "warning",
      message: /ip inspection rule SPARE is defined and not used/,
      at: "ip inspect name SPARE",
    },
    {
      name: "an IPv6 rule of the same name is another one",
      edits: [[OUTSIDE, `${OUTSIDE} ipv6 inspect OUTBOUND out\n`]],
      severity: "error",
      message: /ipv6 inspection rule OUTBOUND, which is not defined/,
    },
    {
      name: "a list that is not defined",
      edits: [["ip access-group FROM-OUTSIDE in", "ip access-group FORM-OUTSIDE in"]],
      severity: "error",
      message: /ip access-group FORM-OUTSIDE in on GigabitEthernet0\/1 names ip access list FORM-OUTSIDE/,
      at: "ip access-group",
    },
    {
      name: "a list that is not used",
      edits: [atEnd("access-list 23 permit 10.20.0.0 0.0.0.255\n")],
      severity: "warning",
      message: /ip access list 23 is defined and not used/,
      at: "access-list 23",
    },
    {
      name: "a list that a kept command names",
      edits: [atEnd("line vty 0 4\n access-class 23 in\naccess-list 23 permit any\n")],
    },
    {
      name: "a list that a rule names",
      edits: [
        [
          "ip inspect name OUTBOUND tcp",
          "ip inspect name OUTBOUND http java-list 23\nip inspect name OUTBOUND tcp",
        ],
        atEnd("access-list 23 permit any\n"),
      ],
    },
    {
      name: "a list that the port map names",
      edits: [atEnd("ip port-map http port 8080 list 23\naccess-list 23 permit any\n")],
    },
    {
      name: "the port map names a list that is not defined",
      edits: [atEnd("ip port-map http port 8080 list 23\n")],
      severity: "error",
      message: /ip port-map http names ip access list 23/,
    },
    {
      name: "a list without entries",
      edits: [
        atEnd("ip access-list extended HOLLOW\n remark later\n"),
        [SYNC, `${SYNC} ip access-group HOLLOW in\n`],
      ],
      severity: "error",
      message: /names access list HOLLOW, which has no entry: IOS would permit everything/,
      at: "ip access-group HOLLOW",
    },
    {
      name: "an IPv6 list that is not defined, though an IPv4 list is",
      edits: [[OUTSIDE, `${OUTSIDE} ipv6 traffic-filter FROM-OUTSIDE in\n`]],
      severity: "error",
      message:
        /ipv6 traffic-filter FROM-OUTSIDE in on GigabitEthernet0\/1 names ipv6 access list FROM-OUTSIDE/,
    },
    {
      name: "an object group that is not defined",
      edits: [inList("permit tcp object-group ADMINS any eq 22")],
      severity: "error",
      message: /list FROM-OUTSIDE names object-group ADMINS, which is not defined/,
      at: "object-group ADMINS",
    },
    {
      name: "an object group that is not used",
      edits: [atEnd("object-group network ADMINS\n host 192.0.2.1\n")],
      severity: "warning",
      message: /object-group ADMINS is defined and not used/,
    },
    {
      name: "a group in a group",
      edits: [
        inList("permit tcp object-group ADMINS any eq 22"),
        [
          "ip access-list",
          "object-group network ROOT\n host 192.0.2.1\nobject-group network ADMINS\n group-object ROOT\nip access-list",
        ],
      ],
    },
    {
      name: "a group of services for addresses",
      edits: [
        inList("permit tcp object-group ADMINS any eq 22"),
        ["ip access-list", "object-group service ADMINS\n tcp eq 22\nip access-list"],
      ],
      severity: "error",
      message: /needs a network group, and ADMINS is a service group/,
    },
    {
      name: "a ring of groups",
      change: (config) => {
        const at = { line: 1, column: 1 };
        config.objectGroups.set("X", {
          at,
          name: "X",
          kind: "network",
          members: [{ at, kind: "group", name: "X" }],
        });
      },
      severity: "error",
      message: /object-group X contains itself/,
    },
    {
      name: "a time range that is not defined",
      edits: [inList("permit tcp any any eq 22 time-range WORK")],
      severity: "error",
      message: /list FROM-OUTSIDE names time-range WORK, which is not defined/,
    },
    {
      name: "a time range that is not used",
      edits: [atEnd("time-range WORK\n periodic daily 8:00 to 18:00\n")],
      severity: "warning",
      message: /time-range WORK is defined and not used/,
    },
    {
      name: "a key chain that is not defined",
      edits: [["authentication md5 key-string inside", "authentication md5 key-chain KEYS"]],
      severity: "error",
      message: /standby 1 on GigabitEthernet0\/0 names key chain KEYS/,
    },
    {
      name: "a key chain",
      edits: [
        ["authentication md5 key-string inside", "authentication md5 key-chain KEYS"],
        [
          "interface GigabitEthernet0/0",
          "key chain KEYS\n key 1\n  key-string secret\ninterface GigabitEthernet0/0",
        ],
      ],
    },
  ]),
  ...casesOf("V28", [
    { name: "no IPv6 list" },
    {
      name: "the end written out",
      edits: [
        [OUTSIDE, `${OUTSIDE} ipv6 traffic-filter SIX in\n`],
        atEnd("ipv6 access-list SIX\n permit tcp any any established\n deny ipv6 any any log\n"),
      ],
      severity: "warning",
      message: /deny ipv6 any any in list SIX stops neighbour discovery \(nd-ns, nd-na\)/,
      at: "deny ipv6 any any",
    },
    {
      name: "one of the two permitted",
      edits: [
        [OUTSIDE, `${OUTSIDE} ipv6 traffic-filter SIX in\n`],
        atEnd("ipv6 access-list SIX\n permit icmp any any nd-ns\n deny ipv6 any any\n"),
      ],
      severity: "warning",
      message: /stops neighbour discovery \(nd-na\)/,
    },
    {
      name: "both permitted",
      edits: [
        [OUTSIDE, `${OUTSIDE} ipv6 traffic-filter SIX in\n`],
        atEnd(
          "ipv6 access-list SIX\n permit icmp fe80::/10 any nd-ns\n permit icmp any any nd-na\n deny ipv6 any any\n",
        ),
      ],
    },
    {
      name: "all ICMPv6 permitted",
      edits: [
        [OUTSIDE, `${OUTSIDE} ipv6 traffic-filter SIX in\n`],
        atEnd("ipv6 access-list SIX\n permit icmp any any\n deny ipv6 any any\n"),
      ],
    },
    {
      name: "the implicit end",
      edits: [
        [OUTSIDE, `${OUTSIDE} ipv6 traffic-filter SIX in\n`],
        atEnd("ipv6 access-list SIX\n permit tcp any any\n deny udp any any\n"),
      ],
    },
    {
      name: "a deny of fragments only",
      edits: [
        [OUTSIDE, `${OUTSIDE} ipv6 traffic-filter SIX in\n`],
        atEnd(
          "ipv6 access-list SIX\n deny ipv6 any any fragments\n deny ipv6 any any hbh\n permit tcp any any\n",
        ),
      ],
    },
    {
      name: "a list that no interface has",
      edits: [atEnd("ipv6 access-list SIX\n deny ipv6 any any\n")],
    },
  ]),
  ...casesOf("V29", [
    { name: "every entry counts" },
    {
      name: "behind a wider deny",
      edits: [inList("deny tcp any any\n permit tcp host 192.0.2.7 any eq 443")],
      severity: "warning",
      message: /the permit in line \d+ is never reached: the deny in line \d+ matches all of it/,
      at: "permit tcp host 192.0.2.7",
    },
    {
      name: "added to a wider permit",
      edits: [inList("permit tcp any any\n permit tcp host 192.0.2.7 any eq 443")],
      severity: "warning",
      message: /the permit in line \d+ adds nothing to the permit in line \d+/,
      at: "permit tcp host 192.0.2.7",
    },
    {
      name: "repeated",
      edits: [inList("permit tcp any any eq 22\n permit tcp any any eq 22 log")],
      severity: "warning",
      message: /adds nothing/,
      at: "eq 22 log",
    },
    {
      name: "reached by non-initial fragments only",
      edits: [inList("deny tcp any any eq 22\n permit tcp any any eq 22")],
      severity: "warning",
      message: /is never reached \(but for non-initial fragments\)/,
    },
    {
      name: "in the other order",
      edits: [inList("permit tcp host 192.0.2.7 any eq 443\n deny tcp any any")],
    },
    {
      name: "behind a group",
      edits: [
        inList("deny ip object-group BAD any\n permit tcp host 192.0.2.7 any eq 443"),
        [
          "ip access-list",
          "object-group network BAD\n 192.0.2.0 255.255.255.0\n host 203.0.113.1\nip access-list",
        ],
      ],
      severity: "warning",
      message: /is never reached/,
    },
    {
      name: "a network mask for a wildcard",
      edits: [inList("permit tcp any 10.20.0.0 255.255.255.0 eq 25")],
      severity: "warning",
      message: /the destination wildcard 255\.255\.255\.0 looks like a network mask/,
      at: "255.255.255.0 eq 25",
    },
    { name: "a wildcard that is no prefix", edits: [inList("permit tcp any 10.20.0.1 0.0.255.0 eq 25")] },
    {
      name: "in a standard list",
      edits: [atEnd("access-list 10 permit any\naccess-list 10 deny 10.0.0.0 0.255.255.255\n")],
      severity: "warning",
      message: /list 10: the deny in line \d+ is never reached/,
    },
    {
      name: "in an IPv6 list",
      edits: [
        atEnd(
          "ipv6 access-list SIX\n permit ipv6 2001:db8::/32 any\n permit tcp 2001:db8:1::/48 any eq 80\n",
        ),
      ],
      severity: "warning",
      message: /list SIX: the permit in line \d+ adds nothing/,
    },
  ]),
];
