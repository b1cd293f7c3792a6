/** Cases for V01, V03, V04, V05: names and addresses of HSRP groups. */
import { PLAIN } from "../configurations.js";
import { type Case, casesOf, INSIDE, IPV6_OUTSIDE, OUTSIDE, SYNC, VERSION_2_INSIDE } from "./case.js";

export const STANDBY_NAMES_CASES: Case[] = [
  ...casesOf("V01", [
    { name: "the scheme's group exists" },
    {
      name: "no group of that name",
      edits: [["scheme standby LAN-IN", "scheme standby LAN-IM"]],
      severity: "error",
      message: /scheme standby LAN-IM: no HSRP group has this name; the groups are called LAN-IN, LAN-OUT/,
      at: "scheme standby",
    },
    {
      name: "names are case-sensitive",
      edits: [["scheme standby LAN-IN", "scheme standby lan-in"]],
      severity: "error",
      message: /no HSRP group/,
    },
    {
      name: "two groups of that name",
      edits: [["standby 2 name LAN-OUT", "standby 2 name LAN-IN"]],
      severity: "error",
      message: /both GigabitEthernet0\/0 group 1 and GigabitEthernet0\/1 group 2/,
    },
    {
      name: "the group's interface is shut down",
      edits: [[INSIDE, `${INSIDE} shutdown\n`]],
      severity: "warning",
      message: /GigabitEthernet0\/0 is shut down/,
    },
    {
      name: "no scheme in the redundancy section",
      edits: [[" scheme standby LAN-IN\n", ""]],
      severity: "warning",
      message: /has no scheme/,
      at: "redundancy inter-device",
    },
    { name: "no redundancy at all", base: PLAIN },
  ]),
  ...casesOf("V03", [
    { name: "two names" },
    {
      name: "one name twice",
      edits: [["standby 2 name LAN-OUT", "standby 2 name LAN-IN"]],
      severity: "error",
      message: /GigabitEthernet0\/1 group 2 is called LAN-IN, as is GigabitEthernet0\/0 group 1/,
      at: "standby 2 name",
    },
    { name: "groups without a name", edits: [[" standby 2 name LAN-OUT\n", ""]] },
  ]),
  ...casesOf("V04", [
    { name: "two groups, two LANs" },
    {
      name: "the same number on two LANs is allowed",
      edits: [
        [" standby 2 ip 198.51.100.1\n standby 2 timers 1 5\n standby 2 preempt\n", ""],
        [
          " standby 2 authentication md5 key-string outside\n standby 2 name LAN-OUT\n standby 2 track GigabitEthernet0/0\n",
          " standby 1 ip 198.51.100.1\n standby 1 timers 1 5\n standby 1 preempt\n standby 1 name LAN-OUT\n",
        ],
      ],
    },
    {
      name: "no virtual address",
      edits: [[" standby 1 ip 10.20.0.1\n", ""]],
      severity: "error",
      message: /GigabitEthernet0\/0 group 1 has no virtual address/,
      at: "standby 1 timers",
    },
    {
      name: "a learned virtual address",
      edits: [["standby 1 ip 10.20.0.1", "standby 1 ip"]],
      severity: "warning",
      message: /learns its virtual address/,
      at: "standby 1 ip",
    },
    { name: "an IPv6 group has its own kind", edits: [IPV6_OUTSIDE, VERSION_2_INSIDE] },
    {
      name: "one LAN twice",
      edits: [
        [
          SYNC,
          "interface GigabitEthernet0/3\n ip address 10.20.0.130 255.255.255.128\n standby 1 ip 10.20.0.140\n" +
            SYNC,
        ],
      ],
      severity: "error",
      message: /GigabitEthernet0\/3 group 1 and GigabitEthernet0\/0 group 1 are one HSRP group on one LAN/,
    },
    { name: "no HSRP", base: PLAIN },
  ]),
  ...casesOf("V05", [
    { name: "free host addresses" },
    {
      name: "outside the network",
      edits: [["standby 1 ip 10.20.0.1", "standby 1 ip 10.20.1.1"]],
      severity: "error",
      message:
        /10\.20\.1\.1 of GigabitEthernet0\/0 group 1 is outside the interface's network 10\.20\.0\.0\/24/,
      at: "standby 1 ip 10.20.1.1",
    },
    {
      name: "the interface's own address",
      edits: [["standby 1 ip 10.20.0.1", "standby 1 ip 10.20.0.2"]],
      severity: "error",
      message: /is GigabitEthernet0\/0's own address/,
    },
    {
      name: "the address of another interface",
      edits: [["standby 1 ip 10.20.0.1", "standby 1 ip 198.51.100.2"]],
      severity: "error",
      message: /is GigabitEthernet0\/1's own address/,
    },
    {
      name: "the network's address",
      edits: [["standby 1 ip 10.20.0.1", "standby 1 ip 10.20.0.0"]],
      severity: "error",
      message: /is the network's own address/,
    },
    {
      name: "the broadcast address",
      edits: [["standby 1 ip 10.20.0.1", "standby 1 ip 10.20.0.255"]],
      severity: "error",
      message: /is the network's broadcast address/,
    },
    {
      name: "used twice",
      edits: [[" standby 1 name", " standby 3 ip 10.20.0.1\n standby 1 name"]],
      severity: "error",
      message: /10\.20\.0\.1 of GigabitEthernet0\/0 group 3 is also that of GigabitEthernet0\/0 group 1/,
    },
    {
      name: "an interface without an address",
      edits: [[" ip address 10.20.0.2 255.255.255.0\n", ""]],
      severity: "error",
      message: /stands on an interface without an address/,
    },
    {
      name: "a primary virtual address in a secondary network",
      edits: [
        [" duplex full", " ip address 10.21.0.2 255.255.255.0 secondary\n duplex full"],
        ["standby 1 ip 10.20.0.1", "standby 1 ip 10.21.0.1"],
      ],
      severity: "error",
      message: /10\.21\.0\.1 .* is outside the interface's network 10\.20\.0\.0\/24/,
    },
    {
      name: "a secondary virtual address in a secondary network",
      edits: [
        [" duplex full", " ip address 10.21.0.2 255.255.255.0 secondary\n duplex full"],
        ["standby 1 ip 10.20.0.1\n", "standby 1 ip 10.20.0.1\n standby 1 ip 10.21.0.1 secondary\n"],
      ],
    },
    {
      name: "a secondary virtual address outside",
      edits: [["standby 1 ip 10.20.0.1\n", "standby 1 ip 10.20.0.1\n standby 1 ip 10.22.0.1 secondary\n"]],
      severity: "error",
      message: /10\.22\.0\.1/,
    },
    {
      name: "both ends of a /31 are hosts",
      edits: [
        ["ip address 10.20.0.2 255.255.255.0", "ip address 10.20.0.2 255.255.255.254"],
        ["standby 1 ip 10.20.0.1", "standby 1 ip 10.20.0.3"],
      ],
    },
    {
      name: "a link-local IPv6 address on two LANs",
      edits: [
        [INSIDE, `${INSIDE} standby version 2\n standby 7 ipv6 fe80::77\n`],
        [OUTSIDE, `${OUTSIDE} standby version 2\n standby 7 ipv6 fe80::77\n`],
      ],
    },
    {
      name: "an IPv6 address outside the network",
      edits: [
        [
          OUTSIDE,
          `${OUTSIDE} ipv6 address 2001:db8:1::2/64\n standby version 2\n standby 7 ipv6 2001:db8:2::1\n`,
        ],
      ],
      severity: "error",
      message: /2001:db8:2::1 .* is outside the interface's network 2001:db8:1::\/64/,
    },
  ]),
];
