/** Lines, words, modes and blocks: what a text may look like around its commands. */
import { describe, expect, test } from "vitest";
import { LINE_MAX, parse, show } from "../../src/config/index.js";
import { commandsOf } from "./pair.js";
import { plain } from "./plain.js";

const errors = (text: string) =>
  parse(text)
    .diagnostics.filter((d) => d.severity === "error")
    .map((d) => `${d.line}:${d.column}: ${d.message}`);
const written = (text: string, lenient = false) => commandsOf(show(parse(text, { lenient }).config));
const same = (one: string, other: string) => {
  expect(errors(one)).toEqual([]);
  expect(plain(parse(one).config)).toEqual(plain(parse(other).config));
};

const TEXT =
  "hostname R1\ninterface GigabitEthernet0/0\n ip address 10.0.0.1 255.255.255.0\n shutdown\n!\nend\n";

describe("the same configuration, written otherwise", () => {
  test.each([
    ["line ends of DOS", TEXT.replace(/\n/g, "\r\n")],
    ["line ends of old Macs", TEXT.replace(/\n/g, "\r")],
    ["a byte order mark", `\ufeff${TEXT}`],
    ["tabs", TEXT.replace(/^ /gm, "\t").replace(/ (?=\d)/g, "\t")],
    ["spaces at the end of lines", TEXT.replace(/$/gm, "  ")],
    ["doubled indents", TEXT.replace(/^ /gm, "    ")],
    ["lost indents", TEXT.replace(/^ /gm, "")],
    ["everything indented", TEXT.replace(/^/gm, "   ")],
    ["no last line end", TEXT.trimEnd()],
    ["no end", TEXT.replace("end\n", "")],
    [
      "upper case keywords",
      TEXT.replace(/\b(hostname|interface|ip address|shutdown|end)\b/g, (word) => word.toUpperCase()),
    ],
    ["short keywords and names", "host R1\nint gi 0/0\n ip addr 10.0.0.1 255.255.255.0\n shut\n"],
    ["comments", `! saved yesterday\n!\n${TEXT.replace("!\n", "! between\n!\n")}`],
    ["a comment inside a block", TEXT.replace(" shutdown", "!\n! down for now\n shutdown")],
    ["exit instead of a separator", TEXT.replace("!\n", "exit\n")],
    [
      "an interface in two parts",
      TEXT.replace(" shutdown\n", "!\nhostname R1\ninterface Gi0/0\n shutdown\n"),
    ],
    ["preamble", `Building configuration...\n\nCurrent configuration : 123 bytes\n${TEXT}`],
    ["preamble of a saved file", `Using 123 out of 262136 bytes\n${TEXT}`],
    ["a console", `R1>enable\nR1#sh run\nBuilding configuration...\n${TEXT}\nR1#\nR1#exit\n`],
    [
      "typed at the console",
      "R1#conf t\nR1(config)#hostname R1\nR1(config)#interface gi0/0\nR1(config-if)#ip address 10.0.0.1 255.255.255.0\nR1(config-if)# shutdown\nR1(config-if)#end\nR1#",
    ],
  ])("%s", (_title, text) => same(text, TEXT));
});

describe("interface names", () => {
  test.each([
    ["Gi0/0", "GigabitEthernet0/0"],
    ["gigabitethernet0/0", "GigabitEthernet0/0"],
    ["GigabitEthernet 0/0", "GigabitEthernet0/0"],
    ["Ethernet 0/0", "Ethernet0/0"],
    ["e0", "Ethernet0"],
    ["Fa0/1/8", "FastEthernet0/1/8"],
    ["Gi0/0.10", "GigabitEthernet0/0.10"],
    ["gi 0/0.10", "GigabitEthernet0/0.10"],
    ["vl1", "Vlan1"],
    ["Lo0", "Loopback0"],
    ["po1", "Port-channel1"],
    ["te1/1", "TenGigabitEthernet1/1"],
    ["se0/0/0:15", "Serial0/0/0:15"],
  ])("%s is %s", (given, full) => {
    expect(written(`interface ${given}\n shutdown`)).toEqual([`interface ${full}`, "shutdown", "end"]);
  });
  test.each(["T0", "Gi", "0/0", "Foo0/0", "Gi0/0/0/0/0", "Gi0/", "Gi0/0.", "a0", "Gi 0/x", "Gi-1"])(
    "%s is none",
    (given) => {
      expect(errors(`interface ${given}`)).toHaveLength(1);
      expect(parse(`interface ${given}`).config.interfaces.size).toBe(0);
    },
  );
});

describe("the mode is decided by the keyword", () => {
  test("a global command ends a block, whatever its indent", () => {
    const text = "interface Gi0/0\n shutdown\n  hostname R1\n shutdown";
    expect(errors(text)).toEqual(['4:2: unknown command "shutdown"']);
    expect(written(text)).toEqual(["hostname R1", "interface GigabitEthernet0/0", "shutdown", "end"]);
  });
  test("a global command in full is not taken for a short one of the block", () => {
    const text = "interface Gi0/0\n!\nip route 0.0.0.0 0.0.0.0 10.0.0.1";
    expect(parse(text).config.routes).toHaveLength(1);
    expect(parse(text).config.kept).toEqual([]);
  });
  test("shutdown belongs to the block it stands in", () => {
    const text = "ipc zone default\nassociation 1\nshutdown\n!\ninterface Gi0/0\nno shutdown";
    const { config } = parse(text);
    expect(config.ipc!.associations.get(1)!.shutdown).toBe(true);
    expect(config.interfaces.get("GigabitEthernet0/0")!.shutdown).toBe(false);
  });
  test("exit leaves one block, end all", () => {
    const text =
      "ipc zone default\n association 1\n  protocol sctp\n   local-port 5000\n    exit\n   exit\n  shutdown";
    expect(errors(text)).toEqual([]);
    expect(parse(text).config.ipc!.associations.get(1)).toMatchObject({
      shutdown: true,
      localPort: { value: 5000 },
    });
    expect(errors("exit\nexit\nhostname R1")).toEqual([]);
  });
  test("nested and flat association give the same", () => {
    const nested =
      "ipc zone default\n association 1\n  no shutdown\n  protocol sctp\n   local-port 5000\n    local-ip 10.0.0.1\n    retransmit-timeout 300 10000\n    path-retransmit 10\n    exit\n   remote-port 5001\n    remote-ip 10.0.0.2\n";
    same(nested, nested.replace(/^ +/gm, "").replace("exit\n", ""));
    expect(parse(nested).config.ipc!.associations.get(1)).toMatchObject({
      localIps: [{ address: 0x0a000001 }],
      remoteIps: [{ address: 0x0a000002 }],
      remotePort: { value: 5001 },
      retransmitTimeout: { minMs: 300, maxMs: 10000 },
      pathRetransmit: { value: 10 },
    });
  });
});

describe("a header that is wrong", () => {
  test("keeps what follows out of the block before it", () => {
    const text =
      "interface Gi0/0\n ip address 10.0.0.1 255.255.255.0\n!\ninterface Gx0/1\n ip address 10.0.1.1 255.255.255.0\n shutdown\n!\ninterface Gi0/2\n shutdown";
    expect(errors(text)).toEqual(['4:11: "Gx0/1" does not fit here']);
    const { config } = parse(text);
    expect([...config.interfaces.keys()]).toEqual(["GigabitEthernet0/0", "GigabitEthernet0/2"]);
    expect(config.interfaces.get("GigabitEthernet0/0")).toMatchObject({
      shutdown: false,
      addresses: [{ address: 0x0a000001 }],
    });
  });
  test("keeps it out too when the command is not known at all", () => {
    const text =
      "interface Gi0/0\n!\nrouter ospf 1\n network 10.0.0.0 0.0.0.255 area 0\n shutdown\n!\nhostname R1";
    expect(errors(text)).toEqual(['3:1: unknown command "router"']);
    expect(parse(text).config.interfaces.get("GigabitEthernet0/0")!.shutdown).toBe(false);
    expect(parse(text).config.hostname).toBe("R1");
  });
  test("keeps it out also when the line cannot be read", () => {
    for (const header of ["interface Gi0/\u00011", `router ${"x".repeat(300)}`]) {
      const text = `interface Gi0/0\n description up\n!\n${header}\n shutdown\n!\nhostname R1`;
      expect(errors(text)).toHaveLength(1);
      expect(parse(text).config.interfaces.get("GigabitEthernet0/0")!.shutdown).toBe(false);
      expect(parse(text).config.hostname).toBe("R1");
    }
  });
  test("a refused block is one error", () => {
    const text = "crypto isakmp policy 10\n encr aes\n authentication pre-share\n!\nhostname R1";
    expect(errors(text)).toEqual(["1:1: refused: packets are not encrypted; end tunnels elsewhere"]);
    expect(parse(text).config.hostname).toBe("R1");
  });
});

describe("lenient", () => {
  const text =
    "router ospf 1\n network 10.0.0.0 0.0.0.255 area 0\n  deeper still\n!\ninterface Gi0/0\n foo bar\n shutdown\nhostname R1\nbaz";
  test("keeps unknown commands in their blocks, with a note", () => {
    const { config, diagnostics } = parse(text, { lenient: true });
    expect(diagnostics.map((d) => `${d.line}: ${d.severity}: ${d.message}`)).toEqual([
      '1: note: unknown command "router"',
      '6: note: unknown command "foo"',
      '9: note: unknown command "baz"',
    ]);
    expect(config.kept.map((line) => [line.block, line.text, line.why, line.at.line])).toEqual([
      [undefined, "router ospf 1", "unknown", 1],
      ["router ospf 1", "network 10.0.0.0 0.0.0.255 area 0", "note", 2],
      ["router ospf 1", "deeper still", "note", 3],
      [undefined, "baz", "unknown", 9],
      ["interface GigabitEthernet0/0", "foo bar", "unknown", 6],
    ]);
    expect(show(config)).toBe(
      "!\nrouter ospf 1\n network 10.0.0.0 0.0.0.255 area 0\n deeper still\n!\nbaz\n!\nhostname R1\n!\ninterface GigabitEthernet0/0\n foo bar\n shutdown\n!\nend\n",
    );
  });
  test("still refuses a known command with a wrong argument, and what is refused outright", () => {
    const known =
      "interface Gi0/0\n ip address 10.0.0.1 255.0.255.0\n ip access-group L sideways\n ip nat inside\n standby 1 priority 300";
    expect(parse(known, { lenient: true }).diagnostics.map((d) => [d.line, d.severity])).toEqual([
      [2, "error"],
      [3, "error"],
      [4, "error"],
      [5, "error"],
    ]);
  });
  test("an unknown line belongs to its block when all indents are lost, until a separator", () => {
    const lost = "interface Gi0/0\nshutdown\nfoo\n!\nbar";
    const { config } = parse(lost, { lenient: true });
    expect(config.kept.map((line) => [line.block, line.text])).toEqual([
      [undefined, "bar"],
      ["interface GigabitEthernet0/0", "foo"],
    ]);
  });
});

describe("notes", () => {
  test("what is not known inside a block without effect is kept with it", () => {
    const text = "voice-card 0\n codec complexity high\n no dspfarm\n!\nhostname R1";
    expect(errors(text)).toEqual([]);
    expect(written(text)).toEqual([
      "hostname R1",
      "voice-card 0",
      "codec complexity high",
      "no dspfarm",
      "end",
    ]);
    expect(parse(text).config.kept.map((line) => [line.block, line.text])).toEqual([
      [undefined, "voice-card 0"],
      ["voice-card 0", "codec complexity high"],
      ["voice-card 0", "no dspfarm"],
    ]);
  });
  test("the last word counts", () => {
    expect(written("ip cef\nno ip cef\nip cef\nno ip cef")).toEqual(["no ip cef", "end"]);
    expect(written("ip cef\ndefault ip cef")).toEqual(["end"]);
  });
  test("are gone with their block", () => {
    expect(written("interface Gi0/0\n bandwidth 100\nno interface Gi0/0")).toEqual(["end"]);
  });
  test("record what checks ask about", () => {
    const { config } = parse(
      "line con 0\n exec-timeout 0 0\nline vty 0 4\n password 7 0822\n login\nline vty 5 15\n no login\n exec-timeout 5",
    );
    expect(plain(config.lines)).toEqual([
      { name: "con 0", execTimeoutSeconds: 0, login: false, password: false },
      { name: "vty 0 4", login: true, password: true },
      { name: "vty 5 15", execTimeoutSeconds: 300, login: false, password: false },
    ]);
  });
});

describe("banners", () => {
  const banner = "banner motd ^C\n  No entry!\nhostname WRONG\n!\n^C\nhostname R1";
  test("run to their delimiter, and come back as they were", () => {
    const { config, diagnostics } = parse(banner);
    expect(diagnostics).toEqual([]);
    expect(config.hostname).toBe("R1");
    expect(config.kept[0]!.text).toBe("banner motd ^C\n  No entry!\nhostname WRONG\n!\n^C");
    expect(show(parse(show(config)).config)).toBe(show(config));
    expect(show(config)).toContain("\nbanner motd ^C\n  No entry!\nhostname WRONG\n!\n^C\n");
  });
  test("may end in their own line", () => {
    expect(parse("banner login #hello#\nhostname R1").config.hostname).toBe("R1");
  });
  test("without an end are an error where they begin", () => {
    const { config, diagnostics } = parse("banner motd #hello\nhostname R1\n");
    expect(diagnostics.map((d) => `${d.line}:${d.column}: ${d.message}`)).toEqual([
      "1:13: the text has no end: nothing repeats #",
    ]);
    expect(config.kept).toEqual([]);
  });
});

describe("what is no text of a configuration", () => {
  test("control characters are errors, and their line is not applied", () => {
    expect(errors("hostname R\u00001\nhostname R2\u001b[31m\n\u009bhostname R3")).toEqual([
      "1:11: control character 0x00",
      "2:12: control character 0x1b",
      "3:1: control character 0x9b",
    ]);
    expect(parse("hostname R\u00001").config.hostname).toBeUndefined();
  });
  test(`lines over ${LINE_MAX} characters are errors, their indent not counted`, () => {
    const line = `description ${"x".repeat(240)}`;
    expect(line.length).toBe(252);
    expect(errors(`interface Gi0/0\n${" ".repeat(300)}${line}`)).toEqual([]);
    const long = `  snmp-server ${"x".repeat(LINE_MAX)}`;
    expect(errors(long)).toEqual([`1:${LINE_MAX + 3}: the line is longer than ${LINE_MAX} characters`]);
  });
  test("a short line that is too long in full is an error", () => {
    const line = `snmp ${"x".repeat(LINE_MAX - 5)}`;
    expect(errors(line)).toEqual(["1:1: the line is longer than 254 characters when written in full"]);
  });
  test("text after end is not read, and said so once", () => {
    const { config, diagnostics } = parse("hostname R1\nend\n\n!\nR1#\nhostname R2\nhostname R3\n");
    expect(config.hostname).toBe("R1");
    expect(diagnostics.map((d) => `${d.line}: ${d.severity}: ${d.message}`)).toEqual([
      "6: warning: text after `end` is not read",
    ]);
  });
  test("the empty text is the empty configuration", () => {
    for (const text of ["", "\n", "!", "end", "\ufeff", "\r\n\r\n"]) {
      expect(parse(text).diagnostics).toEqual([]);
      expect(show(parse(text).config)).toBe("!\nend\n");
    }
  });
});
