/** The lines that a configuration keeps without effect: each note once, its opposite in its place. */
import type { KeptLine } from "./model.js";

/** Separates the headers of nested blocks in `KeptLine.block`. */
const BLOCK_SEPARATOR = "\n";

/** The headers of a block and of those around it, as `KeptLine.block` has them. */
export function blockPath(outer: string | undefined, header: string): string {
  return outer === undefined ? header : outer + BLOCK_SEPARATOR + header;
}

/** The same for a command and its `no`. */
function keyOf(block: string | undefined, text: string): string {
  return blockPath(block ?? "", text.replace(/^no /, ""));
}

export class KeptLines {
  private readonly all = new Set<KeptLine>();
  private readonly notes = new Map<string, KeptLine>();

  /** `lines`: what is kept from before. */
  constructor(lines: readonly KeptLine[] = []) {
    for (const line of lines) {
      if (line.why === "note") this.replace(line);
      else this.add(line);
    }
  }

  /** Keeps a line as it stands, however often it is said. */
  add(line: KeptLine): void {
    this.all.add(line);
  }

  /** Keeps a note. The same said before, or its opposite, is replaced; the line that is kept is given back. */
  replace(line: KeptLine): KeptLine {
    const key = keyOf(line.block, line.text);
    const before = this.notes.get(key);
    if (before) return Object.assign(before, line);
    this.notes.set(key, line);
    this.all.add(line);
    return line;
  }

  /** Drops a note and its opposite. */
  forget(block: string | undefined, text: string): void {
    const key = keyOf(block, text);
    const line = this.notes.get(key);
    if (!line) return;
    this.notes.delete(key);
    this.all.delete(line);
  }

  /** What is kept, in the order of the text. */
  list(): KeptLine[] {
    return [...this.all];
  }
}
