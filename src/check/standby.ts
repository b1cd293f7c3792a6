/**
 * Rules about the HSRP groups of one box: their names, virtual addresses, priorities and version.
 */
import { type Config, DEFAULTS, type Interface } from "../config/model.js";
import { type Address, formatAddress, inPrefix, ipv4Mask } from "../ip.js";
import type { Draft } from "./finding.js";
import {
  groupsNamed,
  hsrpVersion,
  isLinkLocal,
  isUp,
  networksOf,
  overlaps,
  ownAddresses,
  primaryNetwork,
  type Standby,
  standbyGroups,
  standbyName,
  VERSION_1_GROUPS_LAST,
  virtualAddresses,
} from "./topology.js";

/** V01. The scheme names exactly one group, and that group can become active. */
export function schemeNamesOneGroup(config: Config): Draft[] {
  const { redundancy } = config;
  if (redundancy === undefined) return [];
  if (redundancy.scheme === undefined) {
    return [
      {
        severity: "warning",
        at: redundancy.at,
        message: "redundancy inter-device has no scheme, so there is no failover",
        mend: "scheme standby NAME, with the name of an HSRP group",
      },
    ];
  }
  const { name, at } = redundancy.scheme;
  const [found, second] = groupsNamed(config, name);
  if (found === undefined) {
    const known = standbyGroups(config).flatMap(({ group }) => group.name?.value ?? []);
    const candidates = known.length > 0 ? `; the groups are called ${known.join(", ")}` : "";
    return [
      {
        at,
        message: `scheme standby ${name}: no HSRP group has this name${candidates}`,
        mend: `standby GROUP name ${name} on the inside interface, or name an existing group in the scheme`,
      },
    ];
  }
  if (second !== undefined) {
    return [
      {
        at,
        other: second.group.name!.at,
        message: `scheme standby ${name}: both ${standbyName(found)} and ${standbyName(second)} have this name`,
        mend: `standby ${second.group.group} name OTHER-NAME on ${second.interface.name}`,
      },
    ];
  }
  if (isUp(found.interface)) return [];
  return [
    {
      severity: "warning",
      at,
      other: found.interface.at,
      message: `scheme standby ${name}: ${found.interface.name} is shut down, so its group is never active`,
      mend: `no shutdown on ${found.interface.name}`,
    },
  ];
}

/** V03. */
export function namesAreUnique(config: Config): Draft[] {
  const first = new Map<string, Standby>();
  return standbyGroups(config).flatMap((standby): Draft[] => {
    const { name } = standby.group;
    if (name === undefined) return [];
    const earlier = first.get(name.value);
    if (earlier === undefined) {
      first.set(name.value, standby);
      return [];
    }
    return [
      {
        at: name.at,
        other: earlier.group.name!.at,
        message: `${standbyName(standby)} is called ${name.value}, as is ${standbyName(earlier)}`,
        mend: `standby ${standby.group.group} name OTHER-NAME on ${standby.interface.name}`,
      },
    ];
  });
}

/** V04. A group has a virtual address, and is the only one of its number on its LAN. */
export function groupsAreInstances(config: Config): Draft[] {
  const groups = standbyGroups(config);
  return groups.flatMap((standby, index): Draft[] => {
    const { group, interface: on } = standby;
    const network = primaryNetwork(on);
    const twin = groups.slice(0, index).find(({ interface: other, group: otherGroup }) => {
      const otherNetwork = primaryNetwork(other);
      return (
        other !== on &&
        otherGroup.group === group.group &&
        hsrpVersion(other) === hsrpVersion(on) &&
        network !== undefined &&
        otherNetwork !== undefined &&
        overlaps(network, otherNetwork)
      );
    });
    if (twin !== undefined) {
      return [
        {
          at: group.at,
          other: twin.group.at,
          message: `${standbyName(standby)} and ${standbyName(twin)} are one HSRP group on one LAN`,
          mend: `another group number on ${on.name}`,
        },
      ];
    }
    if (group.ip === undefined && group.ipv6 === undefined) {
      return [
        {
          at: group.at,
          message: `${standbyName(standby)} has no virtual address and does not run`,
          mend: `standby ${group.group} ip ADDRESS on ${on.name}`,
        },
      ];
    }
    if (group.ip?.address === "learn") {
      return [
        {
          severity: "warning",
          at: group.ip.at,
          message: `${standbyName(standby)} learns its virtual address and has none until the peer is heard`,
          mend: `standby ${group.group} ip ADDRESS, the same on both boxes`,
        },
      ];
    }
    return [];
  });
}

/** V05. */
export function virtualAddressesFit(config: Config): Draft[] {
  const seen = new Map<Address, Standby>();
  const own = ownAddresses(config);
  return standbyGroups(config).flatMap((standby) =>
    virtualAddresses(standby.group).flatMap(({ address, at, secondary }): Draft[] => {
      const text = formatAddress(address);
      const mend = `standby ${standby.group.group} ip with a free address of ${standby.interface.name}'s network`;
      const linkLocal = isLinkLocal(address);
      const used = linkLocal ? undefined : seen.get(address);
      seen.set(address, standby);
      if (used !== undefined) {
        const message = `virtual address ${text} of ${standbyName(standby)} is also that of ${standbyName(used)}`;
        return [{ at, other: used.group.at, message, mend }];
      }
      const owner = own.find(
        (each) => each.address === address && (!linkLocal || each.interface === standby.interface),
      );
      if (owner !== undefined) {
        const message = `virtual address ${text} of ${standbyName(standby)} is ${owner.interface.name}'s own address`;
        return [{ at, other: owner.at, message, mend }];
      }
      const problem = linkLocal ? undefined : misplaced(standby.interface, address, secondary);
      if (problem === undefined) return [];
      return [{ at, message: `virtual address ${text} of ${standbyName(standby)} ${problem}`, mend }];
    }),
  );
}

/** What is wrong with the place of a virtual address: the primary one belongs to the primary network. */
function misplaced(on: Interface, address: Address, secondary: boolean): string | undefined {
  const all = networksOf(on, typeof address === "number" ? 4 : 6);
  const networks = typeof address === "bigint" || secondary ? all : all.slice(0, 1);
  if (networks.length === 0) return `stands on an interface without an address`;
  const home = networks.find(({ network, prefixLength }) => inPrefix(address, network, prefixLength));
  if (home === undefined) {
    const list = networks.map((each) => `${formatAddress(each.network)}/${each.prefixLength}`).join(", ");
    return `is outside the interface's network ${list}`;
  }
  const { network, prefixLength } = home;
  if (typeof network !== "number" || prefixLength > 30) return undefined;
  const broadcast = (network | ~ipv4Mask(prefixLength)) >>> 0;
  if (address === network) return "is the network's own address";
  return address === broadcast ? "is the network's broadcast address" : undefined;
}

/** V24. */
export function prioritiesAreDefault(config: Config): Draft[] {
  return standbyGroups(config).flatMap((standby): Draft[] => {
    const { priority, group } = standby.group;
    if (priority === undefined || priority.value === DEFAULTS.standbyPriority) return [];
    return [
      {
        at: priority.at,
        message: `${standbyName(standby)} has priority ${priority.value}; a pair wants the same on both boxes`,
        mend: `no standby ${group} priority, unless the peer has the same`,
      },
    ];
  });
}

/** V30. */
export function versionFits(config: Config): Draft[] {
  return standbyGroups(config).flatMap((standby): Draft[] => {
    const { group, interface: on } = standby;
    if (hsrpVersion(on) === 2) return [];
    const mend = `standby version 2 on ${on.name}, on both boxes`;
    if (group.group > VERSION_1_GROUPS_LAST) {
      const message = `${standbyName(standby)}: version 1 has groups 0 to ${VERSION_1_GROUPS_LAST} only`;
      return [{ at: group.at, message, mend }];
    }
    if (group.ipv6 !== undefined) {
      return [{ at: group.ipv6.at, message: `${standbyName(standby)}: version 1 has no IPv6`, mend }];
    }
    return [];
  });
}
