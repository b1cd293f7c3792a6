/**
 * Field lists of variable length: one list of names and kinds gives the type of a message, how it is read and how it
 * is written. Numbers are in network byte order. Reading takes nothing on trust: what does not fit, is out of range or
 * is longer than its bound gives undefined, never an exception.
 */
import { printable } from "../printable.js";

/** Where a reader stands in the bytes it may read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
}

export function cursorOf(bytes: Uint8Array, at = 0): Cursor {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at };
}

/** One kind of value. No value is undefined. */
export interface Field<T> {
  /** Bytes that the value takes. */
  size(value: T): number;
  /** Writes at the cursor and moves it; the caller has made room for `size(value)` bytes. */
  write(to: Cursor, value: T): void;
  /** Reads at the cursor and moves it; undefined: not a value of this kind. */
  read(from: Cursor): T | undefined;
}

export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** The offset of the next `count` bytes, which are then behind the cursor; undefined: fewer are left. */
function take(from: Cursor, count: number): number | undefined {
  const { at } = from;
  if (from.bytes.length - at < count) return undefined;
  from.at += count;
  return at;
}

/** A number of a fixed size. */
function fixed<T>(
  size: number,
  read: (view: DataView, at: number) => T | undefined,
  write: (view: DataView, at: number, value: T) => void,
): Field<T> {
  return {
    size: () => size,
    write(to, value) {
      write(to.view, to.at, value);
      to.at += size;
    },
    read(from) {
      const at = take(from, size);
      return at === undefined ? undefined : read(from.view, at);
    },
  };
}

export const u8 = fixed<number>(
  1,
  (view, at) => view.getUint8(at),
  (view, at, value) => view.setUint8(at, value),
);
export const u16 = fixed<number>(
  2,
  (view, at) => view.getUint16(at),
  (view, at, value) => view.setUint16(at, value),
);
export const u32 = fixed<number>(
  4,
  (view, at) => view.getUint32(at),
  (view, at, value) => view.setUint32(at, value),
);
export const u64 = fixed<bigint>(
  8,
  (view, at) => view.getBigUint64(at),
  (view, at, value) => view.setBigUint64(at, value),
);

const U32 = 2 ** 32;

/** 64 bits of which a count uses 53, so that it is a number: at a million a second that lasts 285 years. */
export const count = fixed<number>(
  8,
  (view, at) => {
    const value = view.getUint32(at) * U32 + view.getUint32(at + 4);
    return Number.isSafeInteger(value) ? value : undefined;
  },
  (view, at, value) => {
    view.setUint32(at, Math.floor(value / U32));
    view.setUint32(at + 4, value % U32);
  },
);

/** 0 or 1, nothing else. */
export const flag = fixed<boolean>(
  1,
  (view, at) => [false, true][view.getUint8(at)],
  (view, at, value) => view.setUint8(at, value ? 1 : 0),
);

/** One of the names, as its index. */
export function choice<const T extends string>(names: readonly T[]): Field<T> {
  return fixed<T>(
    1,
    (view, at) => names[view.getUint8(at)],
    (view, at, value) => view.setUint8(at, names.indexOf(value)),
  );
}

/** Exactly so many bytes; what is read is a copy. */
export function bytes(length: number): Field<Uint8Array> {
  return {
    size: () => length,
    write(to, value) {
      to.bytes.set(value, to.at);
      to.at += length;
    },
    read(from) {
      const at = take(from, length);
      return at === undefined ? undefined : from.bytes.slice(at, at + length);
    },
  };
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 of at most so many bytes, behind its length. Nothing that could drive a terminal is accepted. */
export function text(bytesMax: number): Field<string> {
  return {
    size: (value) => u16.size(0) + ENCODER.encode(value).length,
    write(to, value) {
      const encoded = ENCODER.encode(value);
      u16.write(to, encoded.length);
      to.bytes.set(encoded, to.at);
      to.at += encoded.length;
    },
    read(from) {
      const length = u16.read(from);
      if (length === undefined || length > bytesMax) return undefined;
      const at = take(from, length);
      if (at === undefined) return undefined;
      try {
        const value = DECODER.decode(from.bytes.subarray(at, at + length));
        return printable(value) === value ? value : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** At most so many of a kind, behind their number. */
export function list<T>(field: Field<T>, lengthMax: number): Field<T[]> {
  return {
    size: (values) => values.reduce((sum, value) => sum + field.size(value), u16.size(0)),
    write(to, values) {
      u16.write(to, values.length);
      for (const value of values) field.write(to, value);
    },
    read(from) {
      const length = u16.read(from);
      if (length === undefined || length > lengthMax) return undefined;
      const values: T[] = [];
      for (let i = 0; i < length; i++) {
        const value = field.read(from);
        if (value === undefined) return undefined;
        values.push(value);
      }
      return values;
    },
  };
}

export type FieldList = Readonly<Record<string, Field<unknown>>>;
export type RecordOf<L> = { -readonly [K in keyof L]: ValueOf<L[K]> };

/** Fields in the order in which they stand, without gaps. */
export function record<const L extends FieldList>(fields: L): Field<RecordOf<L>> {
  const rows = Object.entries(fields) as [string, Field<unknown>][];
  return {
    size: (value) => rows.reduce((sum, [name, field]) => sum + field.size(value[name as keyof L]), 0),
    write(to, value) {
      for (const [name, field] of rows) field.write(to, value[name as keyof L]);
    },
    read(from) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of rows) {
        const read = field.read(from);
        if (read === undefined) return undefined;
        value[name] = read;
      }
      return value as RecordOf<L>;
    },
  };
}

export function emit<T>(field: Field<T>, value: T): Uint8Array {
  const to = cursorOf(new Uint8Array(field.size(value)));
  field.write(to, value);
  return to.bytes;
}

/** The value that these bytes are; undefined: they are none, or there are more of them. */
export function parse<T>(field: Field<T>, from: Uint8Array): T | undefined {
  const cursor = cursorOf(from);
  const value = field.read(cursor);
  return cursor.at === from.length ? value : undefined;
}
