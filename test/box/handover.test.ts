/** A role goes from one box to the other: no frame is lost, and none is decided by both or by neither. */
import { beforeEach, describe, expect, test } from "vitest";
import { formatMac, type Mac } from "../../src/frame.js";
import { BOUNCE_MS, SUCCESSION_MS, WAITING_MAX } from "../../src/live/handover.js";
import type { Sent } from "../../src/live/list-io.js";
import type { ToDataplane } from "../../src/live/messages.js";
import { configOf, DEVICES, host, liveRouter, own } from "../forward/network.js";
import { ethernet, FLAG, icmp, ipv4, tcp, udp } from "../support/frames.js";
import { WireBox } from "./wire.js";

const [INSIDE, OUTSIDE] = DEVICES as [(typeof DEVICES)[0], (typeof DEVICES)[0]];
const VLAN20 = DEVICES[3]!;
const VIRTUAL: Mac = "0000.0c07.ac01";
const PEER: Mac = "0200.0000.00bb";
const HOP: Mac = "0200.aaaa.0002";
const SERVER = host(OUTSIDE.number, false, 2);
const bytesOf = (mac: Mac): number[] => [...Buffer.from(mac.replaceAll(".", ""), "hex")];

const transit = (mark: number, destination: readonly number[] = bytesOf(VIRTUAL)): Uint8Array =>
  ethernet(
    ipv4(
      { source: host(INSIDE.number, false, 50), destination: SERVER },
      udp({ sourcePort: 5000, destinationPort: 6000, payload: Uint8Array.of(mark) }),
    ),
    { destination },
  );
const ping = ethernet(
  ipv4({ source: host(INSIDE.number, false, 50), destination: own(INSIDE.number, false) }, icmp({ type: 8 })),
  { destination: INSIDE.mac },
);
const inside = (frame: Uint8Array) => ({ frame, carrier: INSIDE.number });
/** The last byte of the payload, and the destination. */
const told = (sent: readonly Sent[]) =>
  sent.map(({ port, frame }) => [port, frame[ipEnd(frame) - 1], formatMac(frame.subarray(0, 6))]);
const ipEnd = (frame: Uint8Array): number => {
  const at = frame[12] === 0x81 ? 18 : 14;
  return at + ((frame[at + 2]! << 8) | frame[at + 3]!);
};

const station = (isOwned: boolean): ToDataplane => ({
  kind: "station",
  interface: INSIDE.number,
  mac: VIRTUAL,
  isOwned,
  ...(!isOwned && { successor: PEER }),
});
const drain = (isDraining: boolean): ToDataplane => ({
  kind: "sessions",
  input: { kind: "drain", isDraining },
});
const activate: ToDataplane = {
  kind: "sessions",
  input: { kind: "activate", generation: 1, hasRival: false },
};
const deactivate: ToDataplane = { kind: "sessions", input: { kind: "deactivate" } };

let wire: WireBox;
beforeEach(() => {
  const dataplane = liveRouter(configOf([]));
  dataplane.forwarding.setNeighbor(OUTSIDE.number, SERVER, HOP);
  wire = new WireBox(dataplane);
  wire.order(activate, station(true));
});

describe("while the last records are on their way", () => {
  beforeEach(() => {
    expect(told(wire.arrive(inside(transit(1))))).toEqual([[OUTSIDE.port, 1, HOP]]);
    wire.order(drain(true));
  });

  test("packets wait, but what is for the box itself is taken", () => {
    expect(wire.arrive(inside(transit(2)))).toEqual([]);
    wire.io.arriving.push(inside(ping));
    expect(wire.pass(0)[0]).toMatchObject({ kind: "local", interface: INSIDE.number, frame: ping });
  });

  test("they go on to the box that has the address, in their order, when it has the role", () => {
    wire.arrive(inside(transit(2)), inside(transit(3)));
    wire.order(drain(false), deactivate, station(false));
    expect(wire.arrive(inside(transit(4)))).toEqual([]);
    wire.order({ kind: "succeeded" });
    const sent = wire.sent();
    expect(told(sent)).toEqual([2, 3, 4].map((mark) => [INSIDE.port, mark, PEER]));
    expect(sent.map(({ frame }) => [...frame.subarray(6, 12)])).toEqual(sent.map(() => INSIDE.mac));
    // Switches learn late.
    expect(told(wire.arrive(inside(transit(5))))).toEqual([[INSIDE.port, 5, PEER]]);
    expect(wire.box.counters.bounced).toBe(4);
    wire.pass(BOUNCE_MS);
    expect(wire.arrive(inside(transit(6)))).toEqual([]);
    expect(wire.sessions.dataplane.counters().reasons.not_for_us?.packets).toBe(2);
  });

  test("they are decided here when the other box does not take over", () => {
    wire.arrive(inside(transit(2)), inside(transit(3)));
    wire.order(drain(false), activate);
    expect(told(wire.sent())).toEqual([2, 3].map((mark) => [OUTSIDE.port, mark, HOP]));
    expect(told(wire.arrive(inside(transit(4))))).toEqual([[OUTSIDE.port, 4, HOP]]);
    expect(wire.box.counters.bounced).toBe(0);
  });

  test("more than fit into a batch are decided, all of them", () => {
    const marks = Array.from({ length: 300 }, (_, i) => i & 255);
    for (const mark of marks) wire.arrive(inside(transit(mark)));
    wire.order(drain(false), activate);
    expect(told(wire.sent()).map(([, mark]) => mark)).toEqual(marks);
  });

  test("more than may wait are dropped, and counted", () => {
    for (let i = 0; i < WAITING_MAX + 3; i++) wire.arrive(inside(transit(1)));
    expect(wire.box.counters.waitingFull).toBe(3);
    wire.order(drain(false), deactivate, station(false), { kind: "succeeded" });
    expect(wire.sent()).toHaveLength(WAITING_MAX);
  });

  test("a packet for the own address of the device waits too, and nobody has that address afterwards", () => {
    wire.arrive(inside(transit(2, INSIDE.mac)));
    wire.order(drain(false), deactivate, station(false), { kind: "succeeded" });
    expect(wire.sent()).toEqual([]);
  });

  test("a tagged frame keeps its tag, and a merged one waits as the frames that it was made of", () => {
    const ends = { source: host(VLAN20.number, false, 9), destination: SERVER };
    const payload = Uint8Array.from({ length: 25 }, (_, i) => i);
    const segment = tcp({ sourcePort: 5, destinationPort: 6, seq: 100, flags: FLAG.ack | FLAG.psh, payload });
    const frame = ethernet(ipv4(ends, segment), { destination: bytesOf(VIRTUAL), tags: [VLAN20.vlan] });
    const onVlan = (isOwned: boolean): ToDataplane =>
      ({ ...station(isOwned), interface: VLAN20.number }) as ToDataplane;
    wire.order(onVlan(true));
    wire.arrive({ frame, carrier: 3, segment: 10 });
    wire.order(drain(false), deactivate, onVlan(false), { kind: "succeeded" });
    const sent = wire.sent();
    expect(sent.map(({ port }) => port)).toEqual([0, 0, 0]);
    expect(sent.map(({ frame: each }) => [...each.subarray(12, 16)])).toEqual(
      sent.map(() => [0x81, 0, 0, 20]),
    );
    const data = sent.map(({ frame: each }) => [...each.subarray(18 + 40, ipEnd(each))]);
    expect(data).toEqual([
      [...payload.subarray(0, 10)],
      [...payload.subarray(10, 20)],
      [...payload.subarray(20)],
    ]);
  });
});

test("nobody takes the role: packets wait for so long, and then go to where the address was said to be", () => {
  wire.order(deactivate, station(false));
  expect(wire.arrive(inside(transit(1)))).toEqual([]);
  expect(wire.box.deadlineMs).toBe(SUCCESSION_MS);
  wire.pass(SUCCESSION_MS - 1);
  expect(wire.sent()).toEqual([]);
  wire.pass(1);
  expect(told(wire.sent())).toEqual([[INSIDE.port, 1, PEER]]);
});

test("a role that was in doubt for a moment: what came meanwhile is decided", () => {
  wire.order(deactivate);
  expect(wire.arrive(inside(transit(1)))).toEqual([]);
  wire.order(activate);
  expect(told(wire.sent())).toEqual([[OUTSIDE.port, 1, HOP]]);
});

test("a standby has nothing to hand over", () => {
  const standby = new WireBox(liveRouter(configOf([])));
  standby.order(deactivate);
  expect(standby.arrive(inside(transit(1, INSIDE.mac)))).toEqual([]);
  expect(standby.sessions.dataplane.counters().reasons).toMatchObject({ standby: { packets: 1 } });
  standby.order({ kind: "succeeded" });
  expect(standby.sent()).toEqual([]);
});
