/**
 * What chunks, parameters and error causes have in common (RFC 9260 sections 3.2, 3.2.1, 3.3.10): a header of four
 * bytes that ends in the length, a body of fixed fields, a tail, and padding to four bytes that the length leaves out.
 *
 *      0                16               32
 *     | type (and flags) | length        | fields ... | tail ... | padding |
 *                        length counts from type to the end of the tail
 *
 * A `Form` is the body of one type: its fields as a list and its tail. A length that lies, or a tail that does not end
 * where the length says, gives undefined: nothing throws on what a peer sent.
 */
import { type FieldList, record, type ValuesOf } from "./record.js";

/** Bytes and a view of the same bytes. */
export interface Span {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function spanOf(bytes: Uint8Array): Span {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** Of a chunk, a parameter and a cause alike. */
export const ITEM_HEADER = 4;
export const ITEM_LENGTH_AT = 2;
const ALIGNMENT = 4;

export function padded(length: number): number {
  return (length + ALIGNMENT - 1) & -ALIGNMENT;
}

/** The part of a body behind its fixed fields. */
export interface Tail<T extends object> {
  /** The tail in [at, end), or undefined when it does not fit exactly. */
  read(from: Span, at: number, end: number): T | undefined;
  size(value: T): number;
  write(to: Span, at: number, value: T): void;
}

export const NO_TAIL: Tail<object> = {
  read: (_from, at, end) => (at === end ? {} : undefined),
  size: () => 0,
  write: () => {},
};

/** The rest as it stands. The bytes are those of the packet, not a copy. */
export const BYTES_TAIL: Tail<{ bytes: Uint8Array }> = {
  read: (from, at, end) => ({ bytes: from.bytes.subarray(at, end) }),
  size: (value) => value.bytes.length,
  write: (to, at, value) => to.bytes.set(value.bytes, at),
};

/** As many numbers of 16 bits as fit. */
export const U16_TAIL: Tail<{ values: number[] }> = {
  read(from, at, end) {
    if ((end - at) % 2 !== 0) return undefined;
    const values: number[] = [];
    for (let i = at; i < end; i += 2) values.push(from.view.getUint16(i));
    return { values };
  },
  size: (value) => value.values.length * 2,
  write(to, at, { values }) {
    for (let i = 0; i < values.length; i++) to.view.setUint16(at + i * 2, values[i]!);
  },
};

/** The body of one type of chunk, parameter or cause. */
export interface Form<V extends object> {
  readonly type: number;
  read(from: Span, at: number, end: number): V | undefined;
  /** Bytes of the body. */
  size(value: V): number;
  write(to: Span, at: number, value: V): void;
}

export function form<const F extends FieldList, T extends object>(
  type: number,
  fields: F,
  tail: Tail<T>,
): Form<T & ValuesOf<F>> {
  const layout = record(fields);
  return {
    type,
    read(from, at, end) {
      if (end - at < layout.size) return undefined;
      const value = tail.read(from, at + layout.size, end);
      return value === undefined ? undefined : layout.read(from.view, at, value);
    },
    size: (value) => layout.size + tail.size(value),
    write(to, at, value) {
      layout.write(to.view, at, value);
      tail.write(to, at + layout.size, value);
    },
  };
}

export type Forms = Readonly<Record<string, Form<object>>>;

/** The value of each form in a table of forms, told apart by `kind`. */
export type ValueOf<T extends Forms> = {
  [Name in keyof T]: { kind: Name } & (T[Name] extends Form<infer V> ? V : never);
}[keyof T];

/** Type -> name and form. */
export function formsByType<T extends Forms>(
  forms: T,
): ReadonlyMap<number, { kind: keyof T & string; form: Form<object> }> {
  return new Map(Object.entries(forms).map(([kind, each]) => [each.type, { kind, form: each }]));
}

/** An item of a type that is not in the table: header, body, without padding. */
export interface Unknown {
  kind: "unknown";
  type: number;
  bytes: Uint8Array;
}

/** A tail that is a list of parameters or causes, at most `countMax` of them. */
export interface ItemList<Item> {
  read(from: Span, at: number, end: number): Item[] | undefined;
  size(items: readonly Item[]): number;
  write(to: Span, at: number, items: readonly Item[]): void;
}

export function itemList<T extends Forms>(forms: T, countMax: number): ItemList<ValueOf<T> | Unknown> {
  type Item = ValueOf<T> | Unknown;
  const byType = formsByType(forms);

  function readItem(from: Span, at: number, length: number): Item | undefined {
    const type = from.view.getUint16(at);
    const known = byType.get(type);
    if (known === undefined) return { kind: "unknown", type, bytes: from.bytes.subarray(at, at + length) };
    const value = known.form.read(from, at + ITEM_HEADER, at + length);
    return value === undefined ? undefined : (Object.assign(value, { kind: known.kind }) as Item);
  }

  function isUnknown(item: Item): item is Unknown {
    return item.kind === "unknown";
  }

  function lengthOf(item: Item): number {
    return isUnknown(item) ? item.bytes.length : ITEM_HEADER + forms[item.kind as string]!.size(item);
  }

  return {
    read(from, start, end) {
      const items: Item[] = [];
      let at = start;
      // The padding of the last item may or may not be in the length of what holds it (RFC 9260 section 3.2).
      while (end - at >= ITEM_HEADER) {
        const length = from.view.getUint16(at + ITEM_LENGTH_AT);
        if (length < ITEM_HEADER || length > end - at || items.length === countMax) return undefined;
        const item = readItem(from, at, length);
        if (item === undefined) return undefined;
        items.push(item);
        at += padded(length);
      }
      return items;
    },
    size(items) {
      let size = 0;
      for (const item of items) size = padded(size) + lengthOf(item);
      return size;
    },
    write(to, start, items) {
      let at = start;
      for (const item of items) {
        const length = lengthOf(item);
        if (isUnknown(item)) {
          to.bytes.set(item.bytes, at);
        } else {
          const itemForm = forms[item.kind as string]!;
          to.view.setUint16(at, itemForm.type);
          to.view.setUint16(at + ITEM_LENGTH_AT, length);
          itemForm.write(to, at + ITEM_HEADER, item);
        }
        at += padded(length);
      }
    },
  };
}
