/** Log lines in the form of IOS, at a limited rate. */
import { formatAddress } from "../ip.js";
import type { PacketInput } from "./actions.js";
import type { GroupMessage } from "./packet.js";
import { REFUSALS, type Refusal } from "./refusals.js";
import type { Context, Group } from "./state.js";
import type { State } from "./table.js";
import type { WireState } from "./wire.js";

/** States as IOS shows them. */
export const STATE_NAMES = {
  disabled: "Disabled",
  initial: "Init",
  learn: "Learn",
  listen: "Listen",
  speak: "Speak",
  standby: "Standby",
  active: "Active",
} as const satisfies Record<WireState, string>;

/** A line of one kind about one thing comes at most once in this time; counters tell of the rest. */
export const LOG_INTERVAL_MS = 30_000;

/** The mnemonics and their severities. CONFLICT, RELEASE and REFUSED are ours. */
const SEVERITIES = {
  STATECHANGE: 5,
  BADAUTH: 4,
  BADVIP: 4,
  DIFFVIP1: 4,
  DUPADDR: 4,
  REFUSED: 4,
  CONFLICT: 4,
  RELEASE: 5,
} as const;
type Mnemonic = keyof typeof SEVERITIES;

/** `about`: what the rate limit goes by; undefined: every line is written. */
export function log(context: Context, mnemonic: Mnemonic, text: string, about?: string): void {
  const { logAtMs } = context.state.books;
  if (about !== undefined) {
    const kind = `${mnemonic} ${about}`;
    if (context.nowMs < (logAtMs[kind] ?? 0)) return;
    logAtMs[kind] = context.nowMs + LOG_INTERVAL_MS;
  }
  const severity = SEVERITIES[mnemonic];
  context.actions.push({ kind: "log", severity, text: `%HSRP-${severity}-${mnemonic}: ${text}` });
}

/** `GigabitEthernet0/0 Grp 1`. */
export function groupName({ spec: { on, options } }: Group): string {
  return `${on.name} Grp ${options.group}`;
}

export function logStateChange(context: Context, group: Group, from: State, to: State): void {
  log(context, "STATECHANGE", `${groupName(group)} state ${STATE_NAMES[from]} -> ${STATE_NAMES[to]}`);
}

export function logConflict(context: Context, group: Group, rival: string): void {
  const text = `${groupName(group)} another Active router, ${rival}; this one stays Active`;
  log(context, "CONFLICT", text, group.spec.key);
}

/** A refused packet. `group`, `message`: as far as it was understood. */
export function logRefusal(
  context: Context,
  refusal: Refusal,
  input: PacketInput,
  group?: Group,
  message?: GroupMessage,
): void {
  const { interface: on, sourceMac } = input;
  const source = formatAddress(input.source);
  if (refusal === "own_source") {
    logDuplicate(context, on, source, sourceMac);
  } else if (refusal.startsWith("authentication") && message !== undefined) {
    const remote = `group ${message.group}, remote state ${STATE_NAMES[message.state]}`;
    log(context, "BADAUTH", `Bad authentication from ${source}, ${remote}`, `${on} ${message.group}`);
  } else if (refusal === "virtual_address" && group !== undefined && message?.state === "active") {
    const configured = group.spec.options.virtualAddress;
    const own =
      typeof configured === "string" || configured === undefined ? "none" : formatAddress(configured);
    const theirs = formatAddress(message.virtualAddress);
    const text = `active routers virtual IP address ${theirs} is different to the locally configured address ${own}`;
    log(context, "DIFFVIP1", `${groupName(group)} ${text}`, group.spec.key);
  } else {
    const text = `${on} packet from ${source} ignored: ${REFUSALS[refusal]}`;
    log(context, "REFUSED", text, `${on} ${refusal}`);
  }
}

/** Another station has an address of ours. */
export function logDuplicate(context: Context, on: string, address: string, mac: string | undefined): void {
  const sourced = mac === undefined ? "" : `, sourced by ${mac}`;
  log(context, "DUPADDR", `Duplicate address ${address} on ${on}${sourced}`, `${on} ${address}`);
}
