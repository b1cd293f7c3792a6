/** What the main thread asks of the dataplane thread. */
import type { PacketWatch } from "../../debug/packet-watch.js";
import type { DebugView } from "../../debug/topics.js";
import type { CaptureTap, TapOptions } from "../../live/capture-tap.js";
import type { DataplaneBox } from "../../live/dataplane-box.js";
import type { LivePortOf } from "../../live/dataplane-options.js";
import type { EventOutlet } from "../../live/event-outlet.js";
import type { PolicyHandover, Stage } from "../../live/policy-handover.js";
import type { DataplaneView } from "../../live/views.js";
import type { SharedSessions, Sharing } from "../../node/shared-sessions.js";
import type { EnforcedPolicy } from "../../policy/policy.js";
import type { Session } from "../../session-view.js";
import type { Opened } from "./dataplane-worker.js";

/** An interface that has a device, by name. */
export interface NamedPort extends LivePortOf {
  readonly name: string;
}

export interface SessionSlice {
  readonly sessions: readonly Session[];
  /** Where the next slice begins; undefined: there is none. */
  readonly next?: number;
  readonly nowMs: number;
}

export interface DataplaneCalls {
  view(argument: undefined): DataplaneView;
  /** Packets that each entry of the access lists decided, by rule number from 0; what is behind the last one is 0. */
  hits(argument: undefined): BigUint64Array;
  /** Sessions in `slots` places of the table from place `from` on. */
  sessions(argument: { readonly from: number; readonly slots: number }): SessionSlice;
  /** How many there were. */
  clearSessions(argument: { readonly id: string | "all" }): number;
  /** Which frames are to be handed over from the next batch on. */
  tap(argument: { readonly wanted: TapOptions | undefined }): void;
  /** What is debugged from the next batch on. */
  debug(argument: DebugView): void;
  /** Opens the devices that there are; by what frames come and go then. */
  reopen(argument: undefined): Opened;
  /** A piece of the next policy. */
  stage(argument: Stage): void;
  /** That policy is in force from the next batch on. It was compiled with the numbering of the one before. */
  configure(
    argument: Omit<PolicyHandover, "stages"> & {
      readonly ports: readonly NamedPort[];
      readonly sharing: Sharing;
      readonly sessionPort: number;
    },
  ): void;
}

export interface CallContext {
  readonly box: DataplaneBox;
  readonly sessions: SharedSessions;
  readonly events: EventOutlet;
  readonly tap: CaptureTap;
  readonly watch: PacketWatch;
  readonly nowMs: () => number;
  /** How the devices were opened last. */
  readonly opened: () => Opened;
  /** What is decided from now on, is by this policy, and so it is in a core that takes over from this one. */
  readonly onConfigured: (policy: EnforcedPolicy) => void;
}

/** Ports by the number of their interface. */
export function portsByNumber(
  ports: readonly NamedPort[],
  interfaces: readonly string[],
): (LivePortOf | undefined)[] {
  const byName = new Map(ports.map((port) => [port.name, port]));
  return interfaces.map((name) => byName.get(name));
}

export function dataplaneCalls({
  box,
  sessions,
  events,
  tap,
  watch,
  nowMs,
  opened,
  onConfigured,
}: CallContext): DataplaneCalls {
  return {
    view: () => ({
      backend: box.io.backend,
      counters: sessions.dataplane.counters(),
      sync: { view: sessions.sync.view, counters: sessions.dataplane.sync.counters() },
      deferred: { ...sessions.deferCounters },
      ports: box.io.counters(),
      box: { ...box.counters },
      policed: { ...box.policer.refused },
      refusedMessages: box.refusedMessages,
      eventsLost: events.lost,
      nowMs: nowMs(),
    }),
    hits: () => sessions.dataplane.hits(),
    sessions: ({ from, slots }) => ({ ...sessions.dataplane.sessionSlice(from, slots), nowMs: nowMs() }),
    clearSessions: ({ id }) => {
      const { dataplane } = sessions;
      const cleared = id === "all" ? dataplane.clearSessions() : Number(dataplane.clearSession(id));
      box.tellEvents(nowMs());
      return cleared;
    },
    tap: ({ wanted }) => tap.configure(wanted),
    debug: (view) => watch.configure(view, sessions.dataplane),
    reopen: () => {
      box.reopen();
      return opened();
    },
    stage: ({ image, from, end }) => sessions.dataplane.stage(image, from, end),
    configure: ({ policy, origins, ports, sharing, sessionPort }) => {
      const { dataplane } = sessions;
      // Events name rules by their numbers, which are others from now on.
      events.flush();
      dataplane.adopt(policy, origins);
      onConfigured(policy);
      box.policer.sessionPort = sessionPort;
      box.reconfigure(portsByNumber(ports, dataplane.interfaces), sharing, nowMs());
    },
  };
}
