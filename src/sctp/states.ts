/**
 * The states of an association (RFC 9260 section 4) as one total table: what each event does in each state, and the
 * state after it. Comparisons stand elsewhere; a cell has none.
 */

export const STATES = ["CL", "CW", "CE", "ES", "SP", "SS", "SR", "SA"] as const;
/** Short as the table needs it; STATE_NAMES has the names of section 4. */
export type StateCode = (typeof STATES)[number];

export const STATE_NAMES = {
  CL: "CLOSED",
  CW: "COOKIE-WAIT",
  CE: "COOKIE-ECHOED",
  ES: "ESTABLISHED",
  SP: "SHUTDOWN-PENDING",
  SS: "SHUTDOWN-SENT",
  SR: "SHUTDOWN-RECEIVED",
  SA: "SHUTDOWN-ACK-SENT",
} as const satisfies Record<StateCode, string>;
export type StateName = (typeof STATE_NAMES)[StateCode];

/** What a cell can ask for. transition.ts has one function for each. */
export const STATE_ACTIONS = [
  "initiate", // a new association of ours: INIT, T1
  "reinit", // INIT again
  "offer", // INIT ACK with a fresh tag; nothing is kept
  "offerOwn", // INIT ACK with the tag that our own INIT had
  "echo", // take the INIT ACK, send its cookie back
  "reecho", // COOKIE ECHO again
  "refresh", // the cookie was too old: INIT again
  "establish", // from a cookie: COOKIE ACK
  "rebuild", // from a cookie, in place of the association that exists
  "ackCookie", // COOKIE ACK
  "confirm", // the cookie that we sent back is in force
  "meet", // the peer has sent back a cookie for the same association: COOKIE ACK
  "refuseLate", // SHUTDOWN ACK and an error: no new association while this one ends
  "receive", // user data
  "receiveLate", // user data after our SHUTDOWN: SACK and SHUTDOWN at once
  "acknowledge", // SACK
  "answer", // HEARTBEAT
  "answered", // HEARTBEAT ACK
  "drain", // take no more user data; SHUTDOWN when all is acknowledged
  "sendShut", // SHUTDOWN, T2
  "takeShut", // the peer's SHUTDOWN: finish what is outstanding
  "shutAgain", // the peer's SHUTDOWN, which acknowledges user data
  "sendAck", // SHUTDOWN ACK, T2
  "sendComp", // SHUTDOWN COMPLETE, and this is the end
  "reflect", // SHUTDOWN COMPLETE for an association that is not this one
  "forget", // the end, and the peer need not know
  "abort", // ABORT, and this is the end
  "end", // the end, which the peer knows
] as const;
export type StateAction = (typeof STATE_ACTIONS)[number];

/** "": the event means nothing in this state. The state after the blank; none: it stays. */
type Cell = "" | StateAction | `${StateAction} ${StateCode}`;
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

// biome-ignore format: a table
export const STATE_TABLE = {
  //                 CL              CW              CE              ES              SP              SS              SR              SA
  // The application.
  connect:          ["initiate CW",  "",             "",             "",             "",             "",             "",             ""            ],
  shutdown:         ["",             "forget CL",    "abort CL",     "drain SP",     "",             "",             "",             ""            ],
  abort:            ["",             "forget CL",    "abort CL",     "abort CL",     "abort CL",     "abort CL",     "abort CL",     "abort CL"    ],
  // Setup (section 5). A cookie is classified first: collision.ts.
  init:             ["offer",        "offerOwn",     "offerOwn",     "offer",        "offer",        "offer",        "offer",        "sendAck"     ],
  initAck:          ["",             "echo CE",      "",             "",             "",             "",             "",             ""            ],
  cookieNew:        ["establish ES", "",             "",             "",             "",             "",             "",             ""            ],
  cookieRestart:    ["",             "rebuild ES",   "rebuild ES",   "rebuild ES",   "rebuild ES",   "rebuild ES",   "rebuild ES",   "refuseLate"  ],
  cookieCollision:  ["",             "rebuild ES",   "rebuild ES",   "rebuild ES",   "rebuild ES",   "rebuild ES",   "rebuild ES",   "refuseLate"  ],
  cookieDuplicate:  ["",             "",             "meet ES",      "ackCookie",    "ackCookie",    "ackCookie",    "ackCookie",    "ackCookie"   ],
  cookieAck:        ["",             "",             "confirm ES",   "",             "",             "",             "",             ""            ],
  staleCookie:      ["",             "",             "refresh CW",   "",             "",             "",             "",             ""            ],
  // User data and paths (sections 6, 8.3).
  data:             ["",             "",             "",             "receive",      "receive",      "receiveLate",  "",             ""            ],
  sack:             ["",             "",             "",             "acknowledge",  "acknowledge",  "acknowledge",  "acknowledge",  ""            ],
  heartbeat:        ["",             "",             "answer",       "answer",       "answer",       "answer",       "answer",       "answer"      ],
  heartbeatAck:     ["",             "",             "",             "answered",     "answered",     "answered",     "answered",     "answered"    ],
  // Teardown (section 9). "drained": nothing waits and nothing is outstanding.
  drained:          ["",             "",             "",             "",             "sendShut SS",  "",             "sendAck SA",   ""            ],
  peerShutdown:     ["",             "",             "",             "takeShut SR",  "takeShut SR",  "sendAck SA",   "shutAgain",    "sendAck"     ],
  shutdownAck:      ["",             "reflect",      "reflect",      "",             "",             "sendComp CL",  "",             "sendComp CL" ],
  shutdownComplete: ["",             "",             "",             "",             "",             "",             "",             "end CL"      ],
  peerAbort:        ["",             "end CL",       "end CL",       "end CL",       "end CL",       "end CL",       "end CL",       "end CL"      ],
  // Time. "exhausted": one repetition too many; "violated": the peer breaks the protocol.
  setupExpired:     ["",             "reinit",       "reecho",       "",             "",             "",             "",             ""            ],
  teardownExpired:  ["",             "",             "",             "",             "",             "sendShut",     "",             "sendAck"     ],
  exhausted:        ["",             "forget CL",    "forget CL",    "abort CL",     "abort CL",     "abort CL",     "abort CL",     "abort CL"    ],
  violated:         ["",             "",             "",             "abort CL",     "abort CL",     "abort CL",     "abort CL",     "abort CL"    ],
} as const satisfies Record<string, Row>;

export type StateEvent = keyof typeof STATE_TABLE;

export interface StateStep {
  /** Undefined: nothing is to be done. */
  action: StateAction | undefined;
  state: StateCode;
}

const STEPS = new Map(
  Object.entries(STATE_TABLE).map(([event, row]) => [
    event,
    STATES.map((state, column): StateStep => {
      const [action, next] = row[column]!.split(" ") as [StateAction | "", StateCode | undefined];
      return { action: action === "" ? undefined : action, state: next ?? state };
    }),
  ]),
);

/** Decides, does nothing. */
export function next(state: StateCode, event: StateEvent): StateStep {
  return STEPS.get(event)![STATES.indexOf(state)]!;
}

/** Whether the application may queue messages (RFC 9260 section 9.2: not once it, or the peer, has ended it). */
export const SENDING_STATES: readonly StateCode[] = ["ES"];
/** Whether messages that wait may be sent. */
export const TRANSMITTING_STATES: readonly StateCode[] = ["ES", "SP", "SR"];
