/** What the metrics of a live box are made of, and whether it is well. */
import type { MetricsSnapshot } from "../../metrics/index.js";
import type { Logging } from "../log/logging.js";
import type { Health } from "../metrics/server.js";
import { bfdNeighborOf } from "./bfd-neighbor.js";
import type { LiveBox } from "./live-box.js";

export async function snapshotOf(
  box: LiveBox,
  logging: Logging,
  facts: Pick<MetricsSnapshot, "version" | "sessionsMax">,
  startMs: number,
): Promise<MetricsSnapshot> {
  const [dataplane, control, router] = await Promise.all([
    box.dataplane.call("view"),
    box.control.call("view"),
    box.control.call("router"),
  ]);
  const { logger, destinations } = logging.view();
  return {
    ...facts,
    uptimeMs: box.nowMs - startMs,
    backend: dataplane.backend,
    dataplane: dataplane.counters,
    devices: dataplane.ports,
    interfaces: router.interfaces,
    hsrp: control.standby,
    redundancy: control.redundancy,
    sync: dataplane.sync.view,
    syncCounters: dataplane.sync.counters,
    ...(control.association !== undefined && { sctp: control.association }),
    bfd: control.bfd.map(bfdNeighborOf),
    log: { logger, destinations },
    eventsLost: dataplane.eventsLost,
  };
}

/** Well is who forwards or could: alone, active, or a standby that has all sessions. */
export async function healthOf(box: LiveBox): Promise<Health> {
  const { redundancy } = await box.control.call("view");
  const { machine } = redundancy;
  const isHealthy =
    machine === "disabled" || machine === "active" || machine === "hot" || machine === "drain";
  return { isHealthy, text: machine };
}
