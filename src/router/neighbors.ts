/**
 * The neighbours of all interfaces: carries out what neighbor-states.ts decides. Bounded by interface: who has never
 * answered makes room first, then who was confirmed longest ago.
 */
import { setDestination } from "../frame.js";
import type { Family } from "../config/model.js";
import { type Address, familyOf } from "../ip.js";
import type { Mac } from "../mac.js";
import { ask, transmit } from "./ask.js";
import {
  type Context,
  count,
  fraction,
  type Link,
  mayNow,
  type Neighbor,
  NEVER_MS,
  type Waiting,
  wakeAt,
} from "./context.js";
import {
  FAILED_MS,
  LOCK_MS,
  NEIGHBOR_SHARES_MIN,
  NEXT_HOP_PAUSE_MS,
  NEXT_HOP_REFRESH_MS,
  QUEUE_BYTES_MAX,
  QUEUE_MAX,
  QUEUE_TOTAL_MAX,
  REFRESH_BEFORE_MS,
  REFRESH_SPREAD,
  RETRY_DELAYS_MS,
  STALE_MS,
  THROTTLE_MS,
} from "./limits.js";
import { type NeighborEvent, type NeighborLetter, next } from "./neighbor-states.js";
import { isOnLink } from "./plan.js";

const ETHERNET_HEADER = 14;

export function neighborOf(link: Link, address: Address): Neighbor | undefined {
  return link.confirmed.get(address) ?? link.unconfirmed.get(address);
}

/** In the order in which they make room. */
export function* neighborsOf(link: Link): Generator<Neighbor> {
  yield* link.unconfirmed.values();
  yield* link.confirmed.values();
}

/** Sends a frame to a neighbour now, or when it has been found. Its first bytes are to be the destination. */
export function sendTo(context: Context, link: Link, address: Address, waiting: Waiting): undefined {
  if (!link.isUp || link.plan?.mac === undefined) return count(link, "interface_down");
  if (!isOnLink(context.plan, link.plan, address)) return count(link, "not_on_link");
  happen(context, link, address, "resolve", { waiting });
}

/** A neighbour says where it is. `isForced`: also if it was known to be elsewhere. */
export function hear(
  context: Context,
  link: Link,
  address: Address,
  mac: Mac,
  event: "answer" | "solicit" | "hint",
  isForced = true,
): undefined {
  const known = neighborOf(link, address);
  const isAsked = known?.state === "incomplete" || known?.state === "probe" || known?.state === "failed";
  if (event === "answer" && isAsked) return happen(context, link, address, "answer", { mac });
  if (known?.mac === mac) return;
  if (known?.mac !== undefined) {
    const isLocked = known.isConfirmed && context.nowMs - known.updatedAtMs < LOCK_MS;
    if (isLocked || !isForced) return count(link, "neighbor_locked");
  }
  happen(context, link, address, event === "answer" ? "hint" : event, { mac });
}

/** Resolves a neighbour before anything is sent to it. */
export function warm(context: Context, link: Link, address: Address): undefined {
  happen(context, link, address, "warm");
}

/** Verifies every neighbour of a family on an interface. */
export function verifyAll(context: Context, link: Link, family: Family): undefined {
  for (const { address } of [...neighborsOf(link)]) {
    if (familyOf(address) === family) happen(context, link, address, "verify");
  }
}

/** Forgets those neighbours that a condition holds for. */
export function forget(context: Context, link: Link, isMeant: (neighbor: Neighbor) => boolean): undefined {
  for (const neighbor of [...neighborsOf(link)]) {
    if (isMeant(neighbor)) happen(context, link, neighbor.address, "forget");
  }
}

/** Starts resolving the next hops of static routes that are not known. */
export function warmNextHops(context: Context, link: Link): undefined {
  if (!link.isUp || link.plan?.mac === undefined) return;
  for (const address of link.plan.nextHops) {
    if (isOnLink(context.plan, link.plan, address)) warm(context, link, address);
  }
}

/** Handles those whose time is over. */
export function expireNeighbors(context: Context, link: Link): undefined {
  for (const neighbor of [...neighborsOf(link)]) {
    if (neighbor.dueAtMs > context.nowMs) continue;
    const isAsking = neighbor.state === "incomplete" || neighbor.state === "probe";
    const isExhausted = isAsking && neighbor.tries >= RETRY_DELAYS_MS.length;
    happen(context, link, neighbor.address, isExhausted ? "exhausted" : "due");
  }
}

/** When something is due next. */
export function nextDueMs(link: Link): number {
  let atMs = NEVER_MS;
  for (const { dueAtMs } of neighborsOf(link)) atMs = Math.min(atMs, dueAtMs);
  return atMs;
}

interface Given {
  readonly waiting?: Waiting;
  readonly mac?: Mac;
}

function happen(
  context: Context,
  link: Link,
  address: Address,
  event: NeighborEvent,
  given: Given = {},
): undefined {
  const known = neighborOf(link, address);
  const step = next(known?.state ?? "none", event);
  if (step.next === "none" && known === undefined) return;
  const neighbor = known ?? make(context, link, address);
  if (neighbor === undefined) return count(link, "neighbors_refused");
  if (step.next !== "none" && step.next !== neighbor.state) enter(context, neighbor, step.next);
  for (const letter of step.letters) carryOut(context, neighbor, letter, given);
  if (event === "exhausted") count(link, "neighbors_failed");
  // A next hop is always wanted.
  if (step.next === "none" && event !== "forget" && link.plan?.nextHops.has(address)) {
    warm(context, link, address);
  }
}

function enter({ nowMs }: Context, neighbor: Neighbor, state: Neighbor["state"]): undefined {
  neighbor.state = state;
  neighbor.tries = 0;
  if (state === "stale") neighbor.dueAtMs = nowMs + STALE_MS;
  if (state === "failed") neighbor.dueAtMs = nowMs + (isNextHop(neighbor) ? NEXT_HOP_PAUSE_MS : FAILED_MS);
}

function carryOut(context: Context, neighbor: Neighbor, letter: NeighborLetter, given: Given): undefined {
  switch (letter) {
    case "Q":
      if (given.waiting !== undefined) enqueue(context, neighbor, given.waiting);
      return;
    case "R":
      return askAgain(context, neighbor, undefined);
    case "P": {
      const isLast = neighbor.tries === RETRY_DELAYS_MS.length - 1;
      return askAgain(context, neighbor, isLast ? undefined : neighbor.mac);
    }
    case "L":
      return learn(context, neighbor, given.mac!);
    case "C":
      return confirm(context, neighbor);
    case "F":
      if (given.waiting !== undefined) return sendAtOnce(context, neighbor, given.waiting);
      return flush(context, neighbor);
    case "X":
      return giveUp(context, neighbor);
    case "D":
      return drop(context, neighbor);
  }
}

function isNextHop({ on, address }: Neighbor): boolean {
  return on.plan?.nextHops.has(address) ?? false;
}

/** Undefined: there is no room, and nobody who could make some. */
function make(context: Context, link: Link, address: Address): Neighbor | undefined {
  const share = shareOf(context);
  while (link.confirmed.size + link.unconfirmed.size >= share) {
    const oldest = victimOf(link);
    if (oldest === undefined) return undefined;
    count(link, "neighbors_evicted");
    happen(context, link, oldest.address, "forget");
  }
  const neighbor: Neighbor = {
    on: link,
    address,
    state: "incomplete",
    mac: undefined,
    isConfirmed: false,
    updatedAtMs: context.nowMs,
    dueAtMs: context.nowMs,
    tries: 0,
    queue: [],
  };
  link.unconfirmed.set(address, neighbor);
  return neighbor;
}

function victimOf(link: Link): Neighbor | undefined {
  for (const neighbor of neighborsOf(link)) if (!isNextHop(neighbor)) return neighbor;
  return undefined;
}

/** Neighbours that an interface may have. */
function shareOf({ plan, neighborsMax }: Context): number {
  return Math.floor(neighborsMax / Math.max(NEIGHBOR_SHARES_MIN, plan.sharers));
}

function enqueue(context: Context, neighbor: Neighbor, waiting: Waiting): undefined {
  const { queued } = context;
  const { on: link, queue } = neighbor;
  if (queue.length >= QUEUE_MAX) {
    dequeue(context, neighbor);
    count(link, "queue_full");
  }
  const bytes = waiting.frame.length;
  if (queued.frames >= QUEUE_TOTAL_MAX || queued.bytes + bytes > QUEUE_BYTES_MAX) {
    return count(link, "queue_full_total");
  }
  queue.push(waiting);
  queued.frames += 1;
  queued.bytes += bytes;
  count(link, "queued");
}

function dequeue({ queued }: Context, { queue }: Neighbor): Waiting | undefined {
  const waiting = queue.shift();
  if (waiting === undefined) return undefined;
  queued.frames -= 1;
  queued.bytes -= waiting.frame.length;
  return waiting;
}

function flush(context: Context, neighbor: Neighbor): undefined {
  for (let each = dequeue(context, neighbor); each !== undefined; each = dequeue(context, neighbor)) {
    deliver(context, neighbor, each);
  }
}

/** Who asks for a neighbour that is known has not heard of it, or has forgotten it. */
function sendAtOnce(context: Context, neighbor: Neighbor, waiting: Waiting): undefined {
  if (!waiting.isOwn) tell(context, neighbor, true);
  deliver(context, neighbor, waiting);
}

function tell(context: Context, { on, address, mac }: Neighbor, isAgain?: true): undefined {
  context.actions.push({ kind: "neighbor", interface: on.name, address, mac, ...(isAgain && { isAgain }) });
}

function deliver(
  context: Context,
  { on: link, mac }: Neighbor,
  { frame, networkOffset, isForwarded }: Waiting,
): undefined {
  const plain = untagged(frame, networkOffset);
  setDestination(plain, mac!);
  transmit(context, link, plain, isForwarded);
}

/** The frame without VLAN tags: the dataplane adds that of the interface. */
function untagged(frame: Uint8Array, networkOffset: number): Uint8Array {
  const tags = networkOffset - ETHERNET_HEADER;
  if (tags <= 0) return frame;
  const ethertypeAt = ETHERNET_HEADER - 2;
  const plain = frame.slice(tags);
  plain.set(frame.subarray(0, ethertypeAt));
  return plain;
}

/** Asks, and sets the time for the next time. */
function askAgain(context: Context, neighbor: Neighbor, to: Mac | undefined): undefined {
  const { on: link } = neighbor;
  const isLetOut = mayNow(context, link, "requestsOut");
  if (!isLetOut) count(link, "requests_throttled");
  if (isLetOut && ask(context, neighbor, to)) {
    neighbor.dueAtMs = context.nowMs + RETRY_DELAYS_MS[neighbor.tries]!;
    neighbor.tries += 1;
  } else neighbor.dueAtMs = context.nowMs + THROTTLE_MS;
  wakeAt(context, neighbor.dueAtMs);
}

function learn(context: Context, neighbor: Neighbor, mac: Mac): undefined {
  const { on: link } = neighbor;
  wakeAt(context, neighbor.dueAtMs);
  neighbor.updatedAtMs = context.nowMs;
  if (neighbor.mac === mac) return;
  count(link, neighbor.mac === undefined ? "neighbors_learned" : "neighbors_moved");
  neighbor.mac = mac;
  tell(context, neighbor);
}

function confirm(context: Context, neighbor: Neighbor): undefined {
  const { on: link, address } = neighbor;
  neighbor.isConfirmed = true;
  link.unconfirmed.delete(address);
  // Put at the end: who was confirmed longest ago comes first.
  link.confirmed.delete(address);
  link.confirmed.set(address, neighbor);
  const timeoutMs = link.plan!.timeoutMs;
  const beforeMs = Math.min(REFRESH_BEFORE_MS, timeoutMs / 2);
  const lifeMs = isNextHop(neighbor) ? Math.min(NEXT_HOP_REFRESH_MS, timeoutMs) : timeoutMs - beforeMs;
  neighbor.dueAtMs = context.nowMs + lifeMs * (1 - REFRESH_SPREAD * fraction(context));
  wakeAt(context, neighbor.dueAtMs);
}

/** What waits cannot be delivered. */
function giveUp(context: Context, neighbor: Neighbor): undefined {
  const { on: link } = neighbor;
  wakeAt(context, neighbor.dueAtMs);
  for (let each = dequeue(context, neighbor); each !== undefined; each = dequeue(context, neighbor)) {
    count(link, "unreachable_host");
    context.undeliverable.push(each);
  }
}

function drop(context: Context, neighbor: Neighbor): undefined {
  const { on: link, address } = neighbor;
  while (dequeue(context, neighbor) !== undefined) count(link, "queue_discarded");
  link.confirmed.delete(address);
  link.unconfirmed.delete(address);
  if (neighbor.mac === undefined) return;
  neighbor.mac = undefined;
  tell(context, neighbor);
}
