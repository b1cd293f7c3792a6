/** The link between a device of a box and its LAN: cut, lossy, and whole again. */
import type { Box } from "./lab.js";
import { ipBatch, nft } from "./system.js";

/**
 * How a link is cut.
 * box: the box's own device is set down. lan: the switch's port is, so that the box loses its carrier.
 * silent: both ends stay up, and frames get lost; the only one that can be of one direction.
 */
export type CutKind = "box" | "lan" | "silent";

/** Seen from the box. */
export type Direction = "both" | "to-box" | "from-box";

/** Where the frames of a direction pass the switch's port. */
const HOOKS = { "from-box": "ingress", "to-box": "egress" } as const;
const TABLE = "faults";

export class Link {
  readonly box: Box;
  /** The device in the box. */
  readonly device: string;
  /** The port of the switch, in the namespace of the LANs. */
  readonly port: string;
  readonly #lans: Box;
  /** Lines for `ip` that bring the box's device up, with its addresses and routes. */
  readonly #settings: readonly string[];

  constructor(ends: { box: Box; device: string; lans: Box; port: string }, settings: readonly string[]) {
    this.box = ends.box;
    this.device = ends.device;
    this.#lans = ends.lans;
    this.port = ends.port;
    this.#settings = settings;
  }

  cut(kind: CutKind, direction: Direction = "both"): void {
    if (kind !== "silent" && direction !== "both") throw new Error("only a silent cut has a direction");
    if (kind === "silent") this.#filter("drop", direction);
    else if (kind === "box") ipBatch([`link set ${this.device} down`], this.box.namespace);
    else ipBatch([`link set ${this.port} down`], this.#lans.namespace);
  }

  /** Loses so many percent of the frames, at random. */
  lose(percent: number, direction: Direction = "both"): void {
    this.#filter(`numgen random mod 1000 < ${Math.round(percent * 10)} drop`, direction);
  }

  /** Undoes cuts and losses of every kind. */
  mend(): void {
    nft(this.#lans.namespace, this.#without());
    ipBatch([`link set ${this.port} up`], this.#lans.namespace);
    ipBatch(this.#settings, this.box.namespace);
  }

  get #table(): string {
    return `netdev ${TABLE}_${this.port.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
  }

  /** Deletes the table of the link, whether or not it is there. */
  #without(): string {
    return `table ${this.#table} {}\ndelete table ${this.#table}\n`;
  }

  #filter(rule: string, direction: Direction): void {
    const directions = direction === "both" ? (["from-box", "to-box"] as const) : [direction];
    const chains = directions.map((each) => {
      const hook = HOOKS[each];
      return `chain at_${hook} {\ntype filter hook ${hook} device "${this.port}" priority 0\n${rule}\n}\n`;
    });
    nft(this.#lans.namespace, `${this.#without()}table ${this.#table} {\n${chains.join("")}}\n`);
  }
}
