/** Each kind of problem, as a person reads it. */
import { describe, expect, test } from "vitest";
import { editDistance, nearest } from "../../src/config/diagnostics.js";
import { ERRORS_MAX, formatDiagnostic, parse, WARNINGS_MAX } from "../../src/config/index.js";

const formatted = (text: string) => parse(text, { file: "A.cfg" }).diagnostics.map(formatDiagnostic);

describe("one problem", () => {
  test("an unknown command, with a near miss", () => {
    expect(formatted("hostname R1\n\nintreface Gi0/0")).toEqual([
      [
        'A.cfg:3:1: error: unknown command "intreface"',
        "  intreface Gi0/0",
        "  ^~~~~~~~~",
        '  did you mean "interface"?',
      ].join("\n"),
    ]);
  });
  test("an unknown command that nothing is near to", () => {
    expect(formatted("qwertyuiop asdf")).toEqual([
      ['A.cfg:1:1: error: unknown command "qwertyuiop"', "  qwertyuiop asdf", "  ^~~~~~~~~~"].join("\n"),
    ]);
  });
  test("a near miss among the commands of the block", () => {
    expect(formatted("interface Gi0/0\n descripton x")).toEqual([
      [
        'A.cfg:2:2: error: unknown command "descripton"',
        "   descripton x",
        "   ^~~~~~~~~~",
        '  did you mean "description"?',
      ].join("\n"),
    ]);
  });
  test("a number out of range", () => {
    expect(formatted("interface Gi0/0\n standby 1 priority 300")).toEqual([
      [
        "A.cfg:2:21: error: 300 is out of range",
        "   standby 1 priority 300",
        "                      ^~~",
        "  expected: <0-255>",
      ].join("\n"),
    ]);
  });
  test("a keyword that does not fit, with what does", () => {
    expect(formatted("interface Gi0/0\n ip access-group L sideways")).toEqual([
      [
        'A.cfg:2:20: error: "sideways" does not fit here',
        "   ip access-group L sideways",
        "                     ^~~~~~~~",
        "  expected: in, out",
      ].join("\n"),
    ]);
  });
  test("a near miss inside a command", () => {
    expect(formatted("interface Gi0/0\n standby 1 prioritty 110").join()).toMatch(
      /did you mean "priority"\?$/,
    );
  });
  test("a near miss among the names of an argument", () => {
    expect(formatted("access-list 101 permit tcp any any eq telent").join()).toMatch(
      /did you mean "telnet"\?$/,
    );
  });
  test("an ambiguous word, with its meanings", () => {
    expect(formatted("interface Gi0/0\n s 1 ip 10.0.0.1")).toEqual([
      [
        'A.cfg:2:2: error: "s" is ambiguous',
        "   s 1 ip 10.0.0.1",
        "   ^",
        "  expected: service-policy, shutdown, spanning-tree, speed, standby, switchport",
      ].join("\n"),
    ]);
  });
  test("a command that ends too early", () => {
    expect(formatted("ip route 0.0.0.0 0.0.0.0")).toEqual([
      [
        "A.cfg:1:25: error: the command is not complete",
        "  ip route 0.0.0.0 0.0.0.0",
        "                          ^",
        "  expected: A.B.C.D, INTERFACE",
      ].join("\n"),
    ]);
  });
  test("a command with too much", () => {
    expect(formatted("hostname R1 R2")).toEqual([
      [
        'A.cfg:1:13: error: "R2" does not fit here',
        "  hostname R1 R2",
        "              ^~",
        "  expected: <cr>",
      ].join("\n"),
    ]);
  });
  test("the same said twice", () => {
    expect(formatted("ip inspect name R tcp timeout 5 timeout 6")).toEqual([
      [
        'A.cfg:1:33: error: "timeout" does not fit here',
        "  ip inspect name R tcp timeout 5 timeout 6",
        "                                  ^~~~~~~",
        "  expected: alert, audit-trail, router-traffic, <cr>",
      ].join("\n"),
    ]);
  });
  test("a mask with holes", () => {
    expect(formatted("interface Gi0/0\n ip address 10.0.0.1 255.0.255.0").join()).toMatch(
      /^A\.cfg:2:22: error: "255\.0\.255\.0" does not fit here\n.*\n.*\n {2}expected: A\.B\.C\.D \(mask\)$/,
    );
  });
  test("a route to an address with bits outside its mask", () => {
    expect(formatted("ip route 10.0.0.1 255.255.255.0 10.0.0.2").join()).toContain(
      "A.cfg:1:10: error: the address has bits outside the mask\n",
    );
  });
  test("a refused command", () => {
    expect(formatted("interface Gi0/0\n ip nat outside")).toEqual([
      [
        "A.cfg:2:2: error: refused: addresses are not translated; translate before or behind the firewall",
        "   ip nat outside",
        "   ^~~~~~~~~~~~~~",
      ].join("\n"),
    ]);
  });
  test("after no", () => {
    expect(formatted("no hotsname")).toEqual([
      [
        'A.cfg:1:4: error: unknown command "hotsname"',
        "  no hotsname",
        "     ^~~~~~~~",
        '  did you mean "hostname"?',
      ].join("\n"),
    ]);
    expect(formatted("no")).toHaveLength(1);
  });
  test("tabs and what could drive a terminal are made harmless, the caret stays in place", () => {
    const [first] = formatted("interface Gi0/0\n\tshutdwn");
    expect(first!.split("\n").slice(1, 3)).toEqual(["   shutdwn", "   ^~~~~~~"]);
    expect(formatted("host\u001b]0;x\u0007")[0]).toBe(
      ["A.cfg:1:5: error: control character 0x1b", "  host?]0;x?", "      ^"].join("\n"),
    );
    expect(formatted("\u202efoo")[0]).not.toContain("\u202e");
  });
  test("of a very long line only the part around the caret is shown", () => {
    const lines = formatted(`${"x".repeat(5000)} y`)[0]!.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(180);
    expect(lines[1]![lines[2]!.indexOf("^")]).toBe("x");
    const far = formatted(`${"x".repeat(5000)}\u0007`)[0]!.split("\n");
    expect(far[0]).toBe("A.cfg:1:5001: error: control character 0x07");
    expect(Math.max(...far.map((line) => line.length))).toBeLessThan(180);
  });
  test("a long list of alternatives is cut", () => {
    expect(formatted("ip access-list extended L\n permit tcp any any eq www %").join()).toMatch(
      /, and \d+ more/,
    );
  });
});

describe("several problems", () => {
  test("are all reported, in the order of the lines", () => {
    const text =
      "hostnme R1\nip route 1.2.3.4 5.6.7.8\ninterface Gi0/0\n shut down\n ip address 10.0.0.1 255.255.255.0\nip cef cef";
    expect(parse(text).diagnostics.map((d) => `${d.line}:${d.column}`)).toEqual([
      "1:1",
      "2:18",
      "4:7",
      "6:8",
    ]);
    expect(parse(text).config.interfaces.get("GigabitEthernet0/0")!.addresses).toHaveLength(1);
  });
  test(`stop at ${ERRORS_MAX}`, () => {
    const { diagnostics } = parse("foo\n".repeat(ERRORS_MAX + 50));
    expect(diagnostics).toHaveLength(ERRORS_MAX + 1);
    expect(diagnostics[ERRORS_MAX]!.message).toBe(`${ERRORS_MAX} errors: the rest of the text was not read`);
    expect(diagnostics[ERRORS_MAX]!.line).toBe(ERRORS_MAX);
  });
  test(`exactly ${ERRORS_MAX} are all of them`, () => {
    expect(parse("foo\n".repeat(ERRORS_MAX)).diagnostics).toHaveLength(ERRORS_MAX);
  });
  test(`notes stop at ${WARNINGS_MAX}, and the text is read on`, () => {
    const { config, diagnostics } = parse(`${"foo\n".repeat(WARNINGS_MAX + 50)}hostname R1`, {
      lenient: true,
    });
    expect(diagnostics).toHaveLength(WARNINGS_MAX);
    expect(config.kept).toHaveLength(WARNINGS_MAX + 50);
    expect(config.hostname).toBe("R1");
  });
});

describe("near misses", () => {
  test.each([
    ["", "", 0],
    ["abc", "", 3],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["abc", "abd", 1],
    ["abc", "ab", 1],
    ["ca", "abc", 3],
    ["kitten", "sitting", 3],
  ])("from %s to %s it is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
  test("are near", () => {
    expect(nearest("permt", ["deny", "permit"])).toBe("permit");
    expect(nearest("x", ["y"])).toBeUndefined();
    expect(nearest("hello", ["world"])).toBeUndefined();
    expect(nearest("STANBDY", ["standby"])).toBe("standby");
    expect(nearest("a".repeat(1000), ["a".repeat(1001)])).toBeUndefined();
  });
});
