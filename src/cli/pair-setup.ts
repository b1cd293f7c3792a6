/** What a replay through a pair is made of: from the command line to two boxes, in virtual time or in threads. */
import type { CaptureInterface, PacketBatch } from "../capture/index.js";
import { CoreError, SEED_BYTES } from "../core.js";
import { ConfigError, Dataplane, type DataplaneOptions } from "../index.js";
import type { Io, Result, Source } from "../io/io.js";
import { nodeMac } from "../io/mac.js";
import { startThreadReplay, type ThreadReplay } from "../io/pair/replay.js";
import { readCoreFile } from "../io/wasm.js";
import { Node } from "../node.js";
import { macsOf } from "../pair/networks.js";
import { PairReplay } from "../pair/pair-replay.js";
import type { Seeded } from "../pair/fail-everywhere.js";
import type { Failure, PlannedEvent } from "../pair/plan.js";
import { BOX_NAMES, type BoxName, type BoxSetup } from "../pair/world.js";
import { randomBytes, SeededRandom } from "../random.js";
import { identityOf } from "../redundancy/index.js";
import type { ReplayFacts } from "../replay/gather.js";
import type { FailoverReport } from "../report/failover.js";
import type { Report } from "../report/report.js";
import { type LoadedConfig, rulesNeeded } from "./load.js";
import { printDiagnostics, refuse } from "./terminal.js";

/** What the command line says beside the options of every replay. */
export interface PairVerbOptions {
  readonly fail?: PlannedEvent[];
  readonly recover?: PlannedEvent[];
  /** What fails before each packet in turn. */
  readonly failEverywhere?: Failure;
  readonly workers?: true;
  readonly realtime?: true;
  readonly report?: string;
  readonly seed: number;
  readonly checksums: boolean;
  readonly sessions: number;
  readonly fragments: number;
  readonly rules?: number;
  readonly json?: true;
}

/** One replay through a pair. */
export interface PairJob {
  readonly name: string;
  readonly source: Source;
  readonly boxes: Readonly<Record<BoxName, LoadedConfig>>;
  readonly options: PairVerbOptions;
}

/** A replay through a pair, however its boxes run. */
export interface PairRun {
  /** Packets so far. */
  readonly packets: number;
  feed(packets: PacketBatch, interfaces: readonly CaptureInterface[]): void | Promise<void>;
  finish(): void | Promise<void>;
  report(facts: ReplayFacts): Report;
  failover(): FailoverReport;
  /** Ends what runs, however far the replay has come. */
  close?(): Promise<void>;
}

const SECRET_BYTES = 32;

/** Both boxes, found to be usable. */
export class PairSetup {
  readonly #io: Io;
  readonly #job: PairJob;
  readonly #module: WebAssembly.Module;
  readonly #dataplane: Pick<DataplaneOptions, "capacity" | "checksums">;

  constructor(io: Io, job: PairJob, module: WebAssembly.Module) {
    const { sessions, fragments, rules, checksums } = job.options;
    const needed = Math.max(...BOX_NAMES.map((box) => rulesNeeded(job.boxes[box].config)));
    this.#io = io;
    this.#job = job;
    this.#module = module;
    this.#dataplane = { capacity: { sessions, fragments, rules: rules ?? needed }, checksums };
  }

  /** The boxes, as they boot with the random numbers of `--seed`. */
  boxes(): Seeded {
    const random = new SeededRandom(this.#job.options.seed);
    return { setups: { A: this.#box("A", random.next), B: this.#box("B", random.next) }, random };
  }

  #box(name: BoxName, random: () => number): BoxSetup {
    const { config } = this.#job.boxes[name];
    const macs = macsOf(name, config);
    const boot = (nowMs: number): Node => {
      const seed = randomBytes(random, SEED_BYTES);
      const dataplane = Dataplane.createSync(this.#module, { ...this.#dataplane, config, seed, nowMs });
      const secret = randomBytes(random, SECRET_BYTES);
      return new Node({ config, dataplane, macs, mac: nodeMac, random, secret, software: this.#io.version });
    };
    return { config, boot };
  }

  /** Starts a replay in virtual time. A problem: the pair does not come up. */
  startVirtual(plan: readonly PlannedEvent[]): Result<PairReplay> {
    const replay = new PairReplay({ setups: this.boxes().setups, plan });
    const trouble = replay.settle();
    return trouble === undefined ? { value: replay } : { problem: withAdvice(trouble) };
  }

  /** Starts a replay in threads, at the pace of `--realtime` or as fast as is good for it. */
  async startThreads(plan: readonly PlannedEvent[]): Promise<Result<PairRun>> {
    // Whether the pair comes up at all shows in virtual time, and nobody has to wait for it.
    const rehearsal = this.startVirtual([]);
    if ("problem" in rehearsal) return rehearsal;
    const { boxes, options } = this.#job;
    let replay: ThreadReplay;
    try {
      replay = await startThreadReplay({
        configs: { A: boxes.A.config, B: boxes.B.config },
        dataplane: this.#dataplane,
        module: this.#module,
        software: this.#io.version,
        plan,
        speed: options.realtime ? 1 : undefined,
      });
    } catch (error) {
      // What is wrong with the configurations would have shown before.
      return { problem: `the threads of the pair cannot start: ${(error as Error).message}` };
    }
    const trouble = await replay.settle();
    return trouble === undefined ? { value: replay } : { problem: withAdvice(trouble) };
  }
}

/** What may help a pair that does not come up. */
export const withAdvice = (trouble: string): string =>
  `${trouble}; \`twinwall check\` with both configurations may say why`;

/** Finds out whether both boxes can be used; undefined: they cannot, and that has been said. */
export async function setUpPair(io: Io, job: PairJob): Promise<PairSetup | undefined> {
  for (const box of BOX_NAMES) {
    const { config } = job.boxes[box];
    if (identityOf(config, { software: io.version, layout: 0, capacity: 0 }) !== undefined) continue;
    refuse(
      io,
      `${config.file} is no half of a pair: it needs \`redundancy inter-device\` with the name of an HSRP group, and a ` +
        "complete association under `ipc zone default`",
    );
    return undefined;
  }
  const setup = new PairSetup(io, job, new WebAssembly.Module(await readCoreFile()));
  try {
    // The first boot shows whether a configuration can be used at all.
    for (const { boot } of Object.values(setup.boxes().setups))
      printDiagnostics(io, boot(0).dataplane.notes, ["warning"]);
    return setup;
  } catch (error) {
    if (error instanceof ConfigError) printDiagnostics(io, error.diagnostics, ["error"]);
    else if (error instanceof CoreError) refuse(io, error.message);
    else throw error;
    return undefined;
  }
}
