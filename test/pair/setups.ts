/** The example pair, booted with random numbers from a seed. */
import { readFileSync } from "node:fs";
import { CaptureReader, type PacketBatch } from "../../src/capture/index.js";
import { parse } from "../../src/config/parse.js";
import { SEED_BYTES } from "../../src/core.js";
import { Dataplane } from "../../src/index.js";
import { Node, type NodeOptions } from "../../src/node.js";
import type { KeptCapture, Seeded } from "../../src/pair/fail-everywhere.js";
import { PairReplay } from "../../src/pair/pair-replay.js";
import { parsePlanned, type PlannedEvent } from "../../src/pair/plan.js";
import type { BoxSetup } from "../../src/pair/world.js";
import { randomBytes, SeededRandom } from "../../src/random.js";
import { coreModule } from "../model/lab.js";

const example = (name: string): URL => new URL(`../../examples/${name}`, import.meta.url);
const OFFICE = readFileSync(example("office.pcapng"));

type NodeClass = new (options: NodeOptions) => Node;

function setup(
  name: "a" | "b",
  random: () => number,
  edit: (text: string) => string,
  Box: NodeClass = Node,
): BoxSetup {
  const text = edit(readFileSync(example(`router-${name}.cfg`), "utf8"));
  const { config, diagnostics } = parse(text, { file: `router-${name}.cfg` });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  const macs = new Map(
    [...config.interfaces.keys()].map((each, i) => [each, `0200.000${name === "a" ? 1 : 2}.000${i}`]),
  );
  const boot = (nowMs: number): Node =>
    new Box({
      config,
      dataplane: Dataplane.createSync(coreModule, {
        config,
        nowMs,
        capacity: { sessions: 4096 },
        seed: randomBytes(random, SEED_BYTES),
      }),
      macs,
      random,
      secret: randomBytes(random, 32),
      software: "test",
    });
  return { config, boot };
}

const planned = (kind: PlannedEvent["kind"], text: string): PlannedEvent => {
  const event = parsePlanned(kind, text);
  if ("problem" in event) throw new Error(event.problem);
  return event;
};

/** The example pair before its boot. */
export function boxesOf({ seed = 1, edit = (text: string) => text, Box }: BoxesOptions): Seeded {
  const random = new SeededRandom(seed);
  const box = (name: "a" | "b"): BoxSetup => setup(name, random.next, edit, Box);
  return { setups: { A: box("a"), B: box("b") }, random };
}

export interface BoxesOptions {
  seed?: number;
  /** Changes both configurations. */
  edit?: (text: string) => string;
  Box?: NodeClass;
}

/** The first packets of the example capture; singly: a batch each. */
export function officeCapture(packetsMax = Number.POSITIVE_INFINITY, isSingly = false): KeptCapture {
  const reader = new CaptureReader(isSingly ? { packetsMax: 1 } : {});
  reader.push(OFFICE);
  reader.end();
  const batches: PacketBatch[] = [];
  let left = packetsMax;
  for (let batch = reader.next(); batch !== undefined && left > 0; batch = reader.next()) {
    const kept = batch.keep();
    kept.count = Math.min(kept.count, left);
    left -= kept.count;
    batches.push(kept);
  }
  return { batches, interfaces: reader.interfaces };
}

export interface RunOptions {
  /** `WHAT@WHEN`. */
  fail?: string[];
  recover?: string[];
  seed?: number;
  /** Changes both configurations. */
  edit?: (text: string) => string;
  packetsMax?: number;
  /** Each packet is decided by itself, which makes a difference to what the boxes say to each other. */
  isSingly?: boolean;
}

/** The example capture through the example pair. */
export function replayOffice({
  fail = [],
  recover = [],
  seed = 1,
  edit = (text) => text,
  packetsMax,
  isSingly,
}: RunOptions): PairReplay {
  const { setups } = boxesOf({ seed, edit });
  const plan = [
    ...fail.map((text) => planned("fail", text)),
    ...recover.map((text) => planned("recover", text)),
  ];
  const replay = new PairReplay({ setups, plan });
  const trouble = replay.settle();
  if (trouble !== undefined) throw new Error(trouble);
  const { batches, interfaces } = officeCapture(packetsMax, isSingly);
  for (const batch of batches) replay.feed(batch, interfaces);
  replay.finish();
  return replay;
}

/** Both boxes' sessions, as far as both are to have them. */
export function tables(replay: PairReplay): { A: string[]; B: string[] } {
  const of = (box: "A" | "B"): string[] =>
    [...(replay.world.node(box)?.dataplane.sessions() ?? [])]
      .map(
        ({ id, initiator, responder, state }) =>
          `${id} ${initiator.address}:${initiator.port} ${responder.address}:${responder.port} ${state}`,
      )
      .sort();
  return { A: of("A"), B: of("B") };
}
