/** The states of a neighbour, each event in each state, as they show on the wire and in the core's table. */
import { describe, expect, test } from "vitest";
import { NEIGHBOR_EVENTS } from "./events.js";
import { arp, at, HOST_MAC, INSIDE, OTHER_MAC, Rig } from "./rig.js";

const HOST = "10.0.0.9";
const answer = (senderMac = HOST_MAC) =>
  arp({ operation: 2, sender: HOST, senderMac, target: "10.0.0.1", targetMac: "0200.0000.0001" });
const request = (senderMac = HOST_MAC) => arp({ operation: 1, sender: HOST, senderMac, target: "10.0.0.1" });
const gratuitous = (senderMac = HOST_MAC) => arp({ operation: 1, sender: HOST, senderMac, target: HOST });

/** Long enough for the last request to have been given up. */
const GIVEN_UP_MS = 3000;
const REFRESH_MS = 14_340_000;
/** When the next thing happens to it. */
const DUE_MS: Record<string, number> = {
  none: 0,
  incomplete: 250,
  stale: 5000,
  reachable: REFRESH_MS,
  probe: 250,
  failed: 3000,
};
const EXHAUSTED_MS: Record<string, number> = {
  ...DUE_MS,
  incomplete: GIVEN_UP_MS,
  stale: 5000 + GIVEN_UP_MS,
  reachable: REFRESH_MS + GIVEN_UP_MS,
  probe: GIVEN_UP_MS,
};

/** How a neighbour gets into each state. */
const INTO: Record<string, (rig: Rig) => Rig> = {
  none: (rig) => rig,
  incomplete: (rig) => rig.resolve(HOST),
  stale: (rig) => rig.frame(request()),
  reachable: (rig) => rig.resolve(HOST).frame(answer()),
  probe: (rig) => rig.frame(request()).run(5000),
  failed: (rig) => rig.resolve(HOST).run(GIVEN_UP_MS),
};

/** What happens to it; the other MAC address is not the one that it had. */
const EVENTS: Record<string, (rig: Rig) => Rig> = {
  resolve: (rig) => rig.resolve(HOST),
  warm: (rig) =>
    rig
      .input(hello())
      .frame(arp({ operation: 1, sender: "10.0.0.2", senderMac: "0200.0000.0022", target: HOST })),
  answer: (rig) => rig.frame(answer()),
  solicit: (rig) => unlocked(rig).frame(request(OTHER_MAC)),
  hint: (rig) => unlocked(rig).frame(gratuitous(OTHER_MAC)),
  due: (rig) => rig.run(DUE_MS[rig.stateOf(HOST)]!),
  exhausted: (rig) => rig.run(EXHAUSTED_MS[rig.stateOf(HOST)]!),
  verify: (rig) => rig.own(),
  forget: (rig) => rig.input({ kind: "clear", what: "arp" }),
};

/** A neighbour that was confirmed a moment ago does not move. */
function unlocked(rig: Rig): Rig {
  return rig.run(rig.stateOf(HOST) === "reachable" ? 1000 : 0);
}

function hello() {
  const fields = { interface: INSIDE, sourcePort: 1985, port: 1985, payload: new Uint8Array(20) };
  return { kind: "frame", networkOffset: 14, frame: NEIGHBOR_EVENTS.hello("10.0.0.2"), ...fields } as const;
}

/**
 * By event, in the order none, incomplete, stale, reachable, probe, failed: the state that follows, and what is seen: R a request
 * to everybody, P one to the neighbour, F the frame leaves, L the core is told where it is, D that it is nowhere,
 * X an error is due.
 */
const EXPECTED: Record<string, string> = {
  resolve: "R incomplete | - incomplete | LF stale | LF reachable | LF probe | X failed",
  warm: "R incomplete | - incomplete | - stale | - reachable | - probe | - failed",
  answer: "- none | LF reachable | - stale | - reachable | - reachable | L reachable",
  solicit: "L stale | LF stale | L stale | L stale | L probe | L stale",
  hint: "- none | LF stale | L stale | L stale | L probe | L stale",
  due: "- none | R incomplete | P probe | P probe | P probe | - none",
  exhausted: "- none | RRRX failed | PPPRD none | PPPRD none | PPRD none | - none",
  verify: "- none | - incomplete | P probe | P probe | - probe | R incomplete",
  forget: "- none | - none | D none | D none | D none | - none",
};

function seen(rig: Rig): string {
  return rig
    .take()
    .map((action) => {
      if (action.kind === "neighbor" && action.interface === INSIDE)
        return action.mac === undefined ? "D" : "L";
      if (action.kind !== "transmit") return "";
      const hex = Buffer.from(action.frame).toString("hex");
      // An ICMP error to the sender of the frame, which is outside.
      if (action.interface !== INSIDE) return hex.slice(24, 28) === "0800" ? "X" : "";
      const isArpRequest = hex.slice(24, 28) === "0806" && hex.slice(40, 44) === "0001";
      if (isArpRequest) return hex.startsWith("ffffffffffff") ? "R" : "P";
      return hex.slice(24, 28) === "0800" ? "F" : "";
    })
    .join("");
}

describe("every event in every state", () => {
  for (const [event, row] of Object.entries(EXPECTED)) {
    row.split(" | ").forEach((cell, i) => {
      const state = Object.keys(INTO)[i]!;
      test(`${event} in ${state}: ${cell}`, () => {
        // A next hop outside is known, so that errors can leave.
        const rig = Rig.ready();
        rig.frame(
          arp({ operation: 2, sender: "192.0.2.254", target: "192.0.2.1", targetMac: "0200.0000.0002" }),
          "GigabitEthernet0/1",
        );
        INTO[state]!(rig);
        expect(rig.stateOf(HOST)).toBe(state);
        rig.take();
        EVENTS[event]!(rig);
        const [expected, to] = cell.split(" ");
        expect([seen(rig) || "-", rig.stateOf(HOST)]).toEqual([expected, to]);
      });
    });
  }
});

test("a neighbour that answers is asked again before its time is over, by itself and as the virtual router", () => {
  const rig = Rig.ready().own();
  rig.resolve(HOST).frame(answer()).take();
  rig.run(REFRESH_MS - 1);
  expect(seenRequests(rig)).toEqual([]);
  rig.run(1);
  expect(seenRequests(rig)).toEqual([
    `0200000000aa00000c07ac010806000108000604000100000c07ac010a0000030000000000000a000009`,
  ]);
  rig.frame(arp({ operation: 2, sender: HOST, target: "10.0.0.3", targetMac: "0000.0c07.ac01" }));
  expect(rig.stateOf(HOST)).toBe("reachable");
});

function seenRequests(rig: Rig): string[] {
  return rig.sent(INSIDE).filter((hex) => hex.slice(24, 28) === "0806");
}

test("what waits is sent in its order when the neighbour answers, and the core hears of it first", () => {
  const rig = Rig.ready();
  for (let i = 0; i < 200; i++) rig.resolve(HOST, NEIGHBOR_EVENTS.numbered(i));
  expect(seenRequests(rig)).toHaveLength(1);
  rig.frame(answer());
  const actions = rig.take();
  expect(actions[0]).toEqual({ kind: "neighbor", interface: INSIDE, address: at(HOST), mac: HOST_MAC });
  const frames = actions.slice(1).map((each) => (each.kind === "transmit" ? each.frame : new Uint8Array()));
  expect(frames.map((frame) => frame.at(-1))).toEqual(Array.from({ length: 200 }, (_, i) => i));
  expect(frames.every((frame) => Buffer.from(frame).toString("hex").startsWith("0200000000aa"))).toBe(true);
});
