/** Sleeps until one of several sockets has something to read, another thread wakes it, or time is over. poll(2). */
import { type Block, check, type Libc } from "./libc.js";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const COUNT_SIZE = 8;

/** struct pollfd: fd i32, events i16, revents i16. */
const POLLFD_SIZE = 8;
const POLLFD_EVENTS = 4;
const POLLFD_REVENTS = 6;
const POLLIN = 1;

/** struct timespec: seconds i64, nanoseconds i64. */
const TIMESPEC_SIZE = 16;
const TIMESPEC_NANOSECONDS = 8;

export class Waiter {
  /** Another thread writes a u64 here (eventfd(2)). */
  readonly wakeFd: number;
  readonly #libc: Libc;
  readonly #polled: Block;
  readonly #count: number;
  readonly #timeout: Block;
  readonly #wakes: Block;

  /** Throws OsFailure. */
  constructor(libc: Libc, sockets: readonly number[]) {
    this.#libc = libc;
    this.wakeFd = check(libc, libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    const all = [this.wakeFd, ...sockets];
    this.#count = all.length;
    this.#polled = libc.newBlock(all.length * POLLFD_SIZE);
    all.forEach((fd, i) => {
      this.#polled.view.setInt32(i * POLLFD_SIZE, fd, true);
      this.#polled.view.setInt16(i * POLLFD_SIZE + POLLFD_EVENTS, POLLIN, true);
    });
    this.#timeout = libc.newBlock(TIMESPEC_SIZE);
    this.#wakes = libc.newBlock(COUNT_SIZE);
  }

  wait(timeoutMs: number): void {
    const { view } = this.#timeout;
    const seconds = Math.floor(timeoutMs / 1000);
    view.setInt32(0, seconds, true);
    view.setInt32(TIMESPEC_NANOSECONDS, Math.round((timeoutMs - seconds * 1000) * 1e6), true);
    this.#libc.ppoll(this.#polled.at, this.#count, this.#timeout.at, 0);
    // The wake-up is over when it has been seen, however often it was written.
    if (this.#polled.view.getInt16(POLLFD_REVENTS, true) !== 0)
      this.#libc.read(this.wakeFd, this.#wakes.at, COUNT_SIZE);
  }

  close(): void {
    this.#libc.close(this.wakeFd);
  }
}
