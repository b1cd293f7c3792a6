/**
 * Frames by AF_XDP: the kernel writes them into the core's own memory and sends them from there.
 *
 *     free -> fill ring -> rx ring -> lent (a descriptor) -> tx ring of any device -> completion ring -> free
 *                                            `-> dropped -> free
 *
 * One UMEM lies over the frame buffers and is shared by the sockets of all queues of all devices, so a frame changes from
 * one device to another by its address alone. Each buffer is in exactly one of these places.
 */
import * as L from "../../../assembly/layout.js";
import type { FrameMemory, PacketIo, Port, PortCounters } from "../../live/packet-io.js";
import { AbsentPorts } from "./absent-ports.js";
import { attachToSockets, newSocketMap, setSocket, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE } from "./bpf.js";
import { PARTIAL_DRIVERS } from "./checksum.js";
import type { Device } from "./device.js";
import { type Libc, Undo } from "./libc.js";
import { Waiter } from "./waiter.js";
import { XDP_PACKET_HEADROOM, XskSocket } from "./xsk.js";

export type XdpMode = "driver" | "generic";

/** Largest frame that fits into a buffer. */
export const XDP_FRAME_MAX = L.BUFFER_SIZE - XDP_PACKET_HEADROOM;
/** What an IP packet is wrapped in at most here: Ethernet and two tags. */
const LINK_HEADER_MAX = 22;

const RING_MIN = 64;
const RING_MAX = 2048;
/** A socket can have a ring's worth of buffers in its fill ring, one in its rx ring and one in its tx ring. */
const RINGS_OF_BUFFERS = 3;

const CHUNK_MASK = ~(L.BUFFER_SIZE - 1);
const WORDS = L.DESC_SIZE >>> 2;
const DF_SHIFT = (L.D_FLAGS & 3) << 3;
const FRAME_WORDS = 4;
/** A place in `#lent` whose frame went away. */
const GONE = -1;

/** One queue of a device. */
interface Queue {
  readonly socket: XskSocket;
  readonly port: number;
}

interface PortState {
  readonly device: Device;
  readonly queues: readonly XskSocket[];
  /** Word 3 of the descriptors of what arrives: interface, and flags. */
  readonly ingress: number;
  received: number;
  sent: number;
  sendRefused: number;
  /** Entries of the tx ring that may be written without asking again. */
  room: number;
}

/**
 * Why frames of a device cannot be carried, or undefined. veth hands a tag over beside the frame when the sender is a VLAN
 * device, where XDP does not see it: the frame would count as one without a tag.
 */
export function unfitForXdp(device: Device, isTagged: boolean): string | undefined {
  const mtuMax = XDP_FRAME_MAX - LINK_HEADER_MAX;
  if (device.mtu > mtuMax) return `the MTU of ${device.name} is ${device.mtu}, a buffer takes ${mtuMax}`;
  if (isTagged && device.driver === "veth")
    return `${device.name} is a veth device, whose VLAN tags XDP does not see`;
  return undefined;
}

export class AfXdp implements PacketIo {
  readonly backend: string;
  readonly wakeFd: number;
  readonly #undo = new Undo();
  readonly #waiter: Waiter;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #memory: FrameMemory;
  readonly #umemSize: number;
  /** By number; undefined: left out. */
  readonly #ports: readonly (PortState | undefined)[];
  readonly #absent: AbsentPorts;
  readonly #queues: readonly Queue[];
  /** Free buffers, as UMEM addresses: a stack, so that the last used is used first and lies in the cache. */
  readonly #free: Uint32Array;
  #freeCount = 0;
  /** Buffer of descriptor i, or GONE. */
  readonly #lent: Int32Array;
  #lentCount = 0;
  /** Queue that is asked first. */
  #turn = 0;

  /** Throws OsFailure, and leaves nothing behind then. */
  constructor(
    libc: Libc,
    memory: FrameMemory,
    ports: readonly Port[],
    devices: readonly (Device | undefined)[],
    mode: XdpMode,
  ) {
    this.backend = `AF_XDP, ${mode} mode`;
    this.#memory = memory;
    this.#bytes = memory.bytes;
    this.#words = new Uint32Array(memory.bytes.buffer);
    this.#umemSize = memory.buffers * L.BUFFER_SIZE;
    this.#free = new Uint32Array(memory.buffers);
    for (let i = memory.buffers - 1; i >= 0; i--) this.#give(i * L.BUFFER_SIZE);
    this.#lent = new Int32Array(memory.buffers);
    const flags = mode === "driver" ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    this.#absent = new AbsentPorts(ports);
    [this.#ports, this.#waiter] = this.#undo.guard(() => {
      const opened = this.#openPorts(libc, ports, devices, flags, mode);
      const waiter = new Waiter(
        libc,
        opened.flatMap((port) => port?.queues.map(({ fd }) => fd) ?? []),
      );
      this.#undo.add(() => waiter.close());
      return [opened, waiter];
    });
    this.wakeFd = this.#waiter.wakeFd;
    this.#queues = this.#ports.flatMap(
      (state, port) => state?.queues.map((socket) => ({ socket, port })) ?? [],
    );
    for (const { socket } of this.#queues) this.#refill(socket);
  }

  #openPorts(
    libc: Libc,
    ports: readonly Port[],
    devices: readonly (Device | undefined)[],
    flags: number,
    mode: XdpMode,
  ): (PortState | undefined)[] {
    const { buffersAt } = this.#memory;
    const ringSize = ringSizeOf(
      this.#memory.buffers,
      devices.reduce((sum, device) => sum + (device?.queues ?? 0), 0),
    );
    const at = libc.addressOf(this.#bytes) + buffersAt;
    let owner: number | undefined;
    return devices.map((device, i) => {
      if (device === undefined) return undefined;
      const map = newSocketMap(libc, device.queues);
      this.#undo.add(() => libc.close(map));
      const queues = Array.from({ length: device.queues }, (_, queue) => {
        const umem = { at, size: this.#umemSize, chunkSize: L.BUFFER_SIZE, owner };
        const socket = new XskSocket(libc, this.#undo, umem, { index: device.index, queue }, ringSize);
        owner ??= socket.fd;
        setSocket(libc, map, queue, socket.fd);
        return socket;
      });
      const what = `XDP program on ${device.name}, ${mode} mode`;
      const link = attachToSockets(libc, device.index, map, flags, what);
      this.#undo.add(() => libc.close(link));
      return {
        device,
        queues,
        ingress:
          ports[i]!.ingress | (PARTIAL_DRIVERS.includes(device.driver) ? L.DF_MAYBE_PARTIAL << DF_SHIFT : 0),
        received: 0,
        sent: 0,
        sendRefused: 0,
        room: 0,
      };
    });
  }

  receive(max: number): number {
    let count = 0;
    const queues = this.#queues.length;
    if (queues === 0) return 0;
    for (let i = 0; i < queues && count < max; i++) {
      const queue = this.#queues[(this.#turn + i) % queues]!;
      this.#collect(queue.socket);
      this.#refill(queue.socket);
      count = this.#receiveFrom(queue, count, max);
    }
    // Whoever was served first is served last the next time.
    this.#turn = (this.#turn + 1) % queues;
    this.#lentCount = count;
    return count;
  }

  #receiveFrom({ socket, port }: Queue, first: number, max: number): number {
    const { rx } = socket;
    const available = rx.available();
    if (available === 0) return first;
    const state = this.#ports[port]!;
    const words = this.#words;
    const { buffersAt, descriptorsAt } = this.#memory;
    const last = Math.min(first + available, max);
    let at = (descriptorsAt >>> 2) + first * WORDS;
    let { own } = rx;
    for (let i = first; i < last; i++, at += WORDS, own++) {
      const entry = (own & rx.mask) * FRAME_WORDS;
      const address = rx.entries[entry]!;
      const length = rx.entries[entry + 2]!;
      const start = buffersAt + address;
      words[at + (L.D_OFFSET >>> 2)] = start;
      words[at + (L.D_CAPTURED >>> 2)] = length;
      words[at + (L.D_WIRE >>> 2)] = length;
      words[at + (L.D_INGRESS >>> 2)] = state.ingress;
      words[at + (L.D_NETWORK >>> 2)] = 0;
      words[at + (L.D_PORT >>> 2)] = port;
      this.#lent[i] = address & CHUNK_MASK;
    }
    rx.own = own | 0;
    rx.release();
    state.received += last - first;
    return last;
  }

  /** The core has done it (DF_MAYBE_PARTIAL). */
  complete(): void {}

  transmit(outputs: number): void {
    const words = this.#words;
    const { descriptorsAt, buffersAt } = this.#memory;
    for (const port of this.#ports) {
      if (port === undefined) continue;
      this.#collect(port.queues[0]!);
      port.room = port.queues[0]!.tx.room();
    }
    for (let i = 0, at = descriptorsAt; i < outputs; i++, at += L.DESC_SIZE) {
      if (this.#bytes[at + L.D_FORWARD] !== L.FW_SEND) continue;
      const port = this.#ports[this.#bytes[at + L.D_PORT]!];
      if (port === undefined) {
        this.#absent.refuse(this.#bytes[at + L.D_PORT]!);
        continue;
      }
      const start = words[(at + L.D_OFFSET) >>> 2]!;
      const length = words[(at + L.D_CAPTURED) >>> 2]!;
      const address = start - buffersAt;
      if (i < this.#lentCount && (address & CHUNK_MASK) === this.#lent[i]) {
        if (!this.#enqueue(port, address, length)) continue;
        this.#lent[i] = GONE;
      } else {
        // A fragment that was held, which lies elsewhere in the memory.
        const buffer = this.#claim(port, length);
        if (buffer === GONE) continue;
        this.#bytes.copyWithin(buffersAt + buffer, start, start + length);
        this.#enqueue(port, buffer, length);
      }
    }
    for (const port of this.#ports) if (port !== undefined) this.#flush(port.queues[0]!);
    for (let i = 0; i < this.#lentCount; i++) {
      const buffer = this.#lent[i]!;
      if (buffer !== GONE) this.#give(buffer);
    }
    this.#lentCount = 0;
  }

  send(port: number, frame: Uint8Array): boolean {
    const state = this.#ports[port];
    if (state === undefined) return this.#absent.refuse(port);
    const socket = state.queues[0]!;
    this.#collect(socket);
    state.room = socket.tx.room();
    const buffer = this.#claim(state, frame.length);
    if (buffer === GONE) return false;
    this.#bytes.set(frame, this.#memory.buffersAt + buffer);
    this.#enqueue(state, buffer, frame.length);
    this.#flush(socket);
    return true;
  }

  wait(timeoutMs: number): void {
    for (const { socket } of this.#queues) {
      if (socket.rx.available() > 0) return;
      socket.kick();
    }
    this.#waiter.wait(timeoutMs);
  }

  counters(): readonly PortCounters[] {
    return this.#ports.map((port, number) => {
      if (port === undefined) return this.#absent.counters(number);
      const { device, queues, received, sent, sendRefused } = port;
      const losses = queues.map((socket) => socket.losses());
      return {
        device: device.name,
        received,
        sent,
        ringFull: losses.reduce((sum, { ringFull }) => sum + ringFull, 0),
        noBuffer: losses.reduce((sum, { noBuffer }) => sum + noBuffer, 0),
        sendRefused,
      };
    });
  }

  close(): void {
    this.#undo.run();
  }

  #give(buffer: number): void {
    this.#free[this.#freeCount++] = buffer;
  }

  /** A buffer for a copy that will be enqueued; GONE: there is none, or no room in the ring, which is counted. */
  #claim(port: PortState, length: number): number {
    if (port.room > 0 && this.#freeCount > 0 && length <= L.BUFFER_SIZE)
      return this.#free[--this.#freeCount]!;
    port.sendRefused++;
    return GONE;
  }

  /** Takes back the buffers of frames that have been sent. */
  #collect({ completion }: XskSocket): void {
    const available = completion.available();
    if (available === 0) return;
    let { own } = completion;
    for (let i = 0; i < available; i++, own++) {
      this.#give(completion.entries[(own & completion.mask) * 2]! & CHUNK_MASK);
    }
    completion.own = own | 0;
    completion.release();
  }

  /** Gives the kernel free buffers for what arrives. */
  #refill({ fill }: XskSocket): void {
    const count = Math.min(fill.room(), this.#freeCount);
    if (count === 0) return;
    let { own } = fill;
    for (let i = 0; i < count; i++, own++) {
      fill.entries[(own & fill.mask) * 2] = this.#free[--this.#freeCount]!;
    }
    fill.own = own | 0;
    fill.publish();
  }

  /** False: no room, which is counted. */
  #enqueue(port: PortState, address: number, length: number): boolean {
    if (port.room === 0) {
      port.sendRefused++;
      return false;
    }
    const { tx } = port.queues[0]!;
    const entry = (tx.own & tx.mask) * FRAME_WORDS;
    tx.entries[entry] = address;
    tx.entries[entry + 2] = length;
    tx.own = (tx.own + 1) | 0;
    port.room--;
    port.sent++;
    return true;
  }

  #flush(socket: XskSocket): void {
    socket.tx.publish();
    socket.kick();
  }
}

/** Entries of each ring, so that no ring can starve another of buffers. */
function ringSizeOf(buffers: number, queues: number): number {
  const fair = buffers / (queues * RINGS_OF_BUFFERS);
  return Math.min(RING_MAX, Math.max(RING_MIN, 2 ** Math.floor(Math.log2(fair))));
}
