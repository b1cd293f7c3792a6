/**
 * One firewall between real clients and real servers: what inside opens works, at full size and in fragments, and outside
 * opens nothing, whatever it tries.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Firewall } from "./firewall.js";
import { type Box, Lab, type LabPlan, requireLab } from "./lab.js";
import { run, until } from "./system.js";
import { churn, hold, serve } from "./traffic.js";

const isPossible = requireLab(
  ...[
    "sysctl",
    "cc",
    "curl",
    "iperf3",
    "socat",
    "dig",
    "dnsmasq",
    "ping",
    "traceroute",
    "nmap",
    "dumpcap",
    "tshark",
  ],
);

const INSIDE = { host: "10.1.0.10", gateway: "10.1.0.1" };
const OUTSIDE = { host: "10.2.0.10", gateway: "10.2.0.1" };
/** A third network whose links carry smaller packets. */
const NARROW = { host: "10.4.0.10", gateway: "10.4.0.1", mtu: 1400 };
const ECHO = { port: 7000, ports: 2 };
const HTTP_PORT = 8080;
const PLAIN_PORT = 9000;
const BODY_BYTES = 8 << 20;

const host = (lan: string, own: { host: string; gateway: string; mtu?: number }) => ({
  ports: [
    {
      device: "eth0",
      lan,
      addresses: [`${own.host}/24`],
      routes: [{ to: "default", via: own.gateway }],
      ...(own.mtu === undefined ? {} : { mtu: own.mtu }),
    },
  ],
});

const PLAN: LabPlan = {
  boxes: {
    inside: host("in", INSIDE),
    firewall: {
      ports: [
        { device: "eth0", lan: "in" },
        { device: "eth1", lan: "out" },
        { device: "eth2", lan: "narrow", mtu: NARROW.mtu },
      ],
      sysctls: { "net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1 },
    },
    outside: host("out", OUTSIDE),
    narrow: host("narrow", NARROW),
  },
};

const CONFIG = `hostname single
ip inspect tcp max-incomplete host 5000 block-time 0
ip inspect name FW tcp
ip inspect name FW udp
ip inspect name FW icmp
interface GigabitEthernet0/0
 ip address ${INSIDE.gateway} 255.255.255.0
 ip access-group INSIDE-IN in
interface GigabitEthernet0/1
 ip address ${OUTSIDE.gateway} 255.255.255.0
 ip access-group OUTSIDE-IN in
 ip inspect FW out
interface GigabitEthernet0/2
 ip address ${NARROW.gateway} 255.255.255.0
 ip access-group OUTSIDE-IN in
 ip inspect FW out
ip access-list extended INSIDE-IN
 permit ip 10.1.0.0 0.0.0.255 any
ip access-list extended OUTSIDE-IN
 deny   ip any any
end
`;

const DEVICES = ["eth0", "eth1", "eth2"];

/** Serves the file to whoever asks. */
const webServer = (file: string) => `
const body = require("node:fs").readFileSync(${JSON.stringify(file)});
require("node:http").createServer((_, response) => response.end(body))
  .listen(${HTTP_PORT}, () => console.log("ready"));`;

class Bed {
  readonly lab = Lab.build(PLAN);
  readonly inside = this.lab.box("inside");
  readonly outside = this.lab.box("outside");
  readonly firewall: Firewall;
  readonly body = join(this.lab.directory, "body");

  constructor(backend: string) {
    this.firewall = new Firewall(this.lab.box("firewall"), {
      config: CONFIG,
      devices: DEVICES,
      options: ["--backend", backend],
    });
  }

  async start(): Promise<void> {
    writeFileSync(this.body, randomBytes(BODY_BYTES));
    const web = this.outside.start(process.execPath, ["-e", webServer(this.body)]);
    const names = this.outside.start("dnsmasq", [
      ...["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="],
      ...[
        "--user=root",
        "--bind-interfaces",
        "--interface=eth0",
        "--edns-packet-max=4096",
        "--address=/www.example.test/192.0.2.7",
      ],
      "--txt-record=long.example.test," + Array.from({ length: 12 }, () => "x".repeat(200)).join(","),
    ]);
    const iperf = this.outside.start("iperf3", ["--server", "--forceflush"]);
    this.outside.start("socat", [`TCP-LISTEN:${PLAIN_PORT},reuseaddr,fork`, "EXEC:cat"]);
    await serve(this.outside, ECHO.port, { ports: ECHO.ports });
    await serve(this.lab.box("narrow"), ECHO.port);
    await serve(this.inside, ECHO.port);
    await Promise.all([
      web.line((line) => line === "ready"),
      names.line((line) => line.includes("started")),
      iperf.line((line) => line.includes("listening")),
      this.firewall.start(),
    ]);
    // The first packet asks for the neighbours.
    await until("an answer through the firewall", () => pings(this.inside, OUTSIDE.host, "-c1", "-W1"));
    await until("an answer through the firewall", () => pings(this.inside, NARROW.host, "-c1", "-W1"));
  }

  close(): void {
    this.lab.close();
  }
}

/** What a command says, also when it fails. */
function tell(box: Box, command: string, ...parameters: readonly string[]): string {
  return box.run("sh", ["-c", `"$0" "$@" 2>&1 || true`, command, ...parameters]);
}

/** Does an answer come? */
function pings(box: Box, address: string, ...options: readonly string[]): boolean {
  return / 0% packet loss/.test(tell(box, "ping", "-n", ...options, address));
}

describe.skipIf(!isPossible).sequential.each(["xdp-driver", "packet"])("real programs, by %s", (backend) => {
  let bed: Bed;

  beforeAll(async () => {
    bed = new Bed(backend);
    await bed.start();
  });
  afterAll(() => bed?.close());

  test("HTTP: curl fetches 8 MiB, byte for byte", () => {
    const copy = join(bed.lab.directory, "copy");
    bed.inside.run("curl", ["-sS", "--max-time", "30", "-o", copy, `http://${OUTSIDE.host}:${HTTP_PORT}/`]);
    expect(readFileSync(copy).equals(readFileSync(bed.body))).toBe(true);
  });

  test("iperf3 in both directions", () => {
    for (const direction of [[], ["--reverse"]]) {
      const said = bed.inside.run("iperf3", ["--client", OUTSIDE.host, "--json", "-t", "1", ...direction]);
      const { end } = JSON.parse(said) as { end: { sum_received: { bytes: number } } };
      expect(end.sum_received.bytes).toBeGreaterThan(BODY_BYTES);
    }
  });

  test("socat: what goes there comes back, also after one end has closed its half", () => {
    const text = randomBytes(1 << 19).toString("hex");
    const echo = bed.inside.run("socat", ["-t", "10", "-", `TCP:${OUTSIDE.host}:${PLAIN_PORT}`], text);
    expect(echo === text).toBe(true);
  });

  test("DNS: dig by UDP, with an answer in fragments, and by TCP", () => {
    const dig = (...more: string[]) =>
      bed.inside.run("dig", [`@${OUTSIDE.host}`, "+short", "+time=3", "+tries=2", ...more]).trim();
    expect(dig("www.example.test")).toBe("192.0.2.7");
    expect(dig("+tcp", "www.example.test")).toBe("192.0.2.7");
    const long = dig("+bufsize=4096", "+ignore", "long.example.test", "TXT");
    expect(long.match(/x{200}/g)).toHaveLength(12);
  });

  test("ping: of a host, of the firewall itself, and in fragments", () => {
    expect(pings(bed.inside, OUTSIDE.host, "-c5", "-i0.05", "-W2")).toBe(true);
    expect(pings(bed.inside, INSIDE.gateway, "-c5", "-i0.05", "-W2")).toBe(true);
    expect(pings(bed.inside, OUTSIDE.host, "-c3", "-i0.05", "-W2", "-s4000")).toBe(true);
  });

  test("traceroute sees the firewall and the host behind it", () => {
    // By datagrams to high ports, and by echo requests.
    for (const method of [[], ["--icmp"]]) {
      const said = tell(bed.inside, "traceroute", "-n", ...method, "-q1", "-w3", "-m4", OUTSIDE.host);
      expect(said).toMatch(new RegExp(`1  ${INSIDE.gateway} .*\n.*2  ${OUTSIDE.host} `));
    }
  });

  test("path MTU: a packet that must not be fragmented is refused with the MTU, another one is fragmented", () => {
    const size = String(NARROW.mtu);
    const refused = tell(bed.inside, "ping", "-n", "-c1", "-W2", "-Mdo", "-s", size, NARROW.host);
    expect(refused).toContain(`From ${INSIDE.gateway}`);
    expect(refused).toMatch(new RegExp(`mtu = ${NARROW.mtu}`));
    bed.inside.run("ip", ["route", "flush", "cache"]);
    expect(pings(bed.inside, NARROW.host, "-c2", "-i0.05", "-W2", "-Mdont", "-s", size)).toBe(true);
  });

  test("outside opens nothing, and sees nothing", async () => {
    const file = join(bed.lab.directory, "in.pcapng");
    const capture = await bed.lab.capture("in", file, `src host ${OUTSIDE.host}`);
    expect(pings(bed.outside, INSIDE.host, "-c2", "-i0.2", "-W1")).toBe(false);
    expect(pings(bed.outside, OUTSIDE.gateway, "-c2", "-i0.2", "-W1")).toBe(false);
    for (const target of [INSIDE.host, OUTSIDE.gateway]) {
      const scan = ["-n", "-Pn", "-sS", "-sU", "-pT:22,80,5000,7000,U:53,1985,3784,5000,7000,9899"];
      const said = bed.outside.run("nmap", [...scan, "--max-retries", "1", "--host-timeout", "30s", target]);
      // `open|filtered` is what nmap calls a UDP port that does not answer.
      expect(said).not.toMatch(/\bopen\b(?!\|filtered)/);
      expect(said).toMatch(/filtered/);
    }
    const short = await churn(bed.outside, INSIDE.host, ECHO.port, {
      rate: 20,
      seconds: 1,
      "timeout-ms": 1000,
    });
    const { summary } = await short.finished(10_000);
    expect(summary.begun).toBeGreaterThan(0);
    expect(summary.ok).toBe(0);
    await capture.stop("SIGINT");
    expect(run("tshark", ["-r", file])).toBe("");
  });

  test("the console shows what goes on", async () => {
    const held = await hold(bed.inside, OUTSIDE.host, ECHO.port, { count: 3 });
    const { firewall } = bed;
    const sessions = await firewall.type("show ip inspect sessions");
    expect(sessions).toContain("Established Sessions");
    expect(
      sessions.match(new RegExp(`\\(${INSIDE.host}:\\d+\\)=>\\(${OUTSIDE.host}:${ECHO.port}\\)`, "g")),
    ).toHaveLength(3);
    const interfaces = await firewall.type("show interfaces");
    for (const number of [0, 1, 2]) expect(interfaces).toContain(`GigabitEthernet0/${number} is up`);
    const arp = await firewall.type("show arp");
    for (const address of [INSIDE.host, OUTSIDE.host, NARROW.host]) expect(arp).toContain(address);
    expect(firewall.packetsBy).toContain(backend === "packet" ? "AF_PACKET" : "AF_XDP");
    expect((await held.stop()).summary).toMatchObject({ open: 3, wrong: 0 });
  });

  test("configure terminal changes a list under connections that go on", async () => {
    const held = await hold(bed.inside, OUTSIDE.host, ECHO.port, { count: 20, rate: 50 });
    const second = ECHO.port + 1;
    const opens = async () => {
      const short = await churn(bed.inside, OUTSIDE.host, second, {
        rate: 20,
        seconds: 1,
        "timeout-ms": 1500,
      });
      return (await short.finished(15_000)).summary.ok;
    };
    expect(await opens()).toBeGreaterThan(0);
    const list = ["configure terminal", "ip access-list extended INSIDE-IN"];
    await bed.firewall.type(...list, `5 deny tcp any any eq ${second}`, "end");
    expect(await bed.firewall.type("show access-lists INSIDE-IN")).toMatch(
      new RegExp(`5 deny\\s+tcp any any eq ${second}`),
    );
    expect(await opens()).toBe(0);
    await bed.firewall.type(...list, "no 5", "end");
    expect(await opens()).toBeGreaterThan(0);
    const { summary, connections } = await held.stop();
    expect(summary).toMatchObject({ open: 20, stalled: 0, wrong: 0 });
    for (const { gapMs } of connections) expect(gapMs).toBeLessThan(2000);
  });
});

describe.skipIf(!isPossible)("a dry run", () => {
  test("says what it would do, and changes nothing", () => {
    const bed = new Bed("auto");
    try {
      const { box } = bed.firewall;
      const look = () => box.run("ip", ["-details", "link"]) + box.run("ethtool", ["-k", "eth0"]);
      const before = look();
      const said = box.run(process.execPath, bed.firewall.parameters("--dry-run"));
      for (const device of DEVICES) expect(said).toContain(`on ${device}: `);
      expect(look()).toBe(before);
    } finally {
      bed.close();
    }
  });
});
