/**
 * What a command of the configuration is: one row of the table. Its syntax string is grammar, help and completion;
 * beside what it does to the model stands how the model is written back, so that the running configuration cannot
 * forget it.
 */
import type { Arguments } from "./arguments.js";
import type {
  AccessList,
  Config,
  InterDevice,
  Interface,
  IpcAssociation,
  IpcZone,
  KeyChain,
  ObjectGroup,
  Position,
  TerminalLine,
  TimeRange,
} from "./model.js";

/** The part of the model that the commands of each mode act on. */
export interface Scopes {
  global: Config;
  interface: Interface;
  "standard-list": AccessList;
  "extended-list": AccessList;
  "ipv6-list": AccessList;
  "network-group": ObjectGroup;
  "service-group": ObjectGroup;
  "v6-network-group": ObjectGroup;
  "v6-service-group": ObjectGroup;
  "time-range": TimeRange;
  "inter-device": InterDevice;
  "ipc-zone": IpcZone;
  "ipc-association": IpcAssociation;
  "ipc-protocol": IpcAssociation;
  "ipc-local": IpcAssociation;
  "ipc-remote": IpcAssociation;
  "key-chain": KeyChain;
  key: { id: number; keyString?: string };
  line: TerminalLine;
  /** Blocks whose lines have no effect here, or that are refused as a whole. */
  "control-plane": Config;
  "voice-card": Config;
  opaque: Config;
}
export type Mode = keyof Scopes;

/** What is known of a mode besides its commands. */
export interface ModeFacts {
  /** The mode that `exit` returns to. */
  readonly parent?: Mode;
  /** What stands in the prompt. */
  readonly prompt: string;
  /** The mode has the commands of this one, so that a text may print them flat. */
  readonly commandsOf?: Mode;
}

export const MODES: { readonly [M in Mode]: ModeFacts } = {
  global: { prompt: "config" },
  interface: { parent: "global", prompt: "config-if" },
  "standard-list": { parent: "global", prompt: "config-std-nacl" },
  "extended-list": { parent: "global", prompt: "config-ext-nacl" },
  "ipv6-list": { parent: "global", prompt: "config-ipv6-acl" },
  "network-group": { parent: "global", prompt: "config-network-group" },
  "service-group": { parent: "global", prompt: "config-service-group" },
  "v6-network-group": { parent: "global", prompt: "config-v6network-group" },
  "v6-service-group": { parent: "global", prompt: "config-v6service-group" },
  "time-range": { parent: "global", prompt: "config-time-range" },
  "inter-device": { parent: "global", prompt: "config-red-interdevice" },
  "ipc-zone": { parent: "global", prompt: "config-ipczone" },
  "ipc-association": { parent: "ipc-zone", prompt: "config-ipczone-assoc" },
  "ipc-protocol": { parent: "ipc-association", prompt: "config-ipc-protocol-sctp" },
  "ipc-local": { parent: "ipc-protocol", prompt: "config-ipc-local-sctp", commandsOf: "ipc-protocol" },
  "ipc-remote": { parent: "ipc-protocol", prompt: "config-ipc-remote-sctp", commandsOf: "ipc-protocol" },
  "key-chain": { parent: "global", prompt: "config-keychain" },
  key: { parent: "key-chain", prompt: "config-keychain-key" },
  line: { parent: "global", prompt: "config-line" },
  "control-plane": { parent: "global", prompt: "config-cp" },
  "voice-card": { parent: "global", prompt: "config-voicecard" },
  opaque: { parent: "global", prompt: "config" },
};

/** Why a line that reads well is not applied. `argument` names the word to mark; without it, the whole line. */
export interface Failure {
  readonly failure: string;
  readonly argument?: string;
}

export function fail(failure: string, argument?: string): Failure {
  return argument === undefined ? { failure } : { failure, argument };
}

export function isFailure(value: unknown): value is Failure {
  return typeof value === "object" && value !== null && "failure" in value;
}

/** What a command knows besides its arguments. */
export interface Context {
  readonly config: Config;
  /** Where the line stands. */
  readonly at: Position;
  /** A remark on a line that was applied, or was not needed. */
  warn(message: string): void;
}

type Done = Failure | undefined;

/** What all rows have. */
interface Common<M extends Mode, S extends string> {
  mode: M;
  syntax: S;
  /** One short phrase for `?`. */
  help: string;
  /** A line that the row reads. */
  example: string;
  /** What `show` makes of the example, where that is not the same text: another spelling, or nothing. */
  shown?: string | null;
}

/** A command that acts. `A` are its arguments, `Child` the mode it enters, `Item` what `show` writes one by one. */
export interface Action<M extends Mode, S extends string, A, Child extends Mode, Item> extends Common<M, S> {
  /** Applies the line, or changes nothing and says why. In a row that `enters` a mode, gives that mode's scope. */
  set?(scope: Scopes[M], args: A, context: Context): Scopes[Child] | Done;
  /** `no` with as few of the arguments as the user gives. */
  unset?(scope: Scopes[M], args: Partial<A>, context: Context): Done;
  /** `no` of one thing among several: all arguments are needed. */
  remove?(scope: Scopes[M], args: A, context: Context): Done;
  /** `default`, where it differs from `no`. */
  reset?(scope: Scopes[M], args: Partial<A>, context: Context): Done;
  /** The mode that the following lines are read in. */
  enters?: Child;
  /** The lines that the row writes. */
  show?(item: Item, config: Config): string[];
  /** The blocks that the row writes, and the first line of each. */
  blocks?(scope: Scopes[M], config: Config): Iterable<Scopes[Child]>;
  header?(child: Scopes[Child]): string;
  /** Neighbouring rows with the same `each` are written item by item (all lines of HSRP group 1, then of 2). */
  each?(scope: Scopes[M]): Iterable<Item>;
}

/** A command that is known, kept for the round trip, and has no effect here. `set` may record what checks need. */
export interface Note<M extends Mode, S extends string> extends Common<M, S> {
  /** Why it has no effect. */
  note: string;
  set?(scope: Scopes[M], args: Arguments<S>, context: Context): undefined;
  unset?(scope: Scopes[M], args: Partial<Arguments<S>>, context: Context): undefined;
  reset?(scope: Scopes[M], args: Partial<Arguments<S>>, context: Context): undefined;
  enters?: Mode;
  /** The last argument is a text that goes on over several lines, to the delimiter that it begins with. */
  delimited?: boolean;
}

/** A command that would change what the firewall does if it were ignored. */
export interface Refused<M extends Mode, S extends string> extends Common<M, S> {
  /** Why it is refused. */
  refuse: string;
  enters?: Mode;
}

/** A row, its types forgotten: what the parser and the writer see. */
export interface Row {
  readonly mode: Mode;
  readonly syntax: string;
  readonly help: string;
  readonly example: string;
  readonly shown?: string | null;
  readonly enters?: Mode;
  readonly note?: string;
  readonly refuse?: string;
  readonly delimited?: boolean;
  set?(scope: unknown, args: unknown, context: Context): unknown;
  unset?(scope: unknown, args: unknown, context: Context): unknown;
  remove?(scope: unknown, args: unknown, context: Context): unknown;
  reset?(scope: unknown, args: unknown, context: Context): unknown;
  show?(item: unknown, config: Config): string[];
  blocks?(scope: unknown, config: Config): Iterable<unknown>;
  header?(child: unknown): string;
  each?(scope: unknown): Iterable<unknown>;
}

/** A row that acts on the model. */
export function command<M extends Mode, const S extends string, Child extends Mode = never, Item = Scopes[M]>(
  row: Action<M, S, Arguments<S>, Child, Item>,
): Row {
  return row as unknown as Row;
}

/** The same for a syntax that is put together from parts: its arguments are stated. */
export function commandWith<A>() {
  return <M extends Mode, Child extends Mode = never, Item = Scopes[M]>(
    row: Action<M, string, A, Child, Item>,
  ): Row => row as unknown as Row;
}

/** A row that is accepted, kept, and has no effect here. */
export function note<M extends Mode, const S extends string>(row: Note<M, S>): Row {
  return row as unknown as Row;
}

/** A row that is refused with its reason. */
export function refused<M extends Mode, const S extends string>(row: Refused<M, S>): Row {
  return row as unknown as Row;
}

/** Makes the notes of a mode, for tables of them. */
export const notesOf =
  (mode: Mode) =>
  (syntax: string, example: string, help: string, why: string, enters?: Mode): Row =>
    note({ mode, syntax, example, help, note: why, ...(enters && { enters }) });

/** Makes the refused commands of a mode, for tables of them. */
export const refusalsOf =
  (mode: Mode) =>
  (syntax: string, example: string, help: string, refuse: string, enters?: Mode): Row =>
    refused({ mode, syntax, example, help, refuse, ...(enters && { enters }) });
