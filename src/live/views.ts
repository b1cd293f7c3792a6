/** What the workers of a live box answer to the main thread: plain data. */
import type { Counters } from "../counters.js";
import type { DeferCounters } from "../node/defer.js";
import type { SyncCounters } from "../sync-port.js";
import type { SyncView } from "../sync/session-sync.js";
import type { BoxCounters } from "./box-counters.js";
import type { PortCounters } from "./packet-io.js";
import type { PolicedKind } from "./policer.js";

/** What the dataplane thread has and has counted. */
export interface DataplaneView {
  readonly backend: string;
  readonly counters: Counters;
  readonly sync: { readonly view: SyncView; readonly counters: SyncCounters };
  readonly deferred: DeferCounters;
  readonly ports: readonly PortCounters[];
  readonly box: BoxCounters;
  /** Frames for the box itself that came too often, by kind. */
  readonly policed: Readonly<Record<PolicedKind, number>>;
  /** Frames for the machines that found no room on the way. */
  readonly refusedMessages: number;
  /** Events that were not told because there were too many. */
  readonly eventsLost: number;
  /** Clock of the box. */
  readonly nowMs: number;
}
