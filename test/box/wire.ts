/** A box without threads and devices: its rings are read and written here, and frames come and go by lists. */
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
import { type Arrival, ListIo, type Sent } from "../../src/live/list-io.js";
import { SharedSessions } from "../../src/node/shared-sessions.js";
import { RingReader, RingWriter } from "../../src/ring.js";
import { DEVICES } from "../forward/network.js";

const MESSAGES = 64;

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
