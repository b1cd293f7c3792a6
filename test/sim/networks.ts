/** The networks between the boxes: loss, delay, repetition, damage, and cuts of one direction or both. */
import { BOX_NAMES, type BoxName, type Delivery, type Transfer } from "../../src/pair/world.js";
import type { Random } from "../model/random.js";
import { HSRP_LANS, SYNC_LINKS } from "./variant.js";

export interface Noise {
  /** Parts of all packets. */
  readonly loss: number;
  readonly duplicate: number;
  readonly corrupt: number;
  /** Least and most: packets overtake each other. */
  readonly delayMs: readonly [number, number];
}

export const QUIET: Noise = { loss: 0, duplicate: 0, corrupt: 0, delayMs: [0.1, 0.3] };

const NETWORKS: readonly string[] = [...HSRP_LANS, ...SYNC_LINKS];
export const isSyncLink = (network: string): boolean => (SYNC_LINKS as readonly string[]).includes(network);

interface Lan {
  noise: Noise;
  /** Cuts in force, by the sender that is not heard. */
  readonly cuts: Record<BoxName, number>;
}

export class Networks {
  readonly #random: Random;
  readonly #lans = new Map<string, Lan>(
    NETWORKS.map((name) => [name, { noise: QUIET, cuts: { A: 0, B: 0 } }]),
  );

  constructor(random: Random) {
    this.#random = random;
  }

  setNoise(networks: readonly string[], noise: Noise): void {
    for (const name of networks) this.#lans.get(name)!.noise = noise;
  }

  /** Nothing from a box arrives; without one, nothing from either. Cuts of one time add up. */
  cut(networks: readonly string[], from?: BoxName): void {
    this.#count(networks, from, 1);
  }

  mend(networks: readonly string[], from?: BoxName): void {
    this.#count(networks, from, -1);
  }

  mendAll(): void {
    for (const lan of this.#lans.values()) {
      lan.noise = QUIET;
      for (const name of BOX_NAMES) lan.cuts[name] = 0;
    }
  }

  /** Everything arrives, once and in order, within a millisecond. */
  isWhole(networks: readonly string[]): boolean {
    return networks.every((name) => {
      const { noise, cuts } = this.#lans.get(name)!;
      return noise === QUIET && cuts.A + cuts.B === 0;
    });
  }

  /** What becomes of a datagram. */
  deliver({ network, from, bytes }: Transfer): Delivery[] {
    const { noise, cuts } = this.#lans.get(network)!;
    const random = this.#random;
    if (cuts[from] > 0 || random.chance(noise.loss)) return [];
    return Array.from({ length: random.chance(noise.duplicate) ? 2 : 1 }, () => {
      const [least, most] = noise.delayMs;
      const delayMs = least + (most - least) * (random.u32() / 2 ** 32);
      return { delayMs, bytes: random.chance(noise.corrupt) ? this.#damaged(bytes) : bytes };
    });
  }

  #count(networks: readonly string[], from: BoxName | undefined, by: number): void {
    for (const name of networks) {
      const { cuts } = this.#lans.get(name)!;
      for (const box of from === undefined ? BOX_NAMES : [from]) cuts[box] = Math.max(0, cuts[box] + by);
    }
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    if (random.chance(0.2)) return bytes.slice(0, random.int(bytes.length));
    const damaged = bytes.slice();
    for (let i = random.between(1, 3); i > 0; i--) damaged[random.int(bytes.length)]! ^= 1 << random.int(8);
    return damaged;
  }
}
