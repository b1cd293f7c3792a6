/**
 * BFD control packets (RFC 5880 sections 4.1 and 4.4), the only kind that is spoken: no echo, no demand mode.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
 *     |Vers | Diag    |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
 *     +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
 *     | My and Your Discriminator, Desired Min TX, Required Min RX,   |
 *     | Required Min Echo RX Interval in microseconds                 |
 *     +---------------+---------------+---------------+---------------+
 *     | Auth Type     | Auth Len      | Auth Key ID   | Reserved      |   with A only
 *     | Sequence Number, and the 20 bytes of the SHA1 hash            |
 *     +---------------------------------------------------------------+
 */
import { record } from "../record.js";
import { isRefused, type Judged } from "./refusals.js";
import { DIAGNOSTICS, type Diagnostic, type State, STATES } from "./table.js";

/** UDP port of the receiver (RFC 5881 section 4). */
export const BFD_PORT = 3784;
/** Of echo packets (RFC 5881), and over several hops (RFC 5883): nobody else is to answer there. */
export const BFD_ECHO_PORT = 3785;
export const BFD_MULTIHOP_PORT = 4784;
/** Where the ports of senders begin. */
export const SOURCE_PORT_MIN = 49_152;
/** TTL or hop limit of every packet (RFC 5082). */
export const BFD_TTL = 255;

export const VERSION = 1;

export const CONTROL = record({
  versionDiagnostic: "u8",
  stateFlags: "u8",
  multiplier: "u8",
  length: "u8",
  myDiscriminator: "u32",
  yourDiscriminator: "u32",
  desiredMinTxMicroseconds: "u32",
  requiredMinRxMicroseconds: "u32",
  requiredMinEchoRxMicroseconds: "u32",
});

export const SHA1_SECTION = record({
  type: "u8",
  length: "u8",
  keyId: "u8",
  reserved: "u8",
  sequence: "u32",
  digest: "bytes20",
});

/** RFC 5880 section 4.1: Meticulous Keyed SHA1, whose numbers rise with every packet. */
export const METICULOUS_SHA1 = 5;
/** Type and length: what every authentication section begins with. */
const SECTION_HEADER_SIZE = SHA1_SECTION.offsetOf("keyId");

const VERSION_SHIFT = 5;
const DIAGNOSTIC_MASK = 0x1f;
const STATE_SHIFT = 6;
const FLAGS = { poll: 0x20, final: 0x10, authentication: 0x04, demand: 0x02, multipoint: 0x01 } as const;

export interface Authentication {
  readonly keyId: number;
  readonly sequence: number;
  readonly digest: Uint8Array;
}

export interface ControlPacket {
  readonly state: State;
  /** Undefined: a number that is not assigned. */
  readonly diagnostic: Diagnostic | undefined;
  readonly isPoll: boolean;
  readonly isFinal: boolean;
  readonly multiplier: number;
  readonly myDiscriminator: number;
  readonly yourDiscriminator: number;
  readonly desiredMinTxMicroseconds: number;
  readonly requiredMinRxMicroseconds: number;
  readonly authentication?: Authentication;
}

/** Bytes of a packet with an authentication section. */
export const SIGNED_SIZE = CONTROL.size + SHA1_SECTION.size;

export function emitPacket(packet: ControlPacket): Uint8Array {
  const { authentication } = packet;
  const size = authentication === undefined ? CONTROL.size : SIGNED_SIZE;
  const flags =
    (packet.isPoll ? FLAGS.poll : 0) |
    (packet.isFinal ? FLAGS.final : 0) |
    (authentication === undefined ? 0 : FLAGS.authentication);
  const control = CONTROL.emit({
    ...packet,
    versionDiagnostic:
      (VERSION << VERSION_SHIFT) |
      (packet.diagnostic === undefined ? 0 : DIAGNOSTICS.indexOf(packet.diagnostic)),
    stateFlags: (STATES.indexOf(packet.state) << STATE_SHIFT) | flags,
    length: size,
    requiredMinEchoRxMicroseconds: 0,
  });
  if (authentication === undefined) return control;
  const bytes = new Uint8Array(size);
  bytes.set(control);
  const section = { ...authentication, type: METICULOUS_SHA1, length: SHA1_SECTION.size, reserved: 0 };
  bytes.set(SHA1_SECTION.emit(section), CONTROL.size);
  return bytes;
}

/** Reads a packet, as RFC 5880 section 6.8.6 judges one before its session is looked for. */
export function parsePacket(payload: Uint8Array): Judged<ControlPacket> {
  const control = CONTROL.parse(payload);
  if (control === undefined) return { refusal: "short" };
  const { versionDiagnostic, stateFlags, multiplier, length, myDiscriminator, yourDiscriminator } = control;
  const has = (flag: keyof typeof FLAGS): boolean => (stateFlags & FLAGS[flag]) !== 0;
  if (versionDiagnostic >> VERSION_SHIFT !== VERSION) return { refusal: "version" };
  const least = CONTROL.size + (has("authentication") ? SECTION_HEADER_SIZE : 0);
  if (length < least || length > payload.length) return { refusal: "length" };
  if (multiplier === 0) return { refusal: "multiplier" };
  if (has("multipoint")) return { refusal: "multipoint" };
  if (has("demand")) return { refusal: "demand" };
  if (myDiscriminator === 0) return { refusal: "my_discriminator" };
  const state = STATES[stateFlags >> STATE_SHIFT]!;
  if (yourDiscriminator === 0 && state !== "down" && state !== "adminDown")
    return { refusal: "your_discriminator" };
  const authentication = has("authentication") ? parseSection(payload, length) : undefined;
  if (authentication !== undefined && isRefused(authentication)) return authentication;
  return {
    value: {
      state,
      diagnostic: DIAGNOSTICS[versionDiagnostic & DIAGNOSTIC_MASK],
      isPoll: has("poll"),
      isFinal: has("final"),
      multiplier,
      myDiscriminator,
      yourDiscriminator,
      desiredMinTxMicroseconds: control.desiredMinTxMicroseconds,
      requiredMinRxMicroseconds: control.requiredMinRxMicroseconds,
      ...(authentication !== undefined && { authentication: authentication.value }),
    },
  };
}

/** The section fills the packet up to its length. */
function parseSection(payload: Uint8Array, length: number): Judged<Authentication> {
  const section = SHA1_SECTION.parse(payload.subarray(0, length), CONTROL.size);
  const isRight =
    section?.type === METICULOUS_SHA1 && section.length === SHA1_SECTION.size && length === SIGNED_SIZE;
  if (!isRight) return { refusal: "authentication_type" };
  const { keyId, sequence, digest } = section;
  return { value: { keyId, sequence, digest } };
}
