/**
 * A firewall as a library: a configuration and the core that enforces it. Frames go in and verdicts come out by
 * `batch`; everything else is for people: counters, sessions, rules, explanations.
 *
 * Free of anything that only one platform has; src/index.ts and src/browser.ts add how the Wasm is found.
 */
import * as L from "../assembly/layout.js";
import { Batch } from "./batch.js";
import type { Config, Diagnostic } from "./config/model.js";
import { show } from "./config/show.js";
import type { Capacity, Core } from "./core.js";
import { type Counters, readCounters } from "./counters.js";
import { type FirewallEvent, readEvents } from "./events.js";
import { explainFrame, type Explanation } from "./explain.js";
import { Forwarding } from "./forwarding.js";
import type { Address } from "./ip.js";
import { timeRangeBits } from "./policy/clock.js";
import { findInterface } from "./policy/interfaces.js";
import { networkOf } from "./policy/routes.js";
import type { EnforcedPolicy, Policy } from "./policy/policy.js";
import { hitOrigins, type RuleInfo, ruleInfo } from "./policy/rules.js";
import { ConfigError, loadPolicy, type Room, type Setup } from "./prepare.js";
import { parseSessionId, readSession, type Session, sessionIdAt, usedSlots } from "./session-view.js";
import { SyncPort } from "./sync-port.js";
import { readSnapshot, type SnapshotHeader, SnapshotError, writeSnapshot } from "./snapshot.js";

export type { RuleInfo };

const MINUTE_MS = 60_000;

export class Dataplane {
  readonly batch: Batch;
  /** Its half of a pair: role, and the sessions that go to the peer or come from it. */
  readonly sync: SyncPort;
  /** Devices, MAC addresses and neighbours; until it is enabled, frames stay as they came. */
  readonly forwarding: Forwarding;
  readonly #core: Core;
  #options: Setup["options"];
  #policy: Policy | EnforcedPolicy;
  /** Bytes of the image of the next policy that are in their bank already. */
  #staged = 0;
  #notes: readonly Diagnostic[];
  /** Wall clock minus the clock of the calls. */
  #wallOffsetMs: number;
  /** The minute of the wall clock for which the time ranges were last worked out. */
  #minute = Number.NaN;
  /** Id of the last session that a policy before this one created. */
  #rulesSince = 0n;

  /** For the entry points, which know how to come by a core. */
  constructor(core: Core, setup: Setup) {
    const { nowMs = 0, wallClock } = setup.options;
    this.#core = core;
    this.#options = setup.options;
    this.#policy = setup.policy;
    this.#notes = setup.notes;
    this.#wallOffsetMs = wallClock === undefined ? 0 : wallClock.getTime() - nowMs;
    this.batch = new Batch(core);
    this.sync = new SyncPort(core, () => this.#policy.numbering);
    this.forwarding = new Forwarding(core, this.batch, () => this.#policy.interfaces);
    core.setState64(L.S_NOW_MS, BigInt(Math.trunc(nowMs)));
    this.#install(setup.policy);
  }

  /** Full names by number; number 0 is no interface. */
  get interfaces(): readonly string[] {
    return this.#policy.numbering.interfaces;
  }

  /** What it was made for. */
  get capacity(): Readonly<Capacity> {
    return this.#core.plan.capacity;
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#compiled.config;
  }

  /** What the configuration in force made a reader notice: warnings and notes. */
  get notes(): readonly Diagnostic[] {
    return this.#notes;
  }

  /** The clock: the latest time that a call was given, ms. */
  get nowMs(): number {
    return Number(this.#core.state64(L.S_NOW_MS));
  }

  /** The number of an interface given by its full or abbreviated name. */
  interfaceNumber(name: string): number | undefined {
    return findInterface(this.interfaces, name);
  }

  /** The number of the interface toward an address, by the routes; 0: none, or the firewall's own. */
  interfaceToward(address: Address): number {
    const family = typeof address;
    const route = this.#compiled.routes.find(
      ({ network, prefixLength }) =>
        typeof network === family && networkOf(address, prefixLength) === network,
    );
    return route === undefined ? 0 : route.interface;
  }

  /**
   * Decides the frames of the batch, which arrive at `nowMs`; the verdicts stand in it afterwards.
   * @returns the number of outputs: those of the batch in its order, then fragments that earlier calls held.
   */
  process(nowMs: number): number {
    checkTime(nowMs);
    this.#setTimeRanges(nowMs);
    return this.#core.process(this.batch.length, nowMs);
  }

  /**
   * Runs the timers when no packet comes. The batch is empty afterwards but for the outputs.
   * @param groups how much of the session table is visited, in groups of 16; without it, all of it.
   * @returns the number of outputs: held fragments whose time is over.
   */
  expire(nowMs: number, groups: number = this.#core.plan.groups): number {
    checkTime(nowMs);
    this.batch.clear();
    this.#setTimeRanges(nowMs);
    return this.#core.expire(nowMs, groups);
  }

  /** Gives up every held fragment, as at the end of a capture; else as `expire`. */
  flush(nowMs: number): number {
    checkTime(nowMs);
    this.batch.clear();
    return this.#core.flush(nowMs);
  }

  counters(): Counters {
    return readCounters(this.#core);
  }

  /** The entries of the access lists in use: `rules()[n - 1]` is rule n. */
  rules(): RuleInfo[] {
    const hits = this.hits();
    return this.#compiled.rules.map((rule) => ruleInfo(rule, hits[rule.number]!));
  }

  /** Packets that each entry of the access lists decided, by rule number from 0; what is behind the last one is 0. */
  hits(): BigUint64Array<ArrayBuffer> {
    const { rules } = this.#core.plan.capacity;
    const at = this.#hitsAt(this.#core.state(L.S_ACTIVE_BANK) - 1);
    return this.#core.longs.slice(at, at + rules);
  }

  /** What the entry `rules()[number - 1]` is called, for which no texts are needed. */
  ruleName(number: number): { readonly list: string; readonly sequence: number } {
    const { lists, listOf, sequences } = this.#policy.ruleNames;
    return { list: lists[listOf[number - 1]!]!, sequence: sequences[number - 1]! };
  }

  /** The sessions that exist. They are read while they are iterated over: a call in between may change the rest. */
  *sessions(): Generator<Session, void, undefined> {
    for (const slot of usedSlots(this.#core)) {
      const session = readSession(this.#core, slot, this.#policy.numbering, this.#rulesSince);
      if (session !== undefined) yield session;
    }
  }

  /**
   * The sessions in `slots` places of the table from place `from` on, and where to go on; undefined: that was all. For
   * those who must not look through the whole table at once.
   */
  sessionSlice(from: number, slots: number): { readonly sessions: Session[]; readonly next?: number } {
    const sessions: Session[] = [];
    const end = Math.min(from + slots, this.#core.plan.groups * L.GROUP_SLOTS);
    for (const slot of usedSlots(this.#core, from, end)) {
      const session = readSession(this.#core, slot, this.#policy.numbering, this.#rulesSince);
      if (session !== undefined) sessions.push(session);
    }
    return end < this.#core.plan.groups * L.GROUP_SLOTS ? { sessions, next: end } : { sessions };
  }

  /** Deletes a session (`clear ip inspect session ID`); whether there was one. */
  clearSession(id: string): boolean {
    const wanted = parseSessionId(id);
    for (const slot of usedSlots(this.#core)) {
      if (sessionIdAt(this.#core, slot) === wanted) return this.#core.remove(slot);
    }
    return false;
  }

  /** Deletes all sessions (`clear ip inspect session *`); how many there were. */
  clearSessions(): number {
    let cleared = 0;
    for (const slot of usedSlots(this.#core)) if (this.#core.remove(slot)) cleared++;
    return cleared;
  }

  /** How many events the last call reported. */
  get eventCount(): number {
    return this.#core.state(L.S_EVENTS_WRITTEN);
  }

  /** What the last call reported; to be read before the next one. */
  events(): Generator<FirewallEvent, void, undefined> {
    return readEvents(this.#core, this.#policy.numbering);
  }

  /** They have been read: until the next call there are no others. */
  forgetEvents(): void {
    this.#core.setState(L.S_EVENTS_WRITTEN, 0);
  }

  /**
   * What would happen to a frame, phase by phase, through the same core. Nothing of it stays: no session, no count.
   * Costs two copies of every session, so it is for people and not for the packet path.
   * @param options `in`: name of the ingress interface; without it, the interface toward the source. `nowMs`: when;
   * without it, now. `ethertype`: the frame is the payload of that type, without a link header.
   */
  explain(frame: Uint8Array, options: { in?: string; nowMs?: number; ethertype?: number }): Explanation {
    const nowMs = Math.max(options.nowMs ?? this.nowMs, this.nowMs);
    checkTime(nowMs);
    // A name that is no interface is answered like a number that is none: by the core.
    const ingress = options.in === undefined ? 0 : (this.interfaceNumber(options.in) ?? L.INTERFACES_MAX);
    return explainFrame(this.#core, this.#compiled, this.#rulesSince, {
      frame,
      ingress,
      ethertype: options.ethertype ?? 0,
      nowMs,
      timeRanges: this.#timeRanges(nowMs),
    });
  }

  /**
   * Replaces the configuration between two batches. Sessions stay; hit counters of unchanged entries go on. Throws
   * ConfigError, and then the old configuration stays in force.
   * @param macs MAC addresses by interface name; without them, those of before.
   */
  replacePolicy(config: string | Config, file = this.#options.file, macs = this.#options.macs): void {
    const { capacity, bankSize } = this.#core.plan;
    const room = { rules: capacity.rules, fragments: capacity.fragments, bankSize };
    const options = { ...this.#options, file, macs };
    const { policy, notes } = loadPolicy(config, options, room, this.#policy.numbering);
    this.#install(policy, hitOrigins(policy.rules, this.#compiled.rules));
    this.#options = options;
    this.#notes = notes;
  }

  /**
   * Copies a part of the image of a policy to where it will be in force after `adopt`; the parts come in their order. For
   * those who must not copy all of it at once.
   */
  stage(image: Uint8Array, from: number, end: number): void {
    // This instance has not seen what comes before: it took over meanwhile, and copies all of it later.
    if (from !== 0 && from !== this.#staged) return;
    this.#core.bytes.set(image.subarray(from, end), this.#bankAt(this.#nextBank) + from);
    this.#staged = Math.min(end, image.length);
  }

  /**
   * Switches to a policy that was compiled elsewhere with the numbering of the one in force; nothing is left to be done here
   * that takes long. Its texts stay where it was compiled: `config`, `notes`, `rules`, `explain`, `snapshot` and
   * `interfaceToward` have to be asked there from now on.
   * @param origins as `hitOrigins` has them.
   */
  adopt(policy: EnforcedPolicy, origins: Uint32Array): void {
    this.#install(policy, origins, this.#staged);
    this.#notes = [];
  }

  /** The whole firewall as bytes: configuration, sessions, counters. */
  snapshot(): Uint8Array {
    const { config, numbering } = this.#compiled;
    const header: SnapshotHeader = {
      layout: L.LAYOUT_VERSION,
      capacity: { ...this.#core.plan.capacity },
      config: show(config),
      file: config.file,
      inside: [...(this.#options.inside ?? [])],
      pair: this.#options.pair && [...this.#options.pair],
      macs: [...(this.#options.macs ?? [])],
      mtus: [...(this.#options.mtus ?? [])],
      checksums: this.#options.checksums ?? true,
      numbering,
      wallOffsetMs: this.#wallOffsetMs,
      rulesSince: this.#rulesSince.toString(),
    };
    return writeSnapshot(header, this.#core.copyState());
  }

  /** Becomes the firewall of the snapshot. Throws SnapshotError, and then nothing has changed. */
  restore(bytes: Uint8Array): void {
    const { capacity, bankSize } = this.#core.plan;
    const { header, state } = readSnapshot(bytes, capacity, this.#core.stateSize);
    const room = { rules: capacity.rules, fragments: capacity.fragments, bankSize };
    const { policy, notes } = policyOfSnapshot(header, room);
    const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
    const bank = view.getUint32(L.S_ACTIVE_BANK, true) - 1;
    const bankAt = this.#core.plan.regions.banks.at - L.STATE_AT + bank * bankSize;
    if (!policy.image.every((byte, i) => state[bankAt + i] === byte)) {
      throw new SnapshotError("the policy in the snapshot is not that of its configuration");
    }
    this.batch.clear();
    this.#staged = 0;
    this.#core.restoreState(state);
    const { file, inside, pair, macs, mtus, checksums } = header;
    this.#options = {
      ...this.#options,
      file,
      inside,
      pair,
      macs: new Map(macs),
      mtus: new Map(mtus),
      checksums,
    };
    this.#policy = policy;
    this.forwarding.setMtus(policy.interfaces.map(({ mtu }) => mtu));
    this.#notes = notes;
    this.#rulesSince = BigInt(header.rulesSince);
    this.#wallOffsetMs = header.wallOffsetMs;
    this.#minute = Number.NaN;
  }

  /** Becomes a copy of another firewall of the same capacity; what is in its batch is left out. */
  copyFrom(original: Dataplane): void {
    this.batch.clear();
    this.#staged = 0;
    this.#core.copyFrom(original.#core);
    this.sync.copyFrom(original.sync);
    this.#options = original.#options;
    this.#policy = original.#policy;
    this.#notes = original.#notes;
    this.#wallOffsetMs = original.#wallOffsetMs;
    this.#minute = original.#minute;
    this.#rulesSince = original.#rulesSince;
  }

  /** Writes a policy, of which `staged` bytes are there, into the bank that is not in force, and switches. */
  #install(policy: EnforcedPolicy, origins: Uint32Array = new Uint32Array(), staged = 0): void {
    const core = this.#core;
    const bank = this.#nextBank;
    core.bytes.set(policy.image.subarray(staged), this.#bankAt(bank) + staged);
    this.#staged = 0;
    this.#carryHits(bank, origins);
    const problem = core.activate(bank);
    if (problem !== 0) throw new Error(`the core refuses the policy image (${problem})`);
    core.words.set(policy.timeouts, core.plan.regions.timeouts.at / 4);
    this.#policy = policy;
    this.forwarding.setMtus(policy.interfaces.map(({ mtu }) => mtu));
    this.sync.renumber();
    this.#rulesSince = core.state64(L.S_LAST_SESSION_ID);
    core.setState64(L.S_TIME_RANGES, this.#timeRanges(this.nowMs));
    this.#minute = Number.NaN;
  }

  /** Counters of the entries in a bank: those of the entries that they were before. */
  #carryHits(bank: number, origins: Uint32Array): void {
    const { words, longs, plan } = this.#core;
    const at = this.#hitsAt(bank);
    const before = this.#hitsAt(1 - bank) - 1;
    longs.fill(0n, at, at + plan.capacity.rules);
    // By words: a bigint of each counter would take ten times as long.
    for (let number = 0; number < origins.length; number++) {
      const origin = origins[number]!;
      if (origin === 0) continue;
      words[2 * (at + number)] = words[2 * (before + origin)]!;
      words[2 * (at + number) + 1] = words[2 * (before + origin) + 1]!;
    }
  }

  /** The bank of the next policy. S_ACTIVE_BANK counts from 1; 0 none. */
  get #nextBank(): number {
    return this.#core.state(L.S_ACTIVE_BANK) === 1 ? 1 : 0;
  }

  #bankAt(bank: number): number {
    const { regions, bankSize } = this.#core.plan;
    return regions.banks.at + bank * bankSize;
  }

  /** Number, in `longs`, of the first counter of a bank. */
  #hitsAt(bank: number): number {
    const { regions, capacity } = this.#core.plan;
    return regions.hits.at / 8 + bank * capacity.rules;
  }

  /** The policy with its texts. */
  get #compiled(): Policy {
    const policy = this.#policy;
    if (!("config" in policy)) throw new Error("the texts of this policy are where it was compiled");
    return policy;
  }

  #timeRanges(nowMs: number): bigint {
    return timeRangeBits(this.#policy.timeRanges, nowMs + this.#wallOffsetMs);
  }

  /** Once a minute of the clock; a clock that goes back stands still, as in the core. */
  #setTimeRanges(nowMs: number): void {
    if (this.#policy.timeRanges.length === 0) return;
    const time = Math.max(nowMs, this.nowMs);
    const minute = Math.floor((time + this.#wallOffsetMs) / MINUTE_MS);
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#core.setState64(L.S_TIME_RANGES, this.#timeRanges(time));
  }
}

/** The policy that a snapshot was taken with. Throws SnapshotError. */
function policyOfSnapshot(header: SnapshotHeader, room: Room): { policy: Policy; notes: Diagnostic[] } {
  try {
    return loadPolicy(
      header.config,
      { ...header, macs: new Map(header.macs), mtus: new Map(header.mtus), lenient: true },
      room,
      header.numbering,
    );
  } catch (error) {
    if (error instanceof ConfigError)
      throw new SnapshotError(`its configuration cannot be loaded: ${error.message}`);
    throw error;
  }
}

/** A time that is no number would stop the clock for ever: only a bug gives one. */
function checkTime(nowMs: number): void {
  if (!(Math.abs(nowMs) <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${nowMs} is no time in ms`);
}
