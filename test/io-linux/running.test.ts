/** What changes under a box that runs: its configuration, and a device that goes away and comes again as another one. */
import { type ChildProcessWithoutNullStreams, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectConsole } from "../../src/io/console/client.js";
import { isProblem } from "../../src/io/io.js";
import { isSkipped, Lab, run } from "./lab.js";

const MAIN = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));
const DEADLINE_MS = 30_000;
const POLL_MS = 50;

const CONFIGURATION = `
hostname box
ip inspect name FW icmp
interface GigabitEthernet0/0
 ip address 10.1.0.1 255.255.255.0
 ip access-group INSIDE in
interface GigabitEthernet0/1
 ip address 10.2.0.1 255.255.255.0
 ip inspect FW out
 standby 1 ip 10.2.0.254
 standby 1 timers msec 100 msec 300
 standby 1 track GigabitEthernet0/0 30
ip access-list extended INSIDE
 permit icmp any any
`;

async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = Date.now() + DEADLINE_MS;
  while (!holds()) {
    if (Date.now() > endMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

describe.skipIf(isSkipped).each(["xdp-driver", "packet"])("a box that runs, %s", (backend) => {
  let lab: Lab;
  let folder: string;
  let box: ChildProcessWithoutNullStreams;
  let said = "";
  const socket = (): string => join(folder, "console.sock");
  const ask = (...words: string[]): string =>
    spawnSync(process.execPath, [MAIN, "console", "--socket", socket(), ...words], { encoding: "utf8" })
      .stdout;
  const pings = (count = 1): boolean =>
    lab.succeeds("inside", "ping", "-c", `${count}`, "-i", "0.2", "-W", "1", "10.2.0.2");

  /** An inside host of its own behind a new cable. */
  function plug(): void {
    const [near, far] = [lab.name("inside"), lab.name("box")];
    run("ip", "link", "add", "eth0", "netns", near, "type", "veth", "peer", "name", "in0", "netns", far);
    setUp();
  }

  function setUp(): void {
    run("ip", "-n", lab.name("inside"), "addr", "add", "10.1.0.2/24", "dev", "eth0");
    run("ip", "-n", lab.name("inside"), "link", "set", "eth0", "up");
    run("ip", "-n", lab.name("inside"), "route", "add", "default", "via", "10.1.0.1");
    run("ip", "-n", lab.name("box"), "link", "set", "in0", "up");
  }

  beforeAll(async () => {
    lab = new Lab();
    folder = mkdtempSync(join(tmpdir(), "twinwall-"));
    const config = join(folder, "box.cfg");
    writeFileSync(config, CONFIGURATION);
    run("ip", "-n", lab.name("inside"), "addr", "flush", "dev", "eth0");
    setUp();
    run("ip", "-n", lab.name("outside"), "addr", "add", "10.2.0.2/24", "dev", "eth0");
    run("ip", "-n", lab.name("outside"), "route", "add", "default", "via", "10.2.0.1");
    const map = ["--map", "GigabitEthernet0/0=in0", "--map", "GigabitEthernet0/1=out0"];
    const words = ["run", "--config", config, ...map, "--socket", socket(), "--backend", backend];
    box = lab.spawn("box", process.execPath, MAIN, ...words);
    for (const stream of [box.stdout, box.stderr])
      stream.on("data", (data: Buffer) => {
        said += data.toString();
      });
    await until("the box runs", () => {
      if (box.exitCode !== null) throw new Error(said);
      return said.includes("packets by ") && existsSync(socket());
    });
    await until("the first ping passes", pings);
  });
  afterAll(async () => {
    if (box.exitCode === null) {
      const ended = new Promise((resolve) => box.once("exit", resolve));
      box.kill("SIGTERM");
      await ended;
    }
    lab.close();
    rmSync(folder, { recursive: true });
  });

  test("takes another configuration without losing a packet; entries that stay keep their hits", async () => {
    const connected = await connectConsole(socket());
    if (isProblem(connected)) throw new Error(connected.problem);
    const console = connected.value;
    const type = async (...lines: string[]): Promise<void> => {
      for (const line of lines) {
        const { error } = await console.ask({ line });
        if (error !== undefined) throw new Error(`${line}: ${error}`);
      }
    };
    const pinging = lab.spawn("inside", "ping", "-c", "150", "-i", "0.02", "-W", "1", "10.2.0.2");
    let output = "";
    pinging.stdout.on("data", (data: Buffer) => {
      output += data.toString();
    });
    const ended = new Promise((resolve) => pinging.once("exit", resolve));
    for (let round = 1; round <= 3; round++) {
      const lines = Array.from(
        { length: 200 },
        (_, i) => `${round * 300 + i} permit tcp any host 192.0.2.${i}`,
      );
      await type("configure terminal", "ip access-list extended INSIDE", ...lines, "end");
    }
    await ended;
    expect(output).toMatch(/150 received, 0% packet loss/);
    const [, hits] = /permit icmp any any \((\d+) match/.exec(ask("show", "access-lists"))!;
    expect(Number(hits)).toBeGreaterThan(0);
    console.close();
  });

  test("notices a device that goes: its interface is down, and what tracks it knows", async () => {
    expect(ask("show", "standby")).toContain("Priority 100");
    run("ip", "-n", lab.name("box"), "link", "del", "in0");
    await until("the box has noticed", () => said.includes("device in0 is gone"));
    expect(ask("show", "interfaces", "GigabitEthernet0/0")).toMatch(/line protocol is down/);
    expect(ask("show", "interfaces", "GigabitEthernet0/1")).toMatch(/line protocol is up/);
    expect(ask("show", "standby")).toContain("Priority 70");
    expect(lab.succeeds("outside", "ping", "-c", "3", "-i", "0.2", "-W", "1", "10.2.0.1")).toBe(true);
  });

  test("takes it from the kernel when it is there again, and sends from its address", async () => {
    plug();
    run("ip", "-n", lab.name("box"), "addr", "add", "10.1.0.1/24", "dev", "in0");
    await until("the box has noticed", () => said.includes("device in0 is there again"));
    await until("pings pass", pings);
    expect(pings(10)).toBe(true);
    expect(run("ip", "-n", lab.name("box"), "-br", "addr", "show", "dev", "in0")).not.toContain("10.1.0.1");
    const [link] = JSON.parse(run("ip", "-n", lab.name("box"), "-j", "link", "show", "in0")) as {
      address: string;
    }[];
    const [neighbor] = JSON.parse(run("ip", "-n", lab.name("inside"), "-j", "neigh", "show", "10.1.0.1")) as {
      lladdr: string;
    }[];
    expect(neighbor!.lladdr).toBe(link!.address);
    expect(ask("show", "standby")).toContain("Priority 100");
  });

  test("does so however often, and leaves nothing open", async () => {
    const descriptors = (): number => Number(lab.run("box", "sh", "-c", `ls /proc/${box.pid}/fd | wc -l`));
    const before = descriptors();
    for (let i = 0; i < 3; i++) {
      const from = said.length;
      run("ip", "-n", lab.name("box"), "link", "del", "in0");
      await until("the box has noticed", () => said.includes("in0 is gone", from));
      plug();
      await until("the box has noticed", () => said.includes("in0 is there again", from));
      await until("pings pass", pings);
    }
    expect(descriptors()).toBe(before);
    expect(box.exitCode).toBeNull();
  });
});
