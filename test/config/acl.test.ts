/** Access lists: what is read, in which form it is written, and what is refused. */
import { describe, expect, test } from "vitest";
import { type Ace, type Config, parse, show } from "../../src/config/index.js";
import { commandsOf } from "./pair.js";

const errors = (text: string) =>
  parse(text)
    .diagnostics.filter((d) => d.severity === "error")
    .map(({ line, column, length, message }) => ({ line, column, length, message }));

const written = (text: string) => commandsOf(show(parse(text).config)).slice(0, -1);
const aces = (config: Config, name = "L") =>
  [...(config.accessLists.get(name) ?? config.accessLists6.get(name))!.entries] as Ace[];

const sequences = (text: string) => {
  const { config, diagnostics } = parse(text);
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  return config.accessLists.get("L")!.entries.map((entry) => entry.sequence);
};

describe("an extended entry, as read and as written", () => {
  test.each([
    ["permit ip any any"],
    ["permit tcp any host 10.1.1.1 eq www"],
    ["permit tcp any any match-all +ack -fin log"],
    ["permit tcp any any established psh"],
    ["permit tcp any eq www whois uucp any"],
    ["permit tcp any any neq telnet 22"],
    ["permit udp object-group SRC object-group DST eq domain"],
    ["permit ahp any any log-input time-range test"],
    ["deny ip any any log TAG"],
    ["permit icmp any any 3 99"],
    ["permit icmp any any 77"],
    ["permit 200 any any"],
    ["permit ip any any option any-options"],
    ["permit ip any any ttl range 1 5"],
    ["permit ip any any ttl neq 1 2 3"],
    ["deny ip any any fragments"],
    ["permit ip any any ecn 1"],
    ["permit ip 10.0.10.0 0.255.0.255 any"],
    // Another spelling, and the one that is kept.
    ["permit 6 any any", "permit tcp any any"],
    ["permit tcp any any eq 80 443 22", "permit tcp any any eq www 443 22"],
    ["permit tcp any any eq http https ssh", "permit tcp any any eq www 443 22"],
    ["permit udp any any eq 514 512", "permit udp any any eq syslog biff"],
    ["permit tcp any any eq 514 512", "permit tcp any any eq cmd exec"],
    ["permit tcp any any eq 80 80 www", "permit tcp any any eq www"],
    ["permit icmp any any 8", "permit icmp any any echo"],
    ["permit icmp any any 3 13", "permit icmp any any administratively-prohibited"],
    ["permit ip 10.1.2.3 0.0.0.0 any", "permit ip host 10.1.2.3 any"],
    ["permit ip 10.1.2.3 255.255.255.255 any", "permit ip any any"],
    ["permit ip 10.1.2.3 0.0.0.255 any", "permit ip 10.1.2.0 0.0.0.255 any"],
    [
      "permit ip any any dscp 46 precedence 5 tos 8",
      "permit ip any any dscp ef precedence critical tos min-delay",
    ],
    ["permit tcp any any syn ack", "permit tcp any any ack syn"],
    ["permit tcp any any match-any +syn +ack", "permit tcp any any ack syn"],
    ["permit tcp any any match-any -syn +ack", "permit tcp any any match-any +ack -syn"],
    ["permit tcp any any log established", "permit tcp any any established log"],
    ["permit tcp any any time-range T log C", "permit tcp any any time-range T log C"],
    ["PERMIT TCP ANY ANY EQ WWW", "permit tcp any any eq www"],
    ["p tc an h 10.0.0.1 eq ww est", "permit tcp any host 10.0.0.1 eq www established"],
  ])("%s", (line, expected = line) => {
    const text = `ip access-list extended L\n ${line}`;
    expect(errors(text)).toEqual([]);
    expect(written(text)).toEqual(["ip access-list extended L", expected]);
  });
});

describe("an IPv6 entry, as read and as written", () => {
  test.each([
    ["permit tcp any any established"],
    ["permit icmp any any nd-na"],
    ["permit icmp 2001:db8::/32 any 1 9"],
    ["deny ipv6 any any undetermined-transport"],
    ["permit ipv6 any any routing-type 2"],
    ["permit ipv6 any any mobility-type bind-update"],
    ["permit ipv6 any any dest-option-type home-address"],
    ["permit ipv6 any any flow-label 0 fragments"],
    ["permit ipv6 2001:DB8:0:0::1/64 ::/0", "permit ipv6 2001:db8::/64 any"],
    ["permit ipv6 2001:db8::1/128 any", "permit ipv6 host 2001:db8::1 any"],
    ["permit icmp any any 1", "permit icmp any any destination-unreachable"],
    ["permit icmp any any unreachable", "permit icmp any any destination-unreachable"],
    ["permit tcp any any sequence 10", "permit tcp any any"],
    ["permit tcp any any sequence 20", "sequence 20 permit tcp any any"],
    ["sequence 5 permit tcp any any", "sequence 5 permit tcp any any"],
  ])("%s", (line, expected = line) => {
    const text = `ipv6 access-list L\n ${line}`;
    expect(errors(text)).toEqual([]);
    expect(written(text)).toEqual(["ipv6 access-list L", expected]);
  });
});

describe("a standard entry, as read and as written", () => {
  test.each([
    ["permit 172.16.191.199"],
    ["deny any log"],
    ["permit 10.0.10.0 0.255.0.255"],
    ["permit any log TAG"],
    ["remark who may log in"],
    ["permit host 10.0.0.1", "permit 10.0.0.1"],
    ["permit 10.0.0.1 0.0.0.0", "permit 10.0.0.1"],
    ["permit 10.0.0.1 255.255.255.255", "permit any"],
  ])("%s", (line, expected = line) => {
    expect(written(`ip access-list standard L\n ${line}`)).toEqual(["ip access-list standard L", expected]);
    expect(written(`access-list 10 ${line}`)).toEqual([`access-list 10 ${expected}`]);
  });
});

describe("refused entries, and the words that are marked", () => {
  const head = "ip access-list extended L\n ";
  test.each([
    [
      "permit tcp any any eq www fragments",
      "fragments",
      "later fragments carry no ports, flags or types: `fragments` stands alone",
    ],
    [
      "permit tcp any any established fragments",
      "fragments",
      "later fragments carry no ports, flags or types: `fragments` stands alone",
    ],
    [
      "permit icmp any any echo fragments",
      "fragments",
      "later fragments carry no ports, flags or types: `fragments` stands alone",
    ],
    ["permit tcp any any range 20 10", "20", "the range 20 to 10 is empty"],
    ["permit tcp any any syn match-all +ack", "+ack", "flags are given in two ways"],
    ["permit tcp any any match-any +ack match-all +syn", "+syn", "flags are given in two ways"],
    ["permit tcp any any match-any +ack -ack", "+ack", "a flag is given twice"],
    ["permit ip any any eq 80", "eq", '"eq" does not fit here'],
    ["permit ip any any established", "established", '"established" does not fit here'],
    ["permit ip any any log log", undefined, "the command is not complete"],
    ["permit ip any any log fragmnts", "fragmnts", '"fragmnts" looks like "fragments"; choose another tag'],
    ["permit tcp any any eq 70000", "70000", "70000 is out of range"],
    ["permit ip any any dscp 64", "64", "64 is out of range"],
    ["permit tcp any any eq 1 2 3 4 5 6 7 8 9 10 11", "11", '"11" does not fit here'],
    [
      "permit tcp any any log estblished",
      "estblished",
      '"estblished" looks like "established"; choose another tag',
    ],
    [
      "permit ip any any reflect BACK timeout 5",
      "reflect",
      "reflexive entries are refused: inspection opens the way back",
    ],
    ["permit ip 10.0.0.256 0.0.0.255 any", "10.0.0.256", '"10.0.0.256" does not fit here'],
    ["permit ip any", undefined, "the command is not complete"],
    ["0 permit ip any any", "0", 'unknown command "0"'],
  ])("%s", (line, word, message) => {
    const full = ` ${line}`;
    const column = word === undefined ? full.length + 1 : full.lastIndexOf(` ${word}`) + 2;
    expect(parse(head + line).config.accessLists.get("L")!.entries).toEqual([]);
    const found = errors(head + line);
    expect(found).toHaveLength(1);
    expect(found[0]!.message).toBe(message);
    expect(found[0]!.column).toBe(column);
  });
  test("undetermined-transport is only denied", () => {
    const text = "ipv6 access-list L\n permit ipv6 any any undetermined-transport";
    expect(errors(text)).toEqual([
      { line: 2, column: 22, length: 22, message: "`undetermined-transport` can only be denied" },
    ]);
  });
});

describe("sequence numbers", () => {
  const list = (...lines: string[]) =>
    ["ip access-list extended L", ...lines.map((line) => ` ${line}`)].join("\n");
  test("start at 10 and go on in tens after the last", () => {
    expect(sequences(list("permit tcp any any", "remark x", "deny ip any any"))).toEqual([10, 20, 30]);
    expect(sequences(list("permit tcp any any", "15 deny udp any any", "deny ip any any"))).toEqual([
      10, 15, 25,
    ]);
  });
  test("an entry goes to its place", () => {
    const { config } = parse(list("30 permit tcp any any", "10 permit udp any any", "20 permit esp any any"));
    expect(aces(config).map((ace) => [ace.sequence, ace.protocol])).toEqual([
      [10, 17],
      [20, 50],
      [30, 6],
    ]);
  });
  test("a number that is in use is an error, marked", () => {
    const text = list("10 permit tcp any any", "10 permit udp any any");
    expect(errors(text)).toEqual([
      { line: 3, column: 2, length: 2, message: "Duplicate sequence number: 10 is in use" },
    ]);
    expect(aces(parse(text).config)).toHaveLength(1);
  });
  test("an entry that is there already is left out, with a warning", () => {
    const { config, diagnostics } = parse(list("permit tcp any any eq 80", "permit tcp any any eq www"));
    expect(aces(config)).toHaveLength(1);
    expect(diagnostics.map((d) => [d.severity, d.line, d.message])).toEqual([
      ["warning", 3, "the list has this entry already, at 10; this one is left out"],
    ]);
  });
  test("no SEQ and no ENTRY remove", () => {
    expect(sequences(list("permit tcp any any", "permit udp any any", "no 10"))).toEqual([20]);
    expect(sequences(list("permit tcp any any", "permit udp any any", "no permit tcp any any"))).toEqual([
      20,
    ]);
    expect(
      sequences(list("permit tcp any any", "permit udp any any", "no 10", "10 permit tcp any any")),
    ).toEqual([10, 20]);
    expect(sequences(list("remark a", "remark a", "no remark a"))).toEqual([20]);
  });
  test("resequence numbers anew", () => {
    const text = `${list("permit tcp any any", "permit udp any any", "permit esp any any")}\nip access-list resequence L 100 5`;
    expect(sequences(text)).toEqual([100, 105, 110]);
    expect(written(text)).toContain("100 permit tcp any any");
    expect(written(text)).toContain("permit udp any any".replace(/^/, "105 "));
  });
  test("resequence beyond the last number is an error and changes nothing", () => {
    const text = `${list("permit tcp any any", "permit udp any any")}\nip access-list resequence L 2147483647 1`;
    expect(errors(text).map((d) => d.message)).toEqual(["the last entry would be beyond 2147483647"]);
    expect(aces(parse(text).config).map((ace) => ace.sequence)).toEqual([10, 20]);
  });
  test("after the last number there is none", () => {
    expect(errors(list("2147483647 permit tcp any any", "permit udp any any")).map((d) => d.message)).toEqual(
      ["there is no sequence number left after 2147483647; resequence the list"],
    );
  });
  test("numbers are written only where reading would give others", () => {
    expect(written(list("permit tcp any any", "15 permit udp any any", "permit esp any any"))).toEqual([
      "ip access-list extended L",
      "permit tcp any any",
      "15 permit udp any any",
      "permit esp any any",
    ]);
  });
});

describe("numbered lists", () => {
  test("are one list in both spellings", () => {
    const text = "access-list 101 permit tcp any any\nip access-list extended 101\n permit udp any any";
    expect(written(text)).toEqual([
      "access-list 101 permit tcp any any",
      "access-list 101 permit udp any any",
    ]);
  });
  test("are written as a block when their numbers are not the usual ones", () => {
    const text = "access-list 101 permit tcp any any\nip access-list extended 101\n 5 permit udp any any";
    expect(written(text)).toEqual([
      "ip access-list extended 101",
      "5 permit udp any any",
      "10 permit tcp any any",
    ]);
  });
  test.each([1, 99, 1300, 1999])("%i is standard", (number) => {
    const { config } = parse(`access-list ${number} permit any`);
    expect(config.accessLists.get(`${number}`)).toMatchObject({ kind: "standard", family: 4 });
    expect(errors(`ip access-list extended ${number}`)).toHaveLength(1);
  });
  test.each([100, 199, 2000, 2699])("%i is extended", (number) => {
    const { config } = parse(`access-list ${number} permit ip any any`);
    expect(config.accessLists.get(`${number}`)).toMatchObject({ kind: "extended", family: 4 });
    expect(errors(`ip access-list standard ${number}`)).toHaveLength(1);
  });
  test.each([200, 299, 700, 800, 1099, 1100, 1299])("%i is refused", (number) => {
    expect(errors(`access-list ${number} permit any`).map((d) => d.message)).toEqual([
      "refused: only IPv4 and IPv6 are filtered here",
    ]);
  });
  test.each([0, 2700, 99999])("%i is no list", (number) => {
    expect(errors(`access-list ${number} permit ip any any`).map((d) => d.message)).toEqual([
      `${number} is out of range`,
    ]);
  });
  test("no access-list N removes it; with its last entry it is gone", () => {
    expect(parse("access-list 7 permit any\nno access-list 7").config.accessLists.size).toBe(0);
    expect(parse("access-list 7 permit any\nno access-list 7 permit any").config.accessLists.size).toBe(0);
    expect(errors("access-list 7 permit any\nno access-list")).toHaveLength(1);
  });
});

test("a name belongs to one kind; the entries after a wrong header go nowhere", () => {
  const text = [
    "ip access-list standard L",
    " permit any",
    "ip access-list extended L",
    " permit ip any any",
    "ip access-list extended 5x",
    " permit udp any any",
  ].join("\n");
  expect(errors(text)).toEqual([
    { line: 3, column: 25, length: 1, message: "L is a standard access list" },
    { line: 5, column: 25, length: 2, message: '"5x" does not fit here' },
  ]);
  expect(written(text)).toEqual(["ip access-list standard L", "permit any"]);
});

test("IPv4 and IPv6 lists may have the same name", () => {
  const { config } = parse(
    "ip access-list extended L\n permit ip any any\nipv6 access-list L\n permit ipv6 any any",
  );
  expect([config.accessLists.get("L")!.family, config.accessLists6.get("L")!.family]).toEqual([4, 6]);
});

test("the model of an entry with everything", () => {
  const { config } = parse(
    "ip access-list extended L\n deny tcp 10.0.0.0 0.0.0.255 gt 1023 host 192.0.2.1 range 20 21 established match-all +syn -rst dscp af11 ttl eq 1 2 option lsr log-input time-range T",
  );
  expect(aces(config)).toEqual([
    {
      kind: "ace",
      at: { line: 2, column: 2 },
      sequence: 10,
      action: "deny",
      protocol: 6,
      source: { kind: "wildcard", address: 0x0a000000, wildcard: 0xff },
      destination: { kind: "wildcard", address: 0xc0000201, wildcard: 0 },
      sourcePort: { op: "gt", value: 1023 },
      destinationPort: { op: "range", low: 20, high: 21 },
      established: true,
      flags: { mode: "all", set: 2, clear: 4 },
      fragments: false,
      dscp: 10,
      ttl: { op: "eq", values: [1, 2] },
      option: 131,
      log: "log-input",
      timeRange: "T",
    },
  ]);
});

test("the model of an IPv6 entry with everything", () => {
  const { config } = parse(
    "ipv6 access-list L\n deny udp host 2001:db8::1 2001:db8:1::/48 neq 53 flow-label 7 routing hbh auth mobility-type 5 dest-option undetermined-transport",
  );
  expect(aces(config)).toEqual([
    {
      kind: "ace",
      at: { line: 2, column: 2 },
      sequence: 10,
      action: "deny",
      protocol: 17,
      source: { kind: "prefix", address: 0x20010db8_00000000_00000000_00000001n, prefixLength: 128 },
      destination: { kind: "prefix", address: 0x20010db8_00010000_00000000_00000000n, prefixLength: 48 },
      destinationPort: { op: "neq", values: [53] },
      established: false,
      fragments: false,
      flowLabel: 7,
      routing: {},
      hopByHop: true,
      authenticationHeader: true,
      mobility: { type: 5 },
      destinationOption: {},
      undeterminedTransport: true,
    },
  ]);
});

test("entries too long in full are refused", () => {
  const name = "N".repeat(64);
  const text = `ip access-list extended L\n permit obj ${name} obj ${name} obj ${name} dscp cs1`;
  expect(errors(text).map((d) => d.message)).toEqual(["the entry is too long when written in full"]);
});
