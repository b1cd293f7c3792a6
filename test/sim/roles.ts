/** What each box says and does of its role, and what must hold of both together. */
import type { NodeAction } from "../../src/node.js";
import { BOX_NAMES, type BoxName, type World } from "../../src/pair/world.js";
import type { RfState, Role, Takeover } from "../../src/redundancy/index.js";
import { broken } from "./invariants.js";
import { HSRP_LANS, type Variant } from "./variant.js";

/** After noise the association may still be repeating what was lost. */
export const RECOVERY_MS = 2500;
/** A message over the association where nothing is lost, with its delayed acknowledgements. */
export const TALK_MS = 150;
/** In which both boxes notice that the association is cut (threat D05); until then they believe what they were told. */
const NOTICE_MS = 3000;
const NEVER_MS = Number.POSITIVE_INFINITY;

/** One box. */
export interface Seen {
  role: Role;
  state: RfState;
  generation: number;
  hotSinceMs: number;
  activeSinceMs: number;
  /** Raised when the box loses its sessions on purpose: boot, clean start. */
  epoch: number;
  /** Raised when it does so and its peer may not hear of it: boot, trap, clean start while the association is cut. */
  life: number;
  /** State of the HSRP group by interface. */
  readonly groups: Map<string, string>;
}

export interface TakeoverNote {
  readonly box: BoxName;
  readonly atMs: number;
  readonly generation: number;
  /** Undefined: it was active before, and is again. */
  readonly takeover: Takeover | undefined;
}

export const otherBox = (name: BoxName): BoxName => (name === "A" ? "B" : "A");

const newSeen = (): Seen => ({
  role: "none",
  state: "unknown",
  generation: 0,
  hotSinceMs: NEVER_MS,
  activeSinceMs: NEVER_MS,
  epoch: 0,
  life: 0,
  groups: new Map(),
});

export class Roles {
  readonly #variant: Variant;
  world!: World;
  readonly seen: Readonly<Record<BoxName, Seen>> = { A: newSeen(), B: newSeen() };
  /** Since when both boxes run, and their LANs, or the links of the association, lose nothing. */
  lansWholeSinceMs = NEVER_MS;
  linkWholeSinceMs = NEVER_MS;
  /** When the links of the association were last whole, if they are not. */
  #linkBrokenAtMs = Number.NEGATIVE_INFINITY;
  #dualSinceMs = NEVER_MS;
  #splitSinceMs = NEVER_MS;
  /** When a box last started clean: its groups begin anew then. */
  #startedMs = 0;
  /** Whenever a box has become active or is no longer. */
  changes = 0;
  readonly takeovers: TakeoverNote[] = [];
  /** Longest time that two boxes were active, that the groups had different owners, while the LANs were whole. */
  longestDualMs = 0;
  longestSplitMs = 0;

  constructor(variant: Variant) {
    this.#variant = variant;
  }

  /** The networks between the boxes are whole, or are not, from now on. */
  networksChanged(areLansWhole: boolean, isLinkWhole: boolean): void {
    const areRunning = BOX_NAMES.every((name) => this.world.status(name) === "running");
    const since = (before: number, isWhole: boolean): number =>
      isWhole && areRunning ? Math.min(before, this.world.nowMs) : NEVER_MS;
    this.lansWholeSinceMs = since(this.lansWholeSinceMs, areLansWhole);
    if (!isLinkWhole && this.linkWholeSinceMs !== NEVER_MS) this.#linkBrokenAtMs = this.world.nowMs;
    this.linkWholeSinceMs = since(this.linkWholeSinceMs, isLinkWhole);
  }

  died(name: BoxName): void {
    const seen = this.seen[name];
    this.#setRole(name, "none");
    seen.state = "unknown";
    seen.hotSinceMs = NEVER_MS;
    seen.groups.clear();
    // Nothing is kept on a disk: a box that boots alone begins with the first generation.
    seen.generation = 0;
    seen.epoch++;
    seen.life++;
  }

  /** Takes what a box does. True: it has become active. */
  action(name: BoxName, action: NodeAction): boolean {
    const seen = this.seen[name];
    if (action.kind === "role") {
      const isNew = action.role === "active" && seen.role !== "active";
      if (action.role === "active") {
        if (action.generation < seen.generation)
          broken("generation", `${name} is active with ${action.generation} after ${seen.generation}`);
        seen.generation = action.generation;
      }
      this.#setRole(name, action.role);
      const { generation, takeover } = action;
      if (isNew) this.takeovers.push({ box: name, atMs: this.world.nowMs, generation, takeover });
      return isNew;
    }
    if (action.kind === "state" && "own" in action) {
      if (action.own !== "standbyHot") seen.hotSinceMs = NEVER_MS;
      else if (seen.state !== "standbyHot") seen.hotSinceMs = this.world.nowMs;
      seen.state = action.own;
    } else if (action.kind === "state" && "to" in action) {
      seen.groups.set(action.interface, action.to);
    } else if (action.kind === "log" && /-(RELOAD|CORE):/.test(action.text)) {
      seen.epoch++;
      this.#startedMs = this.world.nowMs;
      const isHeard = this.world.nowMs - this.linkWholeSinceMs > RECOVERY_MS;
      if (!isHeard || /-CORE:/.test(action.text)) seen.life++;
    }
    return false;
  }

  /** After every event. */
  check(): void {
    this.#checkActives();
    this.#checkOwners();
  }

  /**
   * A box forwards: who has been told of a newer active does not. `hasWaited`: a reply that waited for the standby, which
   * may leave while the box hands over: it still owns the role, and only new packets have to wait.
   */
  checkForwarding(name: BoxName, text: string, hasWaited = false): void {
    const [own, other] = [this.seen[name], this.seen[otherBox(name)]];
    const mayForward = own.role === "active" || (hasWaited && own.role === "draining");
    if (!mayForward) broken("standby-silent", `${name} (${own.role}) passes ${text}`);
    if (other.role !== "active" || other.generation <= own.generation) return;
    const sinceMs = Math.max(other.activeSinceMs, this.linkWholeSinceMs, this.lansWholeSinceMs);
    const toldMs = this.world.nowMs - sinceMs;
    if (toldMs > Math.max(TALK_MS, this.patienceMs))
      broken("generation", `${name} passes ${text} ${toldMs} ms after a newer active was there`);
  }

  /** Both forward, each what reaches it. */
  get isDual(): boolean {
    return BOX_NAMES.every(
      (name) => this.seen[name].role === "active" && this.world.status(name) === "running",
    );
  }

  get active(): BoxName | undefined {
    return BOX_NAMES.find((name) => this.seen[name].role === "active");
  }

  /** One box is active in everything, and the other is hot. */
  get isSettled(): boolean {
    const { active } = this;
    if (active === undefined || BOX_NAMES.some((name) => this.world.status(name) !== "running")) return false;
    const standby = this.seen[otherBox(active)];
    const hasGroups = HSRP_LANS.every((lan) => this.seen[active].groups.get(lan) === "active");
    return standby.state === "standbyHot" && standby.role === "standby" && hasGroups;
  }

  get text(): string {
    return BOX_NAMES.map((name) => {
      const { role, state, groups, generation } = this.seen[name];
      const status = this.world.status(name);
      return `${name} ${status} ${role} ${state} groups ${[...groups.values()].join("/")} generation ${generation}`;
    }).join("; ");
  }

  /** A hold time of the slower clock, and the hello that ends it. */
  get patienceMs(): number {
    const { holdMs, helloMs, clockRates } = this.#variant;
    return (holdMs + helloMs) / Math.min(clockRates.A, clockRates.B);
  }

  #setRole(name: BoxName, role: Role): void {
    const seen = this.seen[name];
    if ((seen.role === "active") !== (role === "active")) {
      this.changes++;
      seen.activeSinceMs = role === "active" ? this.world.nowMs : NEVER_MS;
    }
    seen.role = role;
  }

  /**
   * Since when the boxes can believe what they hear: the LANs are whole, and the association is too, or known to be cut.
   * Until then what it told counts for more than the LANs, where old packets may be sent again (threats D05, H02).
   */
  get #soundSinceMs(): number {
    const toldMs = Math.min(this.linkWholeSinceMs, this.#linkBrokenAtMs + NOTICE_MS);
    return Math.max(this.lansWholeSinceMs, toldMs);
  }

  /** Both claim to be active: after a fault, and no longer than a hold time after everything is whole. */
  #checkActives(): void {
    const { isDual } = this;
    this.#dualSinceMs = isDual ? Math.min(this.#dualSinceMs, this.world.nowMs) : NEVER_MS;
    if (!isDual || this.lansWholeSinceMs === NEVER_MS) return;
    const lastsMs = this.world.nowMs - Math.max(this.#dualSinceMs, this.#soundSinceMs);
    this.longestDualMs = Math.max(this.longestDualMs, lastsMs);
    if (lastsMs > this.patienceMs) broken("one-active", `both are active for ${lastsMs} ms`);
  }

  /** A group with its Active router here, the other group with one there, or with none. */
  #checkOwners(): void {
    const [one, other] = HSRP_LANS.map((lan) =>
      BOX_NAMES.filter((name) => this.seen[name].groups.get(lan) === "active").join(),
    );
    const isSplit = one !== other && this.lansWholeSinceMs !== NEVER_MS;
    this.#splitSinceMs = isSplit ? Math.min(this.#splitSinceMs, this.world.nowMs) : NEVER_MS;
    if (!isSplit) return;
    const lastsMs = this.world.nowMs - Math.max(this.#splitSinceMs, this.#soundSinceMs, this.#startedMs);
    this.longestSplitMs = Math.max(this.longestSplitMs, lastsMs);
    if (lastsMs > 2 * this.patienceMs)
      broken("one-owner", `the groups have the owners "${one}" and "${other}" for ${lastsMs} ms`);
  }
}
