/**
 * Runs that once broke an invariant, made as small as they go and kept as they were: a seed alone would become another
 * run as soon as scenarios are drawn in another way.
 */
import type { FlowPlan } from "./flows.js";
import type { Invariant } from "./invariants.js";
import type { Scenario } from "./scenario.js";
import { scenario } from "./story.js";
import { HSRP_LANS, INSIDE, OUTSIDE, SYNC_LINKS, type Variant } from "./variant.js";

export interface Named {
  readonly name: string;
  /** What was wrong, and with what: the pair, or those who watch it. */
  readonly wrong: string;
  readonly of: "pair" | "simulator";
  readonly broke: Invariant;
  readonly scenario: Scenario;
}

type Facts = Pick<Scenario, "chaosMs" | "faults"> & Partial<Omit<Scenario, "variant">>;

/** What differs from a settled plain pair. */
const drawn = (seed: number, variant: Partial<Variant>, facts: Facts): Scenario => ({
  ...scenario(variant, seed),
  ...facts,
});

const FOR_EVER = Number.POSITIVE_INFINITY;
const ALL_NETWORKS = [...HSRP_LANS, ...SYNC_LINKS];
const BOTH_WAYS = undefined;

const flow = (
  kind: FlowPlan["kind"],
  atMs: number,
  turns: number,
  [requestBytes, replyBytes, thinkMs]: readonly [number, number, number],
  ending: FlowPlan["ending"],
): FlowPlan => ({ kind, atMs, turns, requestBytes, replyBytes, thinkMs, ending });

export const NAMED: readonly Named[] = [
  {
    name: "takes over with sessions of its own that another box had forwarded for",
    wrong: "their windows were believed, so that every segment was out of them",
    of: "pair",
    broke: "alive",
    scenario: drawn(
      405,
      { reloadMode: "none" },
      {
        chaosMs: 2443,
        faults: [
          { atMs: 1500, kind: "hang", box: "active", forMs: 1599 },
          { atMs: 1956, kind: "crash", box: "active", forMs: 493 },
        ],
        flows: [flow("published", 490, FOR_EVER, [116, 747, 278], "client")],
      },
    ),
  },
  {
    name: "the same, of a box that hangs and takes the role back",
    wrong: "their windows were believed",
    of: "pair",
    broke: "alive",
    scenario: drawn(
      1365,
      { reloadMode: "none" },
      {
        bootDelayMs: 336,
        chaosMs: 2024,
        faults: [{ atMs: 136, kind: "hang", box: "B", forMs: 1518 }],
        flows: [flow("tcp", 208, FOR_EVER, [18, 3782, 256], "server")],
      },
    ),
  },
  {
    name: "the same, of a box that was forced to hand over",
    wrong: "it took its own table for one that the peer had told",
    of: "pair",
    broke: "alive",
    scenario: drawn(
      27,
      { reloadMode: "none" },
      {
        chaosMs: 5000,
        faults: [
          { atMs: 300, kind: "switchover", isForced: false },
          { atMs: 1079, kind: "cut", networks: [SYNC_LINKS[0]], from: BOTH_WAYS, forMs: 2139 },
          { atMs: 1125, kind: "switchover", isForced: true },
          { atMs: 1695, kind: "crash", box: "active", forMs: 202 },
        ],
        flows: [flow("tcp", 602, FOR_EVER, [304, 622, 129], "both")],
      },
    ),
  },
  {
    name: "the leading group moves while the other one has just started again",
    wrong: "nobody was Active in the other one for two hold times, though the peer had said that it was not",
    of: "pair",
    broke: "alive",
    scenario: drawn(
      2522,
      { helloMs: 200, holdMs: 700 },
      {
        chaosMs: 422,
        faults: [
          { atMs: 14, kind: "cut", networks: HSRP_LANS, from: BOTH_WAYS, forMs: 1931 },
          { atMs: 417, kind: "link", box: "A", networks: [OUTSIDE], forMs: 265, times: 1 },
        ],
        flows: [flow("stream", 207, 4, [51, 81, 358], "both")],
      },
    ),
  },
  {
    name: "all paths are cut for a hold time, and heal",
    wrong: "the news of the take-over was sent again an RTO after an acknowledgement, not after it was lost",
    of: "pair",
    broke: "one-active",
    scenario: drawn(
      12_166,
      {},
      {
        chaosMs: 1741,
        faults: [{ atMs: 81, kind: "cut", networks: ALL_NETWORKS, from: BOTH_WAYS, forMs: 364 }],
        flows: [flow("tcp", 372, FOR_EVER, [152, 1090, 320], "server")],
      },
    ),
  },
  {
    name: "everything is mended just before the standby would take over",
    wrong: "the check of the conversations began before that take-over",
    of: "simulator",
    broke: "alive",
    scenario: drawn(
      1278,
      {},
      {
        chaosMs: 650,
        faults: [{ atMs: 383, kind: "cut", networks: ALL_NETWORKS, from: "B", forMs: 1915 }],
        flows: [flow("stream", 925, 3, [421, 799, 313], "client")],
      },
    ),
  },
  {
    name: "the LANs heal while the association has been cut, unnoticed",
    wrong: "one active was asked for before the boxes can know that what they were told is old (threat D05)",
    of: "simulator",
    broke: "one-active",
    scenario: drawn(
      2255,
      {},
      {
        chaosMs: 2177,
        faults: [
          { atMs: 667, kind: "cut", networks: HSRP_LANS, from: BOTH_WAYS, forMs: 304 },
          { atMs: 833, kind: "link", box: "B", networks: SYNC_LINKS, forMs: 1750, times: 1 },
        ],
        flows: [flow("tcp", 167, FOR_EVER, [208, 542, 322], "client")],
      },
    ),
  },
  {
    name: "the same of the groups: one has two owners while the association is cut again and again",
    wrong: "the same",
    of: "simulator",
    broke: "one-owner",
    scenario: drawn(
      5656,
      { holdMs: 400, priorities: { A: 105, B: 100 } },
      {
        isSettledFirst: false,
        chaosMs: 5000,
        faults: [
          { atMs: 17, kind: "link", box: "B", networks: SYNC_LINKS, forMs: 518, times: 3 },
          { atMs: 108, kind: "cut", networks: [OUTSIDE], from: BOTH_WAYS, forMs: 682 },
          { atMs: 151, kind: "link", box: "A", networks: HSRP_LANS, forMs: 65, times: 2 },
        ],
        flows: [flow("tcp", 1161, FOR_EVER, [268, 423, 340], "reset")],
      },
    ),
  },
  {
    name: "one of two actives dies before anything is heard of it",
    wrong: "the other was to know how far the conversations had come over it",
    of: "simulator",
    broke: "alive",
    scenario: drawn(
      6176,
      { helloMs: 60 },
      {
        chaosMs: 1138,
        faults: [
          { atMs: 165, kind: "cut", networks: ALL_NETWORKS, from: BOTH_WAYS, forMs: 1659 },
          { atMs: 566, kind: "crash", box: "active", forMs: 141 },
        ],
        flows: [flow("tcp", 202, FOR_EVER, [433, 359, 325], "reset")],
      },
    ),
  },
  {
    name: "one of two actives dies after the association has healed, and before it is used",
    wrong: "the same",
    of: "simulator",
    broke: "alive",
    scenario: drawn(
      3141,
      { helloMs: 200, holdMs: 700 },
      {
        chaosMs: 1796,
        faults: [
          { atMs: 148, kind: "cut", networks: ALL_NETWORKS, from: BOTH_WAYS, forMs: 823 },
          { atMs: 511, kind: "cut", networks: HSRP_LANS, from: BOTH_WAYS, forMs: 2299 },
          { atMs: 1170, kind: "crash", box: "B", forMs: 866 },
        ],
        flows: [flow("published", 1093, FOR_EVER, [353, 414, 229], "both")],
      },
    ),
  },
  {
    name: "one of two actives starts clean while the association is cut",
    wrong: "the same",
    of: "simulator",
    broke: "alive",
    scenario: drawn(
      11_702,
      { updateMs: 20, priorities: { A: 105, B: 100 } },
      {
        chaosMs: 1453,
        faults: [
          { atMs: 176, kind: "switchover", isForced: false },
          { atMs: 183, kind: "cut", networks: SYNC_LINKS, from: BOTH_WAYS, forMs: 1165 },
          { atMs: 422, kind: "cut", networks: ALL_NETWORKS, from: BOTH_WAYS, forMs: 2006 },
        ],
        flows: [
          flow("stream", 123, 1, [420, 249, 117], "reset"),
          flow("stream", 662, FOR_EVER, [406, 2308, 157], "both"),
          flow("tcp", 1246, 3, [461, 56, 302], "both"),
          flow("tcp", 897, FOR_EVER, [47, 325, 90], "server"),
          flow("tcp", 323, 4, [146, 762, 302], "both"),
          flow("tcp", 370, FOR_EVER, [191, 393, 184], "both"),
          flow("telnet", 360, FOR_EVER, [325, 310, 220], "both"),
          flow("tcp", 923, 3, [292, 478, 209], "server"),
          flow("udp", 645, FOR_EVER, [245, 2596, 128], "client"),
          flow("tcp", 773, 4, [232, 282, 78], "reset"),
          flow("tcp", 119, FOR_EVER, [287, 3797, 242], "client"),
        ],
      },
    ),
  },
  {
    name: "a reply that waited for the standby leaves while the box hands over",
    wrong: "it was taken for a packet that a standby forwards",
    of: "simulator",
    broke: "standby-silent",
    scenario: drawn(
      10_955,
      { holdMs: 400, updateMs: 300, isDeferring: true },
      {
        chaosMs: 1102,
        faults: [
          {
            atMs: 31,
            kind: "noise",
            networks: SYNC_LINKS,
            noise: { loss: 0.4, duplicate: 0, corrupt: 0.1, delayMs: [0.1, 2] },
            forMs: 661,
          },
          { atMs: 301, kind: "switchover", isForced: false },
        ],
        flows: [
          flow("tcp", 571, FOR_EVER, [2, 309, 191], "client"),
          flow("tcp", 254, 4, [413, 591, 194], "reset"),
        ],
      },
    ),
  },
  {
    name: "a box preempts before it has heard of the take-over that it answers",
    wrong: "its generation was to be above one that nobody had told it",
    of: "simulator",
    broke: "generation",
    scenario: drawn(
      1871,
      { helloMs: 200, holdMs: 700, priorities: { A: 105, B: 100 } },
      {
        chaosMs: 5000,
        faults: [
          { atMs: 1173, kind: "link", box: "A", networks: [INSIDE], forMs: 2080, times: 1 },
          { atMs: 1659, kind: "link", box: "active", networks: HSRP_LANS, forMs: 653, times: 1 },
        ],
        flows: [flow("udp", 253, 2, [393, 3330, 346], "server")],
      },
    ),
  },
  {
    name: "a box starts clean while both wait for a group without an owner",
    wrong: "its wait was not counted from there",
    of: "simulator",
    broke: "one-owner",
    scenario: drawn(
      2094,
      {},
      {
        chaosMs: 5000,
        faults: [
          { atMs: 1316, kind: "link", box: "B", networks: SYNC_LINKS, forMs: 2272, times: 3 },
          { atMs: 1576, kind: "hang", box: "active", forMs: 2818 },
          { atMs: 1898, kind: "link", box: "B", networks: [INSIDE], forMs: 526, times: 1 },
          { atMs: 2984, kind: "link", box: "active", networks: [INSIDE], forMs: 1137, times: 1 },
        ],
        flows: [flow("tcp", 1447, FOR_EVER, [288, 3246, 297], "both")],
      },
    ),
  },
  {
    name: "all paths are cut for longer than a hold time, and much waits to be sent again",
    wrong:
      "each acknowledgement of a part put off the rest, the news of the take-over with it, by another RTO",
    of: "pair",
    broke: "one-active",
    scenario: drawn(
      34_773,
      { updateMs: 20 },
      {
        chaosMs: 2288,
        faults: [
          { atMs: 901, kind: "trap", box: "A" },
          { atMs: 1869, kind: "cut", networks: ALL_NETWORKS, from: BOTH_WAYS, forMs: 548 },
        ],
        flows: [flow("udp", 1213, FOR_EVER, [164, 539, 247], "server")],
      },
    ),
  },
];
