/**
 * The inter-device machine: what each event does in each state, cell by cell: "actions/next state". An empty cell is an
 * event that the state ignores; a cell without a state keeps it. Comparisons are in classify.ts: no cell has a
 * condition. The diagram of the usual ways:
 *
 *     disabled -> initialization -> negotiation -> cold -> coldConfig -> coldBulk -> hot
 *                       ^                \                                  |         |
 *                       |                 +-------------> active <----------+---------+
 *                       |                                 |  ^ |
 *                       +------------- yield <-- drain <--+  +-+--> suspect
 */
import { type State, STATE_NAMES } from "./states.js";

/** The events, in words for the log. */
export const EVENTS = {
  configured: "redundancy is configured",
  removed: "redundancy is no longer configured",
  ready: "the dataplane and the link are ready",
  follow: "the peer is active and its configuration fits",
  agreed: "the peer finds that the configurations fit, too",
  unfit: "the configurations do not fit",
  leaderless: "the peer is no longer active",
  renewed: "all sessions are asked for again",
  peerLost: "the peer is lost",
  bulkComplete: "all sessions have arrived",
  bulkFailed: "the copy of the sessions failed",
  stuck: "nothing came of it in time",
  split: "maintenance mode began",
  rejoined: "maintenance mode ended",
  vacant: "the group is Active, and nobody else is active",
  challenged: "the group is Active and takes over from a living peer",
  contested: "the group is Active, and so is the peer",
  denied: "the peer says that it is still active",
  unanswered: "the peer does not say that it is still active",
  outdone: "the peer has the sessions, and this box has not",
  superseded: "the peer is active and has the better claim",
  prevailed: "the peer is active and has the lesser claim",
  behind: "the peer knows of a newer generation",
  groupLost: "the group is no longer Active",
  stalled: "the process stood still",
  cleared: "the peer has not taken over",
  drainBegun: "the peer is ready to take over",
  drained: "the peer has all sessions",
  drainBroken: "the peer did not take over",
  forced: "forced by the operator",
  yieldTaken: "another router is active",
  yieldVacant: "no other router is active",
  reload: "a reload was asked for",
  trapped: "the core failed",
} as const satisfies Record<string, string>;

export type Event = keyof typeof EVENTS;
export const EVENT_NAMES = Object.keys(EVENTS) as readonly Event[];

/** perform.ts has one function for each. */
export const ACTIONS = {
  O: "open", // looks for the peer
  X: "close", // forgets the peer
  N: "relink", // gets a new association
  P: "probe", // asks the peer whether it is active
  D: "deny", // the HSRP groups give way to the peer
  Q: "request", // asks the active for all sessions
  M: "spoil", // tells the standby that its copy has come apart
  B: "stopBulk", // no more records to the peer or from it
  T: "take", // becomes active, under a new generation
  U: "resume", // is active again, under the old one
  G: "raise", // a new generation without a change of roles
  L: "lose", // tells the peer that it is no longer active
  A: "assert", // stays active, and says so
  H: "handOver", // tells the peer to take over
  R: "release", // gives the HSRP groups to the standby router
  W: "giveWay", // does so for a peer that has more sessions
  J: "armProgress", // bounds the wait for the peer's verdict
  Z: "armDrain", // bounds the handover
  Y: "armYield", // bounds the wait for another active
  S: "armSuspect", // bounds the doubt
  C: "clean", // starts clean, as the reload mode says
  E: "erase", // starts clean, whatever the reload mode
} as const satisfies Record<string, string>;

type Letter = keyof typeof ACTIONS;
export type Action = (typeof ACTIONS)[Letter];
export const ACTION_NAMES = Object.values(ACTIONS) as readonly Action[];

/** States as the table writes them. */
const CODES = {
  d: "disabled",
  i: "initialization",
  n: "negotiation",
  c: "cold",
  f: "coldConfig",
  b: "coldBulk",
  h: "hot",
  a: "active",
  s: "suspect",
  r: "drain",
  y: "yield",
} as const satisfies Record<string, State>;

type Code = keyof typeof CODES;
/** What is done together, in this order. */
type Actions = "" | Letter | ("BX" | "BRX" | "BT" | "TL" | "BTL" | "BC" | "BDC" | "BE" | "PS" | "RY" | "HRY");
type Cell = Actions | `${Actions}/${Code}`;
/** In the order of STATE_NAMES. */
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

// biome-ignore format: a table
export const TABLE = {
  //             disab  init     negot   cold    config  bulk     hot      active    suspect   drain     yield
  configured:   ["O/i", "",      "",     "",     "",     "",      "",      "",       "",       "",       ""      ],
  removed:      ["",    "X/d",   "X/d",  "X/d",  "X/d",  "BX/d",  "BX/d",  "BRX/d",  "BRX/d",  "BRX/d",  "BRX/d" ],
  ready:        ["",    "/n",    "",     "",     "",     "",      "",      "",       "",       "",       ""      ],
  follow:       ["",    "",      "/c",   "J/f",  "",     "",      "",      "",       "",       "",       ""      ],
  agreed:       ["",    "",      "",     "",     "Q/b",  "",      "",      "",       "",       "",       ""      ],
  unfit:        ["",    "",      "",     "/n",   "/n",   "B/n",   "B/n",   "B",      "",       "/a",     ""      ],
  leaderless:   ["",    "",      "",     "/n",   "/n",   "B/n",   "",      "",       "",       "",       ""      ],
  renewed:      ["",    "",      "",     "",     "",     "B/c",   "B/c",   "",       "",       "",       ""      ],
  peerLost:     ["",    "",      "",     "/n",   "/n",   "B/n",   "B/n",   "B",      "",       "/a",     ""      ],
  bulkComplete: ["",    "",      "",     "",     "",     "/h",    "",      "",       "",       "",       ""      ],
  bulkFailed:   ["",    "",      "",     "",     "",     "B/c",   "B/c",   "M",      "",       "M/a",    ""      ],
  stuck:        ["",    "",      "",     "",     "N/n",  "B/c",   "",      "",       "",       "",       ""      ],
  split:        ["",    "",      "",     "",     "/c",   "B/c",   "B/c",   "B",      "",       "/a",     ""      ],
  rejoined:     ["",    "",      "",     "C/i",  "C/i",  "BC/i",  "BC/i",  "",       "",       "",       ""      ],
  vacant:       ["",    "",      "T/a",  "T/a",  "T/a",  "BT/a",  "BT/a",  "",       "",       "",       "T/a"   ],
  challenged:   ["",    "",      "",     "",     "",     "",      "BTL/a", "",       "",       "",       ""      ],
  contested:    ["",    "",      "P",    "P",    "P",    "P",     "P",     "",       "",       "",       ""      ],
  denied:       ["",    "",      "D",    "D",    "D",    "D",     "D",     "",       "",       "",       ""      ],
  unanswered:   ["",    "",      "TL/a", "TL/a", "TL/a", "BTL/a", "BTL/a", "",       "",       "",       ""      ],
  outdone:      ["",    "",      "W",    "",     "",     "",      "",      "",       "",       "",       ""      ],
  superseded:   ["",    "",      "C/i",  "",     "",     "",      "",      "BDC/i",  "BDC/i",  "BDC/i",  "BDC/i" ],
  prevailed:    ["",    "",      "",     "",     "",     "",      "",      "A",      "",       "A",      ""      ],
  behind:       ["",    "",      "",     "",     "",     "",      "",      "G",      "",       "G",      ""      ],
  groupLost:    ["",    "",      "",     "",     "",     "",      "",      "Y/y",    "Y/y",    "Y/y",    ""      ],
  stalled:      ["",    "",      "",     "",     "",     "",      "",      "PS/s",   "PS",     "PS/s",   ""      ],
  cleared:      ["",    "",      "",     "",     "",     "",      "",      "",       "U/a",    "",       ""      ],
  drainBegun:   ["",    "",      "",     "",     "",     "",      "",      "Z/r",    "",       "",       ""      ],
  drained:      ["",    "",      "",     "",     "",     "",      "",      "",       "",       "HRY/y",  ""      ],
  drainBroken:  ["",    "",      "",     "",     "",     "",      "",      "",       "",       "/a",     ""      ],
  forced:       ["",    "",      "",     "",     "",     "",      "",      "RY/y",   "",       "RY/y",   ""      ],
  yieldTaken:   ["",    "",      "",     "",     "",     "",      "",      "",       "",       "",       "BC/i"  ],
  yieldVacant:  ["",    "",      "",     "",     "",     "",      "",      "",       "",       "",       "B/n"   ],
  reload:       ["",    "",      "C/i",  "C/i",  "C/i",  "BC/i",  "BC/i",  "",       "",       "",       ""      ],
  trapped:      ["",    "BE/i",  "BE/i", "BE/i", "BE/i", "BE/i",  "BE/i",  "BE/i",   "BE/i",   "BE/i",   "BE/i"  ],
} as const satisfies Record<Event, Row>;

/** What a cell says. */
export interface Step {
  readonly actions: readonly Action[];
  readonly state: State;
}

/** What an event does in a state: decides, does nothing. Undefined: the state ignores it. */
export function next(state: State, event: Event): Step | undefined {
  const cell: string = TABLE[event][STATE_NAMES.indexOf(state)]!;
  if (cell === "") return undefined;
  const [letters, code] = cell.split("/");
  return {
    actions: [...letters!].map((letter) => ACTIONS[letter as Letter]),
    state: code === undefined ? state : CODES[code as Code],
  };
}
