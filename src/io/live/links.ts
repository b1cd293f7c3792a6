/** Whether each interface of a live box has a link: its device has, and nobody has shut it down. */
import type { Config } from "../../config/model.js";
import type { ControlBox } from "../../live/control-box.js";
import { isProblem, type Result } from "../io.js";
import { type Device, readDevice } from "../linux/device.js";
import type { Libc } from "../linux/libc.js";
import { type LinkMonitor, watchLinks } from "../linux/link-monitor.js";

export interface LinkedInterfaces {
  readonly config: Config;
  /** The device that carries each interface. */
  readonly devices: ReadonlyMap<string, string>;
}

export class Links {
  readonly #monitor: LinkMonitor;
  #interfaces: LinkedInterfaces;
  #isTold = false;

  constructor(monitor: LinkMonitor, interfaces: LinkedInterfaces) {
    this.#monitor = monitor;
    this.#interfaces = interfaces;
  }

  /** Another configuration is in force. */
  configure(interfaces: LinkedInterfaces): void {
    this.#interfaces = interfaces;
    this.#isTold = false;
  }

  /** These are open: in place of those of the same names, where they are others. */
  watch(devices: readonly Device[]): void {
    for (const device of devices) this.#monitor.watch(device);
    this.#isTold = false;
  }

  /** Tells the box what has changed since the last look. Whether devices have gone or come, and are to be opened anew. */
  look(box: ControlBox, nowMs: number): boolean {
    const changes = this.#monitor.poll();
    if (changes.length === 0 && this.#isTold) return false;
    this.#isTold = true;
    const { config, devices } = this.#interfaces;
    for (const [name, device] of devices) {
      const isUp = this.#monitor.isUp(device) && config.interfaces.get(name)?.shutdown === false;
      box.setLink(name, isUp, nowMs);
    }
    return changes.some(({ isAnother }) => isAnother === true);
  }
}

/** A problem: a device is not there. */
export function openLinks(libc: Libc, interfaces: LinkedInterfaces): Result<Links> {
  const devices: Device[] = [];
  for (const name of new Set(interfaces.devices.values())) {
    const device = readDevice(libc, name);
    if (isProblem(device)) return device;
    devices.push(device.value);
  }
  const monitor = watchLinks(libc, devices);
  return isProblem(monitor) ? monitor : { value: new Links(monitor.value, interfaces) };
}
