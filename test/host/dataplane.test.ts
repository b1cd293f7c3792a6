import { describe, expect, test } from "vitest";
import { ConfigError, Dataplane, parse } from "../../src/index.js";
import { ethernet, FLAG, icmp, ip, ipv4, tcp } from "../support/frames.js";
import {
  arp,
  back,
  CLIENT,
  datagram,
  established,
  Firewall,
  fragments,
  HANDSHAKE,
  out,
  SERVER,
  segment,
} from "./firewall.js";
import { OFFICE, SEED } from "./support.js";

const sum = (tallies: Iterable<{ packets: number; bytes: number }>): { packets: number; bytes: number } => {
  const all = { packets: 0, bytes: 0 };
  for (const { packets, bytes } of tallies) {
    all.packets += packets;
    all.bytes += bytes;
  }
  return all;
};

describe("verdicts", () => {
  test("a connection from inside: opened, used, closed", () => {
    const firewall = new Firewall();
    const lines = [
      ...HANDSHAKE,
      [1, out(FLAG.ack | FLAG.psh, { seq: 1001, ack: 9001, payload: new Uint8Array(100) })],
      [2, back(FLAG.ack, { seq: 9001, ack: 1101, payload: new Uint8Array(500) })],
      [1, out(FLAG.ack | FLAG.fin, { seq: 1101, ack: 9501 })],
      [2, back(FLAG.ack | FLAG.fin, { seq: 9501, ack: 1102 })],
      [1, out(FLAG.ack, { seq: 1102, ack: 9502 })],
    ].map(([ingress, frame]) => firewall.one(ingress as number, frame as Uint8Array));
    expect(lines).toEqual([
      "pass new_session 1>2",
      "pass established 2>1",
      "pass established 1>2",
      "pass established 1>2",
      "pass established 2>1",
      "pass established 1>2",
      "pass established 2>1",
      "pass established 1>2",
    ]);
    const [session, ...others] = firewall.dataplane.sessions();
    expect(others).toEqual([]);
    expect(session).toMatchObject({
      id: "00000001",
      protocol: 6,
      state: "time_wait",
      initiator: { address: CLIENT, port: 40000, interface: "GigabitEthernet0/0", bytes: 100 },
      responder: { address: SERVER, port: 80, interface: "GigabitEthernet0/1", bytes: 500 },
      service: "tcp",
      inspection: "FW",
      rule: 0,
    });
  });

  test("a batch that opens and uses a connection", () => {
    const firewall = new Firewall();
    expect(firewall.send(1, out(FLAG.syn, { seq: 1000 }), out(FLAG.syn, { seq: 1000 }))).toEqual([
      "pass new_session 1>2",
      "pass established 1>2",
    ]);
    const { batch } = firewall.dataplane;
    expect([batch.session(0), batch.session(1)]).toEqual([1n, 1n]);
    expect([batch.fromInitiator(0), batch.cookie(1)]).toEqual([true, 1]);
  });

  test("from outside: what the list permits, what it denies, what belongs to nobody", () => {
    const firewall = new Firewall();
    const { batch } = firewall.dataplane;
    expect(firewall.one(2, segment(SERVER, 40000, "10.0.0.80", 80, FLAG.syn))).toBe("pass permitted 2>1");
    expect(batch.rule(0)).toBe(1);
    expect(firewall.one(2, segment(SERVER, 40000, "10.0.0.80", 81, FLAG.syn))).toBe("drop acl_in_deny");
    expect(batch.rule(0)).toBe(2);
    expect(firewall.one(1, segment(CLIENT, 40000, SERVER, 80, FLAG.ack))).toBe("drop tcp_no_session");
    expect(batch.rule(0)).toBe(0);
    expect(
      firewall.dataplane
        .rules()
        .map(({ number, list, sequence, action, text, log, hits }) => [
          number,
          list,
          sequence,
          action,
          text,
          log,
          hits,
        ]),
    ).toEqual([
      [1, "IN", 10, "permit", "permit tcp any host 10.0.0.80 eq www", undefined, 1],
      [2, "IN", 20, "deny", "deny ip any any log", "log", 1],
    ]);
  });

  test("UDP and ICMP: the answer passes, and only the answer", () => {
    const firewall = new Firewall();
    const echo = (source: string, destination: string, type: number, identifier = 7): Uint8Array =>
      ethernet(ipv4({ source, destination }, icmp({ type, identifier, payload: new Uint8Array(32) })));
    expect(firewall.one(1, datagram(CLIENT, 5000, SERVER, 53))).toBe("pass new_session 1>2");
    expect(firewall.one(2, datagram(SERVER, 53, CLIENT, 5000))).toBe("pass established 2>1");
    expect(firewall.one(2, datagram(SERVER, 54, CLIENT, 5000))).toBe("drop acl_in_deny");
    expect(firewall.one(1, echo(CLIENT, SERVER, 8))).toBe("pass new_session 1>2");
    expect(firewall.one(2, echo(SERVER, CLIENT, 0, 8))).toBe("drop acl_in_deny");
    expect(firewall.one(2, echo(SERVER, CLIENT, 0))).toBe("pass established 2>1");
    const sessions = [...firewall.dataplane.sessions()].sort((a, b) => a.protocol - b.protocol);
    expect(
      sessions.map(({ protocol, state, service, initiator, responder, timeoutMs }) => [
        protocol,
        state,
        service,
        initiator.port,
        responder.port,
        timeoutMs,
      ]),
    ).toEqual([
      [1, "open", "icmp", 7, 7, 10_000],
      [17, "open", "udp", 5000, 53, 5000],
    ]);
  });

  test("an ICMP error about a connection, and one about nothing", () => {
    const firewall = established();
    const quoted = ipv4(
      { source: CLIENT, destination: SERVER },
      tcp({ sourcePort: 40000, destinationPort: 80, seq: 1001, ack: 9001, flags: FLAG.ack }),
    );
    const error = (quote: Uint8Array): Uint8Array =>
      ethernet(
        ipv4({ source: "198.51.100.1", destination: CLIENT }, icmp({ type: 3, code: 4, payload: quote })),
      );
    expect(firewall.one(2, error(quoted))).toBe("pass related 2>1");
    const other = ipv4(
      { source: CLIENT, destination: SERVER },
      tcp({ sourcePort: 40001, destinationPort: 80, flags: FLAG.ack }),
    );
    expect(firewall.one(2, error(other)).startsWith("drop")).toBe(true);
  });

  test("IPv6 goes the same way", () => {
    const firewall = new Firewall({
      config: `
ipv6 inspect name FW tcp
interface GigabitEthernet0/0
 ipv6 address 2001:db8:1::1/64
interface GigabitEthernet0/1
 ipv6 address 2001:db8:2::1/64
 ipv6 traffic-filter IN in
 ipv6 inspect FW out
ipv6 route ::/0 2001:db8:2::9
ipv6 access-list IN
 deny ipv6 any any
`,
    });
    const [a, b] = ["2001:db8:1::5", "2620:fe::9"];
    expect(firewall.one(1, segment(a, 40000, b, 443, FLAG.syn, { seq: 1 }))).toBe("pass new_session 1>2");
    expect(firewall.one(2, segment(b, 443, a, 40000, FLAG.syn | FLAG.ack, { seq: 5, ack: 2 }))).toBe(
      "pass established 2>1",
    );
    expect(firewall.one(2, segment(b, 444, a, 40000, FLAG.syn))).toBe("drop acl_in_deny");
    const [session] = firewall.dataplane.sessions();
    expect(session).toMatchObject({
      family: 6,
      initiator: { address: a },
      responder: { address: b },
      state: "syn_recv",
    });
  });

  test("what is for the firewall itself, and what nobody wants", () => {
    const firewall = new Firewall();
    expect(firewall.one(1, datagram(CLIENT, 5000, "10.0.0.1", 161))).toBe("local local");
    expect(firewall.one(1, arp())).toBe("local arp");
    expect(firewall.one(1, datagram(CLIENT, 5000, "10.0.0.255", 137))).toBe("drop broadcast");
    expect(firewall.one(1, datagram("10.0.0.1", 5000, SERVER, 137))).toBe("drop own_source");
    expect(firewall.one(9, datagram(CLIENT, 5000, SERVER, 53))).toBe("drop interface_down");
    expect(firewall.one(1, new Uint8Array(10))).toBe("drop frame_truncated");
    const wrong = datagram(CLIENT, 5000, SERVER, 53);
    wrong[wrong.length - 1]! ^= 1;
    expect(firewall.one(1, wrong)).toBe("drop udp_checksum");
  });

  test("no checksum is asked for where the capture has none", () => {
    const firewall = new Firewall({ checksums: false });
    const wrong = datagram(CLIENT, 5000, SERVER, 53);
    wrong[wrong.length - 1]! ^= 1;
    expect(firewall.one(1, wrong)).toBe("pass new_session 1>2");
  });

  test("without an ingress, a frame enters where its source lives", () => {
    const firewall = new Firewall();
    expect(firewall.one(0, out(FLAG.syn))).toBe("pass new_session 1>2");
    expect(firewall.one(0, segment(SERVER, 1, "10.0.0.9", 2, FLAG.syn))).toBe("drop acl_in_deny");
    expect(firewall.dataplane.batch.ingress(0)).toBe(2);
  });

  test("--inside: by side, whatever the routes say", () => {
    const firewall = new Firewall({ inside: ["172.16.0.0/12"] });
    const [a, b] = ["172.16.1.1", "10.0.0.99"];
    expect(firewall.one(0, segment(a, 40000, b, 80, FLAG.syn, { seq: 1 }))).toBe("pass new_session 1>2");
    expect(firewall.one(0, segment(b, 80, a, 40000, FLAG.syn | FLAG.ack, { seq: 5, ack: 2 }))).toBe(
      "pass established 2>1",
    );
    expect(firewall.one(0, segment(b, 81, a, 40000, FLAG.syn))).toBe("drop acl_in_deny");
  });

  test("--mac: frames for other stations are dropped", () => {
    const firewall = new Firewall({ macs: new Map([["Gi0/0", "02:00:00:00:00:77"]]) });
    const packet = ip({ source: CLIENT, destination: SERVER }, tcp({ sourcePort: 1, destinationPort: 2 }));
    expect(firewall.one(1, ethernet(packet))).toBe("drop not_for_us");
    expect(firewall.one(1, ethernet(packet, { destination: [2, 0, 0, 0, 0, 0x77] }))).toBe(
      "pass new_session 1>2",
    );
  });

  test("a tag chooses the subinterface", () => {
    const firewall = new Firewall({
      config: `
interface GigabitEthernet0/0
interface GigabitEthernet0/0.7
 encapsulation dot1Q 7
 ip address 10.7.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.0
`,
    });
    const packet = ip(
      { source: "10.7.0.5", destination: "203.0.113.9" },
      tcp({ sourcePort: 1, destinationPort: 2 }),
    );
    expect(firewall.one(1, ethernet(packet, { tags: [7] }))).toBe("pass permitted 2>3");
    expect(firewall.one(1, ethernet(packet, { tags: [8] }))).toBe("drop vlan");
  });
});

describe("time", () => {
  test("idle sessions end, and expire counts them", () => {
    const firewall = established();
    firewall.nowMs += 3_600_000 - 1;
    expect([...firewall.dataplane.sessions()]).toHaveLength(1);
    firewall.nowMs += 1;
    expect(firewall.dataplane.expire(firewall.nowMs)).toBe(0);
    expect([...firewall.dataplane.sessions()]).toEqual([]);
    expect(firewall.dataplane.counters().sessions).toMatchObject({
      current: 0,
      expired: 1,
      created: 1,
      maximum: 1,
    });
    expect(firewall.one(1, out(FLAG.ack, { seq: 1001, ack: 9001 }))).toBe("drop tcp_no_session");
  });

  test("a session that is over is not listed, even before it is visited", () => {
    const firewall = new Firewall();
    firewall.one(1, datagram(CLIENT, 5000, SERVER, 9000));
    firewall.dataplane.expire(29_999, 0);
    expect([...firewall.dataplane.sessions()].map(({ idleMs }) => idleMs)).toEqual([29_999]);
    firewall.dataplane.expire(30_000, 0);
    expect([...firewall.dataplane.sessions()]).toEqual([]);
    expect(firewall.dataplane.counters().sessions).toMatchObject({ current: 1, expired: 0 });
  });

  test("the clock does not go back, and says how often it was asked to", () => {
    const firewall = new Firewall({ nowMs: 5000 });
    expect(firewall.dataplane.nowMs).toBe(5000);
    firewall.dataplane.process(7000);
    firewall.dataplane.process(6000);
    expect(firewall.dataplane.nowMs).toBe(7000);
    expect(firewall.dataplane.counters().clockBack).toBe(1);
  });

  test("a time that is none is refused before anything happens", () => {
    const { dataplane } = new Firewall();
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 60]) {
      expect(() => dataplane.process(time)).toThrow(RangeError);
      expect(() => dataplane.expire(time)).toThrow(RangeError);
      expect(() => dataplane.flush(time)).toThrow(RangeError);
    }
    dataplane.process(-5);
    expect(dataplane.nowMs).toBe(0);
  });

  test("time ranges follow the wall clock", () => {
    const config = `${OFFICE.replace("end\n", "")}
interface GigabitEthernet0/0
 ip access-group DAY in
time-range day
 periodic daily 8:00 to 17:59
ip access-list extended DAY
 permit udp any any time-range day
`;
    const firewall = new Firewall({ config, nowMs: 1000, wallClock: new Date("2024-07-01T07:59:58Z") });
    let port = 1000;
    const at = (nowMs: number): string => {
      firewall.nowMs = nowMs;
      return firewall.one(1, datagram(CLIENT, port++, SERVER, 9000));
    };
    expect(at(1000)).toBe("drop acl_in_implicit");
    expect(at(2999)).toBe("drop acl_in_implicit");
    expect(at(3000)).toBe("pass new_session 1>2");
    expect(at(3000 + 10 * 3_600_000 - 1)).toBe("pass new_session 1>2");
    expect(at(3000 + 10 * 3_600_000)).toBe("drop acl_in_implicit");
    // Without a wall clock the times are those of 1970.
    const unix = new Firewall({ config, nowMs: Date.parse("2024-07-01T12:00:00Z") });
    expect(unix.one(1, datagram(CLIENT, 1, SERVER, 9000))).toBe("pass new_session 1>2");
  });
});

describe("fragments", () => {
  test("are held until the datagram is complete, and share its verdict", () => {
    const firewall = new Firewall();
    const [first, middle, last] = fragments(77, 2000, [800, 1600]) as [Uint8Array, Uint8Array, Uint8Array];
    const { batch } = firewall.dataplane;
    batch.clear();
    batch.add(last, 1, 301);
    batch.add(first, 1, 302);
    expect(firewall.outputs(firewall.dataplane.process(0))).toEqual(["held held", "held held"]);
    expect(firewall.dataplane.counters().verdicts.held).toEqual({
      packets: 2,
      bytes: first.length + last.length,
    });
    batch.clear();
    batch.add(middle, 1, 303);
    expect(firewall.outputs(firewall.dataplane.process(1))).toEqual([
      "pass new_session 1>2",
      "pass new_session 1>2",
      "pass new_session 1>2",
    ]);
    expect([0, 1, 2].map((i) => batch.cookie(i))).toEqual([303, 301, 302]);
    expect([0, 1, 2].map((i) => batch.frame(i))).toEqual([middle, last, first]);
    expect(firewall.dataplane.counters()).toMatchObject({
      datagrams: 1,
      verdicts: { held: { packets: 0, bytes: 0 }, pass: { packets: 3 } },
    });
  });

  test("are given up when their time is over, or when they are flushed", () => {
    const firewall = new Firewall();
    const [first] = fragments(1, 2000, [800]);
    const [other] = fragments(2, 2000, [800]);
    firewall.send(1, first!, other!);
    expect(firewall.outputs(firewall.dataplane.expire(2999))).toEqual([]);
    expect(firewall.outputs(firewall.dataplane.expire(3000))).toEqual([
      "drop fragment_timeout",
      "drop fragment_timeout",
    ]);
    firewall.nowMs = 3000;
    firewall.send(1, first!);
    expect(firewall.outputs(firewall.dataplane.flush(3000))).toEqual(["drop fragment_timeout"]);
    expect(firewall.dataplane.batch.frame(0)).toEqual(first);
    expect(firewall.dataplane.batch.length).toBe(0);
  });
});

describe("counters", () => {
  test("every frame has one verdict and one reason, at every moment", () => {
    const firewall = new Firewall();
    const frames: [number, Uint8Array][] = [
      ...HANDSHAKE.map(([ingress, frame]): [number, Uint8Array] => [ingress, frame]),
      [1, arp()],
      [1, new Uint8Array(5)],
      [2, segment(SERVER, 5, "10.0.0.9", 6, FLAG.syn)],
      ...fragments(5, 3000, [800, 1600])
        .slice(0, 2)
        .map((frame): [number, Uint8Array] => [1, frame]),
      [1, datagram(CLIENT, 5000, "10.0.0.1", 161)],
    ];
    const given = { packets: 0, bytes: 0 };
    for (const [ingress, frame] of frames) {
      firewall.send(ingress, frame);
      given.packets++;
      given.bytes += frame.length;
      const counters = firewall.dataplane.counters();
      expect(counters.received).toEqual(given);
      expect(sum(Object.values(counters.verdicts))).toEqual(given);
      expect(sum(Object.values(counters.reasons))).toEqual(given);
    }
    expect(firewall.dataplane.counters().verdicts.held.packets).toBe(2);
    firewall.dataplane.flush(0);
    const { received, verdicts, reasons } = firewall.dataplane.counters();
    expect(received).toEqual(given);
    expect(verdicts.held).toEqual({ packets: 0, bytes: 0 });
    expect(reasons.fragment_timeout?.packets).toBe(2);
    expect(reasons).not.toHaveProperty("held");
  });

  test("sessions by kind, and how they ended", () => {
    const firewall = established();
    firewall.one(1, datagram(CLIENT, 1, SERVER, 2));
    firewall.one(1, out(FLAG.rst, { seq: 1001 }));
    expect(firewall.dataplane.counters().sessions).toMatchObject({
      current: 1,
      halfOpen: 1,
      maximum: 2,
      created: 2,
      tcp: 1,
      udp: 1,
      icmp: 0,
      other: 0,
      closed: 1,
      expired: 0,
    });
  });
});

describe("clearing", () => {
  test("one session by its id, or all of them", () => {
    const firewall = established();
    for (let port = 1; port <= 5; port++) firewall.one(1, datagram(CLIENT, port, SERVER, 9));
    expect(firewall.dataplane.clearSession("00000001")).toBe(true);
    expect(firewall.dataplane.clearSession("00000001")).toBe(false);
    expect(firewall.dataplane.clearSession("no id")).toBe(false);
    expect(firewall.one(1, out(FLAG.ack, { seq: 1001, ack: 9001 }))).toBe("drop tcp_no_session");
    expect(firewall.dataplane.clearSessions()).toBe(5);
    expect([...firewall.dataplane.sessions()]).toEqual([]);
    expect(firewall.dataplane.counters().sessions).toMatchObject({ current: 0, halfOpen: 0, cleared: 6 });
  });
});

describe("a full table", () => {
  test("holds as many sessions as were asked for, then makes room", () => {
    const firewall = new Firewall({ capacity: { sessions: 1024 } });
    for (let i = 0; i < 1024; i++) {
      expect(firewall.one(1, datagram(CLIENT, 1024 + i, SERVER, 9))).toBe("pass new_session 1>2");
    }
    expect([...firewall.dataplane.sessions()]).toHaveLength(1024);
    expect(firewall.one(1, datagram(CLIENT, 9999, SERVER, 9))).toBe("pass new_session 1>2");
    expect(firewall.dataplane.counters().sessions).toMatchObject({
      current: 1024,
      evicted: 1,
      maximum: 1024,
    });
    const ids = new Set([...firewall.dataplane.sessions()].map(({ id }) => id));
    expect(ids.size).toBe(1024);
    expect(ids.has("00000001")).toBe(false);
  });
});

describe("replacing the policy", () => {
  const stricter = OFFICE.replace(" permit tcp any host 10.0.0.80 eq www\n", "");

  test("sessions stay, new traffic meets the new lists", () => {
    const firewall = established();
    firewall.dataplane.replacePolicy(stricter);
    expect(firewall.one(2, back(FLAG.ack, { seq: 9001, ack: 1001 }))).toBe("pass established 2>1");
    expect(firewall.one(2, segment(SERVER, 4, "10.0.0.80", 80, FLAG.syn))).toBe("drop acl_in_deny");
    expect(firewall.dataplane.rules()).toHaveLength(1);
    firewall.dataplane.replacePolicy(OFFICE);
    expect(firewall.one(2, segment(SERVER, 4, "10.0.0.80", 80, FLAG.syn))).toBe("pass permitted 2>1");
  });

  test("hit counters go on where an entry is the same, whatever its number is now", () => {
    const firewall = new Firewall();
    for (let i = 0; i < 3; i++) firewall.one(2, segment(SERVER, 4, "10.0.0.9", 80, FLAG.syn));
    expect(firewall.dataplane.rules().map(({ hits }) => hits)).toEqual([0, 3]);
    const inserted = OFFICE.replace(
      " deny ip any any log",
      " 15 permit udp any any\n 20 deny ip any any log",
    );
    firewall.dataplane.replacePolicy(inserted);
    expect(firewall.dataplane.rules().map(({ sequence, hits }) => [sequence, hits])).toEqual([
      [10, 0],
      [15, 0],
      [20, 3],
    ]);
    firewall.dataplane.replacePolicy(inserted.replace("any any log", "any any"));
    expect(firewall.dataplane.rules().map(({ hits }) => hits)).toEqual([0, 0, 0]);
  });

  test("a configuration that cannot be loaded changes nothing", () => {
    const firewall = established();
    const { dataplane } = firewall;
    for (const bad of [
      "interface GigabitEthernet0/0\n ip address 10.0.0.1\n",
      "interface GigabitEthernet0/0\n ip inspect NONE in\n",
    ]) {
      expect(() => dataplane.replacePolicy(bad)).toThrow(ConfigError);
    }
    expect(dataplane.rules()).toHaveLength(2);
    expect(firewall.one(1, out(FLAG.ack, { seq: 1001, ack: 9001 }))).toBe("pass established 1>2");
  });

  test("interfaces keep their numbers, so sessions keep their sides", () => {
    const firewall = established();
    const [head, inside, outside, ...rest] = OFFICE.split(/(?=interface |ip route)/);
    firewall.dataplane.replacePolicy(
      [head, outside, "interface Loopback0\n ip address 10.9.9.9 255.255.255.255\n", inside, ...rest].join(
        "",
      ),
    );
    expect(firewall.dataplane.interfaces).toEqual([
      "",
      "GigabitEthernet0/0",
      "GigabitEthernet0/1",
      "Loopback0",
    ]);
    expect(firewall.one(2, back(FLAG.ack, { seq: 9001, ack: 1001 }))).toBe("pass established 2>1");
    expect([...firewall.dataplane.sessions()][0]!.initiator.interface).toBe("GigabitEthernet0/0");
  });

  test("the rule of an older session is not looked for in the new lists", () => {
    const config = `${OFFICE.replace("end\n", "")}ip inspect name IN tcp\ninterface GigabitEthernet0/1\n ip inspect IN in\n`;
    const firewall = new Firewall({ config });
    expect(firewall.one(2, segment(SERVER, 4000, "10.0.0.80", 80, FLAG.syn))).toBe("pass new_session 2>1");
    const [before] = firewall.dataplane.sessions();
    expect(before).toMatchObject({ rule: 1, inspection: "IN" });
    firewall.dataplane.replacePolicy(config);
    expect([...firewall.dataplane.sessions()][0]).toMatchObject({
      id: before!.id,
      rule: 0,
      inspection: "IN",
    });
  });
});

describe("options", () => {
  const errorsOf = async (options: object): Promise<string[]> => {
    const error = await Dataplane.create({ config: OFFICE, ...options }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).diagnostics
      .filter(({ severity }) => severity === "error")
      .map(({ message }) => message);
  };

  test("a configuration that does not parse: where, and the line", async () => {
    const error = await Dataplane.create({ config: "hostname x\ninterfce Gi0/0\n", file: "a.cfg" }).catch(
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/^a\.cfg:2: /);
    expect(error.diagnostics[0]).toMatchObject({
      file: "a.cfg",
      line: 2,
      severity: "error",
      text: "interfce Gi0/0",
    });
  });

  test("a policy that does not compile: the line too", async () => {
    const config = "interface GigabitEthernet0/0\n ip inspect NONE in\n";
    const error = await Dataplane.create({ config, file: "b.cfg" }).catch((reason) => reason);
    expect(error.message).toBe("b.cfg:2: inspection rule NONE is not defined");
    expect(error.diagnostics.at(-1)).toMatchObject({ file: "b.cfg", line: 2, text: " ip inspect NONE in" });
  });

  test.each([
    [
      { capacity: { sessions: 1023 } },
      "capacity.sessions is 1023; it must be a whole number from 1024 to 8388608",
    ],
    [{ capacity: { batch: 0 } }, "capacity.batch is 0; it must be a whole number from 1 to 4096"],
    [{ seed: new Uint8Array(63) }, "seed has 63 bytes; it must have 64"],
    [{ nowMs: -1 }, `nowMs is -1; it must be from 0 to ${Number.MAX_SAFE_INTEGER}`],
    [{ nowMs: Number.NaN }, `nowMs is NaN; it must be from 0 to ${Number.MAX_SAFE_INTEGER}`],
    [{ inside: ["10.0.0.0/40"] }, '"10.0.0.0/40" is no network; expected A.B.C.D/n or X::/n'],
    [
      { macs: new Map([["Gi0/7", "02:00:00:00:00:77"]]) },
      "a MAC address is given for Gi0/7, which is no interface here",
    ],
    [{ capacity: { rules: 1 } }, "the access lists in use have 2 entries, capacity.rules is 1"],
  ])("%o is refused", async (options, message) => {
    expect(await errorsOf(options)).toEqual([message]);
  });

  test("unknown commands are refused, or kept when the caller is lenient", async () => {
    const config = `frobnicate the bar\n${OFFICE}`;
    expect(await errorsOf({ config })).toHaveLength(1);
    const dataplane = await Dataplane.create({ config, lenient: true, capacity: { sessions: 1024 } });
    expect(dataplane.config.kept.map(({ text }) => text)).toContain("frobnicate the bar");
  });

  test("a parsed configuration, the package's own core, a random seed", async () => {
    const { config } = parse(OFFICE, { file: "office.cfg" });
    const dataplane = await Dataplane.create({ config, capacity: { sessions: 1024 } });
    expect(dataplane).toBeInstanceOf(Dataplane);
    expect(dataplane.config).toBe(config);
    expect(dataplane.interfaceNumber("gi0/1")).toBe(2);
    expect(dataplane.interfaceNumber("gi0/2")).toBeUndefined();
    expect(dataplane.batch.capacity).toBe(256);
  });

  test("two firewalls of one seed decide and lay out alike; of two seeds they lay out otherwise", () => {
    const layout = (seed: Uint8Array): string => {
      const firewall = new Firewall({ seed });
      for (let port = 1; port <= 50; port++) firewall.one(1, datagram(CLIENT, port, SERVER, 9));
      return [...firewall.dataplane.sessions()].map(({ id }) => id).join();
    };
    expect(layout(SEED)).toBe(layout(SEED));
    expect(layout(SEED)).not.toBe(layout(SEED.map((byte) => byte ^ 0x5a)));
  });

  test("a million sessions fit into the memory that is asked for them", () => {
    const firewall = new Firewall({ capacity: { sessions: 1_048_576 } });
    expect(firewall.one(1, out(FLAG.syn))).toBe("pass new_session 1>2");
    expect([...firewall.dataplane.sessions()]).toHaveLength(1);
  });
});
