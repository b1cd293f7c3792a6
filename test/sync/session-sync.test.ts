/**
 * The host's half of the session sync: two machines over two cores, with a way of a known delay between them. When it
 * tells what, how much may be on its way, how it finds and mends a difference, and what it refuses.
 */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { emitFrame, parseFrame, type SyncFrame } from "../../src/sync/frame.js";
import { SessionSync, type SyncAction } from "../../src/sync/session-sync.js";
import { Box, type BoxOptions } from "./pair.js";
import { C, S, Talk, udpExchange } from "./talk.js";

const UPDATE_MS = 10_000;
const VERIFY_MS = 10_000;
const FRAME_BYTES = 16_384;
/** Each way. */
const DELAY_MS = 3;
const WINDOW_BYTES = 1024 * 1024;
const OPTIONS = { updateMs: UPDATE_MS, frameBytes: FRAME_BYTES };

interface Side {
  readonly box: Box;
  readonly sync: SessionSync;
  /** What it did beside sending. */
  readonly news: SyncAction[];
}

class Linked {
  readonly active: Side;
  readonly standby: Side;
  /** Frames of both ways, as they were sent. */
  readonly sent: { readonly from: "active" | "standby"; readonly frame: SyncFrame }[] = [];
  #onWay: { readonly atMs: number; readonly to: Side; readonly bytes: Uint8Array }[] = [];
  /** Acknowledgements do not come through. */
  isDeaf = false;

  constructor(options: BoxOptions = {}) {
    const side = (box: Box): Side => ({ box, sync: new SessionSync(box.sync, OPTIONS), news: [] });
    this.active = side(new Box({ ...options, seed: 1 }));
    this.standby = side(new Box({ ...options, seed: 2 }));
    this.active.box.sync.setRole("active", 1);
    this.standby.box.sync.setRole("standby");
  }

  /** A pair that is equal, with so many UDP sessions. */
  static with(sessions: number, options: BoxOptions = {}): Linked {
    const linked = new Linked(options);
    linked.open(sessions);
    linked.connect();
    linked.run(200);
    expect(linked.standby.box.size).toBe(sessions);
    return linked;
  }

  get nowMs(): number {
    return this.active.box.nowMs;
  }

  open(sessions: number, first = 2000): void {
    for (let i = 0; i < sessions; i++) {
      const exchange = udpExchange(first + i);
      exchange.ask(this.active.box);
      exchange.answer(this.active.box);
    }
  }

  connect(): void {
    this.standby.box.sync.resetTaken();
    this.step(this.active, { kind: "peer", isPresent: true });
    this.step(this.active, { kind: "bulk" });
  }

  step(side: Side, input: Parameters<SessionSync["step"]>[0]): SyncAction[] {
    const actions = side.sync.step(input, this.nowMs);
    for (const action of actions) {
      if (action.kind === "send") this.#carry(side, action.bytes);
      else side.news.push(action);
    }
    return actions;
  }

  #carry(side: Side, bytes: Uint8Array): void {
    const isActive = side === this.active;
    this.sent.push({ from: isActive ? "active" : "standby", frame: parseFrame(bytes)! });
    if (isActive || !this.isDeaf)
      this.#onWay.push({
        atMs: this.nowMs + DELAY_MS,
        to: isActive ? this.standby : this.active,
        bytes: bytes.slice(),
      });
  }

  /** Time passes, a millisecond at a time. */
  run(milliseconds: number): void {
    for (let i = 0; i < milliseconds; i++) {
      for (const { box } of [this.active, this.standby]) {
        box.nowMs++;
        box.expire();
      }
      const due = this.#onWay.filter(({ atMs }) => atMs <= this.nowMs);
      this.#onWay = this.#onWay.filter((each) => !due.includes(each));
      for (const { to, bytes } of due) this.step(to, { kind: "frame", bytes });
      for (const side of [this.active, this.standby])
        if (side.sync.deadlineMs <= this.nowMs) this.step(side, { kind: "tick" });
    }
  }

  /** Frames of a kind that the active has sent. */
  count(kind: SyncFrame["kind"]): number {
    return this.sent.filter(({ from, frame }) => from === "active" && frame.kind === kind).length;
  }

  expectEqual(): void {
    expect(this.standby.box.digests()).toEqual(this.active.box.digests());
    expect([...this.standby.box.sessions().keys()].sort()).toEqual(
      [...this.active.box.sessions().keys()].sort(),
    );
  }
}

describe("what is told when", () => {
  test("to nobody nothing", () => {
    const linked = new Linked();
    linked.open(5);
    linked.step(linked.active, { kind: "flush" });
    linked.step(linked.active, { kind: "bulk" });
    expect(linked.active.sync.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    linked.run(100);
    expect(linked.sent).toEqual([]);
  });

  test("names first; all sessions; then changes at once, which arrive after one way and are known after two", () => {
    const linked = new Linked();
    linked.open(20);
    linked.connect();
    expect(linked.sent[0]!.frame.kind).toBe("names");
    linked.run(2 * DELAY_MS);
    expect(linked.active.news).toContainEqual({ kind: "bulkAcknowledged" });
    expect(linked.standby.news).toContainEqual({ kind: "bulkTaken", isRight: true });
    linked.expectEqual();
    linked.open(1, 9000);
    linked.step(linked.active, { kind: "flush" });
    expect(linked.active.sync.view.unacknowledgedBytes).toBeGreaterThan(0);
    linked.run(DELAY_MS);
    linked.expectEqual();
    linked.run(DELAY_MS);
    const { unacknowledgedBytes, lag, sentRecords, acknowledgedRecords } = linked.active.sync.view;
    expect(unacknowledgedBytes).toBe(0);
    expect(acknowledgedRecords).toBe(sentRecords);
    expect(lag).toMatchObject({ p50: 2 * DELAY_MS, max: 2 * DELAY_MS });
  });

  test("counters and windows once an interval", () => {
    const linked = new Linked();
    const talk = new Talk(linked.active.box).open();
    linked.connect();
    linked.run(50);
    const bytesOf = ({ box }: Side): number => box.session().initiator.bytes;
    const before = bytesOf(linked.standby);
    for (let i = 0; i < 40; i++) {
      talk.c("A", { seq: C + 100 * i, ack: S, payload: 100 });
      talk.s("A", { seq: S, ack: C + 100 * (i + 1) });
    }
    linked.step(linked.active, { kind: "flush" });
    linked.run(DELAY_MS);
    expect(bytesOf(linked.standby)).toBe(before);
    linked.run(UPDATE_MS + DELAY_MS);
    expect(bytesOf(linked.standby)).toBe(before + 40 * 100);
  });

  test("`clear ip inspect session *`: the standby clears them, too, however many they are", () => {
    const linked = Linked.with(1000);
    expect(linked.active.box.firewall.clearSessions()).toBe(1000);
    // There is no room for so many deletions: what is not told is found by comparison.
    expect(linked.active.box.sync.counters().deletesLost).toBeGreaterThan(0);
    linked.step(linked.active, { kind: "flush" });
    linked.run(VERIFY_MS);
    expect(linked.standby.box.size).toBe(0);
    linked.expectEqual();
  });
});

test("what is unacknowledged is bounded, and the rest follows with the acknowledgements", () => {
  const sessions = 15_000;
  const linked = new Linked({ capacity: { sessions: 16_384 } });
  linked.open(sessions);
  linked.isDeaf = true;
  linked.connect();
  linked.run(100);
  const { unacknowledgedBytes } = linked.active.sync.view;
  expect(unacknowledgedBytes).toBeGreaterThan(WINDOW_BYTES - FRAME_BYTES);
  expect(unacknowledgedBytes).toBeLessThan(WINDOW_BYTES + FRAME_BYTES);
  expect(linked.standby.box.size).toBeLessThan(sessions);
  linked.isDeaf = false;
  // An acknowledgement counts for all records before it.
  const { taken } = linked.standby.box.sync;
  linked.step(linked.active, { kind: "frame", bytes: emitFrame({ kind: "acknowledgement", taken }) });
  linked.run(100);
  expect(linked.standby.box.size).toBe(sessions);
  expect(linked.active.sync.view.unacknowledgedBytes).toBe(0);
  linked.expectEqual();
});

describe("the comparison", () => {
  test("is made once in ten seconds", () => {
    const linked = Linked.with(10);
    const { count } = linked.standby.box.sync.verified;
    linked.run(3 * VERIFY_MS);
    expect(linked.standby.box.sync.verified.count).toBe(count + 3);
    expect(linked.active.sync.view.repairs).toBe(0);
  });

  test("a standby that has lost sessions is told of them again", () => {
    const linked = Linked.with(50);
    linked.standby.box.firewall.clearSessions();
    linked.run(VERIFY_MS + 10 * DELAY_MS);
    linked.expectEqual();
    expect(linked.active.sync.view).toMatchObject({ repairs: 1, bulks: 1 });
    expect(linked.active.news.filter(({ kind }) => kind === "diverged")).toEqual([]);
  });

  test("a standby that cannot be mended is given up after three repairs", () => {
    const linked = Linked.with(5);
    linked.standby.box.firewall.clearSessions();
    // None of the names is one of its own: every record is refused.
    const names = { interfaces: ["", "x", "y"], inspectionRules: ["", "x"], services: [""] };
    linked.step(linked.standby, { kind: "frame", bytes: emitFrame({ kind: "names", names }) });
    linked.run(VERIFY_MS + 100 * DELAY_MS);
    expect(linked.standby.box.size).toBe(0);
    expect(linked.active.news.filter(({ kind }) => kind === "diverged").length).toBeGreaterThan(0);
    expect(linked.active.sync.view.repairs).toBeGreaterThan(3);
  });
});

describe("what is refused", () => {
  const records = (): Uint8Array => {
    const linked = Linked.with(1);
    return emitFrame(
      linked.sent.find(({ frame }) => frame.kind === "records")!.frame as SyncFrame & { kind: "records" },
    );
  };

  test.each([
    ["nothing", () => new Uint8Array(0)],
    ["an unknown kind", () => Uint8Array.of(9, 1, 2, 3)],
    ["an acknowledgement that is cut short", () => Uint8Array.of(3, 0, 0)],
    ["names that are none", () => Uint8Array.of(1, 0x7b)],
    [
      "an acknowledgement of what was never sent",
      () => emitFrame({ kind: "acknowledgement", taken: 1n << 40n }),
    ],
    ["records for an active", records],
    [
      "names for an active",
      () => emitFrame({ kind: "names", names: { interfaces: [], inspectionRules: [], services: [] } }),
    ],
  ])("%s: an active goes on as if it had not come", (_, bytes) => {
    const linked = Linked.with(3);
    const before = linked.active.box.digests();
    expect(linked.step(linked.active, { kind: "frame", bytes: bytes() })).toEqual([{ kind: "refused" }]);
    expect(linked.active.box.digests()).toEqual(before);
    linked.open(1, 9000);
    linked.step(linked.active, { kind: "flush" });
    linked.run(2 * DELAY_MS);
    linked.expectEqual();
  });

  test("a standby whose peer is told of nothing does not ask, acknowledge or compare for it", () => {
    const linked = new Linked();
    for (const frame of [
      { kind: "acknowledgement", taken: 0n },
      { kind: "difference", buckets: 3n },
    ] as const)
      expect(linked.step(linked.active, { kind: "frame", bytes: emitFrame(frame) })).toEqual([]);
  });
});

test("a copy goes on like the original, and neither sees the other", () => {
  const linked = Linked.with(30);
  linked.open(3, 9000);
  linked.step(linked.active, { kind: "flush" });
  const { box, sync } = linked.active;
  const twin = new Box({ seed: 1 });
  twin.core.copyFrom(box.core);
  const copy = sync.clone(twin.sync);
  expect(copy.view).toEqual(sync.view);
  const acknowledgement = emitFrame({ kind: "acknowledgement", taken: box.sync.sent });
  const atMs = linked.nowMs + 10;
  expect(copy.step({ kind: "frame", bytes: acknowledgement }, atMs)).toEqual([]);
  expect(copy.view.unacknowledgedBytes).toBe(0);
  expect(sync.view.unacknowledgedBytes).toBeGreaterThan(0);
  expect(sync.step({ kind: "frame", bytes: acknowledgement }, atMs)).toEqual([]);
  expect(copy.view).toEqual(sync.view);
  expect(copy.lag.samples()).toEqual(sync.lag.samples());
  expect(L.SYNC_BUCKETS).toBe(twin.digests().length);
});
