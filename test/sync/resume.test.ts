/** The rules of TCP after a take-over, one by one: what each of them alone decides. */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { type Box, config, Pair } from "./pair.js";
import { isResuming, pass, takenOver, WIDE } from "./taken-over.js";
import { bringTo, C, S, Talk, WINDOW } from "./talk.js";

describe("strict", () => {
  test("says nothing about what fits: data behind the right edge of the largest window passes", () => {
    const { heir, talk } = takenOver(undefined, {
      config: config({ strict: true }),
      client: { options: WIDE },
      server: { options: WIDE },
    });
    expect(talk.s("A", { seq: S, ack: C })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: S, window: 65_535 })).toMatchObject(pass);
    const edge = S + 65_535 * 2 ** 14;
    const payload = 20_000;
    expect(edge + payload - S).toBeGreaterThan(L.SYNC_WINDOW_MAX);
    expect(talk.s("A", { seq: edge, ack: C, payload })).toMatchObject(pass);
    expect(heir.sync.counters().resynced).toBe(2);
  });
});

describe("RST", () => {
  test("of a silent end is no more believed because the other end has spoken twice", () => {
    const { heir, talk } = takenOver();
    for (let i = 0; i < 2; i++) expect(talk.c("A", { seq: C, ack: S + 1e9 })).toMatchObject(pass);
    // In the window that the client shows, which an ordinary session would let through.
    expect(talk.s("R", { seq: S + 1e9 + 5 })).toMatchObject({ verdict: "drop", reason: "tcp_rst_window" });
    expect(heir.sync.counters().resyncResets).toBe(1);
    expect(heir.session()).toMatchObject({ state: "established", timeoutMs: 700_000 });
  });

  test("of a silent end counts behind what it had sent, though nobody has acknowledged that", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    talk.s("A", { seq: S, ack: C, payload: 100 });
    pair.drain();
    talk.box = pair.promote();
    expect(talk.s("R", { seq: S + 50 }).reason).toBe("tcp_rst_window");
    expect(talk.s("R", { seq: S + 100 })).toMatchObject(pass);
    expect(talk.box.size).toBe(0);
  });
});

describe("FIN", () => {
  test("a second one of an end whose FIN was told closes nothing, wherever it stands", () => {
    const pair = Pair.connected();
    const talk = bringTo(new Talk(pair.active), "fin_wait");
    pair.drain();
    talk.box = pair.promote();
    expect(talk.c("FA", { seq: C + 1e9, ack: S })).toMatchObject(pass);
    expect(talk.s("A", { seq: S, ack: C + 1e9 + 1 })).toMatchObject(pass);
    expect(talk.state).toBe("fin_wait");
  });
});

describe("when both ends are proved", () => {
  /** Neither is known: data alone does not tell where its sender stands. `edge` is the last that the server may send. */
  function proved(): { heir: Box; talk: Talk; edge: number } {
    const scene = takenOver();
    const { talk, heir } = scene;
    for (let i = 0; i < 2; i++) {
      expect(talk.c("A", { seq: C + 10 * i, ack: S + 20 * i, payload: 10 })).toMatchObject(pass);
      expect(talk.s("A", { seq: S + 20 * i, ack: C + 10 * i + 10, payload: 20 })).toMatchObject(pass);
    }
    expect(isResuming(heir)).toBe(true);
    return { ...scene, edge: S + 20 + WINDOW };
  }

  /** What becomes of a segment that ends `distance` behind the edge. */
  const reach = (talk: Talk, edge: number, distance: number, payload = 10) =>
    talk.s("A", { seq: edge + distance - payload, ack: C + 20, payload });

  test("a window may have been opened unseen, as ever, and by no more than there was", () => {
    const { heir, talk, edge } = proved();
    const { resynced } = heir.sync.counters();
    expect(reach(talk, edge, WINDOW + 1).reason).toBe("tcp_seq_high");
    expect(reach(talk, edge, 11)).toMatchObject(pass);
    // What was let through for that does not widen it.
    expect(reach(talk, edge, WINDOW + 1).reason).toBe("tcp_seq_high");
    expect(reach(talk, edge, WINDOW)).toMatchObject(pass);
    expect(heir.sync.counters().resynced, "nothing starts anew").toBe(resynced);
  });

  test("a segment across the edge widens it, as ever", () => {
    const { talk, edge } = proved();
    expect(reach(talk, edge, 5)).toMatchObject(pass);
    expect(reach(talk, edge, WINDOW + 6).reason).toBe("tcp_seq_high");
    expect(reach(talk, edge, WINDOW + 5)).toMatchObject(pass);
  });

  test("what was acknowledged unseen counts as sent: older than a window before it is too old", () => {
    const { talk, edge } = proved();
    const far = edge - 1000;
    expect(talk.s("A", { seq: far - WINDOW - 10, ack: C + 20, payload: 10 })).toMatchObject(pass);
    expect(talk.c("A", { seq: C + 20, ack: far, payload: 1 })).toMatchObject(pass);
    expect(talk.s("A", { seq: far - WINDOW - 11, ack: C + 21, payload: 10 }).reason).toBe("tcp_seq_old");
    expect(talk.s("A", { seq: far - WINDOW - 10, ack: C + 21, payload: 10 })).toMatchObject(pass);
  });
});

describe("while nobody is proved", () => {
  test("a repeat does not take back what has been sent", () => {
    const { heir, talk } = takenOver();
    expect(talk.c("A", { seq: C, ack: S })).toMatchObject(pass);
    expect(talk.s("A", { seq: S, ack: C, payload: 1000 })).toMatchObject(pass);
    expect(talk.s("A", { seq: S, ack: C, payload: 100 })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: S + 1000 })).toMatchObject(pass);
    expect(heir.sync.counters().resynced, "the client's second segment fits").toBe(2);
  });

  test("the window that an end shows with its first segment counts", () => {
    const { heir, talk } = takenOver();
    expect(talk.c("A", { seq: C, ack: S, window: 60_000 })).toMatchObject(pass);
    expect(talk.s("A", { seq: S + 50_000, ack: C, payload: 100 })).toMatchObject(pass);
    expect(talk.s("A", { seq: S, ack: C, payload: 100 })).toMatchObject(pass);
    expect(heir.sync.counters().resynced, "the repeat is not too old").toBe(2);
  });

  test("what an end acknowledges with its first segment is what it waits for", () => {
    const { heir, talk } = takenOver();
    expect(talk.s("A", { seq: S + 1e9, ack: C, payload: 100 })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: S + 1e9 + 50 })).toMatchObject(pass);
    expect(talk.s("R", { seq: S }).reason).toBe("tcp_rst_window");
    expect(talk.s("R", { seq: S + 1e9 + 50 })).toMatchObject(pass);
    expect(heir.size).toBe(0);
  });

  test("and an end that had acknowledged nothing waits for something from then on", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active);
    talk.c("S", { seq: C - 1 });
    talk.s("SA", { seq: S - 1, ack: C });
    // The server closes before the client has answered.
    expect(talk.s("FA", { seq: S, ack: C })).toMatchObject(pass);
    expect(talk.state).toBe("fin_wait");
    pair.drain();
    talk.box = pair.promote();
    // Not even for 0.
    expect(talk.s("R", { seq: 0 }).reason).toBe("tcp_rst_window");
    talk.s("A", { seq: S + 1e9, ack: C, payload: 100 });
    talk.c("A", { seq: C, ack: S + 1e9 + 50 });
    expect(talk.s("R", { seq: S + 1e9 + 50 })).toMatchObject(pass);
    expect(talk.box.size).toBe(0);
  });

  test("what is acknowledged was sent, by an end that has spoken, too", () => {
    const { heir, talk } = takenOver();
    expect(talk.s("A", { seq: S, ack: C, payload: 100 })).toMatchObject(pass);
    for (let i = 0; i < 2; i++) expect(talk.c("A", { seq: C, ack: S + 5000 })).toMatchObject(pass);
    expect(heir.sync.counters().resynced, "the second one fits").toBe(2);
  });

  test.each([1e9, 3e9])("of a silent end only what is acknowledged is known, %d bytes away", (moved) => {
    const { heir, talk } = takenOver();
    for (let i = 0; i < 2; i++) expect(talk.c("A", { seq: C, ack: S + moved })).toMatchObject(pass);
    expect(heir.sync.counters().resynced, "the second one fits").toBe(1);
  });
});
