/**
 * What an access list entry asks beyond addresses, ports and protocol: AC_* of layout.ts. A field that asks nothing
 * holds for every packet (a mask of 0, a full range), so that only walks through the packet are asked for apart.
 */
import {
  AC_ANY,
  AC_ANY_CLEAR,
  AC_ANY_SET,
  AC_APPLIES,
  AC_DESTINATION_MASK,
  AC_DESTINATION_OPTION,
  AC_DESTINATION_VALUE,
  AC_ESTABLISHED,
  AC_EXTENSIONS,
  AC_FLAGS_MASK,
  AC_FLAGS_VALUE,
  AC_FLOW_LABEL_MASK,
  AC_FLOW_LABEL_VALUE,
  AC_ICMP_CODE_MASK,
  AC_ICMP_CODE_VALUE,
  AC_ICMP_TYPE_MASK,
  AC_ICMP_TYPE_VALUE,
  AC_MOBILITY_TYPE,
  AC_OPTION,
  AC_ROUTING_TYPE,
  AC_SOURCE_MASK,
  AC_SOURCE_VALUE,
  AC_TIME_RANGE,
  AC_TOS_MASK,
  AC_TOS_VALUE,
  AC_TTL_LOW,
  AC_TTL_SPAN,
  APPLIES_FRAGMENT,
  APPLIES_WHOLE,
  K_DESTINATION,
  K_EXTENSIONS,
  K_FLOW_LABEL,
  K_ICMP_CODE,
  K_ICMP_TYPE,
  K_ROUTING_TYPE,
  K_SOURCE,
  K_TCP_FLAGS,
  K_TOS,
  K_TTL,
  STATE_AT,
  S_TIME_RANGES,
  TYPE_GIVEN,
} from "./layout";
import { destinationOptionMatches, mobilityTypeMatches, optionMatches } from "./acl-options";

/** Whether everything beyond the box holds; for a non-initial fragment, what it shows of it. */
export function conditionHolds(condition: usize, key: usize, fragment: bool): bool {
  const applies: u32 = load<u8>(condition, AC_APPLIES);
  if (!(applies & (fragment ? APPLIES_FRAGMENT : APPLIES_WHOLE))) return false;
  return networkHolds(condition, key) && (fragment || transportHolds(condition, key));
}

/** What every packet shows: the IP header, its options and extension headers; and the time. */
function networkHolds(condition: usize, key: usize): bool {
  const timeRange: u64 = load<u8>(condition, AC_TIME_RANGE);
  if (timeRange != 0 && ((load<u64>(STATE_AT, S_TIME_RANGES) >> (timeRange - 1)) & 1) == 0) return false;
  const source = load<u32>(key, K_SOURCE) & load<u32>(condition, AC_SOURCE_MASK);
  const destination = load<u32>(key, K_DESTINATION) & load<u32>(condition, AC_DESTINATION_MASK);
  const flow = load<u32>(key, K_FLOW_LABEL) & load<u32>(condition, AC_FLOW_LABEL_MASK);
  const tos: u32 = load<u8>(key, K_TOS) & load<u8>(condition, AC_TOS_MASK);
  if (
    source != load<u32>(condition, AC_SOURCE_VALUE) ||
    destination != load<u32>(condition, AC_DESTINATION_VALUE) ||
    flow != load<u32>(condition, AC_FLOW_LABEL_VALUE) ||
    tos != load<u8>(condition, AC_TOS_VALUE) ||
    <u32>load<u8>(key, K_TTL) - <u32>load<u8>(condition, AC_TTL_LOW) > <u32>load<u8>(condition, AC_TTL_SPAN)
  ) {
    return false;
  }
  const extensions: u32 = load<u8>(condition, AC_EXTENSIONS);
  if ((load<u8>(key, K_EXTENSIONS) & extensions) != extensions) return false;
  const option: u32 = load<u16>(condition, AC_OPTION);
  if (option != 0 && !optionMatches(key, option)) return false;
  const routing: u32 = load<u16>(condition, AC_ROUTING_TYPE);
  if (routing != 0 && load<u8>(key, K_ROUTING_TYPE) + TYPE_GIVEN != routing) return false;
  const mobility: u32 = load<u16>(condition, AC_MOBILITY_TYPE);
  if (mobility != 0 && !mobilityTypeMatches(key, mobility)) return false;
  const destinationOption: u32 = load<u16>(condition, AC_DESTINATION_OPTION);
  return destinationOption == 0 || destinationOptionMatches(key, destinationOption);
}

/** TCP flags, and types of ICMP and IGMP. The protocol is that of the box. */
function transportHolds(condition: usize, key: usize): bool {
  const flags: u32 = load<u8>(key, K_TCP_FLAGS);
  if ((flags & load<u8>(condition, AC_FLAGS_MASK)) != load<u8>(condition, AC_FLAGS_VALUE)) return false;
  if (load<u8>(condition, AC_ANY) != 0) {
    const met = (flags & load<u8>(condition, AC_ANY_SET)) | (~flags & load<u8>(condition, AC_ANY_CLEAR));
    if (met == 0) return false;
  }
  const established: u32 = load<u8>(condition, AC_ESTABLISHED);
  if (established != 0 && !(flags & established)) return false;
  const type: u32 = load<u8>(key, K_ICMP_TYPE) & load<u8>(condition, AC_ICMP_TYPE_MASK);
  const code: u32 = load<u8>(key, K_ICMP_CODE) & load<u8>(condition, AC_ICMP_CODE_MASK);
  return type == load<u8>(condition, AC_ICMP_TYPE_VALUE) && code == load<u8>(condition, AC_ICMP_CODE_VALUE);
}
