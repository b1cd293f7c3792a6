/** A list of fields makes a wire record: its size, its reader and its writer. Numbers are in network order. */
import { bigintToBytes, bytesToBigint } from "./ip.js";
import { formatMac, type Mac, macBytes } from "./mac.js";

interface Field<T> {
  readonly size: number;
  read(view: DataView, at: number): T;
  write(view: DataView, at: number, value: T): void;
}

const bytesOf = (view: DataView, at: number, size: number): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset + at, size);

const field = <T>(size: number, read: Field<T>["read"], write: Field<T>["write"]): Field<T> => ({
  size,
  read,
  write,
});

/** A copy of so many bytes; shorter values leave zeros behind them. */
const raw = (size: number): Field<Uint8Array> =>
  field(
    size,
    (view, at) => bytesOf(view, at, size).slice(),
    (view, at, value) => bytesOf(view, at, size).set(value),
  );

const FIELDS = {
  u8: field<number>(
    1,
    (view, at) => view.getUint8(at),
    (view, at, value) => view.setUint8(at, value),
  ),
  u16: field<number>(
    2,
    (view, at) => view.getUint16(at),
    (view, at, value) => view.setUint16(at, value),
  ),
  u32: field<number>(
    4,
    (view, at) => view.getUint32(at),
    (view, at, value) => view.setUint32(at, value),
  ),
  /** An IPv6 address. */
  u128: field<bigint>(
    16,
    (view, at) => bytesToBigint(bytesOf(view, at, 16)),
    (view, at, value) => bytesOf(view, at, 16).set(bigintToBytes(value)),
  ),
  mac: field<Mac>(
    6,
    (view, at) => formatMac(bytesOf(view, at, 6)),
    (view, at, value) => bytesOf(view, at, 6).set(macBytes(value)),
  ),
  bytes8: raw(8),
  bytes16: raw(16),
  bytes20: raw(20),
};

type FieldType = keyof typeof FIELDS;
export type FieldList = Readonly<Record<string, FieldType>>;

/** What a record of these fields holds. */
export type RecordOf<L extends FieldList> = {
  -readonly [K in keyof L]: (typeof FIELDS)[L[K]] extends Field<infer T> ? T : never;
};

export interface WireRecord<L extends FieldList> {
  readonly size: number;
  /** Where a field stands. */
  offsetOf(name: keyof L): number;
  /** Undefined: fewer than `size` bytes from `at` on. */
  parse(bytes: Uint8Array, at?: number): RecordOf<L> | undefined;
  emit(values: RecordOf<L>): Uint8Array;
}

/** Fields in the order in which they stand on the wire, without gaps. */
export function record<const L extends FieldList>(list: L): WireRecord<L> {
  const fields: { readonly name: string; readonly at: number; readonly field: Field<unknown> }[] = [];
  let size = 0;
  for (const name of Object.keys(list)) {
    const of = FIELDS[list[name]!] as Field<unknown>;
    fields.push({ name, at: size, field: of });
    size += of.size;
  }
  const offsets = new Map(fields.map(({ name, at }): [keyof L, number] => [name, at]));
  return {
    size,
    offsetOf: (name) => offsets.get(name)!,
    parse(bytes, start = 0) {
      if (bytes.length - start < size) return undefined;
      const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
      const values: Record<string, unknown> = {};
      for (const { name, at, field } of fields) values[name] = field.read(view, at);
      return values as RecordOf<L>;
    },
    emit(values) {
      const bytes = new Uint8Array(size);
      const view = new DataView(bytes.buffer);
      for (const { name, at, field } of fields)
        field.write(view, at, (values as Record<string, unknown>)[name]);
      return bytes;
    },
  };
}
