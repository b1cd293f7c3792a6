/** Cases for V31 to V34: BFD between the boxes of a pair. */
import { type Case, casesOf, INSIDE, IPV6_OUTSIDE, OUTSIDE, SYNC, VERSION_2_INSIDE } from "./case.js";
import type { Edit } from "../configurations.js";

const LINE = " bfd interval 50 min_rx 50 multiplier 3\n";
const on = (head: string, lines = LINE): Edit => [head, `${head}${lines}`];
/** What the outside list lets in. */
const ADMITTED: Edit = [
  " permit icmp any any packet-too-big\n",
  " permit udp host 198.51.100.3 host 198.51.100.2 eq 3784\n permit icmp any any packet-too-big\n",
];
const EVERYWHERE: Edit[] = [on(INSIDE), on(OUTSIDE), on(SYNC), ADMITTED];

export const BFD_CASES: Case[] = [
  ...casesOf("V31", [
    { name: "let in", edits: EVERYWHERE },
    { name: "no BFD" },
    { name: "no BFD with the neighbor", edits: [on(OUTSIDE, `${LINE} no standby bfd\n`)] },
    {
      name: "denied by the end of the list",
      edits: [on(OUTSIDE)],
      severity: "warning",
      message:
        /BFD packets of the peer on GigabitEthernet0\/1 \(udp 3784 from .* to 198\.51\.100\.2\) are denied by list FROM-OUTSIDE, line \d+: that path is not watched/,
      at: "ip access-group FROM-OUTSIDE in",
    },
    {
      name: "denied on a path of the association",
      edits: [
        on(SYNC, `${LINE} ip access-group SYNC in\n`),
        ["line con 0", "ip access-list extended SYNC\n permit sctp any any\nline con 0"],
      ],
      severity: "warning",
      message: /on GigabitEthernet0\/2 \(udp 3784 from 192\.168\.99\.3 to 192\.168\.99\.2\)/,
      at: "ip access-group SYNC in",
    },
  ]),
  ...casesOf("V32", [
    { name: "everywhere", edits: EVERYWHERE },
    { name: "standby bfd with an interval", edits: [on(INSIDE, `${LINE} standby bfd\n`)] },
    {
      name: "an interface that is no path",
      edits: [
        ["line con 0", `interface GigabitEthernet0/3\n ip address 10.9.9.1 255.255.255.0\n${LINE}line con 0`],
      ],
      severity: "warning",
      message: /BFD on GigabitEthernet0\/3 watches nothing: there is neither an HSRP group nor a path/,
      at: "bfd interval",
    },
    {
      name: "standby bfd without an interval",
      edits: [on(INSIDE, " standby bfd\n")],
      severity: "warning",
      message: /standby bfd on GigabitEthernet0\/0 has no bfd interval/,
      at: "interface GigabitEthernet0/0",
    },
    {
      name: "switched off where HSRP is the only one to hear",
      edits: [on(OUTSIDE, `${LINE} no standby bfd\n`)],
      severity: "warning",
      message: /watches nothing: standby bfd is switched off there/,
      at: "bfd interval",
    },
    {
      name: "switched off for all",
      edits: [on(OUTSIDE), ["no ip http server\n", "no ip http server\nno standby bfd all-interfaces\n"]],
      severity: "warning",
      message: /watches nothing: standby bfd is switched off there/,
    },
    {
      name: "switched off for all, and on again here",
      edits: [
        on(OUTSIDE, `${LINE} standby bfd\n`),
        ["no ip http server\n", "no ip http server\nno standby bfd all-interfaces\n"],
      ],
    },
    {
      name: "the association goes through another router",
      edits: [on(SYNC), ["remote-ip 10.20.0.3 192.168.99.3", "remote-ip 10.20.0.3 192.168.98.3"]],
      severity: "warning",
      message: /BFD on GigabitEthernet0\/2 watches nothing/,
    },
    { name: "an interface that is shut down", edits: [on(SYNC, `${LINE} shutdown\n`)] },
  ]),
  ...casesOf("V33", [
    { name: "nowhere" },
    { name: "everywhere", edits: EVERYWHERE },
    {
      name: "not on a LAN",
      edits: [on(INSIDE), on(SYNC)],
      severity: "warning",
      message:
        /BFD does not watch GigabitEthernet0\/1, a path to the peer: .* only when the HSRP hold time there is over/,
      at: "standby 2",
    },
    {
      name: "not on the link of the association",
      edits: [on(INSIDE), on(OUTSIDE), ADMITTED],
      severity: "warning",
      message: /BFD does not watch GigabitEthernet0\/2, .* only when the association does not hear it/,
      at: "remote-ip",
    },
    {
      name: "switched off on a LAN",
      edits: [on(INSIDE), on(SYNC), on(OUTSIDE, `${LINE} no standby bfd\n`)],
      severity: "warning",
      message: /BFD does not watch GigabitEthernet0\/1/,
    },
    {
      name: "an IPv6 group beside it",
      edits: [VERSION_2_INSIDE, IPV6_OUTSIDE, on(INSIDE), on(SYNC), on(OUTSIDE)],
    },
  ]),
  ...casesOf("V34", [
    { name: "faster", edits: EVERYWHERE },
    { name: "no HSRP there", edits: [on(SYNC, " bfd interval 999 min_rx 999 multiplier 50\n")] },
    { name: "just faster", edits: [on(INSIDE, " bfd interval 999 min_rx 999 multiplier 5\n")] },
    {
      name: "slower than the hold time",
      edits: [on(INSIDE, " bfd interval 50 min_rx 500 multiplier 10\n")],
      severity: "warning",
      message: /BFD on GigabitEthernet0\/0 needs 5000 ms to notice a dead neighbor, group 1 there 5000 ms/,
      at: "bfd interval",
    },
  ]),
];
