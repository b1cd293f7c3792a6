import { describe, expect, test } from "vitest";
import { classify, type Generation, type Own } from "../../src/hsrp/classify.js";
import { type Event, STATES, type State } from "../../src/hsrp/table.js";

const LOWER = { priority: 90, address: 0x0a000009 };
const EQUAL_LOWER_ADDRESS = { priority: 100, address: 0x0a000001 };
const EQUAL_HIGHER_ADDRESS = { priority: 100, address: 0xc0000000 };
const HIGHER = { priority: 110, address: 0x0a000001 };
/** From the one that loses every comparison to the one that wins every one. */
const SENDERS = [LOWER, EQUAL_LOWER_ADDRESS, EQUAL_HIGHER_ADDRESS, HIGHER];

function own(state: State, changes: Partial<Own> = {}): Own {
  const priority = 100;
  // Above 2^31: addresses compare as unsigned numbers.
  return { state, priority, address: 0x80000000, mayPreempt: false, peerGeneration: "equal", ...changes };
}

function events(
  opcode: "hello" | "coup" | "resign",
  state: State | "disabled",
  self: Own,
): (Event | undefined)[] {
  return SENDERS.map(({ priority, address }) => classify({ opcode, state, priority }, address, self));
}

describe.each(STATES)("to a router in %s", (mine) => {
  test("hellos from Speak and Standby compare priority, then address", () => {
    expect(events("hello", "speak", own(mine))).toEqual([undefined, undefined, "f", "f"]);
    expect(events("hello", "standby", own(mine))).toEqual(["l", "l", "k", "k"]);
  });

  test("hellos from Active compare the address only between two that are Active", () => {
    const expected = mine === "active" ? ["h", "h", "g", "g"] : ["h", "g", "g", "g"];
    expect(events("hello", "active", own(mine))).toEqual(expected);
  });

  test("a lower priority is preempted where that is allowed, an equal one never", () => {
    const expected = mine === "active" ? ["h", "h", "g", "g"] : ["hPreempt", "g", "g", "g"];
    expect(events("hello", "active", own(mine, { mayPreempt: true }))).toEqual(expected);
  });

  test.each(["initial", "learn", "listen", "disabled"] as const)("hellos from %s mean nothing", (state) => {
    expect(events("hello", state, own(mine))).toEqual(SENDERS.map(() => undefined));
  });

  test.each([...STATES, "disabled"] as const)(
    "a coup counts from a higher router, whatever its state (%s)",
    (state) => {
      expect(events("coup", state, own(mine))).toEqual([undefined, undefined, "j", "j"]);
    },
  );

  test("a resignation is one from every router", () => {
    expect(events("resign", "active", own(mine))).toEqual(["i", "i", "i", "i"]);
  });

  test.each<[Generation, Event, Event | undefined]>([
    ["ahead", "g", "j"],
    ["behind", "h", undefined],
  ])(
    "a peer whose sessions are %s: that decides between two Active routers",
    (peerGeneration, hello, coup) => {
      const self = own(mine, { peerGeneration });
      expect(events("coup", "standby", self)).toEqual(SENDERS.map(() => coup));
      if (mine === "active") expect(events("hello", "active", self)).toEqual(SENDERS.map(() => hello));
      else expect(events("hello", "active", self)).toEqual(["h", "g", "g", "g"]);
    },
  );
});

test("IPv6 addresses compare as numbers too", () => {
  const address = (text: bigint) => (0xfe80n << 112n) | text;
  const self = { ...own("speak"), address: address(5n) };
  const hello = { opcode: "hello", state: "speak", priority: 100 } as const;
  expect(classify(hello, address(6n), self)).toBe("f");
  expect(classify(hello, address(4n), self)).toBeUndefined();
});
