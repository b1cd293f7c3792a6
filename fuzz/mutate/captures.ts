/**
 * One damaged capture through everything that a capture goes through: reader, link layer, core, verdicts in capture
 * order, counters. Whatever the bytes are, nothing throws, every packet has one verdict, and the counts add up.
 */
import { gzipSync } from "fflate";
import * as L from "../../assembly/layout.js";
import { CAPTURED_MAX, CaptureReader, readBatches } from "../../src/capture/index.js";
import type { Dataplane } from "../../src/dataplane.js";
import { reasonOf } from "../../src/reasons.js";
import { bySource, Replay } from "../../src/replay/index.js";
import type { Ingress } from "../../src/replay/ingress.js";
import type { Random } from "../../test/model/random.js";
import { mutateBytes } from "./bytes.js";

/** Longest capture that is worked on: longer ones are entered somewhere in their middle. */
const LENGTH_MAX = 8192;
const PIECE_MAX = 4096;

export interface CaptureSample {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Lengths at which it may be cut and is still a capture. */
  readonly ends: readonly number[];
}

/** A capture out of the samples, damaged; sometimes compressed before or after that. */
export function damagedCapture(samples: readonly CaptureSample[], random: Random): Uint8Array {
  const part = (): Uint8Array => {
    const { bytes, ends } = random.pick(samples);
    const allowed = ends.filter((end) => end <= LENGTH_MAX);
    return bytes.subarray(0, allowed.length === 0 ? LENGTH_MAX : random.pick(allowed));
  };
  const bytes = part();
  const compress = random.int(10);
  if (compress === 0) return gzipSync(mutateBytes(bytes, random, part()));
  if (compress === 1) return mutateBytes(gzipSync(bytes), random, gzipSync(part()));
  return mutateBytes(bytes, random, part());
}

/** Replays the capture through a fresh firewall; throws when something about it is wrong. */
export async function runCapture(bytes: Uint8Array, dataplane: Dataplane, random: Random): Promise<void> {
  const reader = new CaptureReader({ packetsMax: 1 + random.int(64) });
  let rows = 0;
  const replay = new Replay(dataplane, {
    ingress: random.chance(0.5) ? bySource : anywhere(random.u32(), dataplane.interfaces.length),
    packets: random.chance(0.5),
    verdicts: ({ n, reason }) => {
      reasonOf(reason);
      if (n !== ++rows) throw new Error(`verdict ${rows} is that of packet ${n}`);
    },
    // Reading them is the test: what cannot be read throws.
    events: () => void [...dataplane.events()],
  });
  for await (const batch of readBatches(piecesOf(bytes, random), reader)) {
    for (let i = 0; i < batch.count; i++) {
      if (batch.capturedLength[i]! > CAPTURED_MAX)
        throw new Error(`packet of ${batch.capturedLength[i]} bytes`);
    }
    const problem = replay.feed(batch, reader.interfaces);
    if (problem !== undefined) throw new Error(problem.problem);
  }
  const problem = replay.finish(reader.interfaces);
  if (problem !== undefined) throw new Error(problem.problem);
  const { error } = reader;
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (error !== undefined && !(error.offset >= 0 && (compressed || error.offset <= bytes.length)))
    throw new Error(`error at ${error.offset} of ${bytes.length} bytes`);
  if (rows !== replay.packets || reader.packets !== replay.packets)
    throw new Error(`${reader.packets} packets, ${replay.packets} replayed, ${rows} verdicts`);
  checkCounters(dataplane, replay.packets);
}

/** What was received has a verdict, what has a verdict has a reason, and nothing is held any more. */
function checkCounters(dataplane: Dataplane, packets: number): void {
  const { received, verdicts, reasons } = dataplane.counters();
  const counted = Object.values(reasons).reduce((sum, tally) => sum + tally.packets, 0);
  if (received.packets !== packets || counted !== packets || verdicts.held.packets !== 0)
    throw new Error(`${packets} packets, ${received.packets} received, ${counted} with a reason`);
  let sessions = 0;
  for (const session of dataplane.sessions()) {
    if (session.id === "") throw new Error("a session without an id");
    sessions++;
  }
  if (sessions !== dataplane.counters().sessions.current) throw new Error(`${sessions} sessions are listed`);
}

/** An interface for each packet, whatever it is; beyond the last one too. */
function anywhere(salt: number, interfaces: number): Ingress {
  return {
    of: (n) => ((Math.imul(n, 0x9e3779b1) ^ salt) >>> 8) % Math.min(interfaces + 1, L.INTERFACES_MAX),
    end: () => undefined,
  };
}

function* piecesOf(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.int(PIECE_MAX);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}
