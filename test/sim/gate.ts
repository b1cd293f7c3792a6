/** The switches between the hosts and the pair: a packet goes to the box that the virtual MAC address was last heard from. */
import * as L from "../../assembly/layout.js";
import { BOX_NAMES, type BoxName, type World } from "../../src/pair/world.js";
import type { Random } from "../model/random.js";
import type { Packet } from "./flows.js";
import { otherBox } from "./roles.js";
import type { Trace } from "./trace.js";
import type { Wait, Watch } from "./watch.js";

/** Frames that wait at a box that is frozen, or hands over. */
const WAITING_MAX = 64;
const DELAY_MS = 0.2;

interface Waiting {
  readonly packet: Packet;
  readonly session: number;
}

export interface GateOptions {
  readonly random: Random;
  readonly trace: Trace;
  readonly watch: Watch;
}

export class Gate {
  world!: World;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #watch: Watch;
  /** Packets by cookie. */
  readonly #packets: Packet[] = [];
  /** Frames that have arrived and not been decided. */
  readonly #arrived: Record<BoxName, Packet[]> = { A: [], B: [] };
  /** First replies that wait for the standby, by token. */
  readonly #deferred: Record<BoxName, Map<number, Waiting>> = { A: new Map(), B: new Map() };
  loss = 0;
  misdelivery = 0;
  /**
   * Of packets: sent by hosts, decided by boxes, delivered to hosts; forbidden ones that were dropped; others that an
   * active box dropped.
   */
  readonly counts = { sent: 0, decided: 0, delivered: 0, forbidden: 0, refused: 0 };

  constructor({ random, trace, watch }: GateOptions) {
    this.#random = random;
    this.#trace = trace;
    this.#watch = watch;
  }

  /** A host sends. */
  send(packet: Packet): void {
    this.counts.sent++;
    const owner = this.world.owner(packet.network);
    if (owner === undefined || this.#random.chance(this.loss)) return;
    const to = this.#random.chance(this.misdelivery) ? otherBox(owner) : owner;
    this.world.at(this.world.nowMs + DELAY_MS, () => this.#arrive(to, packet));
  }

  /** The box is gone, with all that waits in it. */
  forget(name: BoxName): void {
    this.#arrived[name] = [];
    this.#deferred[name].clear();
  }

  /** Decides what has waited, where nothing stands against it any more. */
  resume(): void {
    for (const name of BOX_NAMES) {
      while (this.#arrived[name].length > 0 && this.#isReady(name))
        this.#decide(name, this.#arrived[name].shift()!);
    }
  }

  /** What the box says of a reply that waits. */
  release(name: BoxName, token: number, isAcknowledged: boolean): void {
    const waiting = this.#deferred[name].get(token);
    if (waiting === undefined) return;
    this.#deferred[name].delete(token);
    this.#leave(name, waiting, isAcknowledged ? "acknowledged" : "given up");
  }

  discard(name: BoxName, token: number): void {
    this.#deferred[name].delete(token);
  }

  #isReady(name: BoxName): boolean {
    return this.world.status(name) === "running" && !this.world.node(name)!.isDraining;
  }

  #arrive(name: BoxName, packet: Packet): void {
    if (this.world.status(name) === "dead" || !this.world.isUp(name, packet.network)) return;
    if (this.#isReady(name)) this.#decide(name, packet);
    else if (this.#arrived[name].length < WAITING_MAX) this.#arrived[name].push(packet);
  }

  #decide(name: BoxName, packet: Packet): void {
    const { world } = this;
    const node = world.node(name)!;
    const { dataplane } = node;
    const { batch, interfaces } = dataplane;
    const tally = this.#watch.offered(node);
    batch.clear();
    const cookie = this.#packets.push(packet) - 1;
    batch.add(packet.frame, dataplane.interfaceNumber(packet.network)!, cookie);
    const { outputs, actions } = node.process(world.nowMs);
    // The core trapped, and took the frame with it.
    if (node.dataplane !== dataplane) tally.offered--;
    this.counts.decided++;
    for (let i = 0; i < outputs; i++) {
      const verdict = batch.verdict(i);
      this.#trace.note(world.nowMs, `${name} ${packet.text}: ${batch.reason(i)}`);
      if (verdict === "held") throw new Error("a whole packet is held");
      tally[verdict]++;
      if (verdict !== "pass") {
        this.#lose(name, packet);
        continue;
      }
      const session = Number(batch.session(i));
      this.#watch.passed(name, packet, session, batch.reasonCode(i) === L.R_NEW_SESSION);
      const isUp = world.isUp(name, interfaces[batch.egress(i)]!);
      if (!isUp) continue;
      if (batch.isDeferred(i) && node.defer(cookie, world.nowMs)) {
        this.#deferred[name].set(cookie, { packet, session });
      } else this.#leave(name, { packet, session }, "none");
    }
    batch.clear();
    world.act(name, actions);
  }

  #lose(name: BoxName, { isForbidden }: Packet): void {
    if (isForbidden) this.counts.forbidden++;
    else if (this.#watch.roles.seen[name].role === "active") this.counts.refused++;
  }

  #leave(name: BoxName, { packet, session }: Waiting, wait: Wait): void {
    this.#watch.left(name, packet, session, wait);
    if (this.#random.chance(this.loss)) return;
    this.world.at(this.world.nowMs + DELAY_MS, () => {
      this.counts.delivered++;
      packet.deliver();
    });
  }
}
