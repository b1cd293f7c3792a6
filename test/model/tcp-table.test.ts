/**
 * Every cell of the TCP table, in the core and in the model: a connection is brought into each state by packets, then
 * each kind of segment comes from each side. What must happen stands here as docs/decisions.md, section 5.1, says it.
 */
import { describe, expect, test } from "vitest";
import { CLIENT_ISN, type Result, SERVER_ISN, SUBJECTS } from "./lab.js";
import { C, inState, S, type Sent, type Side, type State, STATES } from "./states.js";

/** What follows: a state, `gone`: passed and the session is deleted, or the reason of the drop. */
type Expected = State | "gone" | "tcp_state" | "tcp_handshake";

/** Columns in the order of STATES. The side that sends has not sent a FIN unless the row is about a repeat. */
const TABLE: Record<Side, Record<string, Expected[]>> = {
  client: {
    SYN: [
      "syn_sent",
      "syn_recv",
      "established",
      "fin_wait",
      "close_wait",
      "syn_sent",
      "syn_sent",
      "syn_sent2",
    ],
    "SYN+ACK": [
      "tcp_handshake",
      "syn_recv",
      "established",
      "fin_wait",
      "close_wait",
      "last_ack",
      "time_wait",
      "syn_recv",
    ],
    FIN: [
      "tcp_handshake",
      "fin_wait",
      "fin_wait",
      "last_ack",
      "last_ack",
      "last_ack",
      "time_wait",
      "tcp_handshake",
    ],
    ACK: [
      "tcp_handshake",
      "established",
      "established",
      "close_wait",
      "close_wait",
      "time_wait",
      "time_wait",
      "tcp_handshake",
    ],
    RST: ["gone", "gone", "gone", "gone", "gone", "gone", "gone", "gone"],
  },
  server: {
    SYN: [
      "syn_sent2",
      "tcp_handshake",
      "tcp_state",
      "tcp_state",
      "tcp_state",
      "tcp_state",
      "tcp_state",
      "syn_sent2",
    ],
    "SYN+ACK": [
      "syn_recv",
      "syn_recv",
      "established",
      "fin_wait",
      "close_wait",
      "last_ack",
      "time_wait",
      "syn_recv",
    ],
    FIN: [
      "tcp_handshake",
      "fin_wait",
      "fin_wait",
      "last_ack",
      "last_ack",
      "last_ack",
      "time_wait",
      "tcp_handshake",
    ],
    ACK: [
      "syn_sent",
      "syn_recv",
      "established",
      "close_wait",
      "close_wait",
      "time_wait",
      "time_wait",
      "syn_sent2",
    ],
    RST: ["gone", "gone", "gone", "gone", "gone", "gone", "gone", "gone"],
  },
};

/** The segment of each kind that a host in its right mind would send now. */
function sendKind(kind: string, side: Side, { talk, client, server }: Sent, state: State): Result {
  const [own, other] = side === "client" ? [client, server] : [server, client];
  const isn = side === "client" ? CLIENT_ISN : SERVER_ISN;
  const send = side === "client" ? talk.c.bind(talk) : talk.s.bind(talk);
  switch (kind) {
    case "SYN":
      return send("S", { seq: isn });
    case "SYN+ACK":
      return send("SA", { seq: isn, ack: side === "client" ? S : C });
    case "FIN": {
      // In LAST_ACK and TIME_WAIT both FINs are out: this is one of them once more.
      const repeated = state === "last_ack" || state === "time_wait";
      return send("FA", { seq: repeated ? own - 1 : own, ack: other });
    }
    case "ACK":
      return send("A", { seq: own, ack: other });
    default:
      // The answer to a SYN must acknowledge it; later the exact next number is what counts.
      return send("RA", { seq: state === "syn_sent" && side === "server" ? 0 : own, ack: other });
  }
}

test("the table has a row of full length for each kind of segment", () => {
  for (const rows of Object.values(TABLE)) {
    expect(Object.keys(rows)).toEqual(["SYN", "SYN+ACK", "FIN", "ACK", "RST"]);
    for (const row of Object.values(rows)) expect(row).toHaveLength(STATES.length);
  }
});

describe.each(SUBJECTS)("%s", (name) => {
  describe.each(["client", "server"] as const)("segments of the %s", (side) => {
    describe.each(Object.entries(TABLE[side]))("%s", (kind, row) => {
      test.each(STATES.map((state, i) => [state, row[i]!] as const))("in %s: %s", (state, expected) => {
        const other = side === "client" ? "server" : "client";
        const sent = inState(name, state, kind === "FIN" ? other : "client");
        const result = sendKind(kind, side, sent, state);
        if (expected === "tcp_state" || expected === "tcp_handshake") {
          expect(result).toMatchObject({ verdict: "drop", reason: expected });
          expect(sent.talk.state()).toBe(state);
          return;
        }
        const reopened =
          side === "client" && kind === "SYN" && (state === "last_ack" || state === "time_wait");
        expect(result).toMatchObject({ verdict: "pass", reason: reopened ? "new_session" : "established" });
        expect(sent.talk.state()).toBe(expected === "gone" ? undefined : expected);
      });
    });
  });
});
