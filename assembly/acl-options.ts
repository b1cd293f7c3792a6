/**
 * What access lists ask of IPv4 options (RFC 791 3.1) and IPv6 extension headers (RFC 8200 4): rare enough to be read
 * from the packet itself. Nothing beyond K_NETWORK_AVAILABLE is touched, and each step goes forward.
 */
import {
  KF_FRAGMENT,
  KF_OPTIONS,
  K_FLAGS,
  K_NETWORK,
  K_NETWORK_AVAILABLE,
  TYPE_ANY,
  TYPE_GIVEN,
} from "./layout";
import { headerLength4, IPV4_HEADER, OPTION_END, OPTION_NOP } from "./ipv4";
import {
  IPV6_EXTENSIONS_MAX,
  IPV6_HEADER,
  IPV6_NEXT,
  NEXT_DESTINATION,
  NEXT_FRAGMENT,
  NEXT_MOBILITY,
  OPTION_PAD1,
  headerSize,
  isExtension,
} from "./ipv6";

/** Offset of the type in a mobility header (RFC 6275 6.1.1). */
const MOBILITY_TYPE: usize = 2; // u8

/** `wanted`: TYPE_ANY, or TYPE_GIVEN + the type byte of an IPv4 option; End and No-Operation count. */
export function optionMatches(key: usize, wanted: u32): bool {
  if (!(load<u8>(key, K_FLAGS) & KF_OPTIONS)) return false;
  if (wanted == TYPE_ANY) return true;
  const network: usize = load<u32>(key, K_NETWORK);
  const available = load<u32>(key, K_NETWORK_AVAILABLE);
  if (available < IPV4_HEADER) return false;
  const end = network + min(headerLength4(network), available);
  for (let at = network + IPV4_HEADER; at < end;) {
    const type: u32 = load<u8>(at);
    if (type + TYPE_GIVEN == wanted) return true;
    if (type == OPTION_END) return false;
    if (type == OPTION_NOP) {
      at++;
      continue;
    }
    const length: usize = at + 1 < end ? load<u8>(at, 1) : 0;
    if (length < 2) return false;
    at += length;
  }
  return false;
}

/** `wanted`: TYPE_GIVEN + the type of the mobility header. */
export function mobilityTypeMatches(key: usize, wanted: u32): bool {
  return walk(key, NEXT_MOBILITY, wanted);
}

/** `wanted`: TYPE_GIVEN + the type of an option in a destination options header, Pad1 and PadN included. */
export function destinationOptionMatches(key: usize, wanted: u32): bool {
  return walk(key, NEXT_DESTINATION, wanted);
}

/** Whether an extension header `sought` is of the type, or carries an option of the type, `wanted`. */
function walk(key: usize, sought: u32, wanted: u32): bool {
  const network: usize = load<u32>(key, K_NETWORK);
  const available = load<u32>(key, K_NETWORK_AVAILABLE);
  if (available < IPV6_HEADER) return false;
  const end = network + available;
  let next: u32 = load<u8>(network, IPV6_NEXT);
  let at = network + IPV6_HEADER;
  for (let headers: u32 = 0; headers < IPV6_EXTENSIONS_MAX && at + 8 <= end; headers++) {
    if (next == NEXT_MOBILITY && sought == NEXT_MOBILITY) {
      return load<u8>(at, MOBILITY_TYPE) + TYPE_GIVEN == wanted;
    }
    if (!isExtension(next)) return false;
    const size = headerSize(at, next);
    if (
      next == NEXT_DESTINATION &&
      sought == NEXT_DESTINATION &&
      carries(at + 2, min(at + size, end), wanted)
    ) {
      return true;
    }
    if (next == NEXT_FRAGMENT && load<u8>(key, K_FLAGS) & KF_FRAGMENT) return false;
    next = load<u8>(at);
    at += size;
  }
  return false;
}

function carries(at: usize, end: usize, wanted: u32): bool {
  while (at < end) {
    const type: u32 = load<u8>(at);
    if (type + TYPE_GIVEN == wanted) return true;
    if (type == OPTION_PAD1) {
      at++;
      continue;
    }
    if (at + 2 > end) return false;
    at += 2 + <usize>load<u8>(at, 1);
  }
  return false;
}
