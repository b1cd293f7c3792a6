/** The model's section 1: what is dropped or taken before there is an IP packet. */
import { type Frame, type Refusal, refuse, u16 } from "./packet.js";
import type { Policy } from "./policy.js";

const ETHERNET_HEADER = 14;
const TAG = 4;
const TAGS_MAX = 3;
const TAG_TYPES = new Set([0x8100, 0x88a8, 0x9100]);
export const TYPE_ARP = 0x0806;
export const TYPE_IPV4 = 0x0800;
export const TYPE_IPV6 = 0x86dd;

/** What lies behind the link header. */
export interface Arrival {
  /** After tags; undefined: not known yet. */
  ingress: string | undefined;
  ethertype: number;
  /** Captured bytes behind the link header. */
  bytes: Uint8Array;
  /** The same on the wire. */
  wireLength: number;
  /** Destination of the frame; undefined without a link header. */
  station: Uint8Array | undefined;
}

/** The ingress interface is reported in either case. */
export function receive(frame: Frame, policy: Policy): (Refusal & { ingress: string | undefined }) | Arrival {
  let ingress = frame.ingress;
  const drop = (reason: string) => ({ ...refuse(reason), ingress });
  const { bytes, wireLength } = frame;
  if (wireLength < bytes.length) return { ...refuse("bad_descriptor"), ingress: undefined };
  if (ingress !== undefined && !policy.interfaces.isUp(ingress)) return drop("interface_down");
  const isEthernet = frame.ethertype === undefined;
  if (isEthernet && bytes.length < ETHERNET_HEADER) return drop("frame_truncated");

  // Tags that cannot be read tell nothing: the interface is still the one that was given.
  const unread = (reason: string) => ({ ...refuse(reason), ingress: frame.ingress });
  let header = isEthernet ? ETHERNET_HEADER : 0;
  let ethertype = frame.ethertype ?? u16(bytes, 12);
  for (let tags = 0; TAG_TYPES.has(ethertype); tags++) {
    if (tags === TAGS_MAX) return unread("vlan");
    if (bytes.length < header + TAG) return unread("frame_truncated");
    const vlan = u16(bytes, header) & 0xfff;
    ethertype = u16(bytes, header + 2);
    header += TAG;
    const tagged = interfaceOfTag(ingress, vlan, policy);
    if (typeof tagged === "object") return drop(tagged.refused);
    ingress = tagged;
    if (ingress !== undefined && !policy.interfaces.isUp(ingress)) return drop("interface_down");
  }

  const native = ingress === undefined ? undefined : policy.interfaces.nativeOf(ingress);
  if (native !== undefined) {
    ingress = native;
    if (!policy.interfaces.isUp(native)) return drop("interface_down");
  }
  const station = isEthernet ? bytes.subarray(0, 6) : undefined;
  if (ingress !== undefined && !isForUs(station, ingress, policy)) return drop("not_for_us");
  if (![TYPE_ARP, TYPE_IPV4, TYPE_IPV6].includes(ethertype)) return drop("ethertype");
  return { ingress, ethertype, station, bytes: bytes.subarray(header), wireLength: wireLength - header };
}

/** Whether an interface takes frames to a station. */
export function isForUs(station: Uint8Array | undefined, ingress: string, policy: Policy): boolean {
  const mac = policy.interfaces.macOf(ingress);
  if (mac === undefined || station === undefined || isGroup(station)) return true;
  return mac.every((byte, i) => byte === station[i]);
}

/** A broadcast or multicast MAC address. */
export function isGroup(station: Uint8Array): boolean {
  return (station[0]! & 1) === 1;
}

/** The interface that a tag leads to: a subinterface, or the same one where tags are looked through. */
function interfaceOfTag(
  ingress: string | undefined,
  vlan: number,
  policy: Policy,
): string | undefined | Refusal {
  if (ingress === undefined || vlan === 0) return ingress;
  const subinterface = policy.interfaces.subinterface(ingress, vlan);
  if (subinterface !== undefined) return subinterface;
  return policy.interfaces.hasSubinterfaces(ingress) ? refuse("vlan") : ingress;
}
