/** TCP connections in each of their states, reached by packets. */
import { expect } from "vitest";
import { CLIENT_ISN, SERVER_ISN, type SubjectName, Talk } from "./lab.js";

/** First sequence numbers behind the SYNs. */
export const C = CLIENT_ISN + 1;
export const S = SERVER_ISN + 1;

export const STATES = [
  "syn_sent",
  "syn_recv",
  "established",
  "fin_wait",
  "close_wait",
  "last_ack",
  "time_wait",
  "syn_sent2",
] as const;
export type State = (typeof STATES)[number];
export type Side = "client" | "server";

/** Which of the FINs have been sent by each side. */
export interface Sent {
  talk: Talk;
  client: number;
  server: number;
}

/** A connection in a state; `closer` has sent the first FIN of a closing one. */
export function inState(name: SubjectName, state: State, closer: Side = "client"): Sent {
  const talk = new Talk(name);
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
