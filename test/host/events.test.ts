import { describe, expect, test } from "vitest";
import type { FirewallEvent } from "../../src/index.js";
import { ethernet, FLAG, icmp, ip, tcp } from "../support/frames.js";
import { back, CLIENT, datagram, Firewall, HANDSHAKE, out, SERVER, segment } from "./firewall.js";
import { OFFICE } from "./support.js";

const events = ({ dataplane }: Firewall): FirewallEvent[] => [...dataplane.events()];
const AUDITED = OFFICE.replace("ip inspect name FW tcp", "ip inspect audit-trail\nip inspect name FW tcp");

describe("sessions with an audit trail", () => {
  test("begin and end with an event, and tell their bytes", () => {
    const firewall = new Firewall({ config: AUDITED });
    const [syn, ...rest] = HANDSHAKE;
    firewall.one(...syn!);
    const session = {
      isAudited: true,
      id: "00000001",
      family: 4,
      protocol: 6,
      service: "tcp",
      interface: "GigabitEthernet0/0",
      initiator: { address: CLIENT, port: 40000, bytes: 0 },
      responder: { address: SERVER, port: 80, bytes: 0 },
      rule: 0,
    };
    expect(events(firewall)).toEqual([{ type: "session_start", ...session }]);
    for (const [ingress, frame] of rest) firewall.one(ingress, frame);
    expect(events(firewall)).toEqual([]);
    firewall.one(2, back(FLAG.ack, { seq: 9001, ack: 1001, payload: new Uint8Array(700) }));
    firewall.one(1, out(FLAG.rst, { seq: 1001 }));
    expect(events(firewall)).toEqual([
      {
        type: "session_stop",
        cause: "closed",
        ...session,
        responder: { address: SERVER, port: 80, bytes: 700 },
      },
    ]);
  });

  test("others do so where that is wanted, and are told apart", () => {
    const firewall = new Firewall();
    const { dataplane } = firewall;
    const told = () => events(firewall).map((event) => [event.type, "isAudited" in event && event.isAudited]);
    firewall.one(1, datagram(CLIENT, 1, SERVER, 2));
    expect(told()).toEqual([]);
    dataplane.forwarding.tellSessions(true);
    firewall.one(1, datagram(CLIENT, 3, SERVER, 4));
    expect(told()).toEqual([["session_start", false]]);
    dataplane.forgetEvents();
    expect(told()).toEqual([]);
    dataplane.clearSessions();
    expect(told()).toEqual([
      ["session_stop", false],
      ["session_stop", false],
    ]);
    dataplane.forwarding.tellSessions(false);
    firewall.one(1, datagram(CLIENT, 5, SERVER, 6));
    expect(told()).toEqual([]);
  });

  test("end by a timeout and by the operator, too", () => {
    const firewall = new Firewall({ config: AUDITED });
    firewall.one(1, datagram(CLIENT, 5, SERVER, 6));
    firewall.dataplane.expire(30_000);
    expect(events(firewall)).toMatchObject([
      { type: "session_stop", cause: "expired", protocol: 17, service: "udp" },
    ]);
    firewall.nowMs = 30_000;
    firewall.one(1, datagram(CLIENT, 5, SERVER, 6));
    firewall.dataplane.clearSessions();
    expect(events(firewall)).toMatchObject([
      { type: "session_start" },
      { type: "session_stop", cause: "cleared" },
    ]);
  });

  test("IPv6 addresses come whole, an ICMP query with its identifier", () => {
    const firewall = new Firewall({
      config: `
ipv6 inspect name FW tcp audit-trail on
ip inspect name FW icmp audit-trail on
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
 ipv6 address 2001:db8:1::1/64
 ip inspect FW in
 ipv6 inspect FW in
interface GigabitEthernet0/1
 ip address 10.1.0.1 255.255.255.0
 ipv6 address 2001:db8:2::1/64
`,
    });
    firewall.one(1, segment("2001:db8:1::5", 40000, "2001:db8:2::6", 443, FLAG.syn));
    expect(events(firewall)).toMatchObject([
      {
        family: 6,
        initiator: { address: "2001:db8:1::5", port: 40000 },
        responder: { address: "2001:db8:2::6", port: 443 },
      },
    ]);
    firewall.one(
      1,
      ethernet(ip({ source: "10.0.0.5", destination: "10.1.0.6" }, icmp({ type: 8, identifier: 77 }))),
    );
    expect(events(firewall)).toMatchObject([
      { protocol: 1, initiator: { port: 77 }, responder: { port: 77 } },
    ]);
  });
});

describe("packets", () => {
  test("an entry with `log`: what, where, which", () => {
    const firewall = new Firewall();
    const { batch } = firewall.dataplane;
    batch.clear();
    const packet = ip(
      { source: SERVER, destination: "10.0.0.9", id: 0x1234 },
      tcp({ sourcePort: 4000, destinationPort: 22, flags: FLAG.syn, seq: 0xdeadbeef, ack: 5 }),
    );
    batch.add(ethernet(packet, { source: [2, 0, 0, 0xaa, 0xbb, 0xcc] }), 2, 0xc0ffee);
    firewall.dataplane.process(0);
    expect(events(firewall)).toEqual([
      {
        type: "rule_log",
        reason: "acl_in_deny",
        family: 4,
        protocol: 6,
        interface: "GigabitEthernet0/1",
        source: SERVER,
        destination: "10.0.0.9",
        sourcePort: 4000,
        destinationPort: 22,
        tcpFlags: FLAG.syn,
        sequence: 0xdeadbeef,
        acknowledgement: 5,
        icmpType: 0,
        icmpCode: 0,
        ipId: 0x1234,
        mac: "02:00:00:aa:bb:cc",
        rule: 2,
        cookie: 0xc0ffee,
      },
    ]);
  });

  test("ICMP: its type and code, and no ports", () => {
    const firewall = new Firewall();
    firewall.one(
      2,
      ethernet(ip({ source: SERVER, destination: "10.0.0.9" }, icmp({ type: 13, identifier: 5 }))),
    );
    expect(events(firewall)).toMatchObject([
      { protocol: 1, icmpType: 13, icmpCode: 0, sourcePort: 0, destinationPort: 0, tcpFlags: 0, sequence: 0 },
    ]);
  });

  test("`ip inspect log drop-pkt`", () => {
    const firewall = new Firewall({ config: `ip inspect log drop-pkt\n${OFFICE}` });
    firewall.one(1, out(FLAG.ack, { seq: 7, ack: 8 }));
    expect(events(firewall)).toMatchObject([
      {
        type: "drop",
        reason: "tcp_no_session",
        source: CLIENT,
        destinationPort: 80,
        tcpFlags: FLAG.ack,
        sequence: 7,
        acknowledgement: 8,
        rule: 0,
      },
    ]);
  });

  test("a full table: the packet, and the session that made room", () => {
    const firewall = new Firewall();
    for (let i = 0; i < 1024; i++) firewall.one(1, datagram(CLIENT, 1024 + i, SERVER, 9));
    firewall.one(1, datagram(CLIENT, 9, SERVER, 9));
    expect(events(firewall)).toMatchObject([
      { type: "table_full", reason: "table_full", protocol: 17 },
      { type: "evicted", cause: "evicted", id: "00000001", initiator: { port: 1024 } },
    ]);
  });
});

describe("the ring", () => {
  test("holds what one call reports; what does not fit is counted", () => {
    const firewall = new Firewall({ capacity: { events: 16 } });
    const frames = Array.from({ length: 20 }, (_, i) => segment(SERVER, 1000 + i, "10.0.0.9", 22, FLAG.syn));
    firewall.send(2, ...frames);
    expect(events(firewall).map((event) => "sourcePort" in event && event.sourcePort)).toEqual(
      Array.from({ length: 16 }, (_, i) => 1000 + i),
    );
    expect(firewall.dataplane.counters().eventsLost).toBe(4);
    firewall.send(2, frames[0]!);
    expect(events(firewall)).toHaveLength(1);
  });
});
