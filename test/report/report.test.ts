import { describe, expect, test } from "vitest";
import { packetsPerSecond, type Report, reportObject, tallyOf, totalOf } from "../../src/report/report.js";
import { reportText, TOP_RULES, UNUSED_RULES } from "../../src/report/summary.js";
import { WIDTH } from "../../src/report/text.js";

const RULES = [
  { sequence: 10, text: "permit tcp any host 10.0.0.80 eq www", hits: 12 },
  { sequence: 20, text: "permit udp any any", hits: 0 },
  { sequence: 30, text: "deny ip any any log", hits: 340 },
];

const REPORT: Report = {
  capture: "office.pcapng",
  config: "office.cfg",
  hostname: "Office",
  reasons: [
    {
      name: "established",
      verdict: "pass",
      meaning: "belongs to a session",
      packets: 11_200,
      bytes: 8_512_345,
    },
    {
      name: "new_session",
      verdict: "pass",
      meaning: "permitted and inspected: a session was created",
      packets: 798,
      bytes: 51_234,
    },
    { name: "local", verdict: "local", meaning: "addressed to the firewall", packets: 46, bytes: 4_600 },
    { name: "tcp_flags", verdict: "drop", meaning: "impossible TCP flags", packets: 1, bytes: 54 },
    {
      name: "acl_in_deny",
      verdict: "drop",
      meaning: "denied by an entry of the inbound list",
      packets: 300,
      bytes: 340_000,
    },
  ],
  notSent: { packets: 0, bytes: 0 },
  sessions: {
    created: { tcp: 120, udp: 34, icmp: 3, other: 0 },
    closed: 100,
    expired: 50,
    evicted: 0,
    most: 134,
    capacity: 65_536,
    open: [
      { protocol: "udp", state: "open", count: 4 },
      { protocol: "tcp", state: "established", count: 2 },
      { protocol: "tcp", state: "time_wait", count: 1 },
    ],
  },
  acls: [{ name: "OUTSIDE-IN", family: 4, rules: RULES }],
  captureSeconds: 35.2,
  seconds: 0.012,
  eventsLost: 0,
  error: undefined,
};

const GOLDEN = `\
office.pcapng through office.cfg (Office)
12,345 packets, 8.91 MB over 35.2 s; replayed in 0.012 s, 1,028,750 packets/s

  verdict  packets            bytes
  ✔ pass    11,998  97.2 %  8.56 MB  96.1 %
  ✘ drop       301   2.4 %   340 kB   3.8 %
  ● local       46   0.4 %  4.60 kB   0.1 %

  reasons               packets    bytes
  ✔ pass   established   11,200  8.51 MB  belongs to a session
  ✔ pass   new_session      798  51.2 kB  permitted and inspected: a session was created
  ✘ drop   acl_in_deny      300   340 kB  denied by an entry of the inbound list
  ✘ drop   tcp_flags          1     54 B  impossible TCP flags
  ● local  local             46  4.60 kB  addressed to the firewall

  sessions  created  at the end
  tcp           120  2 established, 1 time_wait
  udp            34  4 open
  icmp            3  none
  100 closed, 50 timed out, at most 134 of 65,536 at a time

  rules                                                hits
  OUTSIDE-IN 30  deny ip any any log                    340
  OUTSIDE-IN 10  permit tcp any host 10.0.0.80 eq www    12

  never hit
  OUTSIDE-IN 20  permit udp any any
`;

describe("text", () => {
  test("golden", () => expect(reportText(REPORT)).toBe(GOLDEN));

  test("an empty capture", () => {
    const sessions = { ...REPORT.sessions, created: { tcp: 0, udp: 0, icmp: 0, other: 0 }, open: [] };
    const empty = {
      ...REPORT,
      reasons: [],
      sessions,
      acls: [],
      captureSeconds: 0,
      seconds: 0,
      hostname: undefined,
    };
    expect(reportText(empty)).toBe(`\
office.pcapng through office.cfg
0 packets, 0 B; replayed in 0.000 s

  verdict  packets     bytes
  ✔ pass         0  -    0 B  -
  ✘ drop         0  -    0 B  -
  ● local        0  -    0 B  -

  no session was created
`);
  });

  test("packets that were not sent stand beside the verdicts", () => {
    const text = reportText({ ...REPORT, notSent: { packets: 55, bytes: 5500 } });
    expect(text).toContain("12,400 packets");
    expect(text).toContain("  - not sent       55   0.4 %  5.50 kB   0.1 %\n");
  });

  test("long lists are cut, and how much is told", () => {
    const rules = Array.from({ length: 40 }, (_, i) => ({
      sequence: i,
      text: `permit udp any any eq ${i}`,
      hits: i < 20 ? i + 1 : 0,
    }));
    const text = reportText({ ...REPORT, acls: [{ name: "L", family: 4, rules }] });
    const lines = text.split("\n");
    const top = lines.findIndex((line) => line.includes(`top ${TOP_RULES} rules`));
    expect(
      lines.slice(top + 1, top + 1 + TOP_RULES).map((line) => Number(line.trim().split(/\s+/).at(-1))),
    ).toEqual(Array.from({ length: TOP_RULES }, (_, i) => 20 - i));
    expect(lines[top + 1 + TOP_RULES]).toBe("");
    expect(text).toContain(`  and ${20 - UNUSED_RULES} others\n`);
  });

  test("lost events are told", () => {
    expect(reportText({ ...REPORT, eventsLost: 1 })).toContain("1 log event was lost");
    expect(reportText({ ...REPORT, eventsLost: 3 })).toContain("3 log events were lost");
  });

  test("fits its width whatever the names, and lets none of them drive the terminal", () => {
    const nasty = { sequence: 1, text: `permit ${"x".repeat(300)}\u001b[31m`, hits: 1 };
    const text = reportText({
      ...REPORT,
      capture: "a\u001b]0;title\u0007.pcap",
      acls: [{ name: `N${"n".repeat(90)}\u009b`, family: 4, rules: [nasty, { ...nasty, hits: 0 }] }],
    });
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    for (const line of text.split("\n").slice(2)) expect(line.length).toBeLessThanOrEqual(WIDTH);
  });
});

describe("JSON", () => {
  test("has what is promised, under the promised names", () => {
    expect(reportObject({ ...REPORT, notSent: { packets: 5, bytes: 500 } })).toEqual({
      capture: "office.pcapng",
      config: "office.cfg",
      packets: 12_350,
      bytes: 8_908_733,
      verdicts: { pass: 11_998, drop: 301, local: 46 },
      verdictBytes: { pass: 8_563_579, drop: 340_054, local: 4_600 },
      notSent: 5,
      reasons: { established: 11_200, new_session: 798, local: 46, tcp_flags: 1, acl_in_deny: 300 },
      sessions: {
        created: 157,
        tcp: 120,
        udp: 34,
        icmp: 3,
        other: 0,
        closed: 100,
        expired: 50,
        evicted: 0,
        most: 134,
        capacity: 65_536,
        open: REPORT.sessions.open,
      },
      acls: [{ name: "OUTSIDE-IN", family: 4, rules: RULES }],
      captureSeconds: 35.2,
      seconds: 0.012,
      packetsPerSecond: 1_029_167,
      eventsLost: 0,
    });
  });

  test("an error stands in it", () => {
    expect(reportObject({ ...REPORT, error: "byte 5" })).toHaveProperty("error", "byte 5");
  });

  test("the sums agree with each other", () => {
    const report = { ...REPORT, notSent: { packets: 7, bytes: 70 } };
    const verdicts = (["pass", "drop", "local"] as const).map((verdict) => tallyOf(report, verdict).packets);
    expect(totalOf(report).packets).toBe(verdicts.reduce((a, b) => a + b) + 7);
    expect(packetsPerSecond({ ...report, seconds: 0 })).toBe(0);
  });
});
