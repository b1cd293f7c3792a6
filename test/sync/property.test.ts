/**
 * Random traffic through an active, its records to a standby after random delays, links that break, tables that are
 * compared and repaired: after quiet both hold the same sessions, and each one's memory adds up. Then the standby takes
 * over in the middle of the traffic.
 */
import { describe, expect, test } from "vitest";
import type { Session } from "../../src/session-view.js";
import * as L from "../../assembly/layout.js";
import { Random } from "../model/random.js";
import { type Arriving, Traffic } from "../model/traffic.js";
import { WORLDS, type World } from "../model/worlds.js";
import { audit } from "./audit.js";
import { type Box, Pair } from "./pair.js";

/** More of them: `SYNC_SEED=100 npx vitest run test/sync/property.test.ts`. */
const FIRST_SEED = Number(process.env.SYNC_SEED ?? 1);
const SEEDS = [FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2];
const PACKETS = 6000;
const BATCH_MAX = 32;
/** The number for an interface that the configuration does not have. */
const NO_INTERFACE = L.INTERFACES_MAX;

/** Every inspection of the world tells its peer. */
const stateful = ({ text }: World): string =>
  text.replaceAll(/^( ip(?:v6)? inspect \S+ (?:in|out))$/gm, "$1 redundancy stateful HA");

const VARIANTS = [
  { world: "strict", defer: false },
  { world: "strict", defer: true },
  { world: "inside", defer: false },
  { world: "small table", defer: true },
  { world: "IPv6", defer: false },
] as const;

/** A way of records with delays: in order, each at its time. */
class Link {
  readonly #r: Random;
  readonly #pair: Pair;
  #toStandby: { records: Uint8Array; atStep: number }[] = [];
  #toActive: { records: Uint8Array; atStep: number }[] = [];
  #acknowledged: { taken: bigint; atStep: number }[] = [];
  #isUp = false;
  #step = 0;

  constructor(r: Random, pair: Pair) {
    this.#r = r;
    this.#pair = pair;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  up(): void {
    this.#pair.connect();
    this.#isUp = true;
  }

  /** What is on its way is lost. */
  down(): void {
    this.#pair.disconnect();
    this.#toStandby = [];
    this.#toActive = [];
    this.#acknowledged = [];
    this.#isUp = false;
  }

  get #later(): number {
    return this.#step + this.#r.int(6);
  }

  step(): void {
    const { active, standby } = this.#pair;
    this.#step++;
    if (!this.#isUp) return;
    const records = active.sync.write(L.SV_SIZE + this.#r.int(20_000)).slice();
    if (records.length > 0) this.#toStandby.push({ records, atStep: this.#later });
    for (const { records: arrived } of this.#due(this.#toStandby)) {
      standby.sync.take(arrived);
      const replies = standby.sync.replies().slice();
      if (replies.length > 0) this.#toActive.push({ records: replies, atStep: this.#later });
      this.#acknowledged.push({ taken: standby.sync.taken, atStep: this.#later });
    }
    for (const { records: requests } of this.#due(this.#toActive)) active.sync.take(requests);
    for (const { taken } of this.#due(this.#acknowledged)) {
      if (!active.sync.acknowledge(taken)) throw new Error("the standby took more than there was");
    }
  }

  /** Takes what is due off a queue; nothing overtakes. */
  #due<T extends { atStep: number }>(queue: T[]): T[] {
    let ready = 0;
    while (ready < queue.length && queue[ready]!.atStep <= this.#step) ready++;
    return queue.splice(0, ready);
  }

  /** Steps until nothing is on its way and nothing waits. */
  settle(): void {
    for (let idle = 0; idle < 20; ) {
      this.step();
      const moving = this.#toStandby.length + this.#toActive.length + this.#acknowledged.length;
      idle = moving === 0 && this.#pair.active.sync.queued === 0 ? idle + 1 : 0;
      if (this.#step > 1_000_000) throw new Error("the sync does not come to an end");
    }
  }
}

/** Gives frames to a box in one call. */
function decide(box: Box, arriving: readonly Arriving[]): void {
  const { batch } = box.firewall;
  batch.clear();
  for (const { frame } of arriving) {
    const { bytes, wireLength, ethertype, offload, cookie } = frame;
    const ingress =
      frame.ingress === undefined ? 0 : (box.firewall.interfaceNumber(frame.ingress) ?? NO_INTERFACE);
    const flags = { checksumOk: offload !== undefined, headerChecksumOk: offload === "all" };
    if (!batch.add(bytes, ingress, cookie, { wireLength, ethertype, ...flags })) throw new Error("full");
  }
  box.nowMs = Math.max(box.nowMs, arriving[0]!.atMs);
  box.firewall.process(box.nowMs);
}

/** The sessions of a box that its peer knows, without their ages: those are younger by the time on the way. */
function known(box: Box): Map<string, Omit<Session, "idleMs" | "createdMs">> {
  const ids = new Set(box.slots().flatMap(({ id, isKnown }) => (isKnown ? [id] : [])));
  const all = [...box.sessions()].filter(([id]) => ids.has(BigInt(`0x${id}`)));
  return new Map(all.map(([id, { idleMs, createdMs, ...rest }]) => [id, rest]));
}

describe.each(VARIANTS)("$world, defer $defer", ({ world: name, defer }) => {
  const world = WORLDS.find((each) => each.name === name)!;

  test.each(SEEDS)(
    "seed %d",
    (seed) => {
      const r = new Random(seed ^ 0x3c6ef372);
      const traffic = new Traffic(new Random(seed), world.surroundings);
      const { checksums, inside, pair: ends, macs, capacity } = world.options;
      const pair = new Pair({
        config: `${stateful(world)}\n${defer ? "ip inspect redundancy defer\n" : ""}`,
        checksums,
        inside,
        pair: ends,
        macs,
        capacity: { rules: 128, fragments: 64, ...capacity },
      });
      const link = new Link(r, pair);

      const quiet = (): void => {
        if (!link.isUp) link.up();
        const { active, standby } = pair;
        active.expire();
        standby.nowMs = active.nowMs;
        standby.expire();
        active.sync.scan(active.sync.groups);
        link.settle();
        for (let repairs = 0; ; repairs++) {
          active.sync.requestVerify();
          link.settle();
          const { difference } = standby.sync.verified;
          if (difference === 0n) break;
          // Only a full table, or deletions that found no room to wait, can have made one.
          expect(name).toBe("small table");
          expect(repairs).toBeLessThan(3);
          active.sync.startBulk(difference);
          link.settle();
        }
        audit(active);
        audit(standby);
        expect(known(standby)).toEqual(known(active));
        expect(standby.size).toBe(known(active).size);
        expect(standby.digests()).toEqual(active.digests());
        if (defer) expect(active.slots().every(({ isKnown }) => isKnown)).toBe(true);
      };

      for (let sent = 0; sent < PACKETS; ) {
        const size = Math.min(r.between(1, BATCH_MAX), PACKETS - sent);
        decide(
          pair.active,
          Array.from({ length: size }, () => traffic.next()),
        );
        sent += size;
        pair.standby.nowMs = Math.max(pair.standby.nowMs, pair.active.nowMs);
        if (r.chance(0.3)) pair.standby.expire();
        if (r.chance(0.3)) pair.active.sync.scan(r.int(40));
        link.step();
        r.weighted<() => void>([
          [0.97, () => {}],
          [0.01, () => (link.isUp ? link.down() : link.up())],
          [0.01, () => (link.isUp ? pair.active.sync.startBulk() : link.up())],
          [0.005, () => link.isUp && pair.active.sync.requestVerify()],
          [0.005, quiet],
        ])();
      }
      quiet();

      // The active dies; what it had told goes on.
      const { size } = pair.standby;
      const heir = pair.promote();
      expect(heir.size).toBe(size);
      for (let sent = 0; sent < PACKETS / 4; sent += 16) {
        decide(
          heir,
          Array.from({ length: 16 }, () => traffic.next()),
        );
      }
      audit(heir);
      heir.nowMs += 2 * L.TIMEOUT_MAX_MS;
      heir.expire();
      expect(heir.size).toBe(0);
      audit(heir);
    },
    120_000,
  );
});
