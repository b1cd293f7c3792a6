/** Lists in which each key stands once, fast also when a text repeats a command a hundred thousand times. */

const indexes = new WeakMap<readonly unknown[], Map<string, number>>();

function indexOf<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const known = indexes.get(list);
  if (known !== undefined && known.size === list.length) return known;
  const index = new Map(list.map((item, n) => [keyOf(item), n]));
  indexes.set(list, index);
  return index;
}

/** The item of this key. A list must always be asked with the same `keyOf`, and must not be reordered in place. */
export function find<T>(list: readonly T[], key: string, keyOf: (item: T) => string): T | undefined {
  const at = indexOf(list, keyOf).get(key);
  return at === undefined ? undefined : list[at];
}

/** Puts an item in the place of the one with the same key, or at the end. */
export function put<T>(list: T[], item: T, keyOf: (item: T) => string): undefined {
  const index = indexOf(list, keyOf);
  const key = keyOf(item);
  const at = index.get(key);
  if (at !== undefined) list[at] = item;
  else {
    index.set(key, list.length);
    list.push(item);
  }
}

/** Takes out the item of this key. */
export function remove<T>(list: T[], key: string, keyOf: (item: T) => string): undefined {
  const index = indexOf(list, keyOf);
  const at = index.get(key);
  if (at === undefined) return;
  list.splice(at, 1);
  index.delete(key);
  for (const [other, position] of index) if (position > at) index.set(other, position - 1);
}
