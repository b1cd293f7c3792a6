/**
 * Frames by AF_PACKET: the kernel copies what arrives into rings, this copies it on into the core's memory, and what leaves
 * is copied by the kernel again. Slower than AF_XDP for each frame, but merged segments of up to 64 KiB pass whole, with
 * what the kernel knows of them (PACKET_VNET_HDR), so that nobody on the way cuts them up or sums them.
 *
 *     ring frame -> arena (a descriptor) -> sendmmsg by any device
 *
 * The frame buffers serve as one arena here, which is empty again after every `transmit`. Frames start on a cache line and
 * have room before them for the tag that the kernel has taken off.
 */
import * as L from "../../../assembly/layout.js";
import type { FrameMemory, PacketIo, Port, PortCounters } from "../../live/packet-io.js";
import { Completion } from "./checksum.js";
import { AbsentPorts } from "./absent-ports.js";
import { attachDrop } from "./bpf.js";
import type { Device } from "./device.js";
import { type Libc, Undo } from "./libc.js";
import * as P from "./packet-socket.js";
import { PacketSocket, RING_FRAME_SIZE } from "./packet-socket.js";
import { SegmentReader } from "./segment-reader.js";
import { type Offload, SendBatch } from "./send-batch.js";
import { Waiter } from "./waiter.js";

/** Before each frame: room for what precedes a frame in the ring, or for a tag. IP headers lie at even addresses so. */
const HEADROOM = 128;
const ALIGNMENT = 64;
const TAG_SIZE = 4;
const MAC_ADDRESSES_SIZE = 12;
const ETHERTYPE_DOT1Q = 0x8100;
/** Largest frame that can be named: merged segments in an IP packet. */
const FRAME_MAX = L.FRAME_MAX;
/** Up to this length a loop over words copies faster than Uint8Array.set. */
const WORD_COPY_MAX = 96;

const DF_SHIFT = (L.D_FLAGS & 3) << 3;
const SEGMENT_SHIFT = (L.D_SEGMENT & 3) << 3;
const WORDS = L.DESC_SIZE >>> 2;

interface PortState {
  readonly device: Device;
  readonly socket: PacketSocket;
  readonly ingress: number;
  /** The ring, in the widths that it is read in. */
  readonly view: DataView<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly status: Int32Array<ArrayBuffer>;
  readonly frames: readonly Uint8Array[];
  readonly batch: SendBatch;
  /** Ring frame that the kernel fills next. */
  next: number;
  received: number;
  tooLarge: number;
}

/** What the kernel said of a frame that was received. */
class Lent implements Offload {
  checksumStart = 0;
  checksumOffset = 0;
  gsoType = 0;
  gsoSize = 0;
  payloadStart = 0;
}

export class AfPacket implements PacketIo {
  readonly backend = "AF_PACKET";
  readonly wakeFd: number;
  readonly #libc: Libc;
  readonly #undo = new Undo();
  readonly #waiter: Waiter;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  readonly #memory: FrameMemory;
  readonly #completion: Completion;
  /** By number; undefined: left out. */
  readonly #ports: readonly (PortState | undefined)[];
  readonly #absent: AbsentPorts;
  /** Of descriptor i. */
  readonly #lent: readonly Lent[];
  #lentCount = 0;
  /** Where the next frame goes, and where the arena ends. */
  #free: number;
  readonly #end: number;
  readonly #reader: SegmentReader;
  /** Port that is asked first. */
  #turn = 0;

  /** Throws OsFailure, and leaves nothing behind then. */
  constructor(
    libc: Libc,
    memory: FrameMemory,
    ports: readonly Port[],
    devices: readonly (Device | undefined)[],
  ) {
    this.#libc = libc;
    this.#memory = memory;
    this.#bytes = memory.bytes;
    this.#words = new Uint32Array(memory.bytes.buffer);
    this.#view = new DataView(memory.bytes.buffer);
    this.#completion = new Completion(memory.bytes);
    this.#free = memory.buffersAt;
    this.#end = memory.buffersAt + memory.buffers * L.BUFFER_SIZE;
    this.#lent = Array.from({ length: L.BATCH_LIMIT }, () => new Lent());
    this.#reader = new SegmentReader(libc, memory.bytes);
    this.#absent = new AbsentPorts(ports);
    [this.#ports, this.#waiter] = this.#undo.guard(() => {
      const opened = devices.map((device, i) => device && this.#openPort(device, ports[i]!));
      const waiter = new Waiter(
        libc,
        opened.flatMap((port) => (port === undefined ? [] : [port.socket.fd])),
      );
      this.#undo.add(() => waiter.close());
      return [opened, waiter];
    });
    this.wakeFd = this.#waiter.wakeFd;
  }

  #openPort(device: Device, { ingress }: Port): PortState {
    // Attached before the socket, so that no frame is both forwarded here and taken by the kernel.
    const guard = attachDrop(this.#libc, device.index, `program that keeps ${device.name} from the kernel`);
    this.#undo.add(() => this.#libc.close(guard));
    const socket = new PacketSocket(this.#libc, this.#undo, device);
    const { ring, frames } = socket;
    return {
      device,
      socket,
      ingress,
      view: new DataView(ring),
      words: new Uint32Array(ring),
      status: new Int32Array(ring),
      frames: Array.from(
        { length: frames },
        (_, i) => new Uint8Array(ring, i * RING_FRAME_SIZE, RING_FRAME_SIZE),
      ),
      batch: new SendBatch(this.#libc, socket.fd, this.#bytes),
      next: 0,
      received: 0,
      tooLarge: 0,
    };
  }

  receive(max: number): number {
    this.#free = this.#memory.buffersAt;
    const limit = Math.min(max, this.#lent.length);
    const ports = this.#ports.length;
    let count = 0;
    for (let i = 0; i < ports && count < limit; i++) {
      count = this.#receiveFrom((this.#turn + i) % ports, count, limit);
    }
    this.#turn = (this.#turn + 1) % ports;
    this.#lentCount = count;
    return count;
  }

  #receiveFrom(number: number, first: number, max: number): number {
    const port = this.#ports[number];
    if (port === undefined) return first;
    const { status, socket } = port;
    let count = first;
    while (count < max) {
      const base = port.next * RING_FRAME_SIZE;
      const state = Atomics.load(status, base >>> 2);
      if ((state & P.TP_STATUS_USER) === 0) break;
      // The largest frame must still fit, or the rest waits for the next call.
      if (this.#free + HEADROOM + FRAME_MAX > this.#end) break;
      if (this.#take(port, number, base, state, count)) count++;
      Atomics.store(status, base >>> 2, P.TP_STATUS_KERNEL);
      port.next = port.next + 1 === socket.frames ? 0 : port.next + 1;
    }
    port.received += count - first;
    return count;
  }

  /** Takes a frame out of the ring and describes it; false: it did not come whole, which is counted. */
  #take(port: PortState, number: number, base: number, state: number, index: number): boolean {
    const { view } = port;
    const length = view.getUint32(base + P.TP_LENGTH, true);
    const mac = view.getUint16(base + P.TP_MAC, true);
    const arena = (this.#free + HEADROOM + ALIGNMENT - 1) & -ALIGNMENT;
    const isWhole =
      (state & P.TP_STATUS_COPY) !== 0
        ? this.#reader.read(port.socket.fd, arena, length)
        : view.getUint32(base + P.TP_CAPTURED, true) === length;
    if (!isWhole) {
      port.tooLarge++;
      return false;
    }
    if ((state & P.TP_STATUS_COPY) === 0) this.#copy(port, base, mac, length, arena);
    this.#free = arena + length;
    const start = (state & P.TP_STATUS_VLAN_VALID) === 0 ? arena : this.#putTagBack(view, base, state, arena);
    const size = arena + length - start;

    const vnet = base + mac - P.VNET_SIZE;
    const lent = this.#lent[index]!;
    const flags = view.getUint8(vnet + P.VNET_FLAGS);
    lent.gsoType = view.getUint8(vnet + P.VNET_GSO_TYPE);
    lent.gsoSize = lent.gsoType === 0 ? 0 : view.getUint16(vnet + P.VNET_GSO_SIZE, true);
    lent.payloadStart = arena + view.getUint16(vnet + P.VNET_HEADER_LENGTH, true);
    const isPartial = (flags & P.VNET_NEEDS_CSUM) !== 0;
    lent.checksumStart = isPartial ? arena + view.getUint16(vnet + P.VNET_CSUM_START, true) : 0;
    lent.checksumOffset = isPartial ? view.getUint16(vnet + P.VNET_CSUM_OFFSET, true) : 0;
    const isChecked = (flags & (P.VNET_NEEDS_CSUM | P.VNET_DATA_VALID)) !== 0;

    const words = this.#words;
    const at = (this.#memory.descriptorsAt >>> 2) + index * WORDS;
    words[at + (L.D_OFFSET >>> 2)] = start;
    words[at + (L.D_CAPTURED >>> 2)] = size;
    words[at + (L.D_WIRE >>> 2)] = size;
    words[at + (L.D_INGRESS >>> 2)] = port.ingress | (isChecked ? L.DF_CHECKSUM_OK << DF_SHIFT : 0);
    words[at + (L.D_NETWORK >>> 2)] = 0;
    words[at + (L.D_PORT >>> 2)] = number | (lent.gsoSize << SEGMENT_SHIFT);
    return true;
  }

  #copy(port: PortState, base: number, mac: number, length: number, arena: number): void {
    if (length > WORD_COPY_MAX || ((base + mac) & 3) !== 0) {
      // The whole ring frame with its header, which falls into the headroom: cheaper than a view of the frame alone.
      this.#bytes.set(port.frames[port.next]!, arena - mac);
      return;
    }
    const source = (base + mac) >>> 2;
    const target = arena >>> 2;
    for (let i = 0; i < (length + 3) >>> 2; i++) this.#words[target + i] = port.words[source + i]!;
  }

  /** Puts in the tag that the kernel has taken off, and moves the addresses before it; the new start. */
  #putTagBack(view: DataView, base: number, state: number, arena: number): number {
    const start = arena - TAG_SIZE;
    this.#bytes.copyWithin(start, arena, arena + MAC_ADDRESSES_SIZE);
    const hasType = (state & P.TP_STATUS_VLAN_TPID_VALID) !== 0;
    const type = hasType ? view.getUint16(base + P.TP_VLAN_TPID, true) : ETHERTYPE_DOT1Q;
    this.#view.setUint16(start + MAC_ADDRESSES_SIZE, type);
    this.#view.setUint16(start + MAC_ADDRESSES_SIZE + 2, view.getUint16(base + P.TP_VLAN_TCI, true));
    return start;
  }

  complete(descriptor: number): void {
    const lent = this.#lent[descriptor];
    if (lent === undefined || descriptor >= this.#lentCount || lent.checksumStart === 0) return;
    const at = (this.#memory.descriptorsAt + descriptor * L.DESC_SIZE) >>> 2;
    const end = this.#words[at + (L.D_OFFSET >>> 2)]! + this.#words[at + (L.D_CAPTURED >>> 2)]!;
    this.#completion.completeAt(lent.checksumStart, lent.checksumStart + lent.checksumOffset, end);
    lent.checksumStart = 0;
  }

  transmit(outputs: number): void {
    const bytes = this.#bytes;
    const words = this.#words;
    for (let i = 0, at = this.#memory.descriptorsAt; i < outputs; i++, at += L.DESC_SIZE) {
      if (bytes[at + L.D_FORWARD] !== L.FW_SEND) continue;
      const port = this.#ports[bytes[at + L.D_PORT]!];
      if (port === undefined) {
        this.#absent.refuse(bytes[at + L.D_PORT]!);
        continue;
      }
      const lent = i < this.#lentCount ? this.#lent[i] : undefined;
      const offload = lent !== undefined && lent.checksumStart !== 0 ? lent : undefined;
      port.batch.add(words[(at + L.D_OFFSET) >>> 2]!, words[(at + L.D_CAPTURED) >>> 2]!, offload);
    }
    for (const port of this.#ports) port?.batch.flush();
    this.#lentCount = 0;
  }

  send(port: number, frame: Uint8Array): boolean {
    const batch = this.#ports[port]?.batch;
    if (batch === undefined) return this.#absent.refuse(port);
    const arena = (this.#free + ALIGNMENT - 1) & -ALIGNMENT;
    const before = batch.sent;
    if (arena + frame.length > this.#end) {
      batch.refused++;
      return false;
    }
    this.#bytes.set(frame, arena);
    batch.add(arena, frame.length, undefined);
    batch.flush();
    return batch.sent > before;
  }

  wait(timeoutMs: number): void {
    this.#waiter.wait(timeoutMs);
  }

  counters(): readonly PortCounters[] {
    return this.#ports.map((port, number) => {
      if (port === undefined) return this.#absent.counters(number);
      const { device, socket, batch, received, tooLarge } = port;
      return {
        device: device.name,
        received,
        sent: batch.sent,
        ringFull: socket.drops(),
        noBuffer: tooLarge,
        sendRefused: batch.refused,
      };
    });
  }

  close(): void {
    this.#undo.run();
  }
}
