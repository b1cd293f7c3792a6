/** One end of a bulk sync between two threads: the active writes records into a ring, the standby takes them out. */
import { monotonicMs } from "../src/io/pair/clock.js";
import { RingReader, RingWriter } from "../src/ring.js";
import { makeDataplane, openFlows, engineOf } from "./boxes.js";
import type { BulkAnswer, BulkData, BulkRequest } from "./bulk.js";
import { Ring } from "./ring.js";
import { answer } from "./worker.js";

const START_MS = 1000;
/** Longest sleep of the standby, which is woken when there is something. */
const WAIT_MS = 100;

function activeOf({ core: source, sessions, ring: memory }: BulkData): (request: BulkRequest) => BulkAnswer {
  const { core, dataplane } = makeDataplane(source, "A", sessions, {}, START_MS);
  const { sync } = dataplane;
  const writer = new RingWriter(memory);
  sync.setRole("active", 1);
  return (request) => {
    if (request === "prepare") {
      const engine = engineOf("active", (count, nowMs) => void core.process(count, nowMs));
      openFlows(engine, new Ring(core, "udp"), 0, sessions, START_MS);
      return { atMs: monotonicMs(), records: 0 };
    }
    sync.setPeer(true);
    sync.startBulk();
    const atMs = monotonicMs();
    for (let bytes = sync.write(); bytes.length > 0; bytes = sync.write()) while (!writer.write(bytes)) {}
    return { atMs, records: Number(sync.sent) };
  };
}

function standbyOf({ core: source, sessions, ring: memory }: BulkData): (request: BulkRequest) => BulkAnswer {
  const { core, dataplane } = makeDataplane(source, "B", sessions, {}, START_MS);
  const { sync } = dataplane;
  const reader = new RingReader(memory);
  sync.setRole("standby");
  const empty = core.copyState();
  return (request) => {
    if (request === "prepare") {
      core.restoreState(empty);
      sync.resetTaken();
      return { atMs: monotonicMs(), records: 0 };
    }
    let records = 0;
    const { bulksTaken } = sync;
    while (sync.bulksTaken === bulksTaken) {
      const slot = reader.peek();
      if (slot === undefined) {
        reader.wait(WAIT_MS);
        continue;
      }
      records += sync.take(slot.bytes);
      reader.release();
    }
    if (sync.bulkTaken !== "done") throw new Error(`the bulk sync ended as ${sync.bulkTaken}`);
    return { atMs: monotonicMs(), records };
  };
}

answer((data: BulkData) => (data.isActive ? activeOf(data) : standbyOf(data)));
