/** Cases for V02, V11, V12, V13, V14, V15, V17: the scheme, the association and its timers. */
import { type Edit, PLAIN } from "../configurations.js";
import { association, atEnd, type Case, casesOf, INSIDE, SYNC } from "./case.js";

const OVER_IP: Edit = ["  protocol sctp\n", "  protocol sctp\n   encapsulation ip\n"];

export const SYNC_CASES: Case[] = [
  ...casesOf("V02", [
    { name: "the name is the scheme's, not the interface's" },
    {
      name: "the name of the interface's own group",
      edits: [["redundancy stateful LAN-IN", "redundancy stateful LAN-OUT"]],
      severity: "error",
      message: /stateful LAN-OUT on GigabitEthernet0\/1: the scheme follows LAN-IN/,
      at: "ip inspect OUTBOUND out",
    },
    {
      name: "no scheme",
      edits: [["redundancy inter-device\n scheme standby LAN-IN\n", ""]],
      severity: "error",
      message: /there is no scheme for it to follow/,
      at: "ip inspect OUTBOUND out",
    },
    { name: "inspection without failover", base: PLAIN },
  ]),
  ...casesOf("V11", [
    { name: "complete" },
    {
      name: "no local port",
      edits: [["   local-port 5000\n", ""]],
      severity: "error",
      message: /association 1 has no local-port/,
      at: "association 1",
    },
    {
      name: "no remote port",
      edits: [["   remote-port 5000\n", ""]],
      severity: "error",
      message: /has no remote-port/,
    },
    {
      name: "no local address",
      edits: [["    local-ip 10.20.0.2 192.168.99.2\n", ""]],
      severity: "error",
      message: /has no local-ip/,
    },
    {
      name: "no remote address",
      edits: [["    remote-ip 10.20.0.3 192.168.99.3\n", ""]],
      severity: "error",
      message: /has no remote-ip/,
    },
    {
      name: "no transport",
      change: (config) => {
        association(config).protocol = undefined;
      },
      severity: "error",
      message: /has no protocol/,
    },
    {
      name: "port 0",
      change: (config) => {
        association(config).localPort!.value = 0;
      },
      severity: "error",
      message: /local-port 0 is no port/,
      at: "local-port",
    },
    {
      name: "port 65536",
      change: (config) => {
        association(config).remotePort!.value = 65_536;
      },
      severity: "error",
      message: /remote-port 65536 is no port/,
      at: "remote-port",
    },
    {
      name: "no association",
      change: (config) => {
        config.ipc = undefined;
      },
      severity: "error",
      message: /no association that carries the sessions/,
      at: "scheme standby",
    },
    {
      name: "an empty association that is shut down, without failover",
      base: PLAIN,
      edits: [atEnd("ipc zone default\n association 1\n  shutdown\n")],
    },
  ]),
  ...casesOf("V12", [
    { name: "own address here, the peer's there" },
    {
      name: "a local address that is not on the box",
      edits: [["local-ip 10.20.0.2", "local-ip 10.20.0.22"]],
      severity: "error",
      message: /local-ip 10\.20\.0\.22 is no address of this box/,
      at: "local-ip",
    },
    {
      name: "a local address on an interface that is shut down",
      edits: [[SYNC, `${SYNC} shutdown\n`]],
      severity: "error",
      message: /local-ip 192\.168\.99\.2 belongs to GigabitEthernet0\/2, which is shut down/,
    },
    {
      name: "a local address that is virtual",
      edits: [["local-ip 10.20.0.2", "local-ip 10.20.0.1"]],
      severity: "error",
      message: /local-ip 10\.20\.0\.1 is the virtual address of GigabitEthernet0\/0 group 1/,
    },
    {
      name: "a remote address that is virtual",
      edits: [["remote-ip 10.20.0.3", "remote-ip 10.20.0.1"]],
      severity: "error",
      message: /remote-ip 10\.20\.0\.1 is the virtual address/,
      at: "remote-ip",
    },
    {
      name: "a remote address of this box",
      edits: [["remote-ip 10.20.0.3", "remote-ip 198.51.100.2"]],
      severity: "error",
      message: /remote-ip 198\.51\.100\.2 is this box's own address on GigabitEthernet0\/1/,
    },
  ]),
  ...casesOf("V13", [
    { name: "two addresses each, no list in the way" },
    {
      name: "one address each",
      edits: [
        ["local-ip 10.20.0.2 192.168.99.2", "local-ip 10.20.0.2"],
        ["remote-ip 10.20.0.3 192.168.99.3", "remote-ip 10.20.0.3"],
      ],
      severity: "warning",
      message: /association 1 has one local-ip and one remote-ip/,
      at: "local-ip",
    },
    {
      name: "one remote address",
      edits: [["remote-ip 10.20.0.3 192.168.99.3", "remote-ip 10.20.0.3"]],
      severity: "warning",
      message: /association 1 has one remote-ip:/,
      at: "remote-ip",
    },
    {
      name: "three addresses",
      change: (config) => {
        association(config).localIps.push({ ...association(config).localIps[0]!, address: 1 });
      },
      severity: "error",
      message: /local-ip has 3 addresses/,
    },
    {
      name: "a list that lets nothing of it in",
      edits: [
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd("ip access-list extended LINK\n permit tcp any any\n"),
      ],
      severity: "warning",
      message:
        /from 192\.168\.99\.3 to 192\.168\.99\.2 .* on GigabitEthernet0\/2 is denied by the end of list LINK/,
      at: "ip access-group LINK in",
    },
    {
      name: "a list that denies it",
      edits: [
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd("ip access-list extended LINK\n deny ip host 192.168.99.3 any\n permit ip any any\n"),
      ],
      severity: "warning",
      message: /is denied by list LINK, line \d+/,
    },
    {
      name: "a list that lets SCTP in, which travels over IP",
      edits: [
        OVER_IP,
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd(
          "ip access-list extended LINK\n permit sctp host 192.168.99.3 eq 5000 host 192.168.99.2 eq 5000\n",
        ),
      ],
    },
    {
      name: "a list that lets SCTP in, but it travels in UDP",
      edits: [
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd("ip access-list extended LINK\n permit sctp any any\n"),
      ],
      severity: "warning",
      message: /\(UDP 9899\) on GigabitEthernet0\/2 is denied by the end of list LINK/,
    },
    {
      name: "a list that lets UDP in, but it travels over IP",
      edits: [
        OVER_IP,
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd("ip access-list extended LINK\n permit udp any any\n"),
      ],
      severity: "warning",
      message: /\(SCTP\) on GigabitEthernet0\/2 is denied by the end of list LINK/,
    },
    {
      name: "a list that lets in the UDP port that it travels from and to",
      edits: [
        ["  protocol sctp\n", "  protocol sctp\n   encapsulation udp 9898\n"],
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd("ip access-list extended LINK\n permit udp any eq 9898 any eq 9898\n"),
      ],
    },
    {
      name: "a list that lets SCTP over UDP in",
      edits: [
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd(
          "ip access-list extended LINK\n permit udp host 192.168.99.3 eq 9899 host 192.168.99.2 eq 9899\n",
        ),
      ],
    },
    {
      name: "a list that lets it in from the wrong address",
      edits: [
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd(
          "ip access-list extended LINK\n permit 132 host 192.168.99.2 any\n permit udp any any eq 9898\n",
        ),
      ],
      severity: "warning",
      message: /is denied by the end of list LINK/,
    },
    {
      name: "the list of the interface where the packets come in decides, not that of the address",
      edits: [
        ["local-ip 10.20.0.2 192.168.99.2", "local-ip 10.20.0.2 192.0.2.1"],
        [
          SYNC,
          `interface Loopback0\n ip address 192.0.2.1 255.255.255.255\n${SYNC} ip access-group LINK in\n`,
        ],
        atEnd("ip access-list extended LINK\n permit tcp any any\n"),
      ],
      severity: "warning",
      message: /from 192\.168\.99\.3 to 192\.0\.2\.1 .* on GigabitEthernet0\/2/,
    },
    {
      name: "a list that lets it in at working hours only",
      edits: [
        [SYNC, `${SYNC} ip access-group LINK in\n`],
        atEnd(
          "time-range WORK\n periodic weekdays 8:00 to 18:00\nip access-list extended LINK\n permit ip any any time-range WORK\n",
        ),
      ],
      severity: "warning",
      message: /is denied by the end of list LINK/,
    },
  ]),
  ...casesOf("V14", [
    { name: "the defaults" },
    {
      name: "retransmit-timeout below the range",
      change: (config) => {
        association(config).retransmitTimeout!.minMs = 299;
      },
      severity: "error",
      message: /retransmit-timeout 299 is outside 300 to 60000/,
      at: "retransmit-timeout",
    },
    {
      name: "retransmit-timeout above the range",
      change: (config) => {
        association(config).retransmitTimeout!.maxMs = 60_001;
        association(config).assocRetransmit!.value = 2;
      },
      severity: "error",
      message: /retransmit-timeout 60001 is outside/,
    },
    {
      name: "minimum above maximum",
      change: (config) => {
        association(config).retransmitTimeout = {
          ...association(config).retransmitTimeout!,
          minMs: 700,
          maxMs: 600,
        };
      },
      severity: "error",
      message: /retransmit-timeout 700 600: the minimum is above the maximum/,
    },
    {
      name: "path-retransmit out of range",
      change: (config) => {
        association(config).pathRetransmit!.value = 11;
      },
      severity: "error",
      message: /path-retransmit 11 is outside 2 to 10/,
      at: "path-retransmit",
    },
    {
      name: "assoc-retransmit out of range",
      change: (config) => {
        association(config).assocRetransmit!.value = 1;
      },
      severity: "error",
      message: /assoc-retransmit 1 is outside 2 to 10/,
      at: "assoc-retransmit",
    },
    {
      name: "update interval out of range",
      change: (config) => {
        config.inspect.updateSeconds!.value = 9;
      },
      severity: "error",
      message: /update seconds 9 is outside 10 to 60/,
      at: "ip inspect redundancy update",
    },
    {
      name: "the association outlives its paths",
      edits: [
        ["path-retransmit 4", "path-retransmit 2"],
        ["assoc-retransmit 4", "assoc-retransmit 5"],
      ],
      severity: "warning",
      message: /assoc-retransmit 5 is above path-retransmit 2 times 2 paths/,
      at: "assoc-retransmit",
    },
    {
      name: "as long as its paths together",
      edits: [["path-retransmit 4", "path-retransmit 2"]],
    },
    {
      name: "68.9 s to notice a dead peer",
      edits: [
        ["retransmit-timeout 300 600", "retransmit-timeout 300 10000"],
        ["path-retransmit 4", "path-retransmit 10"],
        ["assoc-retransmit 4", "assoc-retransmit 10"],
      ],
      severity: "warning",
      message:
        /association 1 needs 68\.9 s .* more than 3 hold times \(15 s\) of GigabitEthernet0\/0 group 1/,
      at: "retransmit-timeout",
    },
    {
      name: "the hold time of the scheme's group counts",
      edits: [["standby 1 timers 1 5", "standby 1 timers msec 100 msec 800"]],
      severity: "warning",
      message: /needs 2\.7 s .* \(2\.4 s\)/,
    },
  ]),
  ...casesOf("V15", [
    { name: "one association, running" },
    {
      name: "shut down",
      edits: [["  no shutdown\n", "  shutdown\n"]],
      severity: "error",
      message: /association 1 is shut down/,
      at: "association 1",
    },
    {
      name: "two associations",
      edits: [
        ["ip inspect name OUTBOUND tcp", " association 2\n  protocol sctp\nip inspect name OUTBOUND tcp"],
      ],
      severity: "warning",
      message: /association 2 is not used: only association 1 is/,
      at: "association 2",
    },
    {
      name: "the other of two is shut down",
      edits: [["ip inspect name OUTBOUND tcp", " association 2\n  shutdown\nip inspect name OUTBOUND tcp"]],
    },
    {
      name: "shut down, without failover",
      base: PLAIN,
      edits: [atEnd("ipc zone default\n association 1\n  shutdown\n")],
    },
  ]),
  ...casesOf("V17", [
    { name: "stateful everywhere" },
    {
      name: "not on the inside",
      edits: [[INSIDE, `${INSIDE} ip inspect OUTBOUND in\n`]],
      severity: "warning",
      message: /sessions of ip inspect OUTBOUND in on GigabitEthernet0\/0 are lost at a failover/,
      at: "ip inspect OUTBOUND in",
    },
    {
      name: "on an interface that does not fail over",
      edits: [[SYNC, `${SYNC} ip inspect OUTBOUND in\n`]],
    },
    { name: "nowhere", edits: [[" redundancy stateful LAN-IN", ""]] },
  ]),
];
