/** What a role means: a standby forwards nothing and lets nothing expire, and goes on with all of it when it takes over. */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import {
  ETHERTYPE,
  ethernet,
  FLAG,
  fragmentsOf4,
  icmp,
  ipv4,
  ipv6,
  icmp6,
  tcp,
  udp,
} from "../support/frames.js";
import { audit } from "./audit.js";
import { type Box, config, INSIDE, OUTSIDE, Pair } from "./pair.js";
import { bringTo, C, CLIENT, EXCHANGES, S, SERVER, Talk, udpExchange } from "./talk.js";
import { actionsOf } from "./wire.js";

const OWN = "10.1.0.1";

const tableOf = (box: Box): string[] => box.slots().map(({ slot }) => box.records(slot));

describe("a standby", () => {
  /** It knows a session of each kind. */
  function informed(): { pair: Pair; talk: Talk } {
    const pair = Pair.connected({ config: config({ defer: true }) });
    const talk = new Talk(pair.active).open();
    for (const exchange of EXCHANGES) {
      exchange.ask(pair.active);
      exchange.answer(pair.active);
    }
    bringTo(new Talk(pair.active, { clientPort: 9000 }), "syn_sent");
    bringTo(new Talk(pair.active, { clientPort: 9001 }), "time_wait");
    pair.drain();
    return { pair, talk };
  }

  test("forwards nothing: not of the sessions that it knows, not what begins one, not what needs none", () => {
    const { pair, talk } = informed();
    const { standby } = pair;
    const before = tableOf(standby);
    talk.box = standby;
    const dropped = { verdict: "drop", reason: "standby", egress: undefined };
    expect(talk.c("A", { seq: C, ack: S, payload: 5 })).toMatchObject(dropped);
    expect(talk.s("A", { seq: S, ack: C })).toMatchObject({ verdict: "drop", reason: "acl_in_deny" });
    expect(talk.c("R", { seq: C })).toMatchObject(dropped);
    expect(talk.c("S", { seq: 5 })).toMatchObject(dropped);
    expect(new Talk(standby, { clientPort: 9001 }).c("S", { seq: 7 })).toMatchObject(dropped);
    for (const exchange of EXCHANGES) {
      expect(exchange.ask(standby)).toMatchObject(dropped);
      expect(exchange.answer(standby).verdict).toBe("drop");
    }
    expect(udpExchange(9999).ask(standby)).toMatchObject(dropped);
    const web = { source: SERVER, destination: "10.1.0.80" };
    const syn = tcp({ sourcePort: 5, destinationPort: 80, flags: FLAG.syn });
    expect(standby.packet(ipv4(web, syn), OUTSIDE)).toMatchObject(dropped);
    const quoted = ipv4({ source: CLIENT, destination: SERVER }, udp({ sourcePort: 1, destinationPort: 2 }));
    const error = icmp({ type: 3, code: 3, payload: quoted.subarray(0, 28) });
    expect(standby.packet(ipv4({ source: SERVER, destination: CLIENT }, error), OUTSIDE).verdict).toBe(
      "drop",
    );
    expect(tableOf(standby)).toEqual(before);
    expect(standby.firewall.counters().verdicts.pass.packets).toBe(0);
    audit(standby);
  });

  test("drops fragments one by one and holds none", () => {
    const { pair } = informed();
    const whole = ipv4(
      { source: CLIENT, destination: SERVER },
      udp({ sourcePort: 40_000, destinationPort: 53, payload: new Uint8Array(64) }),
    );
    for (const fragment of fragmentsOf4(whole, 9, [32])) {
      expect(pair.standby.packet(fragment, INSIDE)).toMatchObject({ verdict: "drop", reason: "standby" });
    }
    expect(pair.standby.core.state(L.S_DATAGRAMS)).toBe(0);
  });

  test("still says what is wrong with a packet, where it comes from, and what a list forbids", () => {
    const { standby } = new Pair();
    const one = (packet: Uint8Array, on: string) => standby.packet(packet, on).reason;
    const datagram = udp({ sourcePort: 1, destinationPort: 2 });
    const broken = ipv4({ source: CLIENT, destination: SERVER }, datagram);
    broken[10]! ^= 1;
    expect(one(broken, INSIDE)).toBe("ip_checksum");
    expect(one(ipv4({ source: OWN, destination: SERVER }, datagram), INSIDE)).toBe("own_source");
    expect(one(ipv4({ source: SERVER, destination: CLIENT }, datagram), OUTSIDE)).toBe("acl_in_deny");
    const v6 = ipv6({ source: "2001:db8:1::10", destination: "2001:db8:9::1" }, datagram);
    expect(one(v6, "GigabitEthernet0/2")).toBe("protocol_disabled");
    expect(one(v6, INSIDE)).toBe("standby");
    // Nothing behind the route is asked any more.
    expect(one(ipv4({ source: CLIENT, destination: SERVER, ttl: 1 }, datagram), INSIDE)).toBe("standby");
    expect(one(ipv4({ source: CLIENT, destination: "10.1.0.255" }, datagram), INSIDE)).toBe("standby");
  });

  test("takes what is for itself", () => {
    const { standby } = new Pair();
    const datagram = udp({ sourcePort: 1, destinationPort: 2 });
    const one = (packet: Uint8Array) => standby.packet(packet, INSIDE);
    expect(one(ipv4({ source: CLIENT, destination: OWN }, datagram))).toMatchObject({
      verdict: "local",
      reason: "local",
    });
    const hello = udp({ sourcePort: 1985, destinationPort: 1985 });
    expect(one(ipv4({ source: CLIENT, destination: "224.0.0.2", ttl: 1 }, hello)).reason).toBe(
      "local_multicast",
    );
    const discovery = icmp6({ type: 135, payload: new Uint8Array(16) });
    const packet = ipv6(
      { source: "2001:db8:1::10", destination: "ff02::1:ff00:1", hopLimit: 255 },
      discovery,
    );
    expect(one(packet).reason).toBe("neighbor_discovery");
    const { batch } = standby.firewall;
    batch.clear();
    batch.add(
      ethernet(new Uint8Array(28), { type: ETHERTYPE.arp }),
      standby.firewall.interfaceNumber(INSIDE)!,
    );
    standby.firewall.process(standby.nowMs);
    expect(batch.verdict(0)).toBe("local");
    expect(standby.size).toBe(0);
  });

  test("lets no session expire, however long it hears nothing", () => {
    const { pair } = informed();
    const { standby } = pair;
    const { size } = standby;
    for (const wait of [100_000, 1_000_000, 10_000_000, L.CLOCK_STEP_MAX_MS, L.TIMEOUT_MAX_MS, 2 ** 33]) {
      standby.nowMs += wait;
      standby.expire();
      expect(standby.size).toBe(size);
    }
    expect(standby.core.state(L.S_HALF_OPEN)).toBe(1);
    audit(standby);
    // Its ages stay what 32 bits can tell: a word of the active makes a session young again.
    pair.active.sync.startBulk();
    pair.drain();
    expect(standby.sessions()).toEqual(
      new Map(
        [...pair.active.sessions()].map(([id, each]) => [id, { ...each, createdMs: expect.any(Number) }]),
      ),
    );
  });

  test("that becomes active goes on with what it knows, and creates what is younger than all of it", () => {
    const { pair, talk } = informed();
    const { size } = pair.standby;
    const heir = pair.promote();
    expect(heir.size).toBe(size);
    talk.box = heir;
    expect(talk.c("A", { seq: C, ack: S })).toMatchObject({ verdict: "pass", egress: OUTSIDE });
    const ids = [...heir.sessions().keys()];
    expect(udpExchange(9999).ask(heir).reason).toBe("new_session");
    const [id] = [...heir.sessions().keys()].filter((each) => !ids.includes(each));
    expect(BigInt(`0x${id}`)).toBe((2n << 40n) + 1n);
    audit(heir);
  });

  test("that takes over in the middle of a bulk sync keeps what it was told, and what it had", () => {
    const pair = Pair.connected();
    for (let i = 0; i < 60; i++) new Talk(pair.active, { clientPort: 2000 + i }).open();
    pair.drain();
    for (let i = 60; i < 120; i++) new Talk(pair.active, { clientPort: 2000 + i }).open();
    pair.connect();
    pair.carry(L.SV_SIZE);
    pair.carry(L.SV_SIZE);
    const { size } = pair.standby;
    expect(size).toBeGreaterThanOrEqual(60);
    expect(pair.standby.sync.bulkTaken).toBe("walk");
    const heir = pair.promote();
    expect(heir.size).toBe(size);
    for (let i = 0; i < 60; i++) {
      const talk = new Talk(heir, { clientPort: 2000 + i });
      expect(talk.c("A", { seq: C, ack: S }).reason).toBe("established");
    }
    audit(heir);
  });
});

describe("a change of role", () => {
  test("ends what was told: nothing is known, nothing waits", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    pair.drain();
    talk.c("FA", { seq: C, ack: S });
    udpExchange(5).ask(pair.active);
    new Talk(pair.active, { clientPort: 9000 }).open();
    const gone = new Talk(pair.active, { clientPort: 9001 }).open();
    pair.active.sync.write();
    gone.s("R", { seq: S });
    expect(pair.active.sync.queued).toBe(1);
    pair.active.sync.setRole("standby");
    expect(pair.active.sync.queued).toBe(0);
    expect(pair.active.slots().every(({ isKnown, isGone }) => !isKnown && !isGone)).toBe(true);
    expect(pair.active.core.state(L.S_PEER)).toBe(0);
    audit(pair.active);
  });

  test("to the role that it has is none", () => {
    const pair = Pair.connected();
    new Talk(pair.active).open();
    const before = pair.active.core.state64(L.S_PROMOTED_MS);
    pair.wait(100);
    pair.active.sync.setRole("active", 1);
    expect(pair.active.sync.queued).toBe(1);
    expect(pair.active.core.state64(L.S_PROMOTED_MS)).toBe(before);
    expect(actionsOf(...pair.drain())).toEqual(["add"]);
    pair.standby.sync.setRole("standby");
    expect(pair.standby.slots()).toMatchObject([{ isKnown: true }]);
  });

  test("names the role", () => {
    const { active, standby } = new Pair();
    expect([active.sync.role, standby.sync.role]).toEqual(["active", "standby"]);
  });

  test("back and forth, each time with a bulk sync, loses nothing", () => {
    const pair = Pair.connected();
    for (let i = 0; i < 50; i++) new Talk(pair.active, { clientPort: 2000 + i }).open();
    pair.drain();
    for (let turn = 0; turn < 6; turn++) {
      const heir = pair.promote();
      pair.standby.sync.setRole("standby");
      pair.connect();
      pair.drain();
      expect(pair.standby.sync.bulkTaken).toBe("done");
      pair.expectEqual();
      for (let i = 0; i < 50; i++) {
        const talk = new Talk(heir, { clientPort: 2000 + i });
        expect(talk.c("A", { seq: C, ack: S }).reason).toBe("established");
        expect(talk.s("A", { seq: S, ack: C }).reason).toBe("established");
      }
      pair.wait(10);
      pair.update();
      pair.expectEqual();
      audit(heir);
    }
  });
});

describe("after a take-over", () => {
  const REST = L.PROMOTED_IDLE_MIN_MS;

  /** Sessions whose time is over when the standby takes over: it may have been told late. */
  function overdue(): { heir: Box; talk: Talk; pair: Pair } {
    const pair = Pair.connected({ config: config({ defer: true }) });
    const talk = new Talk(pair.active).open();
    bringTo(new Talk(pair.active, { clientPort: 9000 }), "time_wait");
    udpExchange(9001).ask(pair.active);
    udpExchange(9002).ask(pair.active);
    udpExchange(9002).answer(pair.active);
    pair.drain();
    pair.wait(3_600_000);
    expect(pair.standby.size).toBe(4);
    const heir = pair.promote();
    talk.box = heir;
    return { heir, talk, pair };
  }

  test.each([0, 1, REST - 1])("every session has %d ms more to be heard", (wait) => {
    const { heir, talk } = overdue();
    heir.nowMs += wait;
    heir.expire();
    expect(heir.size).toBe(4);
    expect(talk.c("A", { seq: C, ack: S }).reason).toBe("established");
    expect(udpExchange(9002).answer(heir).reason).toBe("established");
    expect(udpExchange(9001).answer(heir).reason).toBe("established");
  });

  test("and no more", () => {
    const { heir, talk } = overdue();
    heir.nowMs += REST;
    expect(udpExchange(9002).answer(heir).verdict).toBe("drop");
    expect(talk.c("A", { seq: C, ack: S }).reason).toBe("tcp_no_session");
    heir.expire();
    expect(heir.size).toBe(0);
    audit(heir);
  });

  test("a session that has been heard since ends by its own timeout again", () => {
    const { heir } = overdue();
    heir.nowMs += 1000;
    expect(udpExchange(9002).answer(heir).reason).toBe("established");
    heir.nowMs += 39_999;
    expect(udpExchange(9002).ask(heir).reason).toBe("established");
    heir.nowMs += 40_000;
    expect(udpExchange(9002).ask(heir).reason).toBe("new_session");
  });

  test("who lists the sessions sees the spared ones, and not one that was heard since and has ended", () => {
    const { heir } = overdue();
    const listed = (): number => {
      // The clock goes on, and nothing is swept.
      heir.firewall.expire(heir.nowMs, 0);
      return [...heir.firewall.sessions()].length;
    };
    expect(listed()).toBe(4);
    heir.nowMs += 1000;
    udpExchange(9002).answer(heir);
    heir.nowMs += 39_999;
    expect(listed()).toBe(4);
    heir.nowMs += 1;
    expect(listed()).toBe(3);
    heir.nowMs += REST;
    expect(listed()).toBe(0);
  });

  test("a session that begins later has no longer life than any", () => {
    const { heir } = overdue();
    heir.nowMs += 1;
    heir.expire();
    EXCHANGES[3]!.ask(heir);
    EXCHANGES[3]!.answer(heir);
    new Talk(heir, { clientPort: 9100 }).c("S", { seq: 1 });
    expect(heir.size).toBe(6);
    heir.nowMs += 10_000;
    heir.expire();
    expect(heir.size).toBe(5);
    heir.nowMs += 10_000;
    heir.expire();
    expect(heir.size).toBe(4);
  });

  test("the rest is counted once, not each time that 32 bits of the clock come round", () => {
    const { heir } = overdue();
    heir.nowMs += 2 ** 32 - 20_000;
    heir.expire();
    expect(heir.size).toBe(0);
    udpExchange(9500).ask(heir);
    heir.nowMs += 40_000;
    heir.expire();
    expect(heir.size).toBe(0);
  });

  test("a clock that leaps is walked: nothing outlives it", () => {
    const { heir } = overdue();
    heir.nowMs += L.CLOCK_STEP_MAX_MS * 3;
    heir.expire();
    expect(heir.size).toBe(0);
  });

  test("a clock that leapt while it was standby has made no session young again", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    pair.drain();
    // At this distance the age that a leap of the largest timeout leaves comes round to 0 in 32 bits.
    pair.wait(2 ** 32 + L.TIMEOUT_MAX_MS - 600_000);
    expect(pair.standby.size).toBe(1);
    const heir = pair.promote();
    talk.box = heir;
    heir.nowMs += REST;
    expect(talk.c("A", { seq: C, ack: S }).reason).toBe("tcp_no_session");
    expect(heir.size).toBe(0);
    audit(heir);
  });

  test("sessions that are not overdue keep their age", () => {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    pair.drain();
    pair.wait(400_000);
    const heir = pair.promote();
    talk.box = heir;
    heir.nowMs += 299_999;
    heir.expire();
    expect(heir.size).toBe(1);
    heir.nowMs += 1;
    heir.expire();
    expect(heir.size).toBe(0);
  });

  test("a box that was never standby spares nothing", () => {
    const pair = new Pair();
    udpExchange(7000).ask(pair.active);
    pair.active.nowMs += 40_000;
    pair.active.expire();
    expect(pair.active.size).toBe(0);
  });
});
