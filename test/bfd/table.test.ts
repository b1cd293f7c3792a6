/** The state machine, cell by cell, against RFC 5880 section 6.8.6 written as the RFC writes it. */
import { describe, expect, test } from "vitest";
import { DIAGNOSTICS, EVENTS, type Event, HEARD, next, type State, STATES } from "../../src/bfd/table.js";

/** The RFC's pseudocode, and sections 6.8.4 and 6.8.16, as statements. */
function byTheBook(state: State, event: Event): { state: State; diagnostic?: string } | undefined {
  if (event === "enabled") return state === "adminDown" ? { state: "down", diagnostic: "none" } : undefined;
  if (state === "adminDown") return undefined;
  if (event === "disabled") return { state: "adminDown", diagnostic: "administrativelyDown" };
  if (event === "expired" || event === "linkDown") {
    const diagnostic = event === "expired" ? "detectionTimeExpired" : "pathDown";
    return state === "init" || state === "up" ? { state: "down", diagnostic } : undefined;
  }
  if (event === "hearsAdminDown")
    return state === "down" ? undefined : { state: "down", diagnostic: "neighborSignaledDown" };
  if (state === "down") {
    if (event === "hearsDown") return { state: "init" };
    return event === "hearsInit" ? { state: "up", diagnostic: "none" } : undefined;
  }
  if (state === "init")
    return event === "hearsInit" || event === "hearsUp" ? { state: "up", diagnostic: "none" } : undefined;
  return event === "hearsDown" ? { state: "down", diagnostic: "neighborSignaledDown" } : undefined;
}

const CELLS = STATES.flatMap((state) => EVENTS.map((event) => ({ state, event })));

test.each(CELLS)("$state, $event", ({ state, event }) => {
  const step = next(state, event);
  const expected = byTheBook(state, event);
  expect(step).toEqual(expected && { diagnostic: undefined, ...expected });
});

test("states and diagnostics have the numbers of RFC 5880 section 4.1", () => {
  expect(STATES).toEqual(["adminDown", "down", "init", "up"]);
  expect(DIAGNOSTICS.indexOf("neighborSignaledDown")).toBe(3);
  expect(DIAGNOSTICS.indexOf("administrativelyDown")).toBe(7);
});

/** Every pair of states, and what each says to the other; packets are heard in turn, in any order. */
describe("two machines that hear each other", () => {
  const pairs = STATES.flatMap((a) => STATES.map((b) => [a, b] as const)).filter(
    ([a, b]) => a !== "adminDown" && b !== "adminDown",
  );
  test.each(pairs)("come up from %s and %s", (a, b) => {
    for (let order = 0; order < 256; order++) {
      let [one, two]: [State, State] = [a, b];
      for (let turn = 0; turn < 8; turn++) {
        if ((order >> turn) & 1) one = next(one, HEARD[two])?.state ?? one;
        else two = next(two, HEARD[one])?.state ?? two;
      }
      // Whatever came before, both hear each other in turn from here on.
      for (let turn = 0; turn < 4; turn++) {
        one = next(one, HEARD[two])?.state ?? one;
        two = next(two, HEARD[one])?.state ?? two;
      }
      expect([one, two]).toEqual(["up", "up"]);
    }
  });
});
