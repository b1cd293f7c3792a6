/** `replay --peer`: the same command in virtual time and in threads, and what it refuses. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { EXIT } from "../../src/cli/exit.js";
import { run } from "../../src/cli/run.js";
import { configsOf } from "../threads/configs.js";
import { captureOfFlows, STEP_MS } from "../threads/traffic.js";
import { MemoryIo } from "./memory-io.js";

/** In place of the file that the threads run. */
const worker = vi.hoisted(() => ({ file: undefined as URL | undefined }));
vi.mock("../../src/io/worker-file.js", async (original) => {
  const real = await original<typeof import("../../src/io/worker-file.js")>();
  return { workerFile: (name: string) => worker.file ?? real.workerFile(name) };
});
afterEach(() => {
  worker.file = undefined;
});

const FLOWS = 20;
const HOLD_MS = 400;
const { bytes: CAPTURE, packets: PACKETS } = captureOfFlows(FLOWS);
const CAPTURE_MS = PACKETS * STEP_MS;
/** The same with the TCP checksum of the last packet broken. */
const DAMAGED = CAPTURE.slice();
DAMAGED[DAMAGED.length - 1]! ^= 0xff;

const example = (name: string): Uint8Array =>
  readFileSync(new URL(`../../examples/${name}`, import.meta.url));
const { A, B } = configsOf({ timers: `msec 50 msec ${HOLD_MS}`, defer: true });
const FILES = {
  "c.pcap": CAPTURE,
  "damaged.pcap": DAMAGED,
  "a.cfg": A,
  "b.cfg": B,
  "alone.cfg": configsOf({ isAlone: true }).A,
  "long.cfg": B.replace(" deny ip any any\n", " deny tcp any any\n deny ip any any\n"),
  "stranger.cfg": B.replace("remote-ip 192.168.255.2", "remote-ip 192.168.255.9"),
};
const THREADS = ["--workers", "--realtime"] as const;
const SLOW = { timeout: 120_000 };

interface Report {
  packets: number;
  notSent: number;
  seconds?: number;
  reasons: Record<string, number>;
  failover: {
    time: string;
    clockRate?: number;
    sessionsAtFailure: number;
    sessionsSurvived: number;
    sessionsLost: unknown[];
    takeoverMilliseconds: number;
  };
}

async function replayed(line: string) {
  const io = new MemoryIo({ files: FILES });
  const code = await run(["replay", ...line.split(" ").filter((word) => word !== "")], io);
  return { code, out: io.out, err: io.err, io };
}

const pair = (options: string, capture = "c.pcap") =>
  replayed(`${capture} --config a.cfg --peer b.cfg --sessions 1024 ${options}`);

async function reportOf(options: string, capture?: string): Promise<Report> {
  const { code, out, err } = await pair(`--json ${options}`, capture);
  expect({ code, err }).toEqual({ code: EXIT.done, err: "" });
  return JSON.parse(out) as Report;
}

const FAILURE = "--fail active@0.5 --recover active@#180";

describe("the active box dies in the middle", () => {
  test("in virtual time: every session survives, and the same bytes come out twice", async () => {
    const first = await pair(`--json ${FAILURE}`);
    expect(first).toMatchObject({ code: EXIT.done, err: "" });
    expect((await pair(`--json ${FAILURE}`)).out).toBe(first.out);
    const { packets, seconds, failover } = JSON.parse(first.out) as Report;
    expect({ packets, seconds }).toEqual({ packets: PACKETS, seconds: undefined });
    expect(failover).toMatchObject({ time: "virtual", sessionsAtFailure: FLOWS, sessionsSurvived: FLOWS });
    expect(failover).not.toHaveProperty("clockRate");
  });

  test.each(THREADS)(
    "%s: every session survives, and the report says that time was real",
    SLOW,
    async (how) => {
      const startMs = performance.now();
      const { packets, notSent, seconds, reasons, failover } = await reportOf(`${how} ${FAILURE}`);
      expect(failover).toMatchObject({
        time: "real",
        sessionsAtFailure: FLOWS,
        sessionsSurvived: FLOWS,
        sessionsLost: [],
      });
      expect(failover.takeoverMilliseconds).toBeGreaterThan(0);
      expect(notSent).toBeGreaterThan(0);
      expect(Object.values(reasons).reduce((sum, count) => sum + count, notSent)).toBe(packets);
      expect(packets).toBe(PACKETS);
      if (how === "--workers") expect(failover.clockRate).toBeCloseTo(HOLD_MS / 250);
      else expect(failover.clockRate).toBe(1);
      expect(performance.now() - startMs).toBeGreaterThan((CAPTURE_MS - STEP_MS) / failover.clockRate!);
      expect(seconds).toBeGreaterThan(0);
    },
  );

  test("as text and as a page", SLOW, async () => {
    const { code, out, err, io } = await pair(`--workers --fail active@0.5 --report page.html`);
    expect({ code, err }).toEqual({ code: EXIT.done, err: "" });
    expect(out).toContain(`${FLOWS} sessions: ${FLOWS} survived, 0 lost`);
    expect(out).toContain("time  real, each box in a thread of its own, 1.6 times as fast");
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(io.text("page.html")).toContain("Time was real, each box in a thread of its own");
    const virtual = await pair("--fail active@0.5 --report page.html");
    expect(virtual.out).not.toContain("time  real");
    expect(virtual.io.text("page.html")).not.toContain("Time was");
  });
});

test.each(["", "--no-checksums"])(
  "without a failure both decide every packet alike (%s)",
  SLOW,
  async (options) => {
    const virtual = await reportOf(options, "damaged.pcap");
    const threads = await reportOf(`--workers ${options}`, "damaged.pcap");
    expect(threads.reasons).toEqual(virtual.reasons);
    expect(virtual.reasons.tcp_checksum).toBe(options === "" ? 1 : undefined);
    expect(virtual.reasons.new_session).toBe(FLOWS);
  },
);

test("the examples: the standby that takes over has every session", SLOW, async () => {
  const io = new MemoryIo({
    files: Object.fromEntries(
      ["office.pcapng", "router-a.cfg", "router-b.cfg"].map((name) => [name, example(name)]),
    ),
  });
  const line =
    "replay office.pcapng --config router-a.cfg --peer router-b.cfg --workers --fail active@20 --json";
  expect(await run(line.split(" "), io)).toBe(EXIT.done);
  const { failover } = JSON.parse(io.out) as Report;
  expect(failover.sessionsAtFailure).toBeGreaterThan(0);
  expect(failover.sessionsLost).toEqual([]);
});

describe("what is refused", () => {
  test.each([
    ["--fail active@1", "--fail needs --peer, the configuration of the other box"],
    ["--recover active@1", "--recover needs --peer, the configuration of the other box"],
    ["--workers", "--workers needs --peer, the configuration of the other box"],
    ["--realtime", "--realtime needs --peer, the configuration of the other box"],
    ["--report page.html", "--report needs --peer, the configuration of the other box"],
    ["--peer b.cfg --workers --seed 3", "option '--workers' cannot be used with option '--seed <n>'"],
    ["--peer b.cfg --realtime --seed 3", "option '--realtime' cannot be used with option '--seed <n>'"],
    ["--peer b.cfg --mac Gi0/0=0200.0000.0001", "option '--peer <file>' cannot be used with option '--mac"],
    ["--peer b.cfg --fail sky@1", '"sky" cannot fail; it must be one of'],
    ["--peer alone.cfg", "alone.cfg is no half of a pair"],
    ["--peer long.cfg --rules 1 --sessions 1024", "the access lists in use have"],
    ["--peer b.cfg --report /forbidden/page.html", "/forbidden/page.html: permission denied"],
  ])("%s", async (options, message) => {
    const { code, out, err } = await replayed(`c.pcap --config a.cfg ${options}`);
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: "" });
    expect(err).toMatch(/^error: /);
    expect(err).toContain(message);
  });

  test.each(["", ...THREADS])("a pair that does not find itself, without a wait (%s)", async (how) => {
    const io = new MemoryIo({ files: FILES });
    const line = `replay c.pcap --config a.cfg --peer stranger.cfg ${how}`.trim();
    expect(await run(line.split(" "), io)).toBe(EXIT.badInput);
    expect(io.err).toContain("the pair does not come up");
    expect(io.err).toContain("`twinwall check` with both configurations may say why");
  });

  test("threads that cannot start", async () => {
    worker.file = new URL("data:text/javascript,throw new Error('out of thread')");
    const { code, out, err } = await pair("--workers");
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: "" });
    expect(err).toContain("the threads of the pair cannot start: out of thread");
  });

  test("a capture that is cut short, after what there is of it was replayed", SLOW, async () => {
    const io = new MemoryIo({ files: { ...FILES, "short.pcap": CAPTURE.slice(0, -10) } });
    const line = "replay short.pcap --config a.cfg --peer b.cfg --workers --json";
    expect(await run(line.split(" "), io)).toBe(EXIT.badInput);
    expect(JSON.parse(io.out)).toMatchObject({
      packets: PACKETS - 1,
      error: expect.stringContaining("short.pcap"),
    });
  });
});
