/**
 * The MAC addresses that a box answers to and sends from. A virtual one is taken from the dataplane only when a handover
 * that is under way is over: until then frames for it wait, and are not for somebody else.
 */
import type { Forwarding } from "../forwarding.js";
import type { Mac } from "../frame.js";
import type { BoxCounters } from "./box-counters.js";
import type { LivePortOf } from "./dataplane-options.js";

export class Stations {
  /** Virtual ones by interface number; the first one is what the box sends from. */
  readonly #macs = new Map<number, Mac[]>();
  /** Given up, and still taken. */
  #late: { readonly number: number; readonly mac: Mac }[] = [];
  readonly #counters: BoxCounters;

  constructor(counters: BoxCounters) {
    this.#counters = counters;
  }

  /** The box is, or is no longer, the one with a virtual address. `isLate`: the dataplane takes it until `settle`. */
  set(
    forwarding: Forwarding,
    port: LivePortOf | undefined,
    number: number,
    mac: Mac,
    isOwned: boolean,
    isLate: boolean,
  ): void {
    const others = (this.#macs.get(number) ?? []).filter((each) => each !== mac);
    this.#macs.set(number, isOwned ? [...others, mac] : others);
    if (port === undefined) return;
    if (!isOwned && isLate) this.#late.push({ number, mac });
    else if (!isOwned) forwarding.refuseMac(number, mac);
    this.#tell(forwarding, port, number);
  }

  /** Roles are settled: what was given up is no longer taken. */
  settle(forwarding: Forwarding): void {
    for (const { number, mac } of this.#late.splice(0))
      if (!this.#macs.get(number)?.includes(mac)) forwarding.refuseMac(number, mac);
  }

  /** Tells the core which interface is where; of a core that is new, or that has a new configuration. */
  enable(forwarding: Forwarding, ports: readonly (LivePortOf | undefined)[]): void {
    const interfaces = ports.flatMap((port, number) => (port === undefined ? [] : [{ number, ...port }]));
    forwarding.enable({ interfaces });
    for (const { number, ...port } of interfaces) this.#tell(forwarding, port, number);
  }

  /** The box has no virtual address any more. */
  clear(): void {
    this.#macs.clear();
    this.#late = [];
  }

  /** Frames for these are taken, and what leaves comes from the first one, which keeps switches up to date. */
  #tell(forwarding: Forwarding, { mac: own }: LivePortOf, number: number): void {
    const macs = this.#macs.get(number) ?? [];
    for (const mac of macs) if (!forwarding.acceptMac(number, mac)) this.#counters.stationsFull++;
    forwarding.setSourceMac(number, macs[0] ?? own);
  }
}
