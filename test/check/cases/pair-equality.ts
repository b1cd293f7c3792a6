/** Cases for P06 to P08: what makes two boxes one firewall. */
import { atEnd, INSIDE, inList, OUTSIDE, SYNC } from "./case.js";
import { MISTAKEN, type PairCase, pairCasesOf } from "./pair-case.js";

export const PAIR_EQUALITY_CASES: PairCase[] = [
  ...pairCasesOf("P06", [
    { name: "lists that mirror each other" },
    { name: "one list for both boxes", base: MISTAKEN },
    {
      name: "interfaces of other names",
      b: [
        [OUTSIDE, "interface GigabitEthernet1/0\n"],
        ["track GigabitEthernet0/1", "track GigabitEthernet1/0"],
      ],
    },
    { name: "a remark", a: [inList("remark only here")] },
    { name: "a list for another purpose", a: [atEnd("access-list 23 permit 10.20.0.0 0.0.0.255\n")] },
    {
      name: "defaults written out",
      a: [
        atEnd(
          "ip inspect tcp idle-time 3600\nip inspect max-incomplete high 500\nip inspect tcp max-incomplete host 50\n",
        ),
      ],
    },
    { name: "the default update interval", b: [["ip inspect redundancy update seconds 10\n", ""]] },
    {
      name: "protocols in another order",
      b: [
        [
          "ip inspect name OUTBOUND tcp\nip inspect name OUTBOUND udp\n",
          "ip inspect name OUTBOUND udp\nip inspect name OUTBOUND tcp\n",
        ],
      ],
    },
    {
      name: "the update interval",
      b: [["update seconds 10", "update seconds 20"]],
      severity: "error",
      message:
        /difference in the update interval: "ip inspect redundancy update seconds 10" here, ".* 20" in b\.cfg/,
      at: ["a.cfg", "ip inspect redundancy"],
    },
    {
      name: "a global setting",
      b: [atEnd("ip inspect tcp idle-time 36000\n")],
      severity: "error",
      message:
        /difference in the global settings: "ip inspect tcp idle-time 3600" here, "ip inspect tcp idle-time 36000"/,
    },
    {
      name: "a global switch",
      b: [atEnd("ip inspect log drop-pkt\n")],
      severity: "error",
      message: /difference in the global settings: "ip inspect log drop-pkt" stands in b\.cfg only/,
    },
    {
      name: "an inspected protocol",
      b: [["ip inspect name OUTBOUND udp\n", ""]],
      severity: "error",
      message:
        /difference in inspection rule OUTBOUND: "ip inspect name OUTBOUND udp" here, nothing in b\.cfg/,
      at: ["a.cfg", "ip inspect name OUTBOUND"],
    },
    {
      name: "a timeout of a protocol",
      b: [["ip inspect name OUTBOUND udp\n", "ip inspect name OUTBOUND udp timeout 60\n"]],
      severity: "error",
      message: /"ip inspect name OUTBOUND udp" here, "ip inspect name OUTBOUND udp timeout 60" in b\.cfg/,
    },
    {
      name: "a rule on one box",
      a: [atEnd("ip inspect name EXTRA tcp\n")],
      severity: "error",
      message: /difference in inspection rule EXTRA: "ip inspect name EXTRA tcp" here, nothing in b\.cfg/,
    },
    {
      name: "an entry of a list",
      b: [[" permit icmp any any packet-too-big\n", " permit icmp any any unreachable\n"]],
      severity: "error",
      message:
        /difference in access list FROM-OUTSIDE: "permit icmp any any packet-too-big" here, "permit icmp any any unreachable"/,
      at: ["a.cfg", "packet-too-big"],
    },
    {
      name: "an entry more",
      b: [inList("permit tcp any any eq 22")],
      severity: "error",
      message: /difference in access list FROM-OUTSIDE/,
    },
    {
      name: "entries in another order",
      b: [
        [" permit icmp any any packet-too-big\n", ""],
        [
          " permit udp host 198.51.100.2",
          " permit icmp any any packet-too-big\n permit udp host 198.51.100.2",
        ],
      ],
      severity: "error",
      message: /difference in access list FROM-OUTSIDE/,
    },
    {
      name: "a host that is neither box",
      b: [["permit udp host 198.51.100.2", "permit udp host 198.51.100.77"]],
      severity: "error",
      message:
        /"permit udp host 198\.51\.100\.3 host 224\.0\.0\.2 eq 1985" here, "permit udp host 198\.51\.100\.77/,
    },
    {
      name: "an object group",
      both: [inList("permit tcp object-group ADMINS any eq 22")],
      a: [["ip access-list", "object-group network ADMINS\n host 192.0.2.1\nip access-list"]],
      b: [["ip access-list", "object-group network ADMINS\n host 192.0.2.2\nip access-list"]],
      severity: "error",
      message: /difference in object-group ADMINS: "host 192\.0\.2\.1" here, "host 192\.0\.2\.2" in b\.cfg/,
    },
    {
      name: "an object group of the two boxes",
      both: [inList("permit tcp object-group PEER any eq 22")],
      a: [["ip access-list", "object-group network PEER\n host 10.20.0.3\nip access-list"]],
      b: [["ip access-list", "object-group network PEER\n host 10.20.0.2\nip access-list"]],
    },
    {
      name: "a time range",
      both: [inList("permit tcp any any eq 22 time-range WORK")],
      a: [atEnd("time-range WORK\n periodic weekdays 8:00 to 18:00\n")],
      b: [atEnd("time-range WORK\n periodic weekdays 9:00 to 18:00\n")],
      severity: "error",
      message:
        /difference in time-range WORK: "periodic weekdays 8:00 to 18:00" here, "periodic weekdays 9:00/,
    },
    {
      name: "the port map",
      a: [atEnd("ip port-map http port 8080\n")],
      severity: "error",
      message: /difference in the port map: "ip port-map http port 8080" here, nothing in b\.cfg/,
    },
    {
      name: "the list of an interface",
      both: [atEnd("ip access-list extended OTHER\n permit ip any any\n")],
      b: [["ip access-group FROM-OUTSIDE in", "ip access-group OTHER in"]],
      severity: "error",
      message:
        /difference in the binding of interfaces: "ip access-group FROM-OUTSIDE in on GigabitEthernet0\/1" here, "ip access-group OTHER in on/,
      at: ["a.cfg", "ip access-group FROM-OUTSIDE in"],
    },
    {
      name: "inspection on another interface",
      b: [
        [" ip inspect OUTBOUND out redundancy stateful LAN-IN\n", ""],
        [INSIDE, `${INSIDE} ip inspect OUTBOUND in redundancy stateful LAN-IN\n`],
      ],
      severity: "error",
      message: /difference in the binding of interfaces/,
    },
    {
      name: "reverse path check on one box",
      b: [[OUTSIDE, `${OUTSIDE} ip verify unicast source reachable-via rx\n`]],
      severity: "error",
      message: /"ip verify unicast source reachable-via rx on GigabitEthernet0\/1" stands in b\.cfg only/,
      at: ["b.cfg", ""],
    },
  ]),
  ...pairCasesOf("P07", [
    { name: "equal" },
    {
      name: "versions",
      b: [["version 12.4", "version 12.3"]],
      severity: "error",
      message: /version 12\.4 here, version 12\.3 in b\.cfg/,
    },
    {
      name: "no version on one box",
      b: [["version 12.4\n", ""]],
      severity: "warning",
      message: /version 12\.4 here, version unknown in b\.cfg/,
    },
    {
      name: "modules",
      base: MISTAKEN,
      severity: "warning",
      message: /FastEthernet1\/0: not in b\.cfg/,
      at: ["a.cfg", "interface FastEthernet1/0"],
    },
    {
      name: "many modules",
      b: [
        [
          SYNC,
          [3, 4, 5, 6, 7, 8, 9].map((port) => `interface GigabitEthernet0/${port}\n shutdown\n`).join("") +
            SYNC,
        ],
      ],
      severity: "warning",
      message: /GigabitEthernet0\/3, .* and 2 more: not in a\.cfg/,
      at: ["b.cfg", "interface GigabitEthernet0/3"],
    },
    {
      name: "interfaces that are no hardware",
      a: [[SYNC, `interface Loopback0\n ip address 10.1.1.1 255.255.255.255\n${SYNC}`]],
    },
    {
      name: "speed",
      b: [[" speed 1000\n", " speed 100\n"]],
      severity: "warning",
      message: /GigabitEthernet0\/0 and GigabitEthernet0\/0 in b\.cfg differ: speed 1000 here, 100 there/,
    },
    {
      name: "duplex and speed left out",
      b: [[" duplex full\n speed 1000\n", ""]],
      severity: "warning",
      message: /speed 1000 here, auto there; duplex full here, auto there/,
    },
    { name: "automatic, written out on one box", a: [[SYNC, `${SYNC} speed auto\n duplex auto\n`]] },
    {
      name: "memory",
      a: [["hostname", "memory-size iomem 10\nhostname"]],
      b: [["hostname", "memory-size iomem 15\nhostname"]],
      severity: "warning",
      message: /memory-size iomem 10 here, iomem 15 in b\.cfg/,
      at: ["a.cfg", "memory-size"],
    },
    {
      name: "the size of the session table",
      b: [atEnd("ip inspect hashtable-size 8192\n")],
      severity: "warning",
      message: /ip inspect hashtable-size 1024 here, 8192 in b\.cfg/,
    },
  ]),
  ...pairCasesOf("P08", [
    { name: "equal" },
    {
      name: "a route on one box",
      base: MISTAKEN,
      severity: "warning",
      message: /"ip route 0\.0\.0\.0 0\.0\.0\.0 100\.64\.7\.1" is not in b\.cfg/,
      at: ["a.cfg", "ip route"],
    },
    {
      name: "another next hop",
      b: [["198.51.100.254", "198.51.100.253"]],
      severity: "warning",
      message: /"ip route 0\.0\.0\.0 0\.0\.0\.0 198\.51\.100\.253" is not in a\.cfg/,
      at: ["b.cfg", "ip route"],
    },
    {
      name: "another order",
      both: [atEnd("ip route 10.8.0.0 255.255.0.0 10.20.0.9\n")],
      b: [
        ["ip route 0.0.0.0 0.0.0.0 198.51.100.254\n", ""],
        atEnd("ip route 0.0.0.0 0.0.0.0 198.51.100.254\n"),
      ],
    },
    { name: "a name on one box", a: [["198.51.100.254\n", "198.51.100.254 name uplink\n"]] },
    {
      name: "each through the other",
      a: [atEnd("ip route 10.8.0.0 255.255.0.0 192.168.99.3\n")],
      b: [atEnd("ip route 10.8.0.0 255.255.0.0 192.168.99.2\n")],
    },
    {
      name: "through interfaces of other names",
      a: [atEnd("ip route 10.8.0.0 255.255.0.0 GigabitEthernet0/1 198.51.100.9\n")],
      b: [
        [OUTSIDE, "interface GigabitEthernet1/0\n"],
        ["track GigabitEthernet0/1", "track GigabitEthernet1/0"],
        atEnd("ip route 10.8.0.0 255.255.0.0 GigabitEthernet1/0 198.51.100.9\n"),
      ],
    },
  ]),
];
