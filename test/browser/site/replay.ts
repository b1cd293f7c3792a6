/** What the page, the worker and Node do alike: replay a capture by what the package offers to all of them. */
import { Dataplane, formatSessionId, reasonOf, SEED_BYTES } from "twinwall";
import { CaptureReader, gatherReport, Replay, readBatches, reportObject, startDate } from "twinwall/replay";

/** When an expired session is noticed depends on its place in the table: the same keys, the same counters. */
const SEED = new Uint8Array(SEED_BYTES).fill(7);

export interface Outcome {
  readonly report: Record<string, unknown>;
  readonly counters: object;
  /** Of each packet, in the order of the capture. */
  readonly verdicts: readonly string[];
  /** Of those that are left at the end. */
  readonly sessions: readonly string[];
}

/** Replays a capture given as the pieces of a file. Plain data come back, the same on every platform. */
export async function replay(
  config: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Outcome> {
  const reader = new CaptureReader();
  const batches = readBatches(pieces, reader);
  let next = await batches.next();
  const wallClock = next.done ? new Date(0) : startDate(next.value.timeSeconds[0]!, next.value.timeNanos[0]!);
  const dataplane = await Dataplane.create({ config, wallClock, seed: SEED });
  const verdicts: string[] = [];
  const replay = new Replay(dataplane, {
    verdicts: ({ n, ingress, egress, reason, session, rule }) => {
      const { verdict, name } = reasonOf(reason);
      verdicts.push([n, ingress, egress, verdict, name, formatSessionId(session), rule].join(" "));
    },
  });
  for (; !next.done; next = await batches.next()) replay.feed(next.value, reader.interfaces);
  replay.finish(reader.interfaces);
  const facts = {
    capture: "capture",
    config: "config",
    seconds: 0,
    sessionsMax: 0,
    error: reader.error?.message,
  };
  const sessions = [...dataplane.sessions()].map(
    ({ id, service, state, initiator, responder }) =>
      `${id} ${service} ${state} ${initiator.address} ${responder.address}`,
  );
  return {
    report: reportObject(gatherReport(replay, dataplane, facts)),
    counters: dataplane.counters(),
    verdicts,
    sessions,
  };
}

/** The same with files that come by HTTP. */
export async function replayFrom(config: string, capture: string): Promise<Outcome> {
  const [text, bytes] = await Promise.all([fetchFile(config), fetchFile(capture)]);
  return replay(await text.text(), [new Uint8Array(await bytes.arrayBuffer())]);
}

async function fetchFile(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}
