/** What `debug` tells of the machines of a box: changes of their states, what they refuse, and what they ask of each other. */
import * as L from "../../assembly/layout.js";
import { REFUSALS as BFD_REFUSALS, STATE_NAMES as BFD_STATES } from "../bfd/index.js";
import { REFUSALS as HSRP_REFUSALS, STATE_NAMES as HSRP_STATES } from "../hsrp/index.js";
import { formatAddress } from "../ip.js";
import type { NodeAction } from "../node/actions.js";
import type { SessionsAction, SessionsInput } from "../node/shared-sessions.js";
import type { ToldAction } from "../node/told.js";
import { RF_STATES } from "../redundancy/states.js";
import type { RouterAction } from "../router/index.js";
import { formatSessionId } from "../session-view.js";
import { parseFrame } from "../sync/frame.js";
import type { DebugLine, DebugSubject, DebugTopic } from "./topics.js";

const line = (topics: readonly DebugTopic[], text: () => string, subject: DebugSubject = {}): DebugLine => ({
  topics,
  subject,
  text,
});

/** Undefined: it is nothing that any topic tells of. */
export function actionLine(action: NodeAction): DebugLine | undefined {
  switch (action.kind) {
    case "state": {
      if ("own" in action) {
        const { own, peer } = action;
        const text = () => `RF: my state ${RF_STATES[own].name}, peer state ${RF_STATES[peer].name}`;
        return line(["redundancy"], text);
      }
      const { interface: name, group, from, to, cause } = action;
      return line(
        ["standby events", "standby terse"],
        () => `HSRP: ${name} Grp ${group} ${HSRP_STATES[from]} -> ${HSRP_STATES[to]}: ${cause}`,
        { interfaces: [name] },
      );
    }
    case "role": {
      const { role, generation, reason } = action;
      const why = reason === undefined ? "" : `, ${reason}`;
      return line(["redundancy"], () => `RF: role ${role}, generation ${generation}${why}`);
    }
    case "reply": {
      const { command, outcome, text } = action;
      return line(["redundancy"], () => `RF: operator ${command}: ${outcome}: ${text}`);
    }
    case "synchronised":
      return line(["ip inspect ha manager"], () => "FW-HA: the standby has all sessions");
    case "told":
      return toldLine(action);
    default:
      return undefined;
  }
}

function toldLine(told: ToldAction): DebugLine {
  switch (told.by) {
    case "hsrp": {
      const { interface: name, source, group, refusal } = told.fact;
      const where = group === undefined ? name : `${name} Grp ${group}`;
      return line(
        ["standby errors", "standby terse"],
        () =>
          `HSRP: ${where} packet from ${formatAddress(source)} ignored (${refusal}): ${HSRP_REFUSALS[refusal]}`,
        { interfaces: [name], addresses: [source] },
      );
    }
    case "bfd":
      return bfdLine(told.fact);
    case "sctp":
      return sctpLine(told.fact);
  }
}

function bfdLine(fact: Extract<ToldAction, { by: "bfd" }>["fact"]): DebugLine {
  if (fact.kind === "refused") {
    const { interface: name, source, refusal } = fact;
    return line(
      ["bfd event"],
      () =>
        `BFD-DEBUG Event: packet from ${formatAddress(source)} on ${name} ignored (${refusal}): ${BFD_REFUSALS[refusal]}`,
      { interfaces: [name], addresses: [source] },
    );
  }
  const { path, from, to, diagnostic } = fact;
  return line(
    ["bfd event"],
    () =>
      `BFD-DEBUG Event: ${formatAddress(path.local)} -> ${formatAddress(path.remote)} on ${path.interface} ` +
      `state ${BFD_STATES[from]} -> ${BFD_STATES[to]}, diag ${diagnostic}`,
    { interfaces: [path.interface], addresses: [path.local, path.remote] },
  );
}

function sctpLine(fact: Extract<ToldAction, { by: "sctp" }>["fact"]): DebugLine {
  switch (fact.kind) {
    case "up":
      return line(["ip sctp state"], () => "SCTP: the association is up");
    case "restarted":
      return line(["ip sctp state"], () => "SCTP: the peer has started the association anew");
    case "down": {
      const what = fact.wasUp ? "the association is down" : "no association came about";
      return line(["ip sctp state"], () => `SCTP: ${what}: ${fact.reason}`);
    }
    case "path":
      return line(
        ["ip sctp state"],
        () => `SCTP: path ${fact.index} is ${fact.isActive ? "active" : "inactive"}`,
      );
    case "refused":
      return line(["ip sctp warnings"], () => `SCTP: refused (${fact.reason})`);
  }
}

/** What the router tells the core of a neighbour. */
export function neighborLine(action: Extract<RouterAction, { kind: "neighbor" }>): DebugLine {
  const { interface: name, address, mac } = action;
  const isV4 = typeof address === "number";
  return line(
    [isV4 ? "arp" : "ipv6 nd"],
    () => {
      const entry = `entry for ${formatAddress(address)} ${name}`;
      return `${isV4 ? "IP ARP" : "ICMPv6-ND"}: ${mac === undefined ? `${entry} deleted` : `${entry}, hw ${mac}`}`;
    },
    { interfaces: [name], addresses: [address] },
  );
}

/** What the machines want of the sessions, and what these have to say to them or to the peer. */
export function* syncLines(message: SessionsInput | SessionsAction): Generator<DebugLine, void> {
  switch (message.kind) {
    case "frame":
      yield* messageLines("rcvd", message.bytes);
      return;
    case "send":
      yield* messageLines("sent", message.bytes);
      return;
    case "flush":
    case "release":
    case "discard":
    case "expired":
      return;
    default: {
      const { kind, ...details } = message;
      const shown = Object.entries(details).map(([name, value]) => ` ${name}=${String(value)}`);
      yield line(["ip inspect ha manager"], () => `FW-HA: ${kind}${shown.join("")}`);
    }
  }
}

const ACTIONS: ReadonlyMap<number, string> = new Map([
  [L.SYNC_ADD, "add"],
  [L.SYNC_UPDATE, "update"],
  [L.SYNC_DELETE, "delete"],
  [L.SYNC_REQUEST, "request"],
  [L.SYNC_BEGIN, "begin"],
  [L.SYNC_END, "end"],
  [L.SYNC_VERIFY, "verify"],
]);

function* messageLines(way: string, bytes: Uint8Array): Generator<DebugLine, void> {
  const frame = parseFrame(bytes);
  yield line(
    ["ip inspect ha packet"],
    () => `FW-HA: ${way} ${frame?.kind ?? "malformed message"}, ${bytes.length} bytes`,
  );
  if (frame?.kind !== "records" && frame?.kind !== "requests") return;
  const { records } = frame;
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  for (let at = 0; at + L.SR_HEADER_SIZE <= records.length; ) {
    const start = at;
    const action = ACTIONS.get(records[start + L.SR_ACTION]!);
    yield line(["ip inspect ha update"], () => {
      const id = formatSessionId(view.getBigUint64(start + L.SR_ID, true));
      const version = view.getBigUint64(start + L.SR_VERSION, true);
      return `FW-HA: ${way} ${action ?? "malformed record"} session ${id} version ${version}`;
    });
    const length = view.getUint16(at + L.SR_LENGTH, true);
    if (action === undefined || length < L.SR_HEADER_SIZE) return;
    at += length;
  }
}
