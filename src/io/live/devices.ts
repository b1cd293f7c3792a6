/** The devices under a box that runs: which of them are there, and what has become of the others. */
import { isProblem, type Result } from "../io.js";
import type { Device } from "../linux/device.js";
import type { BackendName } from "../linux/open.js";

/** Takes devices from the kernel that have been made anew. */
export interface DeviceKeeper {
  /** What there is of the devices, by port number; undefined: gone, or not set up. */
  take(): Result<readonly (Device | undefined)[]>;
  /** What they need where frames come and go so. */
  fit(backend: BackendName): Result<unknown>;
}

/** What was found when they were looked for. */
export interface Found {
  readonly present: readonly Device[];
  /** A device has another address or MTU than the one before it: the policy is another one. */
  readonly isAnother: boolean;
  /** For people. */
  readonly texts: readonly string[];
}

export class LiveDevices {
  readonly #keeper: DeviceKeeper;
  /** By port number: what is open, or was open last. */
  #all: readonly Device[];
  #gone: ReadonlySet<string> = new Set();

  constructor(keeper: DeviceKeeper, all: readonly Device[]) {
    this.#keeper = keeper;
    this.#all = all;
  }

  get all(): readonly Device[] {
    return this.#all;
  }

  /** Takes those that there are. */
  look(): Result<Found> {
    const taken = this.#keeper.take();
    if (isProblem(taken)) return taken;
    const before = this.#all;
    this.#all = before.map((device, port) => taken.value[port] ?? device);
    const gone = new Set(before.flatMap(({ name }, port) => (taken.value[port] ? [] : [name])));
    const texts = before.flatMap(({ name }) => {
      if (gone.has(name) === this.#gone.has(name)) return [];
      return gone.has(name) ? [`device ${name} is gone`] : [`device ${name} is there again`];
    });
    this.#gone = gone;
    return {
      value: {
        present: taken.value.filter((device) => device !== undefined),
        isAnother: this.#all.some(({ mac, mtu }, i) => mac !== before[i]!.mac || mtu !== before[i]!.mtu),
        texts,
      },
    };
  }

  fit(backend: BackendName): Result<unknown> {
    return this.#keeper.fit(backend);
  }
}
