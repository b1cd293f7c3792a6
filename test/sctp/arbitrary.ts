/** Random chunks, parameters and causes for fast-check, derived from nothing but their types. */
import fc from "fast-check";
import type { Cause } from "../../src/sctp/cause.js";
import type { Chunk } from "../../src/sctp/chunk.js";
import type { Parameter } from "../../src/sctp/parameter.js";

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const bytes = fc.uint8Array({ maxLength: 40 });

/** A whole item of a type that is not known, with a header that tells its length. */
function unknownItem(type: number, body: Uint8Array): { kind: "unknown"; type: number; bytes: Uint8Array } {
  const whole = new Uint8Array(4 + body.length);
  new DataView(whole.buffer).setUint16(0, type);
  new DataView(whole.buffer).setUint16(2, whole.length);
  whole.set(body, 4);
  return { kind: "unknown", type, bytes: whole };
}

const unknown = fc
  .tuple(fc.constantFrom(0x0101, 0x4101, 0x8101, 0xc101), bytes)
  .map(([type, body]) => unknownItem(type, body));

export const parameter: fc.Arbitrary<Parameter> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("heartbeatInfo", "stateCookie", "unrecognizedParameter", "hostName"),
    bytes,
  }),
  fc.record({ kind: fc.constant("ipv4Address"), address: u32 }),
  fc.record({ kind: fc.constant("ipv6Address"), address: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }) }),
  fc.record({ kind: fc.constant("cookiePreservative"), incrementMs: u32 }),
  fc.record({ kind: fc.constant("supportedAddressTypes"), values: fc.array(u16, { maxLength: 5 }) }),
  unknown,
) as fc.Arbitrary<Parameter>;

export const cause: fc.Arbitrary<Cause> = fc.oneof(
  fc.record({ kind: fc.constant("invalidStream"), stream: u16, reserved: u16 }),
  fc.record({ kind: fc.constant("staleCookie"), stalenessMicroseconds: u32 }),
  fc.record({ kind: fc.constantFrom("outOfResource", "invalidParameter", "cookieWhileShuttingDown") }),
  fc.record({ kind: fc.constant("noUserData"), tsn: u32 }),
  fc.record({
    kind: fc.constantFrom(
      "missingParameter",
      "unresolvableAddress",
      "unrecognizedChunk",
      "unrecognizedParameters",
      "restartWithNewAddresses",
      "userInitiatedAbort",
      "protocolViolation",
    ),
    bytes,
  }),
  unknown,
) as fc.Arbitrary<Cause>;

const flags = u8;
const parameters = fc.array(parameter, { maxLength: 6 });
const causes = fc.array(cause, { maxLength: 6 });

/** Chunks that may share a packet. */
export const bundledChunk: fc.Arbitrary<Chunk> = fc.oneof(
  fc.record({
    kind: fc.constant("data"),
    flags,
    tsn: u32,
    stream: u16,
    ssn: u16,
    payloadProtocolId: u32,
    bytes,
  }),
  fc.record({
    kind: fc.constant("sack"),
    flags,
    cumulativeTsn: u32,
    advertisedWindow: u32,
    gaps: fc.array(fc.record({ first: u16, last: u16 }), { maxLength: 5 }),
    duplicates: fc.array(u32, { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constantFrom("heartbeat", "heartbeatAck"), flags, parameters }),
  fc.record({ kind: fc.constantFrom("abort", "error"), flags, causes }),
  fc.record({ kind: fc.constant("shutdown"), flags, cumulativeTsn: u32 }),
  fc.record({ kind: fc.constantFrom("shutdownAck", "cookieAck"), flags }),
  fc.record({ kind: fc.constant("cookieEcho"), flags, bytes }),
  fc.tuple(fc.constantFrom(0x3f, 0x7f, 0xbf, 0xff), flags, bytes).map(([type, flag, body]) => {
    const item = unknownItem((type << 8) | flag, body);
    return { kind: "unknown", type, flags: flag, bytes: item.bytes };
  }),
) as fc.Arbitrary<Chunk>;

/** Chunks that travel alone. */
export const loneChunk: fc.Arbitrary<Chunk> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("init", "initAck"),
    flags,
    initiateTag: u32,
    advertisedWindow: u32,
    outboundStreams: u16,
    inboundStreams: u16,
    initialTsn: u32,
    parameters,
  }),
  fc.record({ kind: fc.constant("shutdownComplete"), flags }),
) as fc.Arbitrary<Chunk>;

export const chunks: fc.Arbitrary<Chunk[]> = fc.oneof(
  loneChunk.map((chunk) => [chunk]),
  fc.array(bundledChunk, { minLength: 1, maxLength: 6 }),
);
