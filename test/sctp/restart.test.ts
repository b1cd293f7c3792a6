/** An association whose peer starts anew, and packets of associations that are over (RFC 9260 section 5.2). */
import { describe, expect, test } from "vitest";
import type { Chunk } from "../../src/sctp/chunk.js";
import { ANSWERS_BURST_MAX } from "../../src/sctp/context.js";
import { agree, news, recording } from "./helpers.js";
import { other, parse, SIDES, World, type Side } from "./world.js";

describe("restart", () => {
  test("of the peer: one event, all numbers anew, what was queued is gone", () => {
    for (const side of SIDES) {
      const world = new World({ seed: 3 }).connect();
      const stays = other(side);
      for (let i = 0; i < 20; i++) world.send(stays, 0, 5000);
      world.restart(side);
      world.step(side, { kind: "connect" });
      world.runFor(2000);
      agree(world);
      expect(news(world, stays).filter(({ kind }) => kind !== "up")).toEqual([{ kind: "restarted" }]);
      expect(world.endpoints[stays].view()).toMatchObject({ queuedBytes: 0, errors: 0 });
      expect(world.endpoints[stays].view().counters.restarts).toBe(1);
      // The new association works, and its messages are its own.
      for (const each of SIDES) world.send(each, 0, 3000);
      world.runFor(2000);
      expect(world.expected.a.next[0]).toBe(1);
      expect(world.expected.b.next[0]).toBe(1);
    }
  });

  test("at any moment of the setup and of the traffic, of either or both sides", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const world = new World({
        seed,
        paths: 1 + (seed % 2),
        faults: { loss: (seed % 3) * 0.1, jitterMs: 5 },
      });
      for (const side of SIDES) world.step(side, { kind: "connect" });
      const momentMs = (seed * 7.3) % 40;
      world.runUntil(momentMs, () => world.isUp() && seed % 4 !== 0);
      for (const side of SIDES) world.send(side, 0, 20_000);
      world.runUntil(momentMs);
      const who: Side[] = seed % 5 === 0 ? ["a", "b"] : [SIDES[seed % 2]!];
      for (const side of who) {
        world.restart(side);
        world.step(side, { kind: "connect" });
      }
      expect(world.runFor(30_000, () => world.isUp())).toBe(true);
      world.runFor(10_000);
      agree(world);
      const sent = { ...world.expected };
      for (const side of SIDES) expect(world.send(side, 1, 3000)).toBe(true);
      world.runFor(10_000);
      for (const side of SIDES) {
        expect(world.expected[side]).toMatchObject(
          world.traffic[other(side)].sent[1] === undefined
            ? sent[side]
            : {
                instance: world.traffic[other(side)].instance,
                generation: world.traffic[other(side)].generation,
              },
        );
        expect(world.expected[side].next[1]).toBe(world.traffic[other(side)].sent[1]);
      }
    }
  });

  test("while the association ends: it ends first (section 5.2.4, action A)", () => {
    const world = recording().connect();
    // b never learns that the shutdown is complete: it stays in SHUTDOWN-ACK-SENT.
    world.intercept = (_from, _path, bytes) =>
      parse(bytes).chunks[0]!.kind === "shutdownComplete" ? undefined : bytes;
    world.step("a", { kind: "shutdown" });
    world.runFor(10);
    expect(world.endpoints.b.view().state).toBe("SHUTDOWN-ACK-SENT");
    world.intercept = (_from, _path, bytes) => bytes;
    world.restart("a");
    world.step("a", { kind: "connect" });
    world.runFor(3000);
    agree(world);
    expect(news(world, "b").map(({ kind }) => kind)).toEqual(["up", "down", "up"]);
  });
});

describe("packets of before", () => {
  test("all packets of an association that is over do not disturb the next (S01)", () => {
    const world = recording().connect();
    for (let i = 0; i < 20; i++) for (const side of SIDES) world.send(side, i % 3, 3000);
    world.runFor(3000);
    world.step("a", { kind: "shutdown" });
    world.runFor(1000);
    const old = world.sent.splice(0);
    expect(new Set(old.map(({ bytes }) => parse(bytes).chunks[0]!.kind)).size).toBeGreaterThan(6);

    // Nobody sets it up again by them.
    for (const { from, path, bytes } of old) world.deliver(other(from), path, bytes);
    world.runFor(100);
    expect(world.endpoints.a.view().state).toBe("CLOSED");
    expect(world.actions("b", "up")).toHaveLength(1);

    world.step("a", { kind: "connect" });
    expect(world.runFor(5000, () => world.isUp())).toBe(true);
    world.runFor(3000);
    const received = { a: world.expected.a.received, b: world.expected.b.received };
    const tags = SIDES.map((side) => world.endpoints[side].view().localTag);
    for (const { from, path, bytes } of old) world.deliver(other(from), path, bytes);
    world.runFor(1000);
    expect(SIDES.map((side) => world.endpoints[side].view().localTag)).toEqual(tags);
    agree(world);
    for (const side of SIDES) {
      expect(world.expected[side].received).toBe(received[side]);
      expect(world.send(side, 0, 100)).toBe(true);
    }
    world.runFor(1000);
    expect(world.expected.b.received).toBe(received.b + 1);
    expect(world.expected.a.received).toBe(received.a + 1);
  });

  test("a cookie of a machine of before is not ours, even with the same secret", () => {
    const world = recording().connect();
    const cookies = world.sent.filter(({ bytes }) => parse(bytes).chunks[0]!.kind === "cookieEcho");
    expect(cookies.length).toBeGreaterThan(0);
    for (const side of SIDES) world.restart(side);
    for (const side of SIDES) world.step(side, { kind: "listen" });
    for (const { from, bytes } of cookies) world.deliver(other(from), 0, bytes);
    for (const side of SIDES) expect(world.endpoints[side].view().state).toBe("CLOSED");
    const forged = SIDES.map((side) => world.endpoints[side].view().counters.cookie_forged);
    expect(forged[0]! + forged[1]!).toBe(cookies.length);
  });

  test("a flood of INITs costs a bounded number of answers and touches nothing (S04)", () => {
    const world = new World({ seed: 1 }).connect();
    world.runFor(100);
    let answers = 0;
    for (let i = 0; i < 5000; i++) {
      const init: Chunk = {
        kind: "init",
        flags: 0,
        initiateTag: i + 1,
        advertisedWindow: 65_536,
        outboundStreams: 3,
        inboundStreams: 3,
        initialTsn: 1,
        parameters: [],
      };
      answers += world.provoke("b", [init]).length;
    }
    expect(answers).toBe(ANSWERS_BURST_MAX);
    expect(world.endpoints.b.view().counters.answer_rate).toBe(5000 - ANSWERS_BURST_MAX);
    for (const side of SIDES) world.send(side, 0, 100);
    world.runFor(1000);
    agree(world);
    expect(world.expected.b.received + world.expected.a.received).toBe(2);
  });
});
