import { describe, expect, test } from "vitest";
import type { Explanation } from "../../src/index.js";
import { ethernet, FLAG, icmp, ipv4, tcp } from "../support/frames.js";
import {
  arp,
  back,
  CLIENT,
  datagram,
  established,
  Firewall,
  fragments,
  out,
  SERVER,
  segment,
} from "./firewall.js";
import { OFFICE } from "./support.js";

/** `PHASE: RESULT`, one a line. */
const phases = ({ phases: all }: Explanation): string[] =>
  all.map(({ phase, result }) => `${phase}: ${result}`);
const detail = ({ phases: all }: Explanation, wanted: string): string | undefined =>
  all.find(({ phase }) => phase === wanted)?.detail;

const explain = (firewall: Firewall, frame: Uint8Array, name = "Gi0/0"): Explanation =>
  firewall.dataplane.explain(frame, { in: name, nowMs: firewall.nowMs });

describe("phases", () => {
  test("a new connection", () => {
    const told = explain(new Firewall(), out(FLAG.syn));
    expect(told).toMatchObject({
      verdict: "pass",
      reason: "new_session",
      meaning: "permitted and inspected: a session was created",
      ingress: "GigabitEthernet0/0",
      egress: "GigabitEthernet0/1",
      rule: null,
      session: "00000001",
    });
    expect(phases(told)).toEqual([
      "ingress: GigabitEthernet0/0",
      "sanity: ok",
      "session: none",
      "source: ok",
      "route: GigabitEthernet0/1",
      "inspection: tcp",
      "creation: created",
    ]);
    expect(detail(told, "route")).toBe("0.0.0.0/0 (static) via 203.0.113.254, GigabitEthernet0/1");
    expect(detail(told, "inspection")).toBe("FW lists it as tcp, idle timeout 3600 s");
    expect(detail(told, "creation")).toBe(`session 00000001 (tcp, syn_sent) ${CLIENT}:40000 -> ${SERVER}:80`);
  });

  test("a packet of an open connection", () => {
    const told = explain(established(), out(FLAG.ack, { seq: 1001, ack: 9001 }));
    expect(told).toMatchObject({ verdict: "pass", reason: "established", session: "00000001" });
    expect(phases(told)).toEqual([
      "ingress: GigabitEthernet0/0",
      "sanity: ok",
      "session: found",
      "window: ok",
    ]);
    expect(detail(told, "session")).toBe(
      `session 00000001 (tcp, established) ${CLIENT}:40000 -> ${SERVER}:80`,
    );
  });

  test("one outside its window", () => {
    const told = explain(established(), back(FLAG.ack, { seq: 9001, ack: 900000 }), "Gi0/1");
    expect(told).toMatchObject({ verdict: "drop", reason: "tcp_ack_high" });
    expect(phases(told).at(-1)).toBe("window: tcp_ack_high");
    expect(detail(told, "window")).toBe("acknowledges data that was never sent");
  });

  test("a FIN moves the connection on, a RST ends it", () => {
    const firewall = established();
    const fin = explain(firewall, out(FLAG.fin | FLAG.ack, { seq: 1001, ack: 9001 }));
    expect(phases(fin).slice(-2)).toEqual(["state: fin_wait", "window: ok"]);
    expect(detail(fin, "state")).toBe("the connection goes from established to fin_wait");
    const reset = explain(firewall, out(FLAG.rst, { seq: 1001 }));
    expect(detail(reset, "state")).toBe("the connection ends in established");
    expect(explain(firewall, out(FLAG.ack, { seq: 1001, ack: 9001 })).reason).toBe("established");
  });

  test("an answer that does not answer", () => {
    const firewall = new Firewall();
    firewall.one(1, out(FLAG.syn, { seq: 1000 }));
    const told = explain(firewall, back(FLAG.syn | FLAG.ack, { seq: 1, ack: 77 }), "Gi0/1");
    expect(told.reason).toBe("tcp_handshake");
    expect(detail(told, "state")).toBe("not allowed in syn_sent");
  });

  test("denied by an entry, and by the end of a list", () => {
    const firewall = new Firewall();
    const denied = explain(firewall, segment(SERVER, 4, "10.0.0.9", 80, FLAG.syn), "Gi0/1");
    expect(denied).toMatchObject({ verdict: "drop", reason: "acl_in_deny", rule: "IN 20", egress: null });
    expect(phases(denied)).toEqual([
      "ingress: GigabitEthernet0/1",
      "sanity: ok",
      "session: none",
      "source: ok",
      "acl in: deny",
    ]);
    expect(detail(denied, "acl in")).toBe("IN: 20 deny ip any any log");
    firewall.dataplane.replacePolicy(OFFICE.replace(" deny ip any any log\n", ""));
    const ended = explain(firewall, segment(SERVER, 4, "10.0.0.9", 80, FLAG.syn), "Gi0/1");
    expect(ended).toMatchObject({ reason: "acl_in_implicit", rule: null });
    expect(detail(ended, "acl in")).toBe("no entry of IN matches: its implicit deny");
  });

  test("permitted by an entry, inspected by nobody", () => {
    const told = explain(new Firewall(), segment(SERVER, 4, "10.0.0.80", 80, FLAG.syn), "Gi0/1");
    expect(told).toMatchObject({ verdict: "pass", reason: "permitted", rule: "IN 10", session: null });
    expect(phases(told).slice(-2)).toEqual(["acl in: permit", "route: GigabitEthernet0/0"]);
    expect(detail(told, "route")).toBe("10.0.0.0/24 (connected), GigabitEthernet0/0");
  });

  test("an outbound list, and a rule that does not list the packet", () => {
    const config = `${OFFICE.replace("end\n", "")}
interface GigabitEthernet0/1
 ip access-group OUT out
ip access-list extended OUT
 permit ip any any
`.replace("ip inspect name FW udp\n", "");
    const told = explain(new Firewall({ config }), datagram(CLIENT, 1, SERVER, 2));
    expect(told).toMatchObject({ reason: "permitted", rule: "OUT 10" });
    expect(phases(told).slice(-3)).toEqual([
      "route: GigabitEthernet0/1",
      "acl out: permit",
      "inspection: not listed",
    ]);
  });

  test("no session, and no way to answer", () => {
    const told = explain(new Firewall(), out(FLAG.ack));
    expect(told.reason).toBe("tcp_no_session");
    expect(phases(told).slice(-2)).toEqual(["inspection: tcp", "mirror: no"]);
  });

  test("the firewall itself, nowhere, the last hop, a broken packet", () => {
    const firewall = new Firewall();
    const self = explain(firewall, datagram(CLIENT, 5, "10.0.0.1", 161));
    expect(self).toMatchObject({ verdict: "local", reason: "local" });
    expect(detail(self, "route")).toBe(
      "for the firewall itself: 10.0.0.1 is an address of GigabitEthernet0/0",
    );
    const last = explain(
      firewall,
      ethernet(
        ipv4({ source: CLIENT, destination: SERVER, ttl: 1 }, tcp({ sourcePort: 1, destinationPort: 2 })),
      ),
    );
    expect(last.reason).toBe("ttl_expired");
    expect(phases(last).at(-1)).toBe("ttl: ttl_expired");
    const broken = datagram(CLIENT, 5, SERVER, 6);
    broken[20]! ^= 1;
    expect(phases(explain(firewall, broken))).toEqual(["ingress: GigabitEthernet0/0", "sanity: ip_checksum"]);
    expect(phases(explain(firewall, arp()))).toEqual(["ingress: GigabitEthernet0/0", "sanity: ok"]);
    const own = explain(firewall, datagram("10.0.0.1", 5, SERVER, 6));
    expect(phases(own).at(-1)).toBe("source: own_source");
    firewall.dataplane.replacePolicy(
      OFFICE.replace(/ip route .*\n/, "ip route 198.51.100.0 255.255.255.0 Null0\n"),
    );
    expect(detail(explain(firewall, datagram(CLIENT, 5, SERVER, 6)), "route")).toBe(
      "198.51.100.0/24 is discarded (Null0)",
    );
    expect(detail(explain(firewall, datagram(CLIENT, 5, "8.8.8.8", 6)), "route")).toBe(
      "no route to the destination",
    );
  });

  test("fragments", () => {
    const firewall = new Firewall();
    const [first, last] = fragments(9, 1000, [800]);
    expect(phases(explain(firewall, first!)).at(-1)).toBe("fragment: held");
    firewall.send(1, first!);
    const told = explain(firewall, last!);
    expect(told).toMatchObject({ verdict: "pass", reason: "new_session" });
    expect(phases(told)).toContain("fragment: complete");
    expect(firewall.dataplane.counters().verdicts.held.packets).toBe(1);
    expect(firewall.send(1, last!)).toEqual(["pass new_session 1>2", "pass new_session 1>2"]);
  });

  test("an ICMP error", () => {
    const quoted = ipv4(
      { source: CLIENT, destination: SERVER },
      tcp({ sourcePort: 40000, destinationPort: 80, seq: 1001, ack: 9001, flags: FLAG.ack }),
    );
    const error = ethernet(
      ipv4({ source: SERVER, destination: CLIENT }, icmp({ type: 3, code: 4, payload: quoted })),
    );
    const told = explain(established(), error, "Gi0/1");
    expect(told).toMatchObject({ verdict: "pass", reason: "related" });
    expect(detail(told, "related")).toBe(
      `quotes a packet of session 00000001 (tcp, established) ${CLIENT}:40000 -> ${SERVER}:80`,
    );
    expect(phases(explain(new Firewall(), error, "Gi0/1"))).toContain("related: none");
  });

  test("a full table", () => {
    const firewall = new Firewall();
    for (let i = 0; i < 1024; i++) firewall.one(1, datagram(CLIENT, 1024 + i, SERVER, 9));
    const told = explain(firewall, datagram(CLIENT, 9, SERVER, 9));
    expect(phases(told).slice(-2)).toEqual(["eviction: evicted", "creation: created"]);
    expect(detail(told, "eviction")).toBe(
      `the table is full: session 00000001 (udp, opening) ${CLIENT}:1024 -> ${SERVER}:9 makes room`,
    );
    expect([...firewall.dataplane.sessions()].some(({ id }) => id === "00000001")).toBe(true);
  });

  test("an interface that is none; an ingress that is not said; a packet without its frame", () => {
    const firewall = new Firewall();
    const frame = out(FLAG.syn);
    expect(explain(firewall, frame, "Gi7/7")).toMatchObject({
      verdict: "drop",
      reason: "interface_down",
      ingress: null,
    });
    expect(firewall.dataplane.explain(frame, {})).toMatchObject({
      reason: "new_session",
      ingress: "GigabitEthernet0/0",
    });
    expect(firewall.dataplane.explain(frame.subarray(14), { ethertype: 0x0800 })).toMatchObject({
      reason: "new_session",
    });
  });

  test("at a later time: a session that will be over by then", () => {
    const firewall = established();
    const frame = out(FLAG.ack, { seq: 1001, ack: 9001 });
    const later = firewall.dataplane.explain(frame, { in: "Gi0/0", nowMs: firewall.nowMs + 3_600_001 });
    expect(later.reason).toBe("tcp_no_session");
    expect(explain(firewall, frame).reason).toBe("established");
  });
});

describe("nothing stays", () => {
  test("neither state nor counters nor hits nor events nor the batch", () => {
    const firewall = established();
    const { dataplane } = firewall;
    dataplane.batch.clear();
    dataplane.batch.add(segment(SERVER, 4, "10.0.0.9", 80, FLAG.syn), 2, 41);
    dataplane.process(firewall.nowMs);
    const before = {
      state: dataplane.snapshot(),
      counters: dataplane.counters(),
      rules: dataplane.rules(),
      sessions: [...dataplane.sessions()],
      events: [...dataplane.events()],
      outputs: firewall.outputs(1),
      frame: dataplane.batch.frame(0).slice(),
    };
    expect(before.events).toHaveLength(1);
    for (const [frame, name] of [
      [out(FLAG.rst, { seq: 1001 }), "Gi0/0"],
      [datagram(CLIENT, 1, SERVER, 2), "Gi0/0"],
      [segment(SERVER, 4, "10.0.0.9", 81, FLAG.syn), "Gi0/1"],
      [fragments(3, 900, [400])[0]!, "Gi0/0"],
      [new Uint8Array(3), "Gi0/0"],
      [new Uint8Array(0), "Gi0/9"],
    ] as const) {
      dataplane.explain(frame, { in: name, nowMs: firewall.nowMs + 10_000_000 });
    }
    expect(Buffer.compare(dataplane.snapshot(), before.state)).toBe(0);
    expect(dataplane.counters()).toEqual(before.counters);
    expect(dataplane.rules()).toEqual(before.rules);
    expect([...dataplane.sessions()]).toEqual(before.sessions);
    expect([...dataplane.events()]).toEqual(before.events);
    expect(firewall.outputs(1)).toEqual(before.outputs);
    expect(dataplane.batch.frame(0)).toEqual(before.frame);
    expect(dataplane.batch.cookie(0)).toBe(41);
  });

  test("a batch that is being filled is decided as if nobody had asked", () => {
    const firewall = new Firewall();
    const { batch } = firewall.dataplane;
    batch.clear();
    batch.add(out(FLAG.syn), 1, 1);
    firewall.dataplane.explain(datagram(CLIENT, 1, SERVER, 2), { in: "Gi0/0" });
    batch.add(datagram(CLIENT, 3, SERVER, 4), 1, 2);
    expect(firewall.outputs(firewall.dataplane.process(0))).toEqual([
      "pass new_session 1>2",
      "pass new_session 1>2",
    ]);
    expect(batch.frame(0)).toEqual(out(FLAG.syn));
  });
});
