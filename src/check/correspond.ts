/**
 * Which interface of one box is which of the other. Interface names may differ between two boxes of a pair; the names
 * of the HSRP groups may not. So first the network and the group name together decide, then the network, then the
 * group name, then the interface name.
 */
import type { Config, Interface } from "../config/model.js";
import { isUp, primaryNetwork, sameNetwork } from "./topology.js";

export interface Counterparts {
  a: Interface;
  b: Interface;
  /** What both are called when the boxes are compared: the name of their HSRP group, else A's interface name. */
  role: string;
}

/** Each interface is in one pair of counterparts at most. */
export function counterparts(a: Config, b: Config): Counterparts[] {
  const found: Counterparts[] = [];
  const matched = new Set<Interface>();
  const open = (config: Config) => [...config.interfaces.values()].filter((each) => !matched.has(each));
  const match = (fits: (one: Interface, other: Interface) => string | undefined) => {
    for (const one of open(a)) {
      for (const other of open(b)) {
        const role = fits(one, other);
        if (role === undefined) continue;
        found.push({ a: one, b: other, role });
        matched.add(one).add(other);
        break;
      }
    }
  };
  const sharedName = (one: Interface, other: Interface) =>
    groupNames(one).find((name) => groupNames(other).includes(name));
  const onOneLan = (one: Interface, other: Interface) =>
    isUp(one) && isUp(other) && sameNetwork(primaryNetwork(one), primaryNetwork(other));
  match((one, other) => (onOneLan(one, other) ? sharedName(one, other) : undefined));
  match((one, other) => (onOneLan(one, other) ? (groupNames(one)[0] ?? one.name) : undefined));
  match(sharedName);
  match((one, other) => (one.name === other.name ? one.name : undefined));
  return found;
}

function groupNames(on: Interface): string[] {
  return [...on.standby.groups.values()].flatMap((group) => group.name?.value ?? []);
}

/** The counterparts on which HSRP runs at both ends, or at one of them. */
export function standbyCounterparts(a: Config, b: Config): Counterparts[] {
  return counterparts(a, b).filter(
    ({ a: one, b: other }) => one.standby.groups.size > 0 || other.standby.groups.size > 0,
  );
}
