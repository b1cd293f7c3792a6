/** The table of the machine: every cell against the rules that all cells follow, and every situation against the table. */
import { describe, expect, test } from "vitest";
import { BULK_ATTEMPTS_MAX, classify, compareClaims } from "../../src/redundancy/classify.js";
import type { Finding, Hello } from "../../src/redundancy/compatibility.js";
import { VERDICTS } from "../../src/redundancy/message.js";
import { PERFORM } from "../../src/redundancy/perform.js";
import {
  type Channel,
  initialState,
  newPeer,
  NEVER_MS,
  type RedundancyState,
} from "../../src/redundancy/state.js";
import {
  cliNumber,
  GROUP_ROLES,
  HOLDINGS,
  REASONS,
  reasonNumber,
  RF_STATE_NAMES,
  RF_STATES,
  type State,
  STATE_NAMES,
  STATES,
} from "../../src/redundancy/states.js";
import { ACTION_NAMES, type Action, EVENT_NAMES, type Event, next } from "../../src/redundancy/table.js";
import { identity, randomOf } from "./pair.js";

const CELLS = EVENT_NAMES.flatMap((event) =>
  STATE_NAMES.flatMap((from) => {
    const step = next(from, event);
    return step === undefined ? [] : [{ event, from, ...step }];
  }),
);
const does = (actions: readonly Action[], ...any: Action[]) => any.some((action) => actions.includes(action));

/** Active, or was and keeps its sessions. */
const CLAIMANTS: readonly State[] = ["active", "suspect", "drain", "yield"];
/** Waiting for, or holding, a copy of the active's sessions. */
const COPYING: readonly State[] = ["coldBulk", "hot"];

describe("numbers and names", () => {
  test("the states are those of the MIB, in its order; the command line counts from 0", () => {
    expect(RF_STATE_NAMES.map((name) => RF_STATES[name].mib)).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    expect(cliNumber("active")).toBe(13);
    expect(cliNumber("standbyHot")).toBe(8);
    expect(cliNumber("disabled")).toBe(1);
    expect(RF_STATES.standbyColdConfig.name).toBe("STANDBY COLD-CONFIG");
  });

  test("the reasons are those of the MIB", () => {
    expect(REASONS.map(reasonNumber)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(reasonNumber("activeUnitFailed")).toBe(6);
  });
});

/** Of every state but "disabled". */
const ALWAYS = "trapped stopBulk+erase>initialization";
/** Of those that could become active. */
const CANDIDATE = `${ALWAYS}, contested probe, denied deny`;
/** Of those that have no copy of the sessions, and none under way; and of the others. */
const WITHOUT_COPY =
  `${CANDIDATE}, removed close>disabled, reload clean>initialization, ` +
  "vacant take>active, unanswered take+lose>active";
const WITH_COPY =
  `${CANDIDATE}, removed stopBulk+close>disabled, reload stopBulk+clean>initialization, ` +
  "vacant stopBulk+take>active, unanswered stopBulk+take+lose>active, renewed stopBulk>cold, " +
  "bulkFailed stopBulk>cold, split stopBulk>cold, unfit stopBulk>negotiation, peerLost stopBulk>negotiation, " +
  "rejoined stopBulk+clean>initialization";
/** Of those that had the sessions to themselves. */
const CLAIMANT =
  `${ALWAYS}, removed stopBulk+release+close>disabled, ` + "superseded stopBulk+deny+clean>initialization";

/** The table once more, by state: "event actions>state". All else is nothing. */
const BY_STATE: Record<State, string> = {
  disabled: "configured open>initialization",
  initialization: `${ALWAYS}, removed close>disabled, ready >negotiation`,
  negotiation: `${WITHOUT_COPY}, follow >cold, outdone giveWay, superseded clean>initialization`,
  cold:
    `${WITHOUT_COPY}, follow armProgress>coldConfig, unfit >negotiation, leaderless >negotiation, ` +
    "peerLost >negotiation, rejoined clean>initialization",
  coldConfig:
    `${WITHOUT_COPY}, agreed request>coldBulk, unfit >negotiation, leaderless >negotiation, ` +
    "peerLost >negotiation, stuck relink>negotiation, split >cold, rejoined clean>initialization",
  coldBulk: `${WITH_COPY}, leaderless stopBulk>negotiation, bulkComplete >hot, stuck stopBulk>cold`,
  hot: `${WITH_COPY}, challenged stopBulk+take+lose>active`,
  active:
    `${CLAIMANT}, unfit stopBulk, peerLost stopBulk, split stopBulk, bulkFailed spoil, prevailed assert, ` +
    "behind raise, groupLost armYield>yield, stalled probe+armSuspect>suspect, drainBegun armDrain>drain, " +
    "forced release+armYield>yield",
  suspect: `${CLAIMANT}, groupLost armYield>yield, stalled probe+armSuspect, cleared resume>active`,
  drain:
    `${CLAIMANT}, unfit >active, peerLost >active, split >active, bulkFailed spoil>active, prevailed assert, ` +
    "behind raise, groupLost armYield>yield, stalled probe+armSuspect>suspect, drainBroken >active, " +
    "drained handOver+release+armYield>yield, forced release+armYield>yield",
  yield:
    `${CLAIMANT}, vacant take>active, yieldTaken stopBulk+clean>initialization, ` +
    "yieldVacant stopBulk>negotiation",
};

describe.each(STATE_NAMES)("in %s", (state) => {
  const cells = new Map(BY_STATE[state].split(", ").map((cell) => cell.split(" ") as [Event, string]));

  test.each(EVENT_NAMES)("event %s", (event) => {
    const [actions = "", to = state] = cells.get(event)?.split(">") ?? [];
    const expected = { actions: actions === "" ? [] : actions.split("+"), state: to };
    expect(next(state, event)).toEqual(cells.has(event) ? expected : undefined);
  });

  test("knows every event that is named above", () => {
    expect(EVENT_NAMES).toEqual(expect.arrayContaining([...cells.keys()]));
  });
});

describe("every cell", () => {
  test.each(CELLS.map((cell) => [`${cell.event} in ${cell.from}`, cell] as const))("%s", (_name, cell) => {
    const { event, from, state: to, actions } = cell;
    const isMove = from !== to;
    // A cell does something.
    expect(isMove || actions.length > 0).toBe(true);
    // Nobody becomes active but by a take-over, after a doubt, or after a handover that came to nothing.
    if (to === "active" && isMove) {
      expect(
        does(actions, "take") || (from === "suspect" && does(actions, "resume")) || from === "drain",
      ).toBe(true);
    }
    if (does(actions, "take")) {
      expect(to).toBe("active");
      expect(STATES[from].role === "none" || STATES[from].role === "standby").toBe(true);
    }
    // Who had a claim and has none any more starts clean; or nobody else is active; or there is no redundancy.
    if (CLAIMANTS.includes(from) && !CLAIMANTS.includes(to)) {
      expect(does(actions, "clean", "erase", "close") || event === "yieldVacant").toBe(true);
      // and takes no records to the grave
      expect(actions).toContain("stopBulk");
    }
    if (does(actions, "clean", "erase")) expect(to).toBe("initialization");
    if (to === "initialization" && from !== "disabled") expect(does(actions, "clean", "erase")).toBe(true);
    // A copy begins with a request, and ends with the state that it was for.
    if (to === "coldBulk" && isMove) expect(actions).toEqual(["request"]);
    if (COPYING.includes(from) && !COPYING.includes(to)) expect(actions).toContain("stopBulk");
    if (to === "hot" && isMove) expect([event, from]).toEqual(["bulkComplete", "coldBulk"]);
    // Waiting states have an end.
    if (to === "yield" && isMove) expect(actions).toContain("armYield");
    if (to === "suspect") expect(actions).toContain("armSuspect");
    if (to === "drain" && isMove) expect(actions).toEqual(["armDrain"]);
    if (to === "coldConfig" && isMove) expect(actions).toEqual(["armProgress"]);
    // Only the peer's own word, or its silence, makes a box take the role from it.
    if (does(actions, "lose")) expect(["challenged", "unanswered"]).toContain(event);
  });
});

describe("the table as a whole", () => {
  test("every event acts somewhere, every action is used, and every state is reached and left", () => {
    expect(new Set(CELLS.map(({ event }) => event))).toEqual(new Set(EVENT_NAMES));
    expect(new Set(CELLS.flatMap(({ actions }) => actions))).toEqual(new Set(ACTION_NAMES));
    expect(Object.keys(PERFORM).sort()).toEqual([...ACTION_NAMES].sort());
    const reached = new Set<State>(["disabled"]);
    for (const state of reached) for (const { from, state: to } of CELLS) if (from === state) reached.add(to);
    expect(reached).toEqual(new Set(STATE_NAMES));
    for (const state of STATE_NAMES) {
      expect(CELLS.filter(({ from, state: to }) => from === state && to !== state)).not.toEqual([]);
    }
  });

  test("a failed core ends everything but the absence of redundancy", () => {
    for (const state of STATE_NAMES) {
      const step = next(state, "trapped");
      if (state === "disabled") expect(step).toBeUndefined();
      else expect(step).toEqual({ state: "initialization", actions: ["stopBulk", "erase"] });
    }
  });

  test("from everywhere the end of the configuration leads to disabled", () => {
    for (const state of STATE_NAMES.slice(1)) expect(next(state, "removed")?.state).toBe("disabled");
  });
});

const SITUATIONS = 600_000;

/** Situations in which all that is compared is drawn independently: far more than there are combinations that differ. */
function* situations(): Generator<RedundancyState> {
  const random = randomOf(7);
  const one = <T>(values: readonly T[]): T => values[random() % values.length]!;
  const flag = () => one([false, true]);
  const own = identity("a");
  const hello = { address: 1 } as Hello;
  const misfit: Finding = {
    item: "software",
    consequence: "refused",
    own: "1",
    peer: "2",
    parts: [],
    text: "",
  };
  const base = initialState(random, {});
  for (let i = 0; i < SITUATIONS; i++) {
    const isLinked = one([true, true, true, false]);
    const peer = isLinked ? newPeer(0) : undefined;
    if (peer !== undefined) {
      peer.generation = one([4, 5, 6]);
      peer.isSilent = flag();
      peer.hello = one([hello, hello, undefined]);
      if (random() % 8 > 0) {
        peer.state = {
          state: one(["active", "active", "active", "activeDrain", "standbyColdBulk", "standbyHot"] as const),
          group: one(GROUP_ROLES),
          priority: 100,
          holdings: one(HOLDINGS),
          verdict: one(VERDICTS),
          isInMaintenance: one([false, false, true]),
          isDegraded: flag(),
          bulk: one([0, 7]),
          answered: 0,
          activeGroups: [],
        };
      }
    }
    const channel = { bootId: 2n } as Channel;
    yield {
      ...base,
      state: one(STATE_NAMES),
      group: one([...GROUP_ROLES, "active"]),
      identity: one([own, own, own, own, own, own, undefined]),
      isReady: flag(),
      known: one([5, 5, 6]),
      claim: 5,
      peer,
      findings: one([[], [], [misfit]]),
      link: { status: isLinked ? "open" : "closed", nonce: 1n, channels: isLinked ? [channel] : [] },
      bulk: { number: 7, generation: one([0, 5]) },
      bulkAttempts: one([0, BULK_ATTEMPTS_MAX]),
      serving: one([0, 7]),
      holdings: one(HOLDINGS),
      isUnclean: flag(),
      hasGivenWay: flag(),
      hasHeardActive: flag(),
      isConflictTold: flag(),
      isInMaintenance: one([false, false, false, true]),
      wasInMaintenance: flag(),
      probe: { status: one(["none", "waiting", "answered", "expired"] as const), token: 1 },
      alarms: { ...base.alarms, release: one([1000, NEVER_MS, NEVER_MS]) },
    };
  }
}

/** Events that a moment brings (a timer, a message, an operator, a fault), and where they mean something. */
const MOMENTS: Partial<Record<Event, readonly State[]>> = {
  bulkComplete: ["coldBulk"],
  bulkFailed: ["coldBulk", "hot", "active", "drain"],
  stuck: ["coldConfig", "coldBulk"],
  stalled: ["active", "suspect", "drain"],
  drainBegun: ["active"],
  drained: ["drain"],
  forced: ["active", "drain"],
  yieldTaken: ["yield"],
  yieldVacant: ["yield"],
  reload: ["negotiation", "cold", "coldConfig", "coldBulk", "hot"],
  trapped: STATE_NAMES.filter((state) => state !== "disabled"),
};

test("every situation is classified as a cell that is not empty, and so is every such cell reached", () => {
  const seen = new Set<string>();
  for (const situation of situations()) {
    const event = classify(situation);
    if (event !== undefined) seen.add(`${event} in ${situation.state}`);
  }
  for (const [event, states] of Object.entries(MOMENTS)) {
    for (const state of states) {
      expect(seen).not.toContain(`${event} in ${state}`);
      seen.add(`${event} in ${state}`);
    }
  }
  expect([...seen].sort()).toEqual(CELLS.map(({ event, from }) => `${event} in ${from}`).sort());
});

test("claims are ordered by generation, priority, address, and the start of the box", () => {
  const claim = { generation: 5, priority: 100, address: 10, bootId: 1n };
  const better = [
    { ...claim, bootId: 2n },
    { ...claim, address: 11, bootId: 0n },
    { ...claim, address: 1n << 100n, bootId: 0n },
    { ...claim, priority: 101, address: 1 },
    { ...claim, generation: 6, priority: 0, address: 1 },
  ];
  expect(compareClaims(claim, claim)).toBe(0);
  for (const other of better) {
    expect(compareClaims(other, claim)).toBeGreaterThan(0);
    expect(compareClaims(claim, other)).toBeLessThan(0);
  }
  for (let i = 1; i < better.length; i++)
    expect(compareClaims(better[i]!, better[i - 1]!)).toBeGreaterThan(0);
});
