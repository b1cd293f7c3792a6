/**
 * One text for all configurations that say the same, and its hash: keys in one order, without places in the text, and
 * the addresses of both boxes under one name. An access list may name the boxes themselves, and both ways to write it
 * for a pair are usual: one list for both, or two that mirror each other.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Config } from "../config/model.js";
import { type Address, inPrefix, ipv4Mask, ipv6Mask } from "../ip.js";
import { SECTION_NAMES, SECTIONS, type Section, Unordered } from "./sections.js";

/** Most addresses of one box that its peer is told. */
export const ADDRESSES_MAX = 256;
/** Bytes of a hash that travel. */
export const HASH_SIZE = 16;

/** The hash of a section, and of each of its parts that has a name. */
export interface SectionHash {
  readonly hash: Uint8Array;
  readonly parts: readonly { readonly name: string; readonly hash: Uint8Array }[];
}
export type SectionHashes = Readonly<Record<Section, SectionHash>>;

/** What an address of one of the boxes is called; undefined: it is another address. */
type Naming = (address: Address) => string | undefined;

/**
 * The hashes of all sections (SHA-256, cut to HASH_SIZE).
 * @param peerAddresses the addresses of the other box, as `boxAddresses` there gives them.
 */
export function hashSections(config: Config, peerAddresses: readonly Address[]): SectionHashes {
  const naming = namingOf(config, peerAddresses);
  const hashes = SECTION_NAMES.map((section) => {
    const parts = SECTIONS[section]
      .parts(config)
      .map(({ name, value }) => ({ name, hash: hashOf(canonical(value, naming)) }));
    const hash = hashOf(parts.map((part) => `${part.name} ${part.hash.join(" ")}`).join("\n"));
    return [section, { hash, parts: parts.filter(({ name }) => name !== "") }] as const;
  });
  return Object.fromEntries(hashes) as unknown as SectionHashes;
}

/** The addresses of a box as its peer must know them to read its lists. Link-local ones mean nothing there. */
export function boxAddresses(config: Config): Address[] {
  const all = [...config.interfaces.values()].flatMap((on): Address[] => [
    ...on.addresses.map(({ address }) => address),
    ...on.addresses6.filter(({ linkLocal, eui64 }) => !linkLocal && !eui64).map(({ address }) => address),
  ]);
  return all.slice(0, ADDRESSES_MAX);
}

function namingOf(config: Config, peerAddresses: readonly Address[]): Naming {
  const boxes = new Set<Address>([...boxAddresses(config), ...peerAddresses]);
  const networks = [...config.interfaces.values()].flatMap((on) => [...on.addresses, ...on.addresses6]);
  return (address) => {
    const on = boxes.has(address)
      ? networks.find((each) => inPrefix(address, each.address, each.prefixLength))
      : undefined;
    return on && `box on ${networkText(address, on.prefixLength)}/${on.prefixLength}`;
  };
}

function networkText(address: Address, prefixLength: number): string {
  return typeof address === "number"
    ? `${(address & ipv4Mask(prefixLength)) >>> 0}`
    : `${address & ipv6Mask(prefixLength)}n`;
}

/** Where a statement stands in its text, which is no part of what it says. */
const PLACES: ReadonlySet<string> = new Set(["at", "delayAt"]);

function canonical(value: unknown, naming: Naming): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "-";
  const texts = (items: Iterable<unknown>) => [...items].map((item) => canonical(item, naming));
  if (value instanceof Unordered) return `{${texts(value.items).sort().join(",")}}`;
  if (Array.isArray(value)) return `[${texts(value).join(",")}]`;
  const host = hostOf(value);
  const name = host === undefined ? undefined : naming(host);
  if (name !== undefined) return name;
  const entries = Object.entries(value).filter(([key, item]) => isSaid(item) && !PLACES.has(key));
  entries.sort(([x], [y]) => (x < y ? -1 : 1));
  return `(${entries.map(([key, item]) => `${key}:${canonical(item, naming)}`).join(",")})`;
}

/** What is not configured and what is configured off say the same. */
const isSaid = (item: unknown): boolean => item !== undefined && item !== false;

/** The address, if this matches one host. */
function hostOf(value: object): Address | undefined {
  const { kind, address, wildcard, prefixLength } = value as Record<string, unknown>;
  const bits = typeof address === "bigint" ? 128 : 32;
  const isHost = (kind === "wildcard" && wildcard === 0) || (kind === "prefix" && prefixLength === bits);
  return isHost ? (address as Address) : undefined;
}

const ENCODER = new TextEncoder();

function hashOf(text: string): Uint8Array {
  return sha256(ENCODER.encode(text)).slice(0, HASH_SIZE);
}
