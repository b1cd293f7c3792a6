/**
 * How this machine is wired (layout.ts, "live"): which interfaces have a device, whose frames they take, and how large a
 * packet may leave by them.
 */
import {
  D_SEGMENT,
  I_FLAGS,
  I_VLAN_PARENT,
  IF_CHECK_MAC,
  IF_UP,
  IF_VLAN_STRICT,
  INTERFACE_SIZE,
  INTERFACES_MAX,
  LI_FLAGS,
  LI_MACS,
  LI_MTU,
  LI_SOURCE_MAC,
  LIF_ON,
  LIVE_HANDOVER,
  LIVE_INTERFACE_SIZE,
  LIVE_INTERFACES,
  LIVE_MACS_MAX,
  LIVE_ON,
  LIVE_TELLS,
  M_LENGTH,
  M_NETWORK,
  M_PAYLOAD,
  M_V6,
  S_LINK_FLAGS,
  S_LIVE_AT,
  S_WHOLE_META,
  S_WHOLE_UNCUTTABLE,
  STATE_AT,
} from "./layout";
import { IPV4_DONT_FRAGMENT, IPV4_FRAGMENT } from "./ipv4";
import { interfaceCount, interfacesAt, word } from "./state";

/** Whether what passes is prepared for the wire. */
export let isLive: bool = false;
/** Whether what is not for the firewall itself waits outside: its role is being handed over. */
export let isHandingOver: bool = false;
/** LIVE_TELLS. */
export let tells: u32 = 0;
/** The smallest MTU of all interfaces: no packet up to this size needs a second look. */
export let mtuLeast: u32 = u32.MAX_VALUE;
let interfacesLiveAt: usize = 0;

/** Numbers that a descriptor can name. */
const NUMBERS: u32 = 256;
/** What a device asks of its frames, whatever the policy says. */
const LIVE_FLAGS: u32 = IF_CHECK_MAC | IF_VLAN_STRICT;
/** The six bytes of a MAC address in a load of eight. */
export const MAC_MASK: u64 = 0x0000ffffffffffff;

/** Follows the live region and the policy in force. */
export function attachLive(): void {
  const region: usize = word(S_LIVE_AT);
  interfacesLiveAt = region + LIVE_INTERFACES;
  isLive = load<u32>(region, LIVE_ON) != 0;
  isHandingOver = isLive && load<u32>(region, LIVE_HANDOVER) != 0;
  tells = load<u8>(region, LIVE_TELLS);
  mtuLeast = u32.MAX_VALUE;
  for (let number: u32 = 0; number < NUMBERS; number++) {
    let flags: u32 =
      number < interfaceCount ? <u32>load<u8>(interfacesAt + <usize>number * INTERFACE_SIZE, I_FLAGS) : 0;
    if (number < <u32>INTERFACES_MAX) {
      const mtu = mtuOf(number);
      if (mtu != 0) mtuLeast = min(mtuLeast, mtu);
      if (isLive) flags = load<u8>(liveAt(number), LI_FLAGS) & LIF_ON ? flags | LIVE_FLAGS : flags & ~IF_UP;
    }
    store<u8>(<usize>STATE_AT + number, flags, S_LINK_FLAGS);
  }
}

/** Live record of an interface. */
@inline
export function liveAt(number: u32): usize {
  return interfacesLiveAt + <usize>number * LIVE_INTERFACE_SIZE;
}


@inline
export function mtuOf(number: u32): u32 {
  return load<u32>(liveAt(number), LI_MTU);
}

/** Whether a frame on a live interface is for the address that it is asked for most: that which it sends from. */
@inline
export function isToSource(frame: usize, number: u32): bool {
  return (load<u64>(frame) & MAC_MASK) == load<u64>(liveAt(number), LI_SOURCE_MAC);
}

/** Whether a frame is for one of the MAC addresses of the device that carries a live interface. */
export function isToDevice(frame: usize, number: u32): bool {
  const parent: u32 = load<u8>(interfacesAt + <usize>number * INTERFACE_SIZE, I_VLAN_PARENT);
  const record = liveAt(parent == 0 ? number : parent);
  const mac = load<u64>(frame) & MAC_MASK;
  for (let i: usize = 0; i <= <usize>LIVE_MACS_MAX; i++) {
    if (load<u64>(record + (i << 3), LI_MACS) == mac) return true;
  }
  return false;
}

/** Bytes of the largest IP packet that the frame of `meta` is on the wire: of a merged one, that of a segment. */
export function sizeOnWire(descriptor: usize, meta: usize): u32 {
  const length = load<u32>(meta, M_LENGTH);
  const segment: u32 = load<u16>(descriptor, D_SEGMENT);
  const payload = load<u32>(meta, M_PAYLOAD);
  return segment == 0 || segment >= payload ? length : length - payload + segment;
}

/** Whether the packet is larger than the MTU of its egress and may not be cut (RFC 791 3.2, RFC 8200 5). */
@inline
export function isTooBig(descriptor: usize, meta: usize, egress: u32): bool {
  return load<u32>(meta, M_LENGTH) > mtuLeast && exceeds(descriptor, meta, egress);
}

function exceeds(descriptor: usize, meta: usize, egress: u32): bool {
  const mtu = mtuOf(egress);
  if (mtu == 0) return false;
  // A datagram put together leaves in the pieces that it came in.
  if (meta == <usize>STATE_AT + S_WHOLE_META) return word(S_WHOLE_UNCUTTABLE) > mtu;
  return isUncuttable(meta) && sizeOnWire(descriptor, meta) > mtu;
}

/** IPv6, and IPv4 with "don't fragment". */
export function isUncuttable(meta: usize): bool {
  return (
    load<u8>(meta, M_V6) != 0 ||
    (load<u16>(load<u32>(meta, M_NETWORK), IPV4_FRAGMENT) & IPV4_DONT_FRAGMENT) != 0
  );
}
