/** The decision tables, walked completely. */
import { describe, expect, test } from "vitest";
import {
  COLLISION_TABLE,
  COOKIE_MEANINGS,
  type CookieMeaning,
  type CookieTags,
  meaningOf,
  rowAnswers,
} from "../../src/sctp/collision.js";
import {
  next,
  SENDING_STATES,
  STATE_ACTIONS,
  STATE_NAMES,
  STATE_TABLE,
  STATES,
  type StateCode,
  type StateEvent,
  TRANSMITTING_STATES,
} from "../../src/sctp/states.js";

const COMBINATIONS: CookieTags[] = (["match", "differ"] as const).flatMap((local) =>
  (["match", "differ"] as const).flatMap((peer) =>
    (["match", "zero", "differ"] as const).flatMap((ties) =>
      (["fresh", "stale"] as const).map((age) => ({ local, peer, ties, age })),
    ),
  ),
);

describe("collision table", () => {
  test("answers every combination with exactly one row", () => {
    expect(COMBINATIONS).toHaveLength(24);
    for (const tags of COMBINATIONS) {
      expect(COLLISION_TABLE.filter((row) => rowAnswers(row, tags))).toHaveLength(1);
    }
  });

  test("has no row that answers nothing, and every meaning", () => {
    for (const row of COLLISION_TABLE) expect(COMBINATIONS.some((tags) => rowAnswers(row, tags))).toBe(true);
    expect(new Set(COLLISION_TABLE.map(({ meaning }) => meaning))).toEqual(new Set(COOKIE_MEANINGS));
  });

  /** RFC 9260 section 5.2.4, steps 3 to 5 and table 12, said a second time. */
  function meaningInWords({ local, peer, ties, age }: CookieTags): CookieMeaning {
    if (local === "match" && peer === "match") return "duplicate"; // D; step 3: even when it has expired
    if (age === "stale") return "stale"; // step 3
    if (local === "match") return "collision"; // B
    if (peer === "differ" && ties === "match") return "restart"; // A
    if (peer === "match" && ties === "zero") return "late"; // C
    return "mismatch"; // "Any other case"
  }

  test.each(COMBINATIONS)("tag $local, peer's $peer, ties $ties, $age", (tags) => {
    expect(meaningOf(tags)).toBe(meaningInWords(tags));
  });
});

const EVENTS = Object.keys(STATE_TABLE) as StateEvent[];
const stateAfter = (state: StateCode, event: StateEvent) => next(state, event).state;

/** What every state after the setup does. */
const ESTABLISHED =
  "abort abort>CL, cookieDuplicate ackCookie, heartbeat answer, heartbeatAck answered, peerAbort end>CL, " +
  "exhausted abort>CL, violated abort>CL";
/** And every one of them but the last. */
const OPEN = `${ESTABLISHED}, init offer, cookieRestart rebuild>ES, cookieCollision rebuild>ES`;

/** The table once more, by state, as RFC 9260 sections 4, 5, 8 and 9 tell it. All else is nothing. */
const BY_STATE: Record<StateCode, string> = {
  CL: "connect initiate>CW, init offer, cookieNew establish>ES",
  CW:
    "shutdown forget>CL, abort forget>CL, init offerOwn, initAck echo>CE, cookieRestart rebuild>ES, " +
    "cookieCollision rebuild>ES, shutdownAck reflect, peerAbort end>CL, setupExpired reinit, exhausted forget>CL",
  CE:
    "shutdown abort>CL, abort abort>CL, init offerOwn, cookieRestart rebuild>ES, cookieCollision rebuild>ES, " +
    "cookieDuplicate meet>ES, cookieAck confirm>ES, staleCookie refresh>CW, heartbeat answer, " +
    "shutdownAck reflect, peerAbort end>CL, setupExpired reecho, exhausted forget>CL",
  ES: `${OPEN}, shutdown drain>SP, data receive, sack acknowledge, peerShutdown takeShut>SR`,
  SP: `${OPEN}, drained sendShut>SS, data receive, sack acknowledge, peerShutdown takeShut>SR`,
  SS:
    `${OPEN}, data receiveLate, sack acknowledge, peerShutdown sendAck>SA, shutdownAck sendComp>CL, ` +
    "teardownExpired sendShut",
  SR: `${OPEN}, drained sendAck>SA, sack acknowledge, peerShutdown shutAgain`,
  SA:
    `${ESTABLISHED}, init sendAck, cookieRestart refuseLate, cookieCollision refuseLate, ` +
    "peerShutdown sendAck, shutdownAck sendComp>CL, shutdownComplete end>CL, teardownExpired sendAck",
};

describe.each(STATES)("in %s", (state) => {
  const cells = new Map(BY_STATE[state].split(", ").map((cell) => cell.split(" ") as [StateEvent, string]));

  test.each(EVENTS)("event %s", (event) => {
    const [action, to = state] = cells.get(event)?.split(">") ?? [];
    expect(next(state, event)).toEqual({ action, state: to });
  });

  test("knows every event that is named above", () => {
    expect(EVENTS).toEqual(expect.arrayContaining([...cells.keys()]));
  });
});

describe("state table", () => {
  test("has an answer for every event in every state, and uses every action", () => {
    const used = new Set<string>();
    for (const event of EVENTS) {
      for (const state of STATES) {
        const step = next(state, event);
        expect(STATES).toContain(step.state);
        if (step.action === undefined) expect(step.state).toBe(state);
        else used.add(step.action);
      }
    }
    expect(STATE_ACTIONS.filter((action) => !used.has(action))).toEqual([]);
  });

  test("reaches every state from CLOSED, and CLOSED from every state", () => {
    const reach = (from: StateCode) => {
      const found = new Set<StateCode>([from]);
      for (const state of found) for (const event of EVENTS) found.add(stateAfter(state, event));
      return found;
    };
    for (const state of STATES) {
      expect(reach("CL")).toContain(state);
      expect(reach(state)).toContain("CL");
    }
  });

  test("the diagram of RFC 9260 section 4", () => {
    const arrows: [StateCode, StateEvent, StateCode][] = [
      ["CL", "connect", "CW"],
      ["CL", "init", "CL"],
      ["CL", "cookieNew", "ES"],
      ["CW", "initAck", "CE"],
      ["CE", "cookieAck", "ES"],
      ["ES", "shutdown", "SP"],
      ["SP", "drained", "SS"],
      ["SP", "peerShutdown", "SR"],
      ["ES", "peerShutdown", "SR"],
      ["SR", "drained", "SA"],
      ["SS", "shutdownAck", "CL"],
      ["SS", "peerShutdown", "SA"],
      ["SA", "shutdownComplete", "CL"],
      ["SA", "shutdownAck", "CL"],
    ];
    for (const [state, event, result] of arrows) {
      expect([state, event, stateAfter(state, event)]).toEqual([state, event, result]);
      expect(next(state, event).action).toBeDefined();
    }
    for (const state of STATES) {
      expect(stateAfter(state, "abort")).toBe("CL");
      expect(stateAfter(state, "peerAbort")).toBe("CL");
    }
  });

  test("an INIT is answered in every state and changes none (section 5.2)", () => {
    for (const state of STATES) {
      expect(next(state, "init").state).toBe(state);
      expect(next(state, "init").action).toBeDefined();
    }
  });

  test("user data is taken only where it may come, and sent only where it may go", () => {
    const takes = STATES.filter((state) => next(state, "data").action !== undefined);
    expect(takes).toEqual(["ES", "SP", "SS"]);
    expect(TRANSMITTING_STATES.every((state) => next(state, "sack").action === "acknowledge")).toBe(true);
    expect(SENDING_STATES.map((state) => STATE_NAMES[state])).toEqual(["ESTABLISHED"]);
  });
});
