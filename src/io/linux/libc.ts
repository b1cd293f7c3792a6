/**
 * The system calls of the live mode, through koffi: one table of functions, whose arguments are all numbers. Memory is
 * named by its address; a call costs about 80 ns so, and no memory is copied.
 *
 * koffi is an optional dependency, so it is loaded here and nowhere else, when somebody asks for it.
 */
import { getSystemErrorMap } from "node:util";
import type { Result } from "../io.js";

/** C declarations. What is a pointer in C is an `intptr_t` here: an address. Failure is -1, and `errno`. */
const FUNCTIONS = {
  bind: "int bind(int fd, intptr_t address, uint32_t length)",
  close: "int close(int fd)",
  eventfd: "int eventfd(unsigned int count, int flags)",
  getsockopt: "int getsockopt(int fd, int level, int option, intptr_t value, intptr_t length)",
  ioctl: "int ioctl(int fd, unsigned long request, intptr_t argument)",
  mmap: "intptr_t mmap(intptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)",
  munmap: "int munmap(intptr_t address, size_t length)",
  ppoll: "int ppoll(intptr_t fds, unsigned long count, intptr_t timeout, intptr_t mask)",
  read: "intptr_t read(int fd, intptr_t bytes, size_t length)",
  readv: "intptr_t readv(int fd, intptr_t vectors, int count)",
  recv: "intptr_t recv(int fd, intptr_t bytes, size_t length, int flags)",
  sched_setscheduler: "int sched_setscheduler(int thread, int policy, intptr_t parameters)",
  sendmmsg: "int sendmmsg(int fd, intptr_t messages, unsigned int count, int flags)",
  sendto: "intptr_t sendto(int fd, intptr_t bytes, size_t length, int flags, intptr_t to, uint32_t toLength)",
  setpriority: "int setpriority(int which, unsigned int who, int priority)",
  setsockopt: "int setsockopt(int fd, int level, int option, intptr_t value, uint32_t length)",
  socket: "int socket(int domain, int type, int protocol)",
  syscall: "long syscall(long number, long a, long b, long c)",
} as const;

type Functions = { readonly [K in keyof typeof FUNCTIONS]: (...args: number[]) => number };

/** Memory that the kernel reads and writes: where it lies, and views of it. It never moves. */
export interface Block {
  readonly at: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
}

export interface Libc extends Functions {
  /** Why the last call failed. */
  errno(): number;
  /** Address of the first byte of a view that is not moved: of a Wasm memory, or of a buffer of its own. */
  addressOf(bytes: Uint8Array): number;
  /** What lies at an address that does not belong to JavaScript. Must not be touched after it is unmapped. */
  mapped(at: number, size: number): ArrayBuffer;
  /** Zeros. One that is made for a single call need not be kept: the last few are never collected. */
  newBlock(size: number): Block;
}

/** Blocks that stay when nobody holds them: more than one call names. */
const BLOCKS_KEPT = 16;

/** A call that the system refused; inside this folder only, which makes it a value where it leaves. */
export class OsFailure extends Error {
  override readonly name = "OsFailure";
  /** `EPERM` and the like. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }

  static ofErrno(what: string, errno: number): OsFailure {
    const { code, text } = describeErrno(errno);
    const hint = HINTS[code];
    return new OsFailure(`${what}: ${text} (${code})${hint === undefined ? "" : `; ${hint}`}`, code);
  }
}

/** What users usually have to do about it. */
const HINTS: Readonly<Record<string, string>> = {
  EPERM: "the live mode needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF",
  ENODEV: "there is no such device in this network namespace",
};

/** The name of an errno, and its meaning in words. */
export function describeErrno(errno: number): { readonly code: string; readonly text: string } {
  const [code, text] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown error"];
  return { code, text };
}

/** The result of a call that may have failed: itself, or OsFailure with what was tried. */
export function check(libc: Libc, result: number, what: string): number {
  if (result < 0) throw OsFailure.ofErrno(what, libc.errno());
  return result;
}

/** What `work` gives, or as a problem why the system refused. */
export function attempt<T>(work: () => T): Result<T> {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof OsFailure) return { problem: error.message };
    throw error;
  }
}

/** A process that was killed gives its devices back a moment later, when the kernel comes to it. */
const BUSY_MS_MAX = 1000;
const BUSY_PAUSE_MS = 10;

/** Does `work`, again and again as long as it fails because something is in use, up to BUSY_MS_MAX. */
export function whileBusy<T>(work: () => T): T {
  for (let waitedMs = 0; ; waitedMs += BUSY_PAUSE_MS) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof OsFailure) || error.code !== "EBUSY" || waitedMs >= BUSY_MS_MAX) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
  }
}

/** What has to be undone, last first: at the end, or when the rest of a beginning fails. */
export class Undo {
  readonly #steps: (() => void)[] = [];

  add(step: () => void): void {
    this.#steps.push(step);
  }

  run(): void {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step();
  }

  /** Does `work`, and undoes what it got done when it throws. */
  guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.run();
      throw error;
    }
  }
}

/** Loads koffi and the C library. A problem: koffi is not installed, or there is no C library of Linux here. */
export async function loadLibc(): Promise<Result<Libc>> {
  if (process.platform !== "linux")
    return { problem: `the live mode needs Linux, this is ${process.platform}` };
  let koffi: typeof import("koffi");
  try {
    koffi = (await import("koffi")).default as unknown as typeof import("koffi");
  } catch {
    return { problem: "the live mode needs the optional package koffi: npm install koffi" };
  }
  try {
    const library = koffi.load("libc.so.6");
    const functions = Object.fromEntries(
      Object.entries(FUNCTIONS).map(([name, declaration]) => [name, library.func(declaration)]),
    ) as unknown as Functions;
    // A function that answers with its first argument tells where that lies; of length 0 it does nothing else.
    const addressOf = library.func("intptr_t memset(void *bytes, int value, size_t length)");
    const kept: Block[] = [];
    let made = 0;
    const libc: Libc = {
      ...functions,
      errno: () => koffi.errno(),
      addressOf: (bytes) => addressOf(bytes, 0, 0),
      mapped: (at, size) => koffi.view(at, size),
      newBlock(size) {
        // Small typed arrays lie in the heap of V8, which moves them; those over a buffer of its own do not.
        const buffer = new ArrayBuffer(size);
        const bytes = new Uint8Array(buffer);
        const block = { at: libc.addressOf(bytes), bytes, view: new DataView(buffer) };
        kept[made++ % BLOCKS_KEPT] = block;
        return block;
      },
    };
    return { value: libc };
  } catch (error) {
    return {
      problem: `the C library cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
