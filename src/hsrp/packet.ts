/**
 * An HSRP packet, the payload of a UDP datagram, as a value: read, judged by its form alone, and written. Whether it
 * is for us and authentic is decided elsewhere. Unknown TLVs are skipped; every length is checked.
 */
import type { Family } from "../config/model.js";
import { addressBytes, type Mac } from "../frame.js";
import { type Address, bytesToBigint } from "../ip.js";
import { type Judged, isRefused } from "./refusals.js";
import {
  ADVERTISE_1,
  ADVERTISE_LENGTH,
  ADVERTISE_LENGTH_IOS,
  ADVERTISE_TYPE,
  GROUP_STATE,
  INTERFACE_STATE,
  INTERFACE_STATES,
  type InterfaceActivity,
  MD5,
  MD5_ALGORITHM,
  nameOf,
  OPCODE_ADVERTISE,
  OPCODES,
  type Opcode,
  STATE_1,
  STATE_CODES,
  TEXT,
  TLV,
  TLV_HEADER,
  type Version,
  VERSION_BYTE,
  type WireState,
} from "./wire.js";

/** Hello, coup or resign: what one router says about one group. */
export interface GroupMessage {
  readonly kind: "group";
  readonly version: Version;
  readonly family: Family;
  readonly opcode: Opcode;
  readonly state: WireState;
  readonly group: number;
  readonly priority: number;
  /** Whole seconds in version 1. */
  readonly helloMs: number;
  readonly holdMs: number;
  readonly virtualAddress: Address;
  /** Version 2: the sender's burned-in MAC address. */
  readonly identifier?: Mac;
}

/** Advertise (version 1) or interface state (version 2): how many groups of an interface are active. */
export interface InterfaceMessage {
  readonly kind: "interface";
  readonly version: Version;
  /** Version 1 only. */
  readonly state?: InterfaceActivity;
  readonly activeGroups: number;
  readonly passiveGroups: number;
}

/** What a packet brings to show that it may be believed. */
export type Credential =
  | { readonly kind: "none" }
  /** Bytes as Latin-1, without the zeros at the end. */
  | { readonly kind: "text"; readonly text: string }
  | Md5Credential;

export interface Md5Credential {
  readonly kind: "md5";
  readonly keyId: number;
  /** The sender's address, see MD5 in wire.ts. */
  readonly address: number;
  readonly digest: Uint8Array;
}

export interface HsrpPacket {
  readonly message: GroupMessage | InterfaceMessage;
  readonly credential: Credential;
  /** Where the digest stands in the payload, if there is one. */
  readonly digestAt?: number;
}

/** Longest payload that is looked at: what an Ethernet frame holds behind IPv4 and UDP. */
export const PAYLOAD_MAX = 1472;
export const TEXT_MAX = TEXT.size;
const MILLISECONDS = 1000;
const SECONDS_MAX = 255;

/** Reads the payload of a datagram as `version` has it. */
export function parsePacket(payload: Uint8Array, version: Version): Judged<HsrpPacket> {
  if (payload.length > PAYLOAD_MAX) return { refusal: "length" };
  return version === 1 ? parseVersion1(payload) : parseVersion2(payload);
}

function parseVersion1(payload: Uint8Array): Judged<HsrpPacket> {
  const [version, opcode] = payload;
  if (version === undefined || opcode === undefined) return { refusal: "length" };
  if (version !== VERSION_BYTE[1]) return { refusal: "version" };
  if (opcode === OPCODE_ADVERTISE) return parseAdvertise(payload);
  const fixed = STATE_1.parse(payload);
  if (fixed === undefined) return { refusal: "length" };
  const named = namesOf(1, fixed.opcode, fixed.state);
  if (isRefused(named)) return named;
  const tlvs = parseTlvs(payload, STATE_1.size);
  if (isRefused(tlvs)) return tlvs;
  const text: Credential = { kind: "text", text: textOf(fixed.authentication) };
  const message: GroupMessage = {
    kind: "group",
    version: 1,
    family: 4,
    ...named.value,
    group: fixed.group,
    priority: fixed.priority,
    helloMs: fixed.helloSeconds * MILLISECONDS,
    holdMs: fixed.holdSeconds * MILLISECONDS,
    virtualAddress: fixed.virtualAddress,
  };
  const { md5 } = tlvs.value;
  return { value: md5 === undefined ? { message, credential: text } : { message, ...md5 } };
}

function parseAdvertise(payload: Uint8Array): Judged<HsrpPacket> {
  const fixed = ADVERTISE_1.parse(payload);
  if (fixed === undefined) return { refusal: "length" };
  if (fixed.type !== ADVERTISE_TYPE) return { refusal: "content" };
  if (fixed.length !== ADVERTISE_LENGTH && fixed.length !== ADVERTISE_LENGTH_IOS)
    return { refusal: "length" };
  const state = nameOf(INTERFACE_STATES, fixed.state);
  if (state === undefined) return { refusal: "state" };
  const { activeGroups, passiveGroups } = fixed;
  const message: InterfaceMessage = { kind: "interface", version: 1, state, activeGroups, passiveGroups };
  return { value: { message, credential: { kind: "none" } } };
}

function parseVersion2(payload: Uint8Array): Judged<HsrpPacket> {
  const tlvs = parseTlvs(payload, 0);
  if (isRefused(tlvs)) return tlvs;
  const { groupState, interfaceState, text, md5 } = tlvs.value;
  const credential: Credential = text === undefined ? { kind: "none" } : { kind: "text", text };
  const proof = md5 ?? { credential };
  if (groupState === undefined) {
    if (interfaceState === undefined) return { refusal: "content" };
    return { value: { message: { kind: "interface", version: 2, ...interfaceState }, ...proof } };
  }
  if (groupState.version !== VERSION_BYTE[2]) return { refusal: "version" };
  const named = namesOf(2, groupState.opcode, groupState.state);
  if (isRefused(named)) return named;
  const { ipVersion, group, priority, helloMs, holdMs, identifier } = groupState;
  if (ipVersion !== 4 && ipVersion !== 6) return { refusal: "family" };
  const address = bytesToBigint(groupState.virtualAddress);
  const message: GroupMessage = {
    kind: "group",
    version: 2,
    family: ipVersion,
    ...named.value,
    group,
    priority,
    helloMs,
    holdMs,
    virtualAddress: ipVersion === 6 ? address : Number(address >> 96n),
    identifier,
  };
  return { value: { message, ...proof } };
}

function namesOf(
  version: Version,
  opcode: number,
  state: number,
): Judged<Pick<GroupMessage, "opcode" | "state">> {
  const operation = nameOf(OPCODES, opcode);
  if (operation === undefined) return { refusal: "opcode" };
  const named = nameOf<WireState>(STATE_CODES[version], state);
  return named === undefined ? { refusal: "state" } : { value: { opcode: operation, state: named } };
}

interface Tlvs {
  groupState?: NonNullable<ReturnType<typeof GROUP_STATE.parse>>;
  interfaceState?: NonNullable<ReturnType<typeof INTERFACE_STATE.parse>>;
  text?: string;
  md5?: { credential: Md5Credential; digestAt: number };
}

/** The TLVs from `start` to the end of the payload. */
function parseTlvs(payload: Uint8Array, start: number): Judged<Tlvs> {
  const found: Tlvs = {};
  const seen = new Set<number>();
  for (let at = start; at < payload.length; ) {
    const header = TLV_HEADER.parse(payload, at);
    if (header === undefined) return { refusal: "length" };
    const body = at + TLV_HEADER.size;
    at = body + header.length;
    if (at > payload.length) return { refusal: "length" };
    const known = KNOWN_TLVS.get(header.type);
    if (known === undefined) continue;
    if (header.length !== known.size) return { refusal: "length" };
    if (seen.has(header.type)) return { refusal: "repeated_tlv" };
    seen.add(header.type);
    if (header.type === TLV.groupState) found.groupState = GROUP_STATE.parse(payload, body);
    else if (header.type === TLV.interfaceState) found.interfaceState = INTERFACE_STATE.parse(payload, body);
    else if (header.type === TLV.text) found.text = textOf(TEXT.parse(payload, body)!.text);
    else {
      const { algorithm, keyId, address, digest } = MD5.parse(payload, body)!;
      if (algorithm !== MD5_ALGORITHM) return { refusal: "authentication_algorithm" };
      const digestAt = body + MD5.offsetOf("digest");
      found.md5 = { credential: { kind: "md5", keyId, address, digest }, digestAt };
    }
  }
  return { value: found };
}

const KNOWN_TLVS: ReadonlyMap<number, { readonly size: number }> = new Map<number, { readonly size: number }>(
  [
    [TLV.groupState, GROUP_STATE],
    [TLV.interfaceState, INTERFACE_STATE],
    [TLV.text, TEXT],
    [TLV.md5, MD5],
  ],
);

/** The payload of a packet. An MD5 credential is written as it is; `sign` in md5.ts makes a right one. */
export function emitPacket({ message, credential }: Pick<HsrpPacket, "message" | "credential">): Uint8Array {
  if (message.kind === "interface") {
    return message.version === 1
      ? emitAdvertise(message)
      : join([...interfaceState(message), ...proof(credential)]);
  }
  if (message.version === 1) return emitVersion1(message, credential);
  return join([...groupState(message), ...proof(credential)]);
}

function emitVersion1(message: GroupMessage, credential: Credential): Uint8Array {
  const fixed = STATE_1.emit({
    version: VERSION_BYTE[1],
    opcode: OPCODES[message.opcode],
    state: STATE_CODES[1][message.state === "disabled" ? "initial" : message.state],
    helloSeconds: wholeSeconds(message.helloMs),
    holdSeconds: wholeSeconds(message.holdMs),
    priority: message.priority,
    group: message.group,
    reserved: 0,
    authentication: credential.kind === "text" ? textBytes(credential.text) : new Uint8Array(0),
    virtualAddress: message.virtualAddress as number,
  });
  return credential.kind === "md5" ? join([fixed, ...proof(credential)]) : fixed;
}

/** What version 1 can say of a time: rounded up, as a receiver takes 0 for broken. */
function wholeSeconds(ms: number): number {
  return Math.min(SECONDS_MAX, Math.ceil(ms / MILLISECONDS));
}

function emitAdvertise({ state, activeGroups, passiveGroups }: InterfaceMessage): Uint8Array {
  return ADVERTISE_1.emit({
    version: VERSION_BYTE[1],
    opcode: OPCODE_ADVERTISE,
    type: ADVERTISE_TYPE,
    length: ADVERTISE_LENGTH,
    state: INTERFACE_STATES[state ?? "dormant"],
    reserved: 0,
    activeGroups,
    passiveGroups,
    reserved2: 0,
  });
}

function groupState(message: GroupMessage): Uint8Array[] {
  const { group, priority, helloMs, holdMs, virtualAddress, family, identifier } = message;
  return tlv(
    TLV.groupState,
    GROUP_STATE.emit({
      version: VERSION_BYTE[2],
      opcode: OPCODES[message.opcode],
      state: STATE_CODES[2][message.state],
      ipVersion: family,
      group,
      identifier: identifier ?? "0000.0000.0000",
      priority,
      helloMs,
      holdMs,
      virtualAddress: Uint8Array.from(addressBytes(virtualAddress)),
    }),
  );
}

function interfaceState({ activeGroups, passiveGroups }: InterfaceMessage): Uint8Array[] {
  return tlv(TLV.interfaceState, INTERFACE_STATE.emit({ activeGroups, passiveGroups }));
}

function proof(credential: Credential): Uint8Array[] {
  if (credential.kind === "none") return [];
  if (credential.kind === "text") return tlv(TLV.text, TEXT.emit({ text: textBytes(credential.text) }));
  const { keyId, address, digest } = credential;
  return tlv(TLV.md5, MD5.emit({ algorithm: MD5_ALGORITHM, padding: 0, flags: 0, address, keyId, digest }));
}

function tlv(type: number, body: Uint8Array): Uint8Array[] {
  return [TLV_HEADER.emit({ type, length: body.length }), body];
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes).replace(/\0+$/, "");
}

function textBytes(text: string): Uint8Array {
  return Uint8Array.from(text.slice(0, TEXT_MAX), (character) => character.charCodeAt(0));
}
