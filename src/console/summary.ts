/** What `twinwall top` shows, as one answer, so that it is of one time. */
import type { Counters } from "../counters.js";
import type { LagView } from "../sync/lag.js";
import type { BfdNeighborView, Clock, ConsoleBackend, InterfaceView } from "./backend.js";

export interface Summary {
  readonly hostname: string;
  readonly clock: Clock;
  readonly sessionsMax: number;
  readonly packetIo: string;
  readonly counters: Counters;
  readonly interfaces: readonly Pick<
    InterfaceView,
    "name" | "isUp" | "isShutdown" | "counters" | "receivedBytes" | "sentBytes"
  >[];
  readonly groups: readonly { readonly interface: string; readonly group: number; readonly state: string }[];
  readonly pair: {
    readonly role: string;
    readonly own: string;
    readonly peer: string;
    /** Undefined: communications are up. */
    readonly downReason?: string;
    /** Undefined: both boxes hold the same sessions. */
    readonly outOfSyncReason?: string;
    readonly switchovers: number;
  };
  readonly sync: {
    readonly queued: number;
    readonly unacknowledgedBytes: number;
    readonly bytesSent: number;
    readonly sentRecords: number;
    readonly takenRecords: number;
    readonly lag: LagView;
  };
  readonly bfd: readonly Pick<BfdNeighborView, "interface" | "state">[];
}

export async function summaryOf(backend: ConsoleBackend): Promise<Summary> {
  const [config, counters, interfaces, groups, pair, { view: sync }, bfd] = await Promise.all([
    backend.config(),
    backend.counters(),
    backend.interfaces(),
    backend.standby(),
    backend.redundancy(),
    backend.sync(),
    backend.bfd(),
  ]);
  const { queued, unacknowledgedBytes, bytesSent, sentRecords, takenRecords, lag } = sync;
  return {
    hostname: config.hostname ?? "Router",
    clock: backend.clock(),
    sessionsMax: backend.facts.sessionsMax,
    packetIo: backend.facts.packetIo,
    counters,
    interfaces: interfaces.map(({ name, isUp, isShutdown, counters: moved, receivedBytes, sentBytes }) => ({
      name,
      isUp,
      isShutdown,
      ...(moved !== undefined && { counters: moved }),
      ...(receivedBytes !== undefined && { receivedBytes }),
      ...(sentBytes !== undefined && { sentBytes }),
    })),
    groups: groups.map(({ interface: on, group, stateText }) => ({ interface: on, group, state: stateText })),
    pair: {
      role: pair.role,
      own: pair.own.name,
      peer: pair.peer.name,
      ...(pair.downReason !== undefined && { downReason: pair.downReason }),
      ...(pair.outOfSyncReason !== undefined && { outOfSyncReason: pair.outOfSyncReason }),
      switchovers: pair.switchovers,
    },
    sync: { queued, unacknowledgedBytes, bytesSent, sentRecords, takenRecords, lag },
    bfd: bfd.map(({ interface: on, state }) => ({ interface: on, state })),
  };
}
