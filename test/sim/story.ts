/** A settled pair with traffic that never ends, for tests that do one thing to it and look. */
import { TRUST_MS } from "../../src/bfd/session.js";
import type { BoxName } from "../../src/pair/world.js";
import type { FlowKind, FlowPlan } from "./flows.js";
import { otherBox, type TakeoverNote } from "./roles.js";
import type { Scenario } from "./scenario.js";
import { Simulation } from "./simulation.js";
import { PLAIN, type Variant } from "./variant.js";

const KINDS: readonly FlowKind[] = [
  ...(["tcp", "tcp", "tcp", "tcp", "published", "published", "published"] as const),
  ...(["stream", "stream", "udp", "udp", "echo", "echo", "telnet", "scan", "forged"] as const),
];

/** Conversations of every kind that go on for ever; what must not pass is tried as well. */
export const TRAFFIC: readonly FlowPlan[] = KINDS.map((kind, i) => ({
  kind,
  atMs: 20 * i,
  turns: Number.POSITIVE_INFINITY,
  requestBytes: 30 * (i + 1),
  replyBytes: i % 4 === 0 ? 1500 : 100 * (i + 1),
  thinkMs: 60 + 10 * i,
  ending: "both",
}));

const WARM_UP_MS = 1000;

export function scenario(variant: Partial<Variant> = {}, seed = 1): Scenario {
  return {
    seed,
    variant: { ...PLAIN, ...variant },
    bootDelayMs: 0,
    isSettledFirst: true,
    chaosMs: 0,
    faults: [],
    hostLoss: 0,
    misdelivery: 0,
    flows: TRAFFIC,
  };
}

/** Both boxes up, one active, one hot, and every conversation under way. */
export function running(variant: Partial<Variant> = {}): Simulation {
  const simulation = new Simulation(scenario(variant)).boot().settle().start(TRAFFIC).run(WARM_UP_MS);
  // Until the silence of a session means something.
  return variant.bfd === undefined ? simulation : simulation.run(TRUST_MS);
}

/** The box that is active, and the other. */
export function rolesOf({ watch }: Simulation): { active: BoxName; standby: BoxName } {
  const { active } = watch.roles;
  if (active === undefined) throw new Error(`nobody is active: ${watch.roles.text}`);
  return { active, standby: otherBox(active) };
}

/** The last take-over. */
export function lastTakeover({ watch }: Simulation): TakeoverNote {
  return watch.roles.takeovers.at(-1)!;
}

/** Answers of every open conversation, by its name. */
export function answersOf({ flows }: Simulation): Map<string, number> {
  return new Map(flows.filter((flow) => flow.isOpen).map((flow) => [flow.name, flow.answers]));
}

/** Conversations that have had no answer since. */
export function silentSince({ flows }: Simulation, before: ReadonlyMap<string, number>): string[] {
  return flows.filter(({ name, answers }) => answers <= (before.get(name) ?? -1)).map(({ name }) => name);
}

/** Lets the pair go on until a condition holds; the milliseconds that it took. */
export function until(simulation: Simulation, isTrue: () => boolean, maxMs: number): number {
  const from = simulation.world.nowMs;
  while (!isTrue()) {
    if (simulation.world.nowMs - from >= maxMs)
      throw new Error(`nothing after ${maxMs} ms: ${simulation.watch.roles.text}`);
    simulation.run(1);
  }
  return simulation.world.nowMs - from;
}
