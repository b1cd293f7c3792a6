/** Cases for V06, V07, V08, V09, V10, V24, V26, V30: tracking, timers, delays and versions of HSRP groups. */
import { PLAIN } from "../configurations.js";
import { type Case, casesOf, INSIDE, IPV6_OUTSIDE, OUTSIDE, SYNC } from "./case.js";

export const STANDBY_BEHAVIOUR_CASES: Case[] = [
  ...casesOf("V06", [
    { name: "both track each other" },
    {
      name: "one does not",
      edits: [[" standby 1 track GigabitEthernet0/1\n", ""]],
      severity: "warning",
      message: /GigabitEthernet0\/0 group 1 does not track GigabitEthernet0\/1/,
      at: "standby 1 ip",
    },
    {
      name: "a tracked object may be the other interface",
      edits: [["standby 1 track GigabitEthernet0/1", "standby 1 track 10 decrement 20"]],
    },
    {
      name: "an interface that does not exist",
      edits: [
        [
          "standby 1 track GigabitEthernet0/1\n",
          "standby 1 track GigabitEthernet0/1\n standby 1 track Serial0/0\n",
        ],
      ],
      severity: "warning",
      message: /tracks Serial0\/0, which does not exist/,
      at: "track Serial0/0",
    },
    {
      name: "itself",
      edits: [
        [
          "standby 1 track GigabitEthernet0/1\n",
          "standby 1 track GigabitEthernet0/1\n standby 1 track GigabitEthernet0/0\n",
        ],
      ],
      severity: "warning",
      message: /tracks GigabitEthernet0\/0, which is the interface of the group itself/,
    },
    {
      name: "an interface that is shut down",
      edits: [[OUTSIDE, `${OUTSIDE} shutdown\n`]],
      severity: "warning",
      message: /GigabitEthernet0\/0 group 1 tracks GigabitEthernet0\/1, which is shut down/,
    },
    {
      name: "an interface outside without HSRP, but with stateful inspection",
      edits: [
        [" standby 2 ip 198.51.100.1\n standby 2 timers 1 5\n standby 2 preempt\n", ""],
        [
          " standby 2 authentication md5 key-string outside\n standby 2 name LAN-OUT\n standby 2 track GigabitEthernet0/0\n",
          "",
        ],
        [" standby 1 track GigabitEthernet0/1\n", ""],
      ],
      severity: "warning",
      message: /does not track GigabitEthernet0\/1/,
    },
    {
      name: "the port of a subinterface stands for it",
      edits: [
        [OUTSIDE, "interface GigabitEthernet0/1\ninterface GigabitEthernet0/1.20\n encapsulation dot1Q 20\n"],
      ],
    },
    {
      name: "one LAN with HSRP and nothing else",
      edits: [[INSIDE, `${INSIDE} standby 9 ip 192.168.1.9\n`]],
      base: PLAIN,
    },
  ]),
  ...casesOf("V07", [
    { name: "tracks and preempts" },
    {
      name: "tracks only",
      edits: [[" standby 1 preempt\n", ""]],
      severity: "warning",
      message: /GigabitEthernet0\/0 group 1 tracks without preempt/,
      at: "standby 1 track",
    },
    {
      name: "neither",
      edits: [
        [" standby 1 preempt\n", ""],
        [" standby 1 track GigabitEthernet0/1\n", ""],
      ],
    },
    {
      name: "a track that shuts the group down needs none",
      edits: [
        [" standby 1 preempt\n", ""],
        ["standby 1 track GigabitEthernet0/1", "standby 1 track 10 shutdown"],
      ],
    },
  ]),
  ...casesOf("V08", [
    { name: "5 hellos" },
    { name: "10 hellos", edits: [["standby 1 timers 1 5", "standby 1 timers 1 10"]] },
    { name: "the default of 3 and 10 seconds", edits: [[" standby 1 timers 1 5\n", ""]] },
    {
      name: "hold equal to hello",
      edits: [["standby 1 timers 1 5", "standby 1 timers 5 5"]],
      severity: "error",
      message: /hold time 5 s with hello time 5 s: the peer is given up/,
      at: "standby 1 timers",
    },
    {
      name: "hold below hello",
      edits: [["standby 1 timers 1 5", "standby 1 timers 6 5"]],
      severity: "error",
      message: /hold time 5 s with hello time 6 s/,
    },
    {
      name: "less than 3 hellos",
      edits: [["standby 1 timers 1 5", "standby 1 timers msec 500 1"]],
      severity: "warning",
      message: /hold time 1 s with hello time 0\.5 s is less than 3 hellos/,
    },
    {
      name: "3 hellos",
      edits: [["standby 1 timers 1 5", "standby 1 timers 1 3"]],
      severity: "info",
      message: /outside the advised 5 to 10/,
    },
    {
      name: "more than 10 hellos",
      edits: [["standby 1 timers 1 5", "standby 1 timers 1 11"]],
      severity: "info",
      message: /outside the advised 5 to 10/,
    },
  ]),
  ...casesOf("V09", [
    { name: "equal, but for the keys" },
    {
      name: "other timers",
      edits: [["standby 2 timers 1 5", "standby 2 timers msec 200 1"]],
      severity: "warning",
      message: /GigabitEthernet0\/1 group 2 has timers msec 200 1, GigabitEthernet0\/0 group 1 1 5/,
      at: "standby 2 timers",
    },
    {
      name: "the default on one",
      edits: [[" standby 2 timers 1 5\n", ""]],
      severity: "warning",
      message: /has timers 3 10/,
    },
    {
      name: "another version",
      edits: [[OUTSIDE, `${OUTSIDE} standby version 2\n`]],
      severity: "warning",
      message: /has version 2, GigabitEthernet0\/0 group 1 1/,
      at: "standby version 2",
    },
    { name: "another version, for an IPv6 group", edits: [IPV6_OUTSIDE] },
    {
      name: "authentication on one only",
      edits: [[" standby 2 authentication md5 key-string outside\n", ""]],
      severity: "warning",
      message: /has authentication none, GigabitEthernet0\/0 group 1 md5/,
    },
    {
      name: "text on one, MD5 on the other",
      edits: [["standby 2 authentication md5 key-string outside", "standby 2 authentication text abc"]],
      severity: "warning",
      message: /has authentication text/,
      at: "standby 2 authentication",
    },
    {
      name: "a group that is shut down does not count",
      edits: [
        [OUTSIDE, `${OUTSIDE} shutdown\n`],
        [" standby 2 timers 1 5\n", ""],
      ],
    },
  ]),
  ...casesOf("V10", [
    { name: "120 seconds" },
    {
      name: "minimum and reload of 120, as in the guide",
      edits: [["standby delay reload 120", "standby delay minimum 120 reload 120"]],
    },
    {
      name: "less than 60",
      edits: [["standby delay reload 120", "standby delay reload 59"]],
      severity: "warning",
      message: /GigabitEthernet0\/0 waits 59 s \(configured\)/,
      at: "standby delay",
    },
    {
      name: "the default",
      edits: [[" standby delay reload 120\n", ""]],
      severity: "warning",
      message: /waits 5 s \(the default\)/,
      at: "interface GigabitEthernet0/0",
    },
    {
      name: "another minimum",
      edits: [["standby delay reload 120", "standby delay minimum 30 reload 120"]],
      severity: "info",
      message: /waits 30 s after each time it comes up/,
    },
    { name: "HSRP without failover", base: PLAIN, edits: [[INSIDE, `${INSIDE} standby 9 ip 192.168.1.9\n`]] },
  ]),
  ...casesOf("V24", [
    { name: "left alone" },
    {
      name: "100, written out",
      edits: [[" standby 1 preempt\n", " standby 1 preempt\n standby 1 priority 100\n"]],
    },
    {
      name: "another one",
      edits: [[" standby 1 preempt\n", " standby 1 preempt\n standby 1 priority 110\n"]],
      severity: "info",
      message: /GigabitEthernet0\/0 group 1 has priority 110/,
      at: "standby 1 priority",
    },
  ]),
  ...casesOf("V26", [
    { name: "Ethernet" },
    {
      name: "HSRP on a serial line",
      edits: [
        [SYNC, "interface Serial0/0\n ip address 10.77.0.1 255.255.255.0\n standby 5 ip 10.77.0.2\n" + SYNC],
      ],
      severity: "warning",
      message: /Serial0\/0 is not a LAN: HSRP runs on LANs only/,
      at: "interface Serial0/0",
    },
    {
      name: "a serial line inside a pair",
      edits: [[SYNC, "interface Serial0/0\n ip address 10.77.0.1 255.255.255.252\n" + SYNC]],
      severity: "warning",
      message: /Serial0\/0 is not a LAN: the inside of a failover pair must be a LAN/,
    },
    {
      name: "a serial line outside",
      edits: [
        [
          OUTSIDE,
          "interface Serial0/0\n ip address 10.77.0.1 255.255.255.252\n ip inspect OUTBOUND out redundancy stateful LAN-IN\n" +
            OUTSIDE,
        ],
      ],
    },
    {
      name: "a loopback interface",
      edits: [[SYNC, "interface Loopback0\n ip address 10.77.0.1 255.255.255.255\n" + SYNC]],
    },
    {
      name: "a serial line that is shut down",
      edits: [[SYNC, "interface Serial0/0\n ip address 10.77.0.1 255.255.255.252\n shutdown\n" + SYNC]],
    },
    {
      name: "a serial line without failover",
      base: PLAIN,
      edits: [[INSIDE, "interface Serial0/0\n ip address 10.77.0.1 255.255.255.252\n" + INSIDE]],
    },
  ]),
  ...casesOf("V30", [
    { name: "version 1 and a low group" },
    {
      name: "a group above 255",
      edits: [[" standby 1 preempt\n", " standby 1 preempt\n standby 256 ip 10.20.0.9\n"]],
      severity: "warning",
      message: /GigabitEthernet0\/0 group 256: version 1 has groups 0 to 255 only/,
      at: "standby 256 ip",
    },
    {
      name: "IPv6",
      edits: [[" standby 1 preempt\n", " standby 1 preempt\n standby 1 ipv6 autoconfig\n"]],
      severity: "warning",
      message: /GigabitEthernet0\/0 group 1: version 1 has no IPv6/,
      at: "standby 1 ipv6",
    },
    {
      name: "version 2",
      edits: [
        [
          " standby 1 preempt\n",
          " standby 1 preempt\n standby version 2\n standby 256 ip 10.20.0.9\n standby 1 ipv6 autoconfig\n",
        ],
      ],
    },
  ]),
];
