/**
 * Whether two boxes are fit to be a pair: what each says of itself in its hello, and what a difference means. Cisco's
 * documents demand equality and check nothing; here every section of the configuration has a hash.
 */
import { type Address, formatAddress } from "../ip.js";
import { printable } from "../printable.js";
import { address } from "./address.js";
import { HASH_SIZE, hashSections, type SectionHashes } from "./canonical.js";
import { bytes, choice, list, record, type RecordOf, text, u32, u64, u8 } from "./fields.js";
import type { Identity } from "./identity.js";
import { SECTION_NAMES, SECTIONS, type Section } from "./sections.js";

/** A name of 64 characters, whatever they are, and what makes the key of an IPv6 group of it. */
export const NAME_BYTES_MAX = 288;
const name = text(NAME_BYTES_MAX);
const hash = bytes(HASH_SIZE);

/** Parts of sections by name, as far as there is room; a section has all of its parts or none. */
const PARTS_MAX = 512;
const PARTS_BYTES_MAX = 16 * 1024;
const PART = record({ section: choice(SECTION_NAMES), name, hash });

const HELLO_FIELDS = {
  software: name,
  /** Version of the layout of session records. */
  layout: u32,
  nodeName: name,
  nodeId: u64,
  /** `scheme standby NAME`. */
  group: name,
  association: u8,
  /** Sessions that fit. */
  capacity: u32,
  features: u32,
  updateMs: u32,
  /** Of the interface with the group that is followed; decides where generation and priority do not. */
  address,
  sections: record(
    Object.fromEntries(SECTION_NAMES.map((section) => [section, hash])) as Record<Section, typeof hash>,
  ),
  parts: list(PART, PARTS_MAX),
};
export const HELLO = record(HELLO_FIELDS);
export type Hello = RecordOf<typeof HELLO_FIELDS>;
type Part = Hello["parts"][number];

/** What a box says of itself to a peer with these addresses. */
export function helloOf(identity: Identity, peerAddresses: readonly Address[]): Hello {
  const { config, keyString: _keyString, ...facts } = identity;
  const hashes = hashSections(config, peerAddresses);
  const sections = Object.fromEntries(SECTION_NAMES.map((section) => [section, hashes[section].hash]));
  return {
    ...facts,
    software: printable(facts.software),
    nodeName: printable(facts.nodeName),
    group: printable(facts.group),
    sections: sections as Record<Section, Uint8Array>,
    parts: partsOf(hashes),
  };
}

function partsOf(hashes: SectionHashes): Part[] {
  const all: Part[] = [];
  let room = PARTS_BYTES_MAX;
  for (const section of SECTION_NAMES) {
    const parts = hashes[section].parts.map(
      (part): Part => ({ section, ...part, name: printable(part.name) }),
    );
    const size = parts.reduce((sum, part) => sum + PART.size(part), 0);
    if (size > room || all.length + parts.length > PARTS_MAX) continue;
    room -= size;
    all.push(...parts);
  }
  return all;
}

/**
 * What a difference means: the standby does not become hot; it does not, where this box is the standby; or it is only
 * told.
 */
export type Consequence = "refused" | "refusedAsStandby" | "warned";

export interface Finding {
  readonly item: Item | Section;
  readonly consequence: Consequence;
  /** What each side has: a value, or the first digits of a hash. */
  readonly own: string;
  readonly peer: string;
  /** The parts of a section that differ, as far as both sides told them. */
  readonly parts: readonly string[];
  /** One line with all of it. */
  readonly text: string;
}

interface ItemFacts {
  readonly title: string;
  /** What a pair of values means; undefined: nothing. */
  judge(own: Hello, peer: Hello): Consequence | undefined;
  show(hello: Hello): string;
}

/** Refused unless both sides have the same. */
const same = (title: string, show: (hello: Hello) => string): ItemFacts => ({
  title,
  judge: (own, peer) => (show(own) === show(peer) ? undefined : "refused"),
  show,
});
/** Refused unless each side has its own. */
const distinct = (title: string, show: (hello: Hello) => string): ItemFacts => ({
  title,
  judge: (own, peer) => (show(own) === show(peer) ? "refused" : undefined),
  show,
});
const warned = (title: string, show: (hello: Hello) => string): ItemFacts => ({
  title,
  judge: (own, peer) => (show(own) === show(peer) ? undefined : "warned"),
  show,
});

/** What is compared besides the sections. */
export const ITEMS = {
  software: same("software version", ({ software }) => software),
  layout: same("layout of session records", ({ layout }) => `${layout}`),
  group: same("group in scheme standby", ({ group }) => group),
  association: same("association", ({ association }) => `${association}`),
  node: distinct("identity", ({ nodeId }) => nodeId.toString(16)),
  address: distinct("address", ({ address: own }) => formatAddress(own)),
  capacity: {
    title: "room for sessions",
    judge: (own, peer) => {
      if (own.capacity === peer.capacity) return undefined;
      // The active of a pair may be the smaller one; its sessions all fit.
      return own.capacity < peer.capacity ? "refusedAsStandby" : "warned";
    },
    show: ({ capacity }) => `${capacity}`,
  },
  features: warned("optional features", ({ features }) => `0x${features.toString(16)}`),
  updateMs: warned("update interval", ({ updateMs }) => `${updateMs} ms`),
} as const satisfies Record<string, ItemFacts>;
export type Item = keyof typeof ITEMS;
export const ITEM_NAMES = Object.keys(ITEMS) as readonly Item[];

/** What differs between this box and its peer, in the order of ITEMS and SECTIONS. */
export function compare(own: Hello, peer: Hello): Finding[] {
  return [
    ...ITEM_NAMES.flatMap((item) => compareItem(item, own, peer)),
    ...SECTION_NAMES.flatMap((section) => compareSection(section, own, peer)),
  ];
}

/** Whether a box with these findings may be, or have, a hot standby. */
export function isCompatible(findings: readonly Finding[], isStandby: boolean): boolean {
  return findings.every(
    ({ consequence }) => consequence === "warned" || (consequence === "refusedAsStandby" && !isStandby),
  );
}

function compareItem(item: Item, own: Hello, peer: Hello): Finding[] {
  const { title, judge, show }: ItemFacts = ITEMS[item];
  const consequence = judge(own, peer);
  if (consequence === undefined) return [];
  const [here, there] = [show(own), show(peer)];
  const text =
    here === there ? `${title}: both boxes have ${here}` : `${title}: ${here} here, ${there} at the peer`;
  return [{ item, consequence, own: here, peer: there, parts: [], text }];
}

/** Hexadecimal digits of a hash that are shown. */
const DIGITS_SHOWN = 8;
/** Names of parts that a text lists. */
const NAMES_SHOWN_MAX = 8;

function compareSection(section: Section, own: Hello, peer: Hello): Finding[] {
  const [here, there] = [own, peer].map(({ sections }) => digits(sections[section])) as [string, string];
  if (here === there) return [];
  const { title, consequence, hint } = SECTIONS[section];
  const parts = differingParts(section, own, peer);
  const listed = parts.slice(0, NAMES_SHOWN_MAX).join(", ");
  const names =
    parts.length > NAMES_SHOWN_MAX ? `${listed} and ${parts.length - NAMES_SHOWN_MAX} more` : listed;
  const [shownHere, shownThere] = [here.slice(0, DIGITS_SHOWN), there.slice(0, DIGITS_SHOWN)];
  const what = names === "" ? title : `${title} (${names})`;
  const text = `${what}: ${shownHere} here, ${shownThere} at the peer; compare ${hint} on both boxes`;
  return [{ item: section, consequence, own: shownHere, peer: shownThere, parts, text }];
}

/** Names that only one side has, or that hide different things. */
function differingParts(section: Section, own: Hello, peer: Hello): string[] {
  const [here, there] = [own, peer].map(
    ({ parts }) =>
      new Map(parts.filter((part) => part.section === section).map((part) => [part.name, digits(part.hash)])),
  ) as [Map<string, string>, Map<string, string>];
  // A side without any may have had no room for them.
  if (here.size === 0 || there.size === 0) return [];
  const names = new Set([...here.keys(), ...there.keys()]);
  return [...names].filter((each) => here.get(each) !== there.get(each));
}

function digits(bytes_: Uint8Array): string {
  return Array.from(bytes_, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
