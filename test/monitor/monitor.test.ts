import { afterAll, describe, expect, test } from "vitest";
import { CAPTURE_DEFAULTS, type CaptureMatch, type CaptureOptions } from "../../src/console/backend.js";
import { formatMac } from "../../src/frame.js";
import { parseAddress } from "../../src/ip.js";
import {
  CaptureTap,
  newTapRing,
  TAP_BYTES_MAX,
  TAP_PER_SECOND,
  TAP_SLOTS,
  type TapOptions,
  type TappedFrame,
  TapReader,
} from "../../src/live/capture-tap.js";
import { CAPTURE_BYTES_MAX, CaptureBuffer } from "../../src/monitor/buffer.js";
import { frameTest, packetOf } from "../../src/monitor/match.js";
import { Captures, CAPTURES_MAX } from "../../src/monitor/index.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { back, CLIENT, datagram, Firewall, fragments, out, SERVER } from "../host/firewall.js";
import { configOf } from "../log/records.js";
import { ethernet, extension, FLAG, icmp, ip, ipv6, MAC_A, raw, tcp } from "../support/frames.js";

const folder = scratchFolder();
afterAll(() => folder.remove());

const [INSIDE, OUTSIDE] = [1, 2];
const BOTH: TapOptions = {
  arriving: [INSIDE, OUTSIDE],
  leaving: [INSIDE, OUTSIDE],
  snapBytes: TAP_BYTES_MAX,
};
const WALL_MS = Date.UTC(2024, 2, 1) + 0.5;
const GATEWAY_MAC = "0200.0000.00fe";

/** A firewall that is live: what passes is rewritten for the wire; and a tap on it. */
function tapped(options: TapOptions | undefined = BOTH) {
  const firewall = new Firewall();
  const { forwarding } = firewall.dataplane;
  const own = formatMac(MAC_A);
  forwarding.enable({ interfaces: [INSIDE, OUTSIDE].map((number, port) => ({ number, port, mac: own })) });
  forwarding.setNeighbor(OUTSIDE, parseAddress("203.0.113.254")!, GATEWAY_MAC);
  const ring = newTapRing();
  const tap = new CaptureTap(ring);
  tap.configure(options);
  const reader = new TapReader(ring);
  let nowMs = 0;
  return {
    firewall,
    tap,
    /** Sends frames through, and takes what the tap hands over. */
    send(ingress: number, ...frames: Uint8Array[]): TappedFrame[] {
      const { batch } = firewall.dataplane;
      batch.clear();
      for (const frame of frames) if (!batch.add(frame, ingress)) throw new Error("the batch is full");
      tap.arrive(batch);
      const outputs = firewall.dataplane.process(nowMs);
      tap.decided(batch, outputs, nowMs, WALL_MS + nowMs);
      return this.read();
    },
    read(): TappedFrame[] {
      const got: TappedFrame[] = [];
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) got.push(frame);
      return got;
    },
    wait(ms: number): void {
      nowMs += ms;
    },
  };
}

const told = ({ direction, ingress, egress }: TappedFrame): string => `${direction} ${ingress}>${egress}`;

describe("the tap", () => {
  test("hands over what arrives as it came, and what leaves as it goes", () => {
    const frame = out(FLAG.syn, { seq: 1000 });
    const [arrived, left] = tapped().send(INSIDE, frame);
    expect([arrived, left].map((each) => told(each!))).toEqual(["in 1>2", "out 1>2"]);
    expect([...arrived!.data]).toEqual([...frame]);
    expect(arrived).toMatchObject({ wallMs: WALL_MS, wireLength: frame.length, missed: 0 });
    expect(arrived!.session).not.toBe(0n);
    expect(left!.session).toBe(arrived!.session);
    const [ttl, gateway] = [14 + 8, [0x02, 0, 0, 0, 0, 0xfe]];
    expect([...left!.data.subarray(0, 6)]).toEqual(gateway);
    expect(left!.data[ttl]).toBe(frame[ttl]! - 1);
  });

  test("hands over what is dropped, with the rule that did it", () => {
    const rig = tapped();
    const got = rig.send(OUTSIDE, segmentTo22(), back(FLAG.ack));
    expect(got.map(told)).toEqual(["in 2>0", "in 2>0"]);
    expect(got.map(({ rule }) => rule)).toEqual([2, 2]);
  });

  test.each<[string, Partial<TapOptions>, string[]]>([
    ["arriving inside", { leaving: [] }, ["in 1>2"]],
    ["leaving outside", { arriving: [] }, ["out 1>2"]],
    ["the other interface", { arriving: [OUTSIDE], leaving: [INSIDE] }, []],
  ])("only what is wanted: %s", (_, options, expected) => {
    expect(
      tapped({ ...BOTH, ...options })
        .send(INSIDE, out(FLAG.syn))
        .map(told),
    ).toEqual(expected);
  });

  test("nothing while nobody captures", () => {
    const rig = tapped();
    rig.tap.configure(undefined);
    expect(rig.send(INSIDE, out(FLAG.syn))).toEqual([]);
  });

  test("cuts frames to what is kept", () => {
    const frame = datagram(CLIENT, 1, SERVER, 2, new Uint8Array(1000));
    const [arrived] = tapped({ ...BOTH, leaving: [], snapBytes: 60 }).send(INSIDE, frame);
    expect([...arrived!.data]).toEqual([...frame.subarray(0, 60)]);
    expect(arrived!.wireLength).toBe(frame.length);
  });

  test("fragments that waited arrive once and leave when their datagram is whole", () => {
    const rig = tapped();
    const [first, second] = fragments(7, 600, [296]) as [Uint8Array, Uint8Array];
    expect(rig.send(INSIDE, second).map(told)).toEqual(["in 1>0"]);
    expect(rig.send(INSIDE, first).map(told)).toEqual(["in 1>2", "out 1>2", "out 1>2"]);
  });

  test("hands over what the box itself sends, whole or cut, where somebody wants it", () => {
    const frame = Uint8Array.from({ length: 60 }, (_, i) => i);
    const { tap, read } = tapped({ arriving: [INSIDE], leaving: [OUTSIDE], snapBytes: 20 });
    tap.own(INSIDE, frame, 0, WALL_MS);
    tap.own(OUTSIDE, frame, 0, WALL_MS);
    expect(read()).toEqual([
      {
        wallMs: WALL_MS,
        direction: "out",
        isOwn: true,
        ingress: 0,
        egress: OUTSIDE,
        reason: 0,
        session: 0n,
        rule: 0,
        wireLength: 60,
        missed: 0,
        data: frame.slice(0, 20),
      },
    ]);
    tap.configure(undefined);
    tap.own(OUTSIDE, frame, 0, WALL_MS);
    expect(read()).toEqual([]);
  });

  test("counts what the ring and the rate have no room for", () => {
    const rig = tapped({ ...BOTH, leaving: [] });
    const frames = Array.from({ length: 64 }, (_, i) => datagram(CLIENT, 1000 + i, SERVER, 53));
    const { batch } = rig.firewall.dataplane;
    for (let i = 0; i < 10; i++) {
      batch.clear();
      for (const frame of frames) batch.add(frame, INSIDE);
      rig.tap.arrive(batch);
      rig.tap.decided(batch, rig.firewall.dataplane.process(0), 0, WALL_MS);
    }
    expect(rig.read()).toHaveLength(TAP_SLOTS);
    expect(rig.send(INSIDE, frames[0]!)[0]!.missed).toBe(640 - TAP_SLOTS);
    let got = TAP_SLOTS + 1;
    while (got < TAP_PER_SECOND)
      got += rig.send(INSIDE, ...frames.slice(0, Math.min(64, TAP_PER_SECOND - got))).length;
    expect(rig.send(INSIDE, ...frames)).toEqual([]);
    rig.wait(1);
    const refilled = rig.send(INSIDE, ...frames);
    expect([refilled.length, refilled[0]!.missed]).toEqual([TAP_PER_SECOND / 1000, 64]);
  });
});

function segmentTo22(): Uint8Array {
  return ethernet(
    ip(
      { source: SERVER, destination: "10.0.0.80" },
      tcp({ sourcePort: 5, destinationPort: 22, flags: FLAG.syn }),
    ),
  );
}

describe("matches", () => {
  const config = configOf(`
ip access-list extended WANTED
 permit tcp any any eq www syn
 permit icmp any any echo
 deny ip any any
ipv6 access-list WANTED6
 permit tcp any any eq 80
object-group network CLIENTS
 host ${CLIENT}
`);
  const flow = (more: Partial<Extract<CaptureMatch, { kind: "flow" }>>): CaptureMatch => ({
    kind: "flow",
    family: 4,
    source: { kind: "any" },
    destination: { kind: "any" },
    ...more,
  });
  const syn = out(FLAG.syn);
  const six = ethernet(
    ipv6(
      { source: "2001:db8::1", destination: "2001:db8::2", extensions: [extension.destination()] },
      tcp({ sourcePort: 9, destinationPort: 80 }),
    ),
  );
  const echo = ethernet(ip({ source: CLIENT, destination: SERVER }, icmp({ type: 8, code: 0 })));
  const tagged = new Uint8Array([
    ...syn.subarray(0, 12),
    0x88,
    0xa8,
    0,
    5,
    0x81,
    0,
    0,
    6,
    ...syn.subarray(12),
  ]);
  const [first, later] = fragments(9, 600, [296]) as [Uint8Array, Uint8Array];

  test.each<[string, CaptureMatch, Uint8Array, boolean]>([
    ["any", { kind: "any" }, new Uint8Array(3), true],
    ["a protocol", flow({ protocol: 6 }), syn, true],
    ["another protocol", flow({ protocol: 17 }), syn, false],
    ["another family", flow({ family: 6 }), syn, false],
    ["IPv6 behind an extension header", flow({ family: 6, protocol: 6 }), six, true],
    ["behind tags", flow({ protocol: 6 }), tagged, true],
    ["a source", flow({ source: { kind: "wildcard", address: 0x0a000000, wildcard: 0xff } }), syn, true],
    [
      "another source",
      flow({ source: { kind: "wildcard", address: 0x0a000100, wildcard: 0xff } }),
      syn,
      false,
    ],
    ["a group", flow({ source: { kind: "group", name: "CLIENTS" } }), syn, true],
    ["a group that is not there", flow({ source: { kind: "group", name: "NOBODY" } }), syn, false],
    ["a port", flow({ destinationPort: { op: "eq", values: [80] } }), syn, true],
    ["another port", flow({ destinationPort: { op: "lt", value: 80 } }), syn, false],
    ["a port of a first fragment", flow({ destinationPort: { op: "eq", values: [6000] } }), first, true],
    ["a port of a later fragment", flow({ destinationPort: { op: "eq", values: [6000] } }), later, false],
    ["no port", flow({ sourcePort: { op: "gt", value: 0 } }), echo, false],
    ["a list", { kind: "list", list: "WANTED" }, syn, true],
    ["a list by TCP flags", { kind: "list", list: "WANTED" }, out(FLAG.ack), false],
    ["a list by ICMP type", { kind: "list", list: "WANTED" }, echo, true],
    ["a list of IPv6", { kind: "list", list: "WANTED6" }, six, true],
    ["a list that is not there", { kind: "list", list: "NONE" }, syn, false],
    ["no IP at all", flow({}), ethernet(new Uint8Array(28), { type: 0x0806 }), false],
  ])("%s", (_, match, frame, isWanted) => {
    expect(frameTest(match, config)(frame, frame.length)).toBe(isWanted);
  });

  test("a frame that was cut is matched by what is left of it, and nothing throws", () => {
    const whole = datagram(CLIENT, 1000, SERVER, 53, new Uint8Array(900));
    const test = frameTest(flow({ destinationPort: { op: "eq", values: [53] } }), config);
    expect(test(whole.subarray(0, 64), whole.length)).toBe(true);
    for (const frame of [
      syn,
      six,
      echo,
      tagged,
      first,
      later,
      ethernet(ip({ source: CLIENT, destination: SERVER }, raw(2, Uint8Array.of(0x16)))),
    ])
      for (let length = 0; length <= frame.length; length++) {
        packetOf(frame.subarray(0, length), length);
        packetOf(frame.subarray(0, length), frame.length);
      }
    expect(packetOf(syn, syn.length)).toMatchObject({
      sourcePort: 40000,
      destinationPort: 80,
      tcpFlags: FLAG.syn,
    });
  });
});

const INTERFACES = ["", "GigabitEthernet0/0", "GigabitEthernet0/1"];
const NAMES = { interfaces: INTERFACES, rules: ["IN 10", "IN 20"] };

describe("captures", () => {
  const options = (name: string, more: Partial<CaptureOptions> = {}): CaptureOptions => ({
    name,
    ...CAPTURE_DEFAULTS,
    interfaces: [{ interface: "GigabitEthernet0/0", direction: "both" }],
    ...more,
  });
  const make = (...all: CaptureOptions[]): Captures => {
    const captures = new Captures(configOf(""), INTERFACES);
    for (const each of all) {
      expect(captures.command({ kind: "define", options: each })).toEqual({});
      expect(captures.command({ kind: "start", name: each.name })).toEqual({});
    }
    return captures;
  };
  const frames = (): TappedFrame[] => [
    ...tapped().send(INSIDE, out(FLAG.syn)),
    ...tapped().send(OUTSIDE, segmentTo22()),
  ];

  test("each gets what it asked for, and together they want no more than that", () => {
    const captures = make(
      options("ALL", {
        interfaces: INTERFACES.slice(1).map((each) => ({ interface: each, direction: "both" })),
      }),
      options("IN", { interfaces: [{ interface: "GigabitEthernet0/0", direction: "in" }], packetBytes: 100 }),
      options("OUT", { interfaces: [{ interface: "GigabitEthernet0/1", direction: "out" }] }),
      options("DROPS", {
        interfaces: [{ interface: "GigabitEthernet0/1", direction: "both" }],
        verdict: "drop",
      }),
    );
    for (const frame of frames()) expect(captures.take(frame)).toBe(false);
    expect(captures.views().map(({ name, packetsHeld }) => `${name} ${packetsHeld}`)).toEqual([
      "ALL 3",
      "IN 1",
      "OUT 1",
      "DROPS 1",
    ]);
    expect(captures.wanted).toEqual({ arriving: [1, 2], leaving: [1, 2], snapBytes: TAP_BYTES_MAX });
    captures.command({ kind: "stop", name: "ALL" });
    captures.command({ kind: "remove", name: "DROPS" });
    captures.command({ kind: "stop", name: "OUT" });
    expect(captures.wanted).toEqual({ arriving: [1], leaving: [], snapBytes: 100 });
    captures.command({ kind: "stop", name: "IN" });
    expect(captures.wanted).toBeUndefined();
  });

  test("what the box itself sends has no verdict, and is taken by those that want all", () => {
    const captures = make(
      options("ALL", { interfaces: [{ interface: "GigabitEthernet0/1", direction: "out" }] }),
      options("PASS", {
        interfaces: [{ interface: "GigabitEthernet0/1", direction: "out" }],
        verdict: "pass",
      }),
    );
    const { tap, read } = tapped();
    tap.own(OUTSIDE, out(FLAG.syn), 0, WALL_MS);
    for (const frame of read()) captures.take(frame);
    expect(captures.views().map(({ packetsHeld }) => packetsHeld)).toEqual([1, 0]);
    const names = { interfaces: INTERFACES, rules: [] };
    const file = Buffer.concat([...captures.buffer("ALL")!.pcapng(names)]).toString("latin1");
    expect(file).toContain("out: sent by this box; out GigabitEthernet0/1");
  });

  test("one that has its packets stops by itself", () => {
    const captures = make(options("CAP", { packets: 2, verdict: "all" }));
    const [arrived] = frames();
    expect([1, 2, 3].map(() => captures.take(arrived!))).toEqual([false, true, false]);
    expect(captures.views()[0]).toMatchObject({ isRunning: false, packetsHeld: 2, packetsLost: 0 });
    expect(captures.command({ kind: "start", name: "CAP" })).toEqual({
      problem: "capture CAP is complete; clear it first",
    });
    captures.command({ kind: "clear", name: "CAP" });
    expect(captures.command({ kind: "start", name: "CAP" })).toEqual({});
  });

  test("what never came is told in each", () => {
    const captures = make(options("CAP"));
    captures.take({ ...frames()[0]!, missed: 7 });
    expect(captures.views()[0]!.packetsLost).toBe(7);
  });

  test("what cannot be done is a problem", () => {
    const captures = make(options("CAP"));
    const problem = (kind: "start" | "stop", name: string) => captures.command({ kind, name }).problem;
    expect(problem("start", "CAP")).toBe("capture CAP is running");
    expect(captures.command({ kind: "define", options: options("CAP") }).problem).toBe(
      "capture CAP is running",
    );
    expect(problem("stop", "NONE")).toBe("no capture NONE");
    captures.command({ kind: "define", options: options("EMPTY", { interfaces: [] }) });
    expect(problem("start", "EMPTY")).toBe("capture EMPTY has no interface");
    for (let i = 2; i < CAPTURES_MAX; i++) captures.command({ kind: "define", options: options(`C${i}`) });
    expect(captures.command({ kind: "define", options: options("MORE") }).problem).toBe(
      `there are ${CAPTURES_MAX} captures already`,
    );
  });

  test("another configuration has its lists and numbers used", () => {
    const captures = make(options("CAP", { match: { kind: "list", list: "L" } }));
    const [arrived] = frames();
    captures.take(arrived!);
    captures.configure(configOf("ip access-list extended L\n permit ip any any\n"), [
      "",
      "X",
      "GigabitEthernet0/0",
    ]);
    expect(captures.wanted!.arriving).toEqual([2]);
    captures.take({ ...arrived!, ingress: 2 });
    expect(captures.views()[0]!.packetsHeld).toBe(1);
  });
});

describe("the buffer", () => {
  const frameOf = (i: number, length = 100): TappedFrame => ({
    wallMs: WALL_MS + i,
    direction: i % 2 === 0 ? "in" : "out",
    isOwn: false,
    ingress: INSIDE,
    egress: OUTSIDE,
    reason: 1,
    session: 26n,
    rule: 1,
    wireLength: 1500,
    missed: 0,
    data: new Uint8Array(length).fill(i),
  });
  const ROOM = { bufferBytes: 10 * (100 + 128), packetBytes: 9000, isCircular: false };
  const kept = (buffer: CaptureBuffer): number => buffer.packetsHeld;

  test("keeps the first packets, or, circular, the last ones", () => {
    const [linear, circular] = [new CaptureBuffer(ROOM), new CaptureBuffer({ ...ROOM, isCircular: true })];
    for (let i = 0; i < 25; i++) for (const buffer of [linear, circular]) buffer.add(frameOf(i));
    expect([kept(linear), linear.packetsLost, linear.bytesHeld]).toEqual([10, 15, ROOM.bufferBytes]);
    expect([kept(circular), circular.packetsLost, circular.bytesHeld]).toEqual([10, 15, ROOM.bufferBytes]);
    circular.add(frameOf(1, 5000));
    expect([kept(circular), circular.packetsLost]).toEqual([0, 26]);
    circular.clear();
    expect([circular.bytesHeld, circular.packetsLost]).toEqual([0, 0]);
    expect(CAPTURE_BYTES_MAX).toBe(2 ** 28);
  });

  test.skipIf(lacking("tshark"))(
    "becomes a file that Wireshark reads, with interfaces, times and verdicts",
    () => {
      const rig = tapped();
      const buffer = new CaptureBuffer({ ...ROOM, bufferBytes: 2 ** 20, packetBytes: 60 });
      const got = [...rig.send(INSIDE, out(FLAG.syn)), ...rig.send(OUTSIDE, segmentTo22())];
      for (const frame of got) buffer.add(frame);
      const file = folder.write("capture.pcapng", Buffer.concat([...buffer.pcapng(NAMES)]));
      const fields = [
        "frame.interface_name",
        "frame.time_epoch",
        "frame.len",
        "frame.cap_len",
        "ip.src",
        "ip.ttl",
        "frame.comment",
      ];
      const { stdout } = run(
        "tshark",
        "-r",
        file,
        "-T",
        "fields",
        "-E",
        "separator=|",
        ...fields.flatMap((each) => ["-e", each]),
      );
      const [arrived, left, dropped, ...more] = stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split("|"));
      expect(more).toEqual([]);
      const time = `${WALL_MS / 1000 - 0.0005}`;
      expect(arrived!.slice(0, 6)).toEqual([INTERFACES[1], `${time}.000500000`, "54", "54", CLIENT, "64"]);
      expect(arrived![6]).toMatch(
        /^in: pass new_session: .*; in GigabitEthernet0\/0; out GigabitEthernet0\/1; session [0-9a-f]+$/i,
      );
      expect([left![0], left![5]]).toEqual([INTERFACES[2], "63"]);
      expect(left![6]).toMatch(/^out: pass new_session: /);
      expect(dropped![6]).toMatch(/^in: drop acl_in_deny: .*; in GigabitEthernet0\/1; rule IN 20$/);
      const { stdout: damage } = run("tshark", "-r", file, "-Y", "_ws.malformed");
      expect(damage).toBe("");
    },
  );

  test("a large one becomes a file piece by piece", () => {
    const buffer = new CaptureBuffer({ ...ROOM, bufferBytes: 2 ** 23 });
    for (let i = 0; i < 1000; i++) buffer.add(frameOf(i, 2000));
    const pieces = [...buffer.pcapng(NAMES)];
    expect(pieces.length).toBeGreaterThan(5);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(300_000);
  });
});
