/**
 * What section 5.1 of docs/decisions.md adds to the TCP table, in the core and in the model: repeats, the handshake,
 * SYNs in open sessions, windows to the last byte, RST, timers.
 */
import { describe, expect, test } from "vitest";
import { tcpOption } from "../support/frames.js";
import { CLIENT_ISN, SERVER_ISN, SUBJECTS, type SubjectName, Talk, WINDOW } from "./lab.js";
import { C, inState, S } from "./states.js";

/** Server at S with 100 bytes sent and acknowledged; its window allows up to S + 100 + WINDOW. */
function afterData(name: SubjectName): Talk {
  const { talk } = inState(name, "established");
  talk.s("A", { seq: S, ack: C, payload: 100 });
  talk.c("A", { seq: C, ack: S + 100 });
  return talk;
}

describe.each(SUBJECTS)("%s", (name) => {
  describe("a FIN that is sent again", () => {
    test.each(["fin_wait", "close_wait"] as const)("leaves %s as it is", (state) => {
      const { talk } = inState(name, state);
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
      const { talk } = inState(name, "syn_sent");
      expect(talk.s("SA", { seq: SERVER_ISN, ack }).reason).toBe(reason);
      expect(talk.s("SA", { seq: SERVER_ISN, ack: C }).reason).toBe("established");
    });

    test.each([
      ["nothing of the data", C, "established"],
      ["all of the data", C + 20, "established"],
      ["one byte too many", C + 21, "tcp_handshake"],
    ])("SYN with data, SYN+ACK that acknowledges %s", (_, ack, reason) => {
      const talk = new Talk(name);
      expect(talk.c("S", { seq: CLIENT_ISN, payload: 20 }).reason).toBe("new_session");
      expect(talk.s("SA", { seq: SERVER_ISN, ack }).reason).toBe(reason);
    });

    test.each([
      ["RST without ACK", "R", C, "tcp_handshake"],
      ["RST+ACK of another SYN", "RA", C + 7, "tcp_handshake"],
      ["RST+ACK of the SYN", "RA", C, "established"],
    ])("refusal by %s", (_, flags, ack, reason) => {
      const { talk } = inState(name, "syn_sent");
      expect(talk.s(flags, { seq: 0, ack }).reason).toBe(reason);
      expect(talk.state()).toBe(reason === "established" ? undefined : "syn_sent");
    });

    test.each([
      [CLIENT_ISN - 1, "tcp_rst_window"],
      [CLIENT_ISN, "established"],
      [C, "established"],
      [C + 1, "tcp_rst_window"],
    ])("RST of the client at %d", (seq, reason) => {
      const { talk } = inState(name, "syn_sent");
      expect(talk.c("R", { seq }).reason).toBe(reason);
    });

    test("a SYN with another number takes the place of the first", () => {
      const { talk } = inState(name, "syn_sent");
      expect(talk.c("S", { seq: 77_000 }).reason).toBe("established");
      expect(talk.s("SA", { seq: SERVER_ISN, ack: C }).reason).toBe("tcp_handshake");
      expect(talk.s("SA", { seq: SERVER_ISN, ack: 77_001 }).reason).toBe("established");
    });

    test("data in an answer that is no SYN+ACK", () => {
      const { talk } = inState(name, "syn_sent");
      expect(talk.s("A", { seq: 99, ack: C, payload: 1 }).reason).toBe("tcp_handshake");
    });

    test("a SYN of simultaneous open must repeat its number", () => {
      const { talk } = inState(name, "syn_sent2");
      expect(talk.s("S", { seq: SERVER_ISN + 1 }).reason).toBe("tcp_handshake");
      expect(talk.c("S", { seq: CLIENT_ISN + 1 }).reason).toBe("tcp_handshake");
    });

    test("simultaneous open, either side completes it", () => {
      const { talk } = inState(name, "syn_sent2");
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
      const { talk } = inState(name, "syn_recv");
      expect(talk.c("A", { seq, ack }).reason).toBe(reason);
    });
  });

  describe("a SYN in an open session", () => {
    test("passes and changes nothing", () => {
      const { talk } = inState(name, "established");
      expect(talk.c("S", { seq: 900_000 }).reason).toBe("established");
      expect(talk.lab.subject.counts().synIgnored).toBe(1);
      expect(talk.c("A", { seq: C, ack: S, payload: 10 }).reason).toBe("established");
      expect(talk.state()).toBe("established");
    });

    test("begins the session anew when the server takes it", () => {
      const { talk } = inState(name, "established");
      talk.c("S", { seq: 900_000 });
      expect(talk.s("SA", { seq: 3_000_000, ack: 900_001 }).reason).toBe("established");
      expect(talk.state()).toBe("syn_recv");
      expect(talk.c("A", { seq: 900_001, ack: 3_000_001 }).reason).toBe("established");
      expect(talk.state()).toBe("established");
      expect(talk.c("A", { seq: C, ack: S }).reason).not.toBe("established");
    });

    test("a SYN+ACK for another SYN does not", () => {
      const { talk } = inState(name, "established");
      talk.c("S", { seq: 900_000 });
      expect(talk.s("SA", { seq: 3_000_000, ack: 900_002 }).verdict).toBe("drop");
      expect(talk.state()).toBe("established");
    });

    test("a RST that refuses it ends the session", () => {
      const { talk } = inState(name, "established");
      talk.c("S", { seq: 900_000 });
      expect(talk.s("RA", { seq: 0, ack: 900_001 }).reason).toBe("established");
      expect(talk.state()).toBeUndefined();
    });
  });

  describe("a SYN after the close", () => {
    test("opens a new session, counted", () => {
      const { talk } = inState(name, "time_wait");
      expect(talk.c("S", { seq: 2_000_000 }).reason).toBe("new_session");
      expect(talk.lab.subject.counts()).toMatchObject({ reopened: 1, created: 2, current: 1 });
    });

    test("of the server is dropped", () => {
      const { talk } = inState(name, "time_wait");
      expect(talk.s("S", { seq: 2_000_000 }).reason).toBe("tcp_state");
    });
  });

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
      expect(afterData(name).s("A", { seq: seq >>> 0, ack: C, payload }).reason).toBe(reason);
    });

    test.each([
      ["what was sent", S + 100, "established"],
      ["one more", S + 101, "tcp_ack_high"],
      ["66000 bytes back", S + 100 - 66_000, "established"],
      ["66001 bytes back", S + 100 - 66_001, "tcp_ack_old"],
      ["half the space back", S + 100 + 0x80000000, "tcp_ack_old"],
    ])("III and IV: acknowledges %s", (_, ack, reason) => {
      expect(afterData(name).c("A", { seq: C, ack: ack >>> 0 }).reason).toBe(reason);
    });

    test("what is dropped leaves no trace", () => {
      const talk = afterData(name);
      expect(talk.s("A", { seq: S + 5_000_000, ack: C, payload: 10 }).reason).toBe("tcp_seq_high");
      expect(talk.c("A", { seq: C, ack: S + 5_000_010 }).reason).toBe("tcp_ack_high");
      expect(talk.s("A", { seq: S + 100, ack: C, payload: 10 }).reason).toBe("established");
    });

    test("sequence numbers wrap", () => {
      const talk = new Talk(name);
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
      const option = (shift: number | undefined) => ({
        options: shift === undefined ? [] : tcpOption.windowScale(shift),
      });
      const talk = new Talk(name).open(option(client), option(server));
      talk.c("A", { seq: C, ack: S });
      expect(talk.s("A", { seq: S + 5 * WINDOW, ack: C, payload: 10 }).reason).toBe(reason);
    });

    test.each([
      ["permitted", tcpOption.sackPermitted(), "tcp_ack_high"],
      ["not permitted", [], "established"],
    ])("a SACK block beyond what was sent, SACK %s", (_, options, reason) => {
      const talk = new Talk(name).open({}, { options });
      const sack = tcpOption.sack(S + 5000, S + 6000);
      expect(talk.c("A", { seq: C, ack: S, options: sack }).reason).toBe(reason);
    });

    test.each(["last_ack", "time_wait"] as const)("new data in %s", (state) => {
      const { talk, client, server } = inState(name, state);
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
      const talk = afterData(name);
      const { reason } = talk.s("R", { seq: seq >>> 0 });
      expect(reason).toBe(expected === "tcp_rst_window" ? expected : "established");
      expect(talk.state()).toBe(expected === "gone" ? undefined : "established");
    });

    test("that acknowledges what was never sent", () => {
      const talk = afterData(name);
      expect(talk.s("RA", { seq: S + 100, ack: C + 1 }).reason).toBe("tcp_ack_high");
      expect(talk.s("RA", { seq: S + 100, ack: 0 }).reason).toBe("established");
    });

    test("at the first acknowledgement after a simultaneous open", () => {
      const { talk } = inState(name, "syn_sent2");
      talk.c("SA", { seq: CLIENT_ISN, ack: S });
      talk.c("A", { seq: C, ack: S, payload: 500 });
      talk.s("A", { seq: S, ack: C + 200 });
      expect(talk.c("R", { seq: C + 200 }).reason).toBe("established");
      expect(talk.state()).toBeUndefined();
    });

    test("in the window: the session has five minutes, unless it speaks", () => {
      const talk = afterData(name);
      expect(talk.timeoutMs()).toBe(600_000);
      talk.s("R", { seq: S + 101 });
      expect(talk.timeoutMs()).toBe(300_000);
      talk.c("A", { seq: C, ack: S + 100 });
      expect(talk.timeoutMs()).toBe(600_000);
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
      const { talk } = inState(name, state);
      expect(talk.timeoutMs()).toBe(timeoutMs);
      talk.lab.wait(timeoutMs - 1);
      expect(talk.state()).toBe(state);
      talk.lab.wait(1);
      expect(talk.state()).toBeUndefined();
    });

    test("a session that is over is none, though nobody has swept it", () => {
      const talk = new Talk(name).open();
      talk.lab.nowMs += 600_000;
      expect(talk.c("A", { seq: C, ack: S }).reason).toBe("tcp_no_session");
    });
  });
});
