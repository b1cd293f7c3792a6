import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { CaptureReader } from "../../src/capture/index.js";
import { EXIT } from "../../src/cli/exit.js";
import { run } from "../../src/cli/run.js";
import { captureOf, connection, type Entry, OFFICE, udpFrame } from "../replay/captures.js";
import { ethernet, ip, udp } from "../support/frames.js";
import { MemoryIo, type MemoryIoOptions } from "./memory-io.js";

const STRAY: Entry = { data: udpFrame(false, 7), ms: 200 };
const CAPTURE = captureOf([...connection(), STRAY]);
/** Two interfaces with addresses and no route beyond them: who is outside is only known by side. */
const SIDES = `
ip inspect name FW udp
interface GigabitEthernet0/0
 ip address 192.168.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 192.168.1.1 255.255.255.0
 ip access-group NONE in
 ip inspect FW out
ip access-list extended NONE
 deny ip any any log
`;

async function replayed(line: string, options: MemoryIoOptions = {}) {
  const files = { "c.pcapng": CAPTURE, "o.cfg": OFFICE, "sides.cfg": SIDES, ...options.files };
  const io = new MemoryIo({ ...options, files });
  const code = await run(["replay", ...line.split(" ")], io);
  return { code, out: io.out, err: io.err, io };
}

interface Line {
  n: number;
  t: string;
  in: string | null;
  out: string | null;
  verdict: string;
  reason: string;
  session: string | null;
  rule: string | null;
}

const linesOf = (text: string) =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

describe("the report", () => {
  test("golden", async () => {
    const { code, out, err } = await replayed("c.pcapng --config o.cfg");
    expect({ code, err }).toEqual({ code: EXIT.done, err: "" });
    expect(out.replace(/replayed in .*/, "replayed in (time)")).toBe(`\
c.pcapng through o.cfg (Office)
11 packets, 786 B over 0.200 s; replayed in (time)

  verdict  packets          bytes
  ✔ pass        10  90.9 %  740 B  94.1 %
  ✘ drop         1   9.1 %   46 B   5.9 %
  ● local        0   0.0 %    0 B   0.0 %

  reasons               packets  bytes
  ✔ pass   established        9  686 B  belongs to a session
  ✔ pass   new_session        1   54 B  permitted and inspected: a session was created
  ✘ drop   acl_in_deny        1   46 B  denied by an entry of the inbound list

  sessions  created  at the end
  tcp             1  1 time_wait
  0 closed, 0 timed out, at most 1 of 65,536 at a time

  rules                               hits
  OUTSIDE-IN 30  deny ip any any log     1

  never hit
  OUTSIDE-IN 10  permit tcp any host 10.1.1.80 eq www
  OUTSIDE-IN 20  permit icmp any host 203.0.113.1 echo
`);
  });

  test("as JSON", async () => {
    const { code, out } = await replayed("c.pcapng --config o.cfg --json");
    expect(code).toBe(EXIT.done);
    expect(JSON.parse(out)).toMatchObject({
      capture: "c.pcapng",
      config: "o.cfg",
      packets: 11,
      bytes: 786,
      verdicts: { pass: 10, drop: 1, local: 0 },
      reasons: { new_session: 1, established: 9, acl_in_deny: 1 },
      sessions: { created: 1, tcp: 1, udp: 0, icmp: 0, other: 0 },
      acls: [{ name: "OUTSIDE-IN", rules: [{ sequence: 10 }, { sequence: 20 }, { sequence: 30, hits: 1 }] }],
      captureSeconds: 0.2,
      seconds: expect.any(Number),
      packetsPerSecond: expect.any(Number),
    });
  });

  test("of a compressed capture from standard input is the same", async () => {
    const whole = JSON.parse((await replayed("c.pcapng --config o.cfg --json")).out) as object;
    const { code, out } = await replayed("- --config o.cfg --json", {
      stdin: gzipSync(CAPTURE),
      chunkSize: 7,
    });
    expect(code).toBe(EXIT.done);
    const { seconds, packetsPerSecond, ...rest } = JSON.parse(out) as Record<string, unknown>;
    expect({ seconds, packetsPerSecond }).toEqual({
      seconds: expect.any(Number),
      packetsPerSecond: expect.any(Number),
    });
    expect(whole).toMatchObject({ ...rest, capture: "c.pcapng" });
    expect(rest.capture).toBe("(standard input)");
  });

  test("warnings of the configuration stand on standard error", async () => {
    const files = { "w.cfg": OFFICE.replace("ip access-group OUTSIDE-IN in", "ip access-group NOWHERE in") };
    const { code, err } = await replayed("c.pcapng --config w.cfg", { files });
    expect(code).toBe(EXIT.done);
    expect(err).toMatch(
      /^w\.cfg:\d+:\d+: warning: access list NOWHERE is not defined.*\n {3}ip access-group NOWHERE in\n {3}\^/m,
    );
  });
});

describe("--verdicts", () => {
  test("one object for each packet, in the promised form", async () => {
    const { io } = await replayed("c.pcapng --config o.cfg --verdicts v.jsonl");
    const text = io.text("v.jsonl");
    expect(text.split("\n")[0]).toBe(
      '{"n":1,"t":"1700000000.000000000","in":"GigabitEthernet0/0","out":"GigabitEthernet0/1","verdict":"pass",' +
        '"reason":"new_session","session":"00000001","rule":null}',
    );
    const lines = linesOf(text);
    expect(lines.map(({ n }) => n)).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
    expect(lines.map(({ t }) => t)[1]).toBe("1700000000.010000000");
    expect(lines[10]).toEqual({
      n: 11,
      t: "1700000000.200000000",
      in: "GigabitEthernet0/1",
      out: null,
      verdict: "drop",
      reason: "acl_in_deny",
      session: null,
      rule: "OUTSIDE-IN 30",
    });
  });

  test("to standard output moves the report to standard error", async () => {
    const { out, err } = await replayed("c.pcapng --config o.cfg --verdicts - --json");
    expect(linesOf(out)).toHaveLength(11);
    expect(JSON.parse(err)).toMatchObject({ packets: 11 });
  });

  test("a reader that goes away ends it quietly", async () => {
    const entries = Array.from({ length: 5000 }, (_, i) => ({ data: udpFrame(true, 7), ms: i }));
    const { code, out, err } = await replayed("big.pcapng --config o.cfg --verdicts -", {
      files: { "big.pcapng": captureOf(entries) },
      closing: { path: "-", after: 2 },
    });
    expect({ code, err }).toEqual({ code: EXIT.done, err: "" });
    expect(linesOf(out).length).toBeLessThan(5000);
  });

  test("a disk that is full is an error", async () => {
    const { code, err } = await replayed("c.pcapng --config o.cfg --verdicts v", {
      closing: { path: "v", after: 0, problem: "v: no space left on the device" },
    });
    expect(code).toBe(EXIT.badInput);
    expect(err).toBe("error: v: no space left on the device\n");
  });

  test("a file that cannot be made is an error before anything is done", async () => {
    const { code, out, err } = await replayed("c.pcapng --config o.cfg --verdicts /forbidden/v");
    expect({ code, out, err }).toEqual({
      code: EXIT.badInput,
      out: "",
      err: "error: /forbidden/v: permission denied\n",
    });
  });
});

describe("--write", () => {
  function packetsOf(file: Uint8Array) {
    const reader = new CaptureReader();
    reader.push(file);
    const packets = [];
    for (let batch = reader.next(); batch !== undefined; batch = reader.next()) {
      for (let i = 0; i < batch.count; i++) {
        const packet = batch.packet(i);
        packets.push({ ...packet, data: packet.data.slice() });
      }
    }
    reader.end();
    expect(reader.next()).toBeUndefined();
    expect(reader.error).toBeUndefined();
    return { packets, interfaces: [...reader.interfaces] };
  }

  test("the capture, with the verdict as the last comment of each packet", async () => {
    const entries = [{ ...STRAY, comments: ["hello"] }, ...connection(300)];
    const { io } = await replayed("in.pcapng --config o.cfg --write out.pcapng", {
      files: { "in.pcapng": captureOf(entries) },
    });
    const { packets, interfaces } = packetsOf(io.files.get("out.pcapng")!);
    expect(packets.map(({ data }) => data)).toEqual(entries.map(({ data }) => data));
    expect(interfaces).toMatchObject([{ name: "eth0", linkType: 1 }]);
    expect(packets[0]!.comments).toEqual([
      "hello",
      "drop acl_in_deny: denied by an entry of the inbound list; in GigabitEthernet0/1; rule OUTSIDE-IN 30",
    ]);
    expect(packets[2]!.comments).toEqual([
      "pass established: belongs to a session; in GigabitEthernet0/1; out GigabitEthernet0/0; session 00000001",
    ]);
    expect(packets.map(({ timeSeconds, timeNanos }) => timeSeconds * 1000 + timeNanos / 1e6)).toEqual(
      entries.map(({ ms }) => 1_700_000_000_000 + ms),
    );
  });

  test("--only drop leaves out the others, and changes no count", async () => {
    const { io, out } = await replayed("c.pcapng --config o.cfg --json --write out.pcapng --only drop");
    const { packets } = packetsOf(io.files.get("out.pcapng")!);
    expect(packets.map(({ data }) => data)).toEqual([STRAY.data]);
    expect(JSON.parse(out)).toMatchObject({ packets: 11 });
  });

  test("interfaces that have no packet yet keep their numbers", async () => {
    const entries = connection().map((entry, i) => ({ ...entry, interfaceIndex: i % 3 }));
    const links = ["a", "b", "c"].map((name) => ({ linkType: 1, name }));
    const { io } = await replayed("in.pcapng --config o.cfg --write out.pcapng", {
      files: { "in.pcapng": captureOf(entries, links) },
    });
    const { packets, interfaces } = packetsOf(io.files.get("out.pcapng")!);
    expect(interfaces.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(packets.map(({ interfaceIndex }) => interfaceIndex)).toEqual(entries.map((_, i) => i % 3));
  });
});

test("--log writes lines as IOS does, in the time of the capture", async () => {
  const entries = Array.from({ length: 4 }, (_, i) => ({ data: STRAY.data, ms: 100 * i }));
  const { io } = await replayed("in.pcapng --config o.cfg --log log.txt", {
    files: { "in.pcapng": captureOf(entries) },
  });
  const flow = "%SEC-6-IPACCESSLOGP: list OUTSIDE-IN denied udp 198.51.100.7(5000) -> 10.1.1.5(7)";
  expect(io.text("log.txt")).toBe(
    `Nov 14 22:13:20.000: ${flow}, 1 packet\nNov 14 22:13:20.300: ${flow}, 3 packets\n`,
  );
});

describe("where packets enter", () => {
  const out = udp({ sourcePort: 1000, destinationPort: 2000 });
  const back = udp({ sourcePort: 2000, destinationPort: 1000 });
  const exchange = [
    { data: ethernet(ip({ source: "172.16.0.9", destination: "8.8.8.8" }, out)), ms: 0, interfaceIndex: 0 },
    { data: ethernet(ip({ source: "8.8.8.8", destination: "172.16.0.9" }, back)), ms: 1, interfaceIndex: 1 },
    { data: ethernet(ip({ source: "8.8.4.4", destination: "172.16.0.9" }, back)), ms: 2, interfaceIndex: 1 },
  ];
  const links = [
    { linkType: 1, name: "lan" },
    { linkType: 1, name: "wan" },
  ];
  const files = { "x.pcapng": captureOf(exchange, links) };
  const summary = async (line: string, more: Record<string, string> = {}) => {
    const { code, io, err } = await replayed(`x.pcapng ${line} --verdicts v`, {
      files: { ...files, ...more },
    });
    return {
      code,
      err,
      lines: linesOf(io.text("v")).map(({ n, in: from, out: to, reason }) => [n, from, to, reason]),
    };
  };
  const [A, B] = ["GigabitEthernet0/0", "GigabitEthernet0/1"];

  test("--inside: by side, no route needed", async () => {
    expect((await summary("--config sides.cfg --inside 172.16.0.0/12")).lines).toEqual([
      [1, A, B, "new_session"],
      [2, B, A, "established"],
      [3, B, null, "acl_in_deny"],
    ]);
  });

  test("--on: by the interface of the capture, number or name", async () => {
    for (const on of ["--on Gi0/0=0 --on Gi0/1=1", "--on Gi0/0=lan --on GigabitEthernet0/1=wan"]) {
      expect((await summary(`--config sides.cfg ${on}`)).lines).toEqual([
        [1, A, null, "no_route"],
        [2, B, null, "acl_in_deny"],
        [3, B, null, "acl_in_deny"],
      ]);
    }
  });

  test("--on with an interface that one of the two does not have", async () => {
    expect(await summary("--config sides.cfg --on Gi0/7=0")).toMatchObject({
      code: EXIT.badInput,
      lines: [],
    });
    const { code, err, lines } = await summary("--config sides.cfg --on Gi0/0=wlan");
    expect(code).toBe(EXIT.badInput);
    expect(err).toBe('error: the capture has no interface "wlan"; it has 0 (lan), 1 (wan)\n');
    expect(lines).toHaveLength(3);
  });

  test("--ingress: by a list, and out by the other one of two", async () => {
    const list = "Gi0/0\nGi0/1\nGi0/1\n";
    expect((await summary("--config sides.cfg --ingress in.txt", { "in.txt": list })).lines).toEqual([
      [1, A, B, "new_session"],
      [2, B, A, "established"],
      [3, B, null, "acl_in_deny"],
    ]);
  });

  test("--ingress: packets that are not sent have no verdict", async () => {
    const list = "Gi0/0\n-\n-\n";
    const { lines } = await summary("--config sides.cfg --ingress in.txt", { "in.txt": list });
    expect(lines).toEqual([[1, A, B, "new_session"]]);
    const { out: report } = await replayed("x.pcapng --config sides.cfg --ingress in.txt --json", {
      files: { ...files, "in.txt": list },
    });
    expect(JSON.parse(report)).toMatchObject({
      packets: 3,
      notSent: 2,
      verdicts: { pass: 1, drop: 0, local: 0 },
    });
  });

  test("--ingress that is too short, or names what is not there", async () => {
    const short = await summary("--config sides.cfg --ingress in.txt", { "in.txt": "Gi0/0\n" });
    expect(short).toMatchObject({
      code: EXIT.badInput,
      err: "error: in.txt: 1 line, but the capture goes on with packet 2\n",
    });
    expect(short.lines).toHaveLength(1);
    const wrong = await summary("--config sides.cfg --ingress in.txt", { "in.txt": "Gi0/0\nGi0/3\n" });
    expect(wrong.code).toBe(EXIT.badInput);
    expect(wrong.err).toContain(
      'in.txt:2:1: error: no interface "Gi0/3" in the configuration\n  Gi0/3\n  ^~~~~\n',
    );
    expect(await summary("--config sides.cfg --ingress none.txt")).toMatchObject({
      code: EXIT.badInput,
      err: "error: none.txt: no such file or directory\n",
    });
  });

  test("--mac drops frames for other stations", async () => {
    const reasons = async (mac: string) => {
      const { io } = await replayed(
        `x.pcapng --config sides.cfg --inside 172.16.0.0/12 --verdicts v --mac ${mac}`,
        { files },
      );
      return linesOf(io.text("v")).map(({ reason }) => reason);
    };
    expect(await reasons("Gi0/0=02:00:00:00:00:0a --mac Gi0/1=0200.0000.000a")).toEqual([
      "new_session",
      "established",
      "acl_in_deny",
    ]);
    expect((await reasons("Gi0/1=02:00:00:00:00:ff"))[1]).toBe("not_for_us");
  });
});

test("--no-checksums passes what a NIC has not finished", async () => {
  const frame = udpFrame(true, 7);
  frame[frame.length - 5]! ^= 1;
  const files = { "in.pcapng": captureOf([{ data: frame, ms: 0 }]) };
  const reasons = async (line: string) =>
    (
      JSON.parse((await replayed(`in.pcapng --config o.cfg --json${line}`, { files })).out) as {
        reasons: object;
      }
    ).reasons;
  expect(await reasons("")).toEqual({ udp_checksum: 1 });
  expect(await reasons(" --no-checksums")).toEqual({ new_session: 1 });
});

test("--sessions, --fragments and --rules set what there is room for", async () => {
  const { out } = await replayed("c.pcapng --config o.cfg --sessions 2048 --fragments 64 --json");
  expect(JSON.parse(out)).toMatchObject({ sessions: { capacity: 2048 } });
  const { code, err } = await replayed("c.pcapng --config o.cfg --rules 2");
  expect(code).toBe(EXIT.badInput);
  expect(err).toMatch(/^error: .*3 entries/);
});

test("a configuration of more rules than usual has room", async () => {
  const rules = Array.from({ length: 6000 }, (_, i) => ` permit udp any any eq ${1000 + i}\n`).join("");
  const files = { "many.cfg": OFFICE.replace(" deny ip any any log\n", `${rules} deny ip any any log\n`) };
  const { code, out } = await replayed("c.pcapng --config many.cfg --json", { files });
  expect(code).toBe(EXIT.done);
  expect((JSON.parse(out) as { acls: { rules: unknown[] }[] }).acls[0]!.rules).toHaveLength(6003);
});

describe("bad input", () => {
  test("a capture that is cut short: everything before, then the place, at every length", async () => {
    for (let length = 24; length < CAPTURE.length; length += 13) {
      const file = CAPTURE.subarray(0, length);
      const { code, err, io, out } = await replayed("cut.pcapng --config o.cfg --json --verdicts v", {
        files: { "cut.pcapng": file },
      });
      const report = JSON.parse(out) as { packets: number; error?: string };
      expect(linesOf(io.text("v"))).toHaveLength(report.packets);
      if (code === EXIT.done) {
        // The cut fell between two blocks.
        expect(err).toBe("");
        expect(report.error).toBeUndefined();
      } else {
        expect(code).toBe(EXIT.badInput);
        expect(err).toMatch(/^error: cut\.pcapng: byte \d+, (block \d+|file header): .+\n$/);
        expect(err).toBe(`error: ${report.error}\n`);
      }
    }
  });

  test("a file that is no capture", async () => {
    const { code, out, err } = await replayed("o.cfg --config o.cfg");
    expect(code).toBe(EXIT.badInput);
    expect(out).toContain("0 packets");
    expect(err).toMatch(/^error: o\.cfg: byte 0, file header: neither pcap nor pcapng/);
  });

  test("a disk that breaks while it is read: everything before, then what happened", async () => {
    const { code, out, err } = await replayed("c.pcapng --config o.cfg --json", {
      failing: { path: "c.pcapng", after: 600 },
    });
    expect(code).toBe(EXIT.badInput);
    expect((JSON.parse(out) as { packets: number }).packets).toBeGreaterThan(0);
    expect(err).toBe("error: c.pcapng: the disk is broken\n");
  });

  test.each([
    ["no.pcapng --config o.cfg", "error: no.pcapng: no such file or directory\n"],
    ["c.pcapng --config no.cfg", "error: no.cfg: no such file or directory\n"],
  ])("%s", async (line, err) => {
    expect(await replayed(line)).toMatchObject({ code: EXIT.badInput, out: "", err });
  });

  test("a configuration with an error", async () => {
    const files = { "bad.cfg": OFFICE.replace("ip inspect FW out", "ip inspekt FW out") };
    const { code, out, err } = await replayed("c.pcapng --config bad.cfg", { files });
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: "" });
    expect(err).toMatch(
      /^bad\.cfg:12:5: error: .*\n {3}ip inspekt FW out\n {6}\^~~~~~~\n[\s\S]*did you mean "inspect"\?\n$/,
    );
    expect((await replayed("c.pcapng --config bad.cfg --lenient", { files })).code).toBe(EXIT.done);
  });
});

describe("progress", () => {
  const entries = Array.from({ length: 3000 }, (_, i) => ({ data: udpFrame(true, 7), ms: i }));
  const files = { "big.pcapng": captureOf(entries) };

  test("on a terminal: a line that is gone in the end", async () => {
    const { err } = await replayed("big.pcapng --config o.cfg", {
      files,
      terminal: true,
      tickMs: 60,
      chunkSize: 20_000,
    });
    expect(err).toMatch(/\r\u001b\[K█+░+ {2} ?\d+\.\d % {2}[\d,]+ packets {2}[\d,]+ packets\/s/);
    expect(err.endsWith("\r\u001b[K")).toBe(true);
    for (const line of err.split("\r\u001b[K")) expect(line.length).toBeLessThan(80);
  });

  test("of standard input: how much has been read", async () => {
    const { err } = await replayed("- --config o.cfg", {
      stdin: files["big.pcapng"],
      terminal: true,
      tickMs: 60,
    });
    expect(err).toMatch(/\r\u001b\[K[\d.]+ kB {2}[\d,]+ packets/);
  });

  test.each([
    ["not on a terminal", "", { tickMs: 60 }],
    ["not among lines that go to the same terminal", " --verdicts -", { terminal: true, tickMs: 60 }],
  ])("%s", async (_, more, options) => {
    const { err } = await replayed(`big.pcapng --config o.cfg${more}`, { files, ...options });
    expect(err).not.toContain("\r");
  });
});
