import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { INSPECT_PROTOCOLS } from "../../src/config/names.js";
import type { InspectionEntry } from "../../src/policy/inspection.js";
import { portsOf, SERVICES } from "../../src/policy/services.js";
import { timeoutMs } from "../../src/policy/timers.js";
import { compile, configOf, messages, policyOf } from "./support.js";

const BOUND = "interface GigabitEthernet0/0\n ip address 10.0.0.1 255.255.255.0\n ip inspect FW in\n";

/** The entries of the rule FW: `SERVICE PROTOCOL LOW-HIGH SECONDS`, with `audit` where there is a trail. */
function entries(text: string): string[] {
  return policyOf(`${text}\n${BOUND}`).inspection.flatMap((rule) =>
    rule?.name === "FW" ? rule.entries.map(line) : [],
  );
}

function line({ service, protocol, portLow, portHigh, idleMs, audit }: InspectionEntry): string {
  const ports = portLow === portHigh ? `${portLow}` : `${portLow}-${portHigh}`;
  return `${service} ${protocol} ${ports} ${idleMs / 1000}${audit ? " audit" : ""}`;
}

describe("services", () => {
  test("every keyword of `ip inspect name` that is an application has ports", () => {
    const keywords = [...INSPECT_PROTOCOLS, "http", "rpc", "smtp", "esmtp", "imap", "pop3"];
    for (const keyword of keywords) expect(portsOf(keyword, []).length, keyword).toBeGreaterThan(0);
    for (const keyword of ["tcp", "udp", "icmp", "ip"]) expect(portsOf(keyword, [])).toEqual([]);
  });

  test("names are unique, ports are ports", () => {
    expect(new Set(SERVICES.map(({ name }) => name)).size).toBe(SERVICES.length);
    for (const { name, ports } of SERVICES) {
      for (const { low, high } of ports) {
        expect(low, name).toBeGreaterThan(0);
        expect(high, name).toBeGreaterThanOrEqual(low);
        expect(high, name).toBeLessThan(65536);
      }
    }
  });

  test("`ip port-map` adds ports; a line for some hosts only is left out", () => {
    const { portMap } = configOf(`
ip port-map http port tcp 8080
ip port-map http port tcp from 8000 to 8010
ip port-map user-voice port udp 5000
ip port-map ftp port tcp 2121 list 10
`);
    expect(portsOf("http", portMap)).toEqual([
      { transport: "tcp", low: 80, high: 80 },
      { transport: "tcp", low: 8080, high: 8080 },
      { transport: "tcp", low: 8000, high: 8010 },
    ]);
    expect(portsOf("user-voice", portMap)).toEqual([{ transport: "udp", low: 5000, high: 5000 }]);
    expect(portsOf("ftp", portMap)).toEqual([{ transport: "tcp", low: 21, high: 21 }]);
  });
});

describe("entries", () => {
  test("applications in their order, then tcp, udp, icmp and ip, whatever the order of the lines", () => {
    const text = ["ip", "icmp", "udp", "tcp", "tftp", "ftp"]
      .map((word) => `ip inspect name FW ${word}`)
      .join("\n");
    expect(entries(text)).toEqual([
      "tftp 17 69 30",
      "ftp 6 21 3600",
      "tcp 6 0-65535 3600",
      "udp 17 53 5",
      "udp 17 0-65535 30",
      "icmp 1 0-65535 10",
      `ip ${L.ENTRY_OTHER} 0-65535 30`,
    ]);
  });

  test("timeouts: of the line, of dns, of the protocol", () => {
    const globals = "ip inspect tcp idle-time 7200\nip inspect udp idle-time 60\nip inspect dns-timeout 7\n";
    expect(
      entries(`${globals}ip inspect name FW tcp\nip inspect name FW udp\nip inspect name FW dns`),
    ).toEqual(["dns 6 53 7200", "dns 17 53 7", "tcp 6 0-65535 7200", "udp 17 0-65535 60"]);
    expect(
      entries(`${globals}ip inspect name FW udp timeout 90\nip inspect name FW http timeout 120`),
    ).toEqual(["http 6 80 120", "udp 17 53 7", "udp 17 0-65535 90"]);
    expect(entries(`${globals}ip inspect name FW dns timeout 9`)).toEqual(["dns 6 53 9", "dns 17 53 9"]);
  });

  test("what IOS allows and the core cannot count is its longest timeout", () => {
    expect(timeoutMs(30)).toBe(30_000);
    expect(timeoutMs(2_147_483)).toBe(2_147_483_000);
    expect(timeoutMs(2_147_484)).toBe(L.TIMEOUT_MAX_MS);
    expect(timeoutMs(0)).toBe(1);
    expect(entries("ip inspect name FW icmp timeout 2147483")).toEqual(["icmp 1 0-65535 2147483"]);
  });

  test("audit trail: globally, and switched per line", () => {
    expect(entries("ip inspect name FW tcp audit-trail on\nip inspect name FW icmp")).toEqual([
      "tcp 6 0-65535 3600 audit",
      "icmp 1 0-65535 10",
    ]);
    expect(
      entries("ip inspect audit-trail\nip inspect name FW tcp audit-trail off\nip inspect name FW icmp"),
    ).toEqual(["tcp 6 0-65535 3600", "icmp 1 0-65535 10 audit"]);
  });

  test("`fragment` names no traffic", () => {
    expect(entries("ip inspect name FW fragment maximum 100 timeout 4\nip inspect name FW tcp")).toEqual([
      "tcp 6 0-65535 3600",
    ]);
  });

  test("a protocol of the user's own, and one without ports", () => {
    const text = `
ip port-map user-voice port udp 5000
ip inspect name FW user-voice
ip inspect name FW user-none
`;
    expect(entries(text)).toEqual(["user-voice 17 5000 30"]);
    const { problems } = compile(`${text}${BOUND}`);
    expect(messages(problems, "warning")).toEqual(["no port is mapped to user-none: nothing is inspected"]);
  });

  test("a port map for some hosts only is reported", () => {
    const { problems } = compile("access-list 10 permit 10.0.0.9\nip port-map ftp port tcp 2121 list 10\n");
    expect(messages(problems, "warning")).toEqual([expect.stringContaining("port maps for some hosts only")]);
  });

  test("IPv6 rules are apart, and their icmp is ICMPv6", () => {
    const policy = policyOf(`
ip inspect name FW tcp
ipv6 inspect name FW icmp
interface GigabitEthernet0/0
 ipv6 address 2001:db8::1/64
 ip address 10.0.0.1 255.255.255.0
 ip inspect FW in
 ipv6 inspect FW out
`);
    const compiled = policy.inspection.filter((rule) => rule !== undefined);
    expect(compiled.map(({ family, name, entries: own }) => [family, name, own.map(line)])).toEqual([
      [4, "FW", ["tcp 6 0-65535 3600"]],
      [6, "FW", ["icmp 58 0-65535 10"]],
    ]);
  });

  test("a rule that is bound but not defined is an error at its place", () => {
    const { policy, problems } = compile(BOUND);
    expect(policy).toBeUndefined();
    expect(problems).toEqual([
      expect.objectContaining({ severity: "error", line: 3, message: "inspection rule FW is not defined" }),
    ]);
  });
});

describe("timeouts", () => {
  test("the table: fixed timers at their places, idle ones by their index", () => {
    const policy = policyOf(`
ip inspect tcp synwait-time 20
ip inspect tcp finwait-time 7
ip inspect name FW tcp
ip inspect name FW udp timeout 45
${BOUND}`);
    const { timeouts } = policy;
    expect(timeouts).toHaveLength(L.TIMERS_MAX);
    expect(timeouts[L.TIMER_SYNWAIT]).toBe(20000);
    expect(timeouts[L.TIMER_FINWAIT]).toBe(7000);
    expect(timeouts[L.TIMER_RST_DOUBT]).toBe(300000);
    for (const entry of policy.inspection.flatMap((rule) => rule?.entries ?? [])) {
      expect(timeouts[entry.timer]).toBe(entry.idleMs);
      expect(entry.timer).toBeGreaterThanOrEqual(L.TIMER_FIRST_IDLE);
    }
  });

  test("equal timeouts share an index; too many different ones are an error", () => {
    const rules = (count: number): string =>
      Array.from({ length: count }, (_, i) => `ip inspect name R${i} tcp timeout ${100 + i}`).join("\n");
    const most = L.TIMERS_MAX - L.TIMER_FIRST_IDLE;
    expect(policyOf(rules(most)).numbering.idleTimers).toHaveLength(most);
    expect(policyOf("ip inspect name A tcp\nip inspect name B tcp\n").numbering.idleTimers).toEqual([
      3600000,
    ]);
    const { policy, problems } = compile(rules(most + 1));
    expect(policy).toBeUndefined();
    expect(messages(problems, "error")).toEqual([expect.stringContaining("more different timeouts")]);
  });
});
