/**
 * What does it cost that a standby knows every session?
 *
 *   sync/established  packets of open sessions, with a standby that knows them, beside the same firewall without one
 *   sync/update       telling the standby the counters and windows of a session that has moved, once in ten seconds
 *   sync/create       new sessions of which the standby is told at once, beside sessions that nobody is told of
 *   sync/apply        taking the record of a new session, beside creating one
 *   sync/node         as sync/established, through the whole node: HSRP, redundancy and association stand by
 *   sync/bulk         all sessions: from core to core in one thread; between two threads by a ring; through the whole
 *                     pair in threads, with envelope and SCTP
 */
import type { Engine } from "./engine.js";
import { engineOf, makeDataplane, NodePair, openFlows } from "./boxes.js";
import { bulkPair, bulkThreads } from "./bulk.js";
import { Active, exchange, Standby, START_MS, UPDATE_MS } from "./linked.js";
import { type Contender, inProcess, race } from "./measure.js";
import { BATCH, HALF_OPEN_MS } from "./policy.js";
import { PRODUCT, type Question, type Row, rowOf } from "./report.js";
import { Ring, RING_FRAMES, randomFlow } from "./ring.js";
import { bulkRow } from "./samples.js";
import { drive, SEGMENT, type Workshop } from "./testbed.js";

const SIZES = [65536, 1048576] as const;
/** Sessions that there are while new ones come; beyond every cache. */
const CREATE_SIZE = 262144;
const NODE_SIZE = 65536;
export const BULK_SIZE = 1_000_000;
const BULK_ROUNDS = 9;
const ALONE = "without sync";
const CREATED = "creating";
/** `ip inspect redundancy update`: the default. */
const UPDATE = `seconds ${UPDATE_MS / 1000}`;

export const sync = (workshop: Workshop): Question => {
  const established = SIZES.map((size) => ({
    size,
    name: `sync/established/${size}`,
    update: `sync/update/${size}`,
  }));
  const create = `sync/create/${CREATE_SIZE}`;
  const apply = `sync/apply/${CREATE_SIZE}`;
  const single: [name: string, measure: (name: string) => Promise<Row>][] = [
    [`sync/node/${NODE_SIZE}`, (name) => measureNode(workshop, name)],
    ["sync/bulk/core", (name) => measureBulkCore(workshop, name)],
    ["sync/bulk/threads", (name) => bulkThreads(workshop, name, BULK_SIZE)],
    ["sync/bulk/pair", (name) => bulkPair(workshop, name)],
  ];
  return {
    names: [
      ...established.flatMap(({ name, update }) => [name, update]),
      create,
      apply,
      ...single.map(([name]) => name),
    ],
    async *measure(wanted) {
      for (const { size, name, update } of established) {
        if (wanted(name) || wanted(update)) yield* await measureEstablished(workshop, name, update, size);
      }
      if (wanted(create) || wanted(apply)) yield* await measureCreation(workshop, create, apply);
      for (const [name, measure] of single) if (wanted(name)) yield await measure(name);
    },
  };
};

/** Half of the ring at a time: Benchmark.js tries out the first half and times the second. */
function segments(engine: Engine, ring: Ring, nowMs: () => number): { run: () => void; rewind: () => void } {
  let first = 0;
  return {
    run: () => {
      drive(engine, ring, first, SEGMENT, BATCH, nowMs());
      first += SEGMENT;
    },
    rewind: () => {
      first = 0;
    },
  };
}

/** Packets of open sessions, flows at random. */
function establishedOf(name: string, engine: Engine, ring: Ring, sessions: number): Contender {
  const { run, rewind } = segments(engine, ring, () => START_MS);
  const flowOf = randomFlow(sessions);
  let place = 0;
  return inProcess(name, SEGMENT, run, () => {
    ring.fill(flowOf, place);
    place += RING_FRAMES;
    rewind();
  });
}

async function measureEstablished(
  { core: source, effort }: Workshop,
  name: string,
  updateName: string,
  size: number,
): Promise<Row[]> {
  const alone = makeDataplane(source, "A", size, { isAlone: true }, START_MS);
  const aloneRing = new Ring(alone.core, "tcp");
  const aloneEngine = engineOf(ALONE, (count, nowMs) => void alone.core.process(count, nowMs));
  openFlows(aloneEngine, aloneRing, 0, size, START_MS);
  const active = new Active(source, size, "tcp", { update: UPDATE });
  openFlows(active.engine, active.ring, 0, size, START_MS);
  active.connect();
  active.startBulk();
  active.acknowledge();
  active.frames = [];
  if (Number(active.port.sent) < size) throw new Error(`the peer was told of ${active.port.sent} records`);
  for (const ring of [aloneRing, active.ring]) ring.prepare("data");
  const figures = await race(
    [
      establishedOf(PRODUCT, active.engine, active.ring, size),
      establishedOf(ALONE, aloneEngine, aloneRing, size),
    ],
    effort(size),
  );
  const update = rowOf(updateName, await race([updateOf(active, size)], { ...effort(size), samples: 1 }));
  const row = rowOf(name, figures, PRODUCT, ALONE);
  // Every session moves between two updates: more there cannot be to tell.
  const share = (update.nsPerOperation * size) / (UPDATE_MS * 1e6);
  const beside = { name: ALONE, times: row.beside!.times + share };
  return [{ ...row, beside, note: `of which updates ${(share * 100).toFixed(2)} %` }, update];
}

/** All sessions have moved: they are found and told. ns a session. */
function updateOf(active: Active, size: number): Contender {
  let place = 0;
  return {
    name: PRODUCT,
    sample: async (count) =>
      Array.from({ length: count }, () => {
        for (let done = 0; done < size; done += RING_FRAMES) {
          active.ring.fill((each) => each % size, place);
          place += RING_FRAMES;
          drive(active.engine, active.ring, 0, RING_FRAMES, BATCH, START_MS);
        }
        active.acknowledge();
        active.frames = [];
        const before = active.port.sent;
        const start = process.hrtime.bigint();
        active.port.scan(active.port.groups);
        active.flush();
        active.acknowledge();
        const ns = Number(process.hrtime.bigint() - start);
        active.frames = [];
        const told = Number(active.port.sent - before);
        if (told < size) throw new Error(`of ${size} sessions ${told} were told`);
        return ns / told;
      }),
  };
}

/** SYNs of new flows; what is half-open goes before the next ones come. */
function creationOf(
  name: string,
  engine: Engine,
  ring: Ring,
  size: number,
  settle: (nowMs: number) => void,
): Contender {
  let nowMs = START_MS;
  let place = 0;
  const { run, rewind } = segments(engine, ring, () => nowMs);
  return inProcess(name, SEGMENT, run, () => {
    if (place > 0) {
      nowMs += HALF_OPEN_MS;
      settle(nowMs);
    }
    ring.fill((each) => size + each, place);
    place += RING_FRAMES;
    rewind();
  });
}

async function measureCreation(
  { core: source, effort }: Workshop,
  create: string,
  apply: string,
): Promise<Row[]> {
  const size = CREATE_SIZE;
  const room = size + RING_FRAMES;
  // With `defer` the standby is told of a session at its first packet.
  const options = { update: UPDATE, defer: true };
  const alone = makeDataplane(source, "A", room, options, START_MS);
  const aloneRing = new Ring(alone.core, "tcp");
  const aloneEngine = engineOf(CREATED, (count, nowMs) => void alone.core.process(count, nowMs));
  openFlows(aloneEngine, aloneRing, 0, size, START_MS);
  const telling = connectedActive(source, size, room, options);
  const told: Engine = engineOf(PRODUCT, (count, nowMs) => {
    telling.engine.process(count, nowMs);
    telling.acknowledge();
    telling.frames = [];
  });
  for (const ring of [aloneRing, telling.ring]) ring.prepare("open");
  const settleTelling = (nowMs: number): void => {
    telling.endIdle(nowMs);
    telling.frames = [];
  };
  const applying = applicationOf(source, size, room, options);
  const figures = await race(
    [
      creationOf(PRODUCT, told, telling.ring, size, settleTelling),
      creationOf(CREATED, aloneEngine, aloneRing, size, (nowMs) => {
        alone.core.expire(nowMs, alone.core.plan.groups);
      }),
      applying,
    ],
    effort(size),
  );
  return [rowOf(create, figures, PRODUCT, CREATED), rowOf(apply, figures, applying.name, CREATED)];
}

function connectedActive(
  source: Workshop["core"],
  size: number,
  room: number,
  options: { update: string; defer: boolean },
): Active {
  const active = new Active(source, room, "tcp", options);
  openFlows(active.engine, active.ring, 0, size, START_MS);
  active.connect();
  active.startBulk();
  return active;
}

/** A standby that takes the records of new sessions. */
function applicationOf(
  source: Workshop["core"],
  size: number,
  room: number,
  options: { update: string; defer: boolean },
): Contender {
  const active = connectedActive(source, size, room, options);
  const standby = new Standby(source, room, options);
  exchange(active, standby);
  active.ring.prepare("open");
  let nowMs = START_MS;
  let place = 0;
  let halves: Uint8Array[][] = [];
  const record = (first: number): Uint8Array[] => {
    drive(active.engine, active.ring, first, SEGMENT, BATCH, nowMs);
    active.acknowledge();
    return active.frames.splice(0);
  };
  const run = (): void => {
    for (const frame of halves.shift()!) standby.take(frame);
  };
  return inProcess("applying", SEGMENT, run, () => {
    nowMs += HALF_OPEN_MS;
    active.endIdle(nowMs);
    for (const frame of active.frames.splice(0)) standby.take(frame);
    active.ring.fill((each) => size + each, place);
    place += RING_FRAMES;
    const { add } = standby.port.counters().taken;
    if (place > RING_FRAMES && add !== size + place - RING_FRAMES)
      throw new Error(`${add} sessions were taken, ${size + place - RING_FRAMES} told`);
    halves = [record(0), record(SEGMENT)];
  });
}

/** The same packets through `Node.process` of a pair and of a firewall alone. */
async function measureNode({ core: source, effort }: Workshop, name: string): Promise<Row> {
  const size = NODE_SIZE;
  const pair = new NodePair(source, size, { update: UPDATE, timers: "1 3" });
  const active = pair.boot();
  const lone = new NodePair(source, size, { isAlone: true });
  lone.world.boot("A");
  const contender = (label: string, nodes: NodePair, box: "A" | "B", isPaired: boolean): Contender => {
    const ring = new Ring(nodes.firewall(box).core, "tcp");
    const engine = engineOf(label, (count) => void nodes.process(box, count));
    const settle = (): void => {
      do nodes.world.runUntil(nodes.world.nowMs + 1);
      while (isPaired && nodes.node(box).sync.view.unacknowledgedBytes > 0);
    };
    openFlows(engine, ring, 0, size, 0, settle);
    ring.prepare("data");
    return establishedOf(label, engine, ring, size);
  };
  const contenders = [contender(PRODUCT, pair, active, true), contender(ALONE, lone, "A", false)];
  if (pair.settled !== active) throw new Error("the pair has come apart");
  return rowOf(name, await race(contenders, effort(size)), PRODUCT, ALONE);
}

/** One table copied into another, empty one. */
async function measureBulkCore({ core: source }: Workshop, name: string): Promise<Row> {
  const active = new Active(source, BULK_SIZE, "tcp", { update: UPDATE });
  openFlows(active.engine, active.ring, 0, BULK_SIZE, START_MS);
  const standby = new Standby(source, BULK_SIZE, { update: UPDATE });
  const { core, dataplane } = standby.firewall;
  const empty = core.copyState();
  const samples: number[] = [];
  for (let round = 0; round < BULK_ROUNDS; round++) {
    core.restoreState(empty);
    dataplane.sync.resetTaken();
    active.port.setPeer(true);
    active.port.startBulk();
    let records = 0;
    const start = process.hrtime.bigint();
    for (let bytes = active.port.write(); bytes.length > 0; bytes = active.port.write())
      records += standby.port.take(bytes);
    samples.push(Number(process.hrtime.bigint() - start) / BULK_SIZE);
    if (standby.port.bulkTaken !== "done" || records < BULK_SIZE)
      throw new Error(`of ${BULK_SIZE} sessions ${records} were taken`);
  }
  return bulkRow(name, samples, "one thread");
}
