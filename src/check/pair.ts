/**
 * Rules about two configurations that are to be a pair: what must mirror (the association), what must differ (the
 * addresses) and what must be equal (the HSRP groups).
 */
import {
  type Config,
  DEFAULTS,
  type IpcAssociation,
  type Position,
  type StandbyGroup,
} from "../config/model.js";
import { formatAddress, formatIpv4, inPrefix } from "../ip.js";
import { standbyCounterparts } from "./correspond.js";
import type { PairDraft, Side } from "./finding.js";
import {
  encapsulationPort,
  failoverInterfaces,
  helloMs,
  holdMs,
  hsrpVersion,
  isUp,
  networksOf,
  ownAddresses,
  primaryNetwork,
  sameNetwork,
  schemeGroup,
  seconds,
  type Standby,
  standbyName,
  usedAssociation,
  virtualAddresses,
} from "./topology.js";

/** P01. */
export function associationsMirror(a: Config, b: Config): PairDraft[] {
  const [one, other] = [usedAssociation(a), usedAssociation(b)];
  if (one === undefined && other === undefined) return [];
  if (one === undefined || other === undefined) {
    const side: Side = one === undefined ? "b" : "a";
    const { id, at } = (one ?? other)!;
    const message = `association ${id} has no counterpart in ${(one === undefined ? a : b).file}`;
    return [{ side, at, message, mend: "the mirrored association on the other box" }];
  }
  const drafts: PairDraft[] = [];
  if (one.id !== other.id) {
    drafts.push({
      side: "a",
      at: one.at,
      other: other.at,
      message: `association ${one.id} here is association ${other.id} there`,
      mend: `association ${one.id} on both boxes`,
    });
  }
  for (const { side, own, peer } of [
    { side: "a", own: one, peer: other },
    { side: "b", own: other, peer: one },
  ] as const) {
    drafts.push(...endsMirror(side, own, peer));
  }
  if (encapsulationPort(one) !== encapsulationPort(other)) {
    const textOf = (each: IpcAssociation) => {
      const port = encapsulationPort(each);
      return port === undefined ? "over IP" : `in UDP, port ${port}`;
    };
    drafts.push({
      side: "a",
      at: one.encapsulation?.at ?? one.at,
      other: other.encapsulation?.at ?? other.at,
      message: `association ${one.id} travels ${textOf(one)}, in ${b.file} ${textOf(other)}: the boxes do not reach each other`,
      mend: "the same encapsulation on both boxes",
    });
  }
  const [key, theirs] = [one.keyString, other.keyString];
  if (key?.value !== theirs?.value) {
    const own = key === undefined ? "has no key-string" : "has a key-string";
    const there = theirs === undefined ? "none" : key === undefined ? "one" : "another";
    drafts.push({
      side: "a",
      at: key?.at ?? one.at,
      other: theirs?.at ?? other.at,
      message: `association ${one.id} ${own}, in ${b.file} it has ${there}: the boxes do not believe each other`,
      mend: "the same key-string on both boxes",
    });
  }
  return drafts;
}

/** The remote end of one box against the local end of the other. */
function endsMirror(side: Side, own: IpcAssociation, peer: IpcAssociation): PairDraft[] {
  const drafts: PairDraft[] = [];
  const [port, peerPort] = [own.remotePort, peer.localPort];
  if (port !== undefined && peerPort !== undefined && port.value !== peerPort.value) {
    drafts.push({
      side,
      at: port.at,
      other: peerPort.at,
      message: `remote-port ${port.value} meets local-port ${peerPort.value}`,
      mend: `remote-port ${peerPort.value}`,
    });
  }
  const [remote, local] = [addressList(own.remoteIps), addressList(peer.localIps)];
  if (own.remoteIps.length === 0 || peer.localIps.length === 0 || remote === local) return drafts;
  const sorted = (ips: IpcAssociation["localIps"]) =>
    addressList([...ips].sort((x, y) => x.address - y.address));
  const isOrderOnly = sorted(own.remoteIps) === sorted(peer.localIps);
  drafts.push({
    severity: isOrderOnly ? "warning" : "error",
    side,
    at: own.remoteIps[0]!.at,
    other: peer.localIps[0]!.at,
    message: isOrderOnly
      ? `remote-ip ${remote} and the peer's local-ip ${local} are in another order, so the paths cross`
      : `remote-ip ${remote} is not the peer's local-ip ${local}`,
    mend: `remote-ip ${local} here, or local-ip ${remote} there`,
  });
  return drafts;
}

function addressList(ips: IpcAssociation["localIps"]): string {
  return ips.map((each) => formatIpv4(each.address)).join(" ");
}

/** P02. A link-local address may be on both boxes where they share no LAN, so it is left to the LAN. */
export function addressesAreDistinct(a: Config, b: Config): PairDraft[] {
  const theirs = ownAddresses(b).filter((each) => isUp(each.interface));
  const lans = standbyCounterparts(a, b);
  return ownAddresses(a).flatMap((own): PairDraft[] => {
    if (!isUp(own.interface)) return [];
    const twin = theirs.find(
      (each) =>
        each.address === own.address &&
        (!own.linkLocal || lans.some((lan) => lan.a === own.interface && lan.b === each.interface)),
    );
    if (twin === undefined) return [];
    const address = formatAddress(own.address);
    return [
      {
        side: "a",
        at: own.at,
        other: twin.at,
        message: `${address} is the address of ${own.interface.name} here and of ${twin.interface.name} in ${b.file}`,
        mend: `another address of the network on ${twin.interface.name} in ${b.file}`,
      },
    ];
  });
}

/** P03. */
export function groupsMatch(a: Config, b: Config): PairDraft[] {
  return standbyCounterparts(a, b)
    .flatMap(({ a: one, b: other }) => {
      const drafts: PairDraft[] = [];
      if (
        one.standby.groups.size > 0 &&
        other.standby.groups.size > 0 &&
        hsrpVersion(one) !== hsrpVersion(other)
      ) {
        drafts.push({
          side: "a",
          at: one.standby.version?.at ?? one.at,
          other: other.standby.version?.at ?? other.at,
          message: `${one.name} has HSRP version ${hsrpVersion(one)}, ${other.name} in ${b.file} version ${hsrpVersion(other)}`,
          mend: `standby version ${Math.max(hsrpVersion(one), hsrpVersion(other))} on both boxes`,
        });
      }
      for (const group of one.standby.groups.values()) {
        const twin = other.standby.groups.get(group.group);
        if (twin === undefined)
          drafts.push(...alone("a", { interface: one, group }, other.name, other.at, b));
        else drafts.push(...groupsDiffer(a, b, { interface: one, group }, { interface: other, group: twin }));
      }
      for (const group of other.standby.groups.values()) {
        if (one.standby.groups.has(group.group)) continue;
        drafts.push(...alone("b", { interface: other, group }, one.name, one.at, a));
      }
      return drafts;
    })
    .concat(loneInterfaces(a, b));
}

function alone(side: Side, standby: Standby, where: string, there: Position, other: Config): PairDraft[] {
  return [
    {
      side,
      at: standby.group.at,
      other: there,
      message: `${standbyName(standby)} does not exist on ${where} in ${other.file}`,
      mend: `the same group number on both boxes: standby ${standby.group.group} on ${where} in ${other.file}`,
    },
  ];
}

/** Interfaces with HSRP that have no counterpart at all. */
function loneInterfaces(a: Config, b: Config): PairDraft[] {
  const lans = standbyCounterparts(a, b);
  const matched = new Set(lans.flatMap((lan) => [lan.a, lan.b]));
  return (["a", "b"] as const).flatMap((side) =>
    [...(side === "a" ? a : b).interfaces.values()]
      .filter((on) => on.standby.groups.size > 0 && !matched.has(on))
      .map((on) => ({
        side,
        at: on.at,
        message: `${on.name} has HSRP, and no interface in ${(side === "a" ? b : a).file} is on its LAN`,
        mend: "connect both boxes to each LAN, or remove HSRP here",
      })),
  );
}

function groupsDiffer(a: Config, b: Config, one: Standby, other: Standby): PairDraft[] {
  const drafts: PairDraft[] = [];
  const [x, y] = [one.group, other.group];
  const differ = (what: string, own: string, theirs: string, at: Position | undefined, there?: Position) =>
    drafts.push({
      side: "a",
      at: at ?? x.at,
      other: there ?? y.at,
      message: `${standbyName(one)} has ${what} ${own}, ${standbyName(other)} in ${b.file} ${theirs}`,
      mend: `the same ${what} on both boxes`,
    });
  const addresses = [virtualText(x), virtualText(y)] as const;
  const learns = [x, y].filter((group) => group.ip?.address === "learn").length;
  if (learns === 2) differ("virtual address", "learned", "learned, so neither has one", x.ip?.at, y.ip?.at);
  else if (learns === 0 && addresses[0] !== addresses[1]) {
    differ("virtual address", addresses[0], addresses[1], x.ip?.at, y.ip?.at);
  }
  const secrets = [authenticationKey(a, x), authenticationKey(b, y)];
  if (secrets[0] !== secrets[1]) {
    const kinds = [x, y].map((group) => group.authentication?.kind ?? "default text");
    const own = kinds[0] === kinds[1] ? `${kinds[0]} with one key` : kinds[0]!;
    const theirs = kinds[0] === kinds[1] ? `${kinds[1]} with another` : kinds[1]!;
    differ("authentication", own, theirs, x.authentication?.at, y.authentication?.at);
  }
  if (helloMs(x) !== helloMs(y) || holdMs(x) !== holdMs(y)) {
    const text = (group: StandbyGroup) => `${seconds(helloMs(group))} and ${seconds(holdMs(group))}`;
    differ("hello and hold time", text(x), text(y), x.timers?.at, y.timers?.at);
    drafts.at(-1)!.severity = "warning";
  }
  return drafts;
}

function virtualText(group: StandbyGroup): string {
  const addresses = virtualAddresses(group).map((each) => formatAddress(each.address));
  if (group.ipv6?.address === "autoconfig") addresses.push("autoconfig");
  return addresses.length === 0 ? "none" : addresses.sort().join(", ");
}

/** Text that is carried in the clear when nothing is configured (RFC 2281, 5.1). */
const AUTHENTICATION_DEFAULT = "cisco";

/** What both ends must agree on, only to be compared: it holds the secret. */
function authenticationKey(config: Config, { authentication }: StandbyGroup): string {
  if (authentication === undefined) return `text ${AUTHENTICATION_DEFAULT}`;
  switch (authentication.kind) {
    case "text":
      return `text ${authentication.text}`;
    case "md5-string":
      return `md5 0 ${authentication.key}`;
    case "md5-chain": {
      const keys = [...(config.keyChains.get(authentication.chain)?.keys ?? [])].sort(([x], [y]) => x - y);
      return keys.map(([id, key]) => `md5 ${id} ${key.keyString ?? ""}`).join("\n");
    }
  }
}

/** P04. */
export function namesMatch(a: Config, b: Config): PairDraft[] {
  const drafts: PairDraft[] = [];
  const [one, other] = [a.redundancy?.scheme, b.redundancy?.scheme];
  if (one !== undefined && other !== undefined && one.name !== other.name) {
    drafts.push({
      side: "a",
      at: one.at,
      other: other.at,
      message: `scheme standby ${one.name} here is scheme standby ${other.name} in ${b.file}`,
      mend: `scheme standby ${one.name} on both boxes, with the same HSRP group behind it`,
    });
  } else if ((one === undefined) !== (other === undefined)) {
    const side: Side = one === undefined ? "b" : "a";
    const scheme = (one ?? other)!;
    const message = `scheme standby ${scheme.name} has no counterpart in ${(side === "a" ? b : a).file}`;
    drafts.push({ side, at: scheme.at, message, mend: `scheme standby ${scheme.name} on both boxes` });
  }
  for (const { a: here, b: there } of standbyCounterparts(a, b)) {
    for (const group of here.standby.groups.values()) {
      const twin = there.standby.groups.get(group.group);
      if (twin === undefined || group.name?.value === twin.name?.value) continue;
      const [own, theirs] = [group.name?.value ?? "without a name", twin.name?.value ?? "without a name"];
      drafts.push({
        side: "a",
        at: group.name?.at ?? group.at,
        other: twin.name?.at ?? twin.at,
        message: `${here.name} group ${group.group} is ${own}, the same group on ${there.name} in ${b.file} is ${theirs}`,
        mend: `standby ${group.group} name ${group.name?.value ?? twin.name?.value} on both boxes`,
      });
    }
  }
  return drafts;
}

/** P05. */
export function prioritiesMatch(a: Config, b: Config): PairDraft[] {
  return standbyCounterparts(a, b).flatMap(({ a: here, b: there }) =>
    [...here.standby.groups.values()].flatMap((group): PairDraft[] => {
      const twin = there.standby.groups.get(group.group);
      if (twin === undefined) return [];
      const priorities = [group, twin].map((each) => each.priority?.value ?? DEFAULTS.standbyPriority);
      if (priorities[0] === priorities[1]) return [];
      return [
        {
          side: "a",
          at: group.priority?.at ?? group.at,
          other: twin.priority?.at ?? twin.at,
          message: `${here.name} group ${group.group} has priority ${priorities[0]}, in ${b.file} ${priorities[1]}: the higher one takes over again whenever it comes back`,
          mend: `no standby ${group.group} priority on both boxes`,
        },
      ];
    }),
  );
}

/** P09. */
export function schemeIsOnSharedLan(a: Config, b: Config): PairDraft[] {
  const [one, other] = [schemeGroup(a), schemeGroup(b)];
  if (one === undefined || other === undefined) return [];
  if (sameNetwork(primaryNetwork(one.interface), primaryNetwork(other.interface))) return [];
  const text = (standby: Standby) => {
    const network = primaryNetwork(standby.interface);
    const where =
      network === undefined ? "no network" : `${formatAddress(network.network)}/${network.prefixLength}`;
    return `${standby.interface.name} (${where})`;
  };
  return [
    {
      side: "a",
      at: one.interface.addresses[0]?.at ?? one.interface.at,
      other: other.interface.addresses[0]?.at ?? other.interface.at,
      message: `the scheme's group is on ${text(one)} here and on ${text(other)} in ${b.file}: the boxes do not hear each other there`,
      mend: "the group of the scheme on a LAN that both boxes have",
    },
  ];
}

/** P10. Two paths over two LANs are no single point of failure, even if both LANs carry data. */
export function syncHasAPathOfItsOwn(a: Config, b: Config): PairDraft[] {
  const association = usedAssociation(a);
  const [first] = association?.localIps ?? [];
  if (association === undefined || first === undefined) return [];
  const dataLans = failoverInterfaces(a).filter((on) => on.standby.groups.size > 0);
  const lanOf = (address: number) =>
    dataLans.find((on) =>
      networksOf(on, 4).some(({ network, prefixLength }) => inPrefix(address, network, prefixLength)),
    );
  const lans = new Set(association.localIps.map((each) => lanOf(each.address)));
  const [lan] = lans;
  if (lans.size !== 1 || lan === undefined) return [];
  return [
    {
      side: "a",
      at: first.at,
      other: usedAssociation(b)?.localIps[0]?.at,
      message: `all synchronisation runs over the data LAN of ${lan.name}: one failure takes the traffic and the synchronisation`,
      mend: "a second local-ip and remote-ip on another LAN, best on a link of its own",
    },
  ];
}
