/** The end of a box in order: what hosts are told before its addresses are gone. */
import { expect, test } from "vitest";
import { parse } from "../../src/config/parse.js";
import { DebugOutlet } from "../../src/debug/outlet.js";
import { formatMac, type Mac, parseIp } from "../../src/frame.js";
import { ControlBox } from "../../src/live/control-box.js";
import { newMessageRing, readToDataplane, writeToControl } from "../../src/live/messages.js";
import { RingReader, RingWriter } from "../../src/ring.js";
import { Router } from "../../src/router/index.js";

const LAN = "GigabitEthernet0/0";
const VIRTUAL_MAC = "0005.73a0.0001";
const SLOTS = 256;
const ETHERNET_HEADER = 14;
const ROUTER_ADVERTISEMENT = 134;
const LIFETIME = 6;

interface Advertisement {
  readonly sourceMac: Mac;
  readonly lifetimeSeconds: number;
}

/** A box on a LAN without its dataplane: what it sends, and what it hears. */
class Station {
  readonly box: ControlBox;
  readonly #sent: RingReader;
  readonly #heard: RingWriter;
  readonly advertisements: Advertisement[] = [];

  constructor(number: number) {
    const { config } = parse(
      `interface ${LAN}
 ipv6 address 2001:db8::${number}/64
 standby version 2
 standby 1 ipv6 autoconfig
 standby 1 priority ${100 + number}
 standby 1 preempt
`,
      {},
    );
    const macs = new Map([[LAN, `0200.0000.000${number}`]]);
    const random = (): number => number;
    const [fromDataplane, toDataplane] = [newMessageRing(SLOTS), newMessageRing(SLOTS)];
    this.#sent = new RingReader(toDataplane);
    this.#heard = new RingWriter(fromDataplane);
    this.box = new ControlBox({
      node: { config, macs, random, secret: new Uint8Array(32), software: "test", sessions: 1024 },
      router: new Router({ config, macs, mtus: new Map(), random }),
      interfaces: ["", LAN],
      fromDataplane,
      toDataplane,
      wakeDataplane: () => {},
      report: () => {},
      debug: new DebugOutlet(() => {}),
    });
    this.box.start(0);
    this.box.setLink(LAN, true, 0);
  }

  hear(frame: Uint8Array): void {
    writeToControl(this.#heard, { kind: "local", interface: 1, networkOffset: ETHERNET_HEADER, frame });
  }

  /** Frames that left since. */
  take(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let each = readToDataplane(this.#sent); each !== undefined; each = readToDataplane(this.#sent)) {
      if (each.kind !== "transmit") continue;
      frames.push(each.frame);
      this.#note(each.frame);
    }
    return frames;
  }

  #note(frame: Uint8Array): void {
    const { payload } = parseIp(frame.subarray(ETHERNET_HEADER)) ?? {};
    if (payload?.[0] !== ROUTER_ADVERTISEMENT) return;
    const lifetimeSeconds = payload[LIFETIME]! * 256 + payload[LIFETIME + 1]!;
    this.advertisements.push({ sourceMac: formatMac(frame.subarray(6, 12)), lifetimeSeconds });
  }
}

function run(stations: readonly Station[], fromMs: number, ms: number): number {
  for (let nowMs = fromMs; nowMs <= fromMs + ms; nowMs += 10) {
    for (const station of stations) {
      while (station.box.turn(nowMs));
      for (const frame of station.take())
        for (const other of stations) if (other !== station) other.hear(frame);
    }
  }
  return fromMs + ms;
}

test("a router that nobody takes over is ended by its last advertisement, from its virtual address", () => {
  const alone = new Station(1);
  const nowMs = run([alone], 0, 40_000);
  expect(alone.advertisements.length).toBeGreaterThan(0);
  expect(alone.advertisements.every(({ lifetimeSeconds }) => lifetimeSeconds > 0)).toBe(true);
  alone.box.command({ kind: "stop" }, nowMs);
  alone.take();
  expect(alone.advertisements.at(-1)).toEqual({ sourceMac: VIRTUAL_MAC, lifetimeSeconds: 0 });
  expect(alone.box.isOver).toBe(true);
});

test("one that a standby takes over lives on: hosts keep it, and hear of it from there", () => {
  const [standby, active] = [new Station(1), new Station(2)];
  const nowMs = run([standby, active], 0, 60_000);
  expect(active.box.node.hsrp.views(nowMs)[0]).toMatchObject({
    state: "active",
    standby: { kind: "neighbor" },
  });
  const before = standby.advertisements.length;
  active.box.command({ kind: "stop" }, nowMs);
  for (const frame of active.take()) standby.hear(frame);
  run([standby], nowMs, 100);
  expect(active.advertisements.every(({ lifetimeSeconds }) => lifetimeSeconds > 0)).toBe(true);
  expect(standby.advertisements.length).toBeGreaterThan(before);
  expect(standby.advertisements.at(-1)!.lifetimeSeconds).toBeGreaterThan(0);
});
