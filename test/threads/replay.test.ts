/** The same capture and the same failure in threads and in virtual time: the same facts, up to what the clock does. */
import { expect, test } from "vitest";
import { CaptureReader } from "../../src/capture/index.js";
import { parse } from "../../src/config/parse.js";
import { SEED_BYTES } from "../../src/core.js";
import { Dataplane } from "../../src/index.js";
import { startThreadReplay } from "../../src/io/pair/replay.js";
import { Node } from "../../src/node.js";
import type { BoxName } from "../../src/pair/boxes.js";
import { macsOf } from "../../src/pair/networks.js";
import { PairReplay } from "../../src/pair/pair-replay.js";
import type { PlannedEvent } from "../../src/pair/plan.js";
import type { BoxSetup } from "../../src/pair/world.js";
import { randomBytes, seededRandom } from "../../src/random.js";
import type { ReplayFacts } from "../../src/replay/index.js";
import type { FailoverReport } from "../../src/report/failover.js";
import type { Report } from "../../src/report/report.js";
import { coreModule } from "../model/lab.js";
import { configsOf } from "./configs.js";
import { captureOfFlows } from "./traffic.js";

const CONFIGS = configsOf({ timers: "msec 50 msec 400" });
const CAPACITY = { sessions: 1024, fragments: 16 };
const FLOWS = 40;
const FACTS: ReplayFacts = { capture: "", config: "", seconds: 0, sessionsMax: 1024, error: undefined };

const PLAN: readonly PlannedEvent[] = [
  { kind: "fail", what: "active", when: { seconds: 1 } },
  { kind: "recover", what: "active", when: { packet: 390 } },
];

interface Outcome {
  readonly failover: FailoverReport;
  readonly report: Report;
}

function inVirtualTime(bytes: Uint8Array): Outcome {
  const random = seededRandom(1);
  const setup = (name: BoxName): BoxSetup => {
    const { config } = parse(CONFIGS[name], { file: name });
    const boot = (nowMs: number): Node => {
      const seed = randomBytes(random, SEED_BYTES);
      const dataplane = Dataplane.createSync(coreModule, { config, capacity: CAPACITY, seed, nowMs });
      const macs = macsOf(name, config);
      return new Node({ config, dataplane, macs, random, secret: randomBytes(random, 32), software: "test" });
    };
    return { config, boot };
  };
  const replay = new PairReplay({ setups: { A: setup("A"), B: setup("B") }, plan: PLAN });
  expect(replay.settle()).toBeUndefined();
  const reader = new CaptureReader();
  reader.push(bytes);
  reader.end();
  for (let batch = reader.next(); batch !== undefined; batch = reader.next())
    replay.feed(batch, reader.interfaces);
  replay.finish();
  return { failover: replay.failover(), report: replay.report(FACTS) };
}

async function inThreads(bytes: Uint8Array): Promise<Outcome> {
  const replay = await startThreadReplay({
    configs: CONFIGS,
    module: coreModule,
    dataplane: { capacity: CAPACITY },
    plan: PLAN,
    speed: 1,
  });
  try {
    expect(await replay.settle()).toBeUndefined();
    const reader = new CaptureReader();
    reader.push(bytes);
    reader.end();
    for (let batch = reader.next(); batch !== undefined; batch = reader.next())
      await replay.feed(batch, reader.interfaces);
    await replay.finish();
    return { failover: replay.failover(), report: replay.report(FACTS) };
  } finally {
    await replay.threads.close();
  }
}

const packetsOf = ({ report }: Outcome): number =>
  report.reasons.reduce((sum, { packets }) => sum + packets, report.notSent.packets);

test("a replay in threads comes to the same facts", { timeout: 120_000 }, async () => {
  const { bytes, packets } = captureOfFlows(FLOWS);
  const virtual = inVirtualTime(bytes);
  const real = await inThreads(bytes);
  for (const outcome of [virtual, real]) {
    const { failover, report } = outcome;
    const [failure] = failover.failures;
    expect(failure).toMatchObject({
      what: "active",
      active: "A",
      sessionsAtFailure: FLOWS,
      sessionsSurvived: FLOWS,
      sessionsLost: [],
    });
    expect(failure!.takeoverMilliseconds).toBeGreaterThan(0);
    expect(failure!.packetsLost).toBeGreaterThan(0);
    expect(packetsOf(outcome)).toBe(packets);
    expect(report.sessions.created).toEqual({ tcp: FLOWS, udp: 0, icmp: 0, other: 0 });
    expect(report.sessions.open).toEqual([{ protocol: "tcp", state: "established", count: FLOWS }]);
    expect(failover.timeline.map(({ text }) => text)).toEqual([
      "is active",
      "is standby and has all sessions",
      "fail active",
      "is active",
      "recover active",
      "is standby and has all sessions",
    ]);
    expect(failover.lanes.A!.map(({ phase }) => phase)).toEqual(
      expect.arrayContaining(["active", "dead", "hot"]),
    );
    expect(failover.lanes.B!.map(({ phase }) => phase)).toEqual(["hot", "active"]);
    expect(failover.sync.sessions).toBeGreaterThanOrEqual(2 * FLOWS);
    expect(failover.sync.lagMilliseconds.samples).toBeGreaterThan(0);
  }
  expect(real.failover.failures[0]!.at).toBeGreaterThanOrEqual(1);
  expect([virtual, real].map(({ failover }) => failover.clockRate)).toEqual([undefined, 1]);
});
