/**
 * AF_PACKET sockets: packet(7), linux/if_packet.h, Documentation/networking/packet_mmap.rst, linux/virtio_net.h.
 */
import { check, type Libc, type Undo } from "./libc.js";

export const AF_PACKET = 17;
export const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
const ETH_P_ALL = 0x0003;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_SNDBUFFORCE = 32;
export const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_COPY_THRESH = 7;
const PACKET_VERSION = 10;
const PACKET_VNET_HDR = 15;
const PACKET_QDISC_BYPASS = 20;
const PACKET_IGNORE_OUTGOING = 23;
const TPACKET_V2 = 1;

/** struct sockaddr_ll: family u16, protocol u16 (network order), index i32, then what is not needed here. */
const SOCKADDR_SIZE = 20;
const SOCKADDR_INDEX = 4;
/** struct tpacket_req: block size, blocks, frame size, frames; u32 each. */
const REQUEST_SIZE = 16;
/** struct tpacket_stats: frames and drops since the last question, u32 each. */
const STATISTICS_SIZE = 8;
const STATISTICS_DROPS = 4;

/** struct tpacket2_hdr. */
export const TP_STATUS = 0; // u32
export const TP_LENGTH = 4; // u32: of the frame
export const TP_CAPTURED = 8; // u32: of that what lies in the ring
export const TP_MAC = 12; // u16: from the header to the frame
export const TP_VLAN_TCI = 24; // u16
export const TP_VLAN_TPID = 26; // u16
export const TP_STATUS_KERNEL = 0;
export const TP_STATUS_USER = 1;
/** The whole frame can be read from the socket. */
export const TP_STATUS_COPY = 2;
export const TP_STATUS_VLAN_VALID = 16;
export const TP_STATUS_VLAN_TPID_VALID = 64;

/** struct virtio_net_hdr: what the kernel knows of a frame beside its bytes. It stands right before the frame. */
export const VNET_SIZE = 10;
export const VNET_FLAGS = 0; // u8
export const VNET_GSO_TYPE = 1; // u8: 0 no merged segments
export const VNET_HEADER_LENGTH = 2; // u16: bytes before the payload of the segments
export const VNET_GSO_SIZE = 4; // u16: payload of each segment
export const VNET_CSUM_START = 6; // u16: from the start of the frame
export const VNET_CSUM_OFFSET = 8; // u16: from there
/** The checksum is still to be completed. */
export const VNET_NEEDS_CSUM = 1;
/** The checksum was found to be right. */
export const VNET_DATA_VALID = 2;

export const RING_FRAME_SIZE = 2048;
const RING_FRAMES = 4096;
const BLOCK_SIZE = 2 ** 18;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
/** Merged segments that wait to be read, and frames on their way to the device. */
const BUFFER_BYTES = 16 * 2 ** 20;

function setOption(libc: Libc, fd: number, level: number, option: number, value: number, what: string): void {
  const block = libc.newBlock(Uint32Array.BYTES_PER_ELEMENT);
  block.view.setUint32(0, value, true);
  check(libc, libc.setsockopt(fd, level, option, block.at, block.bytes.length), what);
}

/** A socket that receives everything that arrives on a device in a ring, and sends with what virtio says of each frame. */
export class PacketSocket {
  readonly fd: number;
  /** RING_FRAMES frames of RING_FRAME_SIZE. */
  readonly ring: ArrayBuffer;
  readonly frames = RING_FRAMES;
  readonly #libc: Libc;
  #drops = 0;

  /**
   * The ring is TPACKET_V2: V3 hands over whole blocks, when they are full or a timer of at least 1 ms has run out, which
   * is ten times what a round trip takes here. Frames that a ring frame cannot hold, merged segments that is, are queued
   * whole on the socket (PACKET_COPY_THRESH) and read from there right into place. Throws OsFailure.
   */
  constructor(libc: Libc, undo: Undo, device: { name: string; index: number }) {
    this.#libc = libc;
    const what = (text: string): string => `${text} on ${device.name}`;
    // No protocol yet: nothing is to arrive before the ring is there.
    this.fd = check(
      libc,
      libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
      what("AF_PACKET socket"),
    );
    undo.add(() => libc.close(this.fd));
    const set = (option: number, value: number, text: string): void =>
      setOption(libc, this.fd, SOL_PACKET, option, value, what(text));
    set(PACKET_VERSION, TPACKET_V2, "PACKET_VERSION");
    set(PACKET_VNET_HDR, 1, "PACKET_VNET_HDR");
    set(PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
    set(PACKET_QDISC_BYPASS, 1, "PACKET_QDISC_BYPASS");
    set(PACKET_COPY_THRESH, 1, "PACKET_COPY_THRESH");
    setOption(libc, this.fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES, what("SO_RCVBUFFORCE"));
    setOption(libc, this.fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES, what("SO_SNDBUFFORCE"));
    const size = RING_FRAMES * RING_FRAME_SIZE;
    const request = libc.newBlock(REQUEST_SIZE);
    new Uint32Array(request.bytes.buffer).set([BLOCK_SIZE, size / BLOCK_SIZE, RING_FRAME_SIZE, RING_FRAMES]);
    check(
      libc,
      libc.setsockopt(this.fd, SOL_PACKET, PACKET_RX_RING, request.at, REQUEST_SIZE),
      what("PACKET_RX_RING"),
    );
    const at = check(
      libc,
      libc.mmap(0, size, PROT_READ_WRITE, MAP_SHARED, this.fd, 0),
      what("AF_PACKET mmap"),
    );
    undo.add(() => libc.munmap(at, size));
    this.ring = libc.mapped(at, size);
    const address = libc.newBlock(SOCKADDR_SIZE);
    address.view.setUint16(0, AF_PACKET, true);
    address.view.setUint16(2, ETH_P_ALL, false);
    address.view.setInt32(SOCKADDR_INDEX, device.index, true);
    check(libc, libc.bind(this.fd, address.at, SOCKADDR_SIZE), what("AF_PACKET bind"));
  }

  /** Frames that the ring had no room for, since it was opened. */
  drops(): number {
    const libc = this.#libc;
    const statistics = libc.newBlock(STATISTICS_SIZE);
    const length = libc.newBlock(Uint32Array.BYTES_PER_ELEMENT);
    length.view.setUint32(0, STATISTICS_SIZE, true);
    if (libc.getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, statistics.at, length.at) >= 0)
      this.#drops += statistics.view.getUint32(STATISTICS_DROPS, true);
    return this.#drops;
  }
}
