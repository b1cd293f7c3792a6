/** What metrics are made of: what the threads of a live firewall tell, as plain data. What is missing has no metric. */
import type { NeighborView } from "../bfd/index.js";
import type { Counters } from "../counters.js";
import type { HsrpGroupView } from "../hsrp/index.js";
import type { DeliveryView, LoggerView } from "../log/index.js";
import type { RedundancyView } from "../redundancy/index.js";
import type { InterfaceView } from "../router/index.js";
import type { EndpointView } from "../sctp/index.js";
import type { SyncView } from "../sync/session-sync.js";
import type { SyncCounters } from "../sync-port.js";

/** Of a device: as `PortCounters` of src/live/ has them. */
export interface DeviceCounters {
  readonly device: string;
  readonly received: number;
  readonly sent: number;
  readonly ringFull: number;
  readonly noBuffer: number;
  readonly sendRefused: number;
}

/** How late a thread's loop was. */
export interface ThreadView {
  readonly name: string;
  /** Turns of its loop. */
  readonly turns: number;
  /** Longest time since the last snapshot by which a turn came later than it was due. */
  readonly latenessMaxMs: number;
  /** Messages of other threads that wait for it, and those that found no room. */
  readonly queuedMessages: number;
  readonly refusedMessages: number;
}

export interface MetricsSnapshot {
  readonly version: string;
  readonly uptimeMs: number;
  /** How frames come and go: `AF_XDP, driver mode`. */
  readonly backend?: string;
  readonly dataplane?: Counters;
  /** What the session table can hold. */
  readonly sessionsMax?: number;
  readonly devices?: readonly DeviceCounters[];
  readonly interfaces?: readonly InterfaceView[];
  readonly hsrp?: readonly HsrpGroupView[];
  readonly redundancy?: RedundancyView;
  readonly sync?: SyncView;
  readonly syncCounters?: SyncCounters;
  readonly sctp?: EndpointView;
  readonly bfd?: readonly NeighborView[];
  readonly threads?: readonly ThreadView[];
  readonly log?: { readonly logger: LoggerView; readonly destinations: readonly DeliveryView[] };
  /** Events that never reached the log. */
  readonly eventsLost?: number;
}
