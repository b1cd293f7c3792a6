/**
 * The session sync of one instance, as the host sees it: the role, records out, records in, and what both sides count.
 * What is in the records is the core's business (assembly/layout.ts, SR_*).
 */
import * as L from "../assembly/layout.js";
import type { Core } from "./core.js";
import type { Numbering } from "./policy/numbering.js";

export type Role = "active" | "standby";

/** Names behind the numbers in records: of interfaces, inspection rules and services. */
export type Names = Pick<Numbering, "interfaces" | "inspectionRules" | "services">;

/** Why a record of the peer was refused; index: SX_*. */
export const REFUSALS = [
  "length",
  "action",
  "role",
  "kind",
  "state",
  "flags",
  "id",
  "version",
  "port",
  "address",
  "interface",
  "idle",
  "window",
  "timer",
  "service",
  "stale",
  "unknown",
  "full",
  "reserved",
] as const satisfies { readonly length: typeof L.SX_COUNT };

export type Refusal = (typeof REFUSALS)[number];

/** Counts since the start. */
export interface SyncCounters {
  /** Records written, by kind. */
  sent: { add: number; update: number; delete: number };
  /** Records applied, by kind. */
  taken: { add: number; update: number; delete: number };
  refused: Record<Refusal, number>;
  /** Deletions that found no room to wait for the peer; sessions that found no room to be asked for. */
  deletesLost: number;
  requestsLost: number;
  /** Sessions deleted because the peer said so, and because a bulk sync did not bring them. */
  gone: number;
  flushed: number;
  /** After a take-over: directions that started anew, resets that nothing vouched for. */
  resynced: number;
  resyncResets: number;
  /** First replies that waited for the peer. */
  deferred: number;
}

/** How a bulk sync stands: see BULK_*. */
export type BulkState = "none" | "begin" | "walk" | "done" | "wrong";

const BULK_STATES: readonly BulkState[] = ["none", "begin", "walk", "done", "wrong"];
export const ALL_BUCKETS = (1n << BigInt(L.SYNC_BUCKETS)) - 1n;

export class SyncPort {
  readonly #core: Core;
  readonly #own: () => Names;
  #peer: Names | undefined;

  constructor(core: Core, own: () => Names) {
    this.#core = core;
    this.#own = own;
  }

  get role(): Role {
    return this.#core.state(L.S_ROLE) === L.ROLE_STANDBY ? "standby" : "active";
  }

  /**
   * Takes a role. An active forwards; a standby forwards nothing and takes records. A standby that becomes active goes on
   * with the sessions that it was told of.
   * @param generation of an active: raised with each take-over, so that its sessions are younger than all before.
   */
  setRole(role: Role, generation = 0): void {
    this.#core.setRole(role === "standby" ? L.ROLE_STANDBY : L.ROLE_ACTIVE);
    if (role === "standby") return;
    const least = BigInt(generation) << BigInt(L.GENERATION_SHIFT);
    if (this.#core.state64(L.S_LAST_SESSION_ID) < least) this.#core.setState64(L.S_LAST_SESSION_ID, least);
  }

  /**
   * Of an active: another box may have forwarded for sessions that are here. TCP goes on from its next segments, as after
   * a take-over.
   */
  distrust(): void {
    this.#core.distrust();
  }

  /** Of an active that is going to hand over: tells the peer also of sessions that are not open yet. */
  tellHalfOpen(): void {
    this.#core.tellHalfOpen();
  }

  /** Of an active: from now on changes are kept for a peer, or no longer. What waited is forgotten. */
  setPeer(isPresent: boolean): void {
    this.#core.setPeer(isPresent);
    this.#core.setState64(L.S_RECORDS_ACKED, 0n);
  }

  /** Of a standby: the records of another peer, or of another association, begin. */
  resetTaken(): void {
    this.#core.setState64(L.S_RECORDS_TAKEN, 0n);
    this.#core.setState(L.S_BULK_TAKEN, L.BULK_NONE);
  }

  /** Starts to tell the peer of all sessions, or of those in some buckets (bit i: bucket i). */
  startBulk(buckets: bigint = ALL_BUCKETS): void {
    this.#core.startBulk(buckets);
  }

  /** The bulk sync that is sent. */
  get bulk(): BulkState {
    return BULK_STATES[this.#core.state(L.S_BULK)]!;
  }

  /** The bulk sync that is taken: `walk` between BEGIN and END, then `done`, or `wrong` when the tables differ. */
  get bulkTaken(): BulkState {
    return BULK_STATES[this.#core.state(L.S_BULK_TAKEN)]!;
  }

  /** Bulk syncs taken to their end. */
  get bulksTaken(): number {
    return this.#core.state(L.S_ENDS_TAKEN);
  }

  /** Changes that wait to be written. */
  get queued(): number {
    return this.#core.state(L.S_QUEUED);
  }

  /** A change could not be kept for the peer: only a comparison makes the tables equal again. */
  get hasDiverged(): boolean {
    return this.#core.state(L.S_DIVERGED) !== 0;
  }

  /** Groups of the session table, for `scan`. */
  get groups(): number {
    return this.#core.plan.groups;
  }

  /** Looks through `groups` groups for sessions whose counters and windows have moved. */
  scan(groups: number): void {
    this.#core.scan(groups);
  }

  /** With the next records the peer is told what it should know by then. */
  requestVerify(): void {
    this.#core.setState(L.S_VERIFY, 1);
  }

  /** Writes what waits; valid until the next call. Empty: nothing waits. SV_SIZE bytes are room enough for any record. */
  write(budgetBytes: number = L.SYNC_OUT_SIZE): Uint8Array {
    return this.#core.writeRecords(budgetBytes);
  }

  /** Records written since the peer came. */
  get sent(): bigint {
    return this.#core.state64(L.S_RECORDS_SENT);
  }

  /** Records that the peer has acknowledged. */
  get acknowledged(): bigint {
    return this.#core.state64(L.S_RECORDS_ACKED);
  }

  /** The peer has taken so many records. False: it cannot have. */
  acknowledge(taken: bigint): boolean {
    if (taken > this.sent || taken < this.acknowledged) return false;
    this.#core.setState64(L.S_RECORDS_ACKED, taken);
    return true;
  }

  /** Takes records of the peer, whole ones, at most SYNC_IN_SIZE bytes. How many were applied; `replies` go back. */
  take(records: Uint8Array): number {
    return records.length > L.SYNC_IN_SIZE ? 0 : this.#core.takeRecords(records);
  }

  /** Requests for sessions that the last `take` could not find; valid until the next call. */
  replies(): Uint8Array {
    return this.#core.replies();
  }

  /** Records of the peer that were looked at. */
  get taken(): bigint {
    return this.#core.state64(L.S_RECORDS_TAKEN);
  }

  /** Comparisons made, and the buckets that differed in the last one. */
  get verified(): { count: number; difference: bigint } {
    return {
      count: this.#core.state(L.S_VERIFIED),
      difference: this.#core.state64(L.S_DIFFERENCE),
    };
  }

  /** The names behind the own numbers, for the peer. */
  get names(): Names {
    const { interfaces, inspectionRules, services } = this.#own();
    return { interfaces, inspectionRules, services };
  }

  /** Knows the names that another port knows; the rest of its state is in the core. */
  copyFrom(original: SyncPort): void {
    this.#peer = original.#peer;
  }

  /** The names behind the numbers of the peer. A name that is not known here is refused in records. */
  setPeerNames(names: Names): void {
    this.#peer = names;
    this.renumber();
  }

  /** Translates the numbers of the peer anew: its names or the own ones have changed. */
  renumber(): void {
    const own = this.#own();
    const { interfaces, inspectionRules, services } = this.#peer ?? own;
    const { bytes, view } = this.#core;
    const map = (theirs: readonly string[], ours: readonly string[], max: number): number[] => {
      const numbers = new Map(ours.map((name, number) => [name, number]));
      return Array.from({ length: max }, (_, i) => (i < theirs.length ? (numbers.get(theirs[i]!) ?? 0) : 0));
    };
    bytes.set(map(interfaces, own.interfaces, L.INTERFACES_MAX), L.STATE_AT + L.S_MAP_INTERFACES);
    bytes.set(
      map(inspectionRules, own.inspectionRules, L.INSPECT_RULES_MAX + 1),
      L.STATE_AT + L.S_MAP_INSPECTIONS,
    );
    map(services, own.services, L.SERVICES_MAX).forEach((number, i) => {
      view.setUint16(L.STATE_AT + L.S_MAP_SERVICES + 2 * i, number, true);
    });
  }

  counters(): SyncCounters {
    const counter = (index: number): number => Number(this.#core.state64(L.S_COUNTERS + index * 8));
    return {
      sent: {
        add: counter(L.C_RECORDS_ADD),
        update: counter(L.C_RECORDS_UPDATE),
        delete: counter(L.C_RECORDS_DELETE),
      },
      taken: {
        add: counter(L.C_TAKEN_ADD),
        update: counter(L.C_TAKEN_UPDATE),
        delete: counter(L.C_TAKEN_DELETE),
      },
      refused: Object.fromEntries(
        REFUSALS.map((name, i) => [name, Number(this.#core.state64(L.S_SYNC_REFUSALS + i * 8))]),
      ) as Record<Refusal, number>,
      deletesLost: counter(L.C_DELETES_LOST),
      requestsLost: counter(L.C_REQUESTS_LOST),
      gone: counter(L.C_GONE),
      flushed: counter(L.C_FLUSHED),
      resynced: counter(L.C_RESYNCED),
      resyncResets: counter(L.C_RESYNC_RESETS),
      deferred: counter(L.C_DEFERRED),
    };
  }
}
