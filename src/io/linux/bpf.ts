/**
 * Small programs for the kernel, in its own instructions: linux/bpf.h, RFC 9669. Each is attached by a link, whose file
 * descriptor holds it in place: it goes when that is closed, also when the process is killed.
 */
import { type Block, check, type Libc } from "./libc.js";

/** Of bpf(2), by processor (process.arch). */
const SYSCALL: Readonly<Partial<Record<NodeJS.Architecture, number>>> = {
  x64: 321,
  arm64: 280,
  riscv64: 280,
};

const BPF_MAP_CREATE = 0;
const BPF_MAP_UPDATE_ELEM = 2;
const BPF_PROG_LOAD = 5;
const BPF_LINK_CREATE = 28;

const BPF_MAP_TYPE_XSKMAP = 17;
const BPF_PROG_TYPE_SCHED_CLS = 3;
const BPF_PROG_TYPE_XDP = 6;
export const BPF_XDP = 37;
export const BPF_TCX_INGRESS = 46;

/** union bpf_attr is read as far as its size says; this is enough for all commands here. */
const ATTRIBUTES_SIZE = 128;

const EAGAIN = 11;
/** Calls that may be interrupted in a row. */
const TRIES_MAX = 10;

const XDP_DROP = 1;
const TCX_DROP = 2;
/** struct xdp_md: rx_queue_index u32. */
const XDP_MD_QUEUE = 16;
const REDIRECT_MAP = 51;

/** How a program for XDP is attached: by the driver, or before the protocols, on copies (generic). */
export const XDP_FLAGS_SKB_MODE = 1 << 1;
export const XDP_FLAGS_DRV_MODE = 1 << 2;

type Instruction = readonly [code: number, registers: number, offset: number, immediate: number];

const LOAD_WORD = 0x61;
const LOAD_MAP = 0x18;
const MOVE = 0xb7;
const CALL = 0x85;
const EXIT = 0x95;
/** The second register of an instruction is in the upper half: PSEUDO_MAP_FD, the immediate is a file descriptor. */
const PSEUDO_MAP_FD = 1;
const registers = (destination: number, source = 0): number => destination | (source << 4);

/** To the socket of the queue that the frame came in by; dropped when there is none. */
const toSocket = (map: number): Instruction[] => [
  [LOAD_WORD, registers(2, 1), XDP_MD_QUEUE, 0],
  [LOAD_MAP, registers(1, PSEUDO_MAP_FD), 0, map],
  [0, 0, 0, 0],
  [MOVE, registers(3), 0, XDP_DROP],
  [CALL, 0, 0, REDIRECT_MAP],
  [EXIT, 0, 0, 0],
];

const DROP: Instruction[] = [
  [MOVE, registers(0), 0, TCX_DROP],
  [EXIT, 0, 0, 0],
];

function assemble(libc: Libc, instructions: readonly Instruction[]): Block {
  const block = libc.newBlock(instructions.length * 8);
  instructions.forEach(([code, pair, offset, immediate], i) => {
    block.view.setUint8(8 * i, code);
    block.view.setUint8(8 * i + 1, pair);
    block.view.setInt16(8 * i + 2, offset, true);
    block.view.setInt32(8 * i + 4, immediate, true);
  });
  return block;
}

function bpf(libc: Libc, command: number, what: string, fill: (view: DataView) => void): number {
  const attributes = libc.newBlock(ATTRIBUTES_SIZE);
  fill(attributes.view);
  const number = SYSCALL[process.arch];
  if (number === undefined) throw new Error(`the number of bpf(2) on ${process.arch} is not known`);
  // The verifier gives up when a signal arrives meanwhile.
  for (let tries = 1; ; tries++) {
    const result = libc.syscall(number, command, attributes.at, ATTRIBUTES_SIZE);
    if (result >= 0 || libc.errno() !== EAGAIN || tries === TRIES_MAX) return check(libc, result, what);
  }
}

/** A map from queue to AF_XDP socket; its file descriptor. */
export function newSocketMap(libc: Libc, queues: number): number {
  return bpf(libc, BPF_MAP_CREATE, "map of AF_XDP sockets", (view) => {
    view.setUint32(0, BPF_MAP_TYPE_XSKMAP, true);
    view.setUint32(4, 4, true); // size of a key
    view.setUint32(8, 4, true); // size of a value
    view.setUint32(12, queues, true);
  });
}

export function setSocket(libc: Libc, map: number, queue: number, socket: number): void {
  const entry = libc.newBlock(8);
  entry.view.setUint32(0, queue, true);
  entry.view.setUint32(4, socket, true);
  bpf(libc, BPF_MAP_UPDATE_ELEM, "AF_XDP socket of a queue", (view) => {
    view.setUint32(0, map, true);
    view.setBigUint64(8, BigInt(entry.at), true);
    view.setBigUint64(16, BigInt(entry.at + 4), true);
  });
}

function load(libc: Libc, type: number, attach: number, name: string, instructions: Instruction[]): number {
  const program = assemble(libc, instructions);
  const license = libc.newBlock(4);
  Buffer.from(license.bytes.buffer).write("MIT");
  return bpf(libc, BPF_PROG_LOAD, `program ${name}`, (view) => {
    view.setUint32(0, type, true);
    view.setUint32(4, instructions.length, true);
    view.setBigUint64(8, BigInt(program.at), true);
    view.setBigUint64(16, BigInt(license.at), true);
    Buffer.from(view.buffer).write(name, 48, 15, "latin1");
    view.setUint32(68, attach, true);
  });
}

function link(
  libc: Libc,
  program: number,
  device: number,
  attach: number,
  flags: number,
  what: string,
): number {
  return bpf(libc, BPF_LINK_CREATE, what, (view) => {
    view.setUint32(0, program, true);
    view.setUint32(4, device, true);
    view.setUint32(8, attach, true);
    view.setUint32(12, flags, true);
  });
}

/** Attaches a program and forgets all but the link, which holds it; the link's file descriptor. */
function attach(libc: Libc, program: number, then: () => number): number {
  try {
    return then();
  } finally {
    libc.close(program);
  }
}

/** Sends everything that arrives on a device to the sockets of the map. */
export function attachToSockets(
  libc: Libc,
  device: number,
  map: number,
  flags: number,
  what: string,
): number {
  const program = load(libc, BPF_PROG_TYPE_XDP, BPF_XDP, "twinwall_xdp", toSocket(map));
  return attach(libc, program, () => link(libc, program, device, BPF_XDP, flags, what));
}

/** Keeps everything that arrives on a device from the kernel's own protocols; AF_PACKET sockets see it before. */
export function attachDrop(libc: Libc, device: number, what: string): number {
  const program = load(libc, BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, "twinwall_drop", DROP);
  return attach(libc, program, () => link(libc, program, device, BPF_TCX_INGRESS, 0, what));
}
