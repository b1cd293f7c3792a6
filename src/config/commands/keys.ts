/** `key chain`: keys that HSRP authenticates with. */
import { command, fail, note, type Row } from "../command.js";

const LIFETIMES = "keys are valid at all times";

export const KEY_CHAINS: readonly Row[] = [
  command({
    mode: "global",
    syntax: "key chain <name:word>",
    help: "keys for authentication",
    example: "key chain HSRP-KEYS",
    enters: "key-chain",
    set: (config, a, { at }) => {
      const known = config.keyChains.get(a.name);
      if (known) return known;
      const made = { at, name: a.name, keys: new Map() };
      config.keyChains.set(a.name, made);
      return made;
    },
    remove: (config, a) => {
      config.keyChains.delete(a.name);
    },
    blocks: (config) => config.keyChains.values(),
    header: ({ name }) => `key chain ${name}`,
  }),
  command({
    mode: "key-chain",
    syntax: "key <id:0-2147483647>",
    help: "a key",
    example: "key 1",
    enters: "key",
    set: ({ keys }, a) => {
      const known = keys.get(a.id);
      if (known) return known;
      const made = { id: a.id };
      keys.set(a.id, made);
      return made;
    },
    remove: ({ keys }, a) => {
      keys.delete(a.id);
    },
    blocks: ({ keys }) => keys.values(),
    header: ({ id }) => `key ${id}`,
  }),
  command({
    mode: "key",
    syntax: "key-string [<kind:0-7>] <text:key-string>",
    help: "the text of the key",
    example: "key-string HAkey",
    set: (key, a) => {
      if (a.kind !== undefined && a.kind !== 0) {
        return fail(`a key of type ${a.kind} cannot be read: give it in clear`, "kind");
      }
      key.keyString = a.text;
      return undefined;
    },
    unset: (key) => {
      key.keyString = undefined;
    },
    show: ({ keyString }) =>
      keyString === undefined
        ? []
        : [`key-string ${/^[0-7]$/.test(keyString) ? `0 ${keyString}` : keyString}`],
  }),
  note({
    mode: "key",
    syntax: "accept-lifetime <text:line>",
    help: "when the key is accepted",
    example: "accept-lifetime 00:00:00 Jan 1 2030 infinite",
    note: LIFETIMES,
  }),
  note({
    mode: "key",
    syntax: "send-lifetime <text:line>",
    help: "when the key is used",
    example: "send-lifetime 00:00:00 Jan 1 2030 infinite",
    note: LIFETIMES,
  }),
];
