import { spawnSync } from "node:child_process";
import { request } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { isProblem } from "../../src/io/io.js";
import { type Health, type MetricsServer, serveMetrics } from "../../src/io/metrics/server.js";
import {
  METRICS,
  type Metric,
  type MetricsSnapshot,
  renderMetrics,
  SAMPLES_MAX,
} from "../../src/metrics/index.js";
import { COUNTER_NAMES } from "../../src/router/index.js";
import { newCounters as sctpCounters } from "../../src/sctp/counters.js";
import { FakeBackend, GROUPS, REDUNDANCY } from "../console/fake-backend.js";

const PYTHON = "/usr/bin/python3";

/** Reads the text with the parser of Prometheus' own client and prints what it has understood as JSON. */
const PARSER = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = text_string_to_metric_families(sys.stdin.buffer.read().decode())
print(json.dumps([[f.name, f.type, f.documentation, [[s.name, s.labels, s.value] for s in f.samples]] for f in families]))
`;

interface Family {
  name: string;
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

function parsed(text: string): Family[] {
  const { status, stdout, stderr } = spawnSync(PYTHON, ["-c", PARSER], { input: text, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  type Row = [string, string, string, [string, Record<string, string>, number][]];
  return (JSON.parse(stdout) as Row[]).map(([name, type, help, samples]) => ({
    name,
    type,
    help,
    samples: samples.map(([each, labels, value]) => ({ name: each, labels, value })),
  }));
}

function lacksParser(): boolean {
  const { status } = spawnSync(PYTHON, ["-c", "import prometheus_client.parser"]);
  if (status === 0) return false;
  if (process.env.CI === "true") throw new Error("not installed: python3-prometheus-client");
  console.warn("skipped: python3-prometheus-client is not installed");
  return true;
}

async function fullSnapshot(): Promise<MetricsSnapshot> {
  const box = new FakeBackend();
  const { view, counters } = await box.sync();
  return {
    version: "1.2.3",
    uptimeMs: 1500,
    backend: "AF_XDP, driver mode",
    dataplane: await box.counters(),
    sessionsMax: 65_536,
    devices: [{ device: "eth1", received: 10, sent: 9, ringFull: 1, noBuffer: 2, sendRefused: 3 }],
    interfaces: [
      {
        name: "GigabitEthernet0/0",
        isUp: true,
        mac: undefined,
        mtu: 1500,
        addresses: [],
        neighbors: 4,
        counters: Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as never,
      },
    ],
    router: Object.fromEntries(COUNTER_NAMES.map((name, i) => [name, i])) as never,
    hsrp: GROUPS,
    redundancy: REDUNDANCY,
    sync: view,
    syncCounters: counters,
    sctp: {
      mode: "open",
      state: "ESTABLISHED",
      isUp: true,
      localTag: 1,
      peerTag: 2,
      outboundStreams: 4,
      inboundStreams: 4,
      queuedBytes: 100,
      waitingMessages: 0,
      outstandingChunks: 0,
      peerWindowBytes: 65_536,
      heldBytes: 0,
      windowBytes: 65_536,
      errors: 0,
      paths: [
        {
          index: 0,
          local: 0x0a000001,
          remote: 0x0a000002,
          udpPort: 9899,
          state: "active",
          srttMs: 0.25,
          rttvarMs: 0.1,
          rtoMs: 10,
          cwndBytes: 4380,
          ssthreshBytes: 65_536,
          flightBytes: 0,
          errors: 0,
        },
      ],
      counters: sctpCounters(),
    } as never,
    bfd: await box.bfd(),
    threads: [
      { name: "control", answerMs: 2, refusedMessages: 0 },
      { name: "dataplane", answerMs: undefined, refusedMessages: 7 },
    ],
    log: {
      logger: { records: [0, 0, 1, 0, 2, 3, 4, 0], suppressed: 5 },
      destinations: [
        {
          name: "host 10.0.0.5 port 514",
          status: "open",
          sentLines: 9,
          lostLines: 1,
          queuedLines: 0,
          queuedBytes: 0,
          failures: 0,
          problem: undefined,
        },
      ],
    },
    eventsLost: 6,
  };
}

describe("the table", () => {
  test("every row has a name with a unit or a total, and a help", () => {
    const names = METRICS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, help, type } of METRICS) {
      expect(name).toMatch(/^twinwall_[a-z0-9_]+$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
    }
  });

  test("every row has a sample when everything is told, and none but two when nothing is", async () => {
    const full = await fullSnapshot();
    const silent = METRICS.filter(({ samples }) => [...samples(full)].length === 0).map(({ name }) => name);
    expect(silent).toEqual([]);
    const text = renderMetrics(METRICS, { version: "1", uptimeMs: 0 });
    expect(text.match(/^# TYPE \S+/gm)).toEqual(["# TYPE twinwall_info", "# TYPE twinwall_uptime_seconds"]);
  });
});

describe.skipIf(lacksParser())("the parser of Prometheus' client", () => {
  test("reads every metric, its type, its help and its values", async () => {
    const families = parsed(renderMetrics(METRICS, await fullSnapshot()));
    expect(families.map(({ name }) => name)).toEqual(METRICS.map(({ name }) => name.replace(/_total$/, "")));
    for (const [i, { type, help }] of families.entries())
      expect([type, help]).toEqual([METRICS[i]!.type, METRICS[i]!.help]);
    const samples = families.flatMap((family) => family.samples);
    const value = (name: string, labels: Record<string, string> = {}) =>
      samples.find(
        (sample) =>
          sample.name === name &&
          JSON.stringify(Object.entries(sample.labels)) === JSON.stringify(Object.entries(labels)),
      )?.value;
    expect(value("twinwall_info", { version: "1.2.3", backend: "AF_XDP, driver mode" })).toBe(1);
    expect(value("twinwall_uptime_seconds")).toBe(1.5);
    expect(value("twinwall_packets_total", { verdict: "drop", reason: "acl_in_deny" })).toBe(20);
    expect(value("twinwall_bytes_total", { verdict: "pass", reason: "established" })).toBe(550_000);
    expect(value("twinwall_sessions_created_total", { protocol: "udp" })).toBe(30);
    expect(value("twinwall_device_lost_packets_total", { device: "eth1", cause: "no_buffer" })).toBe(2);
    const group = { interface: "GigabitEthernet0/0", group: "1", family: "ipv4" };
    expect(value("twinwall_hsrp_state", { ...group, state: "active" })).toBe(1);
    expect(value("twinwall_hsrp_state", { ...group, state: "standby" })).toBe(0);
    expect(value("twinwall_redundancy_peer_state", { state: "standbyHot" })).toBe(1);
    expect(value("twinwall_redundancy_in_sync")).toBe(1);
    expect(value("twinwall_sync_lag_seconds", { quantile: "0.99" })).toBeCloseTo(0.0009);
    expect(value("twinwall_sctp_path_rtt_seconds", { local: "10.0.0.1", remote: "10.0.0.2" })).toBeCloseTo(
      0.00025,
    );
    expect(
      value("twinwall_bfd_state", { interface: "GigabitEthernet0/0", neighbor: "10.1.1.3", state: "Up" }),
    ).toBe(1);
    expect(value("twinwall_thread_up", { thread: "dataplane" })).toBe(0);
    expect(value("twinwall_log_lost_lines_total", { destination: "host 10.0.0.5 port 514" })).toBe(1);
    expect(value("twinwall_log_records_total", { severity: "6" })).toBe(4);
    expect(value("twinwall_events_lost_total")).toBe(6);
  });

  test("reads labels and help that hold what they may not", () => {
    const texts = fc.sample(fc.string({ unit: "binary", maxLength: 40 }), { numRuns: 500, seed: 3 });
    const clean = texts.filter(
      (text) => !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/.test(text),
    );
    const odd = ["\\", '"', "\n", '\\"\n}', "a} 1\nforged 2", ...clean];
    const table: readonly Metric<readonly string[]>[] = [
      {
        name: "x",
        help: "a\\b\nc",
        type: "gauge",
        samples: (values) => values.map((text, i) => ({ labels: { n: String(i), text }, value: i })),
      },
    ];
    const [family, ...more] = parsed(renderMetrics(table, odd));
    expect(more).toEqual([]);
    expect(family!.help).toBe("a\\b\nc");
    expect(family!.samples.map(({ labels }) => labels.text)).toEqual(odd);
  });

  test("reads numbers that are large, tiny, negative or none", () => {
    const values = [
      2 ** 60,
      1e-9,
      -1.5,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      12345678901234567890n,
    ];
    const table: readonly Metric<undefined>[] = [
      {
        name: "x",
        help: "X.",
        type: "gauge",
        samples: () => values.map((value, i) => ({ labels: { i: `${i}` }, value })),
      },
    ];
    const text = renderMetrics(table, undefined);
    expect(text.match(/^x\S* [+-]Inf$/gm)).toHaveLength(2);
    // JSON has no word for the infinite ones.
    const [family] = parsed(text.replace(/^.*Inf$\n/gm, ""));
    expect(family!.samples.map(({ value }) => value)).toEqual(values.map(Number).filter(Number.isFinite));
  });
});

test("the samples of a metric are bounded", () => {
  const table: readonly Metric<undefined>[] = [
    {
      name: "x",
      help: "X.",
      type: "gauge",
      samples: function* () {
        for (let i = 0; ; i++) yield { labels: { i: String(i) }, value: i };
      },
    },
  ];
  expect(renderMetrics(table, undefined).split("\n")).toHaveLength(SAMPLES_MAX + 3);
});

describe("the server", () => {
  let server: MetricsServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function start(
    snapshot: () => Promise<MetricsSnapshot>,
    health: () => Health = () => ({ isHealthy: true, text: "ok" }),
  ): Promise<number> {
    const started = await serveMetrics({ address: "127.0.0.1", port: 0, snapshot, health });
    if (isProblem(started)) throw new Error(started.problem);
    server = started.value;
    return server.port;
  }

  const ask = (
    port: number,
    path: string,
    method = "GET",
  ): Promise<{ status: number; type: string; text: string }> =>
    new Promise((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port, path, method, agent: false }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on("end", () =>
          resolve({ status: response.statusCode!, type: response.headers["content-type"] ?? "", text }),
        );
      });
      asked.on("error", reject);
      asked.end();
    });

  test("answers /metrics and /healthz, and nothing else", async () => {
    let health: Health = { isHealthy: true, text: "active" };
    const port = await start(fullSnapshot, () => health);
    const metrics = await ask(port, "/metrics?x=1");
    expect([metrics.status, metrics.type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect(metrics.text).toBe(renderMetrics(METRICS, await fullSnapshot()));
    expect(await ask(port, "/metrics", "HEAD")).toMatchObject({ status: 200, text: "" });
    expect(await ask(port, "/healthz")).toMatchObject({ status: 200, text: "active\n" });
    health = { isHealthy: false, text: "the dataplane does not answer" };
    expect(await ask(port, "/healthz")).toMatchObject({
      status: 503,
      text: "the dataplane does not answer\n",
    });
    expect((await ask(port, "/../etc/passwd")).status).toBe(404);
    expect((await ask(port, "/metrics", "POST")).status).toBe(405);
  });

  test("a thread that does not answer is an answer", async () => {
    const port = await start(() => new Promise(() => undefined));
    expect(await ask(port, "/metrics")).toMatchObject({ status: 503, text: "a thread does not answer\n" });
  });

  test("a port that is taken is a problem", async () => {
    const port = await start(fullSnapshot);
    const again = await serveMetrics({
      address: "127.0.0.1",
      port,
      snapshot: fullSnapshot,
      health: () => ({ isHealthy: true, text: "" }),
    });
    expect(again).toEqual({ problem: `metrics on 127.0.0.1 port ${port}: the address is in use` });
  });

  test("who sends nothing, half a request or too much is not kept", async () => {
    const port = await start(fullSnapshot);
    const closed = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let got = "";
        const socket = connect(port, "127.0.0.1", () => void socket.write(text));
        socket.on("data", (chunk: Buffer) => {
          got += chunk.toString();
        });
        socket.on("error", () => undefined);
        socket.on("close", () => resolve(got));
      });
    const long = `GET /metrics HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(20_000)}\r\n\r\n`;
    const [half, none, much] = await Promise.all([closed("GET /metrics HT"), closed(""), closed(long)]);
    expect(half).toMatch(/^HTTP\/1\.1 408 /);
    expect(none).not.toContain("200");
    expect(much).toMatch(/^HTTP\/1\.1 431 /);
  }, 30_000);
});
