/** What metrics are made of: what the threads of a live firewall tell, as plain data. What is missing has no metric. */
import type { BfdNeighborView } from "../console/backend.js";
import type { Counters } from "../counters.js";
import type { HsrpGroupView } from "../hsrp/index.js";
import type { PortCounters } from "../live/packet-io.js";
import type { DeliveryView, LoggerView } from "../log/index.js";
import type { RedundancyView } from "../redundancy/index.js";
import type { Counters as RouterCounters, InterfaceView } from "../router/index.js";
import type { EndpointView } from "../sctp/index.js";
import type { SyncView } from "../sync/session-sync.js";
import type { SyncCounters } from "../sync-port.js";

/** A thread, as others see it. */
export interface ThreadView {
  readonly name: string;
  /** How long it took to answer, in ms; undefined: it did not in time. */
  readonly answerMs: number | undefined;
  /** Messages of it that found no room; undefined: it did not say. */
  readonly refusedMessages: number | undefined;
}

export interface MetricsSnapshot {
  readonly version: string;
  readonly uptimeMs: number;
  /** How frames come and go: `AF_XDP, driver mode`. */
  readonly backend?: string;
  readonly dataplane?: Counters;
  /** What the session table can hold. */
  readonly sessionsMax?: number;
  readonly devices?: readonly PortCounters[];
  readonly interfaces?: readonly InterfaceView[];
  readonly router?: RouterCounters;
  readonly hsrp?: readonly HsrpGroupView[];
  readonly redundancy?: RedundancyView;
  readonly sync?: SyncView;
  readonly syncCounters?: SyncCounters;
  /** Undefined: there is no association. */
  readonly sctp?: EndpointView | undefined;
  readonly bfd?: readonly BfdNeighborView[];
  readonly threads?: readonly ThreadView[];
  readonly log?: { readonly logger: LoggerView; readonly destinations: readonly DeliveryView[] };
  /** Events that never reached the log. */
  readonly eventsLost?: number;
}
