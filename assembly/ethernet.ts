/**
 * Link layer: Ethernet II with up to VLAN_TAGS_MAX tags (802.1Q, 802.1ad), the interface a frame belongs to, and whose
 * frame it is.
 *
 *   destination 6 | source 6 | ethertype 2 | [tag control 2 | ethertype 2] ... | payload
 */
import {
  I_MAC,
  I_NATIVE,
  I_VLAN,
  I_VLAN_PARENT,
  IF_CHECK_MAC,
  IF_NATIVE,
  IF_UP,
  IF_VLAN_STRICT,
  INTERFACE_SIZE,
  M_AVAILABLE,
  M_FRAME,
  M_INGRESS,
  M_LENGTH,
  M_NETWORK,
  R_FRAME_TRUNCATED,
  R_INTERFACE_DOWN,
  R_LINK_BROADCAST,
  R_NOT_FOR_US,
  R_VLAN,
  S_LINK_FLAGS,
  STATE_AT,
} from "./layout";
import { interfaceCount, interfacesAt } from "./state";
import { be16 } from "./bytes";
import { isLive, isToDevice, isToSource } from "./live";

export const ETHERNET_HEADER: u32 = 14;
export const ETHERTYPE_AT: usize = 12;
export const VLAN_TAGS_MAX: u32 = 3;
export const TAG_SIZE: u32 = 4;
export const TYPE_TAG: u32 = 0x8100;
export const TYPE_IPV4: u32 = 0x0800;
export const TYPE_ARP: u32 = 0x0806;
export const TYPE_IPV6: u32 = 0x86dd;


@inline
export function isTag(type: u32): bool {
  return type == TYPE_TAG || type == 0x88a8 || type == 0x9100;
}

/** Record of an interface in the policy in force. */
@inline
export function interfaceAt(number: u32): usize {
  return interfacesAt + <usize>number * INTERFACE_SIZE;
}

/** IF_* of any number that a descriptor can give: the policy's, and what a device adds. */
@inline
export function interfaceFlags(number: u32): u32 {
  return load<u8>(<usize>STATE_AT + number, S_LINK_FLAGS);
}

/** An interface that was given and is shut, has no device, or is not there. */
export function isDown(ingress: u32): bool {
  return ingress != 0 && (interfaceFlags(ingress) & IF_UP) == 0;
}

/**
 * Whether an untagged frame needs no second look at its link: the interface is up, and either takes every frame, or has
 * a device and the frame is for the MAC address that it sends from.
 */
@inline
export function isPlain(ingress: u32, frame: usize, ethernet: bool): bool {
  const flags = interfaceFlags(ingress);
  if ((flags & (IF_UP | IF_CHECK_MAC | IF_VLAN_STRICT)) == IF_UP) return true;
  return isLive && ethernet && (flags & (IF_UP | IF_NATIVE)) == IF_UP && isToSource(frame, ingress);
}

/** Result of `walkLink` that is a reason and no ethertype. */
export const LINK_REFUSED: u32 = 0x10000;

/**
 * Walks the tags behind `type`, settles the ingress interface and checks whose frame it is (`ethernet`: it has a link
 * header). Moves M_NETWORK, M_LENGTH and M_AVAILABLE. Returns the ethertype of the payload, or LINK_REFUSED + reason.
 */
export function walkLink(meta: usize, type: u32, ethernet: bool): u32 {
  let ingress: u32 = load<u8>(meta, M_INGRESS);
  if (isDown(ingress)) return LINK_REFUSED + R_INTERFACE_DOWN;
  let flags = ingress == 0 ? IF_UP : interfaceFlags(ingress);
  for (let tags: u32 = 0; isTag(type); tags++) {
    if (tags == VLAN_TAGS_MAX) return LINK_REFUSED + R_VLAN;
    const at: usize = load<u32>(meta, M_NETWORK);
    if (load<u32>(meta, M_AVAILABLE) < 4) return LINK_REFUSED + R_FRAME_TRUNCATED;
    const vlan = be16(at) & 0x0fff;
    if (vlan != 0 && ingress != 0) {
      const subinterface = subinterfaceOf(ingress, vlan);
      if (subinterface != 0) {
        ingress = subinterface;
        flags = interfaceFlags(ingress);
        if ((flags & IF_UP) == 0) return LINK_REFUSED + R_INTERFACE_DOWN;
      } else if (flags & IF_VLAN_STRICT) {
        return LINK_REFUSED + R_VLAN;
      }
    }
    type = be16(at + 2);
    store<u32>(meta, <u32>at + 4, M_NETWORK);
    store<u32>(meta, load<u32>(meta, M_LENGTH) - 4, M_LENGTH);
    store<u32>(meta, load<u32>(meta, M_AVAILABLE) - 4, M_AVAILABLE);
  }
  if (flags & IF_NATIVE) {
    ingress = load<u8>(interfaceAt(ingress), I_NATIVE);
    flags = interfaceFlags(ingress);
    if ((flags & IF_UP) == 0) return LINK_REFUSED + R_INTERFACE_DOWN;
  }
  store<u8>(meta, ingress, M_INGRESS);
  return ethernet && flags & IF_CHECK_MAC && isForOther(meta, ingress) ? LINK_REFUSED + R_NOT_FOR_US : type;
}

/** A frame for a group of stations. */
@inline
export function isForGroup(frame: usize): bool {
  return (load<u8>(frame) & 1) != 0;
}

/** A frame for a station that is not this interface, nor for a group. */
function isForOther(meta: usize, ingress: u32): bool {
  const frame: usize = load<u32>(meta, M_FRAME);
  if (isForGroup(frame)) return false;
  return !(isLive ? isToDevice(frame, ingress) : sameMac(frame, interfaceAt(ingress) + I_MAC));
}

/**
 * The second look at the link, when the addresses are known: of an interface that the source address told (`found`),
 * whose frame it is; and whether unicast IP came in a frame for a group, where it has no business (RFC 1122 3.3.6).
 * Only asked where the interface checks addresses: every other takes each frame as its own.
 */
export function stationReason(meta: usize, found: bool, unicast: bool): u32 {
  const ingress: u32 = load<u8>(meta, M_INGRESS);
  if ((interfaceFlags(ingress) & IF_CHECK_MAC) == 0) return 0;
  if (found && isForOther(meta, ingress)) return R_NOT_FOR_US;
  return unicast && isForGroup(load<u32>(meta, M_FRAME)) ? R_LINK_BROADCAST : 0;
}


@inline
function sameMac(a: usize, b: usize): bool {
  return load<u32>(a) == load<u32>(b) && load<u16>(a, 4) == load<u16>(b, 4);
}

/** Number of the subinterface of `parent` with this tag, or 0. */
function subinterfaceOf(parent: u32, vlan: u32): u32 {
  for (let number: u32 = 1; number < interfaceCount; number++) {
    const record = interfaceAt(number);
    if (load<u8>(record, I_VLAN_PARENT) == parent && load<u16>(record, I_VLAN) == vlan) return number;
  }
  return 0;
}
