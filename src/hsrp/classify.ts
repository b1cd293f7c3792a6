/**
 * Which event of the table a packet is: every comparison of HSRP stands here. "Higher" is the priority, then the
 * address, as RFC 2281 section 5.3 has it, with two exceptions:
 *
 * - Who is not Active compares with the Active router by priority alone. So an equal priority never preempts, whatever
 *   the addresses (as in IOS; the RFC would let the higher address preempt), and is learned from.
 * - Between two Active routers of a pair the generation of their sessions, known over the synchronisation link, comes
 *   before the priority: the newer owner stays.
 */
import type { Address } from "../ip.js";
import type { GroupMessage } from "./packet.js";
import type { Event, State } from "./table.js";

/** Whose sessions are newer, as the synchronisation link tells; `equal` also where nothing is known. */
export type Generation = "ahead" | "equal" | "behind";

/** What is compared of this router. */
export interface Own {
  readonly state: State;
  readonly priority: number;
  /** The interface address that its packets come from. */
  readonly address: Address;
  /** Whether it may take over from an Active router of lower priority now. */
  readonly mayPreempt: boolean;
  /** The peer's generation against ours. */
  readonly peerGeneration: Generation;
}

/** Undefined: nothing that any state acts on. Family and addresses of both sides are of one kind. */
export function classify(
  message: Pick<GroupMessage, "opcode" | "state" | "priority">,
  sender: Address,
  own: Own,
): Event | undefined {
  if (message.opcode === "resign") return "i";
  if (message.opcode === "coup") return outranks(message.priority, sender, own) ? "j" : undefined;
  switch (message.state) {
    case "speak":
      return isHigher(message.priority, sender, own) ? "f" : undefined;
    case "standby":
      return isHigher(message.priority, sender, own) ? "k" : "l";
    case "active":
      if (own.state === "active") return outranks(message.priority, sender, own) ? "g" : "h";
      if (message.priority >= own.priority) return "g";
      return own.mayPreempt ? "hPreempt" : "h";
    default:
      return undefined;
  }
}

/** Whether a rival for the active role wins. */
function outranks(priority: number, address: Address, own: Own): boolean {
  if (own.peerGeneration !== "equal") return own.peerGeneration === "ahead";
  return isHigher(priority, address, own);
}

function isHigher(priority: number, address: Address, own: Own): boolean {
  return priority === own.priority ? address > own.address : priority > own.priority;
}
