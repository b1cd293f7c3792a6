/** The interfaces of a policy: their numbers, and what the core must know of each. */
import * as L from "../../assembly/layout.js";
import type { Config, Interface } from "../config/model.js";
import { interfaceName } from "../config/arguments.js";
import { type Interner, NUMBERING_LIMITS } from "./numbering.js";
import { NOWHERE, type Problems } from "./problems.js";

export interface PolicyInterface {
  readonly number: number;
  readonly name: string;
  /** Neither it nor the interface that carries it is shut down. */
  readonly up: boolean;
  /** Number of the interface that carries this subinterface; 0 none. */
  readonly parent: number;
  /** VLAN id of a subinterface; 0 none. */
  readonly vlan: number;
  readonly hasSubinterfaces: boolean;
  /** Number of the subinterface that frames without a tag belong to (`encapsulation dot1Q N native`); 0: none. */
  readonly native: number;
  /** Six bytes, when frames to other stations are to be dropped. */
  readonly mac?: readonly number[];
  /** Largest IP packet that it sends, bytes; 0 any. That of what carries it holds for a subinterface without one. */
  readonly mtu: number;
  /** Undefined: a later configuration no longer has it. */
  readonly config?: Interface;
}

/** Every link carries an IPv4 packet of this size (RFC 791 3.2); no IP packet is longer than the other. */
const MTU_MIN = 68;
const MTU_MAX = 65535;

/** Whether the interface takes part in IP routing at all. */
export function hasAddress({ addresses, addresses6 }: Interface): boolean {
  return addresses.length > 0 || addresses6.length > 0;
}

/** The physical interface of a subinterface's name: `GigabitEthernet0/0` of `GigabitEthernet0/0.10`. */
function parentName(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot === -1 ? undefined : name.slice(0, dot);
}

/** `aa:bb:cc:dd:ee:ff`, `aa-bb-...` or `aabb.ccdd.eeff` to six bytes; undefined when it is none of them. */
export function parseMac(text: string): number[] | undefined {
  const separated = /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(text);
  if (!separated && !/^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$/i.test(text)) return undefined;
  const digits = text.replace(/[^0-9a-f]/gi, "");
  return Array.from({ length: 6 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/**
 * The number of an interface given by its full or abbreviated name (`Gi0/0`, `gigabitethernet 0/0`).
 * @returns undefined when there is none of that name.
 */
export function findInterface(names: readonly string[], wanted: string): number | undefined {
  const compact = wanted.replace(/\s+/g, "");
  const full = interfaceName(compact) ?? compact;
  const number = names.indexOf(full, 1);
  return number === -1 ? undefined : number;
}

/** The tag that frames of an interface leave with; 0 none: it is no subinterface, or that of the native VLAN. */
export function tagOf(each: Interface | undefined): number {
  return each?.encapsulation === undefined || each.encapsulation.native ? 0 : each.encapsulation.vlan;
}

/** An interface that the configuration only lists, as IOS does with every empty slot. */
function isIdle(each: Interface): boolean {
  return !hasAddress(each) && each.accessGroups.length === 0 && each.inspect.length === 0;
}

/**
 * Numbers the interfaces and gathers what the core needs; the result is indexed by number. When a configuration has
 * more than there are numbers for, those that take no part in routing are left out.
 * @param devices MAC addresses and MTUs by interface name.
 */
export function compileInterfaces(
  config: Config,
  numbers: Interner<string>,
  devices: { readonly macs: ReadonlyMap<string, string>; readonly mtus: ReadonlyMap<string, number> },
  problems: Problems,
): PolicyInterface[] {
  const all = [...config.interfaces.values()];
  const parents = new Set(all.map(({ name }) => parentName(name)));
  const fits = all.length < NUMBERING_LIMITS.interfaces;
  for (const each of fits ? all : all.filter((other) => !isIdle(other) || parents.has(other.name))) {
    if (numbers.intern(each.name) !== undefined) continue;
    problems.error(each.at, `more than ${NUMBERING_LIMITS.interfaces - 1} interfaces take part in routing`);
    break;
  }
  const addresses = compileMacs(numbers.values, devices.macs, problems);
  const mtus = compileMtus(numbers.values, devices.mtus, problems);
  return numbers.values.map((name, number) => {
    const own = config.interfaces.get(name);
    const carrier = config.interfaces.get(parentName(name) ?? "");
    if (own?.encapsulation && carrier === undefined) {
      problems.warning(own.at, `${name} has no interface ${parentName(name)}: no frame will reach it`);
    }
    return {
      number,
      name,
      up: own !== undefined && !own.shutdown && !(carrier?.shutdown ?? false),
      parent: (carrier && own?.encapsulation && numbers.numberOf(carrier.name)) ?? 0,
      vlan: own?.encapsulation?.vlan ?? 0,
      hasSubinterfaces: own !== undefined && parents.has(name),
      native: numbers.numberOf(nativeOf(name, all) ?? "") ?? 0,
      mac: addresses.get(number) ?? addresses.get((carrier && numbers.numberOf(carrier.name)) ?? 0),
      mtu: mtus.get(number) ?? mtus.get((carrier && numbers.numberOf(carrier.name)) ?? 0) ?? 0,
      config: own,
    };
  });
}

/** The subinterface of a port whose frames have no tag: the first that says so. */
function nativeOf(name: string, all: readonly Interface[]): string | undefined {
  return all.find((each) => parentName(each.name) === name && each.encapsulation?.native === true)?.name;
}

function compileMacs(
  names: readonly string[],
  macs: ReadonlyMap<string, string>,
  problems: Problems,
): Map<number, number[]> {
  const addresses = new Map<number, number[]>();
  for (const [name, text] of macs) {
    const number = findInterface(names, name);
    const mac = parseMac(text);
    if (number === undefined)
      problems.error(NOWHERE, `a MAC address is given for ${name}, which is no interface here`);
    if (mac === undefined) problems.error(NOWHERE, `"${text}" is no MAC address (interface ${name})`);
    if (number !== undefined && mac !== undefined) addresses.set(number, mac);
  }
  return addresses;
}

function compileMtus(
  names: readonly string[],
  mtus: ReadonlyMap<string, number>,
  problems: Problems,
): Map<number, number> {
  const compiled = new Map<number, number>();
  for (const [name, mtu] of mtus) {
    const number = findInterface(names, name);
    if (number === undefined)
      problems.error(NOWHERE, `an MTU is given for ${name}, which is no interface here`);
    const sound = Number.isInteger(mtu) && (mtu === 0 || (mtu >= MTU_MIN && mtu <= MTU_MAX));
    if (!sound)
      problems.error(NOWHERE, `${mtu} is no MTU (interface ${name}): ${MTU_MIN} to ${MTU_MAX}, or 0`);
    if (number !== undefined && sound) compiled.set(number, mtu);
  }
  return compiled;
}

/** Whether the configuration lets the interface take part in a version of IP: an address, a list or an inspection. */
export function usesFamily(config: Interface | undefined, family: 4 | 6): boolean {
  if (config === undefined) return false;
  const addressed =
    family === 4 ? config.addresses.length > 0 : config.addresses6.length > 0 || config.ipv6Enable === true;
  return (
    addressed || [...config.accessGroups, ...config.inspect].some((binding) => binding.family === family)
  );
}

/** The flags byte of an interface record; `families` are those that it takes part in whatever it says itself. */
export function interfaceFlags(each: PolicyInterface, families: ReadonlySet<4 | 6>): number {
  const { up, mac, hasSubinterfaces, native, config } = each;
  return (
    (up ? L.IF_UP : 0) |
    (mac ? L.IF_CHECK_MAC : 0) |
    (hasSubinterfaces ? L.IF_VLAN_STRICT : 0) |
    (native !== 0 ? L.IF_NATIVE : 0) |
    (families.has(4) || usesFamily(config, 4) ? L.IF_IP4 : 0) |
    (families.has(6) || usesFamily(config, 6) ? L.IF_IP6 : 0) |
    (config?.virtualReassembly?.dropFragments ? L.IF_DROP_FRAGMENTS4 : 0) |
    (config?.virtualReassembly6?.dropFragments ? L.IF_DROP_FRAGMENTS6 : 0)
  );
}

/** The inspection bindings of an interface, in the order of their bits in I_STATEFUL. */
const BINDING_ORDER = ["in4", "out4", "in6", "out6"];

/** Which inspection bindings say `redundancy stateful`. */
export function statefulFlags(config: Interface | undefined): number {
  return (config?.inspect ?? [])
    .filter(({ stateful }) => stateful !== undefined)
    .reduce(
      (flags, { direction, family }) => flags | (1 << BINDING_ORDER.indexOf(`${direction}${family}`)),
      0,
    );
}

/** The uRPF byte of one family. */
export function reversePathFlags(config: Interface | undefined, family: 4 | 6): number {
  const check = config?.verifySource.find((each) => each.family === family);
  if (check === undefined) return L.RPF_OFF;
  return (check.via === "rx" ? L.RPF_RX : L.RPF_ANY) | (check.allowDefault ? L.RPF_ALLOW_DEFAULT : 0);
}
