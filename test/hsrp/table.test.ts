import { describe, expect, test } from "vitest";
import { optionsOf } from "../../src/hsrp/index.js";
import { apply, type Heard } from "../../src/hsrp/group.js";
import { type Context, initialState, NEVER_MS, specsOf } from "../../src/hsrp/state.js";
import { type Action, type Event, EVENTS, next, STATES, type State, TABLE } from "../../src/hsrp/table.js";
import { configOf } from "./world.js";

const EVENT_NAMES = Object.keys(TABLE) as Event[];

/** The table once more, by state as RFC 2281 section 5.7 tells it, with hPreempt's C and our r. All else is nothing. */
const BY_STATE: Record<State, string> = {
  initial: "a AB>listen, aLearn AB>learn",
  learn: "b CD>initial, g EAB>listen, h EAB>listen, hPreempt EAB>listen",
  listen: "b CD>initial, c AB>speak, d B>speak, g EA, h A, hPreempt BCGFI>active, i AB>speak, k B, l B>speak",
  speak:
    "b CD>initial, d D>standby, e F, f B>listen, g EA, h A, hPreempt BCGFI>active, i A, k B>listen, l D>standby",
  standby:
    "b CD>initial, c CDFI>active, e F, f B>listen, g EA, h A, hPreempt BCGFI>active, i CFI>active, k B>listen",
  active: "b CDH>initial, e F, g AB>speak, h G, hPreempt G, j ABH>speak, k B, l B, r ABH>speak",
};

describe.each(STATES)("in %s", (state) => {
  const cells = new Map(BY_STATE[state].split(", ").map((cell) => cell.split(" ") as [Event, string]));

  test.each(EVENT_NAMES)("event %s", (event) => {
    const [actions = "", to = state] = (cells.get(event) ?? "").split(">");
    const step = next(state, event);
    expect(step.actions.join("")).toBe(actions);
    expect(step.state).toBe(to);
  });

  test("knows every event that is named above", () => {
    expect(EVENT_NAMES).toEqual(expect.arrayContaining([...cells.keys()]));
  });
});

test("every event has the RFC's letter", () => {
  for (const event of EVENT_NAMES) expect(event.startsWith(EVENTS[event].letter)).toBe(true);
});

const NOW_MS = 50_000;
const HOLD_MS = 7_000;
const HEARD_HOLD_MS = 9_000;

/** A group in a state, with timers that tell whether they were touched. */
function groupIn(state: State, lines: readonly string[] = []) {
  const config = configOf(
    ["interface Ethernet0", " ip address 10.0.0.1 255.255.255.0", " standby 1 ip 10.0.0.3", ...lines].join(
      "\n",
    ),
  );
  const options = optionsOf(config, { macs: new Map([["Ethernet0", "0200.0000.0001"]]), random: () => 0 });
  const specs = specsOf(options);
  const all = initialState(options, specs);
  all.links.Ethernet0 = { isUp: true, wasUp: true, startAtMs: 0, rateAtMs: 0 };
  const group = { spec: specs[0]!, state: all.groups[0]! };
  Object.assign(group.state, {
    state,
    activeAtMs: 1,
    standbyAtMs: 2,
    helloAtMs: 3,
    learnedAddress: undefined,
  });
  const context: Context = { nowMs: NOW_MS, options, state: all, ties: [[group]], actions: [] };
  return { group, context };
}

/** A hello that has something to learn from. */
function helloFrom(state: State): Heard {
  return {
    source: 0x0a000002,
    message: {
      kind: "group",
      version: 1,
      family: 4,
      opcode: "hello",
      state,
      group: 1,
      priority: 100,
      helloMs: 2000,
      holdMs: HEARD_HOLD_MS,
      virtualAddress: 0x0a000003,
    },
  };
}

/** Who sends the packet that is the event. */
const SENDERS: Partial<Record<Event, State>> = {
  f: "speak",
  g: "active",
  h: "active",
  hPreempt: "active",
  k: "standby",
  l: "standby",
};

describe.each(STATES)("the group carries out in %s", (state) => {
  test.each(EVENT_NAMES)("event %s", (event) => {
    const { group, context } = groupIn(state, [` standby 1 timers 1 ${HOLD_MS / 1000}`]);
    const learner = groupIn(state);
    const sender = SENDERS[event];
    const heard = sender && helloFrom(sender);
    apply(context, group, event, heard);
    apply(learner.context, learner.group, event, heard);

    const step = next(state, event);
    const does = (action: Action) => step.actions.includes(action);
    const sent = context.actions.filter((action) => action.kind === "send");
    const opcodes = sent.map(({ payload }) => payload[1]);
    expect(group.state.state).toBe(step.state);
    expect(context.actions.some(({ kind }) => kind === "state")).toBe(step.state !== state);

    // A and B run for the hold time of the router whose hello it was, else for our own.
    const activeHold = sender === "active" ? HEARD_HOLD_MS : HOLD_MS;
    const standbyHold = sender === "standby" ? HEARD_HOLD_MS : HOLD_MS;
    const activeAtMs = does("A") ? NOW_MS + activeHold : does("C") ? NEVER_MS : 1;
    const standbyAtMs = does("B") ? NOW_MS + standbyHold : does("D") ? NEVER_MS : 2;
    expect(group.state.activeAtMs).toBe(activeAtMs);
    expect(group.state.standbyAtMs).toBe(standbyAtMs);
    expect(learner.group.state.learnedTimers).toEqual(
      does("E") ? { helloMs: 2000, holdMs: HEARD_HOLD_MS } : undefined,
    );
    expect(opcodes.includes(0)).toBe(does("F"));
    expect(opcodes.includes(1)).toBe(does("G"));
    expect(opcodes.includes(2)).toBe(does("H"));
    expect(group.state.announceAtMs === NOW_MS).toBe(does("I"));
    if (does("F")) expect(group.state.helloAtMs).toBe(NOW_MS + 1000);
  });
});

test("a coup tells the state before, the hello behind it the one after, from their MAC addresses", () => {
  const { group, context } = groupIn("listen");
  apply(context, group, "hPreempt", helloFrom("active"));
  const sent = context.actions.filter((action) => action.kind === "send");
  expect(sent.map(({ payload, sourceMac }) => [payload[1], payload[2], sourceMac])).toEqual([
    [1, 2, "0200.0000.0001"],
    [0, 16, "0000.0c07.ac01"],
  ]);
  expect(context.actions.map(({ kind }) => kind)).toEqual(["send", "state", "log", "own", "send"]);
});

test("who stands by without an Active router is Active at once (the Active timer ran out in Speak)", () => {
  const { group, context } = groupIn("speak");
  group.state.activeAtMs = NEVER_MS;
  apply(context, group, "d");
  expect(context.actions.flatMap((action) => (action.kind === "state" ? [action.to] : []))).toEqual([
    "standby",
    "active",
  ]);
});

test("the causes of changes are told in the words of IOS", () => {
  const { group, context } = groupIn("active");
  const { message, source } = helloFrom("active");
  apply(context, group, "g", { source, message: { ...message, priority: 110 } });
  expect(context.actions.find(({ kind }) => kind === "state")).toMatchObject({
    cause: "g/Hello rcvd from higher pri Active router (110/10.0.0.2)",
    from: "active",
    to: "speak",
  });
  expect(context.actions).toContainEqual({
    kind: "log",
    severity: 5,
    text: "%HSRP-5-STATECHANGE: Ethernet0 Grp 1 state Active -> Speak",
  });
});
