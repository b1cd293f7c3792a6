/** From a plan to what breaks: when its turn is, which box it hits, and what is done to the pair. */
import { BOX_NAMES, type BoxName } from "./boxes.js";
import type { PairNetworks } from "./networks.js";
import type { Failure, PlannedEvent } from "./plan.js";

/** A pair whose parts can be broken and mended. */
export interface Breakable {
  kill(box: BoxName): unknown;
  boot(box: BoxName): unknown;
  hang(box: BoxName): unknown;
  wake(box: BoxName): unknown;
  setLink(box: BoxName, network: string, isUp: boolean): void;
  setCut(network: string, isCut: boolean): void;
}

export class Schedule {
  readonly #plan: PlannedEvent[];
  /** Hit boxes, by what failed. */
  readonly #failed = new Map<Failure, BoxName>();

  constructor(plan: readonly PlannedEvent[]) {
    this.#plan = [...plan];
  }

  /** Takes out the next event that is due before packet `packets`, at `captureMs`. */
  next(packets: number, captureMs: number): PlannedEvent | undefined {
    const due = this.#plan.findIndex(({ when }) =>
      "packet" in when ? when.packet <= packets : when.seconds * 1000 <= captureMs,
    );
    return due === -1 ? undefined : this.#plan.splice(due, 1)[0];
  }

  /** Whether anything is planned up to a time of the capture, other than by a packet. */
  hasMore(captureMs: number): boolean {
    return this.#plan.some(({ when }) => "seconds" in when && when.seconds * 1000 <= captureMs);
  }

  /** The box that an event hits; undefined: there is none. Of a recovery, the one that was hit. */
  target({ kind, what }: PlannedEvent, active: BoxName | undefined): BoxName | undefined {
    if (kind === "recover") {
      const box = this.#failed.get(what);
      this.#failed.delete(what);
      return box;
    }
    const box = what === "standby" ? BOX_NAMES.find((name) => name !== active) : active;
    if (box !== undefined) this.#failed.set(what, box);
    return box;
  }
}

/** Whether sessions are at stake: the active box is hit. */
export const hitsActive = (what: Failure): boolean => what !== "sync" && what !== "standby";

/** Whether a box dies, and what it has counted with it. */
export const isDeath = (what: Failure): boolean => what === "active" || what === "standby";

/** Breaks or mends. Returns what the pair returns: a promise where that takes time. */
export function apply(
  { kind, what }: Pick<PlannedEvent, "kind" | "what">,
  box: BoxName,
  pair: Breakable,
  networks: PairNetworks,
): unknown {
  const fails = kind === "fail";
  switch (what) {
    case "active":
    case "standby":
      return fails ? pair.kill(box) : pair.boot(box);
    case "hang":
      return fails ? pair.hang(box) : pair.wake(box);
    case "sync":
      for (const network of networks.sync) pair.setCut(network, fails);
      return undefined;
    case "inside":
    case "outside":
      return pair.setLink(box, networks[what], !fails);
  }
}
