/** Cases for P01 to P05, P09 to P11: associations, addresses and HSRP groups of a pair. */
import type { Edit } from "../configurations.js";
import { INSIDE, OUTSIDE, SYNC } from "./case.js";
import { MISTAKEN, type PairCase, pairCasesOf } from "./pair-case.js";

const NO_FAILOVER: Edit[] = [
  ["redundancy inter-device\n scheme standby LAN-IN\n", ""],
  [" redundancy stateful LAN-IN", ""],
];

const keyed = (key: string): Edit => ["  protocol sctp\n", `  key-string ${key}\n  protocol sctp\n`];

const BFD = " bfd interval 50 min_rx 50 multiplier 3\n";

const travelling = (how: string): Edit => ["  protocol sctp\n", `  protocol sctp\n   encapsulation ${how}\n`];

export const PAIR_MIRROR_CASES: PairCase[] = [
  ...pairCasesOf("P01", [
    { name: "mirrored" },
    {
      name: "copied without a change",
      base: MISTAKEN,
      severity: "error",
      message: /remote-ip 172\.20\.5\.2 is not the peer's local-ip 172\.20\.5\.1/,
      at: ["a.cfg", "remote-ip"],
    },
    {
      name: "another address",
      b: [["local-ip 10.20.0.3", "local-ip 10.20.0.13"]],
      severity: "error",
      message:
        /remote-ip 10\.20\.0\.3 192\.168\.99\.3 is not the peer's local-ip 10\.20\.0\.13 192\.168\.99\.3/,
      at: ["a.cfg", "remote-ip"],
    },
    {
      name: "the other direction",
      b: [["remote-ip 10.20.0.2", "remote-ip 10.20.0.12"]],
      severity: "error",
      message:
        /remote-ip 10\.20\.0\.12 192\.168\.99\.2 is not the peer's local-ip 10\.20\.0\.2 192\.168\.99\.2/,
      at: ["b.cfg", "remote-ip"],
    },
    {
      name: "two addresses in another order",
      b: [["local-ip 10.20.0.3 192.168.99.3", "local-ip 192.168.99.3 10.20.0.3"]],
      severity: "warning",
      message: /are in another order/,
    },
    {
      name: "ports",
      b: [["local-port 5000", "local-port 5001"]],
      severity: "error",
      message: /remote-port 5000 meets local-port 5001/,
      at: ["a.cfg", "remote-port"],
    },
    {
      name: "different ports, mirrored",
      a: [["local-port 5000", "local-port 5001"]],
      b: [["remote-port 5000", "remote-port 5001"]],
    },
    {
      name: "over IP, both",
      a: [travelling("ip")],
      b: [travelling("ip")],
    },
    {
      name: "in UDP by name and by default",
      a: [travelling("udp 9899")],
    },
    {
      name: "over IP and in UDP",
      b: [travelling("ip")],
      severity: "error",
      message: /association 1 travels in UDP, port 9899, in b\.cfg over IP/,
    },
    {
      name: "in UDP from other ports",
      a: [travelling("udp 9900")],
      severity: "error",
      message: /association 1 travels in UDP, port 9900, in b\.cfg in UDP, port 9899/,
      at: ["a.cfg", "encapsulation"],
    },
    {
      name: "one key",
      a: [keyed("Pair-Key-of-2")],
      b: [keyed("Pair-Key-of-2")],
    },
    {
      name: "two keys",
      a: [keyed("Pair-Key-of-2")],
      b: [keyed("Pair-Key-of-3")],
      severity: "error",
      message: /association 1 has a key-string, in b\.cfg it has another/,
      at: ["a.cfg", "key-string"],
    },
    {
      name: "a key here",
      a: [keyed("Pair-Key-of-2")],
      severity: "error",
      message: /association 1 has a key-string, in b\.cfg it has none/,
      at: ["a.cfg", "key-string"],
    },
    {
      name: "a key there",
      b: [keyed("Pair-Key-of-2")],
      severity: "error",
      message: /association 1 has no key-string, in b\.cfg it has one/,
      at: ["a.cfg", "association 1"],
    },
    {
      name: "association numbers",
      b: [["association 1", "association 2"]],
      severity: "error",
      message: /association 1 here is association 2 there/,
    },
    {
      name: "one side only",
      change: (_a, b) => {
        b.ipc = undefined;
      },
      severity: "error",
      message: /association 1 has no counterpart in b\.cfg/,
      at: ["a.cfg", "association 1"],
    },
    {
      name: "neither side",
      change: (a, b) => {
        a.ipc = undefined;
        b.ipc = undefined;
      },
    },
  ]),
  ...pairCasesOf("P02", [
    { name: "different addresses" },
    {
      name: "copied without a change",
      base: MISTAKEN,
      severity: "error",
      message:
        /203\.0\.113\.1 is the address of GigabitEthernet0\/1 here and of GigabitEthernet0\/1 in b\.cfg/,
      at: ["a.cfg", "ip address 203.0.113.1"],
    },
    {
      name: "on interfaces of other names",
      b: [
        [
          "interface GigabitEthernet0/2\n ip address 192.168.99.3",
          "interface GigabitEthernet0/3\n ip address 192.168.99.2",
        ],
      ],
      severity: "error",
      message:
        /192\.168\.99\.2 is the address of GigabitEthernet0\/2 here and of GigabitEthernet0\/3 in b\.cfg/,
    },
    {
      name: "a secondary address",
      both: [[" speed 1000\n", " speed 1000\n ip address 10.77.0.1 255.255.255.0 secondary\n"]],
      severity: "error",
      message: /10\.77\.0\.1/,
    },
    {
      name: "on an interface that is shut down",
      both: [[SYNC, `interface GigabitEthernet0/3\n ip address 10.77.0.1 255.255.255.0\n shutdown\n${SYNC}`]],
    },
    {
      name: "a link-local address on one LAN",
      both: [[INSIDE, `${INSIDE} ipv6 address fe80::5 link-local\n`]],
      severity: "error",
      message: /fe80::5/,
    },
    {
      name: "a link-local address on two LANs",
      a: [[INSIDE, `${INSIDE} ipv6 address fe80::5 link-local\n`]],
      b: [[OUTSIDE, `${OUTSIDE} ipv6 address fe80::5 link-local\n`]],
    },
  ]),
  ...pairCasesOf("P03", [
    { name: "equal" },
    {
      name: "group numbers",
      b: [
        ["standby 2 ip", "standby 3 ip"],
        ["standby 2 timers", "standby 3 timers"],
        ["standby 2 preempt", "standby 3 preempt"],
        ["standby 2 authentication", "standby 3 authentication"],
        ["standby 2 name", "standby 3 name"],
        ["standby 2 track", "standby 3 track"],
      ],
      severity: "error",
      message: /GigabitEthernet0\/1 group 2 does not exist on GigabitEthernet0\/1 in b\.cfg/,
      at: ["a.cfg", "standby 2 ip"],
    },
    {
      name: "virtual addresses",
      b: [["standby 1 ip 10.20.0.1", "standby 1 ip 10.20.0.4"]],
      severity: "error",
      message: /has virtual address 10\.20\.0\.1, GigabitEthernet0\/0 group 1 in b\.cfg 10\.20\.0\.4/,
      at: ["a.cfg", "standby 1 ip"],
    },
    {
      name: "a secondary virtual address on one box",
      a: [["standby 1 ip 10.20.0.1\n", "standby 1 ip 10.20.0.1\n standby 1 ip 10.20.0.9 secondary\n"]],
      severity: "error",
      message: /has virtual address 10\.20\.0\.1, 10\.20\.0\.9,/,
    },
    { name: "learned on one box", b: [["standby 1 ip 10.20.0.1", "standby 1 ip"]] },
    {
      name: "learned on both",
      both: [["standby 1 ip 10.20.0.1", "standby 1 ip"]],
      severity: "error",
      message: /learned, so neither has one/,
    },
    {
      name: "version",
      b: [[OUTSIDE, `${OUTSIDE} standby version 2\n`]],
      severity: "error",
      message: /GigabitEthernet0\/1 has HSRP version 1, GigabitEthernet0\/1 in b\.cfg version 2/,
    },
    {
      name: "the key",
      b: [["key-string inside", "key-string insight"]],
      severity: "error",
      message: /has authentication md5-string with one key, .* md5-string with another/,
      at: ["a.cfg", "standby 1 authentication"],
    },
    {
      name: "authentication on one box",
      b: [[" standby 1 authentication md5 key-string inside\n", ""]],
      severity: "error",
      message: /has authentication md5-string, .* default text/,
    },
    {
      name: "the default text, written out on one box",
      a: [[" standby 1 authentication md5 key-string inside\n", ""]],
      b: [["standby 1 authentication md5 key-string inside", "standby 1 authentication text cisco"]],
    },
    {
      name: "key chains of other names with the same keys",
      a: [
        ["md5 key-string inside", "md5 key-chain ONE"],
        [INSIDE, `key chain ONE\n key 1\n  key-string k\n${INSIDE}`],
      ],
      b: [
        ["md5 key-string inside", "md5 key-chain TWO"],
        [INSIDE, `key chain TWO\n key 1\n  key-string k\n${INSIDE}`],
      ],
    },
    {
      name: "key chains with other keys",
      a: [
        ["md5 key-string inside", "md5 key-chain ONE"],
        [INSIDE, `key chain ONE\n key 1\n  key-string k\n${INSIDE}`],
      ],
      b: [
        ["md5 key-string inside", "md5 key-chain ONE"],
        [INSIDE, `key chain ONE\n key 2\n  key-string k\n${INSIDE}`],
      ],
      severity: "error",
      message: /md5-chain with one key/,
    },
    {
      name: "timers",
      b: [["standby 1 timers 1 5", "standby 1 timers 1 6"]],
      severity: "warning",
      message: /has hello and hold time 1 s and 5 s, .* 1 s and 6 s/,
      at: ["a.cfg", "standby 1 timers"],
    },
    {
      name: "the default timers, written out on one box",
      a: [["standby 1 timers 1 5", "standby 1 timers 3 10"]],
      b: [[" standby 1 timers 1 5\n", ""]],
    },
    {
      name: "a LAN that one box does not have",
      a: [
        [
          SYNC,
          `interface GigabitEthernet0/3\n ip address 10.66.0.2 255.255.255.0\n standby 4 ip 10.66.0.1\n${SYNC}`,
        ],
      ],
      severity: "error",
      message: /GigabitEthernet0\/3 has HSRP, and no interface in b\.cfg is on its LAN/,
      at: ["a.cfg", "interface GigabitEthernet0/3"],
    },
  ]),
  ...pairCasesOf("P04", [
    { name: "equal" },
    {
      name: "the scheme",
      b: [["scheme standby LAN-IN", "scheme standby LAN-OUT"]],
      severity: "error",
      message: /scheme standby LAN-IN here is scheme standby LAN-OUT in b\.cfg/,
      at: ["a.cfg", "scheme standby"],
    },
    {
      name: "the scheme on one box",
      b: NO_FAILOVER,
      severity: "error",
      message: /scheme standby LAN-IN has no counterpart in b\.cfg/,
    },
    { name: "no scheme", both: NO_FAILOVER },
    {
      name: "a group's name",
      b: [["standby 2 name LAN-OUT", "standby 2 name OUTSIDE"]],
      severity: "error",
      message:
        /GigabitEthernet0\/1 group 2 is LAN-OUT, the same group on GigabitEthernet0\/1 in b\.cfg is OUTSIDE/,
      at: ["a.cfg", "standby 2 name"],
    },
    {
      name: "names exchanged between the LANs",
      b: [
        ["standby 2 name LAN-OUT", "standby 2 name LAN-X"],
        ["standby 1 name LAN-IN", "standby 1 name LAN-OUT"],
        ["LAN-X", "LAN-IN"],
      ],
      severity: "error",
      message: /GigabitEthernet0\/0 group 1 is LAN-IN, .* is LAN-OUT/,
    },
    {
      name: "no name on one box",
      b: [[" standby 2 name LAN-OUT\n", ""]],
      severity: "error",
      message: /is LAN-OUT, .* is without a name/,
    },
  ]),
  ...pairCasesOf("P05", [
    { name: "equal by default" },
    {
      name: "equal, written out on one",
      a: [[" standby 1 preempt\n", " standby 1 preempt\n standby 1 priority 100\n"]],
    },
    {
      name: "different",
      b: [[" standby 1 preempt\n", " standby 1 preempt\n standby 1 priority 110\n"]],
      severity: "warning",
      message: /GigabitEthernet0\/0 group 1 has priority 100, in b\.cfg 110/,
    },
  ]),
  ...pairCasesOf("P09", [
    { name: "one LAN" },
    {
      name: "two networks",
      b: [["ip address 10.20.0.3 255.255.255.0", "ip address 10.20.1.3 255.255.255.0"]],
      severity: "error",
      message:
        /the scheme's group is on GigabitEthernet0\/0 \(10\.20\.0\.0\/24\) here and on GigabitEthernet0\/0 \(10\.20\.1\.0\/24\) in b\.cfg/,
      at: ["a.cfg", "ip address 10.20.0.2"],
    },
    {
      name: "another mask",
      b: [["ip address 10.20.0.3 255.255.255.0", "ip address 10.20.0.3 255.255.0.0"]],
      severity: "error",
      message: /10\.20\.0\.0\/16/,
    },
    {
      name: "no failover",
      both: NO_FAILOVER,
      b: [["ip address 10.20.0.3 255.255.255.0", "ip address 10.20.1.3 255.255.255.0"]],
    },
  ]),
  ...pairCasesOf("P10", [
    { name: "a link of its own beside the inside LAN" },
    {
      name: "the inside LAN alone",
      base: MISTAKEN,
      severity: "warning",
      message: /all synchronisation runs over the data LAN of GigabitEthernet0\/0/,
      at: ["a.cfg", "local-ip"],
    },
    {
      name: "both data LANs: no single failure ends it",
      a: [["local-ip 10.20.0.2 192.168.99.2", "local-ip 10.20.0.2 198.51.100.2"]],
    },
    { name: "a link of its own alone", a: [["local-ip 10.20.0.2 192.168.99.2", "local-ip 192.168.99.2"]] },
  ]),
  ...pairCasesOf("P11", [
    { name: "no BFD" },
    { name: "on both", both: [[SYNC, `${SYNC}${BFD}`]] },
    {
      name: "with other intervals",
      a: [[SYNC, `${SYNC}${BFD}`]],
      b: [[SYNC, `${SYNC}${BFD.replaceAll("50", "100")}`]],
    },
    {
      name: "on one of them",
      a: [[SYNC, `${SYNC}${BFD}`]],
      severity: "warning",
      message: /BFD runs on GigabitEthernet0\/2 there and not on GigabitEthernet0\/2 here/,
      at: ["b.cfg", "interface GigabitEthernet0/2"],
    },
    {
      name: "on the other, and switched off here",
      a: [[OUTSIDE, `${OUTSIDE}${BFD} no standby bfd\n`]],
      b: [[OUTSIDE, `${OUTSIDE}${BFD}`]],
      severity: "warning",
      message: /BFD runs on GigabitEthernet0\/1 there and not on GigabitEthernet0\/1 here/,
      at: ["a.cfg", "interface GigabitEthernet0/1"],
    },
  ]),
];
