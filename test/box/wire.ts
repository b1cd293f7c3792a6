/** A box without threads and devices: its rings are read and written here, and frames come and go by lists. */
import * as L from "../../assembly/layout.js";
import type { Dataplane } from "../../src/index.js";
import { DataplaneBox } from "../../src/live/dataplane-box.js";
import { formatMac } from "../../src/frame.js";
import {
  newMessageRing,
  readToControl,
  type ToControl,
  type ToDataplane,
  writeToDataplane,
} from "../../src/live/messages.js";
import type { PacketIo } from "../../src/live/packet-io.js";
import { SharedSessions } from "../../src/node/shared-sessions.js";
import { RingReader, RingWriter } from "../../src/ring.js";
import { DEVICES } from "../forward/network.js";

export interface Sent {
  readonly port: number;
  readonly frame: Uint8Array;
}

interface Arrival {
  readonly frame: Uint8Array;
  readonly carrier: number;
  readonly segment?: number;
}

const MESSAGES = 64;

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
  counters = () => [];
  close(): void {}
}

export class WireBox {
  readonly box: DataplaneBox;
  readonly io: ListIo;
  readonly sessions: SharedSessions;
  readonly #orders: RingWriter;
  readonly #told: RingReader;
  #nowMs = 0;

  /** Half of a pair, of these devices (test/forward/network.ts). */
  constructor(dataplane: Dataplane) {
    this.sessions = new SharedSessions(dataplane, { isPaired: true, updateMs: 10_000 });
    this.io = new ListIo(() => this.sessions.dataplane);
    const fromControl = newMessageRing(MESSAGES);
    const toControl = newMessageRing(MESSAGES);
    this.#orders = new RingWriter(fromControl);
    this.#told = new RingReader(toControl);
    this.box = new DataplaneBox(
      {
        sessions: this.sessions,
        openIo: () => this.io,
        fromControl,
        toControl,
        wakeControl: () => {},
        ports: [undefined, ...DEVICES.map(({ port, vlan, mac }) => ({ port, vlan, mac: formatMac(mac) }))],
        wallMs: () => this.#nowMs,
      },
      0,
    );
  }

  /** What the machines want, and what it says to that. */
  order(...messages: readonly ToDataplane[]): ToControl[] {
    for (const message of messages)
      if (!writeToDataplane(this.#orders, message)) throw new Error("the ring is full");
    return this.pass(0);
  }

  /** Frames arrive; what leaves. */
  arrive(...frames: readonly Arrival[]): Sent[] {
    this.io.arriving.push(...frames);
    this.pass(0);
    return this.sent();
  }

  /** So much time, and turns until nothing is left to do; what it says. */
  pass(ms: number): ToControl[] {
    this.#nowMs += ms;
    while (this.box.turn(this.#nowMs));
    const told: ToControl[] = [];
    for (let each = readToControl(this.#told); each !== undefined; each = readToControl(this.#told))
      told.push(each);
    return told;
  }

  /** What has left since it was asked last. */
  sent(): Sent[] {
    return this.io.sent.splice(0);
  }
}
