/**
 * The same work in plain JavaScript, packet by packet over typed arrays, as a Node programmer would write it who knows
 * how V8 works: no object a packet, small integers, one cache line an entry.
 */
import * as L from "../../assembly/layout.js";
import type { Core } from "../../src/core.js";
import { REASONS } from "../../src/reasons.js";
import type { Engine, Tallies } from "../engine.js";
import { Packet, parseFrame, SOUND } from "./parse.js";
import { type Entry, Routes } from "./policy.js";
import {
  B_FLAGS,
  B_INTERFACE,
  B_KIND,
  B_STATE,
  B_TIMER,
  ENTRY_SHIFT,
  type Key,
  LAST_MS,
  NONE,
  PAYLOAD,
  Table,
} from "./table.js";
import { ACK, FIN, inspectEstablished, inspectHandshake, PASS, RST, startSide, SYN } from "./tcp.js";

const TCP = 6;
const EVENTS_MAX = 1024;
/** VERDICT_* by reason. */
const VERDICTS = new Uint8Array(L.REASONS_MAX).fill(L.VERDICT_DROP);
for (const { code, verdict } of REASONS) {
  if (verdict === "pass") VERDICTS[code] = L.VERDICT_PASS;
  if (verdict === "local") VERDICTS[code] = L.VERDICT_LOCAL;
}

export class JavascriptFirewall implements Engine {
  readonly name = "javascript";
  readonly #view: DataView;
  readonly #memory: Uint8Array;
  readonly #words: Uint32Array;
  readonly #descriptors: number;
  readonly #routes: Routes;
  readonly #timeouts: Uint32Array;
  readonly #table: Table;
  /** Slots that are visited for each 64 packets: the share of the table that a group of the core is of its own. */
  readonly #sweepStep: number;
  readonly #packet = new Packet();
  readonly #key: Key = { address0: 0, address1: 0, ports: 0, kind: 0, hash: 0, network0: 0, network1: 0 };
  readonly #packets = new Float64Array(L.REASONS_MAX);
  readonly #bytes = new Float64Array(L.REASONS_MAX);
  readonly #events: unknown[] = [];
  #side = 0;
  /** Of the packet in hand: its session, whether the responder sent it, where it leaves. */
  #slot = NONE;
  #responder = 0;
  #egress = 0;
  #nowMs = 0;
  #now = 0;
  #sweepAt = 0;
  #lastId = 0;
  #created = 0;
  #evicted = 0;
  #expired = 0;

  /** Works on the descriptors and the policy of `core`, with a table of its own for as many sessions. */
  constructor(core: Core, v6: boolean) {
    const { regions, capacity, groups } = core.plan;
    this.#view = core.view;
    this.#memory = core.bytes;
    this.#words = core.words;
    this.#descriptors = regions.descriptors.at;
    this.#routes = new Routes(core.view, regions.banks.at);
    this.#timeouts = core.words.slice(regions.timeouts.at / 4, regions.timeouts.at / 4 + L.TIMERS_MAX);
    this.#table = new Table(capacity.sessions, new DataView(core.bytes.buffer, L.STATE_AT + L.S_SEEDS), v6);
    this.#sweepStep = Math.ceil(this.#table.slots / groups);
  }

  process(count: number, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#now = nowMs | 0;
    this.#events.length = 0;
    for (let i = 0; i < count; i++) this.#decide(this.#descriptors + i * L.DESC_SIZE);
    this.#sweep(this.#sweepStep * Math.ceil(count / L.PASS_MAX));
  }

  /** Parses the frames and hashes their keys, and nothing else. */
  parseAll(count: number): number {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const word = (this.#descriptors + i * L.DESC_SIZE) >>> 2;
      const captured = this.#words[word + L.D_CAPTURED / 4]!;
      const wire = this.#words[word + L.D_WIRE / 4]!;
      const flags = this.#memory[(word << 2) + L.D_FLAGS]!;
      const frame = this.#words[word + L.D_OFFSET / 4]!;
      if (parseFrame(this.#view, frame, captured, wire, flags, this.#packet) !== SOUND) continue;
      this.#setKey();
      sum ^= this.#key.hash;
    }
    return sum;
  }

  expire(nowMs: number, groups: number): void {
    this.#nowMs = nowMs;
    this.#now = nowMs | 0;
    this.#sweep(Math.min(this.#sweepStep * groups, this.#table.slots));
  }

  tallies(): Tallies {
    const reasons: Tallies["reasons"] = new Map();
    for (const [code, packets] of this.#packets.entries()) {
      if (packets > 0) reasons.set(code, { packets, bytes: this.#bytes[code]! });
    }
    return {
      sessions: this.#table.sessions,
      created: this.#created,
      evicted: this.#evicted,
      expired: this.#expired,
      reasons,
    };
  }

  #decide(at: number): void {
    const memory = this.#memory;
    const words = this.#words;
    const frame = words[(at + L.D_OFFSET) >>> 2]!;
    const wire = words[(at + L.D_WIRE) >>> 2]!;
    this.#slot = NONE;
    this.#responder = 0;
    this.#egress = 0;
    const reason = this.#judge(at, frame, words[(at + L.D_CAPTURED) >>> 2]!, wire);
    words[(at + L.D_RULE) >>> 2] = 0;
    words[(at + L.D_SESSION) >>> 2] = this.#slot + 1;
    memory[at + L.D_VERDICT] = VERDICTS[reason]!;
    memory[at + L.D_REASON] = reason;
    memory[at + L.D_EGRESS] = this.#egress;
    memory[at + L.D_SIDE] = this.#responder;
    memory[at + L.D_NETWORK] = this.#packet.network - frame;
    memory[at + L.D_PROTOCOL] = this.#packet.protocol;
    this.#packets[reason]! += 1;
    this.#bytes[reason]! += wire;
  }

  /** The reason for what becomes of a frame; session and egress are noted. */
  #judge(at: number, frame: number, captured: number, wire: number): number {
    this.#packet.network = frame;
    this.#packet.protocol = 0;
    if (frame + captured > this.#memory.length || wire < captured) return L.R_BAD_DESCRIPTOR;
    const ingress = this.#memory[at + L.D_INGRESS]!;
    if (!this.#routes.isUp(ingress)) return L.R_INTERFACE_DOWN;
    const flags = this.#memory[at + L.D_FLAGS]!;
    const reason = parseFrame(this.#view, frame, captured, wire, flags, this.#packet);
    if (reason !== SOUND) return reason;
    this.#setKey();
    const slot = this.#lookup();
    return slot === NONE ? this.#miss(ingress) : this.#hit(slot, ingress);
  }

  /** The key: side 0 is the end with the smaller address, then port. */
  #setKey(): void {
    const view = this.#view;
    const packet = this.#packet;
    const key = this.#key;
    const { network, transport, v6 } = packet;
    const source = v6 ? this.#digest(network + 8) : view.getInt32(network + 12);
    const destination = v6 ? this.#digest(network + 24) : view.getInt32(network + 16);
    const sourcePort = view.getUint16(transport);
    const destinationPort = view.getUint16(transport + 2);
    const swapped = source > destination || (source === destination && sourcePort > destinationPort);
    this.#side = swapped ? 1 : 0;
    key.address0 = swapped ? destination : source;
    key.address1 = swapped ? source : destination;
    key.ports = swapped ? (destinationPort << 16) | sourcePort : (sourcePort << 16) | destinationPort;
    key.kind = (packet.protocol === TCP ? L.KIND_TCP4 : L.KIND_UDP4) + (v6 ? L.KIND_V6 : 0);
    key.hash = this.#table.hash(key.address0, key.address1, key.ports, key.kind);
    key.network0 = v6 ? network + (swapped ? 24 : 8) : 0;
    key.network1 = v6 ? network + (swapped ? 8 : 24) : 0;
  }

  #digest(at: number): number {
    const view = this.#view;
    return this.#table.hash(
      view.getInt32(at),
      view.getInt32(at + 4),
      view.getInt32(at + 8),
      view.getInt32(at + 12),
    );
  }

  #lookup(): number {
    const slot = this.#table.find(this.#key, this.#view);
    if (slot === NONE || !this.#isExpired(slot)) return slot;
    this.#release(slot);
    this.#expired++;
    return NONE;
  }

  #isExpired(slot: number): boolean {
    const at = slot << ENTRY_SHIFT;
    const age = (this.#now - this.#table.entries[at + LAST_MS]!) >>> 0;
    return age >= this.#timeouts[this.#table.bytes[(at << 2) + B_TIMER]!]!;
  }

  #hit(slot: number, ingress: number): number {
    const { bytes, entries } = this.#table;
    const packet = this.#packet;
    const side = this.#side;
    const entry = slot << ENTRY_SHIFT;
    const own = entry << 2;
    this.#slot = slot;
    this.#responder = side ^ (bytes[own + B_FLAGS]! & L.HF_INITIATOR1);
    if (bytes[own + B_INTERFACE + side] !== ingress) return L.R_WRONG_INTERFACE;
    if (packet.ttl <= 1) return L.R_TTL_EXPIRED;
    const reason = packet.protocol === TCP ? this.#segment(slot, own, side) : this.#datagram(slot, own, side);
    if (reason !== PASS) return reason;
    entries[entry + LAST_MS] = this.#now;
    const total = (entries[entry + PAYLOAD + side]! >>> 0) + packet.payload;
    entries[entry + PAYLOAD + side] = total | 0;
    if (total > 0xffffffff) this.#table.payloadHigh[slot * 2 + side]!++;
    this.#egress = bytes[own + B_INTERFACE + (side ^ 1)]!;
    return L.R_ESTABLISHED;
  }

  #segment(slot: number, own: number, side: number): number {
    const { bytes } = this.#table;
    const plain =
      (this.#packet.flags & (SYN | FIN | RST)) === 0 &&
      bytes[own + B_STATE] === L.ST_ESTABLISHED &&
      (bytes[own + B_FLAGS]! & (L.HF_SLOW | L.HF_ACKED)) === L.HF_ACKED;
    return plain
      ? inspectEstablished(this.#table, slot, this.#packet, side)
      : inspectHandshake(this.#table, slot, this.#view, this.#packet, side);
  }

  /** The responder's first datagram opens the session. */
  #datagram(slot: number, own: number, side: number): number {
    const { bytes } = this.#table;
    if ((side ^ (bytes[own + B_FLAGS]! & L.HF_INITIATOR1)) === 1 && bytes[own + B_STATE] === L.ST_OPENING) {
      bytes[own + B_STATE] = L.ST_OPEN;
      this.#table.unlink(slot);
    }
    return PASS;
  }

  /** No session: source, route, hop limit, inspection. */
  #miss(ingress: number): number {
    const packet = this.#packet;
    const routes = this.#routes;
    const { network, v6 } = packet;
    if (!routes.takes(ingress, v6)) return L.R_PROTOCOL_DISABLED;
    const source = routes.find(v6, network + (v6 ? 8 : 12));
    if (source?.local) return L.R_OWN_SOURCE;
    if (source?.broadcast) return L.R_MARTIAN_SOURCE;
    const route = routes.find(v6, network + (v6 ? 24 : 16));
    if (route?.local) return L.R_LOCAL;
    if (route?.broadcast) return L.R_BROADCAST;
    if (route === undefined || !routes.isUp(route.interface)) return L.R_NO_ROUTE;
    if (packet.ttl <= 1) return L.R_TTL_EXPIRED;
    const port = this.#view.getUint16(packet.transport + 2);
    const entry = routes.entry(v6, ingress, route.interface, packet.protocol, port);
    if (entry !== undefined && packet.protocol === TCP && (packet.flags & (SYN | ACK | RST | FIN)) !== SYN)
      return L.R_TCP_NO_SESSION;
    this.#egress = route.interface;
    return entry === undefined ? L.R_PERMITTED : this.#create(ingress, route.interface, entry);
  }

  #create(ingress: number, egress: number, entry: Entry): number {
    const table = this.#table;
    const packet = this.#packet;
    const side = this.#side;
    if (table.sessions >= table.sessionsMax && !this.#makeRoom()) return L.R_TABLE_FULL;
    const slot = table.claim(this.#key, this.#view);
    const own = slot << (ENTRY_SHIFT + 2);
    const tcp = packet.protocol === TCP;
    table.bytes[own + B_FLAGS] = side === 1 ? L.HF_INITIATOR1 : 0;
    table.bytes[own + B_INTERFACE + side] = ingress;
    table.bytes[own + B_INTERFACE + (side ^ 1)] = egress;
    table.entries[(slot << ENTRY_SHIFT) + LAST_MS] = this.#now;
    table.entries[(slot << ENTRY_SHIFT) + PAYLOAD + side] = packet.payload;
    table.id[slot] = ++this.#lastId;
    table.createdMs[slot] = this.#nowMs;
    table.idleTimer[slot] = entry.timer;
    table.service[slot] = entry.service;
    if (tcp) startSide(table, slot, this.#view, packet, side);
    table.bytes[own + B_STATE] = tcp ? L.ST_SYN_SENT : L.ST_OPENING;
    table.bytes[own + B_TIMER] = tcp ? L.TIMER_SYNWAIT : entry.timer;
    table.link(slot);
    this.#created++;
    this.#slot = slot;
    return L.R_NEW_SESSION;
  }

  /** The table is full: the oldest half-open session goes, if there is one. */
  #makeRoom(): boolean {
    const table = this.#table;
    this.#report({ type: L.EVENT_TABLE_FULL, key: { ...this.#key }, reason: L.R_TABLE_FULL });
    if (table.oldest === NONE) return false;
    this.#report({ type: L.EVENT_EVICTED, id: table.id[table.oldest] });
    this.#release(table.oldest);
    this.#evicted++;
    return true;
  }

  /** What the log is to know; what comes too fast is lost. */
  #report(event: unknown): void {
    if (this.#events.length < EVENTS_MAX) this.#events.push(event);
  }

  #release(slot: number): void {
    const state = this.#table.bytes[(slot << (ENTRY_SHIFT + 2)) + B_STATE]!;
    if (state < L.ST_ESTABLISHED || state === L.ST_OPENING) this.#table.unlink(slot);
    this.#table.remove(slot);
  }

  #sweep(budget: number): void {
    const { bytes, slots } = this.#table;
    for (let visited = 0; visited < budget; visited++) {
      const slot = this.#sweepAt;
      if (bytes[(slot << (ENTRY_SHIFT + 2)) + B_KIND] !== 0 && this.#isExpired(slot)) {
        this.#release(slot);
        this.#expired++;
        // Another entry may have moved here.
        if (bytes[(slot << (ENTRY_SHIFT + 2)) + B_KIND] !== 0) visited--;
        else this.#sweepAt = slot + 1 === slots ? 0 : slot + 1;
      } else {
        this.#sweepAt = slot + 1 === slots ? 0 : slot + 1;
      }
    }
  }
}
