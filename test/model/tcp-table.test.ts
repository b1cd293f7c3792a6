/**
 * Every cell of the TCP table, in the core: a connection is brought into each state by packets, then each kind of
 * segment comes from each side. What must happen stands here as docs/decisions.md, section 5.1, says it.
 */
import { describe, expect, test } from "vitest";
import { tcpOption } from "../support/frames.js";
import { CLIENT_ISN, Lab, OFFICE, type Result, SERVER_ISN, Talk, WINDOW } from "./lab.js";

const C = CLIENT_ISN + 1;
const S = SERVER_ISN + 1;

const STATES = [
  "syn_sent",
  "syn_recv",
  "established",
  "fin_wait",
  "close_wait",
  "last_ack",
  "time_wait",
  "syn_sent2",
] as const;
type State = (typeof STATES)[number];
type Side = "client" | "server";

/** Which of the FINs have been sent by each side. */
interface Sent {
  talk: Talk;
  client: number;
  server: number;
}

/** A connection in a state; `closer` has sent the first FIN of a closing one. */
function inState(state: State, closer: Side = "client"): Sent {
  const talk = new Talk();
  const sent = { talk, client: C, server: S };
  const done = () => {
    expect(talk.state()).toBe(state);
    return sent;
  };
  talk.c("S", { seq: CLIENT_ISN });
  if (state === "syn_sent") return done();
  if (state === "syn_sent2") {
    talk.s("S", { seq: SERVER_ISN });
    return done();
  }
  talk.s("SA", { seq: SERVER_ISN, ack: C });
  if (state === "syn_recv") return done();
  talk.c("A", { seq: C, ack: S });
  if (state === "established") return done();

  const fin = (side: Side) => {
    if (side === "client") talk.c("FA", { seq: sent.client++, ack: sent.server });
    else talk.s("FA", { seq: sent.server++, ack: sent.client });
  };
  const ack = (side: Side) => {
    if (side === "client") talk.c("A", { seq: sent.client, ack: sent.server });
    else talk.s("A", { seq: sent.server, ack: sent.client });
  };
  const other = closer === "client" ? "server" : "client";
  fin(closer);
  if (state === "fin_wait") return done();
  ack(other);
  if (state === "close_wait") return done();
  fin(other);
  if (state === "last_ack") return done();
  ack(closer);
  return done();
}

/** What follows: a state, `gone`: passed and the session is deleted, or the reason of the drop. */
type Expected = State | "gone" | "tcp_state" | "tcp_handshake";

/** Columns in the order of STATES. The side that sends has not sent a FIN unless the row is about a repeat. */
const TABLE: Record<Side, Record<string, Expected[]>> = {
  client: {
    SYN: ["syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "syn_sent", "syn_sent", "syn_sent2"],
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

describe.each(["client", "server"] as const)("segments of the %s", (side) => {
  describe.each(Object.entries(TABLE[side]))("%s", (kind, row) => {
    test.each(STATES.map((state, i) => [state, row[i]!] as const))("in %s: %s", (state, expected) => {
      const other = side === "client" ? "server" : "client";
      const sent = inState(state, kind === "FIN" ? other : "client");
      const result = sendKind(kind, side, sent, state);
      if (expected === "tcp_state" || expected === "tcp_handshake") {
        expect(result).toMatchObject({ verdict: "drop", reason: expected });
        expect(sent.talk.state()).toBe(state);
        return;
      }
      const reopened = side === "client" && kind === "SYN" && (state === "last_ack" || state === "time_wait");
      expect(result).toMatchObject({ verdict: "pass", reason: reopened ? "new_session" : "established" });
      expect(sent.talk.state()).toBe(expected === "gone" ? undefined : expected);
    });
  });
});

test("the table has a row of full length for each kind of segment", () => {
  for (const rows of Object.values(TABLE)) {
    expect(Object.keys(rows)).toEqual(["SYN", "SYN+ACK", "FIN", "ACK", "RST"]);
    for (const row of Object.values(rows)) expect(row).toHaveLength(STATES.length);
  }
});

describe("a FIN that is sent again", () => {
  test.each(["fin_wait", "close_wait"] as const)("leaves %s as it is", (state) => {
    const { talk } = inState(state);
    expect(talk.c("FA", { seq: C, ack: S }).reason).toBe("established");
    expect(talk.state()).toBe(state);
    expect(talk.s("A", { seq: S, ack: C + 1, payload: 100 }).reason).toBe("established");
  });
});

describe("handshake", () => {
  test.each([
    ["its sequence number only", CLIENT_ISN, "tcp_handshake"],
    ["the byte behind it", C, "established"],
    ["more than was sent", C + 1, "tcp_handshake"],
  ])("SYN+ACK that acknowledges %s", (_, ack, reason) => {
    const { talk } = inState("syn_sent");
    expect(talk.s("SA", { seq: SERVER_ISN, ack }).reason).toBe(reason);
    expect(talk.s("SA", { seq: SERVER_ISN, ack: C }).reason).toBe("established");
  });

  test.each([
    ["nothing of the data", C, "established"],
    ["all of the data", C + 20, "established"],
    ["one byte too many", C + 21, "tcp_handshake"],
  ])("SYN with data, SYN+ACK that acknowledges %s", (_, ack, reason) => {
    const talk = new Talk();
    expect(talk.c("S", { seq: CLIENT_ISN, payload: 20 }).reason).toBe("new_session");
    expect(talk.s("SA", { seq: SERVER_ISN, ack }).reason).toBe(reason);
  });

  test.each([
    ["RST without ACK", "R", C, "tcp_handshake"],
    ["RST+ACK of another SYN", "RA", C + 7, "tcp_handshake"],
    ["RST+ACK of the SYN", "RA", C, "established"],
  ])("refusal by %s", (_, flags, ack, reason) => {
    const { talk } = inState("syn_sent");
    expect(talk.s(flags, { seq: 0, ack }).reason).toBe(reason);
    expect(talk.state()).toBe(reason === "established" ? undefined : "syn_sent");
  });

  test.each([
    [CLIENT_ISN - 1, "tcp_rst_window"],
    [CLIENT_ISN, "established"],
    [C, "established"],
    [C + 1, "tcp_rst_window"],
  ])("RST of the client at %d", (seq, reason) => {
    const { talk } = inState("syn_sent");
    expect(talk.c("R", { seq }).reason).toBe(reason);
  });

  test("a SYN with another number takes the place of the first", () => {
    const { talk } = inState("syn_sent");
    expect(talk.c("S", { seq: 77_000 }).reason).toBe("established");
    expect(talk.s("SA", { seq: SERVER_ISN, ack: C }).reason).toBe("tcp_handshake");
    expect(talk.s("SA", { seq: SERVER_ISN, ack: 77_001 }).reason).toBe("established");
  });

  test("data in an answer that is no SYN+ACK", () => {
    const { talk } = inState("syn_sent");
    expect(talk.s("A", { seq: 99, ack: C, payload: 1 }).reason).toBe("tcp_handshake");
  });

  test("a SYN of simultaneous open must repeat its number", () => {
    const { talk } = inState("syn_sent2");
    expect(talk.s("S", { seq: SERVER_ISN + 1 }).reason).toBe("tcp_handshake");
    expect(talk.c("S", { seq: CLIENT_ISN + 1 }).reason).toBe("tcp_handshake");
  });

  test("simultaneous open, either side completes it", () => {
    const { talk } = inState("syn_sent2");
    expect(talk.c("SA", { seq: CLIENT_ISN, ack: S }).reason).toBe("established");
    expect(talk.s("SA", { seq: SERVER_ISN, ack: C }).reason).toBe("established");
    expect(talk.state()).toBe("syn_recv");
    expect(talk.s("A", { seq: S, ack: C }).reason).toBe("established");
    expect(talk.state()).toBe("established");
  });

  test.each([
    ["before its SYN", CLIENT_ISN, S, "tcp_handshake"],
    ["behind it", C, S, "established"],
    ["that acknowledges no SYN", C, SERVER_ISN, "tcp_handshake"],
    ["that acknowledges too much", C, S + 1, "tcp_handshake"],
  ])("third packet %s", (_, seq, ack, reason) => {
    const { talk } = inState("syn_recv");
    expect(talk.c("A", { seq, ack }).reason).toBe(reason);
  });
});

describe("a SYN in an open session", () => {
  test("passes and changes nothing", () => {
    const { talk } = inState("established");
    expect(talk.c("S", { seq: 900_000 }).reason).toBe("established");
    expect(talk.lab.firewall.counters().synIgnored).toBe(1);
    expect(talk.c("A", { seq: C, ack: S, payload: 10 }).reason).toBe("established");
    expect(talk.state()).toBe("established");
  });

  test("begins the session anew when the server takes it", () => {
    const { talk } = inState("established");
    talk.c("S", { seq: 900_000 });
    expect(talk.s("SA", { seq: 3_000_000, ack: 900_001 }).reason).toBe("established");
    expect(talk.state()).toBe("syn_recv");
    expect(talk.c("A", { seq: 900_001, ack: 3_000_001 }).reason).toBe("established");
    expect(talk.state()).toBe("established");
    expect(talk.c("A", { seq: C, ack: S }).reason).not.toBe("established");
  });

  test("a SYN+ACK for another SYN does not", () => {
    const { talk } = inState("established");
    talk.c("S", { seq: 900_000 });
    expect(talk.s("SA", { seq: 3_000_000, ack: 900_002 }).verdict).toBe("drop");
    expect(talk.state()).toBe("established");
  });

  test("a RST that refuses it ends the session", () => {
    const { talk } = inState("established");
    talk.c("S", { seq: 900_000 });
    expect(talk.s("RA", { seq: 0, ack: 900_001 }).reason).toBe("established");
    expect(talk.state()).toBeUndefined();
  });
});

describe("a SYN after the close", () => {
  test("opens a new session, counted", () => {
    const { talk } = inState("time_wait");
    expect(talk.c("S", { seq: 2_000_000 }).reason).toBe("new_session");
    expect(talk.lab.firewall.counters().sessions).toMatchObject({ reopened: 1, created: 2, current: 1 });
  });

  test("of the server is dropped", () => {
    const { talk } = inState("time_wait");
    expect(talk.s("S", { seq: 2_000_000 }).reason).toBe("tcp_state");
  });
});

/** Server at S with 100 bytes sent and acknowledged; its window allows up to S + 100 + WINDOW. */
function afterData(): Talk {
  const { talk } = inState("established");
  talk.s("A", { seq: S, ack: C, payload: 100 });
  talk.c("A", { seq: C, ack: S + 100 });
  return talk;
}

describe("windows", () => {
  const EDGE = S + 100 + WINDOW;

  test.each([
    ["at the right edge", EDGE, 0, "established"],
    ["more than offered, by a window", EDGE + 1, WINDOW - 1, "established"],
    ["more than offered, by one more", EDGE + 2, WINDOW - 1, "tcp_seq_high"],
    ["almost half the space away", EDGE + 0x7fffffff, 0, "tcp_seq_high"],
    ["half the space away", EDGE + 0x80000000, 0, "tcp_seq_old"],
    ["a window back", S + 100 - WINDOW, 0, "established"],
    ["one byte more", S + 100 - WINDOW - 1, 0, "tcp_seq_old"],
    ["a repeat", S, 100, "established"],
    ["keep-alive", S + 99, 0, "established"],
  ])("I and II: %s", (_, seq, payload, reason) => {
    expect(afterData().s("A", { seq: seq >>> 0, ack: C, payload }).reason).toBe(reason);
  });

  test.each([
    ["what was sent", S + 100, "established"],
    ["one more", S + 101, "tcp_ack_high"],
    ["66000 bytes back", S + 100 - 66_000, "established"],
    ["66001 bytes back", S + 100 - 66_001, "tcp_ack_old"],
    ["half the space back", S + 100 + 0x80000000, "tcp_ack_old"],
  ])("III and IV: acknowledges %s", (_, ack, reason) => {
    expect(afterData().c("A", { seq: C, ack: ack >>> 0 }).reason).toBe(reason);
  });

  test("what is dropped leaves no trace", () => {
    const talk = afterData();
    expect(talk.s("A", { seq: S + 5_000_000, ack: C, payload: 10 }).reason).toBe("tcp_seq_high");
    expect(talk.c("A", { seq: C, ack: S + 5_000_010 }).reason).toBe("tcp_ack_high");
    expect(talk.s("A", { seq: S + 100, ack: C, payload: 10 }).reason).toBe("established");
  });

  test("sequence numbers wrap", () => {
    const talk = new Talk();
    const last = 0xffffffff;
    talk.c("S", { seq: last });
    talk.s("SA", { seq: last - 9, ack: 0 });
    expect(talk.c("A", { seq: 0, ack: last - 8 }).reason).toBe("established");
    expect(talk.s("A", { seq: last - 8, ack: 0, payload: 50 }).reason).toBe("established");
    expect(talk.c("A", { seq: 0, ack: 41 }).reason).toBe("established");
    expect(talk.s("A", { seq: 41, ack: 0, payload: 1 }).reason).toBe("established");
    expect(talk.s("A", { seq: (41 + 3 * WINDOW) >>> 0, ack: 0, payload: 1 }).reason).toBe("tcp_seq_high");
  });

  test.each([
    ["both", 4, 4, "established"],
    ["the client alone", 4, undefined, "tcp_seq_high"],
    ["the server alone", undefined, 4, "tcp_seq_high"],
    ["both, above 14", 200, 15, "established"],
  ])("window scaling offered by %s", (_, client, server, reason) => {
    const option = (shift: number | undefined) => ({ options: shift === undefined ? [] : tcpOption.windowScale(shift) });
    const talk = new Talk().open(option(client), option(server));
    talk.c("A", { seq: C, ack: S });
    expect(talk.s("A", { seq: S + 5 * WINDOW, ack: C, payload: 10 }).reason).toBe(reason);
  });

  test.each([
    ["permitted", tcpOption.sackPermitted(), "tcp_ack_high"],
    ["not permitted", [], "established"],
  ])("a SACK block beyond what was sent, SACK %s", (_, options, reason) => {
    const talk = new Talk().open({}, { options });
    const sack = tcpOption.sack(S + 5000, S + 6000);
    expect(talk.c("A", { seq: C, ack: S, options: sack }).reason).toBe(reason);
  });

  test.each(["last_ack", "time_wait"] as const)("new data in %s", (state) => {
    const { talk, client, server } = inState(state);
    expect(talk.s("A", { seq: server, ack: client, payload: 1 }).reason).toBe("tcp_after_close");
    expect(talk.c("FA", { seq: client, ack: server }).reason).toBe("tcp_after_close");
    expect(talk.state()).toBe(state);
  });
});

describe("RST in an open session", () => {
  test.each([
    ["the next number", S + 100, "gone"],
    ["the last number", S + 99, "gone"],
    ["in the window", S + 101, "kept"],
    ["at the right edge", S + 100 + WINDOW, "kept"],
    ["behind the window", S + 101 + WINDOW, "tcp_rst_window"],
    ["before it", S + 98, "tcp_rst_window"],
    ["far away", S + 0x80000000, "tcp_rst_window"],
  ])("%s", (_, seq, expected) => {
    const talk = afterData();
    const { reason } = talk.s("R", { seq: seq >>> 0 });
    expect(reason).toBe(expected === "tcp_rst_window" ? expected : "established");
    expect(talk.state()).toBe(expected === "gone" ? undefined : "established");
  });

  test("that acknowledges what was never sent", () => {
    const talk = afterData();
    expect(talk.s("RA", { seq: S + 100, ack: C + 1 }).reason).toBe("tcp_ack_high");
    expect(talk.s("RA", { seq: S + 100, ack: 0 }).reason).toBe("established");
  });

  test("in the window: the session has five minutes, unless it speaks", () => {
    const idle = (talk: Talk) => [...talk.lab.firewall.sessions()].map(({ timeoutMs }) => timeoutMs);
    const talk = afterData();
    expect(idle(talk)).toEqual([600_000]);
    talk.s("R", { seq: S + 101 });
    expect(idle(talk)).toEqual([300_000]);
    talk.c("A", { seq: C, ack: S + 100 });
    expect(idle(talk)).toEqual([600_000]);
  });
});

describe("timers", () => {
  test.each([
    ["syn_sent", 20_000],
    ["syn_sent2", 20_000],
    ["syn_recv", 20_000],
    ["established", 600_000],
    ["fin_wait", 600_000],
    ["close_wait", 600_000],
    ["last_ack", 5000],
    ["time_wait", 5000],
  ] as const)("%s ends after %d ms", (state, timeoutMs) => {
    const { talk } = inState(state);
    expect([...talk.lab.firewall.sessions()]).toMatchObject([{ timeoutMs }]);
    talk.lab.wait(timeoutMs - 1);
    expect(talk.state()).toBe(state);
    talk.lab.wait(1);
    expect(talk.state()).toBeUndefined();
  });

  test("a session that is over is none, though nobody has swept it", () => {
    const lab = new Lab({ config: OFFICE });
    const talk = new Talk(lab);
    talk.open();
    lab.nowMs += 600_000;
    expect(talk.c("A", { seq: C, ack: S }).reason).toBe("tcp_no_session");
  });
});
