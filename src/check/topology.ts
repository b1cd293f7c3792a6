/**
 * What a configuration says about its place in the network: which interfaces take part in failover, their HSRP
 * groups with the timers in force, the addresses, the synchronisation association. Questions only, no judgement.
 */
import {
  type Config,
  DEFAULTS,
  type Family,
  type Interface,
  type IpcAssociation,
  type Position,
  type StandbyGroup,
} from "../config/model.js";
import { type Address, inPrefix, ipv4Mask, ipv6Mask } from "../ip.js";

/** One HSRP group with the interface it stands on. */
export interface Standby {
  interface: Interface;
  group: StandbyGroup;
}

/** Every HSRP group of the box, in the order of the text. */
export function standbyGroups(config: Config): Standby[] {
  return [...config.interfaces.values()].flatMap((each) =>
    [...each.standby.groups.values()].map((group) => ({ interface: each, group })),
  );
}

/** `GigabitEthernet0/0 group 1`, for messages. */
export function standbyName(standby: Standby): string {
  return `${standby.interface.name} group ${standby.group.group}`;
}

/** The groups called `name`; a sound box has one at most. */
export function groupsNamed(config: Config, name: string): Standby[] {
  return standbyGroups(config).filter(({ group }) => group.name?.value === name);
}

/** The group that the failover scheme follows (`scheme standby NAME`), if there is one. */
export function schemeGroup(config: Config): Standby | undefined {
  const name = config.redundancy?.scheme?.name;
  return name === undefined ? undefined : groupsNamed(config, name)[0];
}

export function hsrpVersion(on: Interface): 1 | 2 {
  return on.standby.version?.value ?? 1;
}

export const VERSION_1_GROUPS_LAST = 255;

/** Whether something on the interface exists in HSRP version 2 only: a group above 255, an IPv6 group. */
export function needsVersion2(on: Interface): boolean {
  return [...on.standby.groups.values()].some(
    (group) => group.group > VERSION_1_GROUPS_LAST || group.ipv6 !== undefined,
  );
}

export function helloMs(group: StandbyGroup): number {
  return group.timers?.helloMs ?? DEFAULTS.standbyHelloMs;
}

export function holdMs(group: StandbyGroup): number {
  return group.timers?.holdMs ?? DEFAULTS.standbyHoldMs;
}

/** The virtual addresses of a group that are written out: primary, secondary, IPv6. */
export function virtualAddresses(
  group: StandbyGroup,
): { address: Address; at: Position; secondary: boolean }[] {
  const found: { address: Address; at: Position; secondary: boolean }[] = [];
  if (group.ip !== undefined && group.ip.address !== "learn") {
    found.push({ address: group.ip.address, at: group.ip.at, secondary: false });
  }
  for (const each of group.secondaryIps) found.push({ address: each.address, at: each.at, secondary: true });
  if (group.ipv6 !== undefined && group.ipv6.address !== "autoconfig") {
    found.push({ address: group.ipv6.address, at: group.ipv6.at, secondary: false });
  }
  return found;
}

/** One address of one interface. */
export interface OwnAddress {
  interface: Interface;
  address: Address;
  prefixLength: number;
  /** IPv6 link-local addresses mean something on their link only. */
  linkLocal: boolean;
  at: Position;
}

/** The addresses of an interface, the primary IPv4 address first. An address built by EUI-64 is not known here. */
export function addressesOf(on: Interface): OwnAddress[] {
  return [
    ...on.addresses.map((each) => ({ ...each, interface: on, linkLocal: false })),
    ...on.addresses6.filter((each) => !each.eui64).map((each) => ({ ...each, interface: on })),
  ];
}

/** Every address of the box, those of interfaces that are shut included. */
export function ownAddresses(config: Config): OwnAddress[] {
  return [...config.interfaces.values()].flatMap(addressesOf);
}

export interface Network {
  network: Address;
  prefixLength: number;
}

/** The networks that an interface is connected to; link-local ones are on every link and not counted. */
export function networksOf(on: Interface, family: Family): Network[] {
  const networks = family === 4 ? on.addresses : on.addresses6.filter((each) => !each.linkLocal);
  return networks.map(({ address, prefixLength }) => ({
    network: networkOf(address, prefixLength),
    prefixLength,
  }));
}

export function primaryNetwork(on: Interface): Network | undefined {
  return networksOf(on, 4)[0];
}

export function sameNetwork(one: Network | undefined, other: Network | undefined): boolean {
  return one !== undefined && one.network === other?.network && one.prefixLength === other.prefixLength;
}

export function overlaps(one: Network, other: Network): boolean {
  const shorter = Math.min(one.prefixLength, other.prefixLength);
  return inPrefix(one.network, other.network, shorter);
}

export function networkOf(address: Address, prefixLength: number): Address {
  return typeof address === "number"
    ? (address & ipv4Mask(prefixLength)) >>> 0
    : address & ipv6Mask(prefixLength);
}

/** `fe80::/10`. */
export const LINK_LOCAL: Network = { network: 0xfe80n << 112n, prefixLength: 10 };

export function isLinkLocal(address: Address): boolean {
  return inPrefix(address, LINK_LOCAL.network, LINK_LOCAL.prefixLength);
}

export function isUp(on: Interface): boolean {
  return !on.shutdown;
}

export function hasAddress(on: Interface): boolean {
  return on.addresses.length > 0 || on.addresses6.length > 0 || on.ipv6Enable === true;
}

/** Whether the box is one of a pair with stateful failover. */
export function isFailoverConfigured(config: Config): boolean {
  return config.redundancy?.scheme !== undefined;
}

/** The interfaces that fail over together: those with an HSRP group, and those with stateful inspection. */
export function failoverInterfaces(config: Config): Interface[] {
  return [...config.interfaces.values()].filter(
    (each) =>
      isUp(each) &&
      (each.standby.groups.size > 0 || each.inspect.some((binding) => binding.stateful !== undefined)),
  );
}

/** The association in use: the one of the lowest number that is not shut down, else the lowest. */
export function usedAssociation(config: Config): IpcAssociation | undefined {
  const all = [...(config.ipc?.associations.values() ?? [])].sort((x, y) => x.id - y.id);
  return all.find((each) => !each.shutdown) ?? all[0];
}

/** The UDP port that packets of an association travel from and to; undefined: they travel over IP. */
export function encapsulationPort({ encapsulation }: IpcAssociation): number | undefined {
  if (encapsulation?.kind === "ip") return undefined;
  return encapsulation?.port ?? DEFAULTS.encapsulationPort;
}

/** `GigabitEthernet0/1.20` -> `GigabitEthernet0/1`; another interface is its own port. */
export function portOf(interfaceName: string): string {
  return interfaceName.split(".")[0]!;
}

/** The words that start the name: `GigabitEthernet0/0` -> `GigabitEthernet`. */
export function interfaceType(interfaceName: string): string {
  return /^[A-Za-z-]*/.exec(interfaceName)![0];
}

/** Whether inspected sessions leave through this interface: nothing behind it is inside. */
export function isOutside(config: Config, on: Interface): boolean {
  if (on.inspect.some((binding) => binding.direction === "out")) return true;
  if (on.inspect.length > 0) return false;
  const bound = [...config.interfaces.values()].filter(isUp).flatMap((each) => each.inspect);
  return bound.some((each) => each.direction === "in") && !bound.some((each) => each.direction === "out");
}

/** Milliseconds as messages write them: 5000 -> `5 s`, 750 -> `0.75 s`. */
export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
