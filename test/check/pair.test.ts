/**
 * P01 to P11, case by case, and whole pairs: a sound one, one with mistakes, the real examples.
 */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkPair, type Finding, PAIR_RULES } from "../../src/check/index.js";
import { parse } from "../../src/config/parse.js";
import { PAIR_EQUALITY_CASES } from "./cases/pair-equality.js";
import { PAIR_MIRROR_CASES } from "./cases/pair-mirror.js";
import { configOf, edited, MISTAKEN_A, MISTAKEN_B, SOUND_A, SOUND_B } from "./configurations.js";

const CASES = [...PAIR_MIRROR_CASES, ...PAIR_EQUALITY_CASES];

describe.each(PAIR_RULES.map(({ id, demands }) => ({ id, demands })))("$id: $demands", ({ id }) => {
  const cases = CASES.filter(({ rule }) => rule === id);

  test("has cases that it finds and cases that it passes", () => {
    expect(cases.some(({ message }) => message !== undefined)).toBe(true);
    expect(cases.some(({ message }) => message === undefined)).toBe(true);
  });

  test.each(cases)("$name", (each) => {
    const base = each.base ?? [SOUND_A, SOUND_B];
    const texts = {
      "a.cfg": edited(base[0], [...(each.both ?? []), ...(each.a ?? [])]),
      "b.cfg": edited(base[1], [...(each.both ?? []), ...(each.b ?? [])]),
    };
    const [a, b] = [configOf(texts["a.cfg"], "a.cfg"), configOf(texts["b.cfg"], "b.cfg")];
    each.change?.(a, b);
    const findings = checkPair(a, b).filter((finding) => finding.id === id);
    if (each.message === undefined) {
      expect(findings).toEqual([]);
      return;
    }
    const found = findings.find(({ message }) => each.message!.test(message));
    expect(found, JSON.stringify(findings, undefined, 2)).toBeDefined();
    expect(found!.severity).toBe(each.severity);
    expect(found!.mend).not.toBe("");
    if (each.at === undefined) return;
    const [file, text] = each.at;
    expect(found!.file).toBe(file);
    expect(texts[file].split("\n")[found!.line - 1]).toContain(text);
  });
});

test("the rules are P01 to P11, each once", () => {
  expect(PAIR_RULES.map(({ id }) => id)).toEqual(
    Array.from({ length: 11 }, (_, i) => `P${String(i + 1).padStart(2, "0")}`),
  );
});

test("no finding shows a key", () => {
  const b = edited(SOUND_B, [["key-string inside", "key-string S3cretS3cret"]]);
  expect(JSON.stringify(checkPair(configOf(SOUND_A), configOf(b)))).not.toContain("S3cret");
});

test("the sound pair has no findings, whichever box is named first", () => {
  const [a, b] = [configOf(SOUND_A, "a.cfg"), configOf(SOUND_B, "b.cfg")];
  expect(checkPair(a, b)).toEqual([]);
  expect(checkPair(b, a)).toEqual([]);
});

/** What a pair copied from one box to the other shows at least. */
const COPIED = ["P01", "P02", "P07", "P08", "V13", "V14", "V16", "V21", "V23", "V27"];
const SHOWN_BY_NONE = ["V10"];

function idsOf(findings: Finding[]): Set<string> {
  return new Set(findings.map(({ id }) => id));
}

test("a copied pair with mistakes", () => {
  const findings = checkPair(configOf(MISTAKEN_A, "a.cfg"), configOf(MISTAKEN_B, "b.cfg"));
  expect([...idsOf(findings)].sort()).toEqual([...COPIED, "P10"].sort());
  const messages = findings.map(({ message }) => message).join("\n");
  expect(messages).toContain("needs 68.9 s to notice a dead peer, more than 3 hold times (15 s)");
  expect(messages).toContain("has one local-ip and one remote-ip");
});

const SEED = new URL("../../../shared/seeds/004_b2c0fc940b1907e3.txt", import.meta.url);

/** The configurations that a page shows between a prompt and the next. */
function shownConfigurations(page: string): string[] {
  return page
    .split(/^(?=\w+#sh run$)/m)
    .slice(1)
    .map((part) => part.replace(/^```\n/gm, "").split(/^\w+#$/m)[0]!);
}

test.skipIf(!existsSync(SEED))("the pair of the failover guide", () => {
  const texts = shownConfigurations(readFileSync(SEED, "utf8"));
  expect(texts).toHaveLength(2);
  const [a, b] = [configOf(texts[0]!, "a.cfg"), configOf(texts[1]!, "b.cfg")];
  expect([a.hostname, b.hostname]).toEqual(["RouterA", "RouterB"]);
  const ids = idsOf(checkPair(a, b));
  for (const id of COPIED) expect(ids).toContain(id);
  for (const id of SHOWN_BY_NONE) expect(ids).not.toContain(id);
  expect([...ids].filter((id) => !COPIED.includes(id))).toEqual(["P10"]);
});

const EXAMPLES = ["router-a.cfg", "router-b.cfg"].map(
  (name) => new URL(`../../examples/${name}`, import.meta.url),
);

test.skipIf(!EXAMPLES.every((url) => existsSync(url)))("the example pair has no error", () => {
  const [a, b] = EXAMPLES.map((url) => configOf(readFileSync(url, "utf8"), url.pathname.split("/").at(-1)));
  expect(checkPair(a!, b!).filter(({ severity }) => severity === "error")).toEqual([]);
});

test("a text cut after any line, or without any one line, is checked without a fault", () => {
  const whole = [MISTAKEN_A, MISTAKEN_B].map((text) => text.split("\n")) as [string[], string[]];
  const partial = (side: 0 | 1, keep: (index: number) => boolean) =>
    parse(whole[side].filter((_, index) => keep(index)).join("\n"), { file: `${side}.cfg`, lenient: true })
      .config;
  const other = partial(1, () => true);
  for (let i = 0; i < whole[0].length; i++) {
    for (const cut of [partial(0, (index) => index < i), partial(0, (index) => index !== i)]) {
      for (const findings of [checkPair(cut, other), checkPair(other, cut)]) {
        for (const { id, file, line, column, message, mend } of findings) {
          expect(id).toMatch(/^[VP]\d\d$/);
          expect(["0.cfg", "1.cfg"]).toContain(file);
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(whole[file === "0.cfg" ? 0 : 1].length);
          expect(column).toBeGreaterThan(0);
          expect(`${message} ${mend}`).not.toMatch(/undefined|NaN|\[object/);
        }
      }
    }
  }
});
