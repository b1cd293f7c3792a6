/** The endpoint as a machine: counters, clones, the same bytes from the same seed, options. */
import { expect, test } from "vitest";
import type { EndpointOptions } from "../../src/sctp/index.js";
import { calm } from "./helpers.js";
import { SIDES, World } from "./world.js";

test("counters of both ends add up", () => {
  const world = new World({ seed: 1, paths: 2 }).connect();
  for (let i = 0; i < 30; i++) {
    for (const side of SIDES) world.send(side, i % 3, 1 + i * 200);
    world.runFor(10);
  }
  // Long enough for the last SACK, short enough that nothing is under way.
  world.runFor(500);
  const [a, b] = SIDES.map((side) => world.endpoints[side].view().counters);
  for (const [from, to] of [
    [a!, b!],
    [b!, a!],
  ] as const) {
    expect(from.packets_sent).toBe(to.packets_received);
    expect(from.bytes_sent).toBe(to.bytes_received);
    expect(from.data_sent).toBe(to.data_received);
    expect(from.sacks_sent).toBe(to.sacks_received);
    expect([from.messages_queued, to.messages_received]).toEqual([30, 30]);
    expect(from.data_sent).toBeGreaterThan(60);
  }
});

test("a clone goes its own way from the same state", () => {
  const world = calm({ paths: 2 });
  for (let i = 0; i < 5; i++) world.send("a", 0, 5000);
  const { a } = world.endpoints;
  const copy = a.clone();
  expect(copy.fingerprint()).toBe(a.fingerprint());
  expect(copy.view()).toEqual(a.view());
  const before = a.fingerprint();
  copy.step({ kind: "abort" }, world.nowMs);
  expect(copy.view().state).toBe("CLOSED");
  expect(a.fingerprint()).toBe(before);
  world.runFor(2000);
  expect(world.expected.b.received).toBe(5);
});

test("the same seed gives the same packets, byte for byte", () => {
  const run = () => {
    const world = new World({ seed: 42, paths: 2, faults: { loss: 0.1, duplicate: 0.1, jitterMs: 10 } });
    world.isRecording = true;
    world.connect();
    for (let i = 0; i < 50; i++) {
      for (const side of SIDES) world.send(side, i % 3, 1 + i * 97);
      world.runFor(20);
    }
    world.runFor(5000);
    return world.sent.map(({ atMs, from, path, bytes }) => [
      atMs,
      from,
      path,
      Buffer.from(bytes).toString("hex"),
    ]);
  };
  expect(run()).toEqual(run());
});

test("options that contradict each other are refused", () => {
  const make = (options: Partial<EndpointOptions>) => () => new World({ seed: 1, a: options });
  const wrong: Partial<EndpointOptions>[] = [
    { localPort: 0 },
    { remotePort: 65_536 },
    { localAddresses: [] },
    { remoteAddresses: [1, 2, 3] },
    { remoteAddresses: [1, 1] },
    { remoteAddresses: [1n] },
    { rtoMinMs: 601 },
    { rtoMinMs: 0 },
    { pathRetransmit: -1 },
    { heartbeatMs: 0 },
    { sackDelayMs: 300 },
    { mtu: 255 },
    { mtu: 65_508 },
    { burstMax: 0 },
    { streams: 0 },
    { streams: 1025 },
    { receiveQueueBytes: 1499 },
    { messageBytesMax: 600_000 },
    { reconnect: { minMs: 2, maxMs: 1 } },
  ];
  for (const options of wrong)
    expect(make(options), JSON.stringify(Object.keys(options))).toThrow(RangeError);
  expect(make({})).not.toThrow();
});
