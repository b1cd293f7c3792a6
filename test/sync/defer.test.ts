/**
 * `ip inspect redundancy defer`: the first reply of a session may leave when the standby has acknowledged the session,
 * and no session is lost, however young.
 */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { type Answer, config, INSIDE, OUTSIDE, Pair, PRIVATE } from "./pair.js";
import { bringTo, C, ENDS6, EXCHANGES, S, Talk, type TcpState } from "./talk.js";
import { actionsOf, split } from "./wire.js";

const deferring = (): Pair => Pair.connected({ config: config({ defer: true }) });

/** The ways of a request and its first reply. */
const FIRST_REPLIES: [string, (pair: Pair) => { ask: () => Answer; reply: () => Answer }][] = [
  ...(
    [
      ["TCP", {}],
      ["TCP over IPv6", ENDS6],
    ] as const
  ).map(([name, ends]): (typeof FIRST_REPLIES)[number] => [
    name,
    (pair) => {
      const talk = new Talk(pair.active, ends);
      return {
        ask: () => talk.c("S", { seq: C - 1 }),
        reply: () => talk.s("SA", { seq: S - 1, ack: C }),
      };
    },
  ]),
  [
    "simultaneous open",
    (pair) => {
      const talk = new Talk(pair.active);
      return { ask: () => talk.c("S", { seq: C - 1 }), reply: () => talk.s("S", { seq: S - 1 }) };
    },
  ],
  ...EXCHANGES.map((exchange): (typeof FIRST_REPLIES)[number] => [
    exchange.name,
    (pair) => ({ ask: () => exchange.ask(pair.active), reply: () => exchange.answer(pair.active) }),
  ]),
];

describe.each(FIRST_REPLIES)("%s", (_, make) => {
  test("the first reply waits while the session is not written", () => {
    const pair = deferring();
    const { ask, reply } = make(pair);
    expect(ask()).toMatchObject({ verdict: "pass", isDeferred: false });
    expect(reply()).toMatchObject({ verdict: "pass", isDeferred: true });
    expect(pair.active.sync.counters().deferred).toBe(1);
  });

  test("and while it is not acknowledged", () => {
    const pair = deferring();
    const { ask, reply } = make(pair);
    ask();
    expect(actionsOf(pair.active.sync.write().slice())).toEqual(["add"]);
    expect(reply()).toMatchObject({ verdict: "pass", isDeferred: true });
    expect(pair.active.sync.counters().deferred).toBe(1);
  });

  test("but not after", () => {
    const pair = deferring();
    const { ask, reply } = make(pair);
    ask();
    pair.drain();
    expect(reply()).toMatchObject({ verdict: "pass", isDeferred: false });
    expect(pair.active.sync.counters().deferred).toBe(0);
  });

  test("nor without a peer", () => {
    const pair = deferring();
    pair.disconnect();
    const { ask, reply } = make(pair);
    ask();
    expect(reply()).toMatchObject({ verdict: "pass", isDeferred: false });
  });

  test("nor when it was not asked for", () => {
    const pair = Pair.connected();
    const { ask, reply } = make(pair);
    ask();
    expect(reply()).toMatchObject({ verdict: "pass", isDeferred: false });
  });
});

describe("what else waits, and what does not", () => {
  test("a reply that is sent again waits for the record of what it follows", () => {
    const pair = deferring();
    const talk = new Talk(pair.active);
    talk.c("S", { seq: C - 1 });
    pair.drain();
    expect(talk.s("SA", { seq: S - 1, ack: C }).isDeferred).toBe(false);
    const records = pair.active.sync.write().slice();
    expect(actionsOf(records)).toEqual(["add"]);
    expect(talk.s("SA", { seq: S - 1, ack: C }).isDeferred).toBe(true);
    pair.deliver(records);
    expect(talk.s("SA", { seq: S - 1, ack: C }).isDeferred).toBe(false);
  });

  test("not what the initiator sends", () => {
    const pair = deferring();
    const talk = new Talk(pair.active);
    talk.c("S", { seq: C - 1 });
    expect(talk.c("S", { seq: C - 1 }).isDeferred).toBe(false);
    talk.s("SA", { seq: S - 1, ack: C });
    expect(talk.c("A", { seq: C, ack: S }).isDeferred).toBe(false);
    expect(talk.s("A", { seq: S, ack: C, payload: 5 }).isDeferred).toBe(false);
  });

  test("not a reply that is dropped", () => {
    const pair = deferring();
    const talk = new Talk(pair.active);
    talk.c("S", { seq: C - 1 });
    expect(talk.s("SA", { seq: S - 1, ack: C + 9 })).toMatchObject({ verdict: "drop", isDeferred: false });
    expect(pair.active.sync.counters().deferred).toBe(0);
  });

  test("not the refusal of a connection, which is over with it", () => {
    const pair = deferring();
    const talk = new Talk(pair.active);
    talk.c("S", { seq: C - 1 });
    expect(talk.s("RA", { seq: 0, ack: C })).toMatchObject({ verdict: "pass", isDeferred: false });
    expect(pair.drain()).toEqual([]);
  });

  test("not the reply of a session that no peer is told of", () => {
    const pair = deferring();
    const talk = new Talk(pair.active, { client: "10.9.0.10", inside: PRIVATE });
    talk.c("S", { seq: C - 1 });
    expect(talk.s("SA", { seq: S - 1, ack: C })).toMatchObject({ verdict: "pass", isDeferred: false });
  });

  test("a bulk sync makes the acknowledgements of before worthless", () => {
    const pair = deferring();
    const talk = new Talk(pair.active);
    talk.c("S", { seq: C - 1 });
    pair.drain();
    pair.active.sync.startBulk();
    expect(talk.s("SA", { seq: S - 1, ack: C }).isDeferred).toBe(true);
  });

  test("a SYN that waits beside the session is not mistaken for an acknowledgement", () => {
    const pair = deferring();
    const talk = bringTo(new Talk(pair.active), "syn_recv");
    // Another SYN of the client is remembered; a bulk sync then tells the session again.
    expect(talk.c("S", { seq: 77_000 }).verdict).toBe("pass");
    pair.active.sync.startBulk();
    pair.drain();
    expect(talk.s("SA", { seq: 900_000, ack: 77_001 }).verdict).toBe("pass");
    expect(talk.c("A", { seq: 77_001, ack: 900_001 }).verdict).toBe("pass");
    expect(talk.state).toBe("established");
    pair.drain();
    pair.expectEqual();
  });
});

describe("no session is lost, however young", () => {
  /** What the client and the server send next in each state of a handshake. */
  const NEXT: [TcpState, (talk: Talk) => Answer[]][] = [
    ["syn_sent", (talk) => [talk.s("SA", { seq: S - 1, ack: C }), talk.c("A", { seq: C, ack: S })]],
    ["syn_recv", (talk) => [talk.c("A", { seq: C, ack: S })]],
    [
      "syn_sent2",
      (talk) => [
        talk.s("SA", { seq: S - 1, ack: C }),
        talk.c("SA", { seq: C - 1, ack: S }),
        talk.c("A", { seq: C, ack: S }),
      ],
    ],
    ["established", (talk) => [talk.c("A", { seq: C, ack: S, payload: 1 })]],
  ];

  describe.each([
    ["low numbers", S],
    ["high numbers", 0xd0000000],
  ])("%s", (__, first) => {
    test.each(NEXT)("%s", (state, next) => {
      const pair = deferring();
      const shift = (talk: Talk): Talk => {
        const shifted = Object.create(talk) as Talk;
        // All numbers of the server are moved.
        shifted.s = (flags, fields = {}) => talk.s(flags, { ...fields, seq: fields.seq! + first - S });
        shifted.c = (flags, fields = {}) =>
          talk.c(flags, { ...fields, ...(fields.ack !== undefined && { ack: fields.ack + first - S }) });
        return shifted;
      };
      const talk = new Talk(pair.active);
      bringTo(shift(talk), state);
      pair.drain();
      talk.box = pair.promote();
      expect(next(shift(talk)).map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual(
        next(shift(new Talk(pair.standby))).map(() => "pass established"),
      );
      expect(talk.state).toBe("established");
    });
  });

  test("every change of a half-open session is told whole", () => {
    const pair = deferring();
    const talk = new Talk(pair.active);
    talk.c("S", { seq: C - 1 });
    pair.drain();
    talk.c("S", { seq: C + 999 });
    const [again] = split(pair.carry());
    expect(actionsOf(again!)).toEqual(["add"]);
    talk.s("SA", { seq: S - 1, ack: C + 1000 });
    expect(actionsOf(...pair.drain())).toEqual(["add"]);
    talk.box = pair.promote();
    expect(talk.c("A", { seq: C + 1000, ack: S })).toMatchObject({ reason: "established", egress: OUTSIDE });
    expect(talk.state).toBe("established");
  });

  test("datagrams too", () => {
    for (const exchange of EXCHANGES) {
      const pair = deferring();
      exchange.ask(pair.active);
      pair.drain();
      const heir = pair.promote();
      expect(exchange.answer(heir)).toMatchObject({ verdict: "pass", egress: INSIDE });
      expect(heir.core.state(L.S_HALF_OPEN)).toBe(0);
    }
  });
});
