/** The dataplane's turn: what it tells of packets and sessions, and that no event of the core is lost between two batches. */
import { beforeEach, describe, expect, test } from "vitest";
import type { FirewallEvent } from "../../src/events.js";
import { type DebugBatch, DebugOutlet, DEBUG_LINES_PER_SECOND } from "../../src/debug/outlet.js";
import { PacketWatch } from "../../src/debug/packet-watch.js";
import type { DebugTopic, DebugView } from "../../src/debug/topics.js";
import { formatMac } from "../../src/frame.js";
import { parseAddress } from "../../src/ip.js";
import { CaptureTap, newTapRing, TapReader, type TappedFrame } from "../../src/live/capture-tap.js";
import { DataplaneBox } from "../../src/live/dataplane-box.js";
import { ListIo } from "../../src/live/list-io.js";
import { newMessageRing, writeToDataplane } from "../../src/live/messages.js";
import { SharedSessions } from "../../src/node/shared-sessions.js";
import { RingWriter } from "../../src/ring.js";
import { back, CLIENT, datagram, Firewall, out, segment, SERVER } from "../host/firewall.js";
import { OFFICE } from "../host/support.js";
import { FLAG, MAC_A } from "../support/frames.js";

const [INSIDE, OUTSIDE] = [1, 2];
const AUDITED = OFFICE.replace("ip inspect name FW udp", "ip inspect name FW udp audit-trail on");
/** Idle time of UDP. */
const UDP_MS = 30_000;
const SWEEP_MS = 2000;

class Rig {
  readonly firewall: Firewall;
  readonly lines: string[] = [];
  readonly events: FirewallEvent[] = [];
  dropped = 0;
  nowMs = 0;
  readonly watch: PacketWatch;
  readonly box: DataplaneBox;
  readonly tap: CaptureTap;
  readonly #outlet = new DebugOutlet(({ lines, dropped }: DebugBatch) => {
    this.lines.push(...lines.map(({ text }) => text));
    this.dropped += dropped;
  });
  readonly #taps = newTapRing();
  readonly #toDataplane = newMessageRing(64);
  readonly io: ListIo;

  constructor(config: string) {
    this.firewall = new Firewall({ config });
    const { dataplane } = this.firewall;
    this.io = new ListIo(() => dataplane);
    this.watch = new PacketWatch(this.#outlet);
    this.tap = new CaptureTap(this.#taps);
    const mac = formatMac(MAC_A);
    this.box = new DataplaneBox(
      {
        sessions: new SharedSessions(dataplane, { isPaired: false, updateMs: 1000 }),
        openIo: () => this.io,
        fromControl: this.#toDataplane,
        toControl: newMessageRing(64),
        wakeControl: () => undefined,
        ports: [undefined, { port: 0, vlan: 0, mac }, { port: 1, vlan: 0, mac }],
        tap: this.tap,
        watch: this.watch,
        wallMs: () => this.nowMs,
        onEvents: (decided, atMs) => this.events.push(...this.watch.heard(decided.events(), atMs)),
      },
      0,
    );
    dataplane.forwarding.setNeighbor(OUTSIDE, parseAddress("203.0.113.254")!, "0200.0000.00fe");
    dataplane.forwarding.setNeighbor(INSIDE, parseAddress(CLIENT)!, "0200.0000.0005");
  }

  debug(...topics: DebugTopic[]): void {
    this.configure({ topics, conditions: [] });
  }

  configure(view: DebugView): void {
    this.watch.configure(view, this.firewall.dataplane);
  }

  /** Frames arrive together. */
  send(ingress: number, ...frames: Uint8Array[]): void {
    this.io.arriving.push(...frames.map((frame) => ({ carrier: ingress, frame })));
    this.#turn();
  }

  /** A frame of the control thread. */
  transmit(number: number, frame: Uint8Array, isForwarded: boolean): void {
    const message = { kind: "transmit", interface: number, frame, isForwarded } as const;
    expect(writeToDataplane(new RingWriter(this.#toDataplane), message)).toBe(true);
    this.#turn();
  }

  run(ms: number, stepMs = 100): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; this.nowMs += stepMs) this.#turn();
  }

  captured(): TappedFrame[] {
    const reader = new TapReader(this.#taps);
    const frames: TappedFrame[] = [];
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
    return frames;
  }

  #turn(): void {
    this.box.turn(this.nowMs);
    this.#outlet.tick(
      this.#outlet.deadlineMs === Number.POSITIVE_INFINITY ? this.nowMs : this.#outlet.deadlineMs,
    );
  }
}

let rig: Rig;
beforeEach(() => {
  rig = new Rig(OFFICE);
});

const SYN = out(FLAG.syn, { seq: 1000 });
const STRAY = segment(CLIENT, 40001, SERVER, 80, FLAG.ack, { seq: 1, ack: 1 });

describe("packets", () => {
  test("are told with verdict and reason, and nothing is while nothing is debugged", () => {
    rig.send(1, SYN);
    expect(rig.lines).toEqual([]);
    rig.debug("ip packet");
    rig.send(2, back(FLAG.syn | FLAG.ack, { seq: 9000, ack: 1001 }));
    expect(rig.lines).toEqual([
      `IP: s=${SERVER} (GigabitEthernet0/1), d=${CLIENT} (GigabitEthernet0/0), len 40, TCP 80 -> 40000 SYN ACK, ` +
        "pass established: belongs to a session, session 00000001",
    ]);
  });

  test.each<[DebugTopic, number]>([
    ["ip packet", 3],
    ["ip packet drop", 1],
    ["ip inspect tcp", 2],
    ["ip inspect udp", 1],
    ["ip inspect icmp", 0],
    ["ip inspect events", 1],
    ["ipv6 packet", 0],
  ])("%s tells of %i of three", (topic, count) => {
    rig.watch.configure({ topics: [topic], conditions: [] }, rig.firewall.dataplane);
    rig.send(1, SYN, datagram(CLIENT, 5, SERVER, 53));
    rig.send(1, STRAY);
    const packets = rig.lines.filter((line) => line.startsWith("IP: "));
    expect(packets).toHaveLength(count);
  });

  test("detailed has numbers and windows", () => {
    rig.debug("ip inspect tcp", "ip inspect detailed");
    rig.send(1, SYN);
    expect(rig.lines[0]).toMatch(/TCP 40000 -> 80 SYN seq 1000 ack 0 win \d+, ttl \d+, pass new_session/);
  });

  test("conditions are looked at before the bound", () => {
    rig.configure({ topics: ["ip packet"], conditions: [{ kind: "ip", address: parseAddress(SERVER)! }] });
    const others = Array.from({ length: 60 }, (_, i) => datagram(CLIENT, 100 + i, "192.0.2.1", 53));
    for (let i = 0; i < 4; i++) rig.send(1, ...others);
    rig.send(1, SYN);
    expect(rig.lines).toHaveLength(1);
    expect(rig.dropped).toBe(0);
  });

  test("too many are counted, and told", () => {
    rig.debug("ip packet");
    const flood = Array.from({ length: 60 }, (_, i) => datagram(CLIENT, 100 + i, SERVER, 53));
    for (let i = 0; i < 4; i++) rig.send(1, ...flood);
    rig.run(2000);
    expect(rig.lines).toHaveLength(DEBUG_LINES_PER_SECOND);
    expect(rig.dropped).toBe(4 * 60 - DEBUG_LINES_PER_SECOND);
  });
});

describe("sessions", () => {
  const CREATED = `CBAC OBJ_CREATE: create sis 00000001 udp (${CLIENT}:5) => (${SERVER}:6)`;

  test("without an audit trail are told of to debug, and not to the log", () => {
    rig.debug("ip inspect object-creation", "ip inspect object-deletion");
    rig.send(1, datagram(CLIENT, 5, SERVER, 6));
    rig.run(UDP_MS + SWEEP_MS);
    expect(rig.lines).toEqual([
      CREATED,
      `CBAC OBJ_DELETE: delete sis 00000001 udp (${CLIENT}:5) => (${SERVER}:6) expired bytes 20:0`,
    ]);
    expect(rig.events).toEqual([]);
    rig.debug();
    rig.send(1, datagram(CLIENT, 7, SERVER, 8));
    expect(rig.lines).toHaveLength(2);
    expect(rig.firewall.dataplane.eventCount).toBe(0);
  });

  test("with one are told of once, also when they end between two batches, or by an operator", () => {
    rig = new Rig(AUDITED);
    rig.send(1, datagram(CLIENT, 5, SERVER, 6));
    rig.run(UDP_MS + SWEEP_MS);
    rig.send(1, datagram(CLIENT, 5, SERVER, 6));
    rig.firewall.dataplane.clearSessions();
    rig.box.tellEvents(rig.nowMs);
    rig.box.tellEvents(rig.nowMs);
    expect(rig.events.map((event) => `${event.type} ${"cause" in event ? event.cause : ""}`)).toEqual([
      "session_start ",
      "session_stop expired",
      "session_start ",
      "session_stop cleared",
    ]);
  });
});

describe("a capture", () => {
  const FRAME = Uint8Array.from({ length: 60 }, (_, i) => i);

  test("sees what the box itself sends, and marks it", () => {
    rig.tap.configure({ arriving: [], leaving: [OUTSIDE], snapBytes: 100 });
    rig.transmit(OUTSIDE, FRAME, false);
    rig.transmit(INSIDE, FRAME, false);
    expect(rig.io.sent.map(({ port }) => port)).toEqual([1, 0]);
    expect(rig.captured()).toMatchObject([
      { direction: "out", isOwn: true, egress: OUTSIDE, ingress: 0, session: 0n, rule: 0, data: FRAME },
    ]);
  });

  test("has seen a frame that was resolved when it was decided", () => {
    rig.tap.configure({ arriving: [], leaving: [OUTSIDE], snapBytes: 100 });
    rig.transmit(OUTSIDE, FRAME, true);
    expect(rig.io.sent).toHaveLength(1);
    expect(rig.captured()).toEqual([]);
  });
});
