/** `show ip inspect sessions` and its `ha` form: sessions come in pages, and are written as they come. */
import type { RedundancyView } from "../../redundancy/index.js";
import type { RuleInfo } from "../../dataplane.js";
import type { Session } from "../../session-view.js";
import type { Phase } from "../backend.js";
import { ago, endText, text } from "./layout.js";

/** A session with the clock that its times are of, and its group. */
export interface ListedSession extends Session {
  readonly phase: Phase;
  readonly nowMs: number;
}

const HEADINGS: Readonly<Record<Phase, string>> = {
  established: "Established Sessions",
  halfOpen: "Half-open Sessions",
  terminating: "Terminating Sessions",
};

const SIS_STATES: Readonly<Record<Phase, string>> = {
  established: "SIS_OPEN",
  halfOpen: "SIS_OPENING",
  terminating: "SIS_CLOSING",
};

/** Sessions of one group after the other, with a heading before each. */
export async function* sessionsText(
  sessions: AsyncIterable<ListedSession>,
  rules: readonly RuleInfo[] | undefined,
): AsyncGenerator<string, void> {
  let phase: Phase | undefined;
  for await (const session of sessions) {
    if (session.phase !== phase) {
      phase = session.phase;
      yield `${HEADINGS[phase]}\n`;
    }
    const { id, initiator, responder, service } = session;
    const ends = `(${endText(initiator)})=>(${endText(responder)})`;
    yield text([
      ` Session ${id} ${ends} ${service} ${SIS_STATES[phase]}`,
      ...(rules === undefined ? [] : detailLines(session, rules)),
    ]);
  }
}

/** @param rules all entries by number, for the one that permitted the session. */
function detailLines(session: ListedSession, rules: readonly RuleInfo[]): string[] {
  const { initiator, responder, createdMs, nowMs, idleMs, timeoutMs } = session;
  const rule = rules[session.rule - 1];
  return [
    `  Created ${ago(nowMs - createdMs)}, Last heard ${ago(idleMs)}`,
    `  State ${session.state}, expires in ${ago(timeoutMs - idleMs)}`,
    `  Bytes sent (initiator:responder) [${initiator.bytes}:${responder.bytes}]`,
    `  In ${initiator.interface}, out ${responder.interface}, inspection rule ${session.inspection}`,
    ...(rule === undefined ? [] : [`  Permitted by ACL ${rule.list} entry ${rule.sequence}`]),
  ];
}

/** Of a box that stands by, its sessions are copies; of one that is active, they are copied to a peer that is there. */
export function haState({ role }: Pick<RedundancyView, "role">): string {
  return role === "active" || role === "draining" ? "HA_ACTIVE" : "HA_STANDBY";
}

export async function* haSessionsText(
  sessions: AsyncIterable<ListedSession>,
  view: RedundancyView,
  rules: readonly RuleInfo[] | undefined,
): AsyncGenerator<string, void> {
  const state = haState(view);
  yield "Sess_ID (src_addr:port)=>(dst_addr:port) proto sess_state  ha_state\n";
  let phase: Phase | undefined;
  for await (const session of sessions) {
    if (session.phase !== phase) {
      phase = session.phase;
      yield `${HEADINGS[phase]}\n`;
    }
    const { id, initiator, responder, service } = session;
    const ends = `(${endText(initiator)})=>(${endText(responder)})`;
    yield text([
      `${id} ${ends} ${service} ${SIS_STATES[phase]} ${state}`,
      ...(rules === undefined ? [] : [...detailLines(session, rules), `  HA state: ${state}`]),
    ]);
  }
}
