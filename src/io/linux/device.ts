/**
 * A network device of the kernel, asked by ioctl: netdevice(7), linux/sockios.h, linux/ethtool.h.
 */
import { formatMac, type Mac } from "../../frame.js";
import type { Result } from "../io.js";
import { attempt, type Block, check, type Libc } from "./libc.js";

export interface Device {
  readonly name: string;
  readonly index: number;
  /** Largest IP packet, bytes. */
  readonly mtu: number;
  readonly mac: Mac;
  /** Set up by the administrator. */
  readonly isUp: boolean;
  /** And the cable, or the other end, is there. */
  readonly hasCarrier: boolean;
  /** Of the kernel: `veth`, `virtio_net`, `ixgbe`; empty when it does not say. */
  readonly driver: string;
  /** Queues that frames arrive in. */
  readonly queues: number;
}

const AF_INET = 2;
const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;

/** struct ifreq: name char[16], then a union. */
const IFREQ_SIZE = 40;
const IFR_NAME_SIZE = 16;
const IFR_UNION = 16;
/** In the union, struct sockaddr: family u16, bytes. */
const IFR_HWADDR_BYTES = IFR_UNION + 2;
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFMTU = 0x8921;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const SIOCETHTOOL = 0x8946;

export const IFF_UP = 0x1;
export const IFF_RUNNING = 0x40;

const ETHTOOL_GDRVINFO = 0x03;
const ETHTOOL_GCHANNELS = 0x3c;
/** struct ethtool_drvinfo: cmd u32, driver char[32], ... */
const DRVINFO_SIZE = 196;
const DRVINFO_DRIVER = 4;
const DRVINFO_DRIVER_SIZE = 32;
/** struct ethtool_channels: cmd u32, four maxima, then rx_count, tx_count, other_count, combined_count; u32 each. */
const CHANNELS_SIZE = 36;
const CHANNELS_RX_COUNT = 20;
const CHANNELS_COMBINED_COUNT = 32;
/** struct ethtool_value: cmd u32, data u32. */
const VALUE_SIZE = 8;
const VALUE_DATA = 4;

const MAC_SIZE = 6;

/** Asks and tells the kernel about devices by their names. Close it. */
export class DeviceControl {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #request: Block;
  readonly #value: Block;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#fd = check(libc, libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    this.#request = libc.newBlock(IFREQ_SIZE);
    this.#value = libc.newBlock(VALUE_SIZE);
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  /** Throws OsFailure, as everything here does. */
  read(name: string): Device {
    const { view, bytes } = this.#request;
    const index = this.index(name);
    this.#ioctl(name, SIOCGIFMTU, "MTU");
    const mtu = view.getInt32(IFR_UNION, true);
    this.#ioctl(name, SIOCGIFHWADDR, "MAC address");
    const mac = formatMac(bytes.slice(IFR_HWADDR_BYTES, IFR_HWADDR_BYTES + MAC_SIZE));
    const flags = this.flags(name);
    return {
      name,
      index,
      mtu,
      mac,
      isUp: (flags & IFF_UP) !== 0,
      hasCarrier: (flags & IFF_RUNNING) !== 0,
      driver: this.#driver(name),
      queues: this.#queues(name),
    };
  }

  index(name: string): number {
    this.#ioctl(name, SIOCGIFINDEX, "index");
    return this.#request.view.getInt32(IFR_UNION, true);
  }

  /** IFF_*, the lower sixteen. */
  flags(name: string): number {
    this.#ioctl(name, SIOCGIFFLAGS, "flags");
    return this.#request.view.getUint16(IFR_UNION, true);
  }

  /** One of the values that ethtool reads; undefined: the device has none such. */
  ethtoolGet(name: string, command: number): number | undefined {
    this.#value.view.setUint32(0, command, true);
    return this.#ethtool(name, this.#value) ? this.#value.view.getUint32(VALUE_DATA, true) : undefined;
  }

  ethtoolSet(name: string, command: number, data: number, what: string): void {
    this.#value.view.setUint32(0, command, true);
    this.#value.view.setUint32(VALUE_DATA, data, true);
    check(this.#libc, this.#ethtool(name, this.#value) ? 0 : -1, `${what} of ${name}`);
  }

  #driver(name: string): string {
    const info = this.#libc.newBlock(DRVINFO_SIZE);
    info.view.setUint32(0, ETHTOOL_GDRVINFO, true);
    if (!this.#ethtool(name, info)) return "";
    const text = Buffer.from(info.bytes.buffer, DRVINFO_DRIVER, DRVINFO_DRIVER_SIZE).toString("latin1");
    return text.slice(0, text.indexOf("\0"));
  }

  #queues(name: string): number {
    const channels = this.#libc.newBlock(CHANNELS_SIZE);
    channels.view.setUint32(0, ETHTOOL_GCHANNELS, true);
    if (!this.#ethtool(name, channels)) return 1;
    const received = channels.view.getUint32(CHANNELS_RX_COUNT, true);
    return Math.max(1, received + channels.view.getUint32(CHANNELS_COMBINED_COUNT, true));
  }

  #ethtool(name: string, data: Block): boolean {
    this.#name(name);
    this.#request.view.setBigUint64(IFR_UNION, BigInt(data.at), true);
    return this.#libc.ioctl(this.#fd, SIOCETHTOOL, this.#request.at) >= 0;
  }

  #ioctl(name: string, request: number, what: string): void {
    this.#name(name);
    check(this.#libc, this.#libc.ioctl(this.#fd, request, this.#request.at), `${what} of device ${name}`);
  }

  #name(name: string): void {
    this.#request.bytes.fill(0);
    Buffer.from(this.#request.bytes.buffer).write(name, 0, IFR_NAME_SIZE - 1, "latin1");
  }
}

/** What the kernel knows of a device. A problem: there is none of that name, or no permission. */
export function readDevice(libc: Libc, name: string): Result<Device> {
  return attempt(() => {
    const control = new DeviceControl(libc);
    try {
      return control.read(name);
    } finally {
      control.close();
    }
  });
}
