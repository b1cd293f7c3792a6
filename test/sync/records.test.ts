/**
 * A session and what the peer makes of its records: every kind in every state, both families, whoever began it. The two
 * boxes have other hash keys, so that sides and slots differ; in some tests other numbers for the same names.
 */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { tcpOption } from "../support/frames.js";
import { Box, config, INSIDE, OUTSIDE, Pair, PRIVATE } from "./pair.js";
import {
  bringTo,
  C,
  CLIENT,
  ENDS6,
  type Ends,
  EXCHANGES,
  PORTS_BY_SIDE,
  S,
  Talk,
  TCP_STATES,
  udpExchange,
} from "./talk.js";
import { actionsOf, changed, partsOf, split } from "./wire.js";

const deferring = (): Pair => Pair.connected({ config: config({ defer: true }) });

const FAMILIES: [string, Partial<Ends>][] = [
  ["IPv4", {}],
  ["IPv6", ENDS6],
];
const SIDES: [number, number][] = PORTS_BY_SIDE.map((port, side) => [side, port]);

describe("TCP", () => {
  describe.each(FAMILIES)("%s", (_, ends) => {
    describe.each(SIDES)("initiator on side %d", (side, clientPort) => {
      test.each(TCP_STATES)("%s", (state) => {
        const pair = deferring();
        const talk = bringTo(new Talk(pair.active, { ...ends, clientPort }), state);
        pair.wait(700);
        pair.drain();
        const session = pair.active.session();
        expect(session).toMatchObject({ state, idleMs: 700, inspection: ends === ENDS6 ? "SIX" : "FW" });
        if (ends !== ENDS6) {
          // The digest of an IPv6 address may order the ends otherwise on each box.
          const flags = pair.active.core.bytes[pair.active.hotAt(session.id) + L.HOT_FLAGS]!;
          expect(flags & L.HF_INITIATOR1).toBe(side);
        }
        pair.expectEqual();
        expect(talk.state).toBe(state);
      });
    });
  });

  test("told step by step or at once, it is the same session", () => {
    const steps = deferring();
    const once = deferring();
    for (const pair of [steps, once]) {
      const talk = new Talk(pair.active);
      for (const act of [
        () => talk.c("S", { seq: C - 1, options: tcpOption.windowScale(7) }),
        () => talk.s("SA", { seq: S - 1, ack: C, options: tcpOption.windowScale(3) }),
        () => talk.c("A", { seq: C, ack: S }),
        () => talk.c("A", { seq: C, ack: S, payload: 100 }),
        () => talk.s("A", { seq: S, ack: C + 100, payload: 1000 }),
        () => talk.s("FA", { seq: S + 1000, ack: C + 100 }),
      ]) {
        act();
        if (pair === steps) {
          pair.update();
          pair.expectEqual();
        }
      }
      pair.drain();
    }
    expect(steps.standby.session()).toEqual(once.standby.session());
    const raw = ({ standby }: Pair) => {
      const at = standby.hotAt(standby.session().id);
      return standby.core.bytes.slice(at + L.HOT_STATE, at + L.HOT_SIZE);
    };
    expect(raw(steps)).toEqual(raw(once));
  });

  test("windows, scales and SACK arrive on the side of their end", () => {
    const pair = Pair.connected();
    for (const [i, clientPort] of PORTS_BY_SIDE.entries()) {
      const talk = new Talk(pair.active, { clientPort });
      const options = [...tcpOption.windowScale(5 + i), ...tcpOption.sackPermitted()];
      talk.open({ options }, { options: tcpOption.windowScale(9) });
      talk.c("A", { seq: C, ack: S, payload: 300, window: 40 + i });
      talk.s("A", { seq: S, ack: C + 300, payload: 50, window: 60 });
    }
    pair.drain();
    for (const { id } of pair.active.sessions().values()) {
      const block = ({ core }: Box, at: number) => [
        core.bytes[at + L.HOT_SCALES],
        core.bytes[at + L.HOT_FLAGS]! & ~L.HF_RESYNC,
        ...core.bytes.slice(at + L.HOT_WINDOW0, at + L.HOT_BYTES0),
      ];
      expect(block(pair.standby, pair.standby.hotAt(id))).toEqual(block(pair.active, pair.active.hotAt(id)));
    }
  });

  test("a doubtful RST is told, and that the session has gone on since", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    pair.drain();
    pair.wait(1);
    expect(talk.s("R", { seq: S + 5 }).reason).toBe("established");
    pair.update();
    expect(pair.standby.session().timeoutMs).toBe(300_000);
    pair.expectEqual();
    pair.wait(1);
    talk.c("A", { seq: C, ack: S });
    pair.update();
    expect(pair.standby.session().timeoutMs).toBe(700_000);
    pair.expectEqual();
    talk.s("R", { seq: S + 5 });
    pair.wait(1);
    pair.active.sync.startBulk();
    pair.drain();
    talk.box = pair.promote();
    expect(talk.c("A", { seq: C, ack: S }).reason).toBe("established");
    expect(pair.active.session().timeoutMs).toBe(700_000);
  });

  test("a window that SACK has widened beyond any that can be advertised is told as the largest", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active);
    const options = [...tcpOption.windowScale(14), ...tcpOption.sackPermitted()];
    talk.open({ options }, { options });
    // Two in the largest window, of which the second alone arrives.
    talk.c("A", { seq: C, ack: S, window: 65535 });
    expect(talk.s("A", { seq: S + 1000, ack: C, payload: 1000, window: 65535 }).verdict).toBe("pass");
    const sack = tcpOption.sack(S + 1000, S + 2000);
    expect(talk.c("A", { seq: C, ack: S, window: 65535, options: sack }).verdict).toBe("pass");
    pair.drain();
    pair.expectEqual();
    const { id } = pair.active.session();
    const window = ({ core }: Box, at: number) => core.view.getUint32(at + L.HOT_WINDOW0 + L.W_MAXWIN, true);
    expect(window(pair.active, pair.active.hotAt(id))).toBe(65535 * 2 ** 14 + 2000);
    expect(window(pair.standby, pair.standby.hotAt(id))).toBe(65535 * 2 ** 14);
  });
});

describe("without a state table", () => {
  describe.each(EXCHANGES.map((each) => [each.name, each] as const))("%s", (_, exchange) => {
    test("asked", () => {
      const pair = deferring();
      expect(exchange.ask(pair.active).reason).toBe("new_session");
      pair.wait(300);
      pair.drain();
      expect(pair.standby.session()).toMatchObject({ state: "opening", halfOpen: true, idleMs: 300 });
      pair.expectEqual();
    });

    test("answered", () => {
      const pair = Pair.connected();
      exchange.ask(pair.active);
      pair.drain();
      expect(pair.standby.size).toBe(0);
      pair.wait(5);
      expect(exchange.answer(pair.active).reason).toBe("established");
      pair.drain();
      expect(pair.standby.session()).toMatchObject({ state: "open", halfOpen: false });
      expect(pair.standby.session().responder.bytes).toBeGreaterThan(0);
      pair.expectEqual();
    });

    test("goes on at the standby, in both directions", () => {
      const pair = Pair.connected();
      exchange.ask(pair.active);
      exchange.answer(pair.active);
      pair.drain();
      const heir = pair.promote();
      expect(exchange.ask(heir)).toMatchObject({ verdict: "pass", reason: "established", egress: OUTSIDE });
      expect(exchange.answer(heir)).toMatchObject({ verdict: "pass", reason: "established", egress: INSIDE });
      expect(heir.size).toBe(1);
    });

    test("an answer from elsewhere is none", () => {
      const pair = Pair.connected();
      exchange.ask(pair.active);
      exchange.answer(pair.active);
      pair.drain();
      const heir = pair.promote();
      const other = udpExchange(9999, CLIENT, "203.0.113.99");
      expect(other.answer(heir).verdict).toBe("drop");
    });
  });
});

describe("numbers", () => {
  /** The same policy under other numbers. */
  const SHUFFLED = config({
    before: [
      "ip port-map user-game port tcp 7777",
      "ip inspect name FIRST ftp timeout 33",
      "ip inspect name FIRST udp timeout 700",
      "interface GigabitEthernet0/9",
      " ip address 10.77.0.1 255.255.255.0",
      "!",
    ].join("\n"),
  });

  test("of interfaces, rules, services and timers may differ", () => {
    const pair = Pair.connected({ standby: { config: SHUFFLED } });
    expect(pair.standby.firewall.interfaces).not.toEqual(pair.active.firewall.interfaces);
    expect(pair.standby.sync.names.inspectionRules).not.toEqual(pair.active.sync.names.inspectionRules);
    new Talk(pair.active).open();
    new Talk(pair.active, { serverPort: 22 }).open();
    new Talk(pair.active, { ...ENDS6 }).open();
    for (const exchange of EXCHANGES) {
      exchange.ask(pair.active);
      exchange.answer(pair.active);
    }
    pair.drain();
    expect(pair.active.size).toBe(3 + EXCHANGES.length);
    pair.expectEqual();
    const services = [...pair.standby.sessions().values()].map(({ service }) => service);
    expect(new Set(services)).toEqual(new Set(["http", "tcp", "udp", "icmp", "ip"]));
    expect([...pair.standby.sessions().values()].map(({ rule }) => rule)).toContain(1);
  });

  test("the interface of the standby decides after the take-over", () => {
    const pair = Pair.connected({ standby: { config: SHUFFLED } });
    new Talk(pair.active).open();
    pair.drain();
    const talk = new Talk(pair.promote());
    expect(talk.c("A", { seq: C, ack: S })).toMatchObject({ reason: "established", egress: OUTSIDE });
    expect(talk.s("A", { seq: S, ack: C })).toMatchObject({ reason: "established", egress: INSIDE });
  });

  test.each([
    ["interface", config().replaceAll(INSIDE, "GigabitEthernet0/7")],
    ["service", config().replaceAll("name FW ", "name XX ").replaceAll("inspect FW ", "inspect XX ")],
  ])("a name that the standby does not have is refused: %s", (reason, other) => {
    const pair = Pair.connected({ standby: { config: other } });
    new Talk(pair.active).open();
    pair.drain();
    expect(pair.standby.size).toBe(0);
    expect(pair.standby.sync.counters().refused).toMatchObject({ [reason]: 1 });
  });

  test("a service that the standby does not know is refused", () => {
    const pair = Pair.connected();
    const { names } = pair.active.sync;
    pair.standby.sync.setPeerNames({ ...names, services: names.services.map(() => "from the future") });
    new Talk(pair.active).open();
    pair.drain();
    expect(pair.standby.size).toBe(0);
    expect(pair.standby.sync.counters().refused.service).toBe(1);
  });

  test("a timeout that the standby does not have is refused", () => {
    const pair = Pair.connected({
      standby: { config: config().replace("http timeout 700", "http timeout 701") },
    });
    new Talk(pair.active).open();
    pair.drain();
    expect(pair.standby.sync.counters().refused.timer).toBe(1);
  });

  test("an access list entry that the standby does not have is none", () => {
    const pair = Pair.connected({
      standby: {
        config: config()
          .replaceAll(" permit udp any any\n", "")
          .replace(" permit tcp any host 10.1.0.80 eq www\n", "")
          .replace(" deny ip any any\n", ""),
      },
    });
    udpExchange(7000).ask(pair.active);
    udpExchange(7000).answer(pair.active);
    new Talk(pair.active).open();
    pair.drain();
    const rules = [...pair.active.sessions().values()].map(({ id, rule }) => [
      rule,
      pair.standby.sessions().get(id)!.rule,
    ]);
    expect(rules.sort()).toEqual([
      [1, 1],
      [2, 0],
    ]);
  });
});

describe("what is told", () => {
  test("ages, not times: the clocks need not agree", () => {
    const pair = Pair.connected({ standby: { nowMs: 5_000_000_000_000 } });
    pair.wait(9000);
    new Talk(pair.active).open();
    pair.wait(3000);
    pair.update();
    const [ours, theirs] = [pair.active.session(), pair.standby.session()];
    expect(theirs.idleMs).toBe(3000);
    expect(theirs.createdMs).toBe(5_000_000_009_000);
    expect(ours.createdMs).toBe(10_000);
    expect({ ...theirs, createdMs: 0 }).toEqual({ ...ours, createdMs: 0 });
  });

  test("a session older than the clock of the standby began with it", () => {
    const pair = Pair.connected({ nowMs: 900_000_000, standby: { nowMs: 50 } });
    new Talk(pair.active).open();
    pair.active.nowMs += 300_000;
    pair.active.expire();
    pair.drain();
    expect(pair.standby.session().createdMs).toBe(0);
    expect(pair.standby.session().idleMs).toBe(300_000);
  });

  test("an age that does not fit is the largest that does", () => {
    const pair = Pair.connected({ standby: { nowMs: 2 ** 34 } });
    const talk = new Talk(pair.active).open();
    pair.drain();
    for (let day = 0; day < 60; day++) {
      for (let part = 0; part < 250; part++) {
        pair.wait(345_600);
        talk.c("A", { seq: C, ack: S });
      }
    }
    pair.connect();
    pair.drain();
    const { createdMs } = pair.standby.session();
    expect(pair.standby.nowMs - createdMs).toBe(0xffffffff);
    expect(pair.active.nowMs - pair.active.session().createdMs).toBeGreaterThan(0xffffffff);
  });

  test("payload bytes beyond 32 bits", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    const { id } = pair.active.session();
    const { core } = pair.active;
    const slot = pair.active.slots()[0]!.slot;
    core.view.setUint32(pair.active.hotAt(id) + L.HOT_BYTES0, 0xfffffff0, true);
    core.view.setUint32(core.plan.regions.cold.at + slot * L.COLD_SIZE + L.COLD_BYTES_HIGH0, 6, true);
    talk.c("A", { seq: C, ack: S, payload: 100 });
    pair.drain();
    expect(pair.active.session().initiator.bytes).toBe(7 * 2 ** 32 + 84);
    pair.expectEqual();
  });

  test("every record is as long as its layout says", () => {
    const pair = deferring();
    new Talk(pair.active).open();
    new Talk(pair.active, ENDS6).open();
    for (const exchange of EXCHANGES) exchange.ask(pair.active);
    for (const record of split(pair.carry())) {
      const { birth, windows } = partsOf(record);
      const size = windows === undefined ? L.SB_SIZE : L.SB_TCP_SIZE;
      expect(record.length).toBe(birth! + size);
      expect(record.length).toBeLessThanOrEqual(L.SYNC_RECORD_MAX);
    }
  });

  test("nothing of a session whose inspection does not say `redundancy stateful`", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active, { client: "10.9.0.10", inside: PRIVATE }).open();
    expect(talk.state).toBe("established");
    pair.update();
    pair.connect();
    expect(actionsOf(...pair.drain())).toEqual(["begin", "end"]);
    expect(pair.active.firewall.clearSessions()).toBe(1);
    expect(pair.drain()).toEqual([]);
    expect(pair.active.slots()).toEqual([]);
  });

  test("nothing without a peer", () => {
    const box = new Box();
    new Talk(box).open();
    box.sync.scan(box.sync.groups);
    expect(box.sync.queued).toBe(0);
    expect(box.sync.write()).toHaveLength(0);
    box.firewall.clearSessions();
    expect(box.slots()).toEqual([]);
    expect(box.digests().every((digest) => digest === 0n)).toBe(true);
  });

  test("the cause of an end stands in its DELETE", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    pair.drain();
    talk.s("R", { seq: S });
    const [record] = split(pair.carry());
    expect(record![L.SR_STATE]).toBe(L.C_CLOSED);
    expect(pair.standby.size).toBe(0);
    expect(pair.standby.sync.counters().gone).toBe(1);
  });
});

describe("versions", () => {
  test("grow with each record, and a generation begins above all before", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    pair.drain();
    const [first] = pair.standby.slots();
    expect(first!.version).toBe((1n << 40n) + 1n);
    talk.c("A", { seq: C, ack: S, payload: 5 });
    pair.update();
    expect(pair.standby.slots()[0]!.version).toBe((1n << 40n) + 2n);
    pair.promote();
    pair.active.sync.setPeer(true);
    pair.active.sync.startBulk();
    const begin = pair.active.sync.write().slice();
    const add = split(begin)[1]!;
    expect(new DataView(add.buffer, add.byteOffset).getBigUint64(L.SR_VERSION, true)).toBe((2n << 40n) + 1n);
  });

  test("a box that was active, and knew more, takes what the next one tells", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    pair.drain();
    // Unheard: the records go nowhere.
    for (let i = 1; i <= 5; i++) {
      talk.c("A", { seq: C, ack: S, payload: i });
      pair.active.sync.scan(pair.active.sync.groups);
      pair.active.sync.write();
    }
    // The standby has lost the session that the active opened last over the same ends.
    const ghost = new Talk(pair.active, { clientPort: 41_000 }).open();
    const old = new Talk(pair.standby, { clientPort: 41_000 });
    pair.promote();
    old.open();
    talk.box = pair.active;
    talk.c("A", { seq: C, ack: S, payload: 50 });
    pair.standby.sync.setRole("standby");
    pair.connect();
    expect(actionsOf(...pair.drain())).toEqual(["begin", "add", "add", "end"]);
    expect(pair.standby.sync.bulkTaken).toBe("done");
    expect(pair.standby.sync.counters().refused).toMatchObject({ stale: 0 });
    pair.expectEqual();
    expect(ghost.state).toBe("established");
  });

  test("a changed copy of an old record stays old", () => {
    const pair = Pair.connected();
    new Talk(pair.active).open();
    const [add] = split(pair.carry());
    pair.update();
    const before = pair.standby.sessions();
    pair.standby.sync.take(changed(add!, (view) => view.setUint32(partsOf(add!).live!, 99_999, true)));
    expect(pair.standby.sync.counters().refused.stale).toBe(1);
    expect(pair.standby.sessions()).toEqual(before);
  });
});
