/**
 * The router of a box, as far as a firewall needs one: everything that is for the box itself, and finding neighbours for what is
 * forwarded. Frames, wishes and the time go in; frames to send, neighbours for the core and datagrams for the control
 * machines come out; see actions.ts. Nothing here reads a clock or touches a socket.
 *
 *     frame, report ──> receive, errors ──> send ──┐
 *     datagram ────────────────────────────────────┼──> neighbors ──> transmit
 *     resolve ─────────────────────────────────────┘       └──> neighbor (the core's table)
 */
import type { Family } from "../config/model.js";
import { announcementFrame } from "../hsrp/index.js";
import { familyOf } from "../ip.js";
import type { Configuration, RouterAction, RouterInput, RouterOptions } from "./actions.js";
import { expireAdvertisers, stopAdvertising, updateAdvertisers } from "./advertise.js";
import { transmit } from "./ask.js";
import {
  type Context,
  count,
  isOursOrShared,
  type Link,
  type Neighbor,
  NEVER_MS,
  newErrorBucket,
  newLink,
} from "./context.js";
import { type Counters, newCounters, COUNTER_NAMES } from "./counters.js";
import { reportError } from "./errors.js";
import { NEIGHBORS_MAX } from "./limits.js";
import { expireNeighbors, forget, nextDueMs, sendTo, verifyAll, warmNextHops } from "./neighbors.js";
import { beginAll, expireOwn, stopAll, takeAddresses } from "./own.js";
import { isOnLink, planOf } from "./plan.js";
import { receiveFrame } from "./receive.js";
import { sendDatagram } from "./send.js";
import {
  type InterfaceView,
  interfaceViews,
  type NeighborView,
  neighborViews,
  type RouteView,
  routeViews,
} from "./view.js";

export class Router {
  readonly #context: Context;

  /** All interfaces are down until they are said to be up. Throws when one with an HSRP group has no MAC address. */
  constructor(options: RouterOptions) {
    this.#context = {
      nowMs: 0,
      actions: [],
      plan: planOf(options),
      random: options.random,
      neighborsMax: options.neighborsMax ?? NEIGHBORS_MAX,
      links: new Map(),
      owned: new Map(),
      queued: { frames: 0, bytes: 0 },
      errors: newErrorBucket(),
      undeliverable: [],
      identification: 0,
      deadlineMs: NEVER_MS,
    };
    this.#takePlan();
  }

  /** When the next "tick" is due, or somewhat before; Infinity: nothing is awaited. */
  get deadlineMs(): number {
    return this.#context.deadlineMs;
  }

  /** Handles one input, and what is due. `nowMs`: a monotonic clock in milliseconds that never goes back. */
  step(input: RouterInput, nowMs: number): RouterAction[] {
    const context = this.#context;
    context.nowMs = nowMs;
    this.#take(input);
    if (context.deadlineMs <= nowMs) this.#expire();
    this.#reportUndeliverable();
    const { actions } = context;
    context.actions = [];
    return actions;
  }

  /** `show arp`, `show ipv6 neighbors`. */
  neighbors(family: Family, nowMs: number): NeighborView[] {
    return neighborViews(this.#context, family, nowMs);
  }

  /** `show ip route`, `show ipv6 route`. */
  routes(family: Family): RouteView[] {
    return routeViews(this.#context.plan, family);
  }

  interfaces(): InterfaceView[] {
    return interfaceViews(this.#context);
  }

  /** Of all interfaces together. */
  counters(): Counters {
    const sums = newCounters();
    for (const { counters } of this.#context.links.values()) {
      for (const name of COUNTER_NAMES) sums[name] += counters[name];
    }
    return sums;
  }

  #linkOf(name: string): Link {
    const { links } = this.#context;
    const link = links.get(name) ?? newLink(name);
    links.set(name, link);
    return link;
  }

  #take(input: RouterInput): undefined {
    const context = this.#context;
    switch (input.kind) {
      case "tick":
        return;
      case "frame":
        return receiveFrame(context, this.#linkOf(input.interface), input);
      case "resolve":
        return sendTo(context, this.#linkOf(input.interface), input.nextHop, { ...input, isForwarded: true });
      case "report":
        return reportError(context, this.#linkOf(input.interface), { ...input, failure: input.cause });
      case "datagram":
        return sendDatagram(context, this.#linkOf(input.interface), input);
      case "announce": {
        const link = this.#linkOf(input.interface);
        if (!transmit(context, link, announcementFrame(input))) return;
        return count(link, input.family === 4 ? "arp_replies_sent" : "nd_advertisements_sent");
      }
      case "own":
        return this.#own(input);
      case "disown":
        context.owned.delete(input.key);
        return updateAdvertisers(context, this.#linkOf(input.interface));
      case "link":
        return this.#setLink(this.#linkOf(input.interface), input.isUp);
      case "configure":
        return this.#configure(input);
      case "clear":
        return this.#clear(input.what === "arp" ? 4 : 6, input.interface);
      case "stop":
        for (const link of context.links.values()) stopAdvertising(context, link, input.inherited);
        return;
    }
  }

  /** This router is the active one now: what it knows of neighbours may be old, and they are to know it. */
  #own({ key, interface: name, addresses, mac }: Extract<RouterInput, { kind: "own" }>): undefined {
    const context = this.#context;
    const link = this.#linkOf(name);
    context.owned.set(key, { interface: name, addresses, mac });
    forget(context, link, ({ address }) => addresses.includes(address));
    for (const family of new Set(addresses.map(familyOf))) verifyAll(context, link, family);
    updateAdvertisers(context, link);
  }

  #setLink(link: Link, isUp: boolean): undefined {
    const context = this.#context;
    if (link.isUp === isUp) return;
    link.isUp = isUp;
    if (isUp) {
      beginAll(context, link);
      warmNextHops(context, link);
    } else {
      stopAll(link);
      forget(context, link, () => true);
      link.speakers.clear();
    }
    updateAdvertisers(context, link);
  }

  #configure(configuration: Configuration): undefined {
    this.#context.plan = planOf(configuration);
    this.#takePlan();
  }

  /** Makes the links those of the plan, and forgets what no longer fits. */
  #takePlan(): undefined {
    const context = this.#context;
    const { plan, links } = context;
    for (const name of plan.interfaces.keys()) this.#linkOf(name);
    for (const link of links.values()) {
      const before = link.plan?.mac;
      link.plan = plan.interfaces.get(link.name);
      if (link.plan?.mac !== before) link.own.clear();
      takeAddresses(context, link);
    }
    for (const link of links.values()) {
      forget(context, link, (neighbor) => !this.#fits(link, neighbor));
      warmNextHops(context, link);
      updateAdvertisers(context, link);
    }
  }

  #fits(link: Link, { address }: Neighbor): boolean {
    const { plan } = link;
    if (plan?.mac === undefined) return false;
    return isOnLink(this.#context.plan, plan, address) && !isOursOrShared(this.#context, link, address);
  }

  #clear(family: Family, name: string | undefined): undefined {
    for (const link of this.#context.links.values()) {
      if (name !== undefined && link.name !== name) continue;
      forget(this.#context, link, ({ address }) => familyOf(address) === family);
      warmNextHops(this.#context, link);
    }
  }

  #expire(): undefined {
    const context = this.#context;
    context.deadlineMs = NEVER_MS;
    let deadlineMs = NEVER_MS;
    for (const link of context.links.values()) {
      expireNeighbors(context, link);
      expireOwn(context, link);
      expireAdvertisers(context, link);
      deadlineMs = Math.min(deadlineMs, nextDueMs(link));
      for (const { dueAtMs } of link.own.values()) deadlineMs = Math.min(deadlineMs, dueAtMs);
      for (const { dueAtMs } of link.advertisers.values()) deadlineMs = Math.min(deadlineMs, dueAtMs);
    }
    context.deadlineMs = Math.min(context.deadlineMs, deadlineMs);
  }

  /** An error about a packet of this router itself is never due, so this ends. */
  #reportUndeliverable(): undefined {
    const context = this.#context;
    while (context.undeliverable.length > 0) {
      const frames = context.undeliverable;
      context.undeliverable = [];
      for (const each of frames) reportError(context, undefined, { ...each, failure: "host" });
    }
  }
}
