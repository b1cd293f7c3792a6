/**
 * Access lists: the first rule that matches, as if the list were read line by line. The picture of the section stands
 * in layout.ts; src/acl builds it, acl-validate.ts proves once that nothing in it leads outside.
 *
 * A whole packet walks up to four trees, whose leaves are blocks of eight boxes compared at once; what a box cannot
 * say is compared on the record, and the search goes on in order when that fails. The trees are sorted by their lowest
 * rule, so the search ends at the first tree that cannot better what was found. A non-initial fragment knows neither
 * ports nor flags, which the trees cut by: it reads the records one by one.
 */
import {
  AB_ADDRESSES,
  AB_DESTINATION_PORT,
  AB_IDS,
  AB_PROTOCOL,
  AB_SOURCE_PORT,
  AB_WORD_SIZE,
  ACL_BLOCK4_SIZE,
  ACL_BLOCK6_SIZE,
  ACL_LIST_SIZE,
  ACL_RECORD4_SIZE,
  ACL_RECORD6_SIZE,
  ACL_TREE_SIZE,
  ACL_CONDITION_SIZE,
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
  AH_CONDITIONS,
  AH_LISTS,
  AH_LIST_COUNT,
  AH_RULES,
  AH_RULE_COUNT,
  AL_BLOCKS,
  AL_FAMILY,
  AL_NODES,
  AL_RECORDS,
  AL_RECORD_COUNT,
  AL_TREES,
  AL_TREE_COUNT,
  AN_CHILDREN,
  AN_STARTS,
  AN_WORD,
  APPLIES_FRAGMENT,
  APPLIES_WHOLE,
  AR_ADDRESSES,
  AR_CONDITION,
  AR_DESTINATION_PORT_HIGH,
  AR_DESTINATION_PORT_LOW,
  AR_PROTOCOL_HIGH,
  AR_PROTOCOL_LOW,
  AR_RULE,
  AR_SOURCE_PORT_HIGH,
  AR_SOURCE_PORT_LOW,
  AT_FIRST,
  AT_ROOT,
  ID_VERIFY,
  KF_FRAGMENT,
  KF_V6,
  KX_DESTINATION,
  KX_MOBILITY,
  KX_ROUTING,
  K_DESTINATION,
  K_DESTINATION_PORT,
  K_EXTENSIONS,
  K_FLAGS,
  K_FLOW_LABEL,
  K_ICMP_CODE,
  K_ICMP_TYPE,
  K_PROTOCOL,
  K_ROUTING_TYPE,
  K_SOURCE,
  K_SOURCE_PORT,
  K_TCP_FLAGS,
  K_TOS,
  K_TTL,
  REF_FIRST_SHIFT,
  REF_RUN,
  RULE_LOG,
  RULE_PERMIT,
  RUN_BLOCKS_MAX,
  STATE_AT,
  S_TIME_RANGES,
  TYPE_GIVEN,
} from "./layout";
import { destinationOptionMatches, mobilityTypeMatches, optionMatches } from "./acl-options";

/** More than any rule number: nothing found yet. */
const NOTHING: u32 = 0xffffffff;


@inline
export function listCount(section: usize): u32 {
  return load<u32>(section, AH_LIST_COUNT);
}

/** Numbers of rules, and so of hit counters, that lookups in the section can give. */
@inline
export function ruleCount(section: usize): u32 {
  return load<u32>(section, AH_RULE_COUNT);
}


@inline
export function isPermit(section: usize, found: u32): bool {
  return (ruleFlags(section, found) & RULE_PERMIT) != 0;
}


@inline
export function isLog(section: usize, found: u32): bool {
  return (ruleFlags(section, found) & RULE_LOG) != 0;
}


@inline
function ruleFlags(section: usize, found: u32): u32 {
  return load<u8>(section + <usize>load<u32>(section, AH_RULES) + <usize>found);
}


@inline
function listAt(section: usize, list: u32): usize {
  return section + <usize>load<u32>(section, AH_LISTS) + <usize>(list - 1) * ACL_LIST_SIZE;
}

/** Number + 1 of the first rule of list `list` (from 1) that matches the key, 0 when none does: the implicit deny. */
export function evaluate(section: usize, list: u32, key: usize): u32 {
  // Numbers of no list match nothing, nor do lists of the other family.
  if (list - 1 >= listCount(section)) return 0;
  const head = listAt(section, list);
  const family = load<u32>(head, AL_FAMILY);
  const flags: u32 = load<u8>(key, K_FLAGS);
  if (family != (flags & KF_V6 ? 6 : 4)) return 0;
  if (flags & KF_FRAGMENT) return scan(section, list, key);
  return family == 6 ? search6(section, head, key) : search4(section, head, key);
}

/** The same by reading the records one by one: what fragments need, and what `evaluate` is measured against. */
export function scan(section: usize, list: u32, key: usize): u32 {
  const head = listAt(section, list);
  const fragment = (load<u8>(key, K_FLAGS) & KF_FRAGMENT) != 0;
  return load<u32>(head, AL_FAMILY) == 6
    ? scanRecords(section, head, key, fragment, true)
    : scanRecords(section, head, key, fragment, false);
}


@inline
function scanRecords(section: usize, head: usize, key: usize, fragment: bool, v6: bool): u32 {
  const size: usize = v6 ? ACL_RECORD6_SIZE : ACL_RECORD4_SIZE;
  const protocol = load<u32>(key, K_PROTOCOL);
  let record = section + <usize>load<u32>(head, AL_RECORDS);
  const end = record + <usize>load<u32>(head, AL_RECORD_COUNT) * size;
  for (; record < end; record += size) {
    if (!(v6 ? inAddresses6(record, key) : inAddresses4(record, key))) continue;
    if (!inRange(protocol, load<u8>(record, AR_PROTOCOL_LOW), load<u8>(record, AR_PROTOCOL_HIGH))) continue;
    if (!fragment && !inPorts(record, key)) continue;
    if (conditionHolds(conditionOf(section, record), key, fragment)) return load<u32>(record, AR_RULE);
  }
  return 0;
}


@inline
function inRange(value: u32, low: u32, high: u32): bool {
  return value - low <= high - low;
}


@inline
function inPorts(record: usize, key: usize): bool {
  return (
    inRange(
      load<u32>(key, K_SOURCE_PORT),
      load<u16>(record, AR_SOURCE_PORT_LOW),
      load<u16>(record, AR_SOURCE_PORT_HIGH),
    ) &&
    inRange(
      load<u32>(key, K_DESTINATION_PORT),
      load<u16>(record, AR_DESTINATION_PORT_LOW),
      load<u16>(record, AR_DESTINATION_PORT_HIGH),
    )
  );
}


@inline
function inAddresses4(record: usize, key: usize): bool {
  return (
    inRange(load<u32>(key, K_SOURCE), load<u32>(record, AR_ADDRESSES), load<u32>(record, AR_ADDRESSES + 4)) &&
    inRange(
      load<u32>(key, K_DESTINATION),
      load<u32>(record, AR_ADDRESSES + 8),
      load<u32>(record, AR_ADDRESSES + 12),
    )
  );
}


@inline
function inAddresses6(record: usize, key: usize): bool {
  return (
    inWords(
      v128.load(key, K_SOURCE),
      v128.load(record, AR_ADDRESSES),
      v128.load(record, AR_ADDRESSES + 16),
    ) &&
    inWords(
      v128.load(key, K_DESTINATION),
      v128.load(record, AR_ADDRESSES + 32),
      v128.load(record, AR_ADDRESSES + 48),
    )
  );
}

/** Each of four words between its own two bounds. */
@inline
function inWords(words: v128, low: v128, high: v128): bool {
  return i32x4.all_true(v128.and(i32x4.ge_u(words, low), i32x4.le_u(words, high)));
}

// -------------------------------------------------------------------------------------------------- trees

/** Follows a reference down to a run of blocks. */
@inline
function descend(nodes: usize, reference: u32, key: usize): u32 {
  while (!(reference & REF_RUN)) {
    const node = nodes + <usize>reference;
    const value = i32x4.splat(load<u32>(key + <usize>load<u32>(node, AN_WORD)));
    const low = i32x4.bitmask(i32x4.ge_u(value, v128.load(node, AN_STARTS)));
    // The eighth lane is AN_WORD.
    const high = i32x4.bitmask(i32x4.ge_u(value, v128.load(node, AN_STARTS + 16))) & 7;
    const above = popcnt<u32>(low) + popcnt<u32>(high);
    reference = load<u32>(node + ((<usize>above) << 2), AN_CHILDREN);
  }
  return reference;
}

/** Lanes where `value` lies in the range at `at`: u32[8] low, u32[8] span. */
@inline
function wordLanes(value: v128, at: usize): v128 {
  return i16x8.narrow_i32x4_s(
    i32x4.le_u(i32x4.sub(value, v128.load(at)), v128.load(at, 32)),
    i32x4.le_u(i32x4.sub(value, v128.load(at, 16)), v128.load(at, 48)),
  );
}

/** How far `value` lies above the range at `at`: u16[8] low, u16[8] span; 0 inside. */
@inline
function excess(value: v128, at: usize): v128 {
  return i16x8.sub_sat_u(i16x8.sub(value, v128.load(at)), v128.load(at, 16));
}


@inline
function portLanes(block: usize, source: v128, destination: v128, protocol: v128): v128 {
  const outside = v128.or(
    v128.or(excess(source, block + AB_SOURCE_PORT), excess(destination, block + AB_DESTINATION_PORT)),
    excess(protocol, block + AB_PROTOCOL),
  );
  return i16x8.eq(outside, i16x8.splat(0));
}

/**
 * The first lane of `lanes` whose record holds entirely; its rule number + 1, or NOTHING. Out of line: a lane that
 * needs more than its box is the exception.
 */
@inline
function firstOf(section: usize, head: usize, block: usize, lanes: u32, key: usize, v6: bool): u32 {
  do {
    const id = load<u32>(block + ((<usize>ctz<u32>(lanes)) << 2), AB_IDS);
    if (!(id & ID_VERIFY)) return id >> 1;
    const found = verified(section, head, id >> 1, key, v6);
    if (found != NOTHING) return found;
    lanes &= lanes - 1;
  } while (lanes != 0);
  return NOTHING;
}

function verified(section: usize, head: usize, index: u32, key: usize, v6: bool): u32 {
  const size: usize = v6 ? ACL_RECORD6_SIZE : ACL_RECORD4_SIZE;
  const record = section + <usize>load<u32>(head, AL_RECORDS) + <usize>index * size;
  if (v6 && !inAddresses6(record, key)) return NOTHING;
  return conditionHolds(conditionOf(section, record), key, false) ? load<u32>(record, AR_RULE) : NOTHING;
}

function search4(section: usize, head: usize, key: usize): u32 {
  const nodes = section + <usize>load<u32>(head, AL_NODES);
  const blocks = section + <usize>load<u32>(head, AL_BLOCKS);
  const source = i32x4.splat(load<u32>(key, K_SOURCE));
  const destination = i32x4.splat(load<u32>(key, K_DESTINATION));
  const sourcePort = i16x8.splat(<i16>load<u32>(key, K_SOURCE_PORT));
  const destinationPort = i16x8.splat(<i16>load<u32>(key, K_DESTINATION_PORT));
  const protocol = i16x8.splat(<i16>load<u32>(key, K_PROTOCOL));
  let best = NOTHING;
  let tree = head + AL_TREES;
  const end = tree + <usize>load<u32>(head, AL_TREE_COUNT) * ACL_TREE_SIZE;
  for (; tree < end && load<u32>(tree, AT_FIRST) < best; tree += ACL_TREE_SIZE) {
    const run = descend(nodes, load<u32>(tree, AT_ROOT), key);
    let block = blocks + <usize>(run >> REF_FIRST_SHIFT) * ACL_BLOCK4_SIZE;
    const last = block + <usize>((run >> 1) & RUN_BLOCKS_MAX) * ACL_BLOCK4_SIZE;
    for (; block < last; block += ACL_BLOCK4_SIZE) {
      const lanes = v128.and(
        v128.and(
          wordLanes(source, block + AB_ADDRESSES),
          wordLanes(destination, block + AB_ADDRESSES + AB_WORD_SIZE),
        ),
        portLanes(block, sourcePort, destinationPort, protocol),
      );
      if (!v128.any_true(lanes)) continue;
      const found = firstOf(section, head, block, i16x8.bitmask(lanes), key, false);
      if (found == NOTHING) continue;
      best = min(best, found);
      break;
    }
  }
  return best == NOTHING ? 0 : best;
}

function search6(section: usize, head: usize, key: usize): u32 {
  const nodes = section + <usize>load<u32>(head, AL_NODES);
  const blocks = section + <usize>load<u32>(head, AL_BLOCKS);
  const source0 = i32x4.splat(load<u32>(key, K_SOURCE));
  const source1 = i32x4.splat(load<u32>(key, K_SOURCE + 4));
  const destination0 = i32x4.splat(load<u32>(key, K_DESTINATION));
  const destination1 = i32x4.splat(load<u32>(key, K_DESTINATION + 4));
  const sourcePort = i16x8.splat(<i16>load<u32>(key, K_SOURCE_PORT));
  const destinationPort = i16x8.splat(<i16>load<u32>(key, K_DESTINATION_PORT));
  const protocol = i16x8.splat(<i16>load<u32>(key, K_PROTOCOL));
  let best = NOTHING;
  let tree = head + AL_TREES;
  const end = tree + <usize>load<u32>(head, AL_TREE_COUNT) * ACL_TREE_SIZE;
  for (; tree < end && load<u32>(tree, AT_FIRST) < best; tree += ACL_TREE_SIZE) {
    const run = descend(nodes, load<u32>(tree, AT_ROOT), key);
    let block = blocks + <usize>(run >> REF_FIRST_SHIFT) * ACL_BLOCK6_SIZE;
    const last = block + <usize>((run >> 1) & RUN_BLOCKS_MAX) * ACL_BLOCK6_SIZE;
    for (; block < last; block += ACL_BLOCK6_SIZE) {
      const sources = v128.and(
        wordLanes(source0, block + AB_ADDRESSES),
        wordLanes(source1, block + AB_ADDRESSES + AB_WORD_SIZE),
      );
      const destinations = v128.and(
        wordLanes(destination0, block + AB_ADDRESSES + 2 * AB_WORD_SIZE),
        wordLanes(destination1, block + AB_ADDRESSES + 3 * AB_WORD_SIZE),
      );
      const lanes = v128.and(
        v128.and(sources, destinations),
        portLanes(block, sourcePort, destinationPort, protocol),
      );
      if (!v128.any_true(lanes)) continue;
      const found = firstOf(section, head, block, i16x8.bitmask(lanes), key, true);
      if (found == NOTHING) continue;
      best = min(best, found);
      break;
    }
  }
  return best == NOTHING ? 0 : best;
}

// -------------------------------------------------------------------------------------------------- conditions

@inline
function conditionOf(section: usize, record: usize): usize {
  return (
    section +
    <usize>load<u32>(section, AH_CONDITIONS) +
    <usize>load<u16>(record, AR_CONDITION) * ACL_CONDITION_SIZE
  );
}

/** Whether everything beyond the box holds; for a non-initial fragment, what it shows of it. */
function conditionHolds(condition: usize, key: usize, fragment: bool): bool {
  const applies: u32 = load<u8>(condition, AC_APPLIES);
  if (!(applies & (fragment ? APPLIES_FRAGMENT : APPLIES_WHOLE))) return false;
  return networkHolds(condition, key) && (fragment || transportHolds(condition, key));
}

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
  const extensions: u32 = load<u8>(key, K_EXTENSIONS);
  const wanted: u32 = load<u8>(condition, AC_EXTENSIONS);
  if ((extensions & wanted) != wanted) return false;
  const option: u32 = load<u16>(condition, AC_OPTION);
  if (option != 0 && !optionMatches(key, option)) return false;
  const routing: u32 = load<u16>(condition, AC_ROUTING_TYPE);
  if (routing != 0 && (!(extensions & KX_ROUTING) || load<u8>(key, K_ROUTING_TYPE) + TYPE_GIVEN != routing)) {
    return false;
  }
  const mobility: u32 = load<u16>(condition, AC_MOBILITY_TYPE);
  if (mobility != 0 && (!(extensions & KX_MOBILITY) || !mobilityTypeMatches(key, mobility))) return false;
  const carried: u32 = load<u16>(condition, AC_DESTINATION_OPTION);
  return carried == 0 || ((extensions & KX_DESTINATION) != 0 && destinationOptionMatches(key, carried));
}

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
