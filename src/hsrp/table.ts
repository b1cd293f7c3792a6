/**
 * RFC 2281, section 5.7, cell by cell: "actions/next state". An empty cell is an event that the state ignores; a cell
 * without a number keeps the state. The table's footnotes are events of their own (aLearn, hPreempt), so no cell has
 * a condition. The last row is ours: the RFC has no way to give up the active role but to be taken over.
 *
 *     A start the Active timer      D stop the Standby timer    G send a coup
 *     B start the Standby timer     E learn parameters          H send a resign
 *     C stop the Active timer       F send a hello              I announce the virtual addresses
 *
 * A and B run for the hold time of the hello that is their cause, if one of the Active or the Standby router is, else
 * for our own. What else follows from being in a state (the hello timer runs in Speak, Standby and Active; virtual
 * addresses are owned in Active) follows in group.ts.
 */

/** In the RFC's order: 1 to 6. */
export const STATES = ["initial", "learn", "listen", "speak", "standby", "active"] as const;
export type State = (typeof STATES)[number];

/** The events, with the RFC's letters and the words that IOS prints for them. */
export const EVENTS = {
  a: { letter: "a", text: "enabled on an interface that is up" },
  aLearn: { letter: "a", text: "enabled without a virtual address" },
  b: { letter: "b", text: "disabled, or interface down" },
  c: { letter: "c", text: "Active timer expired" },
  d: { letter: "d", text: "Standby timer expired" },
  e: { letter: "e", text: "Hello timer expired" },
  f: { letter: "f", text: "Hello rcvd from higher pri Speak router" },
  g: { letter: "g", text: "Hello rcvd from higher pri Active router" },
  h: { letter: "h", text: "Hello rcvd from lower pri Active router" },
  hPreempt: { letter: "h", text: "Hello rcvd from lower pri Active router, preempting" },
  i: { letter: "i", text: "Resign rcvd" },
  j: { letter: "j", text: "Coup rcvd from higher pri router" },
  k: { letter: "k", text: "Hello rcvd from higher pri Standby router" },
  l: { letter: "l", text: "Hello rcvd from lower pri Standby router" },
  r: { letter: "r", text: "handing over to the Standby router" },
} as const satisfies Record<string, { letter: string; text: string }>;

export type Event = keyof typeof EVENTS;

/** Any set of actions, in the order in which they are done. */
type Actions =
  `${"" | "E"}${"" | "A"}${"" | "B"}${"" | "C"}${"" | "D"}${"" | "G"}${"" | "F"}${"" | "H"}${"" | "I"}`;
type Cell = Actions | `${Actions}/${1 | 2 | 3 | 4 | 5 | 6}`;
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell];

export type Action = "A" | "B" | "C" | "D" | "E" | "F" | "G" | "H" | "I";

// biome-ignore format: a table
export const TABLE = {
  //         initial learn    listen      speak       standby     active
  a:        ["AB/3", "",      "",         "",         "",         ""     ],
  aLearn:   ["AB/2", "",      "",         "",         "",         ""     ],
  b:        ["",     "CD/1",  "CD/1",     "CD/1",     "CD/1",     "CDH/1"],
  c:        ["",     "",      "AB/4",     "",         "CDFI/6",   ""     ],
  d:        ["",     "",      "B/4",      "D/5",      "",         ""     ],
  e:        ["",     "",      "",         "F",        "F",        "F"    ],
  f:        ["",     "",      "",         "B/3",      "B/3",      ""     ],
  g:        ["",     "EAB/3", "EA",       "EA",       "EA",       "AB/4" ],
  h:        ["",     "EAB/3", "A",        "A",        "A",        "G"    ],
  // The RFC leaves the Active timer running here; in Active nothing would ever stop it, so C is added.
  hPreempt: ["",     "EAB/3", "BCGFI/6",  "BCGFI/6",  "BCGFI/6",  "G"    ],
  i:        ["",     "",      "AB/4",     "A",        "CFI/6",    ""     ],
  j:        ["",     "",      "",         "",         "",         "ABH/4"],
  k:        ["",     "",      "B",        "B/3",      "B/3",      "B"    ],
  l:        ["",     "",      "B/4",      "D/5",      "",         "B"    ],
  r:        ["",     "",      "",         "",         "",         "ABH/4"],
} as const satisfies Record<Event, Row>;

/** What a cell says. */
export interface Step {
  readonly actions: readonly Action[];
  readonly state: State;
}

/** What an event does in a state: decides, does nothing. */
export function next(state: State, event: Event): Step {
  const cell: string = TABLE[event][STATES.indexOf(state)]!;
  const [actions, number] = cell.split("/");
  return {
    actions: [...actions!] as Action[],
    state: number === undefined ? state : STATES[Number(number) - 1]!,
  };
}
