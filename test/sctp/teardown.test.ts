/** Whose a packet is, and how an association ends (RFC 9260 sections 8.4, 8.5, 9). */
import { describe, expect, test } from "vitest";
import { TAG_REFLECTED, type Chunk } from "../../src/sctp/chunk.js";
import type { SctpAction } from "../../src/sctp/index.js";
import { ABORT, agree, recording, trace } from "./helpers.js";
import { kindsOf, packetsOf, parse, SEED_DEFAULTS, SIDES, World } from "./world.js";

describe("verification tags (section 8.5.1)", () => {
  const complete: Chunk = { kind: "shutdownComplete", flags: 0 };
  const reflected = (chunk: Chunk): Chunk => ({ ...chunk, flags: TAG_REFLECTED });

  function stateAfter(chunk: Chunk, tag: "local" | "peer" | "wrong", from: "established" | "ending"): string {
    const world = new World({ seed: 1 }).connect();
    if (from === "ending") {
      world.intercept = (_from, _path, bytes) =>
        parse(bytes).chunks[0]!.kind === "shutdownComplete" ? undefined : bytes;
      world.step("a", { kind: "shutdown" });
      world.runFor(10);
    }
    const { localTag, peerTag } = world.endpoints.b.view();
    world.provoke("b", [chunk], {
      verificationTag: { local: localTag, peer: peerTag, wrong: localTag ^ 1 }[tag],
    });
    return world.endpoints.b.view().state;
  }

  test.each([
    ["local", ABORT, "CLOSED"],
    ["peer", ABORT, "ESTABLISHED"],
    ["wrong", ABORT, "ESTABLISHED"],
    ["local", reflected(ABORT), "ESTABLISHED"],
    ["peer", reflected(ABORT), "CLOSED"],
    ["wrong", reflected(ABORT), "ESTABLISHED"],
  ] as const)("%s tag, ABORT %o", (tag, chunk, state) => {
    expect(stateAfter(chunk, tag, "established")).toBe(state);
  });

  test.each([
    ["local", complete, "CLOSED"],
    ["peer", complete, "SHUTDOWN-ACK-SENT"],
    ["wrong", complete, "SHUTDOWN-ACK-SENT"],
    ["local", reflected(complete), "SHUTDOWN-ACK-SENT"],
    ["peer", reflected(complete), "CLOSED"],
    ["wrong", reflected(complete), "SHUTDOWN-ACK-SENT"],
  ] as const)("%s tag, SHUTDOWN COMPLETE %o", (tag, chunk, state) => {
    expect(stateAfter(chunk, tag, "ending")).toBe(state);
  });

  test("every other chunk with a wrong tag is not looked at", () => {
    const world = new World({ seed: 1 }).connect();
    world.runFor(100);
    const chunks: Chunk[] = [
      { kind: "data", flags: 3, tsn: 1, stream: 0, ssn: 0, payloadProtocolId: 0, bytes: new Uint8Array(9) },
      { kind: "sack", flags: 0, cumulativeTsn: 1, advertisedWindow: 1, gaps: [], duplicates: [] },
      { kind: "heartbeat", flags: 0, parameters: [] },
      { kind: "heartbeatAck", flags: 0, parameters: [] },
      { kind: "shutdown", flags: 0, cumulativeTsn: 1 },
      { kind: "shutdownAck", flags: 0 },
      { kind: "error", flags: 0, causes: [] },
      { kind: "cookieAck", flags: 0 },
    ];
    const { localTag } = world.endpoints.b.view();
    world.step("b", { kind: "tick" });
    const before = world.endpoints.b.fingerprint();
    for (const chunk of chunks) {
      for (const verificationTag of [localTag ^ 1, 0]) {
        expect(world.provoke("b", [chunk], { verificationTag })).toEqual([]);
      }
    }
    expect(world.endpoints.b.fingerprint()).toBe(before);
  });
});

describe("out of the blue (section 8.4)", () => {
  const data: Chunk = {
    kind: "data",
    flags: 3,
    tsn: 1,
    stream: 0,
    ssn: 0,
    payloadProtocolId: 0,
    bytes: new Uint8Array(9),
  };
  const stale: Chunk = {
    kind: "error",
    flags: 0,
    causes: [{ kind: "staleCookie", stalenessMicroseconds: 1 }],
  };

  test.each<[Chunk[], string[]]>([
    [[data], ["abort"]],
    [[{ kind: "heartbeat", flags: 0, parameters: [] }], ["abort"]],
    [[{ kind: "shutdown", flags: 0, cumulativeTsn: 1 }], ["abort"]],
    [[{ kind: "shutdownAck", flags: 0 }], ["shutdownComplete"]],
    [[{ kind: "shutdownComplete", flags: 0 }], []],
    [[{ kind: "cookieAck", flags: 0 }], []],
    [[stale], []],
    [[ABORT], []],
    [[data, ABORT], []],
  ])("%o", (chunks, kinds) => {
    const world = new World({ seed: 1 });
    world.step("b", { kind: "listen" });
    const answers = world.provoke("b", chunks, { verificationTag: 0x1234 });
    expect(kindsOf(answers)).toEqual(kinds);
    for (const { verificationTag, chunks } of answers) {
      expect(verificationTag).toBe(0x1234);
      expect(chunks[0]!.flags).toBe(TAG_REFLECTED);
    }
  });

  test("a peer that lost the association says so, and a new one is set up", () => {
    const world = new World({ seed: 1 }).connect();
    world.restart("b");
    world.step("b", { kind: "listen" });
    world.send("a", 0, 100);
    world.runFor(2000);
    agree(world);
    expect(world.actions("a", "down")).toEqual([{ kind: "down", reason: "peer_abort", wasUp: true }]);
  });
});

describe("ending", () => {
  const reasons = (world: World) =>
    SIDES.map((side) => world.actions(side, "down").map(({ reason }) => reason));

  test("by SHUTDOWN: what was queued arrives, then three packets", () => {
    const world = recording(5, { b: { reconnect: "off" } }).connect();
    for (let i = 0; i < 30; i++) for (const side of SIDES) world.send(side, i % 3, 8000);
    world.step("a", { kind: "shutdown" });
    expect(world.endpoints.a.view().state).toBe("SHUTDOWN-PENDING");
    expect(world.send("a", 0, 10)).toBe(false);
    world.runFor(5000);
    expect([world.expected.a.received, world.expected.b.received]).toEqual([30, 30]);
    expect(trace(world).slice(-3)).toEqual(["a shutdown", "b shutdownAck", "a shutdownComplete"]);
    expect(reasons(world)).toEqual([["shutdown"], ["peer_shutdown"]]);
    for (const side of SIDES)
      expect(world.endpoints[side].view()).toMatchObject({ state: "CLOSED", isUp: false });
  });

  test("by both at once", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = recording(seed, { faults: { loss: 0.1, jitterMs: 4 } }).connect();
      world.runFor(1000);
      for (const side of SIDES) world.send(side, 0, 5000);
      for (const side of SIDES) world.step(side, { kind: "shutdown" });
      world.runFor(20_000);
      expect(reasons(world)).toEqual([["shutdown"], ["shutdown"]]);
      expect([world.expected.a.received, world.expected.b.received]).toEqual([1, 1]);
    }
  });

  test("with any of its packets lost", () => {
    for (const kind of ["shutdown", "shutdownAck", "shutdownComplete"]) {
      const world = recording(1, { b: { reconnect: "off" } }).connect();
      let lost = 0;
      world.intercept = (_from, _path, bytes) =>
        parse(bytes).chunks.some((chunk) => chunk.kind === kind) && lost++ === 0 ? undefined : bytes;
      world.step("a", { kind: "shutdown" });
      world.runFor(5000);
      expect(lost).toBeGreaterThan(0);
      expect(reasons(world)).toEqual([["shutdown"], ["peer_shutdown"]]);
    }
  });

  test("of a peer that does not answer any more", () => {
    const world = recording().connect();
    world.runFor(10);
    world.cut(true);
    world.step("a", { kind: "shutdown" });
    world.runFor(60_000);
    expect(reasons(world)[0]).toEqual(["unreachable"]);
    expect(trace(world).filter((line) => line === "a shutdown")).toHaveLength(5);
  });

  test("of a peer that answers, but never ends: the guard (section 9.2)", () => {
    const world = new World({ seed: 1, a: { pathRetransmit: 10, assocRetransmit: 10 } }).connect();
    world.intercept = (from, _path, bytes) =>
      from === "b" && parse(bytes).chunks[0]!.kind === "shutdownAck" ? undefined : bytes;
    world.step("a", { kind: "shutdown" });
    const startMs = world.nowMs;
    world.runFor(10_000);
    expect(reasons(world)[0]).toEqual(["shutdown_timeout"]);
    expect(world.lastAtMs("a", "down") - startMs).toBe(5 * SEED_DEFAULTS.rtoMaxMs);
  });

  test("user data behind a SHUTDOWN is acknowledged with another SHUTDOWN", () => {
    const world = new World({ seed: 1 }).connect();
    world.cut(true, [0], ["a"]);
    world.step("a", { kind: "shutdown" });
    expect(world.endpoints.a.view().state).toBe("SHUTDOWN-SENT");
    const actions: SctpAction[] = [];
    world.intercept = (from, _path, bytes) => {
      if (from === "a") actions.push({ kind: "transmit", from: 0, to: 0, udpPort: 0, bytes });
      return bytes;
    };
    world.send("b", 0, 100);
    world.runFor(2);
    expect(kindsOf(packetsOf(actions))).toEqual(["shutdown+sack"]);
    expect(world.expected.a.received).toBe(1);
  });

  test("by ABORT, at once and without what was queued", () => {
    const world = recording(1, { b: { reconnect: "off" } }).connect();
    for (let i = 0; i < 30; i++) world.send("a", 0, 8000);
    world.step("a", { kind: "abort" });
    expect(parse(world.sent.at(-1)!.bytes).chunks).toMatchObject([
      { kind: "abort", causes: [{ kind: "userInitiatedAbort" }] },
    ]);
    world.runFor(1000);
    expect(reasons(world)).toEqual([["abort"], ["peer_abort"]]);
    expect(world.endpoints.a.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("an endpoint that was ended refuses INITs until it is opened again", () => {
    const world = new World({ seed: 1 }).connect();
    world.step("a", { kind: "shutdown" });
    world.runFor(10_000);
    expect(world.endpoints.a.view()).toMatchObject({ state: "CLOSED", mode: "disabled" });
    expect(world.endpoints.a.view().counters.init_unwelcome).toBeGreaterThan(1);
    expect(world.actions("b", "down").map(({ wasUp }) => wasUp)).toContain(false);
    world.step("a", { kind: "listen" });
    world.runFor(5000);
    agree(world);
  });
});
