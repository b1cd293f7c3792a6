/** The example pair, booted with random numbers from a seed. */
import { readFileSync } from "node:fs";
import { CaptureReader } from "../../src/capture/index.js";
import { parse } from "../../src/config/parse.js";
import { SEED_BYTES } from "../../src/core.js";
import { Dataplane } from "../../src/index.js";
import { Node } from "../../src/node.js";
import { PairReplay } from "../../src/pair/pair-replay.js";
import { parsePlanned, type PlannedEvent } from "../../src/pair/plan.js";
import type { BoxSetup } from "../../src/pair/world.js";
import { randomBytes, seededRandom } from "../../src/random.js";
import { coreModule } from "../model/lab.js";

const example = (name: string): URL => new URL(`../../examples/${name}`, import.meta.url);
const OFFICE = readFileSync(example("office.pcapng"));

function setup(name: "a" | "b", random: () => number, edit: (text: string) => string): BoxSetup {
  const text = edit(readFileSync(example(`router-${name}.cfg`), "utf8"));
  const { config, diagnostics } = parse(text, { file: `router-${name}.cfg` });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  const macs = new Map(
    [...config.interfaces.keys()].map((each, i) => [each, `0200.000${name === "a" ? 1 : 2}.000${i}`]),
  );
  const boot = (nowMs: number): Node =>
    new Node({
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

export interface RunOptions {
  /** `WHAT@WHEN`. */
  fail?: string[];
  recover?: string[];
  seed?: number;
  /** Changes both configurations. */
  edit?: (text: string) => string;
}

/** The example capture through the example pair. */
export function replayOffice({
  fail = [],
  recover = [],
  seed = 1,
  edit = (text) => text,
}: RunOptions): PairReplay {
  const random = seededRandom(seed);
  const setups = { A: setup("a", random, edit), B: setup("b", random, edit) };
  const plan = [
    ...fail.map((text) => planned("fail", text)),
    ...recover.map((text) => planned("recover", text)),
  ];
  const replay = new PairReplay({ setups, plan });
  const trouble = replay.settle();
  if (trouble !== undefined) throw new Error(trouble);
  const reader = new CaptureReader();
  reader.push(OFFICE);
  reader.end();
  for (let batch = reader.next(); batch !== undefined; batch = reader.next())
    replay.feed(batch, reader.interfaces);
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
