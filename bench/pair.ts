/**
 * How long is nobody there when the active box dies, and how much later do first replies come that wait for the
 * standby?
 *
 *   takeover/virtual  from the last hello of the active to the first packet that the standby passes, with
 *                     `timers msec 15 msec 50`; in virtual time, with a packet every 0.1 ms
 *   takeover/threads  the same with two threads, of which one is terminated, at moments that are chosen by chance
 *   defer/virtual     from the decision about a first reply to its release, with `ip inspect redundancy defer`; in
 *                     virtual time, a datagram takes 0.1 ms
 *   defer/threads     the same with two threads
 */
import * as L from "../assembly/layout.js";
import { startThreads, type Threads } from "../src/io/pair/threads.js";
import { BOX_NAMES, type BoxName, peerOf } from "../src/pair/boxes.js";
import { seededRandom } from "../src/random.js";
import { configsOf, INSIDE, type PairOptions } from "../test/threads/configs.js";
import { put, type Traffic, trafficOf } from "../test/threads/traffic.js";
import { NodePair } from "./boxes.js";
import { digits, type Question, type Row } from "./report.js";
import { rowOfSamples } from "./samples.js";
import type { Workshop } from "./testbed.js";

const SESSIONS = 1024;
const TAKEOVERS = 50;
/** Of which some may come to nothing on a busy machine. */
const TRIES_MAX = 100;
/** Hellos go out this often; the moment of death falls anywhere between two. */
const HELLO_MS = 15;
export const HOLD_MS = 50;
/** By then the other box is Standby in its groups, too. */
const STEADY_MS = 200;
const PROBE_MS = 0.1;
/** Between two probes in real time; a host that span would keep the boxes from their work. */
const PROBE_WAIT_MS = 1;
const FIRST_REPLIES = 500;
const SETTLE_MS = 60_000;
const WAIT_MAX_MS = 10_000;
const NS_PER_MS = 1e6;
/** Sessions that there are. */
const FLOWS = 16;

export const pair = (workshop: Workshop): Question => {
  const cases: readonly [name: string, measure: (workshop: Workshop) => Promise<number[]>][] = [
    ["takeover/virtual", async (each) => takeoversVirtual(each)],
    ["takeover/threads", takeoversInThreads],
    ["defer/virtual", async (each) => deferVirtual(each)],
    ["defer/threads", deferInThreads],
  ];
  return {
    names: cases.map(([name]) => name),
    async *measure(wanted) {
      for (const [name, measure] of cases) if (wanted(name)) yield rowOfMs(name, await measure(workshop));
    },
  };
};

/** A row of samples in ms. */
function rowOfMs(name: string, samplesMs: readonly number[]): Row {
  const row = rowOfSamples(
    name,
    samplesMs.map((ms) => ms * NS_PER_MS),
  );
  const ms = (ns: number): string => digits(ns / NS_PER_MS);
  const max = Math.max(...samplesMs);
  return { ...row, note: `p50 ${ms(row.nsPerOperation)} ms, p99 ${ms(row.p99)} ms, most ${digits(max)} ms` };
}

// --- take-over

function takeoversVirtual({ core }: Workshop): number[] {
  const nodes = new NodePair(core, SESSIONS);
  const random = seededRandom(3);
  nodes.boot();
  const samples: number[] = [];
  for (let round = 0; round < TAKEOVERS; round++) {
    const active = nodes.settle();
    // The first round's sessions live on through all of them.
    if (round === 0) open(nodes, active);
    nodes.world.runUntil(nodes.world.nowMs + STEADY_MS + (random() / 2 ** 32) * HELLO_MS);
    const helloMs = nodes.lastHelloMs.get(active)!;
    nodes.world.kill(active);
    samples.push(firstPass(nodes, peerOf(active)) - helloMs);
    nodes.world.boot(active);
  }
  return samples;
}

function open(nodes: NodePair, box: BoxName): void {
  for (const step of ["syn", "synAck", "ack"] as const) {
    for (let flow = 0; flow < FLOWS; flow++) offer(nodes, box, [trafficOf(flow, step)]);
    nodes.world.runUntil(nodes.world.nowMs + 1);
  }
}

/** Has a box decide frames; how many passed. */
function offer(nodes: NodePair, box: BoxName, traffic: readonly Traffic[]): number {
  const { batch } = nodes.firewall(box).dataplane;
  batch.clear();
  for (const { frame, ingress, cookie } of traffic) batch.add(frame, ingress, cookie);
  const outputs = nodes.process(box);
  return Array.from({ length: outputs }, (_, i) => batch.verdict(i)).filter((each) => each === "pass").length;
}

/** When the first packet passes that a host inside sends, to where it believes its gateway to be. */
function firstPass(nodes: NodePair, standby: BoxName): number {
  const { world } = nodes;
  const endMs = world.nowMs + WAIT_MAX_MS;
  while (world.nowMs < endMs) {
    world.runUntil(world.nowMs + PROBE_MS);
    if (world.owner(INSIDE) === standby && offer(nodes, standby, [trafficOf(0, "request")]) > 0)
      return world.nowMs;
  }
  throw new Error("nobody takes over");
}

async function takeoversInThreads({ core }: Workshop): Promise<number[]> {
  const random = seededRandom(4);
  const samples: number[] = [];
  const threads = await start(core);
  try {
    for (let tries = 0; samples.length < TAKEOVERS; tries++) {
      if (tries === TRIES_MAX)
        throw new Error(`too busy a machine: ${samples.length} of ${tries} take-overs`);
      const active = await settle(threads);
      const isOpen = (await hasSession(threads, active)) || (await openInThreads(threads, active));
      const dieMs = threads.nowMs + STEADY_MS + (random() / 2 ** 32) * HELLO_MS;
      while (threads.nowMs < dieMs) await threads.arrival(1);
      // A busy machine has kept a box from its hellos, and the roles have changed.
      if (!isOpen || threads.state(active) !== "active" || threads.owner(INSIDE) !== active) continue;
      await threads.kill(active);
      samples.push((await firstPassInThreads(threads, peerOf(active))) - threads.lastHelloMs(active));
      await threads.boot(active);
    }
    return samples;
  } finally {
    await threads.close();
  }
}

/** Whether the sessions are there that the take-overs before have kept. */
async function hasSession(threads: Threads, box: BoxName): Promise<boolean> {
  return (await decide(threads, box, [trafficOf(0, "request")])) === 1;
}

/** Opens them; false: the box has lost its role meanwhile. */
async function openInThreads(threads: Threads, box: BoxName): Promise<boolean> {
  for (const step of ["syn", "synAck", "ack"] as const) {
    const traffic = Array.from({ length: FLOWS }, (_, flow) => trafficOf(flow, step));
    if ((await decide(threads, box, traffic)) < FLOWS) return false;
  }
  return true;
}

async function firstPassInThreads(threads: Threads, standby: BoxName): Promise<number> {
  const endMs = threads.nowMs + WAIT_MAX_MS;
  const probe = trafficOf(0, "request");
  while (threads.nowMs < endMs) {
    let passedMs: number | undefined;
    if (threads.owner(INSIDE) === standby && threads.unanswered(standby) === 0)
      threads.offer(standby, (batch) => void put(batch, probe));
    threads.verdicts(standby, (verdicts) => {
      if (verdicts.verdictCode(0) === L.VERDICT_PASS) passedMs ??= verdicts.decidedMs;
    });
    if (passedMs !== undefined) return passedMs;
    await threads.arrival(PROBE_WAIT_MS);
  }
  throw new Error("nobody takes over");
}

// --- first replies that wait

function deferVirtual({ core }: Workshop): number[] {
  const nodes = new NodePair(core, SESSIONS, { defer: true });
  const active = nodes.boot();
  const samples: number[] = [];
  for (let flow = 0; flow < FIRST_REPLIES; flow++) {
    nodes.world.runUntil(nodes.world.nowMs + 1);
    const { nowMs } = nodes.world;
    const { batch } = nodes.firewall(active).dataplane;
    nodes.releases.length = 0;
    // The reply comes at once: what it waits is all that deferring costs.
    batch.clear();
    for (const step of ["syn", "synAck"] as const) {
      const { frame, ingress, cookie } = trafficOf(flow, step);
      batch.add(frame, ingress, cookie);
    }
    const node = nodes.node(active);
    const { actions } = node.process(nowMs);
    if (!batch.isDeferred(1) || !node.defer(flow, nowMs)) throw new Error("the reply does not wait");
    nodes.world.act(active, actions);
    nodes.world.runUntil(nowMs + 60);
    const release = nodes.releases.find(({ token }) => token === flow);
    if (release === undefined) throw new Error("the reply never leaves");
    samples.push(release.atMs - nowMs);
  }
  return samples;
}

async function deferInThreads({ core }: Workshop): Promise<number[]> {
  // How long a hold time is plays no part, and a busy machine must not end it.
  const threads = await start(core, { defer: true, timers: "msec 100 msec 1000" });
  try {
    const active = await settle(threads);
    const samples: number[] = [];
    for (let flow = 0; flow < FIRST_REPLIES; flow++) {
      let decidedMs: number | undefined;
      let releasedMs: number | undefined;
      threads.offer(active, (batch) => {
        for (const step of ["syn", "synAck"] as const) put(batch, trafficOf(flow, step));
      });
      const endMs = threads.nowMs + WAIT_MAX_MS;
      while (releasedMs === undefined) {
        if (threads.nowMs > endMs) throw new Error("the reply never leaves");
        threads.verdicts(
          active,
          (verdicts) => {
            if (!verdicts.isDeferred(1)) throw new Error("the reply does not wait");
            decidedMs = verdicts.decidedMs;
          },
          ({ atMs }) => {
            releasedMs = atMs;
          },
        );
        await threads.arrival(PROBE_WAIT_MS);
      }
      samples.push(releasedMs - decidedMs!);
    }
    return samples;
  } finally {
    await threads.close();
  }
}

function start(core: Workshop["core"], options: PairOptions = {}): Promise<Threads> {
  return startThreads({
    configs: configsOf(options),
    module: core,
    dataplane: { capacity: { sessions: SESSIONS, batch: 32, fragments: 16 } },
  });
}

async function settle(threads: Threads): Promise<BoxName> {
  if (!(await threads.settled(SETTLE_MS))) throw new Error("the pair does not come up");
  return BOX_NAMES.find((box) => threads.state(box) === "active")!;
}

/** Has a box decide frames; how many passed. */
async function decide(threads: Threads, box: BoxName, traffic: readonly Traffic[]): Promise<number> {
  let passed = 0;
  threads.offer(box, (batch) => {
    for (const each of traffic) put(batch, each);
  });
  while (threads.unanswered(box) > 0) {
    await threads.arrival(1);
    threads.verdicts(box, (verdicts) => {
      for (let i = 0; i < verdicts.outputs; i++) if (verdicts.verdictCode(i) === L.VERDICT_PASS) passed++;
    });
  }
  return passed;
}
