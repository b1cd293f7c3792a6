/**
 * Notices when a device loses its carrier, is set down, comes back or goes away: rtnetlink(7), RTM_NEWLINK. The kernel
 * tells at once, so `poll` every few milliseconds is enough; it is a single call when nothing has happened.
 *
 * A device that is gone may be made anew, with another index. It stays down here until `watch` is told of it: whoever sends
 * and receives by it has to open it first.
 */
import type { Result } from "../io.js";
import { type Device, type DeviceControl, IFF_RUNNING, IFF_UP, SOCK_CLOEXEC } from "./device.js";
import { attempt, type Block, check, type Libc } from "./libc.js";
import { withControl } from "./offloads.js";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_ROUTE = 0;
const RTMGRP_LINK = 1;
/** struct sockaddr_nl: family u16, padding u16, port u32, groups u32. */
const SOCKADDR_SIZE = 12;
const SOCKADDR_GROUPS = 8;
/** struct nlmsghdr: length u32, type u16, flags u16, sequence u32, port u32; messages start at multiples of 4. */
const MESSAGE_TYPE = 4;
const MESSAGE_HEADER = 16;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
/** struct ifinfomsg, after the header: family u8, padding, type u16, index i32, flags u32, change u32. */
const INFO_INDEX = MESSAGE_HEADER + 4;
const INFO_FLAGS = MESSAGE_HEADER + 8;
const INFO_SIZE = 16;
const BUFFER_SIZE = 32768;
const ENOBUFS = 105;

export interface LinkChange {
  readonly device: string;
  /** Frames can pass: it is up and has a carrier. */
  readonly isUp: boolean;
  /** It is gone, or a device of its name is there that is another one and set up. */
  readonly isAnother?: boolean;
}

export class LinkMonitor {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #buffer: Block;
  /** By index. */
  readonly #names: Map<number, string>;
  /** Devices that are gone, and the index of the one of that name that was told of since. */
  readonly #gone = new Map<string, number | undefined>();
  readonly #isUp = new Map<string, boolean>();
  /** For the next `poll`. */
  #pending: LinkChange[] = [];

  /** Throws OsFailure. */
  constructor(libc: Libc, devices: readonly Device[]) {
    this.#libc = libc;
    this.#buffer = libc.newBlock(BUFFER_SIZE);
    this.#names = new Map(devices.map(({ index, name }) => [index, name]));
    this.#fd = check(
      libc,
      libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE),
      "netlink socket",
    );
    const address = libc.newBlock(SOCKADDR_SIZE);
    address.view.setUint16(0, AF_NETLINK, true);
    address.view.setUint32(SOCKADDR_GROUPS, RTMGRP_LINK, true);
    if (libc.bind(this.#fd, address.at, SOCKADDR_SIZE) < 0) {
      libc.close(this.#fd);
      check(libc, -1, "netlink bind");
    }
    // From now on nothing is missed: what they are is asked after the socket listens.
    this.#readAll();
  }

  isUp(device: string): boolean {
    return this.#isUp.get(device) ?? false;
  }

  /** What has changed since the last call, each device at most once for every change. Never blocks. */
  poll(): LinkChange[] {
    const changes = this.#pending;
    this.#pending = [];
    for (;;) {
      const length = this.#libc.recv(this.#fd, this.#buffer.at, BUFFER_SIZE, 0);
      if (length > 0) this.#readMessages(length, changes);
      else if (length < 0 && this.#libc.errno() === ENOBUFS) changes.push(...this.#readAll());
      else return changes;
    }
  }

  /** Another device has the name of one that was gone, and is open. */
  watch({ name, index }: Device): void {
    for (const [known, of] of this.#names) if (of === name) this.#names.delete(known);
    this.#gone.delete(name);
    this.#names.set(index, name);
    withControl(this.#libc, (control) => this.#ask(control, name, index, this.#pending));
    if (this.#gone.size > 0) this.#lookForGone(this.#pending);
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  #readMessages(length: number, changes: LinkChange[]): void {
    const { view } = this.#buffer;
    for (let at = 0; at + MESSAGE_HEADER + INFO_SIZE <= length; ) {
      const type = view.getUint16(at + MESSAGE_TYPE, true);
      const index = view.getInt32(at + INFO_INDEX, true);
      const name = this.#names.get(index);
      if (type === RTM_DELLINK && name !== undefined) this.#lose(name, index, changes);
      else if (type === RTM_NEWLINK && name !== undefined)
        this.#note(name, view.getUint32(at + INFO_FLAGS, true), changes);
      else if (type === RTM_NEWLINK && this.#gone.size > 0) this.#lookForGone(changes);
      at += Math.max(MESSAGE_HEADER, (view.getUint32(at, true) + 3) & ~3);
    }
  }

  /** Asks for each device, at the start and when the kernel had more to tell than room. */
  #readAll(): LinkChange[] {
    const changes: LinkChange[] = [];
    withControl(this.#libc, (control) => {
      for (const [index, name] of [...this.#names]) this.#ask(control, name, index, changes);
    });
    if (this.#gone.size > 0) this.#lookForGone(changes);
    return changes;
  }

  #ask(control: DeviceControl, name: string, index: number, changes: LinkChange[]): void {
    const present = attempt(() => ({ index: control.index(name), flags: control.flags(name) }));
    if ("value" in present && present.value.index === index) this.#note(name, present.value.flags, changes);
    else this.#lose(name, index, changes);
  }

  #lose(device: string, index: number, changes: LinkChange[]): void {
    this.#names.delete(index);
    this.#gone.set(device, undefined);
    this.#isUp.set(device, false);
    changes.push({ device, isUp: false, isAnother: true });
  }

  /** Tells of each device that is there again, once, when it is set up. */
  #lookForGone(changes: LinkChange[]): void {
    withControl(this.#libc, (control) => {
      for (const [device, told] of this.#gone) {
        const present = attempt(() => ({ index: control.index(device), flags: control.flags(device) }));
        if (!("value" in present) || (present.value.flags & IFF_UP) === 0) continue;
        if (present.value.index === told) continue;
        this.#gone.set(device, present.value.index);
        changes.push({ device, isUp: false, isAnother: true });
      }
    });
  }

  #note(device: string, flags: number, changes: LinkChange[]): void {
    const isUp = (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0;
    if (this.#isUp.get(device) === isUp) return;
    this.#isUp.set(device, isUp);
    changes.push({ device, isUp });
  }
}

/** Watches these devices. Close it. */
export function watchLinks(libc: Libc, devices: readonly Device[]): Result<LinkMonitor> {
  return attempt(() => new LinkMonitor(libc, devices));
}
