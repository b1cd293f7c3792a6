/** Bytes that come in pieces, as lines of bounded length. */

const LINE_END = 0x0a;

export class LineSplitter {
  readonly #bytesMax: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The whole lines so far, without their ends; undefined: one is too long, and nothing more can be read. */
  push(chunk: Buffer): string[] | undefined {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: string[] = [];
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END)) {
      if (end > this.#bytesMax) return undefined;
      lines.push(textOf(bytes.subarray(0, end)));
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > this.#bytesMax) return undefined;
    // A copy: the piece may be a small part of a large one.
    this.#rest = Buffer.from(bytes);
    return lines;
  }

  /** What stands after the last line end; undefined: nothing. */
  end(): string | undefined {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? undefined : textOf(rest);
  }
}

/** UTF-8; what is none becomes U+FFFD, which no command contains. */
const textOf = (bytes: Buffer): string => bytes.toString("utf8").replace(/\r$/, "");
