/** What the metrics of a live box are made of, and whether it is well. */
import type { MetricsSnapshot } from "../../metrics/index.js";
import type { Logging } from "../log/logging.js";
import type { Health } from "../metrics/server.js";
import { bfdNeighborOf } from "./bfd-neighbor.js";
import type { LiveBox } from "./live-box.js";

/** A thread that does not answer within that time is down, and the metrics say so. */
const ANSWER_MS = 2000;

export async function snapshotOf(
  box: LiveBox,
  logging: Logging,
  facts: Pick<MetricsSnapshot, "version" | "sessionsMax">,
  startMs: number,
): Promise<MetricsSnapshot> {
  const [ofDataplane, ofControl, ofRouter] = await Promise.all([
    timed(() => box.dataplane.call("view")),
    timed(() => box.control.call("view")),
    timed(() => box.control.call("router")),
  ]);
  const [dataplane, control, router] = [ofDataplane?.answer, ofControl?.answer, ofRouter?.answer];
  const { logger, destinations } = logging.view();
  return {
    ...facts,
    uptimeMs: box.nowMs - startMs,
    backend: box.opened.text,
    threads: [
      { name: "dataplane", answerMs: ofDataplane?.answerMs, refusedMessages: dataplane?.refusedMessages },
      { name: "control", answerMs: ofControl?.answerMs, refusedMessages: control?.refusedMessages },
    ],
    ...(dataplane && {
      dataplane: dataplane.counters,
      devices: dataplane.ports,
      sync: dataplane.sync.view,
      syncCounters: dataplane.sync.counters,
      eventsLost: dataplane.eventsLost + dataplane.counters.eventsLost,
    }),
    ...(router && { interfaces: router.interfaces, router: router.counters }),
    ...(control && {
      hsrp: control.standby,
      redundancy: control.redundancy,
      sctp: control.association,
      bfd: control.bfd.map(bfdNeighborOf),
    }),
    log: { logger, destinations },
  };
}

/** An answer, and how long it took; undefined: it did not come in time. */
async function timed<T>(ask: () => Promise<T>): Promise<{ answer: T; answerMs: number } | undefined> {
  const startMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWER_MS);
  });
  const asked = ask().then((answer) => ({ answer, answerMs: performance.now() - startMs }));
  const first = await Promise.race([asked, late]);
  clearTimeout(timer);
  return first;
}

/** Well is who forwards or could: alone, active, or a standby that has all sessions. */
export async function healthOf(box: LiveBox): Promise<Health> {
  const { redundancy } = await box.control.call("view");
  const { machine } = redundancy;
  const isHealthy =
    machine === "disabled" || machine === "active" || machine === "hot" || machine === "drain";
  return { isHealthy, text: machine };
}
