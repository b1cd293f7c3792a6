/** Boots the boxes of a simulated pair. Instances of the core are used again and again: making one costs most of a boot. */
import * as L from "../../assembly/layout.js";
import type { Config } from "../../src/config/model.js";
import { parse } from "../../src/config/parse.js";
import { Core, SEED_BYTES } from "../../src/core.js";
import { Dataplane } from "../../src/dataplane.js";
import { prepare, type Setup } from "../../src/prepare.js";
import {
  type DatagramInput,
  Node,
  type NodeAction,
  type NodeInput,
  type NodeOptions,
} from "../../src/node.js";
import type { BoxName, BoxSetup } from "../../src/pair/world.js";
import { coreModule } from "../model/lab.js";
import type { Random } from "../model/random.js";
import { configText, type Variant } from "./variant.js";

/** Few sessions, and little else: a core is reset by copying its whole state. */
const CAPACITY = { sessions: L.SESSIONS_MIN, rules: 16, batch: 16, fragments: 16, events: 16 };
export const SESSIONS_MAX = CAPACITY.sessions;

interface Prepared {
  readonly config: Config;
  readonly setup: Setup;
}

/** Configurations that a run may use again; there are thousands. */
const PREPARED_MAX = 64;
const prepared = new Map<string, Prepared>();

function prepareOnce(name: BoxName, variant: Variant): Prepared {
  const text = configText(name, variant);
  const known = prepared.get(text);
  if (known !== undefined) return known;
  const { config, diagnostics } = parse(text, { file: `${name}.cfg` });
  const wrong = diagnostics.filter(({ severity }) => severity !== "note");
  if (wrong.length > 0)
    throw new Error(wrong.map(({ line, message }) => `${name}:${line} ${message}`).join("\n"));
  const made = { config, setup: prepare({ config, capacity: CAPACITY }, () => new Uint8Array(SEED_BYTES)) };
  if (prepared.size >= PREPARED_MAX) prepared.clear();
  prepared.set(text, made);
  return made;
}

/** Cores that nobody uses, and the state of one that never worked. */
const idle: Core[] = [];
let pristine: Uint8Array | undefined;

function takeCore(setup: Setup): Core {
  const core = idle.pop() ?? Core.createSync(coreModule, setup);
  if (pristine === undefined) pristine = core.copyState();
  else core.restoreState(pristine);
  return core;
}

/** The MAC addresses of a box. */
export function macsOf(name: BoxName, config: Config): Map<string, string> {
  return new Map([...config.interfaces.keys()].map((on, i) => [on, `0200.000${name.toLowerCase()}.000${i}`]));
}

/** A node whose clock runs at its own rate. */
class SimulatedNode extends Node {
  readonly rate: number;

  constructor(options: NodeOptions, rate: number) {
    super(options);
    this.rate = rate;
  }

  override start(nowMs: number): NodeAction[] {
    return super.start(nowMs * this.rate);
  }

  override step(input: NodeInput | DatagramInput, nowMs: number): NodeAction[] {
    return super.step(input, nowMs * this.rate);
  }

  override process(nowMs: number): { outputs: number; actions: NodeAction[] } {
    return super.process(nowMs * this.rate);
  }

  override defer(token: number, nowMs: number): boolean {
    return super.defer(token, nowMs * this.rate);
  }

  /** Not a hair before the deadline of the own clock. */
  override get deadlineMs(): number {
    return this.rate === 1 ? super.deadlineMs : super.deadlineMs / this.rate + 1e-6;
  }
}

/** The two boxes of one run, and the cores that they have used. */
export class Boxes {
  readonly setups: Readonly<Record<BoxName, BoxSetup>>;
  readonly #variant: Variant;
  readonly #random: Random;
  readonly #cores: Core[] = [];
  /** The core of each dataplane, dead ones too. */
  readonly #coreOf = new WeakMap<Dataplane, Core>();

  constructor(variant: Variant, random: Random) {
    this.#variant = variant;
    this.#random = random;
    this.setups = { A: this.#setup("A"), B: this.#setup("B") };
  }

  coreOf(node: Node): Core {
    return this.#coreOf.get(node.dataplane)!;
  }

  /** The run is over. */
  release(): void {
    idle.push(...this.#cores.splice(0));
  }

  #setup(name: BoxName): BoxSetup {
    const { config, setup } = prepareOnce(name, this.#variant);
    return { config, boot: (nowMs) => this.#boot(name, config, setup, nowMs) };
  }

  #boot(name: BoxName, config: Config, setup: Setup, nowMs: number): Node {
    const rate = this.#variant.clockRates[name];
    const newDataplane = (ownMs: number): Dataplane => {
      const core = takeCore(setup);
      this.#cores.push(core);
      core.bytes.set(this.#random.bytes(SEED_BYTES), L.STATE_AT + L.S_SEEDS);
      core.attach();
      const dataplane = new Dataplane(core, { ...setup, options: { ...setup.options, nowMs: ownMs } });
      this.#coreOf.set(dataplane, core);
      return dataplane;
    };
    return new SimulatedNode(
      {
        config,
        dataplane: newDataplane(nowMs * rate),
        newDataplane,
        macs: macsOf(name, config),
        random: () => this.#random.u32(),
        secret: this.#random.bytes(32),
        software: "simulated",
        reloadMode: this.#variant.reloadMode,
      },
      rate,
    );
  }
}
