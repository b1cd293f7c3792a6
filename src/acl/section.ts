/**
 * Writes the ACL section that assembly/acl.ts reads; its picture stands in assembly/layout.ts.
 */
import * as L from "../../assembly/layout.js";
import type { Family } from "../config/model.js";
import { BOX_WORDS, type Box, type Interval, WORD_MAX } from "./box.js";
import type { AclRecord } from "./record.js";
import type { Forest } from "./tree.js";

/** A list ready to be written. */
export interface SectionList {
  family: Family;
  records: AclRecord[];
  /** By record: the number of its condition, and whether the compared words are all that it asks. */
  conditions: Uint16Array;
  final: Uint8Array;
  /** Over the records of `records`. */
  forest: Forest;
}

/** What a section holds, in the order in which it is written. */
export interface SectionContent {
  lists: SectionList[];
  /** RULE_* by rule number. */
  rules: number[];
  /** Stored conditions by number. */
  conditions: Uint8Array[];
}

/** Bytes by family. */
const SIZES = {
  4: { record: L.ACL_RECORD4_SIZE, block: L.ACL_BLOCK4_SIZE },
  6: { record: L.ACL_RECORD6_SIZE, block: L.ACL_BLOCK6_SIZE },
} as const;

const ALIGNMENT = 64;
const WORD_BYTES = 4;
/** No packet has it. */
const UNUSED_LANE_PROTOCOL = 65535;

/** The bytes of a section. Every count is within the bounds of assembly/layout.ts: the caller saw to that. */
export function writeSection(content: SectionContent): Uint8Array {
  let size = 0;
  const reserve = (bytes: number): number => {
    const at = size;
    size = Math.ceil((size + bytes) / ALIGNMENT) * ALIGNMENT;
    return at;
  };
  reserve(L.ACL_HEADER_SIZE);
  const listsAt = reserve(content.lists.length * L.ACL_LIST_SIZE);
  const rulesAt = reserve(content.rules.length + 1);
  const conditionsAt = reserve(content.conditions.length * L.ACL_CONDITION_SIZE);
  const places = content.lists.map(({ family, records, forest }) => ({
    nodes: reserve(forest.nodes.length * L.ACL_NODE_SIZE),
    blocks: reserve(forest.blocks.length * SIZES[family].block),
    records: reserve(records.length * SIZES[family].record),
  }));

  const section = new Uint8Array(size);
  const view = new DataView(section.buffer);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  u32(L.AH_SIZE, size);
  u32(L.AH_LIST_COUNT, content.lists.length);
  u32(L.AH_LISTS, listsAt);
  u32(L.AH_RULE_COUNT, content.rules.length);
  u32(L.AH_RULES, rulesAt);
  u32(L.AH_CONDITION_COUNT, content.conditions.length);
  u32(L.AH_CONDITIONS, conditionsAt);
  section.set(content.rules, rulesAt + 1);
  content.conditions.forEach((bytes, number) => {
    section.set(bytes, conditionsAt + number * L.ACL_CONDITION_SIZE);
  });
  content.lists.forEach((list, index) => {
    const { nodes, blocks, records } = places[index]!;
    const at = listsAt + index * L.ACL_LIST_SIZE;
    u32(at + L.AL_FAMILY, list.family);
    u32(at + L.AL_RECORD_COUNT, list.records.length);
    u32(at + L.AL_RECORDS, records);
    u32(at + L.AL_TREE_COUNT, list.forest.trees.length);
    u32(at + L.AL_NODE_COUNT, list.forest.nodes.length);
    u32(at + L.AL_NODES, nodes);
    u32(at + L.AL_BLOCK_COUNT, list.forest.blocks.length);
    u32(at + L.AL_BLOCKS, blocks);
    list.forest.trees.forEach(({ root, first }, tree) => {
      u32(at + L.AL_TREES + tree * L.ACL_TREE_SIZE + L.AT_ROOT, root);
      u32(at + L.AL_TREES + tree * L.ACL_TREE_SIZE + L.AT_FIRST, list.records[first]!.rule + 1);
    });
    writeNodes(view, nodes, list);
    writeBlocks(view, blocks, list);
    writeRecords(view, records, list);
  });
  return section;
}

function writeNodes(view: DataView, start: number, { family, forest }: SectionList): void {
  const words = BOX_WORDS[family].filter((word) => word.compared);
  forest.nodes.forEach(({ word, starts, children }, number) => {
    const at = start + number * L.ACL_NODE_SIZE;
    view.setUint32(at + L.AN_WORD, words[word]!.key, true);
    for (let i = 0; i < L.NODE_CUTS; i++) {
      view.setUint32(at + L.AN_STARTS + i * WORD_BYTES, starts[i] ?? WORD_MAX, true);
    }
    for (let i = 0; i < L.NODE_CHILDREN; i++) {
      view.setUint32(at + L.AN_CHILDREN + i * WORD_BYTES, children[i] ?? children.at(-1)!, true);
    }
  });
}

function writeBlocks(view: DataView, start: number, list: SectionList): void {
  const size = SIZES[list.family].block;
  const writers = laneWriters(list.family);
  list.forest.blocks.forEach((block, number) => {
    const at = start + number * size;
    for (let lane = 0; lane < L.BLOCK_LANES; lane++) {
      const index = block[lane];
      if (index === undefined) {
        view.setUint16(at + L.AB_PROTOCOL + lane * 2, UNUSED_LANE_PROTOCOL, true);
        continue;
      }
      const { rule, box } = list.records[index]!;
      const id = list.final[index] ? (rule + 1) * 2 : index * 2 + L.ID_VERIFY;
      view.setUint32(at + L.AB_IDS + lane * WORD_BYTES, id, true);
      for (const write of writers) write(view, at, lane, box);
    }
  });
}

type LaneWriter = (view: DataView, block: number, lane: number, box: Box) => void;

/** One for each compared word of a box. */
function laneWriters(family: Family): LaneWriter[] {
  let addresses = 0;
  let narrow = 0;
  return BOX_WORDS[family].flatMap(({ compared, kind }, word): LaneWriter[] => {
    if (!compared) return [];
    if (kind === "source" || kind === "destination") {
      const field = L.AB_ADDRESSES + addresses++ * L.AB_WORD_SIZE;
      return [
        (view, block, lane, box) => {
          const [low, high] = box[word]!;
          const at = block + field + lane * WORD_BYTES;
          view.setUint32(at, low, true);
          view.setUint32(at + L.AB_WORD_SPAN, high - low, true);
        },
      ];
    }
    const field = [L.AB_SOURCE_PORT, L.AB_DESTINATION_PORT, L.AB_PROTOCOL][narrow++]!;
    return [
      (view, block, lane, box) => {
        const [low, high] = box[word]!;
        const at = block + field + lane * 2;
        view.setUint16(at, low, true);
        view.setUint16(at + L.AB_SHORT_SPAN, high - low, true);
      },
    ];
  });
}

/** Where records keep the bounds of addresses: low and high of the source, then of the destination. */
const ADDRESS_FIELDS = {
  4: [L.AR4_SOURCE_LOW, L.AR4_SOURCE_HIGH, L.AR4_DESTINATION_LOW, L.AR4_DESTINATION_HIGH],
  6: [L.AR6_SOURCE_LOW, L.AR6_SOURCE_HIGH, L.AR6_DESTINATION_LOW, L.AR6_DESTINATION_HIGH],
} as const;

function writeRecords(view: DataView, start: number, { family, records, conditions }: SectionList): void {
  const words = BOX_WORDS[family].filter(({ kind }) => kind === "source").length;
  records.forEach(({ rule, box }, index) => {
    const at = start + index * SIZES[family].record;
    const [sourcePort, destinationPort, protocol] = box.slice(2 * words) as [Interval, Interval, Interval];
    view.setUint32(at + L.AR_RULE, rule + 1, true);
    view.setUint16(at + L.AR_CONDITION, conditions[index]!, true);
    view.setUint8(at + L.AR_PROTOCOL_LOW, protocol[0]);
    view.setUint8(at + L.AR_PROTOCOL_HIGH, protocol[1]);
    view.setUint16(at + L.AR_SOURCE_PORT_LOW, sourcePort[0], true);
    view.setUint16(at + L.AR_SOURCE_PORT_HIGH, sourcePort[1], true);
    view.setUint16(at + L.AR_DESTINATION_PORT_LOW, destinationPort[0], true);
    view.setUint16(at + L.AR_DESTINATION_PORT_HIGH, destinationPort[1], true);
    const [sourceLow, sourceHigh, destinationLow, destinationHigh] = ADDRESS_FIELDS[family];
    for (let word = 0; word < words; word++) {
      const source = box[word]!;
      const destination = box[words + word]!;
      view.setUint32(at + sourceLow + word * WORD_BYTES, source[0], true);
      view.setUint32(at + sourceHigh + word * WORD_BYTES, source[1], true);
      view.setUint32(at + destinationLow + word * WORD_BYTES, destination[0], true);
      view.setUint32(at + destinationHigh + word * WORD_BYTES, destination[1], true);
    }
  });
}
