/** The sessions of both boxes: who began them, who has them, and who must have them after a take-over. */
import type { Core } from "../../src/core.js";
import type { Node } from "../../src/node.js";
import { BOX_NAMES, type BoxName, type World } from "../../src/pair/world.js";
import type { Flow, Packet } from "./flows.js";
import { broken, hex } from "./invariants.js";
import { type LossReason, noLosses } from "./losses.js";
import { otherBox, RECOVERY_MS, type Roles, TALK_MS } from "./roles.js";
import { digestsOf, type Entry, isOpen, readTable } from "./table.js";
import type { Variant } from "./variant.js";

/** A record needs so long to the standby where nothing is lost. */
const LAG_MS = 10;

/** The sessions of an active, as they were last seen, and the standby at that moment. */
interface Holding {
  readonly box: BoxName;
  readonly atMs: number;
  readonly generation: number;
  /** Since when the box has been active. */
  readonly activeSinceMs: number;
  readonly table: ReadonlyMap<number, Entry>;
  readonly peerEpoch: number;
  /** What is acknowledged, the standby of now has acknowledged, and not one before its last boot. */
  readonly isPeerHot: boolean;
  /** The standby was hot and the link whole for so long that it had everything older than LAG_MS. */
  readonly isTimely: boolean;
}

export class Sessions {
  readonly #variant: Variant;
  readonly #coreOf: (node: Node) => Core;
  readonly #roles: Roles;
  world!: World;
  /** By id; several where boxes that did not know of each other used a number twice. */
  readonly #begun = new Map<number, Flow[]>();
  readonly #openSinceMs = new Map<number, number>();
  /** Versions by id, of each box in its present life. */
  readonly #versions: Record<BoxName, { epoch: number; known: Map<number, number> }> = {
    A: { epoch: 0, known: new Map() },
    B: { epoch: 0, known: new Map() },
  };
  /** Sessions that were in some table, with the time since when they are in none. */
  readonly #goneSinceMs = new Map<number, number>();
  #lastIds: ReadonlySet<number> = new Set();
  #holding: Holding | undefined;
  /** Conversations that a box forwarded while the other was active too. */
  readonly #parted = new Map<Flow, { box: BoxName; life: number }>();
  /** First replies that left when the standby had the session: by id, the box that passed them and the standby's epoch. */
  readonly #vouched = new Map<number, { box: BoxName; peerEpoch: number }>();
  /** Sessions that take-overs lost. */
  readonly losses = noLosses();

  constructor(variant: Variant, roles: Roles, coreOf: (node: Node) => Core) {
    this.#variant = variant;
    this.#roles = roles;
    this.#coreOf = coreOf;
  }

  /** A packet passes: it begins the session, or belongs to it; 0: neither. */
  passed(name: BoxName, packet: Packet, id: number, isNew: boolean): void {
    const flows = this.#begun.get(id) ?? [];
    if (!this.#roles.isDual) this.#parted.delete(packet.flow);
    else this.#parted.set(packet.flow, { box: name, life: this.#roles.seen[name].life });
    if (isNew) this.#begun.set(id, [...flows, packet.flow]);
    else if (id !== 0 && !flows.includes(packet.flow))
      broken("invented", `${name} passes ${packet.text} by ${this.#nameOf(id)}`);
  }

  /** A reply leaves. `isAcknowledged`: it waited for the standby, which has the session now. */
  left(name: BoxName, packet: Packet, id: number, isAcknowledged: boolean): void {
    const peer = this.#roles.seen[otherBox(name)];
    const isFirst = packet.from === "server" && this.#vouched.get(id)?.box !== name;
    if (!this.#variant.isDeferring || !isFirst || peer.state !== "standbyHot") return;
    if (isAcknowledged || this.#tableOf(name)?.get(id)?.isAcknowledged)
      this.#vouched.set(id, { box: name, peerEpoch: peer.epoch });
  }

  /**
   * A conversation went on over the other of two actives, which died before anything was heard of it: nobody is left who
   * knows how far it has come.
   */
  isForsaken(flow: Flow, active: BoxName): boolean {
    const parted = this.#parted.get(flow);
    return parted !== undefined && parted.box !== active && this.#roles.seen[parted.box].life !== parted.life;
  }

  /** An active dies, freezes or traps now: what it has is what its successor must have. */
  beforeLoss(name: BoxName): void {
    const table = this.#tableOf(name);
    if (table !== undefined && this.#roles.seen[name].role === "active") this.#hold(name, table);
  }

  /** A box has become active: the sessions of the former one that must be here. */
  checkKept(name: BoxName): void {
    const holding = this.#holding;
    const table = this.#tableOf(name);
    this.#holding = undefined;
    if (holding === undefined || table === undefined || holding.box === name) return;
    const { epoch, generation } = this.#roles.seen[name];
    const isSame = epoch === holding.peerEpoch;
    const isKnown = this.world.nowMs - holding.activeSinceMs > LAG_MS;
    if (isSame && isKnown && holding.isTimely && generation <= holding.generation)
      broken("generation", `${name} takes over with ${generation} from ${holding.generation}`);
    for (const entry of holding.table.values()) {
      if (table.has(entry.id)) continue;
      const reason = this.#lossOf(entry, holding, isSame);
      this.losses[reason]++;
      if (isSame && entry.isShared && reason !== "closing") this.#checkLost(name, holding, entry);
    }
    for (const [id, { box, peerEpoch }] of this.#vouched) {
      const isDue = box === holding.box && peerEpoch === epoch && holding.table.has(id);
      if (isDue && !table.has(id) && !this.#isClosing(id))
        broken("deferred", `${name} lacks ${this.#nameOf(id)}`);
    }
  }

  #lossOf(entry: Entry, { isPeerHot }: Holding, isSame: boolean): LossReason {
    if (this.#isClosing(entry.id)) return "closing";
    if (!entry.isShared) return "unshared";
    if (!isSame) return "restarted";
    if (!isPeerHot) return "cold";
    return isOpen(entry) || this.#variant.isDeferring ? "young" : "halfOpen";
  }

  #checkLost(name: BoxName, { atMs, isPeerHot, isTimely }: Holding, { id, isAcknowledged }: Entry): void {
    const ageMs = atMs - (this.#openSinceMs.get(id) ?? Number.POSITIVE_INFINITY);
    if (isAcknowledged && isPeerHot) broken("kept", `${name} lacks ${this.#nameOf(id)}, acknowledged`);
    if (isTimely && ageMs > LAG_MS) broken("kept", `${name} lacks ${this.#nameOf(id)}, open for ${ageMs} ms`);
  }

  /** Looks at both tables. */
  sample(): void {
    const ids = new Set<number>();
    const tables: Partial<Record<BoxName, Map<number, Entry>>> = {};
    for (const name of BOX_NAMES) {
      const table = this.#tableOf(name);
      if (table === undefined) continue;
      tables[name] = table;
      for (const entry of table.values()) {
        ids.add(entry.id);
        this.#checkEntry(name, entry);
      }
      const isActive = this.#roles.seen[name].role === "active" && this.world.status(name) === "running";
      if (isActive) this.#checkActiveTable(name, table);
    }
    this.#checkBuried(ids);
    for (const name of BOX_NAMES) this.#checkAhead(name, tables);
  }

  #checkEntry(name: BoxName, entry: Entry): void {
    const { id, version } = entry;
    if (!this.#begun.has(id)) broken("invented", `${name} has session ${hex(id)}, which nobody began`);
    const versions = this.#versions[name];
    const { epoch } = this.#roles.seen[name];
    if (versions.epoch !== epoch) this.#versions[name] = { epoch, known: new Map() };
    const { known } = this.#versions[name];
    const before = known.get(id) ?? 0;
    if (version < before && this.#isUnique(id))
      broken("version", `${this.#nameOf(id)} of ${name} falls from ${hex(before)} to ${hex(version)}`);
    known.set(id, version);
    if (isOpen(entry) && !this.#openSinceMs.has(id)) this.#openSinceMs.set(id, this.world.nowMs);
  }

  #checkActiveTable(name: BoxName, table: Map<number, Entry>): void {
    const before = this.#holding;
    const { nowMs } = this.world;
    const { activeSinceMs } = this.#roles.seen[name];
    if (before?.box === name && activeSinceMs <= before.atMs && nowMs > before.atMs) {
      for (const entry of before.table.values()) {
        if (isOpen(entry) && !table.has(entry.id) && !this.#isClosing(entry.id))
          broken("vanished", `${this.#nameOf(entry.id)} of ${name}, which stays active`);
      }
    }
    // Two actives: what the newer one has counts.
    if (this.#roles.seen[otherBox(name)].role !== "active") this.#hold(name, table);
  }

  #checkBuried(ids: ReadonlySet<number>): void {
    const { nowMs } = this.world;
    for (const id of this.#lastIds) if (!ids.has(id)) this.#goneSinceMs.set(id, nowMs);
    for (const id of ids) {
      const goneMs = this.#goneSinceMs.get(id);
      if (goneMs === undefined) continue;
      // A record may have been on its way when the session ended.
      const isLate = nowMs - goneMs > TALK_MS && goneMs - this.#roles.linkWholeSinceMs > RECOVERY_MS;
      if (isLate && this.#isUnique(id))
        broken("buried", `${this.#nameOf(id)} comes back after ${nowMs - goneMs} ms`);
      this.#goneSinceMs.delete(id);
    }
    this.#lastIds = ids;
  }

  /** A standby that follows has no newer version than its active. */
  #checkAhead(active: BoxName, tables: Partial<Record<BoxName, Map<number, Entry>>>): void {
    const standby = otherBox(active);
    const { seen } = this.#roles;
    if (seen[active].role !== "active" || seen[standby].state !== "standbyHot") return;
    for (const { id, version } of tables[standby]?.values() ?? []) {
      const own = tables[active]?.get(id);
      if (own?.isKnown && version > own.version && this.#isUnique(id))
        broken("version", `${this.#nameOf(id)} of the standby ${standby} is ahead of its active`);
    }
  }

  /** How the tables of the two boxes differ; undefined: they do not. */
  difference(): string | undefined {
    const { active } = this.#roles;
    if (active === undefined) return `there is no active: ${this.#roles.text}`;
    const [ours, theirs] = [this.#tableOf(active), this.#tableOf(otherBox(active))];
    if (ours === undefined || theirs === undefined) return "a box is dead";
    for (const entry of ours.values()) {
      const isTold = entry.isShared && (isOpen(entry) || this.#variant.isDeferring);
      if (isTold && !theirs.has(entry.id))
        return `the standby lacks ${this.#nameOf(entry.id)} in state ${entry.state}`;
    }
    for (const { id, state, version } of theirs.values()) {
      const entry = ours.get(id);
      if (entry === undefined) return `only the standby has ${this.#nameOf(id)} in state ${state}`;
      if (entry.state !== state || entry.version !== version) {
        const [here, there] = [entry, { state, version }].map(
          (each) => `${each.state}, ${hex(each.version)}`,
        );
        return `${this.#nameOf(id)} has state and version ${here} in ${active}, ${there} in the standby`;
      }
    }
    const digests = BOX_NAMES.map((name) => digestsOf(this.#coreOf(this.world.node(name)!)));
    return digests[0] === digests[1] ? this.#differentDetail(active) : "the digests differ";
  }

  /** Addresses, ports, services, timeouts and bytes. */
  #differentDetail(active: BoxName): string | undefined {
    const [ours, theirs] = [active, otherBox(active)].map((name) => {
      const sessions = [...this.world.node(name)!.dataplane.sessions()];
      return new Map(
        sessions.map(({ createdMs: _created, idleMs: _idle, ...rest }) => [rest.id, JSON.stringify(rest)]),
      );
    });
    for (const [id, text] of theirs!)
      if (ours!.has(id) && ours!.get(id) !== text)
        return `${ours!.get(id)} in ${active}, ${text} in the standby`;
    return undefined;
  }

  #hold(name: BoxName, table: ReadonlyMap<number, Entry>): void {
    const peer = this.#roles.seen[otherBox(name)];
    const atMs = this.world.nowMs;
    this.#holding = {
      box: name,
      atMs,
      generation: this.#roles.seen[name].generation,
      activeSinceMs: this.#roles.seen[name].activeSinceMs,
      table,
      peerEpoch: peer.epoch,
      isPeerHot: peer.state === "standbyHot",
      isTimely: atMs - peer.hotSinceMs > LAG_MS && atMs - this.#roles.linkWholeSinceMs > RECOVERY_MS,
    };
  }

  #tableOf(name: BoxName): Map<number, Entry> | undefined {
    const node = this.world.node(name);
    return node && readTable(this.#coreOf(node));
  }

  #nameOf(id: number): string {
    const flows = (this.#begun.get(id) ?? []).map((flow) => flow.name);
    return `session ${hex(id)} (${flows.join(", ") || "of nobody"})`;
  }

  #isClosing(id: number): boolean {
    return (this.#begun.get(id) ?? []).some((flow) => flow.isClosing);
  }

  #isUnique(id: number): boolean {
    return this.#begun.get(id)!.length === 1;
  }
}
