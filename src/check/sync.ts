/**
 * Rules about stateful failover on one box: the scheme that inspection follows, the association that carries the
 * sessions, its addresses and timers.
 */
import { type Config, DEFAULTS, type IpcAssociation, type Position } from "../config/model.js";
import { formatIpv4 } from "../ip.js";
import type { Draft } from "./finding.js";
import { deniedSyncPaths } from "./simulate.js";
import {
  failoverInterfaces,
  holdMs,
  isFailoverConfigured,
  isUp,
  ownAddresses,
  type Standby,
  schemeGroup,
  seconds,
  standbyGroups,
  standbyName,
  usedAssociation,
  virtualAddresses,
} from "./topology.js";

/** V02. What inspection fails over with is the group of the scheme, whatever group its interface has. */
export function statefulNamesScheme(config: Config): Draft[] {
  const scheme = config.redundancy?.scheme;
  return [...config.interfaces.values()].flatMap((on) =>
    on.inspect.flatMap((binding): Draft[] => {
      const { stateful, rule, direction, at } = binding;
      if (stateful === undefined || stateful === scheme?.name) return [];
      const said = `ip inspect ${rule} ${direction} redundancy stateful ${stateful} on ${on.name}`;
      if (scheme === undefined) {
        const message = `${said}: there is no scheme for it to follow`;
        return [{ at, message, mend: `redundancy inter-device, then scheme standby ${stateful}` }];
      }
      const mend = `ip inspect ${rule} ${direction} redundancy stateful ${scheme.name} on ${on.name}`;
      return [{ at, other: scheme.at, message: `${said}: the scheme follows ${scheme.name}`, mend }];
    }),
  );
}

/** V17. */
export function inspectionIsStatefulEverywhere(config: Config): Draft[] {
  const together = failoverInterfaces(config);
  const bindings = together.flatMap((on) =>
    on.inspect.filter((each) => each.family === 4).map((binding) => ({ on, binding })),
  );
  const stateful = bindings.find(({ binding }) => binding.stateful !== undefined);
  if (stateful === undefined) return [];
  return bindings
    .filter(({ binding }) => binding.stateful === undefined)
    .map(({ on, binding }) => ({
      at: binding.at,
      other: stateful.binding.at,
      message: `sessions of ip inspect ${binding.rule} ${binding.direction} on ${on.name} are lost at a failover; those of ${stateful.on.name} are kept`,
      mend: `ip inspect ${binding.rule} ${binding.direction} redundancy stateful ${stateful.binding.stateful} on ${on.name}`,
    }));
}

/** The association that a failover pair needs or that the text switches on; a forgotten one is left alone. */
function activeAssociation(config: Config): IpcAssociation | undefined {
  const association = usedAssociation(config);
  return association !== undefined && (isFailoverConfigured(config) || !association.shutdown)
    ? association
    : undefined;
}

const PORT_LAST = 65_535;

/** V11. */
export function associationIsComplete(config: Config): Draft[] {
  const association = activeAssociation(config);
  if (association === undefined) {
    const { redundancy, ipc } = config;
    if (redundancy?.scheme === undefined) return [];
    const message = "failover is configured, but no association that carries the sessions";
    return [{ at: ipc?.at ?? redundancy.scheme.at, message, mend: "ipc zone default, then association 1" }];
  }
  const { id, at, protocol, localPort, remotePort, localIps, remoteIps } = association;
  const missing = [
    protocol === undefined && "protocol sctp",
    localPort === undefined && "local-port PORT",
    localIps.length === 0 && "local-ip ADDRESS",
    remotePort === undefined && "remote-port PORT",
    remoteIps.length === 0 && "remote-ip ADDRESS",
  ].filter((line) => line !== false);
  const drafts: Draft[] = missing.map((line) => ({
    at,
    message: `association ${id} has no ${line.split(" ")[0]}`,
    mend: `${line} in association ${id}`,
  }));
  for (const [word, port] of [["local-port", localPort] as const, ["remote-port", remotePort] as const]) {
    if (port === undefined || (port.value >= 1 && port.value <= PORT_LAST)) continue;
    const message = `association ${id}: ${word} ${port.value} is no port`;
    drafts.push({ at: port.at, message, mend: `${word} with 1 to ${PORT_LAST}` });
  }
  return drafts;
}

/** V12. */
export function syncAddressesAreReal(config: Config): Draft[] {
  const association = activeAssociation(config);
  if (association === undefined) return [];
  const own = ownAddresses(config);
  const drafts: Draft[] = [];
  const virtual = (address: number): Standby | undefined =>
    standbyGroups(config).find(({ group }) =>
      virtualAddresses(group).some((each) => each.address === address),
    );

  for (const { address, at } of association.localIps) {
    const text = formatIpv4(address);
    const standby = virtual(address);
    const owner = own.find((each) => each.address === address)?.interface;
    const mend = "local-ip with the real address of an interface of this box that is up";
    if (standby !== undefined) {
      const message = `local-ip ${text} is the virtual address of ${standbyName(standby)}`;
      drafts.push({ at, other: standby.group.at, message, mend });
    } else if (owner === undefined) {
      drafts.push({ at, message: `local-ip ${text} is no address of this box`, mend });
    } else if (!isUp(owner)) {
      const message = `local-ip ${text} belongs to ${owner.name}, which is shut down`;
      drafts.push({ at, other: owner.at, message, mend: `no shutdown on ${owner.name}` });
    }
  }
  for (const { address, at } of association.remoteIps) {
    const text = formatIpv4(address);
    const standby = virtual(address);
    const owner = own.find((each) => each.address === address);
    const mend = "remote-ip with a real address of the other box";
    if (standby !== undefined) {
      const message = `remote-ip ${text} is the virtual address of ${standbyName(standby)}`;
      drafts.push({ at, other: standby.group.at, message, mend });
    } else if (owner !== undefined) {
      const message = `remote-ip ${text} is this box's own address on ${owner.interface.name}`;
      drafts.push({ at, other: owner.at, message, mend });
    }
  }
  return drafts;
}

const SYNC_ADDRESSES_MAX = 2;

/** V13. One or two addresses at each end, and the packets between them reach the box. */
export function syncPathsAreOpen(config: Config): Draft[] {
  const association = activeAssociation(config);
  if (association === undefined) return [];
  const { id, localIps, remoteIps } = association;
  const ends = [
    { word: "local-ip", ips: localIps },
    { word: "remote-ip", ips: remoteIps },
  ];
  const drafts: Draft[] = [];
  for (const { word, ips } of ends) {
    if (ips.length <= SYNC_ADDRESSES_MAX) continue;
    const message = `association ${id}: ${word} has ${ips.length} addresses`;
    drafts.push({
      severity: "error",
      at: ips[SYNC_ADDRESSES_MAX]!.at,
      message,
      mend: `${word} with one or two`,
    });
  }
  const single = ends.filter(({ ips }) => ips.length === 1);
  if (single.length > 0) {
    drafts.push({
      severity: "warning",
      at: single[0]!.ips[0]!.at,
      message: `association ${id} has one ${single.map(({ word }) => word).join(" and one ")}: one path, one failure ends the synchronisation`,
      mend: single.map(({ word, ips }) => `${word} ${formatIpv4(ips[0]!.address)} SECOND-ADDRESS`).join("; "),
    });
  }
  return [...drafts, ...deniedSyncPaths(config, association)];
}

/** The ranges of the association's knobs. Source: Cisco `retransmit-timeout`, `path-retransmit`,
 * `assoc-retransmit`, `ip inspect redundancy update seconds`. */
const RANGE = {
  retransmitMs: { low: 300, high: 60_000 },
  retransmits: { low: 2, high: 10 },
  updateSeconds: { low: 10, high: 60 },
};

/** A peer that is dead to HSRP for so many hold times should be dead to the association as well. */
const DEATH_PER_HOLD_MAX = 3;

/** V14. */
export function syncTimersFit(config: Config): Draft[] {
  const drafts: Draft[] = [];
  const within = (word: string, value: number, range: { low: number; high: number }, at: Position) => {
    if (value >= range.low && value <= range.high) return;
    const message = `${word} ${value} is outside ${range.low} to ${range.high}`;
    drafts.push({ severity: "error", at, message, mend: `${word} with ${range.low} to ${range.high}` });
  };
  const update = config.inspect.updateSeconds;
  if (update !== undefined) {
    within("ip inspect redundancy update seconds", update.value, RANGE.updateSeconds, update.at);
  }
  const association = activeAssociation(config);
  if (association === undefined) return drafts;
  const { retransmitTimeout, pathRetransmit, assocRetransmit, remoteIps, id } = association;
  if (retransmitTimeout !== undefined) {
    const { minMs, maxMs, at } = retransmitTimeout;
    within("retransmit-timeout", minMs, RANGE.retransmitMs, at);
    within("retransmit-timeout", maxMs, RANGE.retransmitMs, at);
    if (minMs > maxMs) {
      const message = `retransmit-timeout ${minMs} ${maxMs}: the minimum is above the maximum`;
      drafts.push({ severity: "error", at, message, mend: `retransmit-timeout ${maxMs} ${minMs}` });
    }
  }
  if (pathRetransmit !== undefined) {
    within("path-retransmit", pathRetransmit.value, RANGE.retransmits, pathRetransmit.at);
  }
  if (assocRetransmit !== undefined) {
    within("assoc-retransmit", assocRetransmit.value, RANGE.retransmits, assocRetransmit.at);
  }

  const perPath = pathRetransmit?.value ?? DEFAULTS.pathRetransmit;
  const total = assocRetransmit?.value ?? DEFAULTS.assocRetransmit;
  const paths = Math.max(1, remoteIps.length);
  if (total > perPath * paths) {
    drafts.push({
      severity: "warning",
      at: assocRetransmit?.at ?? pathRetransmit?.at ?? association.at,
      message: `association ${id}: assoc-retransmit ${total} is above path-retransmit ${perPath} times ${paths} path${paths === 1 ? "" : "s"}: all paths are down and the association lives on (RFC 9260, 8.1)`,
      mend: `assoc-retransmit ${perPath * paths}`,
    });
  }
  const standby = schemeGroup(config) ?? shortestHold(config);
  const deathMs = associationDeathMs(association);
  if (standby !== undefined && deathMs > DEATH_PER_HOLD_MAX * holdMs(standby.group)) {
    const hold = holdMs(standby.group);
    drafts.push({
      severity: "warning",
      at: retransmitTimeout?.at ?? association.at,
      other: standby.group.timers?.at ?? standby.group.at,
      message: `association ${id} needs ${seconds(deathMs)} to notice a dead peer, more than ${DEATH_PER_HOLD_MAX} hold times (${seconds(DEATH_PER_HOLD_MAX * hold)}) of ${standbyName(standby)}`,
      mend: `retransmit-timeout ${DEFAULTS.retransmitMinMs} ${DEFAULTS.retransmitMaxMs}, path-retransmit ${DEFAULTS.pathRetransmit}, assoc-retransmit ${DEFAULTS.assocRetransmit} (the defaults)`,
    });
  }
  return drafts;
}

function shortestHold(config: Config): Standby | undefined {
  return standbyGroups(config).reduce<Standby | undefined>(
    (least, each) => (least === undefined || holdMs(each.group) < holdMs(least.group) ? each : least),
    undefined,
  );
}

/**
 * How long an association with data outstanding needs to notice that the peer is gone, in ms: the retransmission
 * timer doubles from its minimum to its maximum, and the association is dead when the count of expiries exceeds
 * `assoc-retransmit` (RFC 9260, 6.3.3 and 8.1). The defaults, 300 to 600 ms and 4, give 2.7 s.
 */
export function associationDeathMs(
  association: Pick<IpcAssociation, "retransmitTimeout" | "assocRetransmit">,
): number {
  const minMs = association.retransmitTimeout?.minMs ?? DEFAULTS.retransmitMinMs;
  const maxMs = association.retransmitTimeout?.maxMs ?? DEFAULTS.retransmitMaxMs;
  const expiries = (association.assocRetransmit?.value ?? DEFAULTS.assocRetransmit) + 1;
  let total = 0;
  for (let i = 0; i < expiries; i++) total += Math.min(minMs * 2 ** i, maxMs);
  return total;
}

/** V15. */
export function associationIsOn(config: Config): Draft[] {
  const association = usedAssociation(config);
  if (association === undefined) return [];
  const drafts: Draft[] = [];
  const all = [...config.ipc!.associations.values()];
  const running = all.filter((each) => !each.shutdown);
  if (association.shutdown && isFailoverConfigured(config)) {
    const message = `association ${association.id} is shut down: the standby gets no sessions`;
    drafts.push({ at: association.at, message, mend: `no shutdown in association ${association.id}` });
  }
  for (const extra of running.filter((each) => each !== association)) {
    drafts.push({
      severity: "warning",
      at: extra.at,
      other: association.at,
      message: `association ${extra.id} is not used: only association ${association.id} is`,
      mend: `no association ${extra.id}`,
    });
  }
  return drafts;
}
