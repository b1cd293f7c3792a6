/**
 * Field lists: one list of names and kinds gives the size of a fixed part, its type, and how it is read and written.
 * All numbers are in network byte order.
 */

/** `f64` is for instants inside our own opaque fields (cookie, heartbeat), which no other host reads. */
export type FieldKind = "u8" | "u16" | "u32" | "u128" | "f64";
export type FieldList = Readonly<Record<string, FieldKind>>;
export type ValuesOf<F extends FieldList> = {
  -readonly [Name in keyof F]: F[Name] extends "u128" ? bigint : number;
};

interface Kind {
  readonly size: number;
  read(view: DataView, at: number): number | bigint;
  write(view: DataView, at: number, value: never): void;
}

const HALF_BITS = 64n;
const HALF = (1n << HALF_BITS) - 1n;

const KINDS: Readonly<Record<FieldKind, Kind>> = {
  u8: {
    size: 1,
    read: (view, at) => view.getUint8(at),
    write: (view, at, value) => view.setUint8(at, value),
  },
  u16: {
    size: 2,
    read: (view, at) => view.getUint16(at),
    write: (view, at, value) => view.setUint16(at, value),
  },
  u32: {
    size: 4,
    read: (view, at) => view.getUint32(at),
    write: (view, at, value) => view.setUint32(at, value),
  },
  u128: {
    size: 16,
    read: (view, at) => (view.getBigUint64(at) << HALF_BITS) | view.getBigUint64(at + 8),
    write(view, at, value: bigint) {
      view.setBigUint64(at, value >> HALF_BITS);
      view.setBigUint64(at + 8, value & HALF);
    },
  },
  f64: {
    size: 8,
    read: (view, at) => view.getFloat64(at),
    write: (view, at, value) => view.setFloat64(at, value),
  },
};

export interface Layout<F extends FieldList> {
  /** Bytes. */
  readonly size: number;
  /** Puts the fields at `at` into `into` and returns it. The caller has made sure that `size` bytes are there. */
  read<T extends object>(view: DataView, at: number, into: T): T & ValuesOf<F>;
  write(view: DataView, at: number, values: Readonly<ValuesOf<F>>): void;
}

export function record<const F extends FieldList>(fields: F): Layout<F> {
  const rows: { name: string; kind: Kind; offset: number }[] = [];
  let size = 0;
  for (const [name, kindName] of Object.entries(fields)) {
    const kind = KINDS[kindName];
    rows.push({ name, kind, offset: size });
    size += kind.size;
  }
  return {
    size,
    read<T extends object>(view: DataView, at: number, into: T) {
      const values = into as Record<string, number | bigint>;
      for (const row of rows) values[row.name] = row.kind.read(view, at + row.offset);
      return into as T & ValuesOf<F>;
    },
    write(view, at, values) {
      for (const row of rows) row.kind.write(view, at + row.offset, values[row.name] as never);
    },
  };
}
