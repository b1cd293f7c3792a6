/**
 * Has a device receive more than what is for its own address: packet(7), PACKET_ADD_MEMBERSHIP. The kernel counts
 * memberships and ends them with the socket, also when the process is killed.
 */
import { type Mac, macBytes } from "../../frame.js";
import type { Result } from "../io.js";
import type { Device } from "./device.js";
import { attempt, check, type Libc } from "./libc.js";
import { AF_PACKET, SOCK_CLOEXEC, SOCK_RAW, SOL_PACKET } from "./packet-socket.js";

const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_MULTICAST = 0;
const PACKET_MR_PROMISC = 1;
const PACKET_MR_UNICAST = 3;
/** struct packet_mreq: index i32, type u16, address length u16, address. */
const MREQ_SIZE = 16;
const MREQ_TYPE = 4;
const MREQ_LENGTH = 6;
const MREQ_ADDRESS = 8;
/** The first bit on the wire of an address that several listen to. */
const GROUP_BIT = 1;

export class Reception {
  /** Everything is received, because the device could not take an address. */
  isPromiscuous = false;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #index: number;

  constructor(libc: Libc, device: Device) {
    this.#libc = libc;
    this.#index = device.index;
    this.#fd = check(
      libc,
      libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0),
      `AF_PACKET socket on ${device.name}`,
    );
  }

  /** Adds an address, of one or of several; where the device cannot, it receives everything from then on. */
  add(mac: Mac): void {
    const address = macBytes(mac);
    const type = (address[0]! & GROUP_BIT) === 0 ? PACKET_MR_UNICAST : PACKET_MR_MULTICAST;
    if (this.#join(type, address)) return;
    check(this.#libc, this.#join(PACKET_MR_PROMISC, []) ? 0 : -1, "promiscuous mode");
    this.isPromiscuous = true;
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  #join(type: number, address: readonly number[]): boolean {
    const request = this.#libc.newBlock(MREQ_SIZE);
    request.view.setInt32(0, this.#index, true);
    request.view.setUint16(MREQ_TYPE, type, true);
    request.view.setUint16(MREQ_LENGTH, address.length, true);
    request.bytes.set(address, MREQ_ADDRESS);
    return this.#libc.setsockopt(this.#fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request.at, MREQ_SIZE) >= 0;
  }
}

/** Has a device receive frames to these addresses as well: virtual ones, and those of multicast groups. Close it. */
export function receiveAlso(libc: Libc, device: Device, macs: readonly Mac[]): Result<Reception> {
  return attempt(() => {
    const reception = new Reception(libc, device);
    try {
      for (const mac of macs) reception.add(mac);
    } catch (error) {
      reception.close();
      throw error;
    }
    return reception;
  });
}
