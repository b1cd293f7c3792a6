/**
 * TCP after a take-over: what the standby knows of the windows is old. Sessions go on whatever has moved meanwhile;
 * forged segments neither end nor block them; and when both ends have spoken, the rules hold again.
 */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { Random } from "../model/random.js";
import { tcpOption } from "../support/frames.js";
import { config, Pair } from "./pair.js";
import { isResuming, pass, type Scene, takenOver, WIDE } from "./taken-over.js";
import { bringTo, C, ENDS6, PORTS_BY_SIDE, S, Talk, WINDOW } from "./talk.js";

/** An exchange in which each end acknowledges all of the other: `c` and `s` are what they send next. */
function talkOn(talk: Talk, c: number, s: number, rounds = 2): { c: number; s: number } {
  for (let i = 0; i < rounds; i++) {
    expect(talk.c("A", { seq: c, ack: s, payload: 10 })).toMatchObject(pass);
    c += 10;
    expect(talk.s("A", { seq: s, ack: c, payload: 20 })).toMatchObject(pass);
    s += 20;
  }
  return { c, s };
}

/** The same, and at its end nobody has anything to say. */
function speak(talk: Talk, c: number, s: number, rounds = 2): { c: number; s: number } {
  const next = talkOn(talk, c, s, rounds);
  for (let i = 0; i < 2; i++) {
    expect(talk.c("A", { seq: next.c, ack: next.s })).toMatchObject(pass);
    expect(talk.s("A", { seq: next.s, ack: next.c })).toMatchObject(pass);
  }
  return next;
}

/** The session is an ordinary one: what is far outside is dropped, from both ends, and it goes on. */
function expectOrdinary(talk: Talk, c: number, s: number): void {
  expect(isResuming(talk.box)).toBe(false);
  const far = 20 * WINDOW;
  expect(talk.s("A", { seq: s + far, ack: c, payload: 1 }).reason).toBe("tcp_seq_high");
  expect(talk.c("A", { seq: c + far, ack: s, payload: 1 }).reason).toBe("tcp_seq_high");
  expect(talk.s("A", { seq: s - far, ack: c, payload: 1 }).reason).toBe("tcp_seq_old");
  expect(talk.s("A", { seq: s, ack: c + 1 }).reason).toBe("tcp_ack_high");
  expect(talk.c("A", { seq: c, ack: s + 1 }).reason).toBe("tcp_ack_high");
  expect(talk.c("A", { seq: c, ack: s - 70_000 }).reason).toBe("tcp_ack_old");
  expect(talk.s("R", { seq: s + far }).reason).toBe("tcp_rst_window");
  speak(talk, c, s);
}

describe("numbers that have moved on", () => {
  const DISTANCES = [
    0,
    1,
    5000,
    2 ** 28,
    1.25e9,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 31 + 1,
    3.75e9,
    2 ** 32 - 1,
    2 ** 32 + 5,
  ];

  describe.each(["client", "server"] as const)("the %s speaks first", (first) => {
    test.each(DISTANCES)("of the server, by %d bytes", (moved) => {
      const { talk } = takenOver();
      let [c, s] = [C, S + moved];
      if (first === "client") expect(talk.c("A", { seq: c, ack: s })).toMatchObject(pass);
      else expect(talk.s("A", { seq: s, ack: c })).toMatchObject(pass);
      ({ c, s } = speak(talk, c, s));
      expectOrdinary(talk, c, s);
    });

    test.each(DISTANCES)("of both, by %d bytes", (moved) => {
      const { talk } = takenOver();
      let [c, s] = [C + moved, S + ((moved * 3) % 2 ** 32)];
      if (first === "client") expect(talk.c("A", { seq: c, ack: s })).toMatchObject(pass);
      else expect(talk.s("A", { seq: s, ack: c })).toMatchObject(pass);
      ({ c, s } = speak(talk, c, s));
      expectOrdinary(talk, c, s);
    });
  });

  test("by 3.75e9 bytes through the active, in the largest windows, untold", () => {
    let s = S;
    const scene = takenOver(
      (talk) => {
        // Each segment stands at the right edge of a window of 1 GiB, and is acknowledged.
        for (const step of [1e9, 1e9, 1e9, 0.75e9]) {
          expect(talk.c("A", { seq: C, ack: s, window: 65535 })).toMatchObject(pass);
          s = (s + step) % 2 ** 32;
          expect(talk.s("A", { seq: s - 1000, ack: C, payload: 1000, window: 65535 })).toMatchObject(pass);
        }
        expect(talk.c("A", { seq: C, ack: s, window: 65535 })).toMatchObject(pass);
      },
      { client: { options: WIDE }, server: { options: WIDE } },
    );
    const told = scene.heir.core.view.getUint32(
      scene.heir.hotAt(scene.heir.session().id) + L.HOT_WINDOW1 + L.W_END,
      true,
    );
    expect(told).toBe(S);
    speak(scene.talk, C, s);
    expect(isResuming(scene.heir)).toBe(false);
  });

  test.each([0xfffffff0, 0xffffffff, 0, 1, 0x7fffffff, 0x80000000])(
    "across the end of the space: the server is at %d",
    (at) => {
      const { talk } = takenOver((each) => each.s("A", { seq: S, ack: C, payload: 100 }));
      const { c, s } = speak(talk, C, at, 4);
      expectOrdinary(talk, c, s);
    },
  );

  test.each(PORTS_BY_SIDE)("of an initiator with port %d, in IPv6", (clientPort) => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active, { ...ENDS6, clientPort }).open();
    pair.drain();
    talk.box = pair.promote();
    const { c, s } = speak(talk, C + 3e9, S + 1e9);
    expectOrdinary(talk, c, s);
  });
});

describe("silence", () => {
  test("both idle: the session is taken up until its timeout", () => {
    const { pair, heir, talk } = takenOver();
    pair.wait(699_999);
    expect(isResuming(heir)).toBe(true);
    const { c, s } = speak(talk, C + 1e9, S + 2e9);
    expectOrdinary(talk, c, s);
  });

  test("and not after", () => {
    const { pair, heir, talk } = takenOver();
    pair.wait(700_000);
    expect(talk.c("A", { seq: C, ack: S }).reason).toBe("tcp_no_session");
    expect(heir.size).toBe(0);
  });

  test("one end alone: it is not proved, and it passes", () => {
    const { heir, talk } = takenOver();
    for (let i = 0; i < 50; i++) {
      expect(talk.s("A", { seq: S + 1e9 + 1460 * i, ack: C, payload: 1460 })).toMatchObject(pass);
    }
    expect(isResuming(heir)).toBe(true);
  });
});

describe("data one way", () => {
  test("more than the window that was told, before the first acknowledgement", () => {
    const { talk } = takenOver();
    let s = S + 3e9;
    for (let i = 0; i < 100; i++, s += 1460) {
      expect(talk.s("A", { seq: s, ack: C, payload: 1460 })).toMatchObject(pass);
    }
    expect(talk.c("A", { seq: C, ack: s - 100 * 1460, window: 60_000 })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: s, window: 60_000 })).toMatchObject(pass);
    for (let i = 0; i < 10; i++, s += 1460) {
      expect(talk.s("A", { seq: s, ack: C, payload: 1460 })).toMatchObject(pass);
    }
    expect(talk.c("A", { seq: C, ack: s, window: 60_000 })).toMatchObject(pass);
    // The window that the client has shown since counts, and no more.
    expect(talk.s("A", { seq: s + 400_000, ack: C, payload: 1 }).reason).toBe("tcp_seq_high");
    // What the server sent before cannot lie beyond the first window that the client has shown.
    expect(isResuming(talk.box)).toBe(true);
    for (; isResuming(talk.box); s += 1460) {
      expect(talk.s("A", { seq: s, ack: C, payload: 1460 })).toMatchObject(pass);
      expect(talk.c("A", { seq: C, ack: s + 1460, window: 60_000 })).toMatchObject(pass);
    }
    expect(s - (S + 3e9 + 110 * 1460)).toBeLessThanOrEqual(60_000);
    expectOrdinary(talk, C, s);
  });

  test("a window that has grown is known from its first acknowledgement", () => {
    const { talk } = takenOver(undefined, { client: { options: WIDE }, server: { options: WIDE } });
    expect(talk.s("A", { seq: S + 1e9, ack: C, payload: 100 })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: S + 1e9 + 100, window: 30_000 })).toMatchObject(pass);
    const counter = () => talk.box.sync.counters().resynced;
    const started = counter();
    const edge = S + 1e9 + 100 + 30_000 * 2 ** 14;
    expect(talk.s("A", { seq: edge, ack: C, payload: 100 })).toMatchObject(pass);
    expect(counter(), "it fits: nothing starts anew").toBe(started);
  });

  test("an old repeat first, and then what is new", () => {
    const { talk } = takenOver();
    const s = S + 2e9;
    expect(talk.s("A", { seq: s - 50_000, ack: C, payload: 1460 })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: s })).toMatchObject(pass);
    expect(talk.s("A", { seq: s, ack: C, payload: 1460 })).toMatchObject(pass);
    const { c, s: next } = speak(talk, C, s + 1460);
    expectOrdinary(talk, c, next);
  });
});

describe("what was sent before and is not seen again", () => {
  /** Both directions are proved; the client lacks 1000 bytes at `hole`, and has the 5000 behind them. */
  function withHole(): { talk: Talk; hole: number } {
    const { talk } = takenOver();
    const hole = S + 1e9;
    expect(talk.c("A", { seq: C, ack: hole })).toMatchObject(pass);
    for (let i = 0; i < 3; i++) {
      expect(talk.s("A", { seq: hole - 1000, ack: C, payload: 1000 })).toMatchObject(pass);
      expect(talk.c("A", { seq: C, ack: hole })).toMatchObject(pass);
    }
    expect(talk.s("A", { seq: hole + 6000, ack: C + 1 }).reason, "the rules hold").toBe("tcp_ack_high");
    return { talk, hole };
  }

  test("can be acknowledged as soon as the hole before it is filled", () => {
    const { talk, hole } = withHole();
    expect(talk.s("A", { seq: hole, ack: C, payload: 1000 })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: hole + 6000 })).toMatchObject(pass);
    expect(talk.s("A", { seq: hole + 6000, ack: C, payload: 1000 })).toMatchObject(pass);
    const { c, s } = speak(talk, C, hole + 7000);
    expectOrdinary(talk, c, s);
  });

  test("but not beyond what the client had allowed", () => {
    const { talk, hole } = withHole();
    expect(talk.c("A", { seq: C, ack: hole + WINDOW })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: hole + WINDOW + 1 }).reason).toBe("tcp_ack_high");
  });

  test("nor when the server has told where it stands", () => {
    const { talk, hole } = withHole();
    expect(talk.s("A", { seq: hole + 3000, ack: C })).toMatchObject(pass);
    expect(isResuming(talk.box)).toBe(false);
    expect(talk.c("A", { seq: C, ack: hole + 3001 }).reason).toBe("tcp_ack_high");
    expect(talk.c("A", { seq: C, ack: hole + 3000 })).toMatchObject(pass);
  });

  test.each([
    ["a keep-alive", { seq: -1 }],
    ["data", { seq: 0, payload: 10 }],
  ])("%s does not tell it", (_, { seq, ...fields }) => {
    const { talk, hole } = withHole();
    expect(talk.s("A", { seq: hole + seq, ack: C, ...fields })).toMatchObject(pass);
    expect(isResuming(talk.box)).toBe(true);
    expect(talk.c("A", { seq: C, ack: hole + 6000 })).toMatchObject(pass);
  });

  test("a FIN does not tell it either", () => {
    const { talk, hole } = withHole();
    expect(talk.s("FA", { seq: hole, ack: C })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: hole + 1 })).toMatchObject(pass);
    expect(isResuming(talk.box)).toBe(true);
  });

  test("the answer to a keep-alive is not lost", () => {
    for (const first of ["server", "client"]) {
      const { talk } = takenOver();
      if (first === "client") expect(talk.c("A", { seq: C - 1, ack: S })).toMatchObject(pass);
      for (let i = 0; i < 5; i++) {
        expect(talk.s("A", { seq: S - 1, ack: C })).toMatchObject(pass);
        expect(talk.c("A", { seq: C, ack: S })).toMatchObject(pass);
        expect(talk.c("A", { seq: C - 1, ack: S })).toMatchObject(pass);
        expect(talk.s("A", { seq: S, ack: C })).toMatchObject(pass);
      }
      const { c, s } = speak(talk, C, S);
      expectOrdinary(talk, c, s);
    }
  });
});

describe("windows", () => {
  test("zero, probed and opened again", () => {
    const { talk } = takenOver();
    const s = S + 1e9;
    expect(talk.c("A", { seq: C, ack: s, window: 0 })).toMatchObject(pass);
    for (let i = 0; i < 3; i++) {
      expect(talk.s("A", { seq: s, ack: C, payload: 1 })).toMatchObject(pass);
      expect(talk.c("A", { seq: C, ack: s, window: 0 })).toMatchObject(pass);
    }
    expect(isResuming(talk.box)).toBe(false);
    expect(talk.c("A", { seq: C, ack: s, window: WINDOW })).toMatchObject(pass);
    expect(talk.s("A", { seq: s, ack: C, payload: 1000 })).toMatchObject(pass);
    expectOrdinary(talk, C, s + 1000);
  });

  test.each([
    ["14", tcpOption.windowScale(14), 60_000, 2 ** 14],
    ["none", [], 60_000, 1],
  ])("the scale that was told counts: %s", (_, options, window, factor) => {
    const { talk } = takenOver(undefined, { client: { options }, server: { options } });
    const [c, s] = [C + 1e9, S + 2e9];
    for (let i = 0; i < 4; i++) {
      expect(talk.c("A", { seq: c, ack: s, window })).toMatchObject(pass);
      expect(talk.s("A", { seq: s, ack: c, window })).toMatchObject(pass);
    }
    expect(isResuming(talk.box)).toBe(false);
    expect(talk.s("A", { seq: s + window * factor, ack: c, window })).toMatchObject(pass);
    expect(talk.s("A", { seq: s + 3 * window * factor + 2, ack: c, payload: 1 }).verdict).toBe("drop");
  });

  test.each([true, false])("SACK blocks, permitted by the server: %s", (permitted) => {
    const options = permitted ? tcpOption.sackPermitted() : [];
    const { talk } = takenOver(undefined, { client: { options }, server: { options } });
    const s = S + 1e9;
    const holes = { seq: C, ack: s, options: tcpOption.sack(s + 2000, s + 4000) };
    // The client has a hole; the server fills it, then goes on.
    expect(talk.c("A", holes)).toMatchObject(pass);
    expect(talk.c("A", holes)).toMatchObject(pass);
    expect(talk.s("A", { seq: s, ack: C, payload: 1000 })).toMatchObject(pass);
    expect(talk.c("A", { ...holes, ack: s + 1000 })).toMatchObject(pass);
    expect(talk.s("A", { seq: s + 1000, ack: C, payload: 1000 })).toMatchObject(pass);
    expect(talk.c("A", { seq: C, ack: s + 4000 })).toMatchObject(pass);
    expect(talk.s("A", { seq: s + 4000, ack: C, payload: 1000 })).toMatchObject(pass);
    const { c, s: next } = speak(talk, C, s + 5000);
    expectOrdinary(talk, c, next);
  });

  test("SACK blocks of what a silent server has sent are no new start each time", () => {
    const options = tcpOption.sackPermitted();
    const { talk } = takenOver(undefined, { client: { options }, server: { options } });
    const sack = tcpOption.sack(S + 2000, S + 4000);
    for (let i = 0; i < 3; i++) expect(talk.c("A", { seq: C, ack: S, options: sack })).toMatchObject(pass);
    expect(talk.box.sync.counters().resynced).toBe(1);
  });
});

describe("RST", () => {
  /** How far each end has come since the take-over. */
  const SCENES: [string, (talk: Talk) => void][] = [
    ["nobody has spoken", () => {}],
    ["the server has spoken", (talk) => void talk.s("A", { seq: S + 1e9, ack: C, payload: 10 })],
    ["the client has spoken", (talk) => void talk.c("A", { seq: C, ack: S + 1e9 })],
    [
      "both have spoken",
      (talk) => {
        talk.c("A", { seq: C, ack: S + 1e9 });
        talk.s("A", { seq: S + 1e9, ack: C });
      },
    ],
  ];

  describe.each(SCENES)("%s", (_, prepare) => {
    test.each(["server", "client"] as const)(
      "of the %s, with random numbers, never ends the session",
      (from) => {
        const { heir, talk } = takenOver();
        prepare(talk);
        const { state, timeoutMs } = heir.session();
        const r = new Random(11);
        const own = new Set(from === "server" ? [S, S + 1e9, S + 1e9 + 10] : [C]);
        for (let i = 0; i < 2000; i++) {
          const seq = r.u32();
          if (own.has(seq)) continue;
          const answer = from === "server" ? talk.s("R", { seq }) : talk.c("R", { seq });
          expect(answer).toMatchObject({ verdict: "drop", reason: "tcp_rst_window" });
        }
        expect(heir.session()).toMatchObject({ state, timeoutMs });
        expect(heir.sync.counters().resyncResets).toBe(2000);
        speak(talk, C, S + 1e9 + 10);
      },
    );
  });

  test.each([
    ["the number that was told", "server", S],
    ["the number that was told", "client", C],
  ] as const)("of a silent end, with %s, ends it: the %s", (_, from, seq) => {
    const { heir, talk } = takenOver();
    const answer = from === "server" ? talk.s("R", { seq }) : talk.c("RA", { seq, ack: S });
    expect(answer).toMatchObject(pass);
    expect(heir.size).toBe(0);
    expect(heir.firewall.counters().sessions.closed).toBe(1);
  });

  test("with the number that the other end waits for, ends it", () => {
    const { heir, talk } = takenOver();
    talk.c("A", { seq: C, ack: S + 1e9 });
    expect(talk.s("R", { seq: S + 1e9 })).toMatchObject(pass);
    expect(heir.size).toBe(0);
  });

  test("with what the other end was told to wait for, when the sender has spoken", () => {
    const { heir, talk } = takenOver((each) => {
      each.s("A", { seq: S, ack: C, payload: 100 });
      each.c("A", { seq: C, ack: S + 100 });
    });
    talk.s("A", { seq: S + 100, ack: C, payload: 50 });
    expect(talk.s("R", { seq: S + 150 }).verdict).toBe("drop");
    // Told before the data that the active saw last.
    expect(talk.s("R", { seq: S })).toMatchObject(pass);
    expect(heir.size).toBe(0);
  });

  test("of an end that is proved is judged as ever", () => {
    const { heir, talk } = takenOver();
    const { s } = speak(talk, C, S);
    expect(talk.s("R", { seq: s + 5 })).toMatchObject(pass);
    expect(heir.session()).toMatchObject({ state: "established", timeoutMs: 300_000 });
    expect(talk.s("R", { seq: s })).toMatchObject(pass);
    expect(heir.size).toBe(0);
  });

  test("of an outsider who shows first the numbers that the RST will have, does not", () => {
    for (const copies of [1, 3, 10]) {
      const { heir, talk } = takenOver();
      const forged = { seq: 0x12345678, ack: 0x9abcdef0 };
      for (let i = 0; i < copies; i++) talk.s("A", { ...forged, payload: 10 });
      expect(talk.s("R", { seq: forged.seq + 10 }).verdict).toBe("drop");
      talk.c("A", { seq: C, ack: S });
      for (let i = 0; i < copies; i++) talk.s("A", { ...forged, payload: 10 });
      expect(talk.s("R", { seq: forged.seq + 10 }).verdict).toBe("drop");
      expect(talk.s("R", { seq: forged.seq }).verdict).toBe("drop");
      const { c, s } = speak(talk, C, S);
      expect(heir.session().state).toBe("established");
      expectOrdinary(talk, c, s);
    }
  });
});

describe("forged segments", () => {
  test.each([
    ["far ahead", 2 ** 30],
    ["far behind", -(2 ** 30)],
    ["opposite", 2 ** 31],
    ["a little ahead", 200_000],
    ["a little behind", -200_000],
  ])("%s, before the true ones and between them, block nothing", (_, distance) => {
    for (const ackDistance of [distance, -distance, 0]) {
      for (const victim of ["server", "client"] as const) {
        const { talk } = takenOver();
        const forge = () =>
          victim === "server"
            ? talk.s("A", { seq: S + distance, ack: C + ackDistance, payload: 10 })
            : talk.c("A", { seq: C + distance, ack: S + ackDistance, payload: 10 });
        forge();
        expect(talk.c("A", { seq: C, ack: S })).toMatchObject(pass);
        forge();
        forge();
        expect(talk.s("A", { seq: S, ack: C })).toMatchObject(pass);
        forge();
        const { c, s } = speak(talk, C, S, 3);
        expectOrdinary(talk, c, s);
      }
    }
  });

  test("leave no wide edge behind", () => {
    const { talk } = takenOver();
    // The client seems to allow the server half of the space.
    talk.c("A", { seq: C, ack: S + 2 ** 30, payload: 1 });
    const { c, s } = speak(talk, C, S, 3);
    expectOrdinary(talk, c, s);
  });

  test("whatever their numbers, random ones", () => {
    const r = new Random(21);
    for (let i = 0; i < 200; i++) {
      const { talk } = takenOver();
      let [c, s] = [r.u32(), r.u32()];
      for (let step = 0; step < 30; step++) {
        r.weighted<[number, () => void]>([
          [4, [0, () => talk.s("A", { seq: r.u32(), ack: r.chance(0.5) ? c : r.u32(), payload: r.int(50) })]],
          [1, [0, () => talk.s("FA", { seq: r.u32(), ack: r.u32() })]],
          [1, [0, () => talk.s("R", { seq: r.u32() })]],
          [6, [1, () => expect(talk.c("A", { seq: c, ack: s, payload: 10 })).toMatchObject(pass)]],
          [6, [2, () => expect(talk.s("A", { seq: s, ack: c, payload: 20 })).toMatchObject(pass)]],
        ] as unknown as [number, [number, () => void]][])[1]();
        if (talk.state !== "established" && talk.state !== "close_wait") throw new Error(`${talk.state}`);
        if (!isResuming(talk.box)) break;
      }
      ({ c, s } = speak(talk, c, s, 3));
      expect(isResuming(talk.box)).toBe(false);
    }
  });
});

describe("FIN", () => {
  test("as the first packet: passes, and closes when it is acknowledged", () => {
    const { heir, talk } = takenOver();
    const [c, s] = [C + 1e9, S + 2e9];
    expect(talk.c("FA", { seq: c, ack: s })).toMatchObject(pass);
    expect(heir.session()).toMatchObject({ state: "established", timeoutMs: 700_000 });
    expect(talk.s("A", { seq: s, ack: c + 1 })).toMatchObject(pass);
    expect(heir.session()).toMatchObject({ state: "close_wait", timeoutMs: 700_000 });
    expect(talk.s("FA", { seq: s, ack: c + 1 })).toMatchObject(pass);
    expect(heir.session().state).toBe("close_wait");
    expect(talk.c("A", { seq: c + 1, ack: s + 1 })).toMatchObject(pass);
    expect(heir.session()).toMatchObject({ state: "time_wait", timeoutMs: 5000 });
    expect(isResuming(heir)).toBe(false);
    expect(talk.s("A", { seq: s + 1, ack: c + 1, payload: 1 }).reason).toBe("tcp_after_close");
  });

  test("of both in one breath", () => {
    const { heir, talk } = takenOver();
    const [c, s] = [C + 1e9, S + 2e9];
    talk.s("FA", { seq: s, ack: c });
    expect(talk.c("FA", { seq: c, ack: s + 1 })).toMatchObject(pass);
    expect(heir.session().state).toBe("close_wait");
    expect(talk.s("A", { seq: s + 1, ack: c + 1 })).toMatchObject(pass);
    expect(heir.session().state).toBe("time_wait");
  });

  test("with data, acknowledged in part and then whole", () => {
    const { heir, talk } = takenOver();
    expect(talk.c("FA", { seq: C, ack: S, payload: 100 })).toMatchObject(pass);
    expect(talk.s("A", { seq: S, ack: C + 50 })).toMatchObject(pass);
    expect(heir.session().state).toBe("established");
    expect(talk.s("A", { seq: S, ack: C + 101 })).toMatchObject(pass);
    expect(heir.session().state).toBe("close_wait");
  });

  test("half closed: the other end goes on", () => {
    const { heir, talk } = takenOver();
    talk.c("FA", { seq: C, ack: S + 1e9 });
    talk.s("A", { seq: S + 1e9, ack: C + 1 });
    let s = S + 1e9;
    for (let i = 0; i < 10; i++, s += 1000) {
      expect(talk.s("A", { seq: s, ack: C + 1, payload: 1000 })).toMatchObject(pass);
      expect(talk.c("A", { seq: C + 1, ack: s + 1000 })).toMatchObject(pass);
    }
    expect(heir.session()).toMatchObject({ state: "close_wait", timeoutMs: 700_000 });
    expect(isResuming(heir)).toBe(false);
  });

  test("keeps the session from being ordinary until it is acknowledged", () => {
    const { heir, talk } = takenOver();
    const { c, s } = talkOn(talk, C, S, 1);
    expect(talk.c("FA", { seq: c, ack: s })).toMatchObject(pass);
    expect(talk.s("A", { seq: s, ack: c, payload: 5 })).toMatchObject(pass);
    expect(talk.c("A", { seq: c + 1, ack: s + 5 })).toMatchObject(pass);
    expect(isResuming(heir)).toBe(true);
    expect(talk.s("A", { seq: s + 5, ack: c + 1 })).toMatchObject(pass);
    expect(isResuming(heir)).toBe(false);
    expect(heir.session().state).toBe("close_wait");
  });

  test.each(["fin_wait", "close_wait"] as const)("sent again in %s is the same one", (state) => {
    const pair = Pair.connected();
    const talk = bringTo(new Talk(pair.active), state);
    pair.drain();
    const heir = pair.promote();
    talk.box = heir;
    expect(talk.c("FA", { seq: C, ack: S })).toMatchObject(pass);
    expect(talk.s("A", { seq: S, ack: C + 1, payload: 10 })).toMatchObject(pass);
    expect(talk.c("FA", { seq: C, ack: S + 10 })).toMatchObject(pass);
    expect(talk.s("A", { seq: S + 10, ack: C + 1, payload: 10 })).toMatchObject(pass);
    expect(["fin_wait", "close_wait"]).toContain(heir.session().state);
    expect(heir.session().timeoutMs).toBe(700_000);
    // That of the other end is the second.
    talk.s("FA", { seq: S + 20, ack: C + 1 });
    talk.c("A", { seq: C + 1, ack: S + 21 });
    expect(heir.session()).toMatchObject({ state: "time_wait", timeoutMs: 5000 });
  });

  test("forged, closes nothing: who goes on did not send it", () => {
    const { heir, talk } = takenOver();
    talk.s("FA", { seq: S + 1e9, ack: C });
    expect(talk.c("A", { seq: C, ack: S })).toMatchObject(pass);
    talk.s("FA", { seq: S - 1e6, ack: C });
    expect(talk.c("A", { seq: C, ack: S })).toMatchObject(pass);
    expect(heir.session().state).toBe("established");
    const { c, s } = speak(talk, C, S, 3);
    expect(heir.session().state).toBe("established");
    expectOrdinary(talk, c, s);
  });

  test("forged within the window, is forgotten when its end goes on", () => {
    const { heir, talk } = takenOver();
    const { c, s } = talkOn(talk, C, S, 1);
    expect(isResuming(heir)).toBe(true);
    talk.s("FA", { seq: s, ack: c });
    expect(talk.s("A", { seq: s, ack: c, payload: 100 })).toMatchObject(pass);
    expect(talk.c("A", { seq: c, ack: s + 100 })).toMatchObject(pass);
    expect(heir.session().state).toBe("established");
    const next = speak(talk, c, s + 100);
    expectOrdinary(talk, next.c, next.s);
  });
});

describe("states that do not move are told exactly", () => {
  test.each(["last_ack", "time_wait"] as const)("%s: the rules hold at once", (state) => {
    const pair = Pair.connected();
    const talk = bringTo(new Talk(pair.active), state);
    pair.drain();
    const heir = pair.promote();
    talk.box = heir;
    expect(isResuming(heir)).toBe(false);
    expect(talk.s("A", { seq: S + 1, ack: C + 1, payload: 1 }).reason).toBe("tcp_after_close");
    expect(talk.c("A", { seq: C + 1e9, ack: S + 1 }).reason).toBe("tcp_seq_high");
    expect(talk.c("A", { seq: C + 1, ack: S + 1 })).toMatchObject(pass);
    expect(heir.session().state).toBe("time_wait");
  });

  test("a closed session can be opened anew", () => {
    const pair = Pair.connected();
    const talk = bringTo(new Talk(pair.active), "time_wait");
    pair.drain();
    talk.box = pair.promote();
    expect(talk.c("S", { seq: 55_000 }).reason).toBe("new_session");
    expect(talk.s("SA", { seq: 66_000, ack: 55_001 })).toMatchObject(pass);
    expect(talk.c("A", { seq: 55_001, ack: 66_001 })).toMatchObject(pass);
    expect(talk.state).toBe("established");
  });
});

describe("a SYN over a session taken over", () => {
  test("passes, is remembered, and changes nothing by itself", () => {
    const { heir, talk } = takenOver();
    expect(talk.c("S", { seq: 900_000 })).toMatchObject(pass);
    expect(heir.firewall.counters().synIgnored).toBe(1);
    expect(heir.session().state).toBe("established");
    const { c, s } = speak(talk, C + 1e9, S + 1e9);
    expectOrdinary(talk, c, s);
  });

  test("replaces it when the server takes it, with windows of its own", () => {
    const { heir, talk } = takenOver();
    talk.c("S", { seq: 900_000, options: tcpOption.windowScale(2) });
    expect(talk.s("SA", { seq: 3_000_000, ack: 900_001 })).toMatchObject(pass);
    expect(heir.session()).toMatchObject({ state: "syn_recv", timeoutMs: 20_000 });
    expect(isResuming(heir)).toBe(false);
    expect(talk.c("A", { seq: 900_001, ack: 3_000_001 })).toMatchObject(pass);
    expect(heir.session()).toMatchObject({ state: "established", timeoutMs: 700_000 });
    expect(talk.s("A", { seq: S, ack: C }).verdict).toBe("drop");
    const { c, s } = speak(talk, 900_001, 3_000_001);
    expectOrdinary(talk, c, s);
  });

  test("is refused by a server that has forgotten the session: it ends", () => {
    const { heir, talk } = takenOver();
    talk.c("S", { seq: 900_000 });
    expect(talk.s("RA", { seq: 0, ack: 900_002 }).verdict).toBe("drop");
    expect(talk.s("RA", { seq: 0, ack: 900_001 })).toMatchObject(pass);
    expect(heir.size).toBe(0);
  });

  test("is challenged by a server that still has it: the RST of the client ends it", () => {
    const { heir, talk } = takenOver();
    talk.c("S", { seq: 900_000 });
    expect(talk.s("A", { seq: S + 5e8, ack: C + 7e8 })).toMatchObject(pass);
    expect(talk.c("R", { seq: C + 7e8 })).toMatchObject(pass);
    expect(heir.size).toBe(0);
  });

  test("of the server is none", () => {
    const { talk } = takenOver();
    expect(talk.s("S", { seq: 5 }).reason).toBe("tcp_state");
    expect(talk.s("SA", { seq: 5, ack: 900_001 }).verdict).toBe("drop");
    speak(talk, C, S);
  });
});

describe("strict", () => {
  const strict = (): Scene => takenOver(undefined, { config: config({ strict: true }) });
  const FAR = 2 ** 30;

  test.each([
    [FAR, 0, "established"],
    [-FAR, 0, "established"],
    [FAR + 1, 0, "tcp_seq_high"],
    [-FAR - 1, 0, "tcp_seq_high"],
    [2 ** 31, 0, "tcp_seq_high"],
    [0, FAR, "established"],
    [0, -FAR, "established"],
    [0, FAR + 1, "tcp_ack_high"],
    [0, -FAR - 1, "tcp_ack_high"],
    [FAR + 1, FAR + 1, "tcp_seq_high"],
  ])("a stale end moved by %d, its acknowledgement by %d: %s", (moved, acked, reason) => {
    const { heir, talk } = strict();
    const before = heir.records(heir.slots()[0]!.slot);
    expect(talk.s("A", { seq: S + moved, ack: C + acked }).reason).toBe(reason);
    if (reason !== "established") {
      expect(heir.records(heir.slots()[0]!.slot)).toBe(before);
      speak(talk, C, S);
    }
  });

  test("a session that has moved within bounds goes on and becomes ordinary", () => {
    const { talk } = strict();
    const { c, s } = speak(talk, C + 1e9, S + 1e9);
    expectOrdinary(talk, c, s);
  });

  test("what does not fit later is bounded too", () => {
    const { talk } = strict();
    expect(talk.s("A", { seq: S, ack: C, payload: 10 })).toMatchObject(pass);
    expect(talk.s("A", { seq: S + FAR + 11, ack: C }).reason).toBe("tcp_seq_high");
    expect(talk.s("A", { seq: S + 10, ack: C, payload: 10 })).toMatchObject(pass);
  });

  test("without it the same passes", () => {
    const { talk } = takenOver();
    expect(talk.s("A", { seq: S + FAR + 1, ack: C + FAR + 1 })).toMatchObject(pass);
  });
});

describe("what else a segment must be", () => {
  test("it has ACK; its checksum and flags are right; it comes by its interface", () => {
    const { talk } = takenOver();
    expect(talk.s("", { seq: S }).reason).toBe("tcp_flags");
    expect(talk.s("F", { seq: S }).reason).toBe("tcp_flags");
    const reverse = new Talk(talk.box, { inside: talk.ends.outside, outside: talk.ends.inside });
    expect(reverse.c("A", { seq: C, ack: S }).reason).toBe("wrong_interface");
    expect(isResuming(talk.box)).toBe(true);
    expect(talk.box.sync.counters().resynced).toBe(0);
  });

  test("what starts a direction is counted", () => {
    const { heir, talk } = takenOver();
    speak(talk, C + 1e9, S + 1e9);
    expect(heir.sync.counters()).toMatchObject({ resynced: 2, resyncResets: 0 });
  });
});
