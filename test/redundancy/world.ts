/**
 * Two boxes in virtual time: the real redundancy and HSRP machines of both, two LANs, an association that is reliable
 * and in order on each stream (with messages of different streams overtaking each other), and a session table that is a
 * map. A link can be cut, one way or both; a box can crash, start again, or stand still. What must always hold is
 * checked after every event.
 */
import { Hsrp, type HsrpInput, optionsOf } from "../../src/hsrp/index.js";
import {
  type Identity,
  type Mac,
  Redundancy,
  type RedundancyAction,
  type RedundancyInput,
  type RedundancyView,
  type ReloadMode,
  type Role,
  type RoleAction,
  type Takeover,
} from "../../src/redundancy/index.js";
import { identity, otherSide, type PairOptions, randomOf, type Side, SIDES } from "./pair.js";

export const HOLD_MS = 3000;
const HELLO_MS = 1000;
const LAN_DELAY_MS = 1;
const LINK_DELAY_MS = 2;
const LINK_JITTER_MS = 8;
/** The association notices a dead peer after so long, as with the default retransmission bounds. */
const DEATH_MS = 2700;
const SETUP_MS = 60;
const RETRY_MS = 20;
/** Sessions in one frame of a copy. */
const CHUNK = 5;
const LANS = ["GigabitEthernet0/0", "GigabitEthernet0/1"] as const;
export type Lan = (typeof LANS)[number];

/** Session records of the model. */
type Records =
  | { readonly kind: "sessions"; readonly sessions: readonly number[]; readonly sent: number }
  | { readonly kind: "end"; readonly bulk: number; readonly count: number }
  | { readonly kind: "ack"; readonly received: number };

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Not a MAC by any standard, but quick: it depends on the key and on every byte. */
const quickMac: Mac = (key, bytes) => {
  const view = new DataView(new ArrayBuffer(16));
  let [one, two] = [0x811c9dc5, 0x9747b28c];
  for (const part of [key, bytes]) {
    for (const byte of part) {
      one = Math.imul(one ^ byte, 0x01000193);
      two = Math.imul(two ^ byte, 0x85ebca6b) ^ (two >>> 13);
    }
  }
  [one, two, one ^ two, one + two].forEach((word, index) => {
    view.setUint32(4 * index, word);
  });
  return new Uint8Array(view.buffer);
};

export class Box {
  readonly side: Side;
  readonly identity: Identity;
  isAlive = false;
  isFrozen = false;
  /** Stepped since the last check. */
  isTouched = false;
  hsrp!: Hsrp;
  redundancy!: Redundancy;
  role: Role = "none";
  /** Inputs that wait while the box stands still. */
  waiting: (() => void)[] = [];
  queue: (() => void)[] = [];
  isBusy = false;
  news = "";
  sessions = new Set<number>();
  /** The copy that is awaited, and what of it has come. */
  awaited: { bulk: number; generation: number; sessions: Set<number> } | undefined;
  completed: { generation: number } | undefined;
  isServing = false;
  sent = 0;
  acknowledged = 0;
  received = 0;
  takeovers: { atMs: number; takeover: Takeover; generation: number; sessions: number }[] = [];
  replies: string[] = [];
  log: string[] = [];

  constructor(side: Side, options: PairOptions) {
    this.side = side;
    this.identity = identity(side, options);
  }
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const isBefore = (x: Due, y: Due): boolean => x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order);

interface Flow {
  /** Frames on their way, in order, of one direction and stream. */
  frames: { bytes: Uint8Array; association: number; atMs: number }[];
}

export interface WorldOptions extends PairOptions {
  readonly reloadMode?: ReloadMode;
}

export class World {
  nowMs = 0;
  readonly boxes: Record<Side, Box>;
  readonly random: () => number;
  readonly options: WorldOptions;
  /** Ports that are down: `a GigabitEthernet0/0`. */
  readonly downPorts = new Set<string>();
  /** LANs that are cut between the boxes while both ports are up. */
  readonly cutLans = new Set<Lan>();
  /** Directions of the synchronisation link that are cut, by sender. */
  readonly cutLink = new Set<Side>();
  #events: Due[] = [];
  #order = 0;
  #association = 0;
  #isUp: Record<Side, boolean> = { a: false, b: false };
  #badSinceMs: number | undefined;
  #goodSinceMs: number | undefined;
  #flows = new Map<string, Flow>();
  #nextSession = 1;
  #hasTraffic = false;
  #twoActiveSinceMs: number | undefined;
  /** The sessions of the last box that drained. */
  #drained = new Set<number>();
  #generations: Record<Side, number> = { a: 0, b: 0 };
  longestTwoActiveMs = 0;
  /** Take-overs that an operator has ordered. */
  switchovers = 0;
  events = 0;

  constructor(seed: number, options: WorldOptions = {}) {
    this.random = randomOf(seed);
    this.options = options;
    this.boxes = { a: new Box("a", options), b: new Box("b", options) };
    this.#every(RETRY_MS, () => this.#tendAssociation());
  }

  below(limit: number): number {
    return this.random() % limit;
  }

  at(afterMs: number, run: () => void): void {
    this.#events.push({ atMs: this.nowMs + afterMs, order: this.#order++, run });
  }

  #every(ms: number, run: () => void): void {
    this.at(ms, () => {
      run();
      this.#every(ms, run);
    });
  }

  /** Lets time pass. */
  run(forMs: number): this {
    const endMs = this.nowMs + forMs;
    for (;;) {
      const event = this.#events.reduce(
        (best, each, index) => (best === -1 || isBefore(each, this.#events[best]!) ? index : best),
        -1,
      );
      const next = event === -1 ? undefined : this.#events[event]!;
      const due = SIDES.map((side) => this.boxes[side])
        .filter((box) => box.isAlive && !box.isFrozen)
        .map((box) => ({
          box,
          atMs: Math.max(this.nowMs, Math.min(box.hsrp.deadlineMs, box.redundancy.deadlineMs)),
        }))
        .reduce<{ box: Box; atMs: number } | undefined>(
          (best, each) => (best === undefined || each.atMs < best.atMs ? each : best),
          undefined,
        );
      const atMs = Math.min(next?.atMs ?? Infinity, due?.atMs ?? Infinity);
      if (atMs > endMs) break;
      this.nowMs = atMs;
      if (next !== undefined && next.atMs <= atMs) {
        this.#events.splice(event, 1);
        next.run();
      } else {
        this.#tick(due!.box);
      }
      this.events++;
      this.#check();
    }
    this.nowMs = endMs;
    return this;
  }

  #tick(box: Box): void {
    if (box.hsrp.deadlineMs <= this.nowMs) this.toHsrp(box, { kind: "tick" });
    if (box.redundancy.deadlineMs <= this.nowMs) this.toRedundancy(box, { kind: "tick" });
  }

  // ------------------------------------------------------------------------------------------------ faults

  start(side: Side): this {
    const box = this.boxes[side];
    box.isAlive = true;
    box.isFrozen = false;
    box.waiting = [];
    box.queue = [];
    box.sessions = new Set();
    box.news = "";
    box.role = "none";
    this.#generations[side] = 0;
    const { reloadMode } = this.options;
    box.redundancy = new Redundancy({
      random: this.random,
      mac: quickMac,
      ...(reloadMode && { reloadMode }),
    });
    this.#forget(box);
    this.toRedundancy(box, { kind: "configure", identity: box.identity });
    this.toRedundancy(box, { kind: "ready" });
    this.#newHsrp(box);
    return this;
  }

  startBoth(): this {
    return this.start("a").start("b");
  }

  crash(side: Side): this {
    const box = this.boxes[side];
    box.isAlive = false;
    box.role = "none";
    this.#isUp[side] = false;
    return this;
  }

  freeze(side: Side, forMs: number): this {
    const box = this.boxes[side];
    if (!box.isAlive || box.isFrozen) return this;
    box.isFrozen = true;
    this.at(forMs, () => {
      if (!box.isFrozen) return;
      box.isFrozen = false;
      const { waiting } = box;
      box.waiting = [];
      for (const run of waiting) run();
      if (waiting.length === 0) this.#tick(box);
    });
    return this;
  }

  setPort(side: Side, lan: Lan, isUp: boolean): this {
    const name = `${side} ${lan}`;
    if (isUp) this.downPorts.delete(name);
    else this.downPorts.add(name);
    const box = this.boxes[side];
    if (!box.isAlive) return this;
    this.#whenAwake(box, () => {
      this.toHsrp(box, { kind: "link", interface: lan, isUp });
      const isDegraded = LANS.some((each) => this.downPorts.has(`${side} ${each}`));
      this.toRedundancy(box, { kind: "interfaces", isDegraded });
    });
    return this;
  }

  /** Makes everything whole again, and every box alive. */
  heal(): this {
    this.cutLans.clear();
    this.cutLink.clear();
    for (const side of SIDES) {
      for (const lan of LANS) if (this.downPorts.has(`${side} ${lan}`)) this.setPort(side, lan, true);
      if (!this.boxes[side].isAlive) this.start(side);
    }
    return this;
  }

  // --------------------------------------------------------------------------------------------- wiring of a box

  view(side: Side): RedundancyView {
    return this.boxes[side].redundancy.view;
  }

  actives(): Box[] {
    return SIDES.map((side) => this.boxes[side]).filter(
      ({ isAlive, isFrozen, role }) => isAlive && !isFrozen && (role === "active" || role === "draining"),
    );
  }

  operate(side: Side, input: Extract<RedundancyInput, { kind: "operator" }>): this {
    this.toRedundancy(this.boxes[side], input);
    return this;
  }

  /** The core of a box fails. */
  trap(side: Side): this {
    this.toRedundancy(this.boxes[side], { kind: "trap" });
    return this;
  }

  #whenAwake(box: Box, run: () => void): void {
    if (!box.isAlive) return;
    if (box.isFrozen) box.waiting.push(() => box.isAlive && run());
    else run();
  }

  #newHsrp(box: Box): void {
    const macs = new Map(
      [...LANS, "GigabitEthernet0/2"].map((name, index) => [
        name,
        `0200.5e00.${box.side}${box.side}0${index}`,
      ]),
    );
    box.hsrp = new Hsrp(optionsOf(box.identity.config, { macs, random: this.random }));
    for (const lan of LANS) {
      const isUp = !this.downPorts.has(`${box.side} ${lan}`);
      this.toHsrp(box, { kind: "link", interface: lan, isUp });
    }
  }

  toHsrp(box: Box, input: HsrpInput): void {
    this.#enqueue(box, () => {
      for (const action of box.hsrp.step(input, this.nowMs)) {
        if (action.kind !== "send") continue;
        const peer = this.boxes[otherSide(box.side)];
        const { interface: name, source, destination, ttl, payload } = action;
        if (this.#isLanCut(name as Lan)) continue;
        this.at(LAN_DELAY_MS, () => {
          if (this.#isLanCut(name as Lan)) return;
          this.#whenAwake(peer, () =>
            this.toHsrp(peer, { kind: "packet", interface: name, source, destination, ttl, payload }),
          );
        });
      }
      this.#tellNews(box);
    });
  }

  #isLanCut(lan: Lan): boolean {
    return this.cutLans.has(lan) || SIDES.some((side) => this.downPorts.has(`${side} ${lan}`));
  }

  isLanWhole(): boolean {
    return LANS.every((lan) => !this.#isLanCut(lan));
  }

  #tellNews(box: Box): void {
    // Read when it is its turn: what HSRP was before says nothing.
    this.#enqueue(box, () => this.#tellNewsNow(box));
  }

  #tellNewsNow(box: Box): void {
    const group = box.hsrp.views(this.nowMs).find(({ name }) => name === "INSIDE")!;
    const role = group.state === "active" ? "active" : group.state === "standby" ? "standby" : "other";
    const news: RedundancyInput = {
      kind: "hsrp",
      role,
      priority: group.priority,
      isActiveHeard: group.active.kind === "neighbor",
      report: box.hsrp.report(),
    };
    const text = JSON.stringify(news);
    if (text === box.news) return;
    box.news = text;
    this.toRedundancy(box, news);
  }

  toRedundancy(box: Box, input: RedundancyInput): void {
    this.#enqueue(box, () => {
      box.isTouched = true;
      for (const action of box.redundancy.step(input, this.nowMs)) {
        this.#enqueue(box, () => this.#handle(box, action));
      }
    });
  }

  /** Inputs and actions one after the other, never one inside another. */
  #enqueue(box: Box, run: () => void): void {
    box.queue.push(run);
    if (box.isBusy) return;
    box.isBusy = true;
    for (let next = box.queue.shift(); next !== undefined; next = box.queue.shift()) next();
    box.isBusy = false;
  }

  #handle(box: Box, action: RedundancyAction): void {
    switch (action.kind) {
      case "role":
        box.role = action.role;
        if (action.role === "draining") this.#checkDrained(box);
        if (action.takeover !== undefined) this.#noteTakeover(box, action);
        break;
      case "send":
        this.#send(box.side, action.stream, action.bytes);
        break;
      case "data":
        this.#take(box, JSON.parse(DECODER.decode(action.payload)) as Records, action.missing);
        break;
      case "bulk-begin": {
        box.isServing = true;
        box.sent = box.acknowledged = 0;
        const all = [...box.sessions];
        for (let at = 0; at < all.length; at += CHUNK) {
          const sessions = all.slice(at, at + CHUNK);
          box.sent += sessions.length;
          this.#data(box, "bulk", { kind: "sessions", sessions, sent: box.sent });
        }
        this.#data(box, "bulk", { kind: "end", bulk: action.bulk, count: all.length });
        break;
      }
      case "bulk-await":
        box.awaited = { bulk: action.bulk, generation: action.generation, sessions: new Set() };
        box.received = 0;
        break;
      case "bulk-abort":
        box.awaited = undefined;
        box.isServing = false;
        break;
      case "start-clean":
        if (action.isFlushed) {
          box.sessions = new Set();
          this.#forget(box);
          box.news = "";
          this.toHsrp(box, { kind: "stop" });
          this.#enqueue(box, () => this.#newHsrp(box));
        }
        this.toRedundancy(box, { kind: "ready" });
        break;
      case "hsrp":
        this.toHsrp(box, action.input);
        break;
      case "association":
        this.#restartAssociation();
        break;
      case "reply":
        box.replies.push(`${action.command} ${action.outcome}: ${action.text}`);
        break;
      case "log":
        box.log.push(`${this.nowMs} ${action.text}`);
        break;
      case "state":
        break;
    }
  }

  #forget(box: Box): void {
    box.awaited = undefined;
    box.completed = undefined;
    box.isServing = false;
    box.sent = box.acknowledged = box.received = 0;
  }

  // ------------------------------------------------------------------------------------------------ sessions

  /** Somebody opens a connection. */
  connect(): void {
    const [active, ...others] = this.actives();
    if (active === undefined || others.length > 0 || active.role === "draining") return;
    const session = this.#nextSession++;
    active.sessions.add(session);
    if (!active.isServing) return;
    active.sent += 1;
    this.#data(active, "dynamic", { kind: "sessions", sessions: [session], sent: active.sent });
  }

  traffic(everyMs: number): this {
    this.#hasTraffic = true;
    this.#every(everyMs, () => this.#hasTraffic && this.connect());
    return this;
  }

  stopTraffic(): this {
    this.#hasTraffic = false;
    return this;
  }

  #data(box: Box, stream: "dynamic" | "bulk", records: Records): void {
    this.toRedundancy(box, { kind: "data", stream, payload: ENCODER.encode(JSON.stringify(records)) });
  }

  #take(box: Box, records: Records, missing: number): void {
    if (missing > 0) throw new Error("a frame is missing on a reliable association");
    switch (records.kind) {
      case "sessions":
        for (const session of records.sessions) {
          box.sessions.add(session);
          box.awaited?.sessions.add(session);
        }
        box.received += records.sessions.length;
        this.#data(box, "dynamic", { kind: "ack", received: box.received });
        if (box.awaited !== undefined) {
          this.toRedundancy(box, { kind: "bulk", bulk: box.awaited.bulk, status: "progress" });
        }
        return;
      case "end": {
        const { awaited } = box;
        if (awaited?.bulk !== records.bulk) return;
        const isRight = awaited.sessions.size >= records.count;
        // What the active does not have is gone.
        if (isRight) {
          box.sessions = new Set(awaited.sessions);
          box.completed = { generation: awaited.generation };
        }
        const status = isRight ? "complete" : "failed";
        this.toRedundancy(box, { kind: "bulk", bulk: awaited.bulk, status });
        return;
      }
      case "ack":
        box.acknowledged = Math.max(box.acknowledged, records.received);
        this.#checkDrained(box);
        return;
    }
  }

  #checkDrained(box: Box): void {
    if (box.role !== "draining" || box.acknowledged < box.sent) return;
    this.#drained = new Set(box.sessions);
    this.toRedundancy(box, { kind: "drained" });
  }

  // --------------------------------------------------------------------------------------------- the association

  #send(from: Side, stream: number, bytes: Uint8Array): void {
    if (!this.#isUp[from]) return;
    const key = `${from} ${stream}`;
    const flow = this.#flows.get(key) ?? { frames: [] };
    this.#flows.set(key, flow);
    const soonest = this.nowMs + LINK_DELAY_MS + this.below(LINK_JITTER_MS);
    const atMs = Math.max(soonest, flow.frames.at(-1)?.atMs ?? 0);
    flow.frames.push({ bytes: bytes.slice(), association: this.#association, atMs });
    this.at(atMs - this.nowMs, () => this.#deliver(from, stream));
  }

  #deliver(from: Side, stream: number): void {
    const flow = this.#flows.get(`${from} ${stream}`)!;
    const [frame] = flow.frames;
    if (frame === undefined || frame.atMs > this.nowMs) return;
    const to = this.boxes[otherSide(from)];
    if (frame.association === this.#association && this.#isUp[to.side] && this.cutLink.has(from)) {
      // Sent again until it arrives, or the association ends; what is behind it waits.
      for (const each of flow.frames) each.atMs = Math.max(each.atMs, this.nowMs + RETRY_MS);
      this.at(RETRY_MS, () => this.#deliver(from, stream));
      return;
    }
    flow.frames.shift();
    if (frame.association === this.#association && this.#isUp[to.side]) {
      const { bytes, association } = frame;
      this.#whenAwake(to, () => {
        if (association === this.#association) this.toRedundancy(to, { kind: "message", stream, bytes });
      });
    }
    if (flow.frames.length > 0)
      this.at(Math.max(0, flow.frames[0]!.atMs - this.nowMs), () => this.#deliver(from, stream));
  }

  #tendAssociation(): void {
    const isGood =
      this.cutLink.size === 0 &&
      SIDES.every((side) => this.boxes[side].isAlive && !this.boxes[side].isFrozen);
    this.#goodSinceMs = isGood ? (this.#goodSinceMs ?? this.nowMs) : undefined;
    this.#badSinceMs = isGood ? undefined : (this.#badSinceMs ?? this.nowMs);
    const isWhole = this.#isUp.a && this.#isUp.b;
    if (!isGood && this.nowMs - this.#badSinceMs! >= DEATH_MS) {
      for (const side of SIDES) if (this.#isUp[side] && !this.boxes[side].isFrozen) this.#lose(side);
    }
    if (isGood && !isWhole && this.nowMs - this.#goodSinceMs! >= SETUP_MS) {
      this.#association += 1;
      for (const side of SIDES) {
        const status = this.#isUp[side] ? "restarted" : "up";
        this.#isUp[side] = true;
        this.toRedundancy(this.boxes[side], { kind: "association", status });
      }
    }
  }

  #lose(side: Side): void {
    this.#isUp[side] = false;
    if (!this.boxes[side].isAlive) return;
    this.toRedundancy(this.boxes[side], { kind: "association", status: "down" });
  }

  /** A shutdown: what was sent before still arrives. */
  #restartAssociation(): void {
    const ended = this.#association;
    this.at(LINK_DELAY_MS + LINK_JITTER_MS + 1, () => {
      if (ended !== this.#association) return;
      this.#association += 1;
      this.#goodSinceMs = undefined;
      for (const side of SIDES) if (this.#isUp[side] && !this.boxes[side].isFrozen) this.#lose(side);
    });
  }

  // ------------------------------------------------------------------------------------------------ what must hold

  #noteTakeover(box: Box, { takeover, generation, reason }: RoleAction): void {
    box.takeovers.push({ atMs: this.nowMs, takeover: takeover!, generation, sessions: box.sessions.size });
    if (reason === "userInitiated") {
      const lost = [...this.#drained].filter((session) => !box.sessions.has(session));
      if (lost.length > 0) this.#fail(`a switchover has lost sessions ${lost}`);
      this.switchovers += 1;
    }
    if (takeover === "cold" && box.sessions.size > 0) this.#fail(`${box.side} says cold and has sessions`);
    if (takeover === "hot" && box.completed === undefined)
      this.#fail(`${box.side} says hot without a whole copy`);
  }

  #fail(message: string): never {
    throw new Error(
      `at ${this.nowMs} ms: ${message}\n${SIDES.map((s) => `${s}: ${this.boxes[s].log.join("\n   ")}`).join("\n")}`,
    );
  }

  #check(): void {
    const actives = this.actives();
    if (actives.length < 2) this.#twoActiveSinceMs = undefined;
    else {
      const isHeard = SIDES.every((side) => this.view(side).link !== undefined);
      const canHear = isHeard || this.isLanWhole();
      if (!canHear) this.#twoActiveSinceMs = undefined;
      else this.#twoActiveSinceMs ??= this.nowMs;
    }
    const twoMs = this.#twoActiveSinceMs === undefined ? 0 : this.nowMs - this.#twoActiveSinceMs;
    this.longestTwoActiveMs = Math.max(this.longestTwoActiveMs, twoMs);
    if (twoMs > HOLD_MS + HELLO_MS) this.#fail(`two actives that hear each other, for ${twoMs} ms`);
    for (const side of SIDES) {
      const box = this.boxes[side];
      if (!box.isAlive || box.isFrozen || !box.isTouched) continue;
      box.isTouched = false;
      const { generation, machine, peer } = box.redundancy.view;
      if (generation < this.#generations[side])
        this.#fail(`the generation of ${side} has fallen to ${generation}`);
      this.#generations[side] = generation;
      const isCurrent = peer.state !== "active" || box.completed?.generation === generation;
      if (machine === "hot" && (box.completed === undefined || !isCurrent)) {
        this.#fail(`${side} is hot without a copy of generation ${generation}`);
      }
    }
  }

  /** Whether one box is active, the other hot, and both have the same sessions. */
  isQuiet(): boolean {
    const actives = this.actives();
    if (actives.length !== 1) return false;
    const [active] = actives as [Box];
    const standby = this.boxes[otherSide(active.side)];
    return (
      standby.isAlive &&
      standby.redundancy.view.machine === "hot" &&
      active.redundancy.view.outOfSyncReason === undefined &&
      standby.redundancy.view.outOfSyncReason === undefined &&
      [...active.sessions].every((session) => standby.sessions.has(session)) &&
      active.sessions.size === standby.sessions.size
    );
  }
}
