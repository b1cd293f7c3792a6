/** What a failure cost: which sessions the pair had, which of them the successor has, and why the others are gone. */
import type { Session } from "../session-view.js";

/** Why a session did not survive. */
export const LOSS_REASONS = {
  /** The handshake was not over, or the responder had not answered, and the standby is told of open sessions only. */
  half_open: "it was half-open, and the standby is told of open sessions only",
  /** Its record had not arrived. */
  not_synchronised: "the standby had not been told of it yet",
  /** Its inspection rule is bound without `redundancy stateful`. */
  not_stateful: "its inspection is bound without `redundancy stateful`",
  /** Nobody took over. */
  no_successor: "no box took over",
} as const;
export type LossReason = keyof typeof LOSS_REASONS;

export interface LostSession {
  readonly session: string;
  readonly reason: LossReason;
}

/** The sessions of a box at a moment, by their keys. */
export type Inventory = ReadonlyMap<string, Session>;

/** A session as one line; its key, too: ids differ when a session was begun anew. */
export function sessionLine({ protocol, initiator, responder, service }: Session): string {
  const end = ({ address, port }: Session["initiator"]): string =>
    port === 0 ? address : address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return `${service === "" ? protocol : service} ${end(initiator)} => ${end(responder)}`;
}

export function inventoryOf(sessions: Iterable<Session>): Inventory {
  return new Map(Array.from(sessions, (session) => [`${session.id} ${sessionLine(session)}`, session]));
}

/** Splits the sessions at a failure into those that the successor has and the lost ones. */
export function compareInventories(
  before: Inventory,
  after: Inventory | undefined,
  isStateful: boolean,
): { survived: number; lost: LostSession[] } {
  let survived = 0;
  const lost: LostSession[] = [];
  for (const [key, session] of before) {
    if (after?.has(key)) {
      survived++;
      continue;
    }
    const reason: LossReason =
      after === undefined
        ? "no_successor"
        : !isStateful
          ? "not_stateful"
          : session.halfOpen
            ? "half_open"
            : "not_synchronised";
    lost.push({ session: sessionLine(session), reason });
  }
  return { survived, lost };
}
