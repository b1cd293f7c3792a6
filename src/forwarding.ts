/**
 * The live side of a firewall: which device carries each interface, from which MAC address its frames leave and to which
 * they must come, and who is where. None of it is policy: it outlives one, and no snapshot takes it along.
 *
 * Everything lies in the core's memory (assembly/layout.ts, "live"), and is to be changed between two calls.
 */
import * as L from "../assembly/layout.js";
import type { Batch } from "./batch.js";
import type { Core } from "./core.js";
import { addressBytes, formatMac, type Mac, macBytes } from "./frame.js";
import { type Address, bytesToBigint } from "./ip.js";
import { type PolicyInterface, tagOf } from "./policy/interfaces.js";

/** An interface that has a device. */
export interface LiveInterface {
  /** Number of the interface. */
  readonly number: number;
  /** Number of the device, as `Batch.port` gives it: 0 to 255. A subinterface has that of the interface that carries it. */
  readonly port: number;
  /** MAC address of the device. */
  readonly mac: Mac;
  /** VLAN tag that frames leave with, 0 none; without it, that of the configuration. */
  readonly vlan?: number;
}

export interface Neighbor {
  /** Number of the interface. */
  readonly interface: number;
  readonly address: Address;
  readonly mac: Mac;
}

const MAC_LENGTH = 6;

export class Forwarding {
  readonly #core: Core;
  readonly #batch: Batch;
  readonly #interfaces: () => readonly PolicyInterface[];
  /** Virtual MAC addresses that are accepted, by the number of the interface that asked for it. */
  readonly #virtual = new Map<number, Set<Mac>>();

  /** `interfaces`: those of the policy in force, by number. */
  constructor(core: Core, batch: Batch, interfaces: () => readonly PolicyInterface[]) {
    this.#core = core;
    this.#batch = batch;
    this.#interfaces = interfaces;
  }

  /** Whether what passes is prepared for the wire. */
  get isEnabled(): boolean {
    return this.#core.view.getUint32(this.#core.plan.regions.live.at + L.LIVE_ON, true) !== 0;
  }

  /**
   * Goes live with these interfaces, or on with others: an interface that keeps its device keeps its MAC addresses and
   * neighbours, too. Every interface that is not named is down. Empties the batch.
   */
  enable({ interfaces }: { readonly interfaces: readonly LiveInterface[] }): void {
    const numbers = new Set(interfaces.map(({ number }) => number));
    for (const { number } of interfaces) {
      if (!(number > 0 && number < this.#interfaces().length)) throw new RangeError(`no interface ${number}`);
      if (!numbers.has(this.#carrierOf(number)))
        throw new RangeError(`interface ${number} has no device under it`);
    }
    for (const each of interfaces) this.#connect(each);
    this.#disconnectOthers(numbers);
    this.#core.view.setUint32(this.#core.plan.regions.live.at + L.LIVE_ON, 1, true);
    this.#core.attachLive();
    this.#batch.reserveHeadroom(L.FRAME_HEADROOM);
    this.#batch.clear();
  }

  /**
   * While the role is handed over, frames that are not for the box itself get the verdict "held", reason `handover`, and
   * FW_WAIT: the host keeps them until it is clear who is to decide them.
   */
  setHandover(isUnderWay: boolean): void {
    const at = this.#core.plan.regions.live.at + L.LIVE_HANDOVER;
    this.#core.view.setUint32(at, isUnderWay ? 1 : 0, true);
    this.#core.attachLive();
  }

  /** Has every session be reported as it begins and ends, whether it has an audit trail or not. */
  tellSessions(isWanted: boolean): void {
    this.#core.view.setUint8(this.#core.plan.regions.live.at + L.LIVE_TELLS, isWanted ? L.CF_AUDIT : 0);
    this.#core.attachLive();
  }

  /** Frames leave the interface from this MAC address: its own, or a virtual one while this box answers for it. */
  setSourceMac(number: number, mac: Mac): void {
    this.#writeMac(this.#record(number) + L.LI_SOURCE_MAC, mac);
  }

  /**
   * Accepts frames to a virtual MAC address, on the whole device that carries the interface.
   * @returns false: the device already accepts LIVE_MACS_MAX others.
   */
  acceptMac(number: number, mac: Mac): boolean {
    const own = this.#virtual.get(number) ?? new Set();
    this.#virtual.set(number, own);
    const isNew = !own.has(mac);
    own.add(mac);
    if (this.#writeMacs(this.#carrierOf(number))) return true;
    if (isNew) own.delete(mac);
    return false;
  }

  /** No longer accepts it for this interface; another one on the device may still. */
  refuseMac(number: number, mac: Mac): void {
    this.#virtual.get(number)?.delete(mac);
    this.#writeMacs(this.#carrierOf(number));
  }

  /** Largest IP packet that each interface sends, by number; 0 any. */
  setMtus(mtus: readonly number[]): void {
    for (let number = 0; number < L.INTERFACES_MAX; number++) {
      this.#core.view.setUint32(this.#record(number) + L.LI_MTU, mtus[number] ?? 0, true);
    }
    this.#core.attachLive();
  }

  /** The same of one interface. */
  mtu(number: number): number {
    return this.#core.view.getUint32(this.#record(number) + L.LI_MTU, true);
  }

  /** Tells where a neighbour is. @returns false: the table is full, nothing was changed. */
  setNeighbor(number: number, address: Address, mac: Mac): boolean {
    this.#ask(number, address);
    this.#writeMac(L.STATE_AT + L.S_NEIGHBOR + L.NB_MAC, mac);
    return this.#core.putNeighbor();
  }

  /** @returns whether it was known. */
  deleteNeighbor(number: number, address: Address): boolean {
    this.#ask(number, address);
    return this.#core.dropNeighbor();
  }

  /** The neighbours that are known, in no order. */
  *neighbors(): Generator<Neighbor, void, undefined> {
    for (const at of this.#neighborRecords()) yield this.#readNeighbor(at);
  }

  /** Those that something was sent to since the last time that this was asked. */
  takeUsedNeighbors(): Neighbor[] {
    const used: Neighbor[] = [];
    for (const at of this.#neighborRecords()) {
      if (this.#core.bytes[at + L.NB_USED] === 0) continue;
      this.#core.bytes[at + L.NB_USED] = 0;
      used.push(this.#readNeighbor(at));
    }
    return used;
  }

  /** Neighbours that found no room so far. */
  get neighborsRefused(): number {
    return Number(this.#core.state64(L.S_COUNTERS + L.C_NEIGHBORS_FULL * 8));
  }

  /** Who a packet to this address is handed to when it leaves by this interface: a gateway, or the address itself. */
  nextHop(number: number, address: Address): Address {
    this.#ask(number, address);
    const isV6 = typeof address === "bigint";
    this.#core.findNextHop(number, isV6);
    return this.#readAddress(L.STATE_AT + L.S_NEXT_HOP, isV6);
  }

  #connect({ number, port, mac, vlan }: LiveInterface): void {
    const { view } = this.#core;
    const at = this.#record(number);
    const isNew = (view.getUint8(at + L.LI_FLAGS) & L.LIF_ON) === 0 || this.#readMac(at + L.LI_MACS) !== mac;
    view.setUint8(at + L.LI_FLAGS, L.LIF_ON);
    view.setUint8(at + L.LI_PORT, port);
    view.setUint16(at + L.LI_VLAN, vlan ?? this.#tagOf(number), true);
    if (!isNew) return;
    this.#virtual.delete(number);
    this.#writeMac(at + L.LI_SOURCE_MAC, mac);
    this.#writeMac(at + L.LI_MACS, mac);
    this.#writeMacs(number);
  }

  #disconnectOthers(kept: ReadonlySet<number>): void {
    const gone = new Set<number>();
    for (let number = 1; number < L.INTERFACES_MAX; number++) {
      const at = this.#record(number);
      if (kept.has(number) || (this.#core.view.getUint8(at + L.LI_FLAGS) & L.LIF_ON) === 0) continue;
      gone.add(number);
      const mtu = this.mtu(number);
      this.#core.bytes.fill(0, at, at + L.LIVE_INTERFACE_SIZE);
      this.#core.view.setUint32(at + L.LI_MTU, mtu, true);
      this.#virtual.delete(number);
    }
    if (gone.size === 0) return;
    // All of the table, once.
    const neighbors = [...this.neighbors()].filter((each) => gone.has(each.interface));
    for (const { interface: number, address } of neighbors) this.deleteNeighbor(number, address);
  }

  /** The number of the interface whose device carries this one. */
  #carrierOf(number: number): number {
    return this.#interfaces()[number]?.parent || number;
  }

  /** The tag that the configuration gives the frames of an interface; the native VLAN of a device has none. */
  #tagOf(number: number): number {
    return tagOf(this.#interfaces()[number]?.config);
  }

  #record(number: number): number {
    if (!(number >= 0 && number < L.INTERFACES_MAX)) throw new RangeError(`no interface ${number}`);
    return this.#core.plan.regions.live.at + L.LIVE_INTERFACES + number * L.LIVE_INTERFACE_SIZE;
  }

  /** Writes the virtual addresses that a device accepts; false: they are too many, nothing was written. */
  #writeMacs(carrier: number): boolean {
    const macs = new Set<Mac>();
    for (const [number, own] of this.#virtual) {
      if (this.#carrierOf(number) === carrier) for (const mac of own) macs.add(mac);
    }
    if (macs.size > L.LIVE_MACS_MAX) return false;
    const at = this.#record(carrier) + L.LI_MACS + 8;
    this.#core.bytes.fill(0xff, at, at + L.LIVE_MACS_MAX * 8);
    [...macs].forEach((mac, i) => {
      this.#writeMac(at + i * 8, mac);
    });
    return true;
  }

  #writeMac(at: number, mac: Mac): void {
    this.#core.bytes.fill(0, at, at + 8);
    this.#core.bytes.set(macBytes(mac), at);
  }

  #readMac(at: number): Mac {
    return formatMac(this.#core.bytes.subarray(at, at + MAC_LENGTH));
  }

  /** Puts a neighbour where the core looks for the one in question. */
  #ask(number: number, address: Address): void {
    const at = L.STATE_AT + L.S_NEIGHBOR;
    this.#core.bytes.fill(0, at, at + L.NEIGHBOR_SIZE);
    this.#core.bytes.set(addressBytes(address), at + L.NB_ADDRESS);
    this.#core.bytes[at + L.NB_INTERFACE] = number;
    this.#core.bytes[at + L.NB_V6] = typeof address === "bigint" ? 1 : 0;
  }

  *#neighborRecords(): Generator<number, void, undefined> {
    const { at } = this.#core.plan.regions.neighbors;
    for (let place = 0; place < L.NEIGHBOR_PLACES; place++) {
      const record = at + place * L.NEIGHBOR_SIZE;
      if (this.#core.bytes[record + L.NB_STATE] !== 0) yield record;
    }
  }

  #readNeighbor(at: number): Neighbor {
    const isV6 = this.#core.bytes[at + L.NB_V6] !== 0;
    return {
      interface: this.#core.bytes[at + L.NB_INTERFACE]!,
      address: this.#readAddress(at + L.NB_ADDRESS, isV6),
      mac: this.#readMac(at + L.NB_MAC),
    };
  }

  #readAddress(at: number, isV6: boolean): Address {
    return isV6
      ? bytesToBigint(this.#core.bytes.subarray(at, at + 16))
      : this.#core.view.getUint32(at + L.NB_ADDRESS, false);
  }
}
