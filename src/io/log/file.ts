/**
 * Log lines to a file: appended, so that several may write and a rotation may move it. The file has whole lines only: when the
 * disk is full, the part of a line that still fitted is taken back.
 */
import { type FileHandle, open, statfs } from "node:fs/promises";
import { meaningOf } from "../errors.js";
import type { Transport, TransportEvents } from "./transport.js";

/** Others than owner and group have no business with addresses and rules. */
const MODE = 0o640;
/** Less room than that on the disk is told of, once, before lines are lost. */
const SPACE_LOW_BYTES = 16 * 1024 * 1024;
/** Room is looked for when the file is opened, and each time so much has been written. */
const SPACE_CHECK_BYTES = 1024 * 1024;

export class FileTransport implements Transport {
  readonly #path: string;
  #handle: FileHandle | undefined;
  #events: TransportEvents | undefined;
  #isLowTold = false;
  #unchecked = 0;

  constructor(path: string) {
    this.#path = path;
  }

  open(events: TransportEvents): void {
    this.#events = events;
    open(this.#path, "a", MODE).then(
      async (handle) => {
        if (this.#events !== events) {
          await handle.close();
          return;
        }
        this.#handle = handle;
        await this.#checkSpace(events);
        events.opened();
      },
      (error) => events.closed(meaningOf(error)),
    );
  }

  send(lines: readonly Uint8Array[]): void {
    const [handle, events] = [this.#handle, this.#events];
    if (handle === undefined || events === undefined) return;
    void this.#write(handle, lines, events);
  }

  close(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#events = undefined;
    // What closing says of lines that were taken cannot be told any more.
    handle?.close().catch(() => undefined);
  }

  async #write(handle: FileHandle, lines: readonly Uint8Array[], events: TransportEvents): Promise<void> {
    const bytes = Buffer.concat(lines);
    let written = 0;
    let sizeBefore: number | undefined;
    try {
      const before = await handle.stat();
      sizeBefore = before.isFile() ? before.size : undefined;
      while (written < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, written);
        written += bytesWritten;
      }
    } catch (error) {
      await this.#failed(handle, lines, { written, sizeBefore, error }, events);
      return;
    }
    this.#unchecked += bytes.length;
    if (this.#unchecked >= SPACE_CHECK_BYTES) await this.#checkSpace(events);
    events.sent(lines.length);
  }

  async #failed(
    handle: FileHandle,
    lines: readonly Uint8Array[],
    { written, sizeBefore, error }: { written: number; sizeBefore: number | undefined; error: unknown },
    events: TransportEvents,
  ): Promise<void> {
    let whole = 0;
    let wholeBytes = 0;
    while (whole < lines.length && wholeBytes + lines[whole]!.length <= written) {
      wholeBytes += lines[whole++]!.length;
    }
    if (sizeBefore !== undefined && written > wholeBytes) {
      // Unless somebody else has written behind it.
      const { size } = await handle.stat();
      if (size === sizeBefore + written) await handle.truncate(sizeBefore + wholeBytes);
    }
    if (whole > 0) events.sent(whole);
    events.closed(meaningOf(error));
    if (this.#events === events) this.close();
  }

  async #checkSpace(events: TransportEvents): Promise<void> {
    this.#unchecked = 0;
    let free: number;
    try {
      const { bavail, bsize } = await statfs(this.#path);
      free = bavail * bsize;
    } catch {
      // The file has been moved or removed meanwhile: there is nothing to measure.
      return;
    }
    const isLow = free < SPACE_LOW_BYTES;
    if (isLow && !this.#isLowTold)
      events.note(`%SYS-4-LOGSPACE: ${free} bytes are left on the disk of file ${this.#path}`);
    this.#isLowTold = isLow;
  }
}
