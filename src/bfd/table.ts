/**
 * The state machine of a session (RFC 5880 sections 6.2 and 6.8.6), cell by cell: "diagnostic/next state". An empty cell
 * is an event that the state ignores; a cell without a number keeps the diagnostic.
 *
 *                             +--+
 *                             |  | UP, ADMIN DOWN, TIMER
 *                             |  V
 *                     DOWN  +------+  INIT
 *              +------------|      |------------+
 *              |            | DOWN |            |
 *              |  +-------->|      |<--------+  |
 *              |  |         +------+         |  |
 *              |  |                          |  |
 *              |  |               ADMIN DOWN,|  |
 *              |  |ADMIN DOWN,          DOWN,|  |
 *              |  |TIMER                TIMER|  |
 *              V  |                          |  V
 *            +------+                      +------+
 *       +----|      |                      |      |----+
 *   DOWN|    | INIT |--------------------->|  UP  |    |INIT, UP
 *       +--->|      | INIT, UP             |      |<---+
 *            +------+                      +------+
 */

/** By their numbers on the wire, from 0. */
export const STATES = ["adminDown", "down", "init", "up"] as const;
export type State = (typeof STATES)[number];

/** Why the local state changed last, by the numbers on the wire from 0 (RFC 5880 section 4.1). */
export const DIAGNOSTICS = [
  "none",
  "detectionTimeExpired",
  "echoFailed",
  "neighborSignaledDown",
  "forwardingPlaneReset",
  "pathDown",
  "concatenatedPathDown",
  "administrativelyDown",
  "reverseConcatenatedPathDown",
] as const;
export type Diagnostic = (typeof DIAGNOSTICS)[number];

/** A packet by the state that its sender is in, and what happens here. */
export type Event =
  | "hearsAdminDown"
  | "hearsDown"
  | "hearsInit"
  | "hearsUp"
  /** Nothing was heard for the detection time (section 6.8.4). */
  | "expired"
  /** The interface went down. */
  | "linkDown"
  /** Taken down on purpose, and let go again (section 6.8.16). */
  | "disabled"
  | "enabled";

/** The event that a packet of a sender in a state is. */
export const HEARD = {
  adminDown: "hearsAdminDown",
  down: "hearsDown",
  init: "hearsInit",
  up: "hearsUp",
} as const satisfies Record<State, Event>;

const CODES = { a: "adminDown", d: "down", i: "init", u: "up" } as const satisfies Record<string, State>;
type Code = keyof typeof CODES;
type Cell = "" | `${"" | 0 | 1 | 3 | 5 | 7}/${Code}`;
/** In the order of STATES. */
type Row = readonly [Cell, Cell, Cell, Cell];

// biome-ignore format: a table
export const TABLE = {
  //               adminDown  down   init   up
  hearsAdminDown: ["",        "",    "3/d", "3/d"],
  hearsDown:      ["",        "/i",  "",    "3/d"],
  hearsInit:      ["",        "0/u", "0/u", ""   ],
  hearsUp:        ["",        "",    "0/u", ""   ],
  expired:        ["",        "",    "1/d", "1/d"],
  linkDown:       ["",        "",    "5/d", "5/d"],
  disabled:       ["",        "7/a", "7/a", "7/a"],
  enabled:        ["0/d",     "",    "",    ""   ],
} as const satisfies Record<Event, Row>;

export const EVENTS = Object.keys(TABLE) as readonly Event[];

/** What a cell says. `diagnostic` undefined: it stays. */
export interface Step {
  readonly state: State;
  readonly diagnostic: Diagnostic | undefined;
}

/** What an event does in a state: decides, does nothing. Undefined: the state ignores it. */
export function next(state: State, event: Event): Step | undefined {
  const cell: string = TABLE[event][STATES.indexOf(state)]!;
  if (cell === "") return undefined;
  const [number, code] = cell.split("/");
  return {
    state: CODES[code as Code],
    diagnostic: number === "" ? undefined : DIAGNOSTICS[Number(number)],
  };
}
