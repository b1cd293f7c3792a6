/** Texts made to hurt: large, deep, repetitive. Each is read in time that grows with its length. */
import { describe, expect, test } from "vitest";
import { ERRORS_MAX, parse, show } from "../../src/config/index.js";

const LINES = 100_000;
/** Far above what it takes, far below what a quadratic algorithm would. */
const SECONDS = 30;

const text = (lines: number, line: (n: number) => string) =>
  Array.from({ length: lines }, (_, n) => line(n)).join("\n");
const host = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;

const FEW = LINES / 5;

describe("many lines", () => {
  test.each<[number, string, (n: number) => string]>([
    [LINES, "of nothing", () => ""],
    [LINES, "of separators", () => "!"],
    [LINES, "of exits", () => "exit"],
    [LINES, "of unknown commands", (n) => `foo ${n}`],
    [LINES, "of entries", (n) => `access-list 101 permit ip host ${host(n)} any`],
    [LINES, "of one entry", () => "access-list 101 permit ip any any"],
    [LINES, "of group members", (n) => (n === 0 ? "object-group network G" : ` host ${host(n)}`)],
    [FEW, "of unknown commands, ever deeper", (n) => `${" ".repeat(n % 1000)}foo ${n}`],
    [FEW, "of interfaces", (n) => `interface Gi0/0.${n}`],
    [FEW, "of notes", (n) => (n === 0 ? "interface Gi0/0" : ` bandwidth ${n}`)],
    [
      FEW,
      "of notes and their removal",
      (n) => (n < FEW / 2 ? `snmp-server ${n}` : `default snmp-server ${n - FEW / 2}`),
    ],
    [FEW, "of routes", (n) => `ip route ${host(n)} 255.255.255.255 Null0`],
    [FEW, "of inspected protocols", (n) => `ip inspect name R user-${n}`],
    [
      FEW,
      "of secondary addresses",
      (n) => (n === 0 ? "interface Gi0/0" : ` ip address ${host(n)} 255.0.0.0 secondary`),
    ],
    [
      FEW,
      "of virtual addresses",
      (n) => (n === 0 ? "interface Gi0/0" : ` standby 1 ip ${host(n)} secondary`),
    ],
    [FEW, "of log hosts", (n) => `logging host ${host(n)}`],
    [FEW, "of terminal lines", (n) => `line ${n % 9999} ${(n * 7) % 9999}`],
    [FEW, "of keys", (n) => (n === 0 ? "key chain K" : ` key ${n}`)],
  ])("%i %s", (lines, _title, line) => {
    const started = performance.now();
    const { config, diagnostics } = parse(text(lines, line), { lenient: true });
    const shown = show(config);
    expect((performance.now() - started) / 1000).toBeLessThan(SECONDS);
    expect(diagnostics.filter((d) => d.severity === "error").length).toBeLessThanOrEqual(ERRORS_MAX + 1);
    expect(shown.endsWith("end\n")).toBe(true);
  });
});

test("one line of ten million characters", () => {
  const { diagnostics } = parse("permit ".repeat(1_500_000));
  expect(diagnostics.map((d) => [d.message, d.column])).toEqual([
    ["the line is longer than 254 characters", 255],
  ]);
  expect(diagnostics[0]!.text.length).toBeLessThanOrEqual(1000);
});

test("a line of as many words as fit", () => {
  for (const word of ["1", "any", "ip", "no", "<", "permit", "10.0.0.1", "::", "match-any", "+ack"]) {
    const line = `${word} `.repeat(Math.floor(254 / (word.length + 1)));
    for (const before of ["", "access-list 101 permit tcp any any ", "ip inspect name R "]) {
      expect(parse((before + line).slice(0, 254)).diagnostics.length).toBeLessThanOrEqual(1);
    }
  }
});

test("names that objects have of themselves are names like others", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"]) {
    const lines = [
      `hostname ${name.replace(/_/g, "x")}`,
      `ip access-list extended ${name}\n permit ip any any`,
      `object-group network ${name}\n host 10.0.0.1`,
      `ip inspect name ${name} tcp`,
      `time-range ${name}\n periodic daily 8:00 to 9:00`,
      `key chain ${name}\n key 1\n  key-string ${name}`,
      `interface Gi0/0\n standby 1 name ${name}\n ip access-group ${name} in`,
    ];
    const { config, diagnostics } = parse(lines.join("\n"));
    expect(diagnostics).toEqual([]);
    expect([
      ...config.accessLists.keys(),
      ...config.objectGroups.keys(),
      ...config.inspectRules.keys(),
    ]).toEqual([name, name, name]);
    expect(show(parse(show(config)).config)).toBe(show(config));
  }
  for (const word of ["__proto__", "constructor", "toString"]) {
    expect(parse(`${word} 1`).diagnostics).toHaveLength(1);
    expect(parse(`access-list 101 permit ${word} any any`).diagnostics).toHaveLength(1);
    expect(parse(`access-list 101 permit tcp any any eq ${word}`).diagnostics).toHaveLength(1);
    expect(parse(`access-list 101 permit tcp any any match-all +${word}`).diagnostics).toHaveLength(1);
  }
});

test("a list of 10,000 entries is read in less than a second", () => {
  const list = `ip access-list extended BIG\n${text(
    10_000,
    (n) => ` permit tcp ${host(n)} 0.0.0.255 gt 1023 host 192.0.2.${n & 255} eq www 443 established log`,
  )}`;
  // The best of some runs: other work on the machine must not decide.
  const seconds = Array.from({ length: 5 }, () => {
    const started = performance.now();
    const { config } = parse(list);
    expect(config.accessLists.get("BIG")!.entries.length).toBeGreaterThan(5000);
    return (performance.now() - started) / 1000;
  });
  expect(Math.min(...seconds)).toBeLessThan(1);
});
