/** The work of `twinwall replay --peer`: a capture through a pair, with failures on the way. */
import { CaptureReader, formatCaptureError, readBatches } from "../capture/index.js";
import { SEED_BYTES } from "../core.js";
import { ConfigError, Dataplane } from "../index.js";
import { type Io, isProblem, type Source } from "../io/io.js";
import { readCoreFile } from "../io/wasm.js";
import { Node } from "../node.js";
import { PairReplay } from "../pair/pair-replay.js";
import type { PlannedEvent } from "../pair/plan.js";
import { BOX_NAMES, type BoxName, type BoxSetup } from "../pair/world.js";
import { randomBytes, seededRandom } from "../random.js";
import { identityOf } from "../redundancy/index.js";
import { failoverObject, failoverText } from "../report/failover.js";
import { failoverHtml } from "../report/failover-html.js";
import { reportObject } from "../report/report.js";
import { reportText } from "../report/summary.js";
import { EXIT } from "./exit.js";
import type { LoadedConfig } from "./load.js";
import { Progress } from "./progress.js";
import { paintOf, printDiagnostics, printError, refuse } from "./terminal.js";

/** What the command line says beside the options of every replay. */
export interface PairVerbOptions {
  readonly fail?: PlannedEvent[];
  readonly recover?: PlannedEvent[];
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

const SECRET_BYTES = 32;

/** Replays the capture and prints the report; returns the exit code. */
export async function replayThroughPair(io: Io, job: PairJob): Promise<number> {
  const setups = makeSetups(io, job, await readCoreFile());
  if (setups === undefined) return EXIT.badInput;
  const { fail = [], recover = [], report: htmlPath } = job.options;
  const replay = new PairReplay({ setups, plan: [...fail, ...recover] });
  const trouble = replay.settle();
  if (trouble !== undefined) {
    return refuse(io, `${trouble}; \`twinwall check\` with both configurations may say why`);
  }
  const progress = new Progress(io, job.source, true);
  const reader = new CaptureReader();
  progress.begin();
  for await (const batch of readBatches(progress.chunks(), reader)) {
    replay.feed(batch, reader.interfaces);
    progress.update(replay.packets);
  }
  replay.finish();
  progress.end();
  const problem = job.source.problem ?? (reader.error && `${job.name}: ${formatCaptureError(reader.error)}`);
  const report = replay.report({
    capture: job.name,
    config: BOX_NAMES.map((box) => job.boxes[box].config.file).join(" and "),
    // What it took differs from run to run; everything else here does not.
    seconds: undefined,
    sessionsMax: job.options.sessions,
    error: problem,
  });
  const failover = replay.failover();
  if (htmlPath !== undefined) {
    const sink = await io.create(htmlPath);
    if (isProblem(sink)) return refuse(io, sink.problem);
    await sink.value.write(failoverHtml(report, failover));
    await sink.value.close();
    if (sink.value.problem !== undefined) return refuse(io, sink.value.problem);
  }
  if (job.options.json) {
    const object = { ...reportObject(report), failover: failoverObject(failover) };
    io.stdout.write(`${JSON.stringify(object, undefined, 2)}\n`);
  } else {
    const paint = paintOf(io, io.stdout);
    io.stdout.write(`${reportText(report, paint)}\n${failoverText(failover, paint)}`);
    if (htmlPath !== undefined) io.stdout.write(`\n  ${paint.dim("the same as a page:")} ${htmlPath}\n`);
  }
  return problem === undefined ? EXIT.done : refuse(io, problem);
}

/** How to boot each box; undefined: a configuration cannot be used, and that has been said. */
function makeSetups(
  io: Io,
  { boxes, options }: PairJob,
  module: Uint8Array,
): Readonly<Record<BoxName, BoxSetup>> | undefined {
  const random = seededRandom(options.seed);
  const setups: Partial<Record<BoxName, BoxSetup>> = {};
  for (const [index, box] of BOX_NAMES.entries()) {
    const { config } = boxes[box];
    if (identityOf(config, { software: io.version, layout: 0, capacity: 0 }) === undefined) {
      printError(
        io,
        `${config.file} is no half of a pair: it needs \`redundancy inter-device\` with the name of an HSRP group, and a ` +
          "complete association under `ipc zone default`",
      );
      return undefined;
    }
    const macs = new Map([...config.interfaces.keys()].map((name, i) => [name, macOf(index, i)]));
    const boot = (nowMs: number): Node => {
      const { sessions, fragments, rules, checksums } = options;
      const dataplane = Dataplane.createSync(module, {
        config,
        capacity: { sessions, fragments, rules },
        checksums,
        seed: randomBytes(random, SEED_BYTES),
        nowMs,
      });
      const secret = randomBytes(random, SECRET_BYTES);
      return new Node({ config, dataplane, macs, random, secret, software: io.version });
    };
    try {
      // The first boot shows whether the configuration can be used at all.
      printDiagnostics(io, boot(0).dataplane.notes, ["warning"]);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      printDiagnostics(io, error.diagnostics, ["error"]);
      return undefined;
    }
    setups[box] = { config, boot };
  }
  return setups as Record<BoxName, BoxSetup>;
}

/** A locally administered address for each interface. */
function macOf(box: number, index: number): string {
  const low = index.toString(16).padStart(4, "0");
  return `0200.000${box + 1}.${low}`;
}
