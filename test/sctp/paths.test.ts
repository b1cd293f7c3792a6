/** Paths, time and the detection of failures (RFC 9260 section 8), UDP ports (RFC 6951). */
import { describe, expect, test } from "vitest";
import type { EndpointOptions } from "../../src/sctp/index.js";
import { calm, packetsWith } from "./helpers.js";
import { parse, SEED_DEFAULTS, SIDES, World, type Side } from "./world.js";

describe("detection of a dead peer while user data is outstanding", () => {
  /** From the cut, which is the moment of sending, to "down". */
  function detectionMs(options: Partial<EndpointOptions>): number {
    const world = new World({ seed: 1, a: options, b: options }).connect();
    // Round trips bring the RTO to its minimum.
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 2; j++) world.send("a", 0, 100);
      world.runFor(20);
    }
    expect(world.endpoints.a.view().paths[0]!.rtoMs).toBe(options.rtoMinMs ?? SEED_DEFAULTS.rtoMinMs);
    world.cut(true);
    const startMs = world.nowMs;
    world.send("a", 0, 100);
    expect(world.runFor(200_000, () => world.actions("a", "down").length > 0)).toBe(true);
    expect(world.actions("a", "down")[0]).toEqual({ kind: "down", reason: "unreachable", wasUp: true });
    return world.lastAtMs("a", "down") - startMs;
  }

  test("defaults of the configuration, 300 to 600 ms and 4: 0.3 + 4 x 0.6 s", () => {
    expect(detectionMs({})).toBeCloseTo(2700, 6);
  });

  test("300 to 10000 ms and 10: 68.9 s", () => {
    const options = { rtoMinMs: 300, rtoMaxMs: 10_000, pathRetransmit: 10, assocRetransmit: 10 };
    expect(detectionMs(options)).toBeCloseTo(68_900, 6);
  });

  test.each([2, 3, 4])("assoc-retransmit %i: one error more than that", (assocRetransmit) => {
    expect(detectionMs({ assocRetransmit })).toBeCloseTo(300 + assocRetransmit * 600, 6);
  });

  test("without user data, heartbeats find it", () => {
    const world = new World({ seed: 1 }).connect();
    world.runFor(5000);
    world.cut(true);
    const startMs = world.nowMs;
    world.runFor(60_000, () => world.actions("a", "down").length > 0);
    // Five heartbeats, each after 1 s and half to one and a half RTO, and one RTO for the last answer.
    const tookMs = world.lastAtMs("a", "down") - startMs;
    expect(tookMs).toBeGreaterThan(4 * (1000 + 150) + 300);
    expect(tookMs).toBeLessThan(5 * (1000 + 900) + 600);
  });
});

describe("paths", () => {
  const states = (world: World, side: Side = "a") =>
    world.endpoints[side].view().paths.map(({ state }) => state);

  test("heartbeats confirm both and keep them", () => {
    const world = calm({ paths: 2 });
    expect(states(world)).toEqual(["active", "active"]);
    world.runFor(30_000);
    const perPath = [0, 1].map(
      (path) => packetsWith(world, "a", "heartbeat").filter((each) => each.path === path).length,
    );
    for (const count of perPath) {
      expect(count).toBeGreaterThanOrEqual(30_000 / 1900);
      expect(count).toBeLessThanOrEqual(2 * (30_000 / 1150) + 1);
    }
    expect(states(world)).toEqual(["active", "active"]);
    expect(world.endpoints.a.view().counters.heartbeats_unanswered).toBe(0);
  });

  test("a path in use needs no heartbeats", () => {
    const world = calm();
    world.sent.length = 0;
    for (let i = 0; i < 100; i++) {
      world.send("a", 0, 100);
      world.runFor(100);
    }
    const ofA = packetsWith(world, "a", "heartbeat").filter(
      ({ bytes }) => parse(bytes).chunks[0]!.kind === "heartbeat",
    );
    expect(ofA).toEqual([]);
  });

  test("the first fails: its data goes by the second, new data after path-retransmit errors; and returns", () => {
    const world = calm({ paths: 2 });
    world.cut(true, [0]);
    world.send("a", 0, 1000);
    world.runFor(1000);
    expect(world.expected.b.received).toBe(1);
    expect(packetsWith(world, "a", "data").map(({ path }) => path)).toEqual([0, 1]);

    let errors = world.endpoints.a.view().paths[0]!.errors;
    while (states(world)[0] === "active") {
      expect(errors).toBeLessThanOrEqual(SEED_DEFAULTS.pathRetransmit);
      world.send("a", 0, 100);
      world.runFor(700);
      errors = world.endpoints.a.view().paths[0]!.errors;
    }
    expect(errors).toBe(SEED_DEFAULTS.pathRetransmit + 1);
    expect(world.actions("a", "path").at(-1)).toEqual({ kind: "path", index: 0, isActive: false });
    expect(world.endpoints.a.view().counters.path_failures).toBe(1);
    // Probes have brought the data by the second before T3-rtx of the first expired: heartbeats have found the errors.
    expect(world.endpoints.a.view().counters.heartbeats_unanswered).toBe(errors);
    world.sent.length = 0;
    world.send("a", 0, 100);
    world.runFor(50);
    expect(packetsWith(world, "a", "data").map(({ path }) => path)).toEqual([1]);

    world.cut(false, [0]);
    world.runFor(5000);
    expect(world.actions("a", "path").at(-1)).toEqual({ kind: "path", index: 0, isActive: true });
    world.sent.length = 0;
    world.send("a", 0, 100);
    world.runFor(50);
    expect(packetsWith(world, "a", "data").map(({ path }) => path)).toEqual([0]);
    for (const side of SIDES) expect(world.actions(side, "down")).toEqual([]);
  });

  test("a broken path beside a working one never ends an idle association (section 8.1)", () => {
    for (const path of [0, 1]) {
      const world = calm({ paths: 2, seed: 5 + path });
      world.cut(true, [path]);
      world.runFor(120_000);
      for (const side of SIDES) {
        expect(world.actions(side, "down")).toEqual([]);
        expect(states(world, side)[path]).toBe("inactive");
        expect(states(world, side)[1 - path]).toBe("active");
        expect(world.endpoints[side].view().counters.heartbeats_unanswered).toBeGreaterThan(20);
      }
    }
  });

  test("a path that lost what it timed is timed again when it is back", () => {
    const world = calm({ paths: 2, a: { heartbeatMs: 100_000 } });
    world.cut(true, [0]);
    world.send("a", 0, 1000);
    world.runFor(2000);
    world.cut(false, [0]);
    Object.assign(world.faults[0]!.a, { delayMs: 80 });
    for (let i = 0; i < 40; i++) {
      world.send("a", 0, 100);
      world.runFor(100);
    }
    expect(world.endpoints.a.view().paths[0]!.state).toBe("active");
    expect(world.endpoints.a.view().paths[0]!.srttMs).toBeGreaterThan(80);
  });

  test("cut in one direction only", () => {
    for (const from of SIDES) {
      const world = calm({ paths: 2 });
      world.cut(true, [0], [from]);
      for (let i = 0; i < 50; i++) {
        for (const side of SIDES) world.send(side, 0, 2000);
        world.runFor(100);
      }
      world.runFor(5000);
      expect(world.expected.a.received).toBe(50);
      expect(world.expected.b.received).toBe(50);
      for (const side of SIDES) expect(world.actions(side, "down")).toEqual([]);
    }
  });

  test("both cut: the association is lost, and comes back when they heal", () => {
    const world = calm({ paths: 2 });
    world.cut(true);
    for (const side of SIDES) world.send(side, 0, 100);
    world.runFor(10_000);
    for (const side of SIDES) expect(world.actions(side, "down")[0]!.reason).toBe("unreachable");
    world.cut(false);
    // An INIT is sent at least every RTO.Max, or after the longest rest.
    expect(world.runFor(3000, () => world.isUp())).toBe(true);
  });

  test("two addresses against one are two paths", () => {
    const world = new World({
      seed: 1,
      paths: 2,
      b: { localAddresses: [0x0a000002] },
      a: { remoteAddresses: [0x0a000002] },
    });
    expect(world.endpoints.a.view().paths).toEqual([]);
    world.step("a", { kind: "connect" });
    const { paths } = world.endpoints.a.view();
    expect(paths.map(({ local, remote }) => [local, remote])).toEqual([
      [0x0a000001, 0x0a000002],
      [0xd3000001, 0x0a000002],
    ]);
  });
});

describe("UDP encapsulation (RFC 6951 section 5.4)", () => {
  const ports = (world: World) => world.endpoints.b.view().paths.map(({ udpPort }) => udpPort);

  test("a changed source port is followed when the packet belongs to the association, and only then", () => {
    const world = calm({ paths: 2 });
    expect(ports(world)).toEqual([9899, 9899]);
    const heartbeat = world.forge("b", [{ kind: "heartbeat", flags: 0, parameters: [] }]);
    const wrong = world.forge("b", [{ kind: "heartbeat", flags: 0, parameters: [] }], { verificationTag: 1 });
    const damaged = heartbeat.slice();
    damaged[13]! ^= 1;
    world.deliver("b", 1, wrong, 4000);
    world.deliver("b", 1, damaged, 4000);
    expect(ports(world)).toEqual([9899, 9899]);
    const [answer] = world.deliver("b", 1, heartbeat, 4000);
    expect(answer).toMatchObject({ kind: "transmit", udpPort: 4000 });
    expect(ports(world)).toEqual([9899, 4000]);
  });

  test("port 0 asks for no answer: it is not followed", () => {
    const world = calm();
    const heartbeat = world.forge("b", [{ kind: "heartbeat", flags: 0, parameters: [] }]);
    expect(world.deliver("b", 0, heartbeat, 0)).toMatchObject([{ kind: "transmit", udpPort: 9899 }]);
    expect(ports(world)).toEqual([9899]);
  });

  test("the next association is looked for where the configuration says", () => {
    const world = calm({ b: { remoteUdpPort: 5555 } });
    world.deliver("b", 0, world.forge("b", [{ kind: "heartbeat", flags: 0, parameters: [] }]), 4000);
    expect(ports(world)).toEqual([4000]);
    world.step("b", { kind: "abort" });
    const actions = world.step("b", { kind: "connect" });
    expect(actions).toMatchObject([{ kind: "transmit", udpPort: 5555 }]);
  });

  test("an INIT is answered where it came from and moves nothing", () => {
    const world = calm();
    const init = world.forge("b", [
      {
        kind: "init",
        flags: 0,
        initiateTag: 9,
        advertisedWindow: 65_536,
        outboundStreams: 1,
        inboundStreams: 1,
        initialTsn: 1,
        parameters: [],
      },
    ]);
    const [answer] = world.deliver("b", 0, init, 4001);
    expect(answer).toMatchObject({ kind: "transmit", udpPort: 4001 });
    expect(ports(world)).toEqual([9899]);
  });
});

describe("time", () => {
  test("after a long pause every timer expires once, and the association lives when the peer does", () => {
    const world = calm();
    world.send("a", 0, 100);
    // a is frozen: packets for it wait, its timers are late.
    const waiting: Uint8Array[] = [];
    world.intercept = (from, _path, bytes) => {
      if (from === "b") waiting.push(bytes);
      return from === "b" ? undefined : bytes;
    };
    const { a } = world.endpoints;
    world.runFor(1);
    const laterMs = world.nowMs + 60_000;
    const actions = a.step({ kind: "tick" }, laterMs);
    expect(actions.some(({ kind }) => kind === "down")).toBe(false);
    expect(a.deadlineMs).toBeGreaterThan(laterMs);
    expect(a.view().errors).toBeLessThanOrEqual(2);
  });

  test("a clock that goes back is taken as standing still", () => {
    const world = calm();
    const { a } = world.endpoints;
    const before = a.deadlineMs;
    a.step({ kind: "tick" }, world.nowMs - 1000);
    expect(a.deadlineMs).toBe(before);
  });
});
