/** `debug` in the thread of the machines: two boxes that hear each other, and what they tell of it. */
import { beforeAll, describe, expect, test } from "vitest";
import { ARP_REQUEST, arpMessage } from "../../src/arp.js";
import { parse } from "../../src/config/parse.js";
import { type DebugBatch, DebugOutlet } from "../../src/debug/outlet.js";
import { DEBUG_TOPIC_NAMES, type DebugView } from "../../src/debug/topics.js";
import { ETHERNET, ETHERTYPE_ARP, ethernetFrame, MAC_BROADCAST } from "../../src/frame.js";
import { parseAddress, parseIpv4 } from "../../src/ip.js";
import { ControlBox } from "../../src/live/control-box.js";
import {
  newMessageRing,
  readToDataplane,
  type ToDataplane,
  writeToControl,
} from "../../src/live/messages.js";
import type { BoxName } from "../../src/pair/world.js";
import { RingReader, RingWriter } from "../../src/ring.js";
import { Router } from "../../src/router/index.js";
import { macsOf, SESSIONS_MAX } from "../sim/boxes.js";
import { configText, INSIDE, OUTSIDE, PLAIN, SYNC_LINKS, type Variant } from "../sim/variant.js";
import { ethernet, icmp, ip, udp } from "../support/frames.js";

const SLOTS = 256;
/** Interface numbers; 0 is none. */
const NAMES = ["", INSIDE, OUTSIDE, ...SYNC_LINKS];
const VARIANT: Variant = {
  ...PLAIN,
  priorities: { A: 110, B: 100 },
  bfd: { intervalMs: 100, multiplier: 3 },
};
const ALL: DebugView = { topics: DEBUG_TOPIC_NAMES, conditions: [] };
const HOST_MAC = "0200.0000.0099";

class Half {
  readonly lines: string[] = [];
  dropped = 0;
  readonly outlet = new DebugOutlet(({ lines, dropped }: DebugBatch) => {
    this.lines.push(...lines.map(({ text }) => text));
    this.dropped += dropped;
  });
  readonly box: ControlBox;
  readonly #out: RingReader;
  readonly #in: RingWriter;

  constructor(name: BoxName) {
    const { config } = parse(configText(name, VARIANT));
    const macs = macsOf(name, config);
    const rings = { fromDataplane: newMessageRing(SLOTS), toDataplane: newMessageRing(SLOTS) };
    this.#out = new RingReader(rings.toDataplane);
    this.#in = new RingWriter(rings.fromDataplane);
    // The same numbers in every run.
    let seed = name === "A" ? 1 : 2;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed;
    };
    this.box = new ControlBox({
      ...rings,
      node: {
        config,
        macs,
        random,
        secret: new Uint8Array(32).fill(seed),
        software: "test",
        sessions: SESSIONS_MAX,
      },
      router: new Router({ config, macs, mtus: new Map(), random }),
      interfaces: NAMES,
      wakeDataplane: () => undefined,
      report: () => undefined,
      debug: this.outlet,
    });
  }

  deliver(number: number, frame: Uint8Array): void {
    const message = { kind: "local", interface: number, networkOffset: ETHERNET.size, frame } as const;
    expect(writeToControl(this.#in, message)).toBe(true);
  }

  /** What it has for the thread of the packets. */
  *said(): Generator<ToDataplane, void> {
    for (
      let message = readToDataplane(this.#out);
      message !== undefined;
      message = readToDataplane(this.#out)
    )
      yield message;
  }

  /** The lines so far with a text in them. */
  told(text: string | RegExp): string[] {
    return this.lines.filter((line) => (typeof text === "string" ? line.includes(text) : text.test(line)));
  }
}

const STEP_MS = 5;

class Duo {
  nowMs = 1000;
  readonly halves: Readonly<Record<BoxName, Half>> = { A: new Half("A"), B: new Half("B") };

  run(ms: number): void {
    const untilMs = this.nowMs + ms;
    const { A, B } = this.halves;
    for (; this.nowMs < untilMs; this.nowMs += STEP_MS) {
      for (const half of [A, B]) {
        half.outlet.tick(this.nowMs);
        while (half.box.turn(this.nowMs)) this.#exchange();
        this.#exchange();
      }
    }
  }

  #exchange(): void {
    const { A, B } = this.halves;
    for (const [from, to] of [
      [A, B],
      [B, A],
    ] as const) {
      for (const message of from.said()) {
        if (message.kind === "transmit") to.deliver(message.interface, message.frame);
      }
    }
  }
}

let duo: Duo;
let A: Half;

beforeAll(() => {
  duo = new Duo();
  A = duo.halves.A;
  A.outlet.configure(ALL);
  for (const half of Object.values(duo.halves)) {
    half.box.start(duo.nowMs);
    for (const name of NAMES.slice(1)) half.box.setLink(name, true, duo.nowMs);
  }
  duo.run(4000);
});

describe("a pair that comes up", () => {
  test.each([
    [
      "HSRP packets out",
      /^HSRP: GigabitEthernet0\/0 Grp 1 Hello {2}out 10\.1\.1\.2 Active pri 110 vIP 10\.1\.1\.1 hel 100 ms hol 350 ms MD5 key 0$/,
    ],
    ["HSRP packets in", /^HSRP: GigabitEthernet0\/1 Grp 2 Hello {2}in {2}203\.0\.113\.3 \w+ pri 100 vIP/],
    ["HSRP events", /^HSRP: GigabitEthernet0\/0 Grp 1 Standby -> Active: /],
    ["redundancy states", /^RF: my state ACTIVE, peer state /],
    ["roles", /^RF: role active, generation 1/],
    ["the association", /^SCTP: the association is up$/],
    [
      "its packets",
      /^SCTP: (sent|rcvd) 10\.255\.1\.\d -> 10\.255\.1\.\d, vtag 0x[0-9a-f]{8}, \d+ bytes: \w[\w ]*$/,
    ],
    ["BFD states", /^BFD-DEBUG Event: \S+ -> \S+ on GigabitEthernet0\/\d state \w+ -> Up, diag none$/],
    [
      "BFD packets",
      /^BFD-DEBUG Packet: Tx IP:\S+ GigabitEthernet0\/\d ld\/rd:\d+\/\d+ diag:\w+ \w+ P\/F:\d\/\d mult:3 tx:\d+ us rx:\d+ us seq:\d+$/,
    ],
    ["what is wanted of the sessions", /^FW-HA: activate generation=1 hasRival=false$/],
    [
      "ARP out",
      /^IP ARP: sent (req|rep) src 10\.1\.1\.1 0000\.0c9f\.f001, dst 10\.1\.1\.1 ffff\.ffff\.ffff GigabitEthernet0\/0$/,
    ],
    ["ARP in", /^IP ARP: rcvd req src \S+ \S+, dst \S+ GigabitEthernet0\/\d \(arp_requests_received.*\)$/],
    ["neighbours", /^IP ARP: entry for 10\.255\.1\.3 GigabitEthernet0\/2, hw /],
  ])("tells of %s", (_, line) => {
    expect(A.told(line).slice(0, 1)).toEqual([expect.stringMatching(line)]);
  });

  test("tells nothing while nothing is debugged", () => {
    expect(duo.halves.B.lines).toEqual([]);
  });

  test("tells of a neighbour once, not whenever something is sent to it", () => {
    expect(A.told("entry for 10.255.1.3 GigabitEthernet0/2, hw")).toHaveLength(1);
  });
});

/** What A tells of a frame, under conditions. */
function toldOf(number: number, frame: Uint8Array, view: DebugView): string[] {
  // The budget of the lines before is full again.
  A.outlet.configure({ topics: [], conditions: [] });
  duo.run(2000);
  A.lines.length = 0;
  A.outlet.configure(view);
  A.deliver(number, frame);
  duo.run(50);
  return [...A.lines];
}

const to = (frame: Uint8Array, mac: readonly number[]): Uint8Array => {
  frame.set(mac);
  return frame;
};
const OWN_MAC = [0x02, 0, 0, 0, 0, 0x0a];
const echo = () =>
  to(
    ethernet(ip({ source: "10.1.1.5", destination: "10.1.1.2" }, icmp({ type: 8, identifier: 7 }))),
    OWN_MAC,
  );
const only = (...topics: DebugView["topics"]): DebugView => ({ topics, conditions: [] });

describe("a frame from outside", () => {
  test("ARP for another station, and what becomes of it", () => {
    const sender = { mac: HOST_MAC, address: parseIpv4("10.1.1.5")! };
    const message = arpMessage(ARP_REQUEST, sender, {
      mac: "0000.0000.0000",
      address: parseIpv4("10.1.1.77")!,
    });
    const frame = ethernetFrame(MAC_BROADCAST, HOST_MAC, ETHERTYPE_ARP, message);
    const [first] = toldOf(1, frame, only("arp"));
    expect(first).toMatch(
      /^IP ARP: rcvd req src 10\.1\.1\.5 0200\.0000\.0099, dst 10\.1\.1\.77 GigabitEthernet0\/0 \(arp_requests_received/,
    );
  });

  test("a ping and its answer", () => {
    expect(toldOf(1, echo(), only("ip icmp"))).toEqual([
      expect.stringMatching(
        /^ICMP: echo rcvd, src 10\.1\.1\.5, dst 10\.1\.1\.2, GigabitEthernet0\/0 \(.*echo_answered.*\)$/,
      ),
    ]);
  });

  test("an HSRP packet that is refused, with the reason", () => {
    const far = { source: "10.1.1.9", destination: "224.0.0.102", ttl: 64 };
    const frame = ethernet(
      ip(far, udp({ sourcePort: 1985, destinationPort: 1985, payload: new Uint8Array(8) })),
    );
    const lines = toldOf(1, frame, only("standby errors"));
    expect(lines).toEqual([
      "HSRP: GigabitEthernet0/0 packet from 10.1.1.9 ignored (ttl): the TTL is not 1, or the hop limit not 255: it may have crossed a router",
    ]);
  });

  test("a BFD packet that is refused, with the reason", () => {
    const far = { source: "10.1.1.9", destination: "10.1.1.2", ttl: 64 };
    const frame = ethernet(
      ip(far, udp({ sourcePort: 50_000, destinationPort: 3784, payload: new Uint8Array(24) })),
    );
    expect(toldOf(1, frame, only("bfd event"))).toEqual([
      expect.stringMatching(
        /^BFD-DEBUG Event: packet from 10\.1\.1\.9 on GigabitEthernet0\/0 ignored \(ttl\): /,
      ),
    ]);
  });

  test("what is malformed is told of too", () => {
    const broken = ethernetFrame(MAC_BROADCAST, HOST_MAC, ETHERTYPE_ARP, new Uint8Array(28));
    expect(toldOf(1, broken, only("arp"))).toEqual([
      "IP ARP: rcvd malformed message GigabitEthernet0/0 (arp_malformed)",
    ]);
  });

  test("conditions: an address or an interface, any of them", () => {
    const about = (address: string): DebugView => ({
      topics: ["ip icmp"],
      conditions: [{ kind: "ip", address: parseAddress(address)! }],
    });
    const on = (name: string): DebugView => ({
      topics: ["ip icmp"],
      conditions: [
        { kind: "interface", interface: name },
        { kind: "ip", address: parseIpv4("192.0.2.1")! },
      ],
    });
    expect(toldOf(1, echo(), about("10.1.1.5"))).toHaveLength(1);
    expect(toldOf(1, echo(), about("10.1.1.6"))).toEqual([]);
    expect(toldOf(1, echo(), on(INSIDE))).toHaveLength(1);
    expect(toldOf(1, echo(), on(OUTSIDE))).toEqual([]);
  });
});
