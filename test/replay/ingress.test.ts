import { describe, expect, test } from "vitest";
import type { CaptureInterface } from "../../src/capture/index.js";
import { formatDiagnostic } from "../../src/config/diagnostics.js";
import {
  BY_SOURCE,
  byCapture,
  byList,
  bySource,
  IngressParser,
  NOT_SENT,
  pairInUse,
} from "../../src/replay/ingress.js";

const INTERFACES = ["GigabitEthernet0/0", "GigabitEthernet0/1", "FastEthernet0/1"];

function capturedOn(...names: (string | undefined)[]): CaptureInterface[] {
  return names.map((name, index) => ({
    index,
    section: 0,
    number: index,
    ...(name === undefined ? {} : { name }),
    linkType: 1,
    link: undefined,
    snapLength: 0,
  }));
}

function parsed(text: string, chunk = text.length): IngressParser {
  const parser = new IngressParser("in.txt", INTERFACES);
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += chunk) parser.push(bytes.subarray(at, at + chunk));
  parser.end();
  return parser;
}

/** The names of all lines, `-` for those not sent. */
function namesOf(parser: IngressParser): string[] {
  const ingress = byList(
    parser.list,
    parser.list.names.map((_, i) => i + 1),
    "in.txt",
  );
  return Array.from({ length: parser.list.length }, (_, i) => {
    const number = ingress.of(i + 1, 0, []);
    return number === NOT_SENT ? "-" : parser.list.names[(number as number) - 1]!;
  });
}

test("by source: the core finds out", () => {
  expect(bySource.of(1, 0, [])).toBe(BY_SOURCE);
  expect(bySource.end([])).toBeUndefined();
});

describe("by the interface of the capture", () => {
  const mappings = [
    { captured: "0", ingress: 4 },
    { captured: "eth1", ingress: 5 },
    { captured: "3", ingress: 5 },
  ];

  test("numbers and names; others by their source", () => {
    const interfaces = capturedOn("eth0", "eth1", "eth2", undefined);
    const ingress = byCapture(mappings);
    expect([0, 1, 2, 3, 1, 0].map((index, i) => ingress.of(i + 1, index, interfaces))).toEqual([
      4,
      5,
      BY_SOURCE,
      5,
      5,
      4,
    ]);
    expect(ingress.end(interfaces)).toBeUndefined();
  });

  test("interfaces that appear in the middle of the capture", () => {
    const ingress = byCapture(mappings);
    expect(ingress.of(1, 0, capturedOn("a"))).toBe(4);
    expect(ingress.of(2, 1, capturedOn("a", "eth1"))).toBe(5);
  });

  test("a number that is a name, too", () => {
    expect(byCapture([{ captured: "7", ingress: 2 }]).of(1, 0, capturedOn("7"))).toBe(2);
  });

  test("an interface that the capture does not have", () => {
    const ingress = byCapture([{ captured: "eth9", ingress: 2 }]);
    expect(ingress.end(capturedOn("eth0", undefined))).toEqual({
      problem: 'the capture has no interface "eth9"; it has 0 (eth0), 1',
    });
    expect(ingress.end([])).toEqual({ problem: 'the capture has no interface "eth9"; it has none' });
  });

  test("an interface without packets is no mistake", () => {
    expect(byCapture([{ captured: "1", ingress: 2 }]).end(capturedOn("a", "b"))).toBeUndefined();
  });
});

describe("by a list", () => {
  const TEXT = "GigabitEthernet0/1\nGi0/0\n-\ngigabitethernet0/0\r\nFa0/1\n";
  const NAMES = ["GigabitEthernet0/1", "GigabitEthernet0/0", "-", "GigabitEthernet0/0", "FastEthernet0/1"];

  test("names, full and abbreviated, and packets that are not sent", () => {
    expect(namesOf(parsed(TEXT))).toEqual(NAMES);
    expect(namesOf(parsed(TEXT.trimEnd()))).toEqual(NAMES);
    expect(parsed("").list.length).toBe(0);
  });

  test("cut into pieces anywhere", () => {
    for (let chunk = 1; chunk < TEXT.length; chunk++) expect(namesOf(parsed(TEXT, chunk))).toEqual(NAMES);
  });

  test("more lines than the first buffer holds", () => {
    const count = 200_000;
    const parser = parsed("Gi0/0\nGi0/1\n".repeat(count / 2), 100_001);
    expect(parser.list.length).toBe(count);
    expect(parser.list.at(count - 1)).toBe(1);
    expect(parser.list.at(count - 2)).toBe(0);
  });

  test("the capture must not be longer", () => {
    const { list } = parsed("Gi0/0\n");
    const ingress = byList(list, [3], "in.txt");
    expect(ingress.of(1, 0, [])).toBe(3);
    expect(ingress.of(2, 0, [])).toEqual({
      problem: "in.txt: 1 line, but the capture goes on with packet 2",
    });
    expect(ingress.end([])).toBeUndefined();
  });

  test.each([
    ["Gi0/0\nGi0/7\n", 'in.txt:2:1: error: no interface "Gi0/7" in the configuration\n  Gi0/7\n  ^~~~~'],
    ["Gi0/0\n\nGi0/0\n", "in.txt:2:1: error: an empty line\n"],
    [
      "  Serial0/0\n",
      'in.txt:1:3: error: no interface "Serial0/0" in the configuration\n    Serial0/0\n    ^~~~~~~~~',
    ],
    ["GigabitEthernet0/2\r\n", 'did you mean "GigabitEthernet0/0"?'],
  ])("a line that cannot be read: %j", (text, message) => {
    const { error } = parsed(text);
    const shown = formatDiagnostic(error!);
    expect(shown).toContain(message);
    expect(shown).toContain("expected: GigabitEthernet0/0, GigabitEthernet0/1, FastEthernet0/1, -");
  });

  test("a file that is no list ends early, whatever its size", () => {
    const parser = new IngressParser("in.txt", INTERFACES);
    for (let i = 0; i < 100; i++) parser.push(new Uint8Array(1000).fill(0x41));
    parser.end();
    expect(parser.error).toMatchObject({ line: 1, column: 1, length: 256 });
    expect(parser.list.length).toBe(0);
  });
});

describe("two interfaces in use", () => {
  const usable = ["GigabitEthernet0/0", "GigabitEthernet0/1"];
  test.each([
    ["both in the list", "Gi0/1\nGi0/0\n-\n", usable, ["GigabitEthernet0/1", "GigabitEthernet0/0"]],
    [
      "one in the list, one other can be used",
      "Gi0/1\n",
      usable,
      ["GigabitEthernet0/1", "GigabitEthernet0/0"],
    ],
    ["one in the list, two others can be used", "Gi0/1\n", INTERFACES, undefined],
    ["three in the list", "Gi0/0\nGi0/1\nFa0/1\n", INTERFACES, undefined],
    ["none", "-\n", usable, undefined],
  ])("%s", (_, text, names, pair) => {
    expect(pairInUse(parsed(text).list, names)).toEqual(pair);
  });
});
