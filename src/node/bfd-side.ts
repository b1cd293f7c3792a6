/**
 * BFD of a box, the paths to its peer, and the one thing that follows from both: whether the peer is dead. It is when BFD
 * has heard it on a path, and now hears it on none, and no path that BFD does not watch has heard it within the time that
 * HSRP or the association give it. A path that is cut alone says nothing: the peer may be alive on another one.
 */
import { Bfd, type BfdAction, type BfdInput, keyOf, type Path } from "../bfd/index.js";
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

export class BfdSide {
  readonly #paths: readonly PeerPath[];
  readonly #locals: ReadonlyMap<PeerPath, Address>;
  readonly #bfd: Bfd;
  /** The neighbor of each HSRP path, once it has been heard. */
  readonly #remotes: Map<PeerPath, Address>;
  #isPeerDead: boolean;

  /** `original`: one of which this is to be a copy. */
  constructor(options: ControlOptions, original?: BfdSide) {
    if (original !== undefined) {
      this.#paths = original.#paths;
      this.#locals = original.#locals;
      this.#bfd = original.#bfd.clone();
      this.#remotes = new Map(original.#remotes);
      this.#isPeerDead = original.#isPeerDead;
      return;
    }
    const { config, random } = options;
    const keyString = usedAssociation(config)?.keyString;
    this.#paths = peerPaths(config);
    this.#locals = localsOf(this.#paths, optionsOf(config, options).interfaces);
    this.#bfd = new Bfd({ random, key: keyString && keyOf(keyString.value) });
    this.#remotes = new Map();
    this.#isPeerDead = false;
  }

  /** Undefined: no path is watched. */
  static of(options: ControlOptions): BfdSide | undefined {
    return peerPaths(options.config).some(({ bfd }) => bfd !== undefined) ? new BfdSide(options) : undefined;
  }

  get bfd(): Bfd {
    return this.#bfd;
  }

  /** Begins the sessions whose neighbor is known. */
  start(nowMs: number): BfdAction[] {
    return this.#paths.flatMap((path) => this.#begin(path, nowMs));
  }

  step(input: BfdInput, nowMs: number): BfdAction[] {
    return this.#bfd.step(input, nowMs);
  }

  /** Takes notice of who is heard by HSRP: a session begins with each neighbor, and stays with it while it is up. */
  learn(neighbors: readonly Neighbor[], nowMs: number): BfdAction[] {
    return this.#paths.flatMap((path) => {
      if (path.kind !== "hsrp") return [];
      const heard = neighbors.filter((each) => isOn(each, path)).map(({ address }) => address);
      const known = this.#remotes.get(path);
      const session = this.#sessionOf(path);
      const isKept = known !== undefined && (heard.includes(known) || (session && this.#bfd.isUp(session)));
      if (heard.length === 0 || isKept) return [];
      const ended = session === undefined ? [] : this.#bfd.step({ kind: "remove", path: session }, nowMs);
      this.#remotes.set(path, heard[0]!);
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
    return [...this.#remotes].map(([path, address]) => ({ interface: path.interface.name, address }));
  }

  /**
   * A pause of this box after which the peer may take it for dead; Infinity where a path is not watched: its silence would
   * have to be longer.
   */
  pauseMaxMs(): number {
    const isWatched = this.#paths.every((path) => this.#livenessOf(path) !== "unknown");
    return isWatched ? this.#bfd.pauseMaxMs : Number.POSITIVE_INFINITY;
  }

  #isDead({ neighbors, isAssociationHeard }: Hearsay): boolean {
    let isSilent = false;
    for (const path of this.#paths) {
      const liveness = this.#livenessOf(path);
      if (liveness === "alive") return false;
      if (liveness === "silent") isSilent = true;
      else if (path.kind === "association" ? isAssociationHeard : neighbors.some((each) => isOn(each, path)))
        return false;
    }
    return isSilent;
  }

  #livenessOf(path: PeerPath): ReturnType<Bfd["liveness"]> {
    const session = this.#sessionOf(path);
    return session === undefined ? "unknown" : this.#bfd.liveness(session);
  }

  #sessionOf(path: PeerPath): Path | undefined {
    const local = this.#locals.get(path);
    const remote = path.kind === "association" ? path.remote : this.#remotes.get(path);
    if (path.bfd === undefined || local === undefined || remote === undefined) return undefined;
    return { interface: path.interface.name, local, remote };
  }

  #begin(path: PeerPath, nowMs: number): BfdAction[] {
    const session = this.#sessionOf(path);
    if (session === undefined) return [];
    return this.#bfd.step({ kind: "session", path: session, parameters: parametersOf(path.bfd!) }, nowMs);
  }
}

/** Equal for two configurations with the same paths, watched alike. */
export function watchedOf({ config }: ControlOptions): string {
  const paths = peerPaths(config).map(({ interface: on, at: _, ...path }) => ({ ...path, on: on.name }));
  return JSON.stringify([paths, usedAssociation(config)?.keyString?.value]);
}

/** Of the LAN and the family of a path. */
function isOn({ interface: name, address }: Neighbor, { interface: on, ...path }: PeerPath): boolean {
  return name === on.name && path.kind === "hsrp" && (typeof address === "number" ? 4 : 6) === path.family;
}

function localsOf(
  paths: readonly PeerPath[],
  interfaces: readonly HsrpInterface[],
): ReadonlyMap<PeerPath, Address> {
  return new Map(
    paths.flatMap((path): [PeerPath, Address][] => {
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
