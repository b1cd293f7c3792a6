/** Setting up an association (RFC 9260 sections 5.1, 5.4). */
import { describe, expect, test } from "vitest";
import type { Address } from "../../src/ip.js";
import type { Cause } from "../../src/sctp/cause.js";
import type { Chunk, ChunkOf } from "../../src/sctp/chunk.js";
import { COOKIE_LIFE_MS } from "../../src/sctp/cookie.js";
import { Endpoint } from "../../src/sctp/index.js";
import { ABORT, agree, news, recording, trace } from "./helpers.js";
import {
  ADDRESSES,
  kindsOf,
  packetsOf,
  parse,
  PORTS,
  randomOf,
  SEED_DEFAULTS,
  SIDES,
  World,
  type Side,
} from "./world.js";

describe("setting up", () => {
  test("four packets, and nothing is kept before the third", () => {
    const world = recording();
    world.step("b", { kind: "listen" });
    const before = world.endpoints.b.fingerprint();
    world.step("a", { kind: "connect" });
    world.runFor(1);
    // Only the allowance for answers is another.
    const rest = (text: string) => text.replace(/answersUsedAtMs:[^,]*/, "");
    expect(rest(world.endpoints.b.fingerprint())).toBe(rest(before));
    world.runFor(100);
    expect(trace(world).slice(0, 4)).toEqual(["a init", "b initAck", "a cookieEcho", "b cookieAck"]);
    for (const side of SIDES) expect(news(world, side)).toEqual([{ kind: "up" }]);
    agree(world);
  });

  test("INIT and INIT ACK name all addresses, of either family", () => {
    const families = [
      { local: [1, 2], remote: [3, 4], kind: "ipv4Address", type: 5 },
      { local: [1n, 2n], remote: [3n, 4n], kind: "ipv6Address", type: 6 },
    ];
    for (const { local, remote, kind, type } of families) {
      const random = randomOf(1);
      const make = (localPort: number, localAddresses: Address[], remoteAddresses: Address[]) =>
        new Endpoint({
          ...SEED_DEFAULTS,
          localPort,
          remotePort: 3 - localPort,
          localAddresses,
          remoteAddresses,
          random,
          secret: new Uint8Array(1),
        });
      const [a, b] = [make(1, local, remote), make(2, remote, local)];
      const chunks: Chunk[] = [];
      b.step({ kind: "listen" }, 0);
      // Packets go to and fro until both are silent.
      for (let actions = a.step({ kind: "connect" }, 0), to = b; actions.length > 0; to = to === b ? a : b) {
        const packets = actions.filter((action) => action.kind === "transmit");
        chunks.push(...packetsOf(actions).flatMap((packet) => packet.chunks));
        actions = packets.flatMap((action) => to.step({ ...action, kind: "datagram" }, 0));
      }
      const parameters = chunks.flatMap((chunk) => (chunk.kind === "init" ? chunk.parameters : []));
      expect(parameters).toEqual([
        ...local.map((address) => ({ kind, address })),
        { kind: "supportedAddressTypes", values: [type] },
      ]);
      const offered = chunks.flatMap((chunk) => (chunk.kind === "initAck" ? chunk.parameters : []));
      expect(offered).toMatchObject([
        ...remote.map((address) => ({ kind, address })),
        { kind: "stateCookie" },
      ]);
      expect([a.view().state, b.view().state]).toEqual(["ESTABLISHED", "ESTABLISHED"]);
      expect(a.view().paths.map((path) => [path.local, path.remote])).toEqual([
        [local[0], remote[0]],
        [local[1], remote[1]],
      ]);
    }
  });

  test("of different numbers of streams, the smaller", () => {
    const world = new World({ seed: 1, a: { streams: 7 }, b: { streams: 2 } }).connect();
    for (const side of SIDES) {
      expect(world.endpoints[side].view()).toMatchObject({ outboundStreams: 2, inboundStreams: 2 });
    }
    expect(world.send("a", 2, 100)).toBe(false);
    expect(world.send("a", 1, 100)).toBe(true);
  });

  test("both at the same moment: one association", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const world = recording(seed, { faults: { jitterMs: 3 } }).connect();
      world.runFor(5000);
      for (const side of SIDES) expect(news(world, side)).toEqual([{ kind: "up" }]);
      agree(world);
    }
  });

  test("the peer starts later, or the first packets are lost: INIT again, slower each time", () => {
    const world = recording(1, { a: { rtoInitialMs: 300, rtoMaxMs: 2000 } });
    world.cut(true);
    world.step("a", { kind: "connect" });
    world.runFor(3000);
    world.cut(false);
    expect(world.sent.map(({ atMs }) => atMs)).toEqual([0, 300, 900, 2100]);
    world.step("b", { kind: "connect" });
    world.runFor(1000);
    agree(world);
  });

  test("nobody there: given up after Max.Init.Retransmits, and tried again later", () => {
    const world = recording(1, {
      a: { initRetransmit: 3, rtoMaxMs: 400, reconnect: { minMs: 100, maxMs: 300 } },
    });
    world.cut(true);
    world.step("a", { kind: "connect" });
    world.runFor(10_000);
    const downs = world.seen.a.filter(({ action }) => action.kind === "down").map(({ atMs }) => atMs);
    // Four INITs of 400 ms, then 100, 200, 300, 300 ms of rest.
    expect(downs.slice(0, 4)).toEqual([1600, 3300, 5100, 7000]);
    expect(world.actions("a", "down")[0]).toEqual({ kind: "down", reason: "connect_failed", wasUp: false });
    world.cut(false);
    world.step("b", { kind: "listen" });
    world.runFor(5000);
    agree(world);
  });

  test("with reconnection off, once", () => {
    const world = recording(1, { a: { initRetransmit: 1, reconnect: "off" } });
    world.cut(true);
    world.step("a", { kind: "connect" });
    world.runFor(60_000);
    expect(news(world, "a")).toEqual([{ kind: "down", reason: "connect_failed", wasUp: false }]);
    expect(world.sent).toHaveLength(2);
    expect(world.endpoints.a.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("a lost INIT ACK, COOKIE ECHO or COOKIE ACK is sent again", () => {
    for (const kind of ["init", "initAck", "cookieEcho", "cookieAck"]) {
      const world = recording();
      let lost = 0;
      world.intercept = (_from, _path, bytes) => {
        const isFirst = parse(bytes).chunks[0]!.kind === kind && lost++ === 0;
        return isFirst ? undefined : bytes;
      };
      world.step("b", { kind: "listen" });
      world.step("a", { kind: "connect" });
      world.runFor(3000);
      expect(lost).toBeGreaterThan(1);
      agree(world);
      for (const side of SIDES) expect(news(world, side)).toEqual([{ kind: "up" }]);
    }
  });

  /** The first packet with this chunk that a side has sent. */
  function firstWith(world: World, from: Side, kind: string): Uint8Array {
    return world.sent.find((packet) => packet.from === from && parse(packet.bytes).chunks[0]!.kind === kind)!
      .bytes;
  }

  test("user data behind a COOKIE ECHO belongs to the association that it sets up", () => {
    const world = recording();
    world.step("b", { kind: "listen" });
    world.intercept = (_from, _path, bytes) =>
      parse(bytes).chunks[0]!.kind === "cookieEcho" ? undefined : bytes;
    world.step("a", { kind: "connect" });
    world.runFor(5);
    const { chunks, verificationTag } = parse(firstWith(world, "a", "cookieEcho"));
    const initAck = parse(firstWith(world, "a", "init")).chunks[0] as ChunkOf<"init">;
    const data: Chunk = {
      kind: "data",
      flags: 3,
      tsn: initAck.initialTsn,
      stream: 0,
      ssn: 0,
      payloadProtocolId: 0,
      bytes: Uint8Array.of(1, 2, 3),
    };
    const actions = world.endpoints.b.step(
      {
        kind: "datagram",
        from: ADDRESSES.a[0]!,
        to: ADDRESSES.b[0]!,
        bytes: world.forge("b", [...chunks, data], { verificationTag }),
        udpPort: 9899,
      },
      world.nowMs,
    );
    expect(actions.map(({ kind }) => kind)).toEqual(["up", "path", "message", "transmit"]);
    expect(kindsOf(packetsOf(actions))).toEqual(["cookieAck"]);
  });

  test("a cookie that comes back while ours is under way is answered all the same", () => {
    const world = recording();
    const waiting: Uint8Array[] = [];
    world.intercept = (_from, _path, bytes) => {
      if (parse(bytes).chunks[0]!.kind !== "cookieEcho") return bytes;
      waiting.push(bytes);
      return undefined;
    };
    for (const side of SIDES) world.step(side, { kind: "connect" });
    world.runFor(5);
    expect(SIDES.map((side) => world.endpoints[side].view().state)).toEqual([
      "COOKIE-ECHOED",
      "COOKIE-ECHOED",
    ]);
    const ofB = firstWith(world, "b", "cookieEcho");
    expect(waiting).toContain(ofB);
    expect(kindsOf(packetsOf(world.deliver("a", 0, ofB)))).toEqual(["cookieAck"]);
    world.runFor(5);
    agree(world);
  });

  test("before its tag is known, nothing is said to the peer", () => {
    const world = new World({ seed: 1 });
    world.cut(true);
    world.step("a", { kind: "connect" });
    const unknown: Chunk = { kind: "unknown", type: 0xff, flags: 0, bytes: Uint8Array.of(0xff, 0, 0, 4) };
    expect(world.provoke("a", [unknown])).toEqual([]);
    expect(world.endpoints.a.view().counters.chunk_unknown).toBe(1);
  });

  test("the first rest after an association is the short one again", () => {
    const reconnect = { minMs: 100, maxMs: 10_000 };
    const world = recording(1, { a: { initRetransmit: 0, rtoMaxMs: 300, reconnect } });
    world.step("a", { kind: "connect" });
    world.cut(true);
    world.runFor(5000);
    world.cut(false);
    world.step("b", { kind: "listen" });
    expect(world.runFor(30_000, () => world.isUp())).toBe(true);
    world.provoke("a", [ABORT]);
    const downMs = world.nowMs;
    world.sent.length = 0;
    world.runFor(1000);
    expect(world.sent[0]!.atMs - downMs).toBe(100);
  });

  test("on the second path while the first is cut", () => {
    const world = new World({ seed: 1, paths: 2 });
    world.cut(true, [0]);
    world.connect();
    world.runFor(100);
    expect(world.endpoints.a.view().paths.map(({ state }) => state)).toEqual(["unconfirmed", "active"]);
    expect(world.send("a", 0, 5000)).toBe(true);
    world.runFor(100);
    expect(world.expected.b.received).toBe(1);
    world.cut(false, [0]);
    world.runFor(5000);
    expect(world.endpoints.a.view().paths.map(({ state }) => state)).toEqual(["active", "active"]);
  });

  test("a path that the peer does not name is not used", () => {
    const world = new World({ seed: 1, paths: 2 });
    world.intercept = (from, path, bytes) => {
      const [init] = parse(bytes).chunks;
      if (from !== "b" || init?.kind !== "initAck") return bytes;
      const parameters = init.parameters.filter(({ kind }) => kind !== "ipv4Address");
      const header = { sourcePort: PORTS.b, destinationPort: PORTS.a };
      const tag = world.endpoints.a.view().localTag;
      return path === 0
        ? world.forge("a", [{ ...init, parameters }], { ...header, verificationTag: tag })
        : bytes;
    };
    world.step("b", { kind: "listen" });
    world.step("a", { kind: "connect" });
    world.runFor(5000);
    expect(world.endpoints.a.view().paths.map(({ state }) => state)).toEqual(["active", "absent"]);
  });

  test("unknown parameters are reported as their top bits say", () => {
    const world = new World({ seed: 1 });
    world.step("b", { kind: "listen" });
    const unknown = (type: number) => ({
      kind: "unknown" as const,
      type,
      bytes: Uint8Array.of(type >>> 8, type & 255, 0, 5, 7),
    });
    const init: ChunkOf<"init"> = {
      kind: "init",
      flags: 0,
      initiateTag: 9,
      advertisedWindow: 65_536,
      outboundStreams: 1,
      inboundStreams: 1,
      initialTsn: 1,
      parameters: [unknown(0xc001), unknown(0x8001), unknown(0xc002), unknown(0x4001), unknown(0xc003)],
    };
    const [packet] = world.provoke("b", [init]);
    const answer = packet!.chunks[0] as ChunkOf<"initAck">;
    const reports = answer.parameters.filter(({ kind }) => kind === "unrecognizedParameter");
    expect(reports).toEqual(
      [0xc001, 0xc002, 0x4001].map((type) => ({ kind: "unrecognizedParameter", bytes: unknown(type).bytes })),
    );
  });

  test("INITs that cannot be granted", () => {
    const good: ChunkOf<"init"> = {
      kind: "init",
      flags: 0,
      initiateTag: 9,
      advertisedWindow: 1500,
      outboundStreams: 1,
      inboundStreams: 1,
      initialTsn: 1,
      parameters: [],
    };
    const bytes = new Uint8Array(0);
    const cases: [Partial<ChunkOf<"init">>, Cause["kind"] | undefined][] = [
      [{ outboundStreams: 0 }, "invalidParameter"],
      [{ inboundStreams: 0 }, "invalidParameter"],
      [{ advertisedWindow: 1499 }, "invalidParameter"],
      [{ parameters: [{ kind: "hostName", bytes }] }, "unresolvableAddress"],
      [{ initiateTag: 0 }, undefined],
    ];
    for (const [wrong, cause] of cases) {
      const world = new World({ seed: 1 });
      world.step("b", { kind: "listen" });
      const answers = world.provoke("b", [{ ...good, ...wrong }]);
      const chunks = answers.flatMap((packet) => packet.chunks);
      expect(chunks).toMatchObject(cause === undefined ? [] : [{ kind: "abort", causes: [{ kind: cause }] }]);
      expect(answers.every(({ verificationTag }) => verificationTag === 9)).toBe(true);
    }
  });

  test("a cookie that took too long gets a new one with a longer life", () => {
    const slow = { rtoMinMs: 20_000, rtoMaxMs: 20_000 };
    const world = recording(1, { a: slow, b: slow });
    let isHeld = true;
    world.intercept = (from, _path, bytes) =>
      isHeld && from === "a" && parse(bytes).chunks[0]!.kind === "cookieEcho" ? undefined : bytes;
    world.step("b", { kind: "listen" });
    world.step("a", { kind: "connect" });
    world.runFor(COOKIE_LIFE_MS - 1000);
    isHeld = false;
    world.runFor(5000);
    const sent = trace(world).filter((line) => line !== "a heartbeat" && line !== "b heartbeatAck");
    expect(sent.slice(-6).map((line) => line.split(" ")[1])).toContain("error");
    agree(world);
    const inits = world.sent
      .map(({ bytes }) => parse(bytes).chunks[0]!)
      .filter(({ kind }) => kind === "init");
    const last = inits.at(-1) as ChunkOf<"init">;
    expect(last.parameters.some(({ kind }) => kind === "cookiePreservative")).toBe(true);
    expect(world.endpoints.b.view().counters.cookie_stale).toBe(1);
  });
});

test("a peer that finds every cookie stale is given up (section 5.2.6)", () => {
  const world = new World({ seed: 1, a: { initRetransmit: 4, reconnect: "off" } });
  world.step("b", { kind: "listen" });
  world.intercept = (from, _path, bytes) => {
    const [chunk] = parse(bytes).chunks;
    if (from === "a" && chunk!.kind === "cookieEcho") {
      const causes: Cause[] = [{ kind: "staleCookie", stalenessMicroseconds: 1000 }];
      world.transmit("b", 0, world.forge("a", [{ kind: "error", flags: 0, causes }]));
      return undefined;
    }
    return bytes;
  };
  world.step("a", { kind: "connect" });
  world.runFor(60_000);
  expect(news(world, "a")).toEqual([{ kind: "down", reason: "connect_failed", wasUp: false }]);
  expect(world.endpoints.a.view().counters.inits_sent).toBe(5);
});
