/** Cases for V20, V21, V22, V23, V25, V27: thresholds, routes and what does not belong here. */
import type { Config } from "../../../src/config/model.js";
import { PLAIN } from "../configurations.js";
import { atEnd, type Case, casesOf, INSIDE, OUTSIDE, SYNC } from "./case.js";

const subinterface = (name: string, encapsulation: string): string =>
  `interface GigabitEthernet0/3.${name}\n encapsulation dot1Q ${encapsulation}\n ip address 10.9.${name}.1 255.255.255.0\n`;
const port = (address: string): string => `interface GigabitEthernet0/3\n ${address}\n`;
const NO_ADDRESS = "no ip address";

export const OTHERS_CASES: Case[] = [
  ...casesOf("V35", [
    {
      name: "VLANs of their own, one of them native",
      edits: [atEnd(port(NO_ADDRESS) + subinterface("1", "1 native") + subinterface("2", "2"))],
    },
    {
      name: "one that is shut down takes no frames",
      edits: [atEnd(port(NO_ADDRESS) + subinterface("1", "2") + subinterface("2", "2") + " shutdown\n")],
    },
    {
      name: "a VLAN twice",
      edits: [atEnd(port(NO_ADDRESS) + subinterface("1", "2") + subinterface("2", "2"))],
      severity: "error",
      message:
        /GigabitEthernet0\/3\.1 has VLAN 2 of GigabitEthernet0\/3 already: GigabitEthernet0\/3\.2 gets no frames/,
      at: "encapsulation dot1Q 2",
    },
    {
      name: "two native ones",
      edits: [atEnd(port(NO_ADDRESS) + subinterface("1", "1 native") + subinterface("2", "2 native"))],
      severity: "error",
      message: /has the native VLAN of GigabitEthernet0\/3 already/,
      at: "encapsulation dot1Q 2 native",
    },
    {
      name: "a native one of a port with an address",
      edits: [atEnd(port("ip address 10.9.0.1 255.255.255.0") + subinterface("1", "1 native"))],
      severity: "error",
      message: /frames without a tag belong to GigabitEthernet0\/3\.1: GigabitEthernet0\/3 has an address/,
    },
  ]),
  ...casesOf("V20", [
    { name: "the defaults" },
    {
      name: "equal",
      edits: [atEnd("ip inspect max-incomplete high 600\nip inspect max-incomplete low 600\n")],
    },
    {
      name: "half-open: low above high",
      edits: [atEnd("ip inspect max-incomplete high 600\nip inspect max-incomplete low 700\n")],
      severity: "error",
      message: /ip inspect max-incomplete low 700 is above high 600/,
      at: "ip inspect max-incomplete low 700",
    },
    {
      name: "half-open: low above the default of high",
      edits: [atEnd("ip inspect max-incomplete low 700\n")],
      severity: "error",
      message: /low 700 is above high 500 \(the default\)/,
    },
    {
      name: "per minute: high below the default of low",
      edits: [atEnd("ip inspect one-minute high 300\n")],
      severity: "error",
      message: /ip inspect one-minute low 400 \(the default\) is above high 300/,
      at: "ip inspect one-minute high 300",
    },
  ]),
  ...casesOf("V21", [
    { name: "the defaults" },
    {
      name: "half-open",
      edits: [atEnd("ip inspect max-incomplete high 65536\n")],
      severity: "warning",
      message: /ip inspect max-incomplete high 65536 is never reached: the table holds 65536 sessions/,
      at: "ip inspect max-incomplete high",
    },
    { name: "just below", edits: [atEnd("ip inspect max-incomplete high 65535\n")] },
    {
      name: "per minute",
      edits: [atEnd("ip inspect one-minute high 20000000\n")],
      severity: "warning",
      message: /ip inspect one-minute high 20000000 is never reached/,
    },
    {
      name: "per host",
      edits: [atEnd("ip inspect tcp max-incomplete host 20000000 block-time 0\n")],
      severity: "warning",
      message: /ip inspect tcp max-incomplete host 20000000 is never reached/,
    },
    { name: "a larger table", edits: [atEnd("ip inspect max-incomplete high 65536\n")], capacity: 65_537 },
  ]),
  ...casesOf("V22", [
    { name: "none" },
    ...[
      "zone security inside",
      "zone-pair security out source inside destination outside",
      "class-map type inspect match-any WEB",
      "policy-map type inspect OUT",
      "parameter-map type inspect GLOBAL",
    ].map((text) => ({
      name: text,
      change: (config: Config) => {
        config.kept.push({ at: { line: 7, column: 1 }, text, why: "unknown", note: "" });
      },
      severity: "error" as const,
      message: new RegExp(`"${text}" belongs to the zone-based firewall`),
    })),
    {
      name: "a QoS class map is none",
      change: (config) => {
        config.kept.push({
          at: { line: 7, column: 1 },
          text: "class-map match-any VOICE",
          why: "unknown",
          note: "",
        });
      },
    },
  ]),
  ...casesOf("V23", [
    { name: "a connected next hop" },
    {
      name: "a next hop in no network",
      edits: [["0.0.0.0 0.0.0.0 198.51.100.254", "0.0.0.0 0.0.0.0 80.80.80.1"]],
      severity: "warning",
      message:
        /route to 0\.0\.0\.0\/0: next hop 80\.80\.80\.1 is in no connected network and behind no other route/,
      at: "ip route",
    },
    {
      name: "a next hop behind another route",
      edits: [atEnd("ip route 10.9.0.0 255.255.0.0 10.20.0.9\nip route 10.8.0.0 255.255.0.0 10.9.0.1\n")],
    },
    {
      name: "a next hop behind the default route",
      edits: [atEnd("ip route 172.16.0.0 255.240.0.0 80.80.80.1\n")],
    },
    {
      name: "two routes that only lead to each other",
      edits: [
        [
          "ip route 0.0.0.0 0.0.0.0 198.51.100.254\n",
          "ip route 10.8.0.0 255.255.0.0 10.9.0.1\nip route 10.9.0.0 255.255.0.0 10.8.0.1\n",
        ],
      ],
      severity: "warning",
      message: /next hop 10\.9\.0\.1 is in no connected network/,
    },
    {
      name: "a route that only leads to itself",
      edits: [["0.0.0.0 0.0.0.0 198.51.100.254", "10.9.0.0 255.255.0.0 10.9.0.1"]],
      severity: "warning",
      message: /next hop 10\.9\.0\.1/,
    },
    {
      name: "through an interface that is shut down",
      edits: [[OUTSIDE, `${OUTSIDE} shutdown\n`]],
      severity: "warning",
      message: /next hop 198\.51\.100\.254 is in no connected network/,
    },
    {
      name: "this box's own address",
      edits: [["198.51.100.254", "198.51.100.2"]],
      severity: "warning",
      message: /next hop 198\.51\.100\.2 is this box's own address on GigabitEthernet0\/1/,
    },
    {
      name: "an interface as the exit",
      edits: [["0.0.0.0 0.0.0.0 198.51.100.254", "0.0.0.0 0.0.0.0 GigabitEthernet0/1"]],
    },
    {
      name: "an interface and a next hop on it",
      edits: [["0.0.0.0 0.0.0.0 198.51.100.254", "0.0.0.0 0.0.0.0 GigabitEthernet0/1 198.51.100.254"]],
    },
    {
      name: "an interface and a next hop elsewhere",
      edits: [["0.0.0.0 0.0.0.0 198.51.100.254", "0.0.0.0 0.0.0.0 GigabitEthernet0/1 10.20.0.9"]],
      severity: "warning",
      message: /next hop 10\.20\.0\.9 is in no network of GigabitEthernet0\/1/,
    },
    {
      name: "an exit that does not exist",
      edits: [atEnd("ip route 10.9.0.0 255.255.0.0 Serial0/0\n")],
      severity: "warning",
      message: /route to 10\.9\.0\.0\/16: its exit is on Serial0\/0, which does not exist/,
    },
    {
      name: "an exit that is shut down",
      edits: [[SYNC, `${SYNC} shutdown\n`], atEnd("ip route 10.9.0.0 255.255.0.0 GigabitEthernet0/2\n")],
      severity: "warning",
      message: /its exit is on GigabitEthernet0\/2, which is shut down/,
    },
    { name: "to nowhere on purpose", edits: [atEnd("ip route 10.0.0.0 255.0.0.0 Null0\n")] },
    {
      name: "IPv6, connected",
      edits: [[OUTSIDE, `${OUTSIDE} ipv6 address 2001:db8::2/64\n`], atEnd("ipv6 route ::/0 2001:db8::1\n")],
    },
    {
      name: "IPv6, link-local on an interface",
      edits: [
        [OUTSIDE, `${OUTSIDE} ipv6 address 2001:db8::2/64\n`],
        atEnd("ipv6 route ::/0 GigabitEthernet0/1 fe80::1\n"),
      ],
    },
    {
      name: "IPv6, not connected",
      edits: [
        [OUTSIDE, `${OUTSIDE} ipv6 address 2001:db8::2/64\n`],
        atEnd("ipv6 route ::/0 2001:db8:1::1\n"),
      ],
      severity: "warning",
      message: /route to ::\/0: next hop 2001:db8:1::1/,
    },
    {
      name: "a pair without any route",
      edits: [["ip route 0.0.0.0 0.0.0.0 198.51.100.254\n", ""]],
      severity: "warning",
      message: /there is no static route/,
      at: "interface GigabitEthernet0/1",
    },
    {
      name: "a firewall alone without any route",
      base: PLAIN,
      edits: [["ip route 0.0.0.0 0.0.0.0 203.0.113.1\n", ""]],
    },
    {
      name: "a pair with a routing protocol",
      edits: [["ip route 0.0.0.0 0.0.0.0 198.51.100.254\n", ""]],
      change: (config) => {
        config.kept.push({ at: { line: 9, column: 1 }, text: "router ospf 1", why: "unknown", note: "" });
      },
    },
    {
      name: "an inside network without a way back",
      base: PLAIN,
      edits: [
        [INSIDE, `${INSIDE} ip access-group INSIDE in\n`],
        atEnd(
          "ip access-list extended INSIDE\n permit ip 192.168.7.0 0.0.0.255 any\n permit ip 192.168.1.0 0.0.0.255 any\n",
        ),
      ],
      severity: "warning",
      message:
        /list INSIDE lets 192\.168\.7\.0\/24 in on GigabitEthernet0\/0, but answers leave by GigabitEthernet0\/1/,
      at: "permit ip 192.168.7.0",
    },
    {
      name: "an inside network without any route back",
      base: PLAIN,
      edits: [
        ["ip route 0.0.0.0 0.0.0.0 203.0.113.1\n", ""],
        [INSIDE, `${INSIDE} ip access-group INSIDE in\n`],
        atEnd("ip access-list extended INSIDE\n permit ip 192.168.7.0 0.0.0.255 any\n"),
      ],
      severity: "warning",
      message: /but there is no route back to it/,
    },
    {
      name: "an inside network with a way back",
      base: PLAIN,
      edits: [
        [INSIDE, `${INSIDE} ip access-group INSIDE in\n`],
        atEnd(
          "ip route 192.168.0.0 255.255.0.0 192.168.1.254\nip access-list extended INSIDE\n permit ip 192.168.7.0 0.0.0.255 any\n",
        ),
      ],
    },
    {
      name: "one list on both sides",
      base: PLAIN,
      edits: [
        [INSIDE, `${INSIDE} ip access-group OUTSIDE in\n`],
        [" deny ip any any\n", " permit tcp 100.64.0.0 0.0.0.255 host 203.0.113.2 eq 22\n deny ip any any\n"],
      ],
    },
    {
      name: "a part of the sources with a way back",
      base: PLAIN,
      edits: [
        [INSIDE, `${INSIDE} ip access-group INSIDE in\n`],
        atEnd(
          "ip route 10.5.0.0 255.255.0.0 192.168.1.254\nip access-list extended INSIDE\n permit ip 10.0.0.0 0.255.255.255 any\n",
        ),
      ],
    },
    {
      name: "sources that are no networks",
      base: PLAIN,
      edits: [
        [INSIDE, `${INSIDE} ip access-group INSIDE in\n`],
        atEnd(
          "ip access-list extended INSIDE\n permit udp host 0.0.0.0 eq bootpc host 255.255.255.255 eq bootps\n permit ip 192.0.0.0 0.255.255.255 any\n permit ip 0.0.0.1 255.255.255.254 any\n deny ip 10.0.0.0 0.255.255.255 any\n permit ip any any\n",
        ),
      ],
    },
  ]),
  ...casesOf("V25", [
    { name: "everything is understood, notes do not count", edits: [atEnd("snmp-server location rack 4\n")] },
    {
      name: "one unknown line",
      edits: [atEnd("frobnicate all\n")],
      severity: "info",
      message: /"frobnicate all" is not understood and has no effect$/,
      at: "frobnicate",
    },
    {
      name: "three unknown lines are one finding",
      edits: [atEnd("frobnicate all\nfrobnicate most\nfrobnicate some\n")],
      severity: "info",
      message: /the first of 3 such lines/,
      at: "frobnicate all",
    },
  ]),
  ...casesOf("V27", [
    { name: "closed" },
    {
      name: "a web server in clear",
      edits: [["no ip http server", "ip http server"]],
      severity: "warning",
      message: /ip http server: management in clear text/,
      at: "ip http server",
    },
    {
      name: "no time limit",
      edits: [["exec-timeout 10 0", "exec-timeout 0 0"]],
      severity: "warning",
      message: /line con 0: exec-timeout 0 0/,
      at: "line con 0",
    },
    {
      name: "login without a password",
      edits: [[" login local\n", " login\n"]],
      severity: "warning",
      message: /line vty 0 4: login without a password/,
      at: "line vty 0 4",
    },
    { name: "login with a password", edits: [[" login local\n", " password 7 0822455D0A16\n login\n"]] },
    { name: "login by a list", edits: [[" login local\n", " login authentication default\n"]] },
    {
      name: "no login at all",
      edits: [[" login local\n", " no login\n"]],
      severity: "warning",
      message: /line vty 0 4: no login lets everybody in/,
    },
    {
      name: "login without a password on the console",
      edits: [[" exec-timeout 10 0\n", " exec-timeout 10 0\n login\n"]],
    },
  ]),
];
