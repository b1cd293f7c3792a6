/** `logging buffered`: the newest records, as many as fit. */
import { type Deque, dequeLength, itemAt, newDeque, pushBack, takeFront } from "../deque.js";
import type { LogRecord } from "./record.js";

/** What a record costs besides its text and fields. */
const RECORD_OVERHEAD_BYTES = 64;
/** A field costs about that, whatever it holds. */
const FIELD_BYTES = 24;

function sizeOf({ text, fields }: LogRecord): number {
  return RECORD_OVERHEAD_BYTES + text.length + FIELD_BYTES * Object.keys(fields).length;
}

export class LogBuffer {
  #records: Deque<LogRecord> = newDeque();
  #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Keeps the newest of what is there. */
  resize(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#fit();
  }

  add(record: LogRecord): void {
    pushBack(this.#records, record);
    this.#bytes += sizeOf(record);
    this.#fit();
  }

  clear(): void {
    this.#records = newDeque();
    this.#bytes = 0;
  }

  /** Oldest first. */
  records(): LogRecord[] {
    return Array.from({ length: dequeLength(this.#records) }, (_, i) => itemAt(this.#records, i)!);
  }

  #fit(): void {
    while (this.#bytes > this.#bytesMax) this.#bytes -= sizeOf(takeFront(this.#records)!);
  }
}
