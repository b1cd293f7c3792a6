/**
 * V01 to V35, case by case: what is changed in a sound configuration, and what the rule then says, or does not say.
 */
import { describe, expect, test } from "vitest";
import { checkConfig, checkPair, type Finding, RULES, zoneRefusals } from "../../src/check/index.js";
import { parse } from "../../src/config/parse.js";
import { associationDeathMs } from "../../src/check/sync.js";
import { type Case, hello } from "./cases/case.js";
import { BFD_CASES } from "./cases/bfd.js";
import { HELLOS_CASES } from "./cases/hellos.js";
import { LISTS_CASES } from "./cases/lists.js";
import { OTHERS_CASES } from "./cases/others.js";
import { STANDBY_BEHAVIOUR_CASES } from "./cases/standby-behaviour.js";
import { STANDBY_NAMES_CASES } from "./cases/standby-names.js";
import { SYNC_CASES } from "./cases/sync.js";
import { configOf, edited, PLAIN, SOUND_A, SOUND_B } from "./configurations.js";

const CASES: Case[] = [
  ...STANDBY_NAMES_CASES,
  ...STANDBY_BEHAVIOUR_CASES,
  ...SYNC_CASES,
  ...HELLOS_CASES,
  ...LISTS_CASES,
  ...OTHERS_CASES,
  ...BFD_CASES,
];

/** The findings of the case's rule in the changed configuration, and its text. */
function findingsOf(each: Case): { findings: Finding[]; text: string } {
  const text = edited(each.base ?? SOUND_A, each.edits ?? []);
  const config = configOf(text);
  each.change?.(config);
  const options = { tableCapacity: each.capacity };
  const all =
    each.peer === undefined
      ? checkConfig(config, options)
      : checkPair(config, configOf(each.peer, "peer.cfg"), options);
  return { findings: all.filter(({ id, file }) => id === each.rule && file === config.file), text };
}

describe.each(RULES.map(({ id, demands }) => ({ id, demands })))("$id: $demands", ({ id }) => {
  const cases = CASES.filter(({ rule }) => rule === id);

  test("has cases that it finds and cases that it passes", () => {
    expect(cases.some(({ message }) => message !== undefined)).toBe(true);
    expect(cases.some(({ message }) => message === undefined)).toBe(true);
  });

  test.each(cases)("$name", (each) => {
    const { findings, text } = findingsOf(each);
    if (each.message === undefined) {
      expect(findings).toEqual([]);
      return;
    }
    const found = findings.find(({ message }) => each.message!.test(message));
    expect(found, JSON.stringify(findings, undefined, 2)).toBeDefined();
    expect(found!.severity).toBe(each.severity);
    expect(found!.mend).not.toBe("");
    if (each.at !== undefined) expect(text.split("\n")[found!.line - 1]).toContain(each.at);
  });
});

test("the rules are V01 to V35, each once", () => {
  expect(RULES.map(({ id }) => id)).toEqual(
    Array.from({ length: 35 }, (_, i) => `V${String(i + 1).padStart(2, "0")}`),
  );
});

test.each([
  ["the sound pair's first box", SOUND_A],
  ["the sound pair's second box", SOUND_B],
  ["a firewall alone", PLAIN],
])("%s has no findings", (_name, text) => {
  expect(checkConfig(configOf(text))).toEqual([]);
});

test("strictness makes an error of V16 and of nothing else", () => {
  const text = edited(SOUND_A, [hello(""), [" standby 1 preempt\n", ""]]);
  const severities = (strict: boolean) =>
    Object.fromEntries(checkConfig(configOf(text), { strict }).map(({ id, severity }) => [id, severity]));
  expect(severities(false)).toEqual({ V16: "warning", V07: "warning" });
  expect(severities(true)).toEqual({ V16: "error", V07: "warning" });
});

test.each([
  [300, 600, 4, 2_700],
  [300, 10_000, 10, 68_900],
  [1_000, 60_000, 10, 363_000],
  [300, 300, 2, 900],
])(
  "association with timeouts %i to %i ms and %i retransmissions dies after %i ms",
  (minMs, maxMs, value, ms) => {
    const at = { line: 1, column: 1 };
    expect(
      associationDeathMs({ retransmitTimeout: { at, minMs, maxMs }, assocRetransmit: { at, value } }),
    ).toBe(ms);
  },
);

test("association with the defaults dies after 2.7 s", () => {
  expect(associationDeathMs({})).toBe(2_700);
});

test("V22 of what the parser refuses", () => {
  const text =
    "zone security inside\ninterface GigabitEthernet0/0\n zone-member security inside\n ip nat inside\n";
  const { diagnostics } = parse(text, { file: "zone.cfg", lenient: true });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toHaveLength(3);
  expect(zoneRefusals(diagnostics)).toMatchObject(
    [
      { id: "V22", severity: "error", file: "zone.cfg", line: 1, message: /"zone security inside"/ },
      { id: "V22", severity: "error", file: "zone.cfg", line: 3, message: /"zone-member security inside"/ },
    ].map((each) => ({ ...each, message: expect.stringMatching(each.message) })),
  );
});
