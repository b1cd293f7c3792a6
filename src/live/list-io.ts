/** Devices that are lists: for a rehearsal, and for tests. */
import * as L from "../../assembly/layout.js";
import type { Dataplane } from "../dataplane.js";
import type { PacketIo } from "./packet-io.js";

export interface Sent {
  readonly port: number;
  readonly frame: Uint8Array;
}

export interface Arrival {
  readonly frame: Uint8Array;
  /** Number of the interface that takes untagged frames of the device. */
  readonly carrier: number;
  readonly segment?: number;
}

export class ListIo implements PacketIo {
  readonly backend = "lists";
  readonly wakeFd = -1;
  readonly arriving: Arrival[] = [];
  readonly sent: Sent[] = [];
  readonly #dataplane: () => Dataplane;

  constructor(dataplane: () => Dataplane) {
    this.#dataplane = dataplane;
  }

  receive(max: number): number {
    const taken = this.arriving.splice(0, max);
    for (const { frame, carrier, segment } of taken)
      if (!this.#dataplane().batch.add(frame, carrier, 0, { segment }))
        throw new Error("no room in the batch");
    return taken.length;
  }

  complete(): void {}

  transmit(outputs: number): void {
    const { batch } = this.#dataplane();
    for (let i = 0; i < outputs; i++)
      if (batch.forward(i) === L.FW_SEND)
        this.sent.push({ port: batch.port(i), frame: batch.frame(i).slice() });
  }

  send(port: number, frame: Uint8Array): boolean {
    this.sent.push({ port, frame: frame.slice() });
    return true;
  }

  wait(): void {}

  counters(): [] {
    return [];
  }

  close(): void {}
}
