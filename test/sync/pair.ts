/** Two boxes and the records between them: an active and a standby in one process, with one clock. */
import { expect } from "vitest";
import * as L from "../../assembly/layout.js";
import { type Capacity, Core, SEED_BYTES } from "../../src/core.js";
import { Dataplane } from "../../src/dataplane.js";
import { type DataplaneOptions, prepare } from "../../src/prepare.js";
import type { Session } from "../../src/session-view.js";
import type { SyncPort } from "../../src/sync-port.js";
import { ethernet } from "../support/frames.js";
import { coreModule, INSIDE, OUTSIDE } from "../model/lab.js";

export { INSIDE, OUTSIDE };

/** Both families from the inside, and one port of the inside from the outside. */
export interface ConfigOptions {
  /** `ip inspect redundancy defer`. */
  defer?: boolean;
  /** `ip inspect redundancy resync strict`. */
  strict?: boolean;
  /** Lines in front of all others, and names of the two inspection rules: other numbers, the same policy. */
  before?: string;
}

export const config = ({ defer, strict, before = "" }: ConfigOptions = {}): string => `
${before}
ip inspect name FW tcp timeout 600
ip inspect name FW udp timeout 40
ip inspect name FW icmp timeout 10
ip inspect name FW ip timeout 50
ip inspect name FW http timeout 700
ip inspect name LOCAL tcp timeout 600
ip inspect tcp synwait-time 20
ip inspect tcp finwait-time 5
${defer ? "ip inspect redundancy defer" : ""}
${strict ? "ip inspect redundancy resync strict" : ""}
ipv6 inspect name SIX tcp timeout 600
ipv6 inspect name SIX udp timeout 40
ipv6 inspect name SIX icmp timeout 10
ipv6 inspect name SIX ip timeout 50
interface ${INSIDE}
 ip address 10.1.0.1 255.255.255.0
 ip access-group ALL in
 ip inspect FW in redundancy stateful HA
 ipv6 address 2001:db8:1::1/64
 ipv6 inspect SIX in redundancy stateful HA
!
interface ${OUTSIDE}
 ip address 198.51.100.1 255.255.255.0
 ip access-group WEB in
 ip inspect LOCAL in redundancy stateful HA
 ipv6 address 2001:db8:2::1/64
!
interface GigabitEthernet0/2
 ip address 10.9.0.1 255.255.255.0
 ip inspect LOCAL in
!
ip route 0.0.0.0 0.0.0.0 198.51.100.254
ipv6 route ::/0 2001:db8:2::fe
ip access-list extended ALL
 permit udp any any
 permit ip any any
ip access-list extended WEB
 permit tcp any host 10.1.0.80 eq www
 deny ip any any
`;

/** An interface of `config` whose sessions no peer is told of. */
export const PRIVATE = "GigabitEthernet0/2";

export interface Answer {
  verdict: string;
  reason: string;
  egress: string | undefined;
  isDeferred: boolean;
}

/** Of a packet that waits for others. */
const NO_ANSWER: Answer = { verdict: "none", reason: "none", egress: undefined, isDeferred: false };

export interface BoxOptions extends Partial<Omit<DataplaneOptions, "seed" | "capacity">> {
  /** Of the hash keys. */
  seed?: number;
  capacity?: Partial<Capacity>;
}

/** What the core keeps of a session for its peer. */
export interface Slot {
  slot: number;
  id: bigint;
  version: bigint;
  isKnown: boolean;
  isGone: boolean;
  pending: number;
}

/** Little, so that a test can make many boxes. */
const CAPACITY = { sessions: L.SESSIONS_MIN, rules: 32, batch: 64, fragments: 16, events: 64 };

/** One box. */
export class Box {
  readonly core: Core;
  readonly firewall: Dataplane;
  nowMs: number;
  private held: [packet: Uint8Array, on: string][] | undefined;

  constructor({ seed = 1, capacity, ...options }: BoxOptions = {}) {
    const setup = prepare({ config: config(), ...options, capacity: { ...CAPACITY, ...capacity } }, () =>
      Uint8Array.from({ length: SEED_BYTES }, (_, i) => (i * 41 + seed * 97 + 3) & 255),
    );
    this.core = Core.createSync(coreModule, setup);
    this.firewall = new Dataplane(this.core, setup);
    this.nowMs = options.nowMs ?? 1000;
    this.expire();
  }

  get sync(): SyncPort {
    return this.firewall.sync;
  }

  /** Gives one IP packet to the box. */
  packet(packet: Uint8Array, on: string): Answer {
    this.held?.push([packet, on]);
    return this.held ? NO_ANSWER : this.decide([[packet, on]])[0]!;
  }

  /** Gives all packets of `send` to the box in one call. */
  together(send: () => void): Answer[] {
    this.held = [];
    send();
    const packets = this.held;
    this.held = undefined;
    return this.decide(packets);
  }

  private decide(packets: readonly (readonly [packet: Uint8Array, on: string])[]): Answer[] {
    const { batch, interfaces } = this.firewall;
    batch.clear();
    for (const [packet, on] of packets) batch.add(ethernet(packet), this.firewall.interfaceNumber(on)!);
    this.firewall.process(this.nowMs);
    return packets.map((_, i) => ({
      verdict: batch.verdict(i),
      reason: batch.reason(i),
      egress: interfaces[batch.egress(i)] || undefined,
      isDeferred: batch.isDeferred(i),
    }));
  }

  expire(): void {
    this.firewall.expire(this.nowMs);
  }

  /** The sessions, by id. */
  sessions(): Map<string, Session> {
    return new Map([...this.firewall.sessions()].map((each) => [each.id, each]));
  }

  /** The one session that there is. */
  session(): Session {
    const [session, ...others] = this.sessions().values();
    expect(others).toEqual([]);
    return session!;
  }

  /** Sessions in the table, expired ones too. */
  get size(): number {
    return this.core.state(L.S_SESSIONS);
  }

  digests(): bigint[] {
    return Array.from({ length: L.SYNC_BUCKETS }, (_, i) => this.core.state64(L.S_DIGESTS + 8 * i));
  }

  /** Every slot that is not free. */
  slots(): Slot[] {
    const { core } = this;
    const { tags, cold } = core.plan.regions;
    const mark = core.state(L.S_GENERATION_MARK) + 1;
    const found: Slot[] = [];
    for (let slot = 0; slot < core.plan.groups * L.GROUP_SLOTS; slot++) {
      const tag = core.view.getUint16(tags.at + 2 * slot, true);
      if (tag === 0) continue;
      const at = cold.at + slot * L.COLD_SIZE;
      found.push({
        slot,
        id: core.view.getBigUint64(at + L.COLD_ID, true),
        version: core.view.getBigUint64(at + L.COLD_VERSION, true),
        isKnown: core.bytes[at + L.COLD_MARK] === mark,
        isGone: tag === L.TAG_GONE,
        pending: core.bytes[at + L.COLD_PENDING]!,
      });
    }
    return found;
  }

  /** Bytes of the hot and the cold record of a slot, without those that only fetch a line. */
  records(slot: number): string {
    const { hot, cold } = this.core.plan.regions;
    const both = Buffer.concat([
      this.core.bytes.subarray(hot.at + slot * L.HOT_SIZE, hot.at + (slot + 1) * L.HOT_SIZE),
      this.core.bytes.subarray(cold.at + slot * L.COLD_SIZE, cold.at + (slot + 1) * L.COLD_SIZE),
    ]);
    for (const touch of [L.HOT_TOUCH, L.HOT_SIZE + L.COLD_TOUCH0, L.HOT_SIZE + L.COLD_TOUCH1])
      both[touch] = 0;
    return both.toString("hex");
  }

  /** The address of a session's hot record. */
  hotAt(id: string): number {
    const slot = this.slots().find((each) => each.id === BigInt(`0x${id}`) && !each.isGone)!.slot;
    return this.core.plan.regions.hot.at + slot * L.HOT_SIZE;
  }
}

export interface PairOptions extends BoxOptions {
  standby?: BoxOptions;
}

/** An active, a standby, and the way between them. */
export class Pair {
  active: Box;
  standby: Box;
  /** Of the active. */
  generation = 1;

  constructor({ standby, ...options }: PairOptions = {}) {
    this.active = new Box(options);
    this.standby = new Box({ ...options, seed: 2, ...standby });
    this.active.sync.setRole("active", this.generation);
    this.standby.sync.setRole("standby");
  }

  /** A pair whose first bulk sync is over. */
  static connected(options: PairOptions = {}): Pair {
    const pair = new Pair(options);
    pair.connect();
    pair.drain();
    expect(pair.standby.sync.bulkTaken).toBe("done");
    return pair;
  }

  /** The link comes up: the active knows its peer and begins a bulk sync. */
  connect(): void {
    this.standby.sync.resetTaken();
    this.standby.sync.setPeerNames(this.active.sync.names);
    this.active.sync.setPeer(true);
    this.active.sync.startBulk();
  }

  disconnect(): void {
    this.active.sync.setPeer(false);
  }

  get nowMs(): number {
    return this.active.nowMs;
  }

  /** Time passes for both. */
  wait(milliseconds: number): void {
    for (const box of [this.active, this.standby]) {
      box.nowMs += milliseconds;
      box.expire();
    }
  }

  /** What the active has to say, once: the records that the standby took. */
  carry(budget?: number): Uint8Array {
    const records = this.active.sync.write(budget).slice();
    this.deliver(records);
    return records;
  }

  /** Records reach the standby; its answer comes back. */
  deliver(records: Uint8Array): void {
    const { active, standby } = this;
    standby.sync.take(records);
    expect(active.sync.acknowledge(standby.sync.taken)).toBe(true);
    const replies = standby.sync.replies().slice();
    if (replies.length > 0) active.sync.take(replies);
  }

  /** Until nothing waits; all records that were needed. */
  drain(budget?: number): Uint8Array[] {
    const all: Uint8Array[] = [];
    for (let records = this.carry(budget); records.length > 0; records = this.carry(budget)) {
      all.push(records);
      if (all.length > 10_000) throw new Error("the sync does not come to an end");
    }
    return all;
  }

  /** Looks through the whole table for what has moved, and tells it. */
  update(): void {
    this.active.sync.scan(this.active.sync.groups);
    this.drain();
  }

  /** Compares the tables; the buckets that differ. */
  verify(): bigint {
    const before = this.standby.sync.verified.count;
    this.active.sync.requestVerify();
    this.drain();
    const { count, difference } = this.standby.sync.verified;
    expect(count).toBe(before + 1);
    return difference;
  }

  /** The active dies; the standby takes over. The box that was active is only looked at from now on. */
  promote(): Box {
    [this.active, this.standby] = [this.standby, this.active];
    this.active.sync.setRole("active", ++this.generation);
    return this.active;
  }

  /** Both hold the same sessions, told by the same versions, and both know that they do. */
  expectEqual(): void {
    const { active, standby } = this;
    expect(standby.sessions()).toEqual(active.sessions());
    expect(standby.digests()).toEqual(active.digests());
    expect(standby.core.state(L.S_KNOWN)).toBe(active.core.state(L.S_KNOWN));
  }
}
