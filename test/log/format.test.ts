import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  iosLine,
  jsonLine,
  lineFramed,
  logRecord,
  octetCounted,
  syslogMessage,
  timestamps,
} from "../../src/log/index.js";
import { LOG_FIELD_MAX, LOG_TEXT_MAX } from "../../src/log/record.js";
import { HOSTILE_RECORD, record, TIME } from "./records.js";

const SENDER = { facility: 23, hostname: "fw1", version: "0.1.0", processId: 42 } as const;
const text = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
const syslog = (r = record(), max = 8192): string => text(syslogMessage(r, SENDER, 7, max));

describe("a record", () => {
  test.each([
    ["%HSRP-5-STATECHANGE: x", 5, "HSRP", "STATECHANGE"],
    ["%RF_INTERDEV-4-RELOAD: x", 4, "RF_INTERDEV", "RELOAD"],
    ["%SYS-SP-0-X1: x", 0, "SYS-SP", "X1"],
    ["no header", 6, "SYS", "MESSAGE"],
    ["%HSRP-9-STATECHANGE: x", 6, "SYS", "MESSAGE"],
  ])("%s", (line, severity, facility, mnemonic) => {
    expect(logRecord(line, TIME)).toMatchObject({ severity, facility, mnemonic });
  });

  test("a text without a header gets one", () => {
    expect(logRecord("no header", TIME).text).toBe("%SYS-6-MESSAGE: no header");
  });

  test("texts and fields are cut with a mark", () => {
    const long = logRecord(`%A-1-B: ${"x".repeat(5000)}`, TIME, { fields: { cause: "y".repeat(5000) } });
    expect(long.text).toHaveLength(LOG_TEXT_MAX);
    expect(long.text.endsWith("x…")).toBe(true);
    expect(long.fields.cause).toHaveLength(LOG_FIELD_MAX);
  });
});

describe("lines", () => {
  test("IOS", () => {
    expect(iosLine(record("%A-1-B: c"), timestamps())).toBe("Mar  1 08:05:09.007: %A-1-B: c");
    const uptime = timestamps({ kind: "uptime", msec: false, localtime: false, year: false });
    expect(iosLine(record("%A-1-B: c"), uptime)).toBe("00:01:05: %A-1-B: c");
  });

  test("JSON", () => {
    const full = logRecord("%FW-6-DROP_PKT: c", TIME, {
      fields: { packets: 3, session: "1A", rule: "L 10", ruleText: "deny ip any any log" },
    });
    expect(jsonLine(full)).toBe(
      '{"time":"2024-03-01T08:05:09.007Z","uptimeSeconds":65.43,"severity":6,"facility":"FW","mnemonic":"DROP_PKT",' +
        '"text":"%FW-6-DROP_PKT: c","session":"1A","rule":"L 10","ruleText":"deny ip any any log","packets":3}',
    );
    expect(JSON.parse(jsonLine(logRecord("%A-1-B: c", { wallMs: Number.NaN, uptimeMs: 0 }))).time).toBe(null);
  });

  test("RFC 5424", () => {
    const full = logRecord("%FW-6-DROP_PKT: c", TIME, { fields: { session: "1A", cause: 'a"b\\c]d' } });
    expect(syslog(full)).toBe(
      "<190>1 2024-03-01T08:05:09.007Z fw1 twinwall 42 FW-DROP_PKT " +
        '[meta sequenceId="7" sysUpTime="6543"][origin software="twinwall" swVersion="0.1.0"]' +
        '[twinwall@32473 session="1A" cause="a\\"b\\\\c\\]d"] %FW-6-DROP_PKT: c',
    );
  });

  test("RFC 5424 has a mark in front of what is not ASCII, and no time that is none", () => {
    expect(syslog(record("%A-1-B: é"))).toMatch(/\] \ufeff%A-1-B: é$/);
    expect(syslog(logRecord("%A-1-B: c", { wallMs: 9e15, uptimeMs: 0 }))).toMatch(/^<185>1 - fw1 /);
    const odd = syslogMessage(record(), { ...SENDER, hostname: "a b\n" }, 1, 999);
    expect(text(odd).split(" ")[2]).toBe("a_b_");
  });

  test("framing", () => {
    const message = new TextEncoder().encode("<1>1 é");
    expect(text(octetCounted(message))).toBe("7 <1>1 é");
    expect(text(lineFramed(message))).toBe("<1>1 é\n");
  });
});

describe("hostile names", () => {
  const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
  /** SD-ELEMENTs of RFC 5424 section 6: names, and values whose three characters are escaped. */
  const MESSAGE =
    /^<\d{1,3}>1 \S+ \S+ twinwall \d+ [\x21-\x7e]{1,32} (-|(\[[\x21-\x7e]+( [A-Za-z]{1,32}="([^"\\\]]|\\["\\\]])*")*\])+) (\ufeff)?%[A-Z0-9_]+-[0-7]-[A-Z0-9_]+: /;

  test("never break a line, a quotation or an encoding", () => {
    fc.assert(
      fc.property(HOSTILE_RECORD, fc.constantFrom(1024, 2048, 8192), (r, max) => {
        for (const line of [iosLine(r, timestamps()), jsonLine(r), syslog(r, max)])
          expect(line).not.toMatch(CONTROL);
        expect(JSON.parse(jsonLine(r)).text).toBe(r.text);
        const message = syslogMessage(r, SENDER, 1, max);
        expect(message.length).toBeLessThanOrEqual(max);
        expect(text(message)).toMatch(MESSAGE);
      }),
      { numRuns: 2000 },
    );
  });
});
