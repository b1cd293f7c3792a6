/** Ports whose devices are not there: nothing arrives by them, and what is sent by them is refused and counted. */
import type { Port, PortCounters } from "../../live/packet-io.js";

export class AbsentPorts {
  readonly #ports: readonly Port[];
  readonly #refused: number[];

  constructor(ports: readonly Port[]) {
    this.#ports = ports;
    this.#refused = ports.map(() => 0);
  }

  /** A frame is not sent. Throws when there is no port of that number at all. */
  refuse(number: number): false {
    if (number >= this.#refused.length) throw new RangeError(`there is no port ${number}`);
    this.#refused[number]!++;
    return false;
  }

  counters(number: number): PortCounters {
    const sendRefused = this.#refused[number]!;
    return {
      device: this.#ports[number]!.device,
      received: 0,
      sent: 0,
      ringFull: 0,
      noBuffer: 0,
      sendRefused,
    };
  }
}
