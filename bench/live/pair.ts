/** What is asked of a pair: the gap when the active dies, what is lost in it, and what the copies of sessions cost. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { CaptureReader, readBatches } from "../../src/capture/index.js";
import type { Program } from "../../test/live/program.js";
import { monotonicMs, sleep, until } from "../../test/live/system.js";
import { type ConnectionFigures, hold, probe } from "../../test/live/traffic.js";
import { quantile } from "../measure.js";
import { DISCARD_PORT, ECHO, finish, FLOWS_FROM, generate, OUTSIDE } from "./bed.js";
import type { PairContender, PairOptions, RunningPair } from "./contender.js";
import { INSIDE_HOST_MAC, otherSide, PairBed } from "./pair-bed.js";
import type { Question, Results } from "./report.js";

/** How dead peers are noticed. */
const DETECTIONS: readonly { readonly name: string; readonly options: PairOptions }[] = [
  { name: "hello-10", options: { helloMs: 10 } },
  { name: "hello-50", options: { helloMs: 50 } },
  { name: "hello-1000", options: { helloMs: 1000 } },
  { name: "bfd-5", options: { helloMs: 1000, bfdMs: 5 } },
];
const BULKS = [100_000, 1_000_000];

/** Long-lived connections that live through the death of the active. */
const ESTABLISHED = 200;
/** New connections a second, and percent of the sync link's frames that get lost, when connections of every age are lost. */
const OPEN_RATE = 500;
const SYNC_LOSS_PERCENT = 5;
const OPENED_MS = 2000;
/** Bounds of the ages that are told apart. */
const AGES = [
  { name: "below-10-ms", belowMs: 10 },
  { name: "below-100-ms", belowMs: 100 },
  { name: "below-1-s", belowMs: 1000 },
  { name: "older", belowMs: Number.POSITIVE_INFINITY },
];
/** Time for retransmissions (RFC 6298: 1 s, doubled) to get through after the gap. */
const RECOVER_MS = 4000;

/** Sessions of which the lag and the bytes are measured, opened at that rate. */
const NEW_SESSIONS = 2000;
const NEW_RATE = 500;
/** Bulk sessions are opened at a rate that no contender chokes on. */
const FILL_RATE = 50_000;
const FILL_PATIENCE_MS = 240_000;

const gapOf = (name: string): Question => ({ name: `gap/${name}`, unit: "ms", isLessBetter: true });
const lostOf = (name: string): Question => ({
  name: `lost/${name}`,
  unit: "connections",
  isLessBetter: true,
});
const LOST_ESTABLISHED = lostOf(`established-${ESTABLISHED}`);
const LOST_BY_AGE = AGES.map(({ name }) => lostOf(name));
const LAG_P50: Question = { name: "lag/p50", unit: "ms", isLessBetter: true };
const LAG_P99: Question = { name: "lag/p99", unit: "ms", isLessBetter: true };
const SYNC_BYTES: Question = { name: "sync/bytes-per-new-session", unit: "bytes", isLessBetter: true };
const bulkOf = (count: number) =>
  ({
    arrived: { name: `bulk/${count}/arrived`, unit: "sessions" },
    usable: { name: `bulk/${count}/usable`, unit: "ms", isLessBetter: true },
    bytes: { name: `bulk/${count}/bytes-per-session`, unit: "bytes", isLessBetter: true },
  }) as const satisfies Record<string, Question>;

export const PAIR_NAMES = [
  ...DETECTIONS.map(({ name }) => gapOf(name).name),
  LOST_ESTABLISHED.name,
  ...LOST_BY_AGE.map(({ name }) => name),
  LAG_P50.name,
  LAG_P99.name,
  SYNC_BYTES.name,
  ...BULKS.flatMap((count) => Object.values(bulkOf(count)).map(({ name }) => name)),
];

type Add = (question: Question, value: number, ...notes: readonly (string | undefined)[]) => void;

/** Asks a contender everything once. */
export async function askPair(
  contender: PairContender,
  wanted: (name: string) => boolean,
  results: Results,
): Promise<void> {
  const add: Add = (question, value, ...notes) => results.add(question, contender.name, value, ...notes);
  for (const { name, options } of DETECTIONS) {
    if (!wanted(gapOf(name).name) && !(name === "hello-10" && wanted(LOST_ESTABLISHED.name))) continue;
    if (options.bfdMs !== undefined && !contender.hasBfd) continue;
    const helloMs = Math.max(options.helloMs, contender.helloMinMs);
    const note = helloMs === options.helloMs ? undefined : `hellos every ${helloMs} ms`;
    await withPair(contender, { ...options, helloMs }, (bed, pair) => failover(bed, pair, name, add, note));
  }
  if (LOST_BY_AGE.some(({ name }) => wanted(name)))
    await withPair(contender, { helloMs: 50 }, (bed, pair) => lossByAge(bed, pair, add));
  if (wanted(LAG_P50.name) || wanted(LAG_P99.name))
    await withPair(contender, { helloMs: 1000 }, (bed, pair) => lag(bed, pair, add));
  if (wanted(SYNC_BYTES.name))
    await withPair(contender, { helloMs: 1000 }, (bed, pair) => bytesPerSession(bed, pair, add));
  for (const count of BULKS) {
    if (!Object.values(bulkOf(count)).some(({ name }) => wanted(name))) continue;
    await withPair(contender, { helloMs: 1000 }, (bed, pair) => bulk(bed, pair, count, add));
  }
}

async function withPair(
  contender: PairContender,
  options: PairOptions,
  measure: (bed: PairBed, pair: RunningPair) => Promise<void>,
): Promise<void> {
  const bed = await PairBed.build();
  try {
    const pair = await contender.start(bed, options);
    await measure(bed, pair);
    await pair.stop();
  } finally {
    bed.close();
  }
}

/** Was it open when the active died, and is it no more? */
function isLost({ state, openedMs }: ConnectionFigures, deathMs: number): boolean {
  return openedMs > 0 && openedMs < deathMs && state !== "open";
}

/** The active dies, by kill -9 of all that runs on it and with all its links, under a stream of datagrams and long-lived connections. */
async function failover(
  bed: PairBed,
  pair: RunningPair,
  name: string,
  add: Add,
  note?: string,
): Promise<void> {
  const held = await hold(bed.inside, OUTSIDE.host, ECHO.port, {
    count: ESTABLISHED,
    rate: 5,
    "drain-ms": 10_000,
  });
  const stream = await probe(bed.inside, OUTSIDE.host, ECHO.port);
  await sleep(1500);
  await stream.report();
  const deathMs = monotonicMs();
  await bed.lab.powerOff(pair.active());
  await sleep(RECOVER_MS);
  const { summary } = await stream.stop();
  const { summary: total, connections } = await held.stop();
  if (connections.length !== ESTABLISHED || total.wrong > 0)
    throw new Error(`${total.wrong} bytes wrong in ${connections.length} of ${ESTABLISHED} connections`);
  const notes = [note, pair.note];
  // Connections live on when the stream does; a gap that never ended is none.
  if (summary.gaps.some(({ atMs, ms }) => atMs + ms > deathMs + RECOVER_MS - 100))
    add(gapOf(name), Number.POSITIVE_INFINITY, "nobody took over", ...notes);
  else add(gapOf(name), summary.gapMs, ...notes);
  if (name === "hello-10")
    add(LOST_ESTABLISHED, connections.filter((each) => isLost(each, deathMs)).length, ...notes);
}

/** The active dies while connections are opened all the time and the sync link is bad: of which age are those that are lost? */
async function lossByAge(bed: PairBed, pair: RunningPair, add: Add): Promise<void> {
  const active = pair.active();
  for (const side of [active, otherSide(active)])
    bed.lab.link(side, "eth2").lose(SYNC_LOSS_PERCENT, "from-box");
  const held = await hold(bed.inside, OUTSIDE.host, ECHO.port, {
    count: (OPEN_RATE * (OPENED_MS + RECOVER_MS)) / 1000,
    "open-rate": OPEN_RATE,
    rate: 2,
    "drain-ms": 10_000,
  });
  await sleep(OPENED_MS);
  const deathMs = monotonicMs();
  await bed.lab.powerOff(active);
  await sleep(RECOVER_MS);
  const { summary, connections } = await held.stop();
  if (summary.wrong > 0) throw new Error(`${summary.wrong} bytes of connections were changed`);
  let fromMs = 0;
  for (const [i, { belowMs }] of AGES.entries()) {
    const ofAge = connections.filter(({ openedMs }) => {
      const ageMs = deathMs - openedMs;
      return openedMs > 0 && ageMs > 0 && ageMs >= fromMs && ageMs < belowMs;
    });
    add(LOST_BY_AGE[i]!, ofAge.filter((each) => isLost(each, deathMs)).length, `of ${ofAge.length}`);
    fromMs = belowMs;
  }
}

/** Datagrams of which each begins a session, through the virtual address of the pair. */
function open(bed: PairBed, options: Readonly<Record<string, number>>): Program {
  const [, neighbour] = /lladdr (\S+)/.exec(bed.inside.run("ip", ["neigh", "show", "dev", "eth0"])) ?? [];
  if (neighbour === undefined) throw new Error("the inside host knows no gateway");
  const path = { device: "eth0", from: INSIDE_HOST_MAC, to: neighbour };
  return generate(bed.inside, path, OUTSIDE.host, options);
}

/** Has the host learn who its gateway is. */
async function greet(bed: PairBed): Promise<void> {
  const stream = await probe(bed.inside, OUTSIDE.host, ECHO.port, { "interval-us": 5000 });
  await until("answers through the pair", async () => (await stream.report()).summary.p50Us !== null);
  await stream.program.kill();
}

const PORT_BYTES = 2;

/** From a new session's packet on the outside LAN to the first frame on the sync LAN that names its address and port. */
async function lag(bed: PairBed, _pair: RunningPair, add: Add): Promise<void> {
  await greet(bed);
  const file = join(bed.lab.directory, "lag.pcapng");
  const capture = await bed.lab.capture(["out", "sync"], file, `udp or sctp`);
  const generator = open(bed, { flows: 0, rate: NEW_RATE });
  await sleep((NEW_SESSIONS * 1000) / NEW_RATE);
  await finish(generator);
  await sleep(500);
  await capture.stop("SIGINT");
  const address = FLOWS_FROM.split(".").map(Number);
  const addressIn = (frame: Buffer) =>
    frame.includes(Buffer.from(address)) || frame.includes(Buffer.from([...address].reverse()));
  const leftMs = new Map<number, number>();
  const lags = new Map<number, number>();
  const frames: { frame: Buffer; ms: number }[] = [];
  for await (const batch of readBatches(createReadStream(file), new CaptureReader()))
    for (let i = 0; i < batch.count; i++) {
      const at = batch.offset[i]!;
      const frame = Buffer.from(batch.bytes.subarray(at, at + batch.capturedLength[i]!));
      const ms = batch.timeSeconds[i]! * 1000 + batch.timeNanos[i]! / 1e6;
      if (batch.interfaceIndex[i] === 1) frames.push({ frame, ms });
      else if (frame.readUInt16BE(UDP_DESTINATION_AT) === DISCARD_PORT)
        leftMs.set(frame.readUInt16BE(UDP_SOURCE_AT), ms);
    }
  for (const { frame, ms } of frames) {
    if (!addressIn(frame)) continue;
    for (let at = 0; at + PORT_BYTES <= frame.length; at++)
      for (const port of [frame.readUInt16BE(at), frame.readUInt16LE(at)]) {
        const sentMs = leftMs.get(port);
        if (sentMs !== undefined && !lags.has(port)) lags.set(port, ms - sentMs);
      }
  }
  if (lags.size < leftMs.size / 2)
    throw new Error(`only ${lags.size} of ${leftMs.size} sessions were seen in the copies`);
  const values = [...lags.values()];
  const note = `${lags.size} of ${leftMs.size} sessions`;
  add(LAG_P50, quantile(values, 0.5), note);
  add(LAG_P99, quantile(values, 0.99), note);
}

/** Where they are in an Ethernet frame with IPv4 without options. */
const UDP_SOURCE_AT = 34;
const UDP_DESTINATION_AT = 36;

/** Bytes on the sync link, both ways, for connections that are opened and then rest; less what flows without any. */
async function bytesPerSession(bed: PairBed, pair: RunningPair, add: Add): Promise<void> {
  await greet(bed);
  const active = pair.active();
  const restMs = (NEW_SESSIONS * 1000) / NEW_RATE + 1000;
  const before = bed.syncBytes(active);
  await sleep(restMs);
  const idle = bed.syncBytes(active) - before;
  const held = await hold(bed.inside, OUTSIDE.host, ECHO.port, {
    count: NEW_SESSIONS,
    "open-rate": NEW_RATE,
    "interval-ms": 3_600_000,
  });
  await sleep(restMs);
  const used = bed.syncBytes(active) - before - 2 * idle;
  const { summary } = await held.report();
  if (summary.open !== NEW_SESSIONS)
    throw new Error(`${summary.open} of ${NEW_SESSIONS} connections are open`);
  add(SYNC_BYTES, used / NEW_SESSIONS);
}

/** The standby has to be told of all sessions at once. */
async function bulk(bed: PairBed, pair: RunningPair, count: number, add: Add): Promise<void> {
  await greet(bed);
  const active = pair.active();
  const standby = otherSide(active);
  const filler = open(bed, { flows: count, sweep: 1, rate: FILL_RATE });
  await filler.line((line) => line === `{"event":"swept"}`, 0, (count * 1000) / FILL_RATE + FILL_PATIENCE_MS);
  await filler.kill();
  // Those that it learns one by one are not to disturb.
  let known = -1;
  await until(
    "the active knows the sessions, and the standby learns no more",
    async () => {
      const now = await pair.sessions(standby);
      const isSettled = now === known;
      known = now;
      await sleep(500);
      return isSettled && (await pair.sessions(active)) >= count;
    },
    FILL_PATIENCE_MS,
  );
  const before = bed.syncBytes(active);
  const { arrived, arriveMs, usableMs } = await pair.bulk(standby, count);
  const questions = bulkOf(count);
  add(questions.arrived, arrived, `of ${count}; arrived after ${arriveMs.toFixed(0)} ms`);
  add(questions.usable, usableMs, pair.note);
  add(questions.bytes, (bed.syncBytes(active) - before) / arrived);
}
