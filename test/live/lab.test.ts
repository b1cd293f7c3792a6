/** The lab itself: what it builds is there, what it cuts is cut, what it deletes is gone, and its traffic notices faults. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Lab, type LabPlan, requireLab } from "./lab.js";
import { reap } from "./reaper.js";
import { hasCommand, run, sleep, until } from "./system.js";
import { churn, hold, probe, serve } from "./traffic.js";

const PORT = 7000;
const INSIDE = "10.1.0.10";
const OUTSIDE = "10.2.0.10";

/** Two hosts and a router of the kernel between them. */
const ROUTED: LabPlan = {
  boxes: {
    inside: {
      ports: [
        {
          device: "eth0",
          lan: "in",
          addresses: [`${INSIDE}/24`, "fd01::10/64"],
          routes: [
            { to: "default", via: "10.1.0.1" },
            { to: "default", via: "fd01::1" },
          ],
        },
      ],
    },
    router: {
      ports: [
        { device: "eth0", lan: "in", addresses: ["10.1.0.1/24", "fd01::1/64"] },
        { device: "eth1", lan: "out", addresses: ["10.2.0.1/24", "fd02::1/64"], mac: "02:00:00:00:02:01" },
      ],
      sysctls: { "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 },
    },
    outside: {
      ports: [
        {
          device: "eth0",
          lan: "out",
          addresses: [`${OUTSIDE}/24`, "fd02::10/64"],
          routes: [
            { to: "default", via: "10.2.0.1" },
            { to: "default", via: "fd02::1" },
          ],
        },
      ],
    },
  },
};

const namespaces = () => run("ip", ["netns", "list"]);

let lab: Lab | undefined;

function build(plan = ROUTED): Lab {
  lab = Lab.build(plan);
  return lab;
}

afterEach(() => {
  lab?.close();
  lab = undefined;
});

const isPossible = requireLab("sysctl", "cc", "taskset");

describe.skipIf(!isPossible)("a lab", () => {
  test("is built as planned, and goes", () => {
    const { namespace } = build().box("router");
    expect(namespaces()).toContain(namespace);
    expect(lab!.box("router").device("eth1")).toMatchObject({ address: "02:00:00:00:02:01", mtu: 1500 });
    expect(lab!.box("inside").run("ip", ["-brief", "address", "show", "eth0"])).toContain(`${INSIDE}/24`);
    lab!.close();
    expect(namespaces()).not.toContain(namespace);
    lab!.close();
  });

  test("leaves nothing behind when it cannot be built", () => {
    const before = namespaces();
    expect(() => build({ boxes: { a: { ports: [{ device: "much-too-long-a-name", lan: "in" }] } } })).toThrow(
      /longer than/,
    );
    expect(() =>
      build({ boxes: { a: { ports: [{ device: "eth0", lan: "in", addresses: ["10.1.0.300/24"] }] } } }),
    ).toThrow(/10\.1\.0\.300/);
    expect(namespaces()).toBe(before);
  });

  test("of a killed process is deleted by the next one, with what runs in it", async () => {
    const script = `
      import { Lab } from ${JSON.stringify(new URL("lab.ts", import.meta.url).href)};
      const lab = Lab.build(${JSON.stringify(ROUTED)});
      const { pid } = lab.box("inside").start("sleep", ["1000"]);
      console.log(lab.box("inside").namespace, lab.directory, pid);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = await new Promise<string>((resolve) =>
      child.stdout.once("data", (data) => resolve(String(data))),
    );
    const [namespace, directory, sleeper] = said.trim().split(" ");
    reap();
    expect(namespaces()).toContain(namespace);
    const ended = new Promise((resolve) => child.on("close", resolve));
    child.kill("SIGKILL");
    await ended;
    expect(existsSync(directory!)).toBe(true);
    reap();
    expect(namespaces()).not.toContain(namespace);
    expect(existsSync(directory!)).toBe(false);
    await until("the sleeper is gone", () => !isAlive(Number(sleeper)));
  });

  test("carries verified connections, IPv4 and IPv6, through a router", async () => {
    const { outside, inside } = await serveOutside();
    const v4 = await hold(inside, OUTSIDE, PORT, { count: 20, rate: 50, size: 1000 });
    const v6 = await hold(inside, "fd02::10", PORT, { count: 20, rate: 50, size: 1000 });
    const short = await churn(inside, OUTSIDE, PORT, { rate: 100 });
    const round = await probe(inside, OUTSIDE, PORT);
    await until("some traffic", async () => (await v4.report()).summary.received > 100_000);
    for (const { summary, connections } of [await v4.stop(), await v6.stop()]) {
      expect(summary).toMatchObject({ open: 20, stalled: 0, wrong: 0 });
      expect(connections.every(({ sent, received }) => sent === received && received > 0)).toBe(true);
    }
    const { summary: churned } = await short.stop();
    expect(churned.ok).toBeGreaterThan(0);
    expect(churned).toMatchObject({
      refused: 0,
      reset: 0,
      timeouts: 0,
      failed: 0,
      wrong: 0,
      ok: churned.begun,
    });
    const { summary: probed } = await round.stop();
    expect(probed).toMatchObject({ lost: 0, gapMs: 0, duplicates: 0 });
    expect(probed.p99Us).toBeGreaterThanOrEqual(probed.p50Us!);
    expect((await outside.stop()).summary).toMatchObject({ reset: 0 });
  });

  test.each([
    { kind: "box", direction: "both" },
    { kind: "lan", direction: "both" },
    { kind: "silent", direction: "both" },
    { kind: "silent", direction: "to-box" },
    { kind: "silent", direction: "from-box" },
  ] as const)("cuts a link: $kind, $direction; the gap is seen, and the connections live on", async (cut) => {
    const { inside } = await serveOutside();
    const held = await hold(inside, OUTSIDE, PORT, { count: 5, rate: 100 });
    const round = await probe(inside, OUTSIDE, PORT);
    const link = lab!.link("outside", "eth0");
    link.cut(cut.kind, cut.direction);
    const before = link.box.device("eth0").stats64;
    await sleep(150);
    const after = link.box.device("eth0").stats64;
    // Cut one way, the other passes: requests still arrive. Otherwise nothing does.
    const arrived = after.rx.packets - before.rx.packets;
    if (cut.direction === "from-box") expect(arrived).toBeGreaterThan(0);
    else expect(arrived).toBe(0);
    link.mend();
    const { summary: held1, connections } = await held.stop();
    expect(held1).toMatchObject({ open: 5, stalled: 0, wrong: 0 });
    expect(Math.min(...connections.map(({ gapMs }) => gapMs))).toBeGreaterThan(100);
    const { summary: probed } = await round.stop();
    expect(probed.gapMs).toBeGreaterThan(100);
    expect(probed.gaps.some(({ ms }) => ms === probed.gapMs)).toBe(true);
  });

  test("loses the share of frames that it is told to", async () => {
    const { inside } = await serveOutside();
    // Neighbours are resolved before: a lost ARP request is asked again only after a second.
    const first = await probe(inside, OUTSIDE, PORT);
    await until("an answer", async () => (await first.report()).summary.p50Us !== null);
    await first.stop();
    lab!.link("outside", "eth0").lose(20, "to-box");
    const round = await probe(inside, OUTSIDE, PORT, { "interval-us": 500, seconds: 1 });
    const { sent, lost } = (await round.finished(10_000)).summary;
    // Twenty percent, give or take five standard deviations.
    expect(Math.abs(lost - sent * 0.2)).toBeLessThan(5 * Math.sqrt(sent * 0.2 * 0.8));
  });

  test("kills, hangs and powers off its own processes", async () => {
    const { outside, inside } = await serveOutside();
    const round = await probe(inside, OUTSIDE, PORT);
    outside.program.signal("SIGSTOP");
    await until("no answers", async () => (await round.report()).summary.lost > 0);
    outside.program.signal("SIGCONT");
    await until("answers", async () => {
      const { lost, sent } = (await round.report()).summary;
      return sent > 0 && lost === 0;
    });
    await lab!.powerOff("outside");
    expect(outside.program.ending).toBe("SIGKILL");
    lab!.powerOn("outside");
    const again = await serve(lab!.box("outside"), PORT);
    await until("answers", async () => {
      const { lost, sent } = (await round.report()).summary;
      return sent > 0 && lost === 0;
    });
    await again.stop();
  });

  test.skipIf(!hasCommand("dumpcap") || !hasCommand("tshark"))("captures on a LAN", async () => {
    const folder = mkdtempSync(join(tmpdir(), "twinwall-lab-"));
    try {
      const { inside } = await serveOutside();
      const file = join(folder, "in.pcapng");
      const capture = await lab!.capture("in", file, "udp");
      const round = await probe(inside, OUTSIDE, PORT, { "interval-us": 20_000 });
      await until("answers", async () => (await round.report()).summary.sent > 0);
      const { summary } = await round.stop();
      await capture.stop("SIGINT");
      const seen = run("tshark", ["-r", file, "-Y", `ip.src == ${OUTSIDE}`]).split("\n").length - 1;
      expect(seen).toBeGreaterThanOrEqual(summary.sent);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(!isPossible)("a cable", () => {
  test("connects two boxes, and no third", async () => {
    const plan = (...boxes: string[]): LabPlan => ({
      boxes: Object.fromEntries(
        boxes.map((name, i) => [
          name,
          { ports: [{ device: "eth0", lan: "x", addresses: [`10.3.0.${i + 1}/24`] }] },
        ]),
      ),
      cables: ["x"],
      offloads: false,
    });
    expect(() => build(plan("a"))).toThrow(/two ends/);
    expect(() => build(plan("a", "b", "c"))).toThrow(/two ends/);
    build(plan("a", "b"));
    await serve(lab!.box("b"), PORT);
    const held = await hold(lab!.box("a"), "10.3.0.2", PORT, { rate: 100 });
    expect((await held.stop()).summary).toMatchObject({ open: 1, wrong: 0 });
    expect(lab!.box("a").run("ethtool", ["-k", "eth0"])).toContain("tcp-segmentation-offload: off");
  });
});

describe.skipIf(!isPossible)("traffic notices", () => {
  test("a byte that was changed", async () => {
    const { inside } = await serveOutside({ corrupt: 5000 });
    const held = await hold(inside, OUTSIDE, PORT, { rate: 100, size: 100 });
    await held.program.line((line) => line.startsWith(`{"event":"wrong"`));
    const { summary } = await held.stop();
    expect(summary.wrong).toBeGreaterThan(0);
    expect(summary.received / summary.wrong).toBeGreaterThan(1000);
  });

  test("a connection that is reset, and one that is refused", async () => {
    const { outside, inside } = await serveOutside();
    const held = await hold(inside, OUTSIDE, PORT, { count: 3, rate: 100, "drain-ms": 100 });
    await outside.program.kill();
    await until("all have ended", async () => (await held.report()).summary.open === 0);
    const { summary, connections } = await held.stop();
    expect(summary.reset + summary.closed).toBe(3);
    expect(connections.every(({ endedMs, openedMs }) => endedMs > openedMs && openedMs > 0)).toBe(true);
    const refused = await hold(inside, OUTSIDE, PORT, { count: 3 });
    expect((await refused.stop()).summary).toMatchObject({ refused: 3, open: 0 });
    const short = await churn(inside, OUTSIDE, PORT, { rate: 100 });
    await until("refusals", async () => (await short.report()).summary.refused > 0);
    expect((await short.stop()).summary.ok).toBe(0);
  });

  test("a connection that hangs", async () => {
    const { inside } = await serveOutside();
    const held = await hold(inside, OUTSIDE, PORT, { count: 3, rate: 100, "drain-ms": 200 });
    const short = await churn(inside, OUTSIDE, PORT, { rate: 100, "timeout-ms": 100 });
    lab!.link("outside", "eth0").cut("silent");
    await until("timeouts", async () => (await short.report()).summary.timeouts > 0);
    expect((await held.stop()).summary).toMatchObject({ stalled: 3, open: 0 });
    await short.stop();
  });
});

/** The routed lab with an echo outside. */
async function serveOutside(options: Readonly<Record<string, number>> = {}) {
  build();
  return { outside: await serve(lab!.box("outside"), PORT, options), inside: lab!.box("inside") };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
