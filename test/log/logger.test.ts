import { describe, expect, test } from "vitest";
import { LogBuffer, Logger, logPlan, logRecord, type LogRecord } from "../../src/log/index.js";
import { LOG_BUFFER_BYTES_MAX } from "../../src/log/plan.js";
import { RATE_SUMMARY_MS } from "../../src/log/rate-limit.js";
import { configOf, record } from "./records.js";

const at = (text: string, uptimeMs: number, origin: "traffic" | "firewall" = "traffic"): LogRecord =>
  logRecord(text, { wallMs: uptimeMs, uptimeMs }, { origin });

function loggerOf(perSecond: number, level = 7): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const logger = new Logger();
  logger.configure([{ level, write: ({ text }) => lines.push(text) }], perSecond);
  return { logger, lines };
}

describe("the rate limit", () => {
  test("suppresses, and says what most of it was", () => {
    const { logger, lines } = loggerOf(10);
    for (let i = 0; i < 100; i++) logger.log(at(`%FW-6-DROP_PKT: ${i}`, 0));
    for (let i = 0; i < 5; i++) logger.log(at(`%SEC-6-IPACCESSLOGP: ${i}`, 0));
    expect(lines).toHaveLength(10);
    expect(logger.deadlineMs).toBe(RATE_SUMMARY_MS);
    logger.tick({ wallMs: 0, uptimeMs: RATE_SUMMARY_MS - 1 });
    expect(lines).toHaveLength(10);
    logger.tick({ wallMs: 0, uptimeMs: RATE_SUMMARY_MS });
    expect(lines.at(-1)).toBe(
      "%SYS-4-LOGRATELIMIT: 95 lines suppressed in 10 s, the limit is 10 lines/s; most: FW-DROP_PKT 90, SEC-IPACCESSLOGP 5",
    );
    logger.log(at("%FW-6-DROP_PKT: again", RATE_SUMMARY_MS));
    expect(lines.at(-1)).toBe("%FW-6-DROP_PKT: again");
    expect(logger.view()).toEqual({ records: [0, 0, 0, 0, 0, 0, 106, 0], suppressed: 95 });
  });

  test("a flood of packets silences neither the firewall nor what is critical", () => {
    const { logger, lines } = loggerOf(1);
    for (let i = 0; i < 1000; i++) logger.log(at("%FW-6-DROP_PKT: x", 0));
    logger.log(at("%HSRP-5-STATECHANGE: x", 0, "firewall"));
    logger.log(at("%FW-2-X: x", 0));
    expect(lines).toEqual(["%FW-6-DROP_PKT: x", "%HSRP-5-STATECHANGE: x", "%FW-2-X: x"]);
  });

  test("refills with time, and not for a clock that goes back", () => {
    const { logger, lines } = loggerOf(10);
    for (let i = 0; i < 10; i++) logger.log(at("%FW-6-A: x", 1000));
    logger.log(at("%FW-6-B: back", 0));
    logger.log(at("%FW-6-B: same", 0));
    for (let i = 0; i < 5; i++) logger.log(at("%FW-6-C: x", 100));
    expect(lines.filter((line) => !line.startsWith("%FW-6-A"))).toEqual(["%FW-6-C: x"]);
  });

  test("a destination takes its level and what is worse", () => {
    const { logger, lines } = loggerOf(100, 4);
    for (let severity = 0; severity < 8; severity++) logger.log(at(`%A-${severity}-B: `, 0));
    expect(lines).toHaveLength(5);
    const none = loggerOf(100, -1);
    none.logger.log(at("%A-0-B: ", 0));
    expect(none.lines).toEqual([]);
  });
});

test("the buffer keeps the newest that fit", () => {
  const buffer = new LogBuffer(1000);
  for (let i = 0; i < 10_000; i++) buffer.add(record(`%A-1-B: ${i}`));
  const kept = buffer.records().map(({ text }) => Number(text.split(" ")[1]));
  expect(kept).toEqual(kept.map((_, i) => 10_000 - kept.length + i));
  expect(kept.length).toBeGreaterThan(8);
  buffer.resize(200);
  expect(buffer.records().map(({ text }) => text)).toEqual(["%A-1-B: 9998", "%A-1-B: 9999"]);
  buffer.clear();
  expect(buffer.records()).toEqual([]);
});

describe("where lines go", () => {
  const SETTINGS = { consoleFormat: "ios" } as const;
  const planOf = (text: string) => logPlan(configOf(text), SETTINGS);

  test("without a word", () => {
    expect(planOf("hostname fw1\n")).toMatchObject({
      console: { level: 7 },
      monitor: { level: 7 },
      buffered: { level: 7 },
      hosts: { level: 6, list: [] },
      facility: 23,
      hostname: "fw1",
      address: undefined,
    });
  });

  test("as configured", () => {
    const plan = planOf(`
logging buffered 8192 warnings
logging console errors
no logging monitor
logging trap notifications
logging facility local4
logging rate-limit 50
logging host 10.0.0.5
logging host 10.0.0.6 transport tcp
logging host 10.0.0.7 transport tls
logging host 2001:db8::5 transport tls port 7000
`);
    expect(plan).toMatchObject({
      console: { level: 3 },
      monitor: { level: -1 },
      buffered: { bytes: 8192 },
      hosts: { level: 5 },
      facility: 20,
      ratePerSecond: 50,
    });
    expect(plan.hosts.list.map(({ address, port, transport }) => `${transport} ${address} ${port}`)).toEqual([
      "udp 10.0.0.5 514",
      "tcp 10.0.0.6 601",
      "tls 10.0.0.7 6514",
      "tls 2001:db8::5 7000",
    ]);
  });

  test("no logging on leaves the console", () => {
    const plan = logPlan(configOf("no logging on\nlogging host 10.0.0.5\n"), {
      ...SETTINGS,
      file: { path: "x", format: "ios" },
    });
    expect([plan.console.level, plan.buffered.level, plan.monitor.level, plan.hosts.level]).toEqual([
      7, -1, -1, -1,
    ]);
    expect(plan.file).toBeUndefined();
  });

  test("a buffer never takes more than its bound", () => {
    expect(planOf("logging buffered 2147483647\n").buffered.bytes).toBe(LOG_BUFFER_BYTES_MAX);
  });

  test.each([
    ["", "fw1"],
    ["logging origin-id hostname", "fw1"],
    ["logging origin-id string edge", "edge"],
    ["logging origin-id ip", "10.0.0.1"],
    ["logging origin-id ip\nlogging source-interface GigabitEthernet0/1", "10.0.1.1"],
    ["logging origin-id ipv6", "2001:db8::1"],
    ["logging origin-id ipv6\nlogging source-interface GigabitEthernet0/0", "fw1"],
  ])("%s: %s", (line, hostname) => {
    const interfaces = `
hostname fw1
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 10.0.1.2 255.255.255.0 secondary
 ip address 10.0.1.1 255.255.255.0
 ipv6 address fe80::1 link-local
 ipv6 address 2001:db8::1/64
`;
    expect(planOf(`${interfaces}${line}\n`).hostname).toBe(hostname);
  });

  test("the source interface names an address", () => {
    const lines =
      "interface Loopback0\n ip address 10.9.9.9 255.255.255.255\nlogging source-interface Loopback0\n";
    expect(planOf(lines).address).toBe("10.9.9.9");
  });
});
