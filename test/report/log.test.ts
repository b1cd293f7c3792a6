import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/model.js";
import { parse } from "../../src/config/parse.js";
import type { FirewallEvent, PacketEvent, SessionEvent } from "../../src/events.js";
import { REASONS } from "../../src/reasons.js";
import { ACCESS_LOG_FLOWS_MAX, ACCESS_LOG_SUMMARY_MS } from "../../src/report/accesslog.js";
import { IosLog } from "../../src/report/log.js";
import { timestamps } from "../../src/log/timestamps.js";

const START = new Date("2024-03-01T00:00:00.000Z");

const CONFIG = `
access-list 10 deny 10.0.0.0 0.0.0.255 log
ip access-list extended L
 permit tcp any any eq www log
 deny ip any any log
 deny udp any any log-input
 deny udp any any eq 7 log cookie1
ipv6 access-list L6
 deny ipv6 any any log sequence 20
`;

/** rules()[n - 1] of the configuration above. */
const RULES = [
  { list: "10", family: 4, sequence: 10, text: "deny 10.0.0.0 0.0.0.255 log" },
  { list: "L", family: 4, sequence: 10, text: "permit tcp any any eq www log" },
  { list: "L", family: 4, sequence: 20, text: "deny ip any any log" },
  { list: "L", family: 4, sequence: 30, text: "deny udp any any log-input" },
  { list: "L", family: 4, sequence: 40, text: "deny udp any any eq 7 log cookie1" },
  { list: "L6", family: 6, sequence: 20, text: "deny ipv6 any any log" },
] as const;
const [STANDARD, PERMIT_WWW, DENY_IP, LOG_INPUT, COOKIE, V6] = [1, 2, 3, 4, 5, 6];

function configOf(more = ""): Config {
  const { config, diagnostics } = parse(CONFIG + more, { file: "log.cfg" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return config;
}

function logOf(more = ""): IosLog {
  return new IosLog({ config: configOf(more), start: START, rules: RULES });
}

const PACKET: PacketEvent = {
  type: "rule_log",
  reason: "acl_in_deny",
  family: 4,
  protocol: 6,
  interface: "GigabitEthernet0/1",
  source: "1.2.3.4",
  destination: "211.0.0.3",
  sourcePort: 1025,
  destinationPort: 80,
  tcpFlags: 0x10,
  sequence: 1,
  acknowledgement: 2,
  icmpType: 0,
  icmpCode: 0,
  ipId: 7,
  mac: "aa:bb:cc:00:02:00",
  rule: DENY_IP!,
  cookie: 0,
};

const SESSION: SessionEvent = {
  type: "session_stop",
  cause: "closed",
  isAudited: true,
  id: "0000001A",
  family: 4,
  protocol: 6,
  service: "tcp",
  interface: "GigabitEthernet0/0",
  initiator: { address: "192.168.1.13", port: 33192, bytes: 22 },
  responder: { address: "192.168.129.11", port: 25, bytes: 208 },
  rule: 1,
};

/** The text of one event, without its time. */
function textOf(event: FirewallEvent): string {
  const log = logOf();
  log.events([event], 0);
  return log.drain().replace(/^Mar {2}1 00:00:00\.000: /, "");
}

describe("access list lines", () => {
  test.each<[string, Partial<PacketEvent>, string]>([
    ["tcp", {}, "%SEC-6-IPACCESSLOGP: list L denied tcp 1.2.3.4(1025) -> 211.0.0.3(80), 1 packet"],
    [
      "a permit",
      { rule: PERMIT_WWW, reason: "new_session" },
      "%SEC-6-IPACCESSLOGP: list L permitted tcp 1.2.3.4(1025) -> 211.0.0.3(80), 1 packet",
    ],
    [
      "icmp",
      { protocol: 1, sourcePort: 0, destinationPort: 0, icmpType: 8, icmpCode: 0 },
      "%SEC-6-IPACCESSLOGDP: list L denied icmp 1.2.3.4 -> 211.0.0.3 (8/0), 1 packet",
    ],
    [
      "another protocol",
      { protocol: 47, sourcePort: 0, destinationPort: 0 },
      "%SEC-6-IPACCESSLOGNP: list L denied 47 1.2.3.4 -> 211.0.0.3, 1 packet",
    ],
    ["a standard list", { rule: STANDARD }, "%SEC-6-IPACCESSLOGS: list 10 denied 1.2.3.4 1 packet"],
    [
      "log-input",
      { rule: LOG_INPUT, protocol: 17 },
      "%SEC-6-IPACCESSLOGP: list L denied udp 1.2.3.4(1025) (GigabitEthernet0/1 aabb.cc00.0200) -> 211.0.0.3(80), 1 packet",
    ],
    [
      "log-input without a link header",
      { rule: LOG_INPUT, protocol: 17, mac: "00:00:00:00:00:00" },
      "%SEC-6-IPACCESSLOGP: list L denied udp 1.2.3.4(1025) (GigabitEthernet0/1) -> 211.0.0.3(80), 1 packet",
    ],
    [
      "a cookie",
      { rule: COOKIE, protocol: 17, destinationPort: 7 },
      "%SEC-6-IPACCESSLOGP: list L denied udp 1.2.3.4(1025) -> 211.0.0.3(7), 1 packet [cookie1]",
    ],
    [
      "IPv6",
      { rule: V6, family: 6, source: "2001:db8::1", destination: "2001:db8::2" },
      "%IPV6-6-ACCESSLOGP: list L6/20 denied tcp 2001:db8::1(1025) -> 2001:db8::2(80), 1 packet",
    ],
    [
      "ICMPv6",
      { rule: V6, family: 6, source: "2001:db8::1", destination: "2001:db8::2", protocol: 58, icmpType: 128 },
      "%IPV6-6-ACCESSLOGDP: list L6/20 denied icmpv6 2001:db8::1 -> 2001:db8::2 (128/0), 1 packet",
    ],
  ])("%s", (_, event, line) => expect(textOf({ ...PACKET, ...event })).toBe(`${line}\n`));

  test("the first packet at once, the others in a summary after five minutes", () => {
    const log = logOf();
    for (let ms = 0; ms < 10; ms++) log.events([PACKET], ms);
    expect(log.drain().match(/packet/g)).toHaveLength(1);
    log.events([], ACCESS_LOG_SUMMARY_MS - 1);
    expect(log.drain()).toBe("");
    log.events([], ACCESS_LOG_SUMMARY_MS);
    expect(log.drain()).toBe(
      "Mar  1 00:05:00.000: %SEC-6-IPACCESSLOGP: list L denied tcp 1.2.3.4(1025) -> 211.0.0.3(80), 9 packets\n",
    );
    // Nothing came since: the flow is forgotten, and its next packet is a first one.
    log.events([], 2 * ACCESS_LOG_SUMMARY_MS);
    expect(log.drain()).toBe("");
    log.events([PACKET], 3 * ACCESS_LOG_SUMMARY_MS);
    expect(log.drain()).toMatch(/, 1 packet\n$/);
  });

  test("a summary has its own time, however late the next event comes", () => {
    const log = logOf();
    log.events([PACKET, PACKET], 1000);
    log.drain();
    log.events([], 3_600_000);
    expect(log.drain()).toMatch(/^Mar {2}1 00:05:01\.000: .*, 1 packet\n$/);
  });

  test("after a leap of the clock, summaries still come in the order of their times", () => {
    const log = logOf();
    const [a, b] = [PACKET, { ...PACKET, source: "9.9.9.9" }];
    log.events([a, a], 0);
    log.events([b], ACCESS_LOG_SUMMARY_MS - 1);
    log.events([], ACCESS_LOG_SUMMARY_MS + 60_000);
    log.events([b, a], ACCESS_LOG_SUMMARY_MS + 70_000);
    log.events([], 3 * ACCESS_LOG_SUMMARY_MS);
    log.end(3 * ACCESS_LOG_SUMMARY_MS);
    const lines = log.drain().trimEnd().split("\n");
    expect(lines.map((line) => [line.slice(7, 15), / (\S+)\(1025/.exec(line)![1]])).toEqual([
      ["00:00:00", "1.2.3.4"],
      ["00:04:59", "9.9.9.9"],
      ["00:05:00", "1.2.3.4"],
      ["00:09:59", "9.9.9.9"],
      ["00:11:00", "1.2.3.4"],
    ]);
  });

  test("what a flow is: rule, protocol, addresses, ports, types", () => {
    const log = logOf();
    const others: Partial<PacketEvent>[] = [
      {},
      { rule: PERMIT_WWW },
      { protocol: 17 },
      { source: "1.2.3.5" },
      { destination: "211.0.0.4" },
      { sourcePort: 1026 },
      { destinationPort: 81 },
      { protocol: 1, icmpType: 8 },
      { protocol: 1, icmpType: 8, icmpCode: 1 },
      { protocol: 1, icmpType: 0 },
    ];
    log.events(
      others.map((other) => ({ ...PACKET, ...other })),
      0,
    );
    log.events(
      others.map((other) => ({ ...PACKET, ...other, interface: "elsewhere" })),
      1,
    );
    expect(log.drain().trimEnd().split("\n")).toHaveLength(others.length);
    log.end(2);
    expect(log.drain().trimEnd().split("\n")).toHaveLength(others.length);
  });

  test("a standard list only knows the source", () => {
    const log = logOf();
    const event = { ...PACKET, rule: STANDARD! };
    log.events([event, { ...event, destination: "9.9.9.9" }, { ...event, sourcePort: 7 }], 0);
    log.end(1);
    expect(log.drain().match(/denied 1\.2\.3\.4 \d packet/g)).toEqual([
      "denied 1.2.3.4 1 packet",
      "denied 1.2.3.4 2 packet",
    ]);
  });

  test("the end sums up what is left, and only that", () => {
    const log = logOf();
    log.events([PACKET, PACKET, PACKET, { ...PACKET, source: "9.9.9.9" }], 0);
    log.drain();
    log.end(10);
    expect(log.drain()).toBe(
      "Mar  1 00:00:00.010: %SEC-6-IPACCESSLOGP: list L denied tcp 1.2.3.4(1025) -> 211.0.0.3(80), 2 packets\n",
    );
  });

  test("a threshold sums up early", () => {
    const log = logOf("ip access-list log-update threshold 3\n");
    for (let i = 0; i < 8; i++) log.events([PACKET], i);
    expect(log.drain().match(/\d+ packets?/g)).toEqual(["1 packet", "3 packets", "3 packets"]);
    log.end(9);
    expect(log.drain().match(/\d+ packets?/g)).toEqual(["1 packet"]);
  });

  test("an interval spaces the lines of new flows, and counts those in between", () => {
    const log = logOf("ip access-list logging interval 100\n");
    for (let i = 0; i < 25; i++) log.events([{ ...PACKET, sourcePort: 2000 + i }], i * 10);
    expect(log.drain().match(/\(20\d\d\)/g)).toEqual(["(2000)", "(2010)", "(2020)"]);
    log.end(1000);
    expect(log.drain()).toBe(
      "Mar  1 00:00:01.000: %SEC-6-IPACCESSLOGRL: access-list logging rate-limited or missed 22 packets\n",
    );
  });

  test("the number of flows is bounded, and none of their packets is lost", () => {
    const log = logOf();
    const count = 3 * ACCESS_LOG_FLOWS_MAX;
    for (let i = 0; i < count; i++) {
      const event = { ...PACKET, source: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` };
      log.events([event, event, event], i);
    }
    log.end(count);
    const lines = log.drain().trimEnd().split("\n");
    expect(lines).toHaveLength(2 * count);
    const packets = lines.map((line) => Number(/(\d+) packets?$/.exec(line)![1]));
    expect(packets.reduce((a, b) => a + b)).toBe(3 * count);
  });
});

describe("inspection lines", () => {
  test.each<[string, Partial<SessionEvent>, string]>([
    [
      "stop",
      {},
      "%FW-6-SESS_AUDIT_TRAIL: Stop tcp session: initiator (192.168.1.13:33192) sent 22 bytes -- responder (192.168.129.11:25) sent 208 bytes",
    ],
    [
      "start",
      { type: "session_start" },
      "%FW-6-SESS_AUDIT_TRAIL_START: Start tcp session: initiator (192.168.1.13:33192) -- responder (192.168.129.11:25)",
    ],
    [
      "evicted, IPv6",
      {
        type: "evicted",
        service: "udp",
        initiator: { address: "2001:db8::1", port: 5, bytes: 0 },
        responder: { address: "2001:db8::2", port: 53, bytes: 0 },
      },
      "%FW-4-SESSION_EVICTED: Half-open udp session deleted to make room: initiator ([2001:db8::1]:5) -- responder ([2001:db8::2]:53)",
    ],
  ])("%s", (_, event, line) => expect(textOf({ ...SESSION, ...event })).toBe(`${line}\n`));

  test("a drop in TCP", () => {
    expect(textOf({ ...PACKET, type: "drop", reason: "tcp_no_session", rule: 0 })).toBe(
      "%FW-6-DROP_PKT: Dropping tcp session 1.2.3.4:1025 211.0.0.3:80 due to Stray Segment with ip ident 7 tcpflags 0x10 seq.no 1 ack 2\n",
    );
  });

  test("a drop elsewhere has no TCP fields", () => {
    expect(textOf({ ...PACKET, type: "drop", protocol: 17, reason: "icmp_no_session", rule: 0 })).toBe(
      "%FW-6-DROP_PKT: Dropping udp session 1.2.3.4:1025 211.0.0.3:80 due to ICMP without a session, and no request with ip ident 7\n",
    );
  });

  test("every reason has a cause", () => {
    for (const { name } of REASONS) {
      const line = textOf({ ...PACKET, type: "drop", reason: name, rule: 0 });
      expect(line).toMatch(/ due to [A-Za-z][^\n]{2,} with ip ident 7 /);
      expect(line).not.toContain("undefined");
    }
  });

  test("a full table", () => {
    expect(textOf({ ...PACKET, type: "table_full", reason: "table_full", rule: 0 })).toBe(
      "%FW-4-SESSION_TABLE_FULL: No room for a tcp session 1.2.3.4:1025 211.0.0.3:80\n",
    );
  });
});

describe("times", () => {
  const at = new Date("2023-11-02T08:05:09.007Z");
  test.each([
    ["service timestamps log datetime msec", "Nov  2 08:05:09.007: "],
    ["service timestamps log datetime", "Nov  2 08:05:09: "],
    ["service timestamps log datetime msec year", "Nov  2 2023 08:05:09.007: "],
    ["service timestamps log uptime", "00:00:00: "],
    ["hostname x", "Nov  2 08:05:09.007: "],
  ])("%s", (line, text) => {
    const { config } = parse(`${line}\n`);
    expect(timestamps(config.timestamps.log)({ wallMs: at.getTime(), uptimeMs: 0 })).toBe(text);
  });

  test.each([
    [0, "00:00:00"],
    [86_399, "23:59:59"],
    [86_400 + 2 * 3600 + 59, "1d02h"],
    [6 * 86_400, "6d00h"],
    [7 * 86_400, "1w0d"],
    [24 * 86_400, "3w3d"],
    [365 * 86_400, "1y0w"],
    [(365 + 15) * 86_400, "1y2w"],
  ])("an uptime of %d s is %s", (seconds, text) => {
    const format = { kind: "uptime", msec: false, localtime: false, year: false } as const;
    expect(timestamps(format)({ wallMs: at.getTime(), uptimeMs: seconds * 1000 })).toBe(`${text}: `);
  });

  test("a time beyond the calendar does not throw", () => {
    expect(timestamps()({ wallMs: 8.64e15 + 1, uptimeMs: 0 })).toBe("(no time): ");
  });
});
