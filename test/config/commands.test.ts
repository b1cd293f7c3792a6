/** What the commands do to the model, and the ends of their ranges. */
import { describe, expect, test } from "vitest";
import { parse, show } from "../../src/config/index.js";
import { commandsOf } from "./pair.js";
import { plain } from "./plain.js";

const errors = (text: string) => parse(text).diagnostics.filter((d) => d.severity === "error");
const onInterface = (...lines: string[]) =>
  ["interface GigabitEthernet0/0", ...lines.map((line) => ` ${line}`)].join("\n");
const theInterface = (...lines: string[]) => {
  const { config, diagnostics } = parse(onInterface(...lines));
  expect(diagnostics).toEqual([]);
  return plain(config.interfaces.get("GigabitEthernet0/0"));
};
const written = (text: string) => commandsOf(show(parse(text).config)).slice(0, -1);

/** The number of a range goes where the `#` is. */
const RANGES: readonly (readonly [line: string, min: number, max: number])[] = [
  ["interface Gi0/0\n standby # priority 1", 0, 4095],
  ["interface Gi0/0\n standby 1 priority #", 0, 255],
  ["interface Gi0/0\n standby 1 timers # 255", 1, 254],
  ["interface Gi0/0\n standby 1 timers 1 #", 1, 255],
  ["interface Gi0/0\n standby 1 timers msec # 3", 15, 999],
  ["interface Gi0/0\n standby 1 timers msec 15 msec #", 50, 3000],
  ["interface Gi0/0\n standby delay minimum #", 0, 10000],
  ["interface Gi0/0\n standby delay reload #", 0, 10000],
  ["interface Gi0/0\n standby 1 preempt delay minimum #", 0, 3600],
  ["interface Gi0/0\n standby 1 preempt delay reload #", 0, 3600],
  ["interface Gi0/0\n standby 1 preempt delay sync #", 0, 3600],
  ["interface Gi0/0\n standby 1 track Gi0/1 #", 1, 255],
  ["interface Gi0/0\n standby 1 authentication md5 key-string K timeout #", 0, 32767],
  ["interface Gi0/0\n standby version #", 1, 2],
  ["interface Gi0/0\n encapsulation dot1Q #", 1, 4094],
  ["ipc zone default\n association #", 1, 255],
  ["ipc zone default\n association 1\n protocol sctp\n local-port #", 1, 65535],
  ["ipc zone default\n association 1\n protocol sctp\n remote-port #", 1, 65535],
  ["ipc zone default\n association 1\n protocol sctp\n retransmit-timeout # 60000", 300, 60000],
  ["ipc zone default\n association 1\n protocol sctp\n retransmit-timeout 300 #", 300, 60000],
  ["ipc zone default\n association 1\n protocol sctp\n path-retransmit #", 2, 10],
  ["ipc zone default\n association 1\n protocol sctp\n encapsulation udp #", 1, 65535],
  ["ipc zone default\n association 1\n protocol sctp\n assoc-retransmit #", 2, 10],
  ["ip inspect max-incomplete high #", 1, 4294967295],
  ["ip inspect max-incomplete low #", 1, 4294967295],
  ["ip inspect one-minute high #", 1, 4294967295],
  ["ip inspect one-minute low #", 1, 4294967295],
  ["ip inspect tcp max-incomplete host #", 1, 4294967295],
  ["ip inspect tcp max-incomplete host 1 block-time #", 0, 35791],
  ["ip inspect tcp synwait-time #", 1, 2147483],
  ["ip inspect tcp finwait-time #", 1, 2147483],
  ["ip inspect tcp idle-time #", 1, 2147483],
  ["ip inspect udp idle-time #", 1, 2147483],
  ["ip inspect dns-timeout #", 1, 2147483],
  ["ip inspect tcp reassembly queue length #", 0, 1024],
  ["ip inspect tcp reassembly timeout #", 1, 3600],
  ["ip inspect tcp reassembly memory limit #", 1, 4294967295],
  ["ip inspect redundancy update seconds #", 10, 60],
  ["ip inspect name R fragment maximum # timeout 1", 50, 10000],
  ["ip inspect name R tcp timeout #", 1, 2147483],
  ["access-list 101 permit tcp any any eq #", 0, 65535],
  ["access-list 101 permit # any any", 0, 255],
  ["access-list 101 permit icmp any any #", 0, 255],
  ["access-list 101 permit icmp any any 3 #", 0, 255],
  ["access-list 101 permit ip any any dscp #", 0, 63],
  ["access-list 101 permit ip any any tos #", 0, 15],
  ["access-list 101 permit ip any any precedence #", 0, 7],
  ["access-list 101 permit ip any any ttl eq #", 0, 255],
  ["access-list 101 permit ip any any option #", 0, 255],
  ["ip access-list extended L\n # permit ip any any", 1, 2147483647],
  ["ipv6 access-list L\n sequence # permit ipv6 any any", 1, 2147483647],
  ["ip route 0.0.0.0 0.0.0.0 10.0.0.1 #", 1, 255],
  ["logging rate-limit #", 1, 10000],
];

describe("ranges", () => {
  test.each(RANGES)("%s: %i to %i", (line, min, max) => {
    const withNumber = (number: number | string) => errors(line.replace("#", `${number}`)).length;
    expect([withNumber(min), withNumber(max)]).toEqual([0, 0]);
    expect([withNumber(min - 1), withNumber(max + 1)]).toEqual([1, 1]);
    expect(["x", `+${min}`, `${min}.0`, "1e2", `0x${min}`].map(withNumber)).toEqual([1, 1, 1, 1, 1]);
  });
  test.each([1024, 2048, 4096, 8192])("the hash table may have %i places, in both spellings", (size) => {
    expect(parse(`ip inspect hashtable ${size}`).config.inspect.hashtableSize).toBe(size);
    expect(parse(`ip inspect hashtable-size ${size}`).config.inspect.hashtableSize).toBe(size);
    expect(errors(`ip inspect hashtable ${size + 1}`)).toHaveLength(1);
  });
});

describe("addresses of an interface", () => {
  test("the primary is first, wherever it stands; a new one replaces it", () => {
    const secondary = { address: 0x0a000101, prefixLength: 24, secondary: true };
    const lines = [
      "ip address 10.0.1.1 255.255.255.0 secondary",
      "ip address 10.0.0.9 255.255.255.0",
      "ip address 10.0.0.1 255.255.255.0",
    ];
    expect(theInterface(...lines)).toMatchObject({
      addresses: [{ address: 0x0a000001, prefixLength: 24, secondary: false }, secondary],
    });
    expect(written(onInterface(...lines)).slice(1)).toEqual([
      "ip address 10.0.1.1 255.255.255.0 secondary",
      "ip address 10.0.0.1 255.255.255.0",
    ]);
  });
  test("an address is on the interface once", () => {
    const line = "ip address 10.0.0.1 255.255.255.0";
    expect(written(onInterface(`${line} secondary`, line)).slice(1)).toEqual([line]);
    expect(written(onInterface(line, `${line} secondary`, `${line} secondary`)).slice(1)).toEqual([
      `${line} secondary`,
      line,
    ]);
  });
  test("no ip address takes all, and is remembered; with an address it takes that one", () => {
    const line = "ip address 10.0.0.1 255.255.255.0";
    expect(written(onInterface(line, "no ip address")).slice(1)).toEqual(["no ip address"]);
    expect(written(onInterface("no ip address", line)).slice(1)).toEqual([line]);
    expect(written(onInterface(line, `no ${line}`)).slice(1)).toEqual([]);
    expect(written(onInterface(line, "default ip address")).slice(1)).toEqual([]);
  });
  test("IPv6: prefixes, a link-local address, the lower half from the MAC address", () => {
    const lines = [
      "ipv6 address 2001:DB8::1/64",
      "ipv6 address FE80::1 link-local",
      "ipv6 address 2001:db8:1::/64 eui-64",
      "ipv6 address fe80::2 link-local",
    ];
    expect(written(onInterface(...lines)).slice(1)).toEqual([
      "ipv6 address 2001:db8::1/64",
      "ipv6 address fe80::2 link-local",
      "ipv6 address 2001:db8:1::/64 eui-64",
    ]);
    expect(theInterface(...lines)).toMatchObject({
      addresses6: [
        { address: 0x20010db8_00000000_00000000_00000001n, prefixLength: 64, linkLocal: false, eui64: false },
        { address: 0xfe800000_00000000_00000000_00000002n, linkLocal: true },
        { eui64: true },
      ],
    });
  });
  test.each([
    "ip address 10.0.0.1",
    "ip address 10.0.0.1 255.0.255.0",
    "ip address 10.0.0.01 255.0.0.0",
    "ip address dhcp",
    "ipv6 address 2001:db8::1",
    "ipv6 address 2001:db8::1/129",
    "ipv6 address autoconfig",
  ])("%s is an error", (line) => {
    expect(errors(onInterface(line))).toHaveLength(1);
  });
});

test("what an interface has once for each direction or family is replaced", () => {
  expect(
    written(
      onInterface(
        "ip access-group A in",
        "ip access-group B out",
        "ip access-group C in",
        "ipv6 traffic-filter D in",
        "ip inspect R in",
        "ip inspect S in redundancy stateful G",
        "ip verify unicast reverse-path",
        "ip verify unicast source reachable-via any allow-default",
        "ipv6 verify unicast source reachable-via rx",
      ),
    ).slice(1),
  ).toEqual([
    "ip access-group C in",
    "ip access-group B out",
    "ip verify unicast source reachable-via any allow-default",
    "ip inspect S in redundancy stateful G",
    "ipv6 traffic-filter D in",
    "ipv6 verify unicast source reachable-via rx",
  ]);
});

describe("HSRP", () => {
  test("a group that is not named is group 0", () => {
    expect(written(onInterface("standby ip 10.0.0.3", "standby priority 5")).slice(1)).toEqual([
      "standby 0 ip 10.0.0.3",
      "standby 0 priority 5",
    ]);
  });
  test("all lines of a group stand together, groups in their order", () => {
    expect(
      written(
        onInterface("standby 2 priority 1", "standby 1 ip", "standby 2 ip 10.0.0.3", "standby 1 preempt"),
      ).slice(1),
    ).toEqual(["standby 2 ip 10.0.0.3", "standby 2 priority 1", "standby 1 ip", "standby 1 preempt"]);
  });
  test("the model of a group", () => {
    const lines = [
      "standby 1 ip 10.0.0.3",
      "standby 1 ip 10.0.1.3 secondary",
      "standby 1 timers msec 250 2",
      "standby 1 authentication md5 key-string 0 HAkey timeout 30",
      "standby 1 track GigabitEthernet0/1 20",
      "standby 1 track 5 decrement 30",
      "standby 1 track Gi0/2 shutdown",
      "standby 1 mac-address 200.5E00.1",
    ];
    expect(theInterface(...lines)).toMatchObject({
      standby: {
        groups: [
          [
            1,
            {
              group: 1,
              ip: { address: 0x0a000003 },
              secondaryIps: [{ address: 0x0a000103 }],
              timers: { helloMs: 250, holdMs: 2000, helloMsec: true, holdMsec: false },
              authentication: { kind: "md5-string", key: "HAkey", timeoutSeconds: 30 },
              tracks: [
                { object: "GigabitEthernet0/1", decrement: 20, shutdown: false },
                { object: "5", decrement: 30, shutdown: false },
                { object: "GigabitEthernet0/2", shutdown: true },
              ],
              macAddress: "0200.5e00.0001",
            },
          ],
        ],
      },
    });
  });
  test("authentication is one of its kinds; a key of another type is refused, and not shown as the old one", () => {
    expect(
      written(
        onInterface("standby 1 authentication md5 key-chain K", "standby 1 authentication secret"),
      ).slice(1),
    ).toEqual(["standby 1 authentication text secret"]);
    expect(
      errors(onInterface("standby 1 authentication md5 key-string 7 0822455D0A16")).map((d) => [
        d.column,
        d.message,
      ]),
    ).toEqual([[42, "a key of type 7 cannot be read: give it in clear"]]);
    expect(errors(onInterface("standby 1 authentication text 123456789"))).toHaveLength(1);
  });
  test("with its last line a group is gone", () => {
    expect(written(onInterface("standby 1 priority 5", "no standby 1 priority"))).toEqual([
      "interface GigabitEthernet0/0",
    ]);
    expect(written(onInterface("standby 1 priority 5", "standby 1 preempt", "no standby 1"))).toEqual([
      "interface GigabitEthernet0/0",
    ]);
  });
});

describe("inspection", () => {
  test("a rule has each protocol once, and each RPC program", () => {
    const text = [
      "ip inspect name R tcp timeout 5",
      "ip inspect name R rpc program-number 1",
      "ip inspect name R rpc program-number 2 wait-time 3",
      "ip inspect name R ip",
      "ip inspect name R tcp alert on",
      "ip inspect name R rpc program-number 1 timeout 9",
    ].join("\n");
    expect(written(text)).toEqual([
      "ip inspect name R tcp alert on",
      "ip inspect name R rpc program-number 1 timeout 9",
      "ip inspect name R rpc program-number 2 wait-time 3",
      "ip inspect name R ip",
    ]);
    expect(
      written(`${text}\nno ip inspect name R rpc program-number 1\nno ip inspect name R tcp`),
    ).toHaveLength(2);
    expect(written(`${text}\nno ip inspect name R`)).toEqual([]);
  });
  test("IPv4 and IPv6 rules are apart", () => {
    const { config } = parse("ip inspect name R tcp\nipv6 inspect name R udp");
    expect(config.inspectRules.get("R")!.protocols.map((p) => p.protocol)).toEqual(["tcp"]);
    expect(config.inspectRules6.get("R")).toMatchObject({ family: 6, protocols: [{ protocol: "udp" }] });
  });
  test("a rule may have the name of a keyword", () => {
    const text = "ip inspect name tcp tcp\ninterface Gi0/0\n ip inspect tcp in";
    expect(parse(text).config.interfaces.get("GigabitEthernet0/0")!.inspect).toMatchObject([
      { rule: "tcp", direction: "in" },
    ]);
  });
});

describe("routes", () => {
  test("a way is there once; other ways to the same network are others", () => {
    const text =
      "ip route 10.0.0.0 255.0.0.0 192.0.2.1\nip route 10.0.0.0 255.0.0.0 192.0.2.1 5 name N\nip route 10.0.0.0 255.0.0.0 Gi0/1 192.0.2.1";
    expect(written(text)).toEqual([
      "ip route 10.0.0.0 255.0.0.0 192.0.2.1 5 name N",
      "ip route 10.0.0.0 255.0.0.0 GigabitEthernet0/1 192.0.2.1",
    ]);
    expect(written(`${text}\nno ip route 10.0.0.0 255.0.0.0 192.0.2.1`)).toHaveLength(1);
  });
  test("the model", () => {
    const { config } = parse("ip route 0.0.0.0 0.0.0.0 80.80.80.1\nipv6 route 2001:db8::/32 Null0 250");
    expect(plain(config.routes)).toEqual([
      { family: 4, network: 0, prefixLength: 0, nextHop: 0x50505001 },
      {
        family: 6,
        network: 0x20010db8_00000000_00000000_00000000n,
        prefixLength: 32,
        interface: "Null0",
        distance: 250,
      },
    ]);
  });
});

describe("object groups", () => {
  test("the model of their members", () => {
    const { config } = parse(
      "object-group network N\n description servers\n host 10.0.0.1\n 10.1.0.7 255.255.0.0\n 10.2.0.0/16\n range 10.3.0.1 10.3.0.9\n any\n group-object M\n" +
        "object-group service S\n ip\n tcp source gt 1023 www\n tcp-udp 53\n icmp echo\n udp range 5 6\n 89\n",
    );
    expect(plain(config.objectGroups.get("N"))).toEqual({
      name: "N",
      kind: "network",
      description: "servers",
      members: [
        { kind: "address", match: { kind: "wildcard", address: 0x0a000001, wildcard: 0 } },
        { kind: "address", match: { kind: "wildcard", address: 0x0a010000, wildcard: 0xffff } },
        { kind: "address", match: { kind: "wildcard", address: 0x0a020000, wildcard: 0xffff } },
        { kind: "range", low: 0x0a030001, high: 0x0a030009 },
        { kind: "address", match: { kind: "any" } },
        { kind: "group", name: "M" },
      ],
    });
    expect(plain(config.objectGroups.get("S")!.members)).toEqual([
      { kind: "service" },
      {
        kind: "service",
        protocols: [6],
        sourcePort: { op: "gt", value: 1023 },
        destinationPort: { op: "eq", values: [80] },
      },
      { kind: "service", protocols: [6, 17], destinationPort: { op: "eq", values: [53] } },
      { kind: "service", protocols: [1], icmp: { type: 8 } },
      { kind: "service", protocols: [17], destinationPort: { op: "range", low: 5, high: 6 } },
      { kind: "service", protocols: [89] },
    ]);
  });
  test("a name belongs to one kind; members are there once", () => {
    expect(
      errors("object-group network N\n host 10.0.0.1\nobject-group service N\n tcp eq 80").map(
        (d) => d.message,
      ),
    ).toEqual(["N is a network group"]);
    expect(
      written("object-group network N\n host 10.0.0.1\n 10.0.0.1 255.255.255.255\n no host 10.0.0.1\n any"),
    ).toEqual(["object-group network N", "any"]);
    expect(errors("object-group network N\n range 10.0.0.9 10.0.0.1")).toHaveLength(1);
  });
});

describe("time ranges", () => {
  test("the model", () => {
    const { config } = parse(
      "time-range T\n absolute start 8:00 1 jan 2030 end 18:30 31 December 2030\n periodic mon tue wed thu fri 8:00 to 17:00\n periodic Sunday 22:00 to monday 4:00\n periodic sat sun 0:00 to 23:59",
    );
    expect(plain(config.timeRanges.get("T"))).toEqual({
      name: "T",
      absolute: {
        start: { year: 2030, month: 1, day: 1, hour: 8, minute: 0 },
        end: { year: 2030, month: 12, day: 31, hour: 18, minute: 30 },
      },
      periodic: [
        { days: { mask: 0b0011111, word: "weekdays" }, startMinute: 480, endMinute: 1020 },
        {
          days: { mask: 0b1000000, word: "Sunday" },
          startMinute: 1320,
          endDays: { mask: 1, word: "Monday" },
          endMinute: 240,
        },
        { days: { mask: 0b1100000, word: "weekend" }, startMinute: 0, endMinute: 1439 },
      ],
    });
  });
  test.each([
    ["absolute start 8:00 30 February 2030", "there is no such day"],
    ["absolute start 8:00 29 February 2031", "there is no such day"],
    ["absolute start 8:00 2 May 2030 end 8:00 1 May 2030", "the end is before the start"],
    ["periodic daily 8:00 to 7:59", "the end is before the start"],
    ["periodic daily 24:00 to 25:00", '"24:00" does not fit here'],
    ["periodic ju 8:00 to 9:00", '"ju" does not fit here'],
  ])("%s is an error", (line, message) => {
    expect(errors(`time-range T\n ${line}`).map((d) => d.message)).toEqual([message]);
  });
  test("29 February of a leap year is a day", () => {
    expect(errors("time-range T\n absolute start 8:00 29 February 2032")).toEqual([]);
  });
});

describe("logging", () => {
  test("levels, off, and what the level is when none is given", () => {
    const { config } = parse("logging console\nlogging trap 3\nno logging monitor\nlogging buffered 8192");
    expect([...config.logging.levels]).toEqual([
      ["console", 7],
      ["trap", 3],
      ["monitor", "off"],
      ["buffered", 7],
    ]);
    expect(
      written("logging console\nlogging trap 3\nno logging monitor\nlogging buffered 8192\nlogging 10.0.0.9"),
    ).toEqual([
      "logging buffered 8192 debugging",
      "logging console debugging",
      "no logging monitor",
      "logging trap errors",
      "logging host 10.0.0.9",
    ]);
  });
});

test("the association forgets all of its protocol with no protocol sctp", () => {
  const text =
    "ipc zone default\n association 1\n  shutdown\n  protocol sctp\n   local-port 5\n   local-ip 10.0.0.1 10.0.0.2";
  expect(plain(parse(`${text}\nexit\nexit\n no protocol sctp`).config.ipc)).toEqual({
    associations: [[1, { id: 1, shutdown: true, localIps: [], remoteIps: [] }]],
  });
});

test("default restores what no negates", () => {
  const { config } = parse(
    "no ip source-route\ndefault ip source-route\nno logging on\ndefault logging on\nno logging console\ndefault logging console",
  );
  expect([config.sourceRoute, config.logging.on, config.logging.levels.size]).toEqual([
    undefined,
    undefined,
    0,
  ]);
});
