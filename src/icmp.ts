/**
 * ICMP and ICMPv6 messages, neighbour discovery included: made, to be put behind an IP header, and taken apart.
 * RFC 792, 1191, 4443, 4861.
 */
import { checksummed, concat, type IpHeader } from "./frame.js";
import { type Address, isMulticast } from "./ip.js";
import type { Mac } from "./mac.js";
import { record } from "./record.js";

export const ICMP4 = {
  echoReply: 0,
  unreachable: 3,
  redirect: 5,
  echo: 8,
  timeExceeded: 11,
  timestamp: 13,
} as const;

/** The types that ask or answer; every other one reports an error or is none of a host's business. */
export const ICMP4_QUERIES: ReadonlySet<number> = new Set([0, 8, 13, 14, 15, 16, 17, 18]);

export const ICMP6 = {
  unreachable: 1,
  tooBig: 2,
  timeExceeded: 3,
  echo: 128,
  echoReply: 129,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  redirect: 137,
} as const;

/** Types below it report errors (RFC 4443 section 2.1). */
export const ICMP6_QUERIES_FROM = 128;

/** What all messages begin with. */
export const ICMP = record({ type: "u8", code: "u8", checksum: "u16" });

/** An error: the parameter is the MTU, or 0; the packet that it is about follows. */
export const ICMP_ERROR = record({ type: "u8", code: "u8", checksum: "u16", parameter: "u32" });

/** Neighbour discovery is believed with this hop limit only (RFC 4861 section 7.1). */
export const ND_HOP_LIMIT = 255;

const SOLICITATION = record({ type: "u8", code: "u8", checksum: "u16", reserved: "u32", target: "u128" });
const ADVERTISEMENT = record({ type: "u8", code: "u8", checksum: "u16", flags: "u32", target: "u128" });
const ROUTER_SOLICITATION = record({ type: "u8", code: "u8", checksum: "u16", reserved: "u32" });
const ROUTER_ADVERTISEMENT = record({
  type: "u8",
  code: "u8",
  checksum: "u16",
  hopLimit: "u8",
  flags: "u8",
  lifetimeSeconds: "u16",
  reachableMs: "u32",
  retransmitMs: "u32",
});

/** Flags of a neighbour advertisement (RFC 4861 section 4.4). */
export const NA_ROUTER = 0x80000000;
export const NA_SOLICITED = 0x40000000;
export const NA_OVERRIDE = 0x20000000;

/** Options: their length counts units of eight bytes. */
const OPTION = record({ type: "u8", length: "u8" });
const OPTION_UNIT = 8;
const SOURCE_LINK_LAYER = 1;
const TARGET_LINK_LAYER = 2;
const LINK_LAYER = record({ type: "u8", length: "u8", mac: "mac" });
const PREFIX_OPTION = 3;
const PREFIX = record({
  type: "u8",
  length: "u8",
  prefixLength: "u8",
  flags: "u8",
  validSeconds: "u32",
  preferredSeconds: "u32",
  reserved: "u32",
  prefix: "u128",
});
const MTU_OPTION = 5;
const MTU = record({ type: "u8", length: "u8", reserved: "u16", mtu: "u32" });

/** Fills in the checksum of a message, in place. */
export function icmpChecksummed(header: IpHeader, message: Uint8Array): Uint8Array {
  const at = ICMP.offsetOf("checksum");
  message.fill(0, at, ICMP.size);
  return checksummed(header, message, at, typeof header.source === "bigint");
}

/** The answer to an echo request: identifier, sequence number and data as they came. */
export function echoReply(header: IpHeader, request: Uint8Array): Uint8Array {
  const message = request.slice();
  const isIpv6 = typeof header.source === "bigint";
  message[ICMP.offsetOf("type")] = isIpv6 ? ICMP6.echoReply : ICMP4.echoReply;
  return icmpChecksummed(header, message);
}

export interface IcmpError {
  readonly type: number;
  readonly code: number;
  /** The MTU; 0 in every other error. */
  readonly parameter: number;
}

/** `about`: as much of the packet as is to be quoted. */
export function icmpError(header: IpHeader, error: IcmpError, about: Uint8Array): Uint8Array {
  return icmpChecksummed(header, concat(ICMP_ERROR.emit({ ...error, checksum: 0 }), about));
}

/** `source`: where the sender is; undefined: it has no address yet. */
export function neighborSolicitation(header: IpHeader, target: bigint, source?: Mac): Uint8Array {
  const fixed = SOLICITATION.emit({
    ...{ type: ICMP6.neighborSolicitation, code: 0, checksum: 0, reserved: 0 },
    target,
  });
  const options = source === undefined ? [] : [linkLayerOption(SOURCE_LINK_LAYER, source)];
  return icmpChecksummed(header, concat(fixed, ...options));
}

/** `flags`: NA_*; unless given, unsolicited by a router, for caches to take the address over. */
export function neighborAdvertisement(
  header: IpHeader,
  target: bigint,
  mac: Mac,
  flags: number = NA_ROUTER + NA_OVERRIDE,
): Uint8Array {
  const fixed = ADVERTISEMENT.emit({
    ...{ type: ICMP6.neighborAdvertisement, code: 0, checksum: 0 },
    flags,
    target,
  });
  return icmpChecksummed(header, concat(fixed, linkLayerOption(TARGET_LINK_LAYER, mac)));
}

export interface Advertised {
  readonly mac: Mac;
  readonly mtu: number;
  readonly hopLimit: number;
  /** As a default router; 0: no longer one. */
  readonly lifetimeSeconds: number;
  readonly prefixes: readonly { readonly prefix: bigint; readonly prefixLength: number }[];
  readonly prefixValidSeconds: number;
  readonly prefixPreferredSeconds: number;
}

const ON_LINK = 0x80;
const AUTONOMOUS = 0x40;
/** Hosts make addresses of prefixes of this length only (RFC 4862 section 5.5.3 with 64-bit identifiers). */
const AUTONOMOUS_LENGTH = 64;

export function routerAdvertisement(header: IpHeader, advertised: Advertised): Uint8Array {
  const { mac, mtu, hopLimit, lifetimeSeconds, prefixes } = advertised;
  const fixed = ROUTER_ADVERTISEMENT.emit({
    ...{ type: ICMP6.routerAdvertisement, code: 0, checksum: 0, flags: 0, reachableMs: 0, retransmitMs: 0 },
    hopLimit,
    lifetimeSeconds,
  });
  const options = prefixes.map(({ prefix, prefixLength }) =>
    PREFIX.emit({
      ...optionHead(PREFIX_OPTION, PREFIX),
      prefixLength,
      flags: prefixLength === AUTONOMOUS_LENGTH ? ON_LINK | AUTONOMOUS : ON_LINK,
      validSeconds: advertised.prefixValidSeconds,
      preferredSeconds: advertised.prefixPreferredSeconds,
      reserved: 0,
      prefix,
    }),
  );
  const mtuOption = MTU.emit({ ...optionHead(MTU_OPTION, MTU), reserved: 0, mtu });
  return icmpChecksummed(
    header,
    concat(fixed, linkLayerOption(SOURCE_LINK_LAYER, mac), mtuOption, ...options),
  );
}

function optionHead(type: number, { size }: { readonly size: number }): { type: number; length: number } {
  return { type, length: size / OPTION_UNIT };
}

function linkLayerOption(type: number, mac: Mac): Uint8Array {
  return LINK_LAYER.emit({ ...optionHead(type, LINK_LAYER), mac });
}

/** A message of neighbour discovery, as far as it matters here. */
export type NeighborMessage =
  | { readonly kind: "neighbor-solicitation"; readonly target: bigint; readonly sourceMac?: Mac }
  | {
      readonly kind: "neighbor-advertisement";
      readonly target: bigint;
      readonly targetMac?: Mac;
      readonly isSolicited: boolean;
      readonly isOverride: boolean;
    }
  | { readonly kind: "router-solicitation"; readonly sourceMac?: Mac }
  | { readonly kind: "router-advertisement" }
  | { readonly kind: "redirect" };

/** What a message of neighbour discovery comes with. */
interface Around {
  readonly source: Address;
  readonly destination: Address;
  readonly ttl: number;
  readonly payload: Uint8Array;
}

const UNSPECIFIED = 0n;

const SOLICITED_NODE = 0xff0200000000000000000001ff000000n;
const SOLICITED_NODE_BITS = 0xffffffn;

/** The group that the owner of an address listens to (RFC 4291 section 2.7.1). */
export function solicitedNode(address: bigint): bigint {
  return SOLICITED_NODE | (address & SOLICITED_NODE_BITS);
}

/** Undefined: not valid by the rules of RFC 4861 sections 6.1 and 7.1; the caller has refused fragments (RFC 6980). */
export function parseNeighborMessage({
  source,
  destination,
  ttl,
  payload,
}: Around): NeighborMessage | undefined {
  const head = ICMP.parse(payload);
  if (head === undefined || head.code !== 0 || ttl !== ND_HOP_LIMIT) return undefined;
  const isUnspecified = source === UNSPECIFIED;
  switch (head.type) {
    case ICMP6.neighborSolicitation: {
      const message = SOLICITATION.parse(payload);
      const options = optionsOf(payload, SOLICITATION.size);
      if (message === undefined || options === undefined || isMulticast(message.target)) return undefined;
      const { sourceMac } = options;
      const isAsked = destination === solicitedNode(message.target);
      if (isUnspecified && (!isAsked || sourceMac !== undefined)) return undefined;
      return {
        kind: "neighbor-solicitation",
        target: message.target,
        ...(sourceMac !== undefined && { sourceMac }),
      };
    }
    case ICMP6.neighborAdvertisement: {
      const message = ADVERTISEMENT.parse(payload);
      const options = optionsOf(payload, ADVERTISEMENT.size);
      if (message === undefined || options === undefined || isMulticast(message.target)) return undefined;
      const isSolicited = hasFlag(message.flags, NA_SOLICITED);
      if (isSolicited && isMulticast(destination)) return undefined;
      return {
        kind: "neighbor-advertisement",
        target: message.target,
        ...(options.targetMac !== undefined && { targetMac: options.targetMac }),
        isSolicited,
        isOverride: hasFlag(message.flags, NA_OVERRIDE),
      };
    }
    case ICMP6.routerSolicitation: {
      const options = optionsOf(payload, ROUTER_SOLICITATION.size);
      if (options === undefined || (isUnspecified && options.sourceMac !== undefined)) return undefined;
      return {
        kind: "router-solicitation",
        ...(options.sourceMac !== undefined && { sourceMac: options.sourceMac }),
      };
    }
    case ICMP6.routerAdvertisement:
      return optionsOf(payload, ROUTER_ADVERTISEMENT.size) && { kind: "router-advertisement" };
    case ICMP6.redirect:
      return { kind: "redirect" };
    default:
      return undefined;
  }
}

function hasFlag(flags: number, flag: number): boolean {
  return (flags & flag) >>> 0 !== 0;
}

/** The link-layer addresses among the options from `start` on; undefined: cut short, or an option of length 0. */
function optionsOf(bytes: Uint8Array, start: number): { sourceMac?: Mac; targetMac?: Mac } | undefined {
  if (bytes.length < start) return undefined;
  const found: { sourceMac?: Mac; targetMac?: Mac } = {};
  for (let at = start; at < bytes.length; ) {
    const option = OPTION.parse(bytes, at);
    const length = (option?.length ?? 0) * OPTION_UNIT;
    if (option === undefined || length === 0 || at + length > bytes.length) return undefined;
    const mac = LINK_LAYER.parse(bytes, at)!.mac;
    if (option.type === SOURCE_LINK_LAYER) found.sourceMac = mac;
    if (option.type === TARGET_LINK_LAYER) found.targetMac = mac;
    at += length;
  }
  return found;
}
