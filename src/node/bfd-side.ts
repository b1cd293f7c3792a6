/**
 * BFD of a box, the paths to its peer, and the one thing that follows from both: whether the peer is dead. It is when BFD
 * has heard it on a path, and now hears it on none, and no path that BFD does not watch has heard it within the time that
 * HSRP or the association give it. A path that is cut alone says nothing: the peer may be alive on another one.
 */
import { Bfd, type BfdAction, type BfdInput, isSamePath, keyOf, type Path } from "../bfd/index.js";
import { type PeerPath, peerPaths } from "../check/paths.js";
import { usedAssociation } from "../check/topology.js";
import type { BfdInterval } from "../config/model.js";
import { type HsrpInterface, type Neighbor, optionsOf } from "../hsrp/index.js";
import type { Address } from "../ip.js";
import type { ControlOptions } from "./actions.js";

/** What others know of the peer. */
export interface Hearsay {
  /** The HSRP neighbors that were heard within their hold times. */
  readonly neighbors: readonly Neighbor[];
  /** The association has heard the peer within its limit. */
  readonly isAssociationHeard: boolean;
}

/** A path, and what it is called: by the LAN and the family of an HSRP path, or by the ends of another. */
type NamedPath = PeerPath & { readonly name: string };

/** What follows from a configuration. */
interface Plan {
  readonly paths: readonly NamedPath[];
  /** The box's own address on each path that BFD watches. */
  readonly locals: ReadonlyMap<NamedPath, Address>;
  readonly keyString: string | undefined;
}

export class BfdSide {
  readonly #random: () => number;
  #plan: Plan;
  #bfd: Bfd;
  readonly #linksUp: Set<string>;
  /** The neighbor of each LAN and family, once it has been heard. */
  readonly #remotes: Map<string, Address>;
  #isPeerDead: boolean;

  /** `original`: one of which this is to be a copy. */
  constructor(options: ControlOptions, original?: BfdSide) {
    this.#random = options.random;
    if (original === undefined) {
      this.#plan = planOf(options);
      this.#bfd = this.#newBfd();
      this.#linksUp = new Set();
      this.#remotes = new Map();
      this.#isPeerDead = false;
    } else {
      this.#plan = original.#plan;
      this.#bfd = original.#bfd.clone();
      this.#linksUp = new Set(original.#linksUp);
      this.#remotes = new Map(original.#remotes);
      this.#isPeerDead = original.#isPeerDead;
    }
  }

  #newBfd(): Bfd {
    const { keyString } = this.#plan;
    return new Bfd({ random: this.#random, key: keyString === undefined ? undefined : keyOf(keyString) });
  }

  /** BFD watches a path to the peer. */
  get isWatching(): boolean {
    return this.#plan.locals.size > 0;
  }

  get bfd(): Bfd {
    return this.#bfd;
  }

  /** Begins the sessions whose neighbor is known. */
  start(nowMs: number): BfdAction[] {
    return this.#plan.paths.flatMap((path) => this.#begin(path, nowMs));
  }

  /**
   * Another configuration: sessions that it leaves go on, with other intervals by a poll; those that it ends say so, and
   * their silence means nothing. With another key all of them begin anew.
   */
  configure(options: ControlOptions, nowMs: number): BfdAction[] {
    const { keyString } = this.#plan;
    const before = this.#sessions();
    this.#plan = planOf(options);
    for (const name of this.#remotes.keys())
      if (!this.#plan.paths.some((path) => path.name === name)) this.#remotes.delete(name);
    if (keyString !== this.#plan.keyString) {
      const ended = this.#bfd.step({ kind: "stop" }, nowMs);
      this.#bfd = this.#newBfd();
      for (const name of this.#linksUp) this.#bfd.step({ kind: "link", interface: name, isUp: true }, nowMs);
      return [...ended, ...this.start(nowMs)];
    }
    const kept = this.#sessions();
    const ended = before
      .filter((path) => !kept.some((other) => isSamePath(path, other)))
      .flatMap((path) => this.#bfd.step({ kind: "remove", path }, nowMs));
    return [...ended, ...this.start(nowMs)];
  }

  step(input: BfdInput, nowMs: number): BfdAction[] {
    if (input.kind === "link") {
      if (input.isUp) this.#linksUp.add(input.interface);
      else this.#linksUp.delete(input.interface);
    }
    return this.#bfd.step(input, nowMs);
  }

  /** Takes notice of who is heard by HSRP: a session begins with each neighbor, and stays with it while it is up. */
  learn(neighbors: readonly Neighbor[], nowMs: number): BfdAction[] {
    return this.#plan.paths.flatMap((path) => {
      if (path.kind !== "hsrp") return [];
      const heard = neighbors.filter((each) => isOn(each, path)).map(({ address }) => address);
      const known = this.#remotes.get(path.name);
      const session = this.#sessionOf(path);
      const isKept = known !== undefined && (heard.includes(known) || (session && this.#bfd.isUp(session)));
      if (heard.length === 0 || isKept) return [];
      const ended = session === undefined ? [] : this.#bfd.step({ kind: "remove", path: session }, nowMs);
      this.#remotes.set(path.name, heard[0]!);
      return [...ended, ...this.#begin(path, nowMs)];
    });
  }

  /** True: the peer is dead, and was not when this was asked last. */
  hasPeerDied(hearsay: Hearsay): boolean {
    const wasDead = this.#isPeerDead;
    this.#isPeerDead = this.#isDead(hearsay);
    return this.#isPeerDead && !wasDead;
  }

  /** The peer as HSRP knows it. */
  get peer(): Neighbor[] {
    return this.#plan.paths.flatMap((path) => {
      const address = path.kind === "hsrp" ? this.#remotes.get(path.name) : undefined;
      return address === undefined ? [] : [{ interface: path.interface.name, address }];
    });
  }

  /**
   * A pause of this box after which the peer may take it for dead; Infinity where a path is not watched: its silence would
   * have to be longer.
   */
  pauseMaxMs(): number {
    const isWatched = this.#plan.paths.every((path) => this.#livenessOf(path) !== "unknown");
    return isWatched ? this.#bfd.pauseMaxMs : Number.POSITIVE_INFINITY;
  }

  #isDead({ neighbors, isAssociationHeard }: Hearsay): boolean {
    let isSilent = false;
    for (const path of this.#plan.paths) {
      const liveness = this.#livenessOf(path);
      if (liveness === "alive") return false;
      if (liveness === "silent") isSilent = true;
      else if (path.kind === "association" ? isAssociationHeard : neighbors.some((each) => isOn(each, path)))
        return false;
    }
    return isSilent;
  }

  #livenessOf(path: NamedPath): ReturnType<Bfd["liveness"]> {
    const session = this.#sessionOf(path);
    return session === undefined ? "unknown" : this.#bfd.liveness(session);
  }

  #sessions(): Path[] {
    return this.#plan.paths.flatMap((path) => this.#sessionOf(path) ?? []);
  }

  #sessionOf(path: NamedPath): Path | undefined {
    const local = this.#plan.locals.get(path);
    const remote = path.kind === "association" ? path.remote : this.#remotes.get(path.name);
    if (path.bfd === undefined || local === undefined || remote === undefined) return undefined;
    return { interface: path.interface.name, local, remote };
  }

  #begin(path: NamedPath, nowMs: number): BfdAction[] {
    const session = this.#sessionOf(path);
    if (session === undefined) return [];
    return this.#bfd.step({ kind: "session", path: session, parameters: parametersOf(path.bfd!) }, nowMs);
  }
}

function planOf(options: ControlOptions): Plan {
  const { config } = options;
  const paths = peerPaths(config).map((path) => ({ ...path, name: nameOf(path) }));
  return {
    paths,
    locals: localsOf(paths, optionsOf(config, options).interfaces),
    keyString: usedAssociation(config)?.keyString?.value,
  };
}

function nameOf(path: PeerPath): string {
  const where = path.kind === "hsrp" ? `${path.family}` : `${path.local} ${path.remote}`;
  return `${path.interface.name} ${path.kind} ${where}`;
}

/** Of the LAN and the family of a path. */
function isOn({ interface: name, address }: Neighbor, { interface: on, ...path }: PeerPath): boolean {
  return name === on.name && path.kind === "hsrp" && (typeof address === "number" ? 4 : 6) === path.family;
}

function localsOf(
  paths: readonly NamedPath[],
  interfaces: readonly HsrpInterface[],
): ReadonlyMap<NamedPath, Address> {
  return new Map(
    paths.flatMap((path): [NamedPath, Address][] => {
      if (path.bfd === undefined) return [];
      const on = interfaces.find(({ name }) => name === path.interface.name);
      const ofLan = path.kind === "hsrp" && path.family === 6 ? on?.linkLocal : on?.networks[0]?.address;
      const local = path.kind === "association" ? path.local : ofLan;
      return local === undefined ? [] : [[path, local]];
    }),
  );
}

function parametersOf({ intervalMs, minRxMs, multiplier }: BfdInterval) {
  return { desiredMinTxMs: intervalMs, requiredMinRxMs: minRxMs, multiplier };
}
