/** Firewalls of a pair for the benchmarks, with the cores that the frames are in. */
import { Core, type CoreSource } from "../src/core.js";
import { Dataplane } from "../src/dataplane.js";
import { prepare } from "../src/prepare.js";
import { Node } from "../src/node.js";
import { BOX_NAMES, type BoxName } from "../src/pair/boxes.js";
import { macsOf } from "../src/pair/networks.js";
import { NO_FAULTS, World } from "../src/pair/world.js";
import { randomBytes, seededRandom } from "../src/random.js";
import { configOf, type PairOptions } from "../test/threads/configs.js";
import type { Engine } from "./engine.js";
import { BATCH, BATCH_MAX, SEED } from "./policy.js";
import { isTcp, OPENING, RING_FRAMES, type Ring } from "./ring.js";
import { drive } from "./testbed.js";

const SECRET_BYTES = 32;
const SETTLE_MAX_MS = 60_000;
const SETTLE_STEP_MS = 10;

export interface Firewall {
  readonly core: Core;
  readonly dataplane: Dataplane;
}

/** A firewall with the configuration of one box. */
export function makeDataplane(
  source: CoreSource,
  name: BoxName,
  sessions: number,
  options: PairOptions = {},
  nowMs = 0,
): Firewall {
  const capacity = { sessions, batch: BATCH_MAX, fragments: 16 };
  const setup = prepare({ config: configOf(name, options), capacity, seed: SEED, nowMs }, () => SEED);
  const core = Core.createSync(source, setup);
  return { core, dataplane: new Dataplane(core, setup) };
}

/** The same with what belongs to the pair. */
export function makeNode(firewall: Firewall, name: BoxName, random: () => number): Node {
  const { dataplane } = firewall;
  return new Node({
    config: dataplane.config,
    dataplane,
    macs: macsOf(name, dataplane.config),
    random,
    secret: randomBytes(random, SECRET_BYTES),
    software: "bench",
  });
}

/** Two nodes in one thread and virtual time; a datagram takes 0.1 ms. */
export class NodePair {
  readonly world: World;
  readonly #firewalls = new Map<BoxName, Firewall>();
  /** When the box that was active last sent its last hello. */
  readonly lastHelloMs = new Map<BoxName, number>();
  readonly releases: { readonly token: number; readonly atMs: number }[] = [];

  constructor(source: CoreSource, sessions: number, options: PairOptions = {}) {
    const random = seededRandom(1);
    const setup = (name: BoxName) => ({
      config: makeDataplane(source, name, 1024, options).dataplane.config,
      boot: (nowMs: number): Node => {
        const firewall = makeDataplane(source, name, sessions, options, nowMs);
        this.#firewalls.set(name, firewall);
        return makeNode(firewall, name, random);
      },
    });
    this.world = new World({ A: setup("A"), B: setup("B") }, NO_FAULTS, {
      action: (box, action, nowMs) => {
        if (action.kind === "send" && action.sourceMac !== undefined) this.lastHelloMs.set(box, nowMs);
        if (action.kind === "release") this.releases.push({ token: action.token, atMs: nowMs });
      },
    });
  }

  firewall(name: BoxName): Firewall {
    return this.#firewalls.get(name)!;
  }

  node(name: BoxName): Node {
    return this.world.node(name)!;
  }

  /** The active box, when there is one, and the other one has all sessions. */
  get settled(): BoxName | undefined {
    const machine = (name: BoxName): string | undefined => this.world.node(name)?.redundancy.view.machine;
    const active = BOX_NAMES.find((name) => machine(name) === "active");
    return BOX_NAMES.some((name) => machine(name) === "hot") ? active : undefined;
  }

  /** Waits until one box is active and the other has all sessions; the active one. */
  settle(): BoxName {
    const endMs = this.world.nowMs + SETTLE_MAX_MS;
    while (this.world.nowMs < endMs) {
      if (this.settled !== undefined) return this.settled;
      this.world.runUntil(this.world.nowMs + SETTLE_STEP_MS);
    }
    throw new Error("the pair does not come up");
  }

  boot(): BoxName {
    for (const name of BOX_NAMES) this.world.boot(name);
    return this.settle();
  }

  /** Has a box decide the batch of its dataplane, and does what follows. How many outputs there are. */
  process(name: BoxName, frames?: number): number {
    const node = this.node(name);
    if (frames !== undefined) node.dataplane.batch.length = frames;
    const { outputs, actions } = node.process(this.world.nowMs);
    this.world.act(name, actions);
    return outputs;
  }
}

/** Brings the flows from `first` on through their handshakes. */
export function openFlows(
  engine: Engine,
  ring: Ring,
  first: number,
  count: number,
  nowMs: number,
  pause?: () => void,
): void {
  for (const phase of OPENING[isTcp(ring.protocol) ? "tcp" : "udp"]) {
    ring.prepare(phase);
    for (let done = 0; done < count; done += RING_FRAMES) {
      const frames = Math.min(RING_FRAMES, count - done);
      ring.fill((place) => place, first + done, 0, frames);
      drive(engine, ring, 0, frames, BATCH, nowMs);
      pause?.();
    }
  }
}

/** An engine that only decides. */
export function engineOf(name: string, process: (count: number, nowMs: number) => void): Engine {
  return {
    name,
    process,
    expire: () => {},
    tallies: () => ({ sessions: 0, created: 0, evicted: 0, expired: 0, reasons: new Map() }),
  };
}
