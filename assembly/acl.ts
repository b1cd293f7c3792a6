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
  AB_SHORT_SPAN,
  AB_SOURCE_PORT,
  AB_WORD_SIZE,
  AB_WORD_SPAN,
  ACL_BLOCK4_SIZE,
  ACL_BLOCK6_SIZE,
  ACL_CONDITION_SIZE,
  ACL_LIST_SIZE,
  ACL_RECORD4_SIZE,
  ACL_RECORD6_SIZE,
  ACL_TREE_SIZE,
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
  AR4_DESTINATION_HIGH,
  AR4_DESTINATION_LOW,
  AR4_SOURCE_HIGH,
  AR4_SOURCE_LOW,
  AR6_DESTINATION_HIGH,
  AR6_DESTINATION_LOW,
  AR6_SOURCE_HIGH,
  AR6_SOURCE_LOW,
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
  K_DESTINATION,
  K_DESTINATION_PORT,
  K_FLAGS,
  K_PROTOCOL,
  K_SOURCE,
  K_SOURCE_PORT,
  REF_FIRST_SHIFT,
  REF_RUN,
  RULE_LOG,
  RULE_PERMIT,
  RUN_BLOCKS_MAX,
} from "./layout";
import { conditionHolds } from "./acl-condition";

/** More than any rule number: nothing found yet. */
const NOTHING: u32 = 0xffffffff;

/** Lists of a section; their numbers go from 1 to this. */
@inline
export function listCount(section: usize): u32 {
  return load<u32>(section, AH_LIST_COUNT);
}

/** Rules of a section: no lookup finds more than this. */
@inline
export function ruleCount(section: usize): u32 {
  return load<u32>(section, AH_RULE_COUNT);
}

/** Whether the rule that was found (number + 1) permits. */
@inline
export function isPermit(section: usize, found: u32): bool {
  return (ruleFlags(section, found) & RULE_PERMIT) != 0;
}

/** Whether it wants its matches logged. */
@inline
export function isLog(section: usize, found: u32): bool {
  return (ruleFlags(section, found) & RULE_LOG) != 0;
}

/** RULE_* of a rule that was found. */
@inline
function ruleFlags(section: usize, found: u32): u32 {
  return load<u8>(section + <usize>load<u32>(section, AH_RULES) + <usize>found);
}

/** The head of list `list`, from 1. */
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

/**
 * The same by reading the records one by one: what fragments need, and what `evaluate` is measured against. The list
 * must be one of the section, and of the key's family.
 */
export function scan(section: usize, list: u32, key: usize): u32 {
  const head = listAt(section, list);
  const fragment = (load<u8>(key, K_FLAGS) & KF_FRAGMENT) != 0;
  return load<u32>(head, AL_FAMILY) == 6
    ? scanRecords(section, head, key, fragment, true)
    : scanRecords(section, head, key, fragment, false);
}

/** `v6` and below are constants for the compiler: one copy for each family. */
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

/** One comparison: below `low`, the difference wraps round. */
@inline
function inRange(value: u32, low: u32, high: u32): bool {
  return value - low <= high - low;
}

/** Both ports. */
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

/** Both addresses, IPv4. */
@inline
function inAddresses4(record: usize, key: usize): bool {
  return (
    inRange(
      load<u32>(key, K_SOURCE),
      load<u32>(record, AR4_SOURCE_LOW),
      load<u32>(record, AR4_SOURCE_HIGH),
    ) &&
    inRange(
      load<u32>(key, K_DESTINATION),
      load<u32>(record, AR4_DESTINATION_LOW),
      load<u32>(record, AR4_DESTINATION_HIGH),
    )
  );
}

/** Both addresses, IPv6: each of the words between its own two bounds. */
@inline
function inAddresses6(record: usize, key: usize): bool {
  return (
    inWords(
      v128.load(key, K_SOURCE),
      v128.load(record, AR6_SOURCE_LOW),
      v128.load(record, AR6_SOURCE_HIGH),
    ) &&
    inWords(
      v128.load(key, K_DESTINATION),
      v128.load(record, AR6_DESTINATION_LOW),
      v128.load(record, AR6_DESTINATION_HIGH),
    )
  );
}

/** Four words at once. */
@inline
function inWords(words: v128, low: v128, high: v128): bool {
  return i32x4.all_true(v128.and(i32x4.ge_u(words, low), i32x4.le_u(words, high)));
}

/** What the record asks beyond its box. */
@inline
function conditionOf(section: usize, record: usize): usize {
  return (
    section +
    <usize>load<u32>(section, AH_CONDITIONS) +
    <usize>load<u16>(record, AR_CONDITION) * ACL_CONDITION_SIZE
  );
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
    i32x4.le_u(i32x4.sub(value, v128.load(at)), v128.load(at, AB_WORD_SPAN)),
    i32x4.le_u(i32x4.sub(value, v128.load(at, 16)), v128.load(at, AB_WORD_SPAN + 16)),
  );
}

/** How far `value` lies above the range at `at`: u16[8] low, u16[8] span; 0 inside. */
@inline
function excess(value: v128, at: usize): v128 {
  return i16x8.sub_sat_u(i16x8.sub(value, v128.load(at)), v128.load(at, AB_SHORT_SPAN));
}

/** Lanes where both ports and the protocol lie in their ranges. */
@inline
function portLanes(block: usize, source: v128, destination: v128, protocol: v128): v128 {
  const outside = v128.or(
    v128.or(excess(source, block + AB_SOURCE_PORT), excess(destination, block + AB_DESTINATION_PORT)),
    excess(protocol, block + AB_PROTOCOL),
  );
  return i16x8.eq(outside, i16x8.splat(0));
}

/**
 * The first of `lanes` whose record holds entirely: its rule number + 1, or NOTHING. A lane that needs more than its
 * box is the exception.
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

/** The rule of a record, number + 1, when what its box does not say holds too; else NOTHING. */
function verified(section: usize, head: usize, index: u32, key: usize, v6: bool): u32 {
  const size: usize = v6 ? ACL_RECORD6_SIZE : ACL_RECORD4_SIZE;
  const record = section + <usize>load<u32>(head, AL_RECORDS) + <usize>index * size;
  if (v6 && !inAddresses6(record, key)) return NOTHING;
  return conditionHolds(conditionOf(section, record), key, false) ? load<u32>(record, AR_RULE) : NOTHING;
}

function search4(section: usize, head: usize, key: usize): u32 {
  return search(section, head, key, false);
}

function search6(section: usize, head: usize, key: usize): u32 {
  return search(section, head, key, true);
}

/** Tree by tree; `v6` is a constant for the compiler. */
@inline
function search(section: usize, head: usize, key: usize, v6: bool): u32 {
  const nodes = section + <usize>load<u32>(head, AL_NODES);
  const blocks = section + <usize>load<u32>(head, AL_BLOCKS);
  const blockSize: usize = v6 ? ACL_BLOCK6_SIZE : ACL_BLOCK4_SIZE;
  const source = i32x4.splat(load<u32>(key, K_SOURCE));
  const source1 = i32x4.splat(load<u32>(key, K_SOURCE + 4));
  const destination = i32x4.splat(load<u32>(key, K_DESTINATION));
  const destination1 = i32x4.splat(load<u32>(key, K_DESTINATION + 4));
  const sourcePort = i16x8.splat(<i16>load<u32>(key, K_SOURCE_PORT));
  const destinationPort = i16x8.splat(<i16>load<u32>(key, K_DESTINATION_PORT));
  const protocol = i16x8.splat(<i16>load<u32>(key, K_PROTOCOL));
  let best = NOTHING;
  let tree = head + AL_TREES;
  const end = tree + <usize>load<u32>(head, AL_TREE_COUNT) * ACL_TREE_SIZE;
  for (; tree < end && load<u32>(tree, AT_FIRST) < best; tree += ACL_TREE_SIZE) {
    const run = descend(nodes, load<u32>(tree, AT_ROOT), key);
    let block = blocks + <usize>(run >> REF_FIRST_SHIFT) * blockSize;
    const last = block + <usize>((run >> 1) & RUN_BLOCKS_MAX) * blockSize;
    for (; block < last; block += blockSize) {
      const words = block + AB_ADDRESSES;
      let lanes = portLanes(block, sourcePort, destinationPort, protocol);
      lanes = v128.and(lanes, wordLanes(source, words));
      if (v6) {
        lanes = v128.and(lanes, wordLanes(source1, words + AB_WORD_SIZE));
        lanes = v128.and(lanes, wordLanes(destination, words + 2 * AB_WORD_SIZE));
        lanes = v128.and(lanes, wordLanes(destination1, words + 3 * AB_WORD_SIZE));
      } else {
        lanes = v128.and(lanes, wordLanes(destination, words + AB_WORD_SIZE));
      }
      if (!v128.any_true(lanes)) continue;
      const found = firstOf(section, head, block, i16x8.bitmask(lanes), key, v6);
      if (found == NOTHING) continue;
      best = min(best, found);
      break;
    }
  }
  return best == NOTHING ? 0 : best;
}
