/** What a box on the wire tells: syslog, its log file, metrics, captures, systemd. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Box, Lab, requireLab } from "./lab.js";
import type { Program } from "./program.js";
import { until } from "./system.js";

const MAIN = new URL("../../dist/src/main.js", import.meta.url).pathname;
const [INSIDE, OUTSIDE] = ["10.1.0.10", "10.2.0.10"];
const [SYSLOG_PORT, METRICS_PORT] = [5514, 9469];

const CONFIG = `
hostname fw1
service timestamps log datetime msec
logging host 127.0.0.1 transport udp port ${SYSLOG_PORT}
ip inspect name FW tcp audit-trail on
ip inspect name FW icmp audit-trail on timeout 5
interface GigabitEthernet0/0
 ip address 10.1.0.1 255.255.255.0
 ip inspect FW in
interface GigabitEthernet0/1
 ip address 10.2.0.1 255.255.255.0
 ip access-group OUT in
ip access-list extended OUT
 10 deny ip any any log
end
`;

/** Prints every datagram that comes to a UDP port, or to the path of a Unix socket. */
const RECEIVER = `
import socket, sys
where = sys.argv[1]
if where.isdigit():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", int(where)))
else:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(where)
print("listening", flush=True)
while True:
    print(repr(s.recv(65536).decode()), flush=True)
`;

let lab: Lab | undefined;
afterEach(() => {
  lab?.close();
  lab = undefined;
});

async function receiver(box: Box, where: string): Promise<Program> {
  const program = box.start("python3", ["-c", RECEIVER, where]);
  await program.line((line) => line === "listening");
  return program;
}

const host = (lan: string, address: string, via: string) => ({
  ports: [{ device: "eth0", lan, addresses: [`${address}/24`], routes: [{ to: "default", via }] }],
});

describe.skipIf(!requireLab("python3", "curl", "ping", "tshark"))("a box on the wire", () => {
  test("tells what it does", async () => {
    lab = Lab.build({
      boxes: {
        inside: host("in", INSIDE, "10.1.0.1"),
        fw: {
          ports: [
            { device: "eth0", lan: "in" },
            { device: "eth1", lan: "out" },
          ],
        },
        outside: host("out", OUTSIDE, "10.2.0.1"),
      },
    });
    const [fw, inside, outside] = ["fw", "inside", "outside"].map((name) => lab!.box(name)) as [
      Box,
      Box,
      Box,
    ];
    const path = (name: string): string => join(lab!.directory, name);
    writeFileSync(path("fw.cfg"), CONFIG);
    const syslog = await receiver(fw, String(SYSLOG_PORT));
    const systemd = await receiver(fw, path("notify"));
    const server = outside.start("python3", ["-m", "http.server", "--bind", OUTSIDE, "8000"]);
    const [log, socket] = [path("fw.log"), path("console.sock")];
    const node = (...words: string[]) => [process.execPath, MAIN, ...words] as const;
    const [program, ...words] = node(
      ...["run", "--config", path("fw.cfg"), "--map", "Gi0/0=eth0", "--map", "Gi0/1=eth1"],
      ...["--socket", socket, "--log-file", log, "--log-format", "json", "--metrics", String(METRICS_PORT)],
      ...["--sessions", "1024"],
    );
    const box = fw.start(program, words, {
      environment: { NOTIFY_SOCKET: path("notify"), WATCHDOG_USEC: "400000", CI: "" },
    });
    await systemd.line((line) => line.includes("READY=1"), 0, 30_000);
    await systemd.line((line) => line.includes("WATCHDOG=1"));
    const say = (command: string): string => {
      const [first, ...rest] = node("console", "--socket", socket, command);
      return fw.run(first, rest);
    };

    for (const line of ["interface GigabitEthernet0/0 both", "interface GigabitEthernet0/1 both", "start"])
      say(`monitor capture CAP ${line}`);
    await until("the server", async () => {
      try {
        return inside
          .run("curl", ["-s", "--max-time", "2", `http://${OUTSIDE}:8000/`])
          .includes("Directory listing");
      } catch {
        return false;
      }
    });
    expect(() => outside.run("ping", ["-c", "1", "-W", "1", INSIDE])).toThrow();

    // The access list, and the audit trail with the id of the session, reach the syslog host.
    const denied = await syslog.line((line) => line.includes("IPACCESSLOGDP"));
    expect(denied).toMatch(
      /^'<190>1 \S+Z fw1 twinwall \d+ SEC-IPACCESSLOGDP \[meta .*\]\[origin .*\]\[twinwall@32473 /,
    );
    expect(denied).toContain('rule="OUT 10" ruleText="deny ip any any log"');
    expect(denied).toContain(`source="${OUTSIDE}" destination="${INSIDE}"`);
    const audit = await syslog.line((line) => line.includes("SESS_AUDIT_TRAIL_START"));
    const [, session] = / session="([0-9A-Fa-f]+)"/.exec(audit)!;

    // The file has the same as JSON, and goes on under its name after a rotation.
    const records = (file: string) =>
      readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await until("the file has it", async () => readFileSync(log, "utf8").includes("SESS_AUDIT_TRAIL_START"));
    expect(records(log)).toContainEqual(
      expect.objectContaining({
        mnemonic: "SESS_AUDIT_TRAIL_START",
        session,
        source: INSIDE,
        destination: OUTSIDE,
      }),
    );
    renameSync(log, `${log}.1`);
    box.signal("SIGHUP");
    await until("a new file", async () => existsSync(log));

    const metrics = (): string => fw.run("curl", ["-s", `http://127.0.0.1:${METRICS_PORT}/metrics`]);
    const value = (name: string): number =>
      Number(new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (.*)$`, "m").exec(metrics())?.[1]);
    expect(value('twinwall_packets_total{verdict="drop",reason="acl_in_deny"}')).toBeGreaterThanOrEqual(1);
    expect(value('twinwall_sessions_created_total{protocol="tcp"}')).toBeGreaterThanOrEqual(1);
    expect(value('twinwall_thread_up{thread="dataplane"}')).toBe(1);
    expect(value('twinwall_interface_up{interface="GigabitEthernet0/0"}')).toBe(1);
    expect(
      fw.run("curl", [
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        `http://127.0.0.1:${METRICS_PORT}/healthz`,
      ]),
    ).toBe("200");

    // The capture has each packet of the connection twice, and what was dropped with the rule that did it.
    say(`monitor capture CAP export ${path("cap.pcapng")}`);
    const dissect = (filter: string, ...fields: string[]): string[] =>
      fw
        .run("tshark", [
          "-r",
          path("cap.pcapng"),
          "-Y",
          filter,
          "-T",
          "fields",
          ...fields.flatMap((each) => ["-e", each]),
        ])
        .trimEnd()
        .split("\n");
    const syns = dissect(
      `tcp.flags.syn==1 && tcp.flags.ack==0 && tcp.dstport==8000`,
      "frame.interface_name",
      "ip.ttl",
      "frame.comment",
    );
    expect(syns[0]).toMatch(/^GigabitEthernet0\/0\t64\tin: pass new_session: /);
    expect(syns[1]).toMatch(/^GigabitEthernet0\/1\t63\tout: pass new_session: /);
    const [ping] = dissect("icmp.type==8", "frame.interface_name", "frame.comment");
    expect(ping).toMatch(/^GigabitEthernet0\/1\tin: drop acl_in_deny: .*; rule OUT 10$/);

    // Beside packets that pass it has those that the box itself sends.
    inside.run("ping", ["-c", "1", "-W", "2", OUTSIDE]);
    inside.run("ping", ["-c", "1", "-W", "2", "10.1.0.1"]);
    say(`monitor capture CAP export ${path("own.pcapng")}`);
    const own = fw.run("tshark", [
      ...["-r", path("own.pcapng"), "-Y", 'frame.comment contains "sent by this box"'],
      ...["-T", "fields", "-e", "frame.interface_name", "-e", "arp.opcode", "-e", "icmp.type"],
    ]);
    expect(own).toMatch(/^GigabitEthernet0\/0\t2\t$/m); // here is the router
    expect(own).toMatch(/^GigabitEthernet0\/0\t\t0$/m); // the answer to the ping
    expect(own).toMatch(/^GigabitEthernet0\/1\t\t3,8$/m); // administratively prohibited
    expect(own).not.toMatch(/\t8$/m); // what passes is not the box's

    // Debug: a condition keeps everything else away, sessions are told of without an audit trail, and a flood is bounded.
    for (const line of [
      "debug ip packet drop",
      "debug arp",
      "debug ip icmp",
      "debug ip inspect object-creation",
    ])
      expect(say(line)).toBe(`${line} is on\n`);
    say("debug condition ip 10.1.0.10");
    expect(() => outside.run("ping", ["-c", "1", "-W", "1", INSIDE])).toThrow();
    inside.run("curl", ["-s", "-o", "/dev/null", "--max-time", "2", `http://${OUTSIDE}:8000/`]);
    inside.run("ping", ["-c", "1", "-W", "2", "10.1.0.1"]);
    expect(() => outside.run("ping", ["-c", "1", "-W", "1", "10.2.0.1"])).toThrow();
    await until("the lines", async () => say("show logging | include DEBUG").includes("echo reply"));
    const lines = say("show logging | include DEBUG");
    expect(lines).toMatch(
      /DEBUG: IP: s=10\.2\.0\.10 \(GigabitEthernet0\/1\), d=10\.1\.0\.10, len 84, ICMP type 8 code 0, drop acl_in_deny: .*, rule OUT 10$/m,
    );
    expect(lines).toMatch(
      /DEBUG: CBAC OBJ_CREATE: create sis \w+ tcp \(10\.1\.0\.10:\d+\) => \(10\.2\.0\.10:8000\)$/m,
    );
    expect(lines).toMatch(
      /DEBUG: ICMP: echo rcvd, src 10\.1\.0\.10, dst 10\.1\.0\.1, .*\(.*echo_answered.*\)$/m,
    );
    expect(lines).not.toContain("d=10.2.0.1,");
    inside.run("ping", ["-q", "-i", "0.002", "-c", "400", "-W", "1", "10.1.0.1"]);
    await until("the bound", async () => /DEBUGLOST: left out \d+/.test(say("show logging")));
    expect(say("show debugging")).toMatch(/Condition 1: ip 10\.1\.0\.10\n\d+ lines dropped/);
    expect(say("undebug all")).toContain("turned off");
    say("no debug condition ip 10.1.0.10");
    expect(say("show debugging | include debug|Condition")).toBe("");

    // A session that ends while nothing happens is in the audit trail, too.
    await syslog.line((line) => line.includes("SESS_AUDIT_TRAIL: Stop icmp session"), 0, 15_000);

    // What is cleared counts anew on the console, and goes on in the metrics.
    const created = () => Number(/or last reset (\d+)/.exec(say("show ip inspect statistics"))?.[1]);
    expect(created()).toBeGreaterThanOrEqual(2);
    const before = value('twinwall_sessions_created_total{protocol="tcp"}');
    for (const what of [
      "ip inspect statistics",
      "ip inspect ha statistics",
      "counters",
      "access-list counters",
    ])
      expect(say(`clear ${what}`)).toBe("");
    expect(created()).toBe(0);
    expect(say("show access-lists OUT")).toBe("Extended IP access list OUT\n    10 deny   ip any any log\n");
    expect(value('twinwall_sessions_created_total{protocol="tcp"}')).toBe(before);

    // What cannot be done live is refused before anything changes, and what can is in force.
    writeFileSync(
      path("other.cfg"),
      CONFIG.replace(
        "ip access-list",
        "interface GigabitEthernet0/5\n ip address 10.5.0.1 255.255.255.0\nip access-list",
      ),
    );
    const refused = "GigabitEthernet0/5 has an address but no device: it takes a restart";
    expect(() => say(`configure replace ${path("other.cfg")}`)).toThrow(
      `% the configuration is refused, and nothing has changed\n${refused}`,
    );
    expect(say(`configure check ${path("other.cfg")}`)).toContain(`% refused: ${refused}`);
    expect(say("show running-config | include 0/5")).toBe("");
    writeFileSync(path("other.cfg"), CONFIG.replace("hostname fw1", "hostname fw2"));
    expect(say(`configure replace ${path("other.cfg")} confirm`)).toContain("The configuration is in force.");
    expect(say("show running-config | include hostname")).toBe("hostname fw2\n");

    await box.stop();
    await systemd.line((line) => line.includes("STOPPING=1"));
    await server.stop();
  }, 120_000);
});
