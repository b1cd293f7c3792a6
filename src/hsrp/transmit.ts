/** What a group lets the world know: its packets, the addresses that it owns, and where they are. */
import type { Address } from "../ip.js";
import type { OwnAction } from "./actions.js";
import { digestAddress } from "./addresses.js";
import { priorityOf, timersOf, virtualAddressOf } from "./in-force.js";
import { sign } from "./md5.js";
import { ANNOUNCEMENTS } from "./options.js";
import { emitPacket, type GroupMessage } from "./packet.js";
import { type Context, type Group, NEVER_MS } from "./state.js";
import type { Opcode } from "./wire.js";

/**
 * Sends a packet that tells the state the group is in now; nothing leaves an interface that is down, and who doubts that
 * it is still Active does not say so.
 */
export function send(context: Context, group: Group, opcode: Opcode): void {
  const { spec, state } = group;
  const { on, options, transport } = spec;
  if (!context.state.links[on.name]!.isUp) return;
  if (context.state.isDoubting && state.state === "active" && opcode !== "resign") return;
  const { helloMs, holdMs } = timersOf(group);
  const message: GroupMessage = {
    kind: "group",
    version: on.version,
    family: options.family,
    opcode,
    state: state.state,
    group: options.group,
    priority: priorityOf(context, group),
    helloMs,
    holdMs,
    virtualAddress: virtualAddressOf(group)!,
    ...(on.version === 2 && { identifier: on.burnedInMac }),
  };
  const { authentication } = state;
  const source = spec.address!;
  context.state.books.interfaces[on.name]!.sent[opcode] += 1;
  context.actions.push({
    kind: "send",
    interface: on.name,
    // A resign must not draw the frames for the virtual address back from who has taken over already.
    sourceMac: state.state === "active" && opcode !== "resign" ? options.virtualMac : on.burnedInMac,
    destinationMac: transport.destinationMac,
    source,
    destination: transport.destination,
    ttl: transport.ttl,
    port: transport.port,
    payload:
      authentication.kind === "text"
        ? emitPacket({ message, credential: authentication })
        : sign(message, authentication.keys[0]!, digestAddress(source)),
  });
}

/** Announces now, and again as often as configured; not sooner after the last time than the interval. */
export function announceAgain(context: Context, { state }: Group): void {
  const { count } = context.options.announcements ?? ANNOUNCEMENTS;
  state.announcementsLeft = count;
  const soonest = Math.max(context.nowMs, state.announceNotBeforeAtMs);
  state.announceAtMs = Math.min(state.announceAtMs, soonest);
}

/** Announces every virtual address, and sets the time for the next time. */
export function announce(context: Context, group: Group): void {
  const { spec, state } = group;
  const { intervalMs, refreshMs } = context.options.announcements ?? ANNOUNCEMENTS;
  for (const address of ownedAddresses(group)) {
    context.actions.push({
      kind: "announce",
      interface: spec.on.name,
      family: spec.options.family,
      address,
      mac: spec.options.virtualMac,
    });
  }
  state.announcementsLeft = Math.max(0, state.announcementsLeft - 1);
  state.announceNotBeforeAtMs = context.nowMs + intervalMs;
  state.announceAtMs = context.nowMs + (state.announcementsLeft > 0 ? intervalMs : refreshMs);
}

/** Says that the router answers for the virtual addresses from now on, or no longer does. */
export function own(context: Context, group: Group, kind: "own" | "disown"): void {
  context.actions.push({ kind, ...claimOf(group) });
}

/** What the Active router answers for. */
export function claimOf(group: Group): Omit<OwnAction, "kind"> {
  const { on, key, options } = group.spec;
  return { interface: on.name, key, addresses: ownedAddresses(group), mac: options.virtualMac };
}

/** The virtual addresses that the Active router answers for. */
function ownedAddresses(group: Group): Address[] {
  return [virtualAddressOf(group)!, ...group.spec.options.secondaryAddresses];
}

/** Announces nothing any more; whoever becomes Active again does it at once. */
export function stopAnnouncing({ state }: Group): void {
  state.announceAtMs = NEVER_MS;
  state.announceNotBeforeAtMs = 0;
  state.announcementsLeft = 0;
}
