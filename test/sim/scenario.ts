/**
 * What happens in a run, drawn from its seed: configuration, faults, traffic. Plain data, so that a failing one can be
 * made shorter, printed and run again.
 */
import type { BoxName } from "../../src/pair/world.js";
import { Random } from "../model/random.js";
import type { Ending, FlowKind, FlowPlan } from "./flows.js";
import type { Noise } from "./networks.js";
import { describeVariant, HSRP_LANS, INSIDE, OUTSIDE, PLAIN, SYNC_LINKS, type Variant } from "./variant.js";

/** A box by its name, or by its role at that moment. */
export type Target = BoxName | "active" | "standby";

export type Fault =
  | { readonly kind: "crash" | "hang" | "stop"; readonly box: Target; readonly forMs: number }
  /** The core of a box traps. */
  | { readonly kind: "trap"; readonly box: Target }
  /** The link between a box and a network, so often, for `forMs` down and as long up. */
  | {
      readonly kind: "link";
      readonly box: Target;
      readonly networks: readonly string[];
      readonly forMs: number;
      readonly times: number;
    }
  /** Nothing passes between the boxes; `from`: nothing from one of them. */
  | {
      readonly kind: "cut";
      readonly networks: readonly string[];
      readonly from: Target | undefined;
      readonly forMs: number;
    }
  | {
      readonly kind: "noise";
      readonly networks: readonly string[];
      readonly noise: Noise;
      readonly forMs: number;
    }
  | { readonly kind: "switchover"; readonly isForced: boolean };

export type Timed = Fault & { readonly atMs: number };

export interface Scenario {
  readonly seed: number;
  readonly variant: Variant;
  /** Of box B after box A. */
  readonly bootDelayMs: number;
  /** The faults begin when the pair has settled, and not with the boot. */
  readonly isSettledFirst: boolean;
  /** From the first fault on; then everything is mended. */
  readonly chaosMs: number;
  readonly faults: readonly Timed[];
  /** Parts of the packets of the hosts that are lost; that reach the other box. */
  readonly hostLoss: number;
  readonly misdelivery: number;
  readonly flows: readonly FlowPlan[];
}

const BOTH: readonly Target[] = ["active", "active", "standby", "A", "B"];
const TIMERS: readonly (readonly [hello: number, hold: number])[] = [
  [100, 350],
  [60, 400],
  [200, 700],
];
const FLOW_KINDS: readonly (readonly [number, FlowKind])[] = [
  [9, "tcp"],
  [4, "published"],
  [3, "udp"],
  [2, "echo"],
  [3, "stream"],
  [1, "telnet"],
  [1, "scan"],
  [1, "forged"],
];
const ENDINGS: readonly Ending[] = ["client", "server", "both", "reset"];
/** Sets of networks that fail together. */
const NETWORK_SETS: readonly (readonly string[])[] = [
  SYNC_LINKS,
  SYNC_LINKS,
  [SYNC_LINKS[0]],
  [INSIDE],
  [OUTSIDE],
  HSRP_LANS,
  [...HSRP_LANS, ...SYNC_LINKS],
];

export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed);
  const variant = { ...variantOf(random), bfd: bfdOf(new Random(seed ^ BFD_SALT)) };
  const chaosMs = random.between(200, 2500);
  return {
    seed,
    variant,
    bootDelayMs: random.chance(0.5) ? 0 : random.int(600),
    isSettledFirst: random.chance(0.8),
    chaosMs,
    faults: faultsOf(random, variant, chaosMs),
    hostLoss: random.chance(0.3) ? 0.05 : 0,
    misdelivery: random.chance(0.3) ? 0.05 : 0,
    flows: flowsOf(random),
  };
}

/** BFD is drawn by itself, so that the runs without it are those that they were before there was any. */
const BFD_SALT = 0x0bfd;

function bfdOf(random: Random): Variant["bfd"] {
  if (!random.chance(1 / 3)) return undefined;
  return { intervalMs: random.pick([3, 5, 10, 50]), multiplier: random.pick([3, 3, 4, 10]) };
}

function variantOf(random: Random): Variant {
  const [helloMs, holdMs] = random.pick(TIMERS);
  const isDrifting = random.chance(0.15);
  return {
    ...PLAIN,
    helloMs,
    holdMs,
    updateMs: random.pick([20, 100, 300]),
    isDeferring: random.chance(0.3),
    isStrict: random.chance(0.15),
    version: random.pick([1, 2]),
    authentication: random.pick(["none", "text", "md5"]),
    isPreempting: random.chance(0.7),
    priorities: random.pick([
      { A: 100, B: 100 },
      { A: 105, B: 100 },
      { A: 100, B: 120 },
    ]),
    isKeyed: random.chance(0.8),
    reloadMode: random.weighted([
      [4, "soft"],
      [1, "exit"],
      [1, "none"],
    ]),
    retransmit: random.pick([2, 4]),
    clockRates: isDrifting ? { A: 1, B: random.pick([0.97, 0.995, 1.005, 1.03]) } : { A: 1, B: 1 },
  };
}

function faultsOf(random: Random, variant: Variant, chaosMs: number): Timed[] {
  const number = random.weighted([
    [4, 1],
    [3, 2],
    [2, 3],
    [1, 5],
  ]);
  const faults = Array.from({ length: number }, () => ({
    atMs: random.int(chaosMs),
    ...faultOf(random, variant),
  }));
  return faults.sort((x, y) => x.atMs - y.atMs);
}

/** Shorter and longer than what the other box notices. */
const spanOf = (random: Random, { holdMs }: Variant): number =>
  random.weighted([
    [1, random.between(5, holdMs / 2)],
    [2, random.between(holdMs / 2, 2 * holdMs)],
    [2, random.between(holdMs, 3000)],
  ]);

function faultOf(random: Random, variant: Variant): Fault {
  const forMs = spanOf(random, variant);
  const box = random.pick(BOTH);
  return random.weighted<() => Fault>([
    [5, () => ({ kind: "crash", box, forMs })],
    [3, () => ({ kind: "hang", box, forMs })],
    [1, () => ({ kind: "stop", box, forMs })],
    [1, () => ({ kind: "trap", box })],
    [
      3,
      () => ({
        kind: "link",
        box,
        networks: random.pick([[INSIDE], [OUTSIDE], HSRP_LANS, SYNC_LINKS, [SYNC_LINKS[1]]]),
        forMs,
        times: random.chance(0.3) ? random.between(2, 6) : 1,
      }),
    ],
    [
      4,
      () => ({
        kind: "cut",
        networks: random.pick(NETWORK_SETS),
        from: random.chance(0.4) ? box : undefined,
        forMs,
      }),
    ],
    [4, () => noiseOf(random, variant, forMs)],
    [2, () => ({ kind: "switchover", isForced: random.chance(0.3) })],
  ])();
}

function noiseOf(random: Random, variant: Variant, forMs: number): Fault {
  const networks = random.pick(NETWORK_SETS);
  const isAuthentic = variant.authentication === "md5" || networks.every((name) => !isLan(name));
  return {
    kind: "noise",
    networks,
    noise: {
      loss: random.pick([0, 0.05, 0.2, 0.4]),
      duplicate: random.pick([0, 0.1]),
      // Without a digest only the UDP checksum, which stands outside, would find the damage.
      corrupt: isAuthentic ? random.pick([0, 0.1]) : 0,
      delayMs: random.pick([
        [0.1, 2],
        [1, 10],
        [0.1, 40],
      ] as const),
    },
    forMs,
  };
}

const isLan = (network: string): boolean => (HSRP_LANS as readonly string[]).includes(network);

function flowsOf(random: Random): FlowPlan[] {
  return Array.from({ length: random.between(6, 16) }, () => {
    const kind = random.weighted(FLOW_KINDS);
    return {
      kind,
      atMs: random.int(1500),
      turns: random.chance(0.6) ? Number.POSITIVE_INFINITY : random.between(1, 4),
      requestBytes: random.between(1, 500),
      replyBytes: random.chance(0.2) ? random.between(1000, 4000) : random.between(1, 800),
      thinkMs: random.between(60, 400),
      ending: random.pick(ENDINGS),
    };
  });
}

const NETWORK_NAMES = new Map<string, string>([
  [INSIDE, "inside"],
  [OUTSIDE, "outside"],
  [SYNC_LINKS[0], "sync 1"],
  [SYNC_LINKS[1], "sync 2"],
]);

const named = (networks: readonly string[]): string =>
  networks.map((network) => NETWORK_NAMES.get(network)).join(" + ");

export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "crash":
    case "hang":
    case "stop":
      return `${fault.kind} ${fault.box} for ${fault.forMs} ms`;
    case "trap":
      return `trap ${fault.box}`;
    case "link":
      return `link ${fault.box} ${named(fault.networks)} ${fault.times} x ${fault.forMs} ms`;
    case "cut":
      return `cut ${named(fault.networks)}${fault.from ? ` from ${fault.from}` : ""} for ${fault.forMs} ms`;
    case "noise": {
      const { loss, duplicate, corrupt, delayMs } = fault.noise;
      const parts = `loss ${loss} duplicate ${duplicate} corrupt ${corrupt} delay ${delayMs.join("-")} ms`;
      return `noise ${named(fault.networks)} (${parts}) for ${fault.forMs} ms`;
    }
    case "switchover":
      return fault.isForced ? "forced switchover" : "switchover";
  }
}

/** One line for each fault. */
export function describeScenario(scenario: Scenario): string[] {
  const { seed, variant, bootDelayMs, isSettledFirst, chaosMs, faults, hostLoss, misdelivery, flows } =
    scenario;
  const kinds = new Map<string, number>();
  for (const { kind } of flows) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return [
    `seed ${seed}: ${describeVariant(variant)}`,
    `B boots ${bootDelayMs} ms later; faults ${isSettledFirst ? "after settling" : "at once"}, mended after ${chaosMs} ms; ` +
      `hosts lose ${hostLoss}, misdeliver ${misdelivery}; flows: ${[...kinds].map(([kind, n]) => `${n} ${kind}`).join(", ")}`,
    ...faults.map((fault) => `  +${fault.atMs} ms ${describeFault(fault)}`),
  ];
}
