/** What a dataplane box is given. */
import type { Dataplane } from "../dataplane.js";
import type { PacketWatch } from "../debug/packet-watch.js";
import type { Mac } from "../frame.js";
import type { SharedSessions } from "../node/shared-sessions.js";
import type { RingMemory } from "../ring.js";
import type { CaptureTap } from "./capture-tap.js";
import type { PacketIo } from "./packet-io.js";

export interface DataplaneBoxOptions {
  readonly sessions: SharedSessions;
  /** Opens the devices over the memory of the core that is in use now; after a trap once more. */
  readonly openIo: () => PacketIo;
  /** From the machines, and to them. */
  readonly fromControl: RingMemory;
  readonly toControl: RingMemory;
  /** Has the machines look for what is new. */
  readonly wakeControl: () => void;
  /** By interface number; undefined: it has no device. */
  readonly ports: readonly (LivePortOf | undefined)[];
  /** `monitor capture`. */
  readonly tap?: CaptureTap;
  /** Wall clock, ms since 1970. */
  readonly wallMs: () => number;
  /** `debug`. */
  readonly watch?: PacketWatch;
  /** Has the events of a call of the core read, before the next one. */
  readonly onEvents?: (dataplane: Dataplane, nowMs: number) => void;
}

/** Where the frames of an interface go. */
export interface LivePortOf {
  readonly port: number;
  readonly vlan: number;
  /** Own address of the interface. */
  readonly mac: Mac;
}
