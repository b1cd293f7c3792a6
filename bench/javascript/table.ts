/**
 * The flow table in plain JavaScript: open addressing with linear probing over one typed array, at most half full.
 * An entry is sixteen words, a cache line; what only the beginning and the end of a session need lies apart.
 */

/** Words of an entry. */
const ENTRY_WORDS = 16;
export const ENTRY_SHIFT = 4;
export const ADDRESS0 = 0;
export const ADDRESS1 = 1;
/** Both ports, side 0 in the upper half. */
export const PORTS = 2;
/** Kind, nothing, and the two interfaces, a byte each; a kind of 0 is a free entry. */
const KIND = 3;
export const LAST_MS = 5;
/** Window of side 0, then of side 1. */
export const WINDOW = 6;
export const WINDOW_WORDS = 4;
export const END = 0;
export const MAXEND = 1;
export const MAXWIN = 2;
export const MAXACK = 3;
export const PAYLOAD = 14;
/** Bytes of an entry. */
export const B_KIND = 12;
export const B_INTERFACE = 14;
export const B_STATE = 16;
export const B_TIMER = 17;
export const B_SCALES = 18;
export const B_FLAGS = 19;
/** Words of an IPv6 key: source and destination by side. */
export const V6_WORDS = 8;

export const NONE = -1;

/** The key of a packet, sides sorted. */
export interface Key {
  address0: number;
  address1: number;
  ports: number;
  kind: number;
  hash: number;
  /** Where the whole IPv6 addresses of side 0 and of side 1 lie; 0 for IPv4. */
  network0: number;
  network1: number;
}

export class Table {
  readonly entries: Int32Array;
  readonly bytes: Uint8Array;
  readonly slots: number;
  readonly sessionsMax: number;
  readonly id: Float64Array;
  readonly createdMs: Float64Array;
  readonly payloadHigh: Uint16Array;
  readonly first: Int32Array;
  readonly idleTimer: Uint8Array;
  readonly offered: Uint8Array;
  readonly service: Uint16Array;
  readonly addresses6: Int32Array;
  sessions = 0;
  /** The oldest and the newest half-open session. */
  oldest = NONE;
  newest = NONE;
  readonly #older: Int32Array;
  readonly #newer: Int32Array;
  readonly #mask: number;
  readonly #seed0: number;
  readonly #seed1: number;

  constructor(sessions: number, seed: DataView, v6: boolean) {
    this.sessionsMax = sessions;
    this.slots = 2 ** Math.ceil(Math.log2(sessions * 2));
    this.#mask = this.slots - 1;
    this.#seed0 = seed.getInt32(0);
    this.#seed1 = seed.getInt32(4);
    this.entries = new Int32Array(this.slots * ENTRY_WORDS);
    this.bytes = new Uint8Array(this.entries.buffer);
    this.id = new Float64Array(this.slots);
    this.createdMs = new Float64Array(this.slots);
    this.payloadHigh = new Uint16Array(this.slots * 2);
    this.first = new Int32Array(this.slots * 2);
    this.idleTimer = new Uint8Array(this.slots);
    this.offered = new Uint8Array(this.slots);
    this.service = new Uint16Array(this.slots);
    this.addresses6 = new Int32Array(v6 ? this.slots * V6_WORDS : 0);
    this.#older = new Int32Array(this.slots);
    this.#newer = new Int32Array(this.slots);
  }

  /** Keyed mixing of a five-tuple. */
  hash(address0: number, address1: number, ports: number, kind: number): number {
    let h = Math.imul(address0 ^ this.#seed0, 0x9e3779b1);
    h = Math.imul((h ^ (h >>> 15)) + address1, 0x85ebca6b) ^ this.#seed1;
    h = Math.imul((h ^ (h >>> 13)) + ports, 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 16) ^ kind, 0x27d4eb2f);
    return h ^ (h >>> 15);
  }

  /** The slot of the key, or NONE. */
  find(key: Key, view: DataView): number {
    const { entries, bytes } = this;
    for (let slot = key.hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot << ENTRY_SHIFT;
      const kind = bytes[(at << 2) + B_KIND]!;
      if (kind === 0) return NONE;
      if (
        entries[at + ADDRESS0] === key.address0 &&
        entries[at + ADDRESS1] === key.address1 &&
        entries[at + PORTS] === key.ports &&
        kind === key.kind &&
        (key.network0 === 0 || this.#sameAddresses(slot, key, view))
      ) {
        return slot;
      }
    }
  }

  #sameAddresses(slot: number, key: Key, view: DataView): boolean {
    const at = slot * V6_WORDS;
    for (let i = 0; i < 4; i++) {
      if (this.addresses6[at + i] !== view.getInt32(key.network0 + i * 4)) return false;
      if (this.addresses6[at + 4 + i] !== view.getInt32(key.network1 + i * 4)) return false;
    }
    return true;
  }

  /** A fresh entry for a key that is not in the table; the caller has seen to the room. */
  claim(key: Key, view: DataView): number {
    let slot = key.hash & this.#mask;
    while (this.bytes[(slot << (ENTRY_SHIFT + 2)) + B_KIND] !== 0) slot = (slot + 1) & this.#mask;
    const at = slot << ENTRY_SHIFT;
    this.entries.fill(0, at, at + ENTRY_WORDS);
    this.entries[at + ADDRESS0] = key.address0;
    this.entries[at + ADDRESS1] = key.address1;
    this.entries[at + PORTS] = key.ports;
    this.bytes[(at << 2) + B_KIND] = key.kind;
    this.payloadHigh[slot * 2] = 0;
    this.payloadHigh[slot * 2 + 1] = 0;
    this.offered[slot] = 0;
    if (key.network0 !== 0) {
      for (let i = 0; i < 4; i++) {
        this.addresses6[slot * V6_WORDS + i] = view.getInt32(key.network0 + i * 4);
        this.addresses6[slot * V6_WORDS + 4 + i] = view.getInt32(key.network1 + i * 4);
      }
    }
    this.sessions++;
    return slot;
  }

  /** Frees a slot; entries behind it move up, so that no search ends too early. */
  remove(slot: number): void {
    const { entries } = this;
    let hole = slot;
    for (let next = (slot + 1) & this.#mask; ; next = (next + 1) & this.#mask) {
      const at = next << ENTRY_SHIFT;
      const kind = this.bytes[(at << 2) + B_KIND]!;
      if (kind === 0) break;
      const home =
        this.hash(entries[at + ADDRESS0]!, entries[at + ADDRESS1]!, entries[at + PORTS]!, kind) & this.#mask;
      if (((next - home) & this.#mask) < ((next - hole) & this.#mask)) continue;
      this.#move(next, hole);
      hole = next;
    }
    this.entries[(hole << ENTRY_SHIFT) + KIND] = 0;
    this.sessions--;
  }

  #move(from: number, to: number): void {
    const at = from << ENTRY_SHIFT;
    this.entries.copyWithin(to << ENTRY_SHIFT, at, at + ENTRY_WORDS);
    this.id[to] = this.id[from]!;
    this.createdMs[to] = this.createdMs[from]!;
    this.idleTimer[to] = this.idleTimer[from]!;
    this.offered[to] = this.offered[from]!;
    this.service[to] = this.service[from]!;
    this.payloadHigh.copyWithin(to * 2, from * 2, from * 2 + 2);
    this.first.copyWithin(to * 2, from * 2, from * 2 + 2);
    if (this.addresses6.length > 0)
      this.addresses6.copyWithin(to * V6_WORDS, from * V6_WORDS, (from + 1) * V6_WORDS);
    const older = this.#older[from]!;
    const newer = this.#newer[from]!;
    this.#older[to] = older;
    this.#newer[to] = newer;
    if (older > 0) this.#newer[older - 1] = to + 1;
    else if (this.oldest === from) this.oldest = to;
    if (newer > 0) this.#older[newer - 1] = to + 1;
    else if (this.newest === from) this.newest = to;
  }

  /** Appends to the half-open list. */
  link(slot: number): void {
    this.#older[slot] = this.newest + 1;
    this.#newer[slot] = 0;
    if (this.newest === NONE) this.oldest = slot;
    else this.#newer[this.newest] = slot + 1;
    this.newest = slot;
  }

  unlink(slot: number): void {
    const older = this.#older[slot]!;
    const newer = this.#newer[slot]!;
    if (older === 0) this.oldest = newer - 1;
    else this.#newer[older - 1] = newer;
    if (newer === 0) this.newest = older - 1;
    else this.#older[newer - 1] = older;
    this.#older[slot] = 0;
    this.#newer[slot] = 0;
  }
}
