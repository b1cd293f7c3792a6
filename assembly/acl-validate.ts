/**
 * Proves of an ACL section, once, that no lookup in it reads outside of it or runs without end: every table lies
 * inside, every index is below its count, and the children of a node stand behind it. Which packets its boxes and
 * conditions match is not checked: a wrong one gives a wrong answer, but an answer.
 */
import {
  AB_IDS,
  ACL_BLOCK4_SIZE,
  ACL_BLOCK6_SIZE,
  ACL_CONDITION_SIZE,
  ACL_HEADER_SIZE,
  ACL_LIST_SIZE,
  ACL_NODE_SIZE,
  ACL_RECORD4_SIZE,
  ACL_RECORD6_SIZE,
  ACL_TREES_MAX,
  ACL_TREE_SIZE,
  AC_TIME_RANGE,
  AH_CONDITIONS,
  AH_CONDITION_COUNT,
  AH_LISTS,
  AH_LIST_COUNT,
  AH_RULES,
  AH_RULE_COUNT,
  AH_SIZE,
  AL_BLOCKS,
  AL_BLOCK_COUNT,
  AL_FAMILY,
  AL_NODES,
  AL_NODE_COUNT,
  AL_RECORDS,
  AL_RECORD_COUNT,
  AL_TREES,
  AL_TREE_COUNT,
  AN_CHILDREN,
  AN_WORD,
  AR_CONDITION,
  AR_RULE,
  AT_ROOT,
  BLOCK_LANES,
  ID_VERIFY,
  K_PROTOCOL,
  NODE_CHILDREN,
  REF_FIRST_SHIFT,
  REF_RUN,
  RUN_BLOCKS_MAX,
  TIME_RANGES_MAX,
} from "./layout";

/** Whether the `size` bytes at `section` are a section that `evaluate` may be called on. */
export function validate(section: usize, size: u32): bool {
  if (size < <u32>ACL_HEADER_SIZE || load<u32>(section, AH_SIZE) != size) return false;
  const lists = load<u32>(section, AH_LIST_COUNT);
  const rules = load<u32>(section, AH_RULE_COUNT);
  const conditions = load<u32>(section, AH_CONDITION_COUNT);
  if (
    rules == u32.MAX_VALUE ||
    !inside(load<u32>(section, AH_LISTS), lists, ACL_LIST_SIZE, size) ||
    !inside(load<u32>(section, AH_RULES), rules + 1, 1, size) ||
    !inside(load<u32>(section, AH_CONDITIONS), conditions, ACL_CONDITION_SIZE, size)
  ) {
    return false;
  }
  if (!conditionsSound(section + <usize>load<u32>(section, AH_CONDITIONS), conditions)) return false;
  let head = section + <usize>load<u32>(section, AH_LISTS);
  for (let list: u32 = 0; list < lists; list++, head += ACL_LIST_SIZE) {
    if (!listSound(section, size, head, rules, conditions)) return false;
  }
  return true;
}

/** Whether a table of `count` elements lies inside; a product of two u32 does not overflow an u64. */
function inside(offset: u32, count: u32, elementSize: u32, size: u32): bool {
  return <u64>offset + <u64>count * <u64>elementSize <= <u64>size;
}

function conditionsSound(condition: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++, condition += ACL_CONDITION_SIZE) {
    if (load<u8>(condition, AC_TIME_RANGE) > <u8>TIME_RANGES_MAX) return false;
  }
  return true;
}

function listSound(section: usize, size: u32, head: usize, rules: u32, conditions: u32): bool {
  const family = load<u32>(head, AL_FAMILY);
  if (family != 4 && family != 6) return false;
  const recordSize: u32 = family == 6 ? ACL_RECORD6_SIZE : ACL_RECORD4_SIZE;
  const blockSize: u32 = family == 6 ? ACL_BLOCK6_SIZE : ACL_BLOCK4_SIZE;
  const records = load<u32>(head, AL_RECORD_COUNT);
  const trees = load<u32>(head, AL_TREE_COUNT);
  const nodes = load<u32>(head, AL_NODE_COUNT);
  const blocks = load<u32>(head, AL_BLOCK_COUNT);
  if (
    trees > <u32>ACL_TREES_MAX ||
    !inside(load<u32>(head, AL_RECORDS), records, recordSize, size) ||
    !inside(load<u32>(head, AL_NODES), nodes, ACL_NODE_SIZE, size) ||
    !inside(load<u32>(head, AL_BLOCKS), blocks, blockSize, size)
  ) {
    return false;
  }
  return (
    recordsSound(section + <usize>load<u32>(head, AL_RECORDS), records, recordSize, rules, conditions) &&
    blocksSound(section + <usize>load<u32>(head, AL_BLOCKS), blocks, blockSize, rules, records) &&
    nodesSound(section + <usize>load<u32>(head, AL_NODES), nodes, blocks) &&
    rootsSound(head + AL_TREES, trees, nodes, blocks)
  );
}

function recordsSound(record: usize, count: u32, recordSize: u32, rules: u32, conditions: u32): bool {
  for (let i: u32 = 0; i < count; i++, record += recordSize) {
    if (load<u32>(record, AR_RULE) > rules || load<u16>(record, AR_CONDITION) >= conditions) return false;
  }
  return true;
}

function blocksSound(block: usize, count: u32, blockSize: u32, rules: u32, records: u32): bool {
  for (let i: u32 = 0; i < count; i++, block += blockSize) {
    for (let lane: usize = 0; lane < <usize>BLOCK_LANES; lane++) {
      const id = load<u32>(block + (lane << 2), AB_IDS);
      if (id & ID_VERIFY ? id >> 1 >= records : id >> 1 > rules) return false;
    }
  }
  return true;
}

function nodesSound(nodes: usize, count: u32, blocks: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const node = nodes + <usize>i * ACL_NODE_SIZE;
    if (load<u32>(node, AN_WORD) > <u32>K_PROTOCOL) return false;
    for (let child: usize = 0; child < <usize>NODE_CHILDREN; child++) {
      if (!referenceSound(load<u32>(node + (child << 2), AN_CHILDREN), i + 1, count, blocks)) return false;
    }
  }
  return true;
}

function rootsSound(tree: usize, count: u32, nodes: u32, blocks: u32): bool {
  for (let i: u32 = 0; i < count; i++, tree += ACL_TREE_SIZE) {
    if (!referenceSound(load<u32>(tree, AT_ROOT), 0, nodes, blocks)) return false;
  }
  return true;
}

/** A run inside the blocks, or a node between `from` and `nodes` - 1. */
function referenceSound(reference: u32, from: u32, nodes: u32, blocks: u32): bool {
  if (reference & REF_RUN) {
    return (reference >> REF_FIRST_SHIFT) + ((reference >> 1) & RUN_BLOCKS_MAX) <= blocks;
  }
  const node = reference / ACL_NODE_SIZE;
  return reference % ACL_NODE_SIZE == 0 && node >= from && node < nodes;
}
