/**
 * The session sync of one box: the active tells the standby of its sessions, and the standby says how far it has come.
 *
 *   active   names | records ...           what has changed at once; counters and windows once an interval; a bulk sync
 *                                          in between, as far as the window allows
 *   standby  acknowledgement | requests | difference
 *
 * Everything goes over one ordered stream. What the peer has not yet acknowledged is bounded; beyond that changes wait
 * in the core, where they coalesce. Nothing here knows what a record holds.
 */
import * as L from "../../assembly/layout.js";
import { ALL_BUCKETS, type Role, type SyncPort } from "../sync-port.js";
import { emitFrame, KIND_SIZE, parseFrame } from "./frame.js";
import { Lag, type LagView } from "./lag.js";

/** Bytes of records that may be unacknowledged. */
const WINDOW_BYTES = 1024 * 1024;
/** Bytes of records of one step, so that packets are not kept waiting; the next step follows after STEP_MS. */
const STEP_BYTES = 256 * 1024;
const STEP_MS = 1;
/** The search for moved counters goes through the table once an interval, in so many steps. */
const SCAN_STEPS = 16;
const SCAN_STEP_MIN_MS = 1;
/** How often the tables are compared while nothing else is to be done. */
const VERIFY_MS = 10_000;
/** Repairs by bulk that found the tables still different; then the peer has to start anew. */
const REPAIRS_MAX = 3;

export type SyncInput =
  /** Of an active: a standby that fits takes records from now on, or no longer. */
  | { kind: "peer"; isPresent: boolean }
  /** Another interval of updates. */
  | { kind: "interval"; updateMs: number }
  /** Of an active: tell the standby of all sessions. */
  | { kind: "bulk" }
  /** What the peer sent. */
  | { kind: "frame"; bytes: Uint8Array }
  /** Packets have been decided: what they changed goes out. */
  | { kind: "flush" }
  | { kind: "tick" };

export type SyncAction =
  | { kind: "send"; bytes: Uint8Array }
  /** Of a standby: END of a bulk sync has come; whether the tables are equal now, and the sessions that there are. */
  | { kind: "bulkTaken"; isRight: boolean }
  /** Of an active: all sessions have been told and acknowledged. */
  | { kind: "bulkAcknowledged" }
  /** The tables still differ after repairs: only a new start helps. */
  | { kind: "diverged" }
  | { kind: "refused" };

export interface SyncOptions {
  /** Interval of updates (`ip inspect redundancy update`). */
  updateMs: number;
  /** Bytes of a frame at most. */
  frameBytes: number;
}

export interface SyncView {
  role: Role;
  isPeerPresent: boolean;
  queued: number;
  unacknowledgedBytes: number;
  sentRecords: number;
  acknowledgedRecords: number;
  takenRecords: number;
  bytesSent: number;
  bulks: number;
  repairs: number;
  lag: LagView;
}

/** A frame that the peer has not acknowledged. */
interface Flight {
  /** Records sent up to the end of this frame. */
  number: bigint;
  bytes: number;
  sentMs: number;
}

/** What a sync remembers between two steps; plain data. */
interface SyncState {
  isPeerPresent: boolean;
  flights: Flight[];
  flightBytes: number;
  /** How many names the peer has been told; numbers are only ever added. */
  namesSent: number;
  nextScanMs: number;
  nextVerifyMs: number;
  nextStepMs: number;
  /** Groups of the table that the search is behind by. */
  scanDebt: number;
  /** END of a bulk sync is on its way; its number. */
  bulkEnd: bigint | undefined;
  verified: number;
  bytesSent: number;
  bulks: number;
  repairs: number;
  repairsInRow: number;
}

const INITIAL: Readonly<SyncState> = {
  isPeerPresent: false,
  flights: [],
  flightBytes: 0,
  namesSent: -1,
  nextScanMs: Number.POSITIVE_INFINITY,
  nextVerifyMs: Number.POSITIVE_INFINITY,
  nextStepMs: Number.POSITIVE_INFINITY,
  scanDebt: 0,
  bulkEnd: undefined,
  verified: 0,
  bytesSent: 0,
  bulks: 0,
  repairs: 0,
  repairsInRow: 0,
};

export class SessionSync {
  readonly #port: SyncPort;
  readonly #options: SyncOptions;
  readonly lag: Lag;
  readonly #state: SyncState;

  constructor(port: SyncPort, options: SyncOptions, original?: SessionSync) {
    this.#port = port;
    this.#options = { ...options };
    this.lag = new Lag(original?.lag);
    const state = original === undefined ? INITIAL : original.#state;
    this.#state = { ...state, flights: [...state.flights] };
  }

  /** A sync in the same state, of a table that is a copy. */
  clone(port: SyncPort): SessionSync {
    return new SessionSync(port, this.#options, this);
  }

  /** Of an active: a standby takes records. */
  get isPeerPresent(): boolean {
    return this.#state.isPeerPresent;
  }

  /** When the next "tick" is due. */
  get deadlineMs(): number {
    return Math.min(this.#state.nextScanMs, this.#state.nextVerifyMs, this.#state.nextStepMs);
  }

  get view(): SyncView {
    const port = this.#port;
    return {
      role: port.role,
      isPeerPresent: this.#state.isPeerPresent,
      queued: port.queued,
      unacknowledgedBytes: this.#state.flightBytes,
      sentRecords: Number(port.sent),
      acknowledgedRecords: Number(port.acknowledged),
      takenRecords: Number(port.taken),
      bytesSent: this.#state.bytesSent,
      bulks: this.#state.bulks,
      repairs: this.#state.repairs,
      lag: this.lag.view(),
    };
  }

  step(input: SyncInput, nowMs: number): SyncAction[] {
    switch (input.kind) {
      case "peer":
        return this.#peerChanged(input.isPresent, nowMs);
      case "interval":
        return this.#changeInterval(input.updateMs, nowMs);
      case "bulk":
        return this.#startBulk(ALL_BUCKETS, nowMs);
      case "frame":
        return this.#take(input.bytes, nowMs);
      case "flush":
        return this.#flush(nowMs);
      case "tick":
        return this.#tick(nowMs);
    }
  }

  #peerChanged(isPresent: boolean, nowMs: number): SyncAction[] {
    this.#state.isPeerPresent = isPresent;
    this.#port.setPeer(isPresent);
    this.#state.flights = [];
    this.#state.flightBytes = 0;
    this.#state.namesSent = INITIAL.namesSent;
    this.#state.bulkEnd = undefined;
    this.#state.repairsInRow = 0;
    const { updateMs } = this.#options;
    this.#state.nextScanMs = isPresent ? nowMs + scanStepMs(updateMs) : Number.POSITIVE_INFINITY;
    this.#state.nextVerifyMs = isPresent ? nowMs + VERIFY_MS : Number.POSITIVE_INFINITY;
    this.#state.nextStepMs = Number.POSITIVE_INFINITY;
    return isPresent ? this.#flush(nowMs) : [];
  }

  /** What is due under the old interval is looked for first. */
  #changeInterval(updateMs: number, nowMs: number): SyncAction[] {
    if (updateMs === this.#options.updateMs) return [];
    const actions = this.#state.nextScanMs <= nowMs ? this.#tick(nowMs) : [];
    this.#options.updateMs = updateMs;
    if (this.#state.isPeerPresent) this.#state.nextScanMs = nowMs + scanStepMs(updateMs);
    return actions;
  }

  #startBulk(buckets: bigint, nowMs: number): SyncAction[] {
    if (!this.#state.isPeerPresent) return [];
    this.#port.startBulk(buckets);
    this.#state.bulkEnd = undefined;
    if (buckets === ALL_BUCKETS) this.#state.bulks++;
    return this.#flush(nowMs);
  }

  #tick(nowMs: number): SyncAction[] {
    if (!this.#state.isPeerPresent) return [];
    const stepMs = scanStepMs(this.#options.updateMs);
    while (this.#state.nextScanMs <= nowMs) {
      this.#state.nextScanMs += stepMs;
      this.#state.scanDebt += (this.#port.groups * stepMs) / this.#options.updateMs;
    }
    const groups = Math.min(Math.floor(this.#state.scanDebt), this.#port.groups);
    this.#state.scanDebt -= Math.floor(this.#state.scanDebt);
    if (groups > 0) this.#port.scan(groups);
    if (this.#state.nextVerifyMs <= nowMs || this.#port.hasDiverged) {
      this.#state.nextVerifyMs = nowMs + VERIFY_MS;
      if (this.#port.bulk !== "begin" && this.#port.bulk !== "walk") this.#port.requestVerify();
    }
    return this.#flush(nowMs);
  }

  /** Writes what the window has room for. */
  #flush(nowMs: number): SyncAction[] {
    if (!this.#state.isPeerPresent) return [];
    const actions: SyncAction[] = [];
    const { names } = this.#port;
    const known = names.interfaces.length + names.inspectionRules.length + names.services.length;
    if (known !== this.#state.namesSent) {
      this.#state.namesSent = known;
      actions.push({ kind: "send", bytes: emitFrame({ kind: "names", names }) });
    }
    let room = Math.min(WINDOW_BYTES - this.#state.flightBytes, STEP_BYTES);
    this.#state.nextStepMs = Number.POSITIVE_INFINITY;
    while (room > 0) {
      const bulkBefore = this.#port.bulk;
      const records = this.#port.write(Math.min(this.#options.frameBytes - KIND_SIZE, L.SYNC_OUT_SIZE));
      if (records.length === 0) return actions;
      actions.push({ kind: "send", bytes: emitFrame({ kind: "records", records }) });
      const number = this.#port.sent;
      if (bulkBefore !== "done" && this.#port.bulk === "done") this.#state.bulkEnd = number;
      this.#state.flights.push({ number, bytes: records.length, sentMs: nowMs });
      this.#state.flightBytes += records.length;
      this.#state.bytesSent += records.length;
      room -= records.length;
    }
    if (this.#state.flightBytes < WINDOW_BYTES) this.#state.nextStepMs = nowMs + STEP_MS;
    return actions;
  }

  #take(bytes: Uint8Array, nowMs: number): SyncAction[] {
    const frame = parseFrame(bytes);
    if (frame === undefined) return [{ kind: "refused" }];
    const isStandby = this.#port.role === "standby";
    switch (frame.kind) {
      case "names":
        if (isStandby) this.#port.setPeerNames(frame.names);
        return isStandby ? [] : [{ kind: "refused" }];
      case "records":
        return isStandby ? this.#takeRecords(frame.records) : [{ kind: "refused" }];
      case "acknowledgement":
        return this.#state.isPeerPresent ? this.#acknowledged(frame.taken, nowMs) : [];
      case "requests":
        if (!this.#state.isPeerPresent) return [];
        this.#port.take(frame.records);
        return this.#flush(nowMs);
      case "difference":
        return this.#state.isPeerPresent ? this.#repair(frame.buckets, nowMs) : [];
    }
  }

  #takeRecords(records: Uint8Array): SyncAction[] {
    const port = this.#port;
    const before = port.bulksTaken;
    port.take(records);
    const actions: SyncAction[] = [
      { kind: "send", bytes: emitFrame({ kind: "acknowledgement", taken: port.taken }) },
    ];
    const requests = port.replies();
    if (requests.length > 0)
      actions.push({ kind: "send", bytes: emitFrame({ kind: "requests", records: requests }) });
    const hasEnded = port.bulksTaken !== before;
    if (hasEnded) actions.push({ kind: "bulkTaken", isRight: port.bulkTaken === "done" });
    const { count, difference } = port.verified;
    if (count !== this.#state.verified || hasEnded)
      actions.push({ kind: "send", bytes: emitFrame({ kind: "difference", buckets: difference }) });
    this.#state.verified = count;
    return actions;
  }

  #acknowledged(taken: bigint, nowMs: number): SyncAction[] {
    if (!this.#port.acknowledge(taken)) return [{ kind: "refused" }];
    let done = 0;
    for (; done < this.#state.flights.length && this.#state.flights[done]!.number <= taken; done++) {
      this.#state.flightBytes -= this.#state.flights[done]!.bytes;
      this.lag.add(nowMs - this.#state.flights[done]!.sentMs);
    }
    this.#state.flights.splice(0, done);
    const actions: SyncAction[] = [];
    if (this.#state.bulkEnd !== undefined && taken >= this.#state.bulkEnd) {
      this.#state.bulkEnd = undefined;
      actions.push({ kind: "bulkAcknowledged" });
    }
    return [...actions, ...this.#flush(nowMs)];
  }

  /** The peer has compared: the buckets that differ are told anew. A peer that always finds some cannot be helped that way. */
  #repair(buckets: bigint, nowMs: number): SyncAction[] {
    if (this.#port.bulk === "begin" || this.#port.bulk === "walk") return [];
    if (buckets === 0n) {
      this.#state.repairsInRow = 0;
      return [];
    }
    this.#state.repairs++;
    this.#state.repairsInRow++;
    if (this.#state.repairsInRow > REPAIRS_MAX) return [{ kind: "diverged" }];
    return this.#startBulk(buckets, nowMs);
  }
}

function scanStepMs(updateMs: number): number {
  return Math.max(updateMs / SCAN_STEPS, SCAN_STEP_MIN_MS);
}
