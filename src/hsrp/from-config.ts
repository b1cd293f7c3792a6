/** The HSRP machine's options out of a configuration: `standby ...` of every interface, with Cisco's defaults. */
import { type Config, DEFAULTS, type Family, type Interface, type StandbyGroup } from "../config/model.js";
import type { Mac } from "../frame.js";
import type { Address } from "../ip.js";
import { isLinkLocal, virtualLinkLocal, virtualMac } from "./addresses.js";
import { eui64, linkLocalAddress, originOfMac } from "./interface-addresses.js";
import type { Key } from "./md5.js";
import {
  type Authentication,
  DEFAULT_TEXT,
  type HsrpGroup,
  type HsrpInterface,
  type HsrpOptions,
  type Network,
  type Preempt,
} from "./options.js";
import type { Version } from "./wire.js";

/** What a configuration does not say. */
export interface Surroundings {
  /** MAC addresses of the interfaces by full name, in the form `0200.5e00.0001`; each with a group needs one. */
  readonly macs: ReadonlyMap<string, Mac>;
  /** Sources that are believed, by interface; an interface that is not in it believes every source of its networks. */
  readonly peers?: ReadonlyMap<string, readonly Address[]>;
  readonly random: () => number;
}

const MILLISECONDS = 1000;
/** Of an interface without a group, from which nothing is sent. */
const NO_MAC: Mac = "0000.0000.0000";

/**
 * The options that a configuration stands for. Throws when an interface with a group has no MAC address. In a configuration of a failover pair (`scheme standby`) a preemption
 * waits for the sessions, unless `preempt delay sync` says for how long.
 */
export function optionsOf(config: Config, surroundings: Surroundings): HsrpOptions {
  const leader = config.redundancy?.scheme?.name;
  const interfaces = [...config.interfaces.values()].map((each) => interfaceOf(config, each, surroundings));
  return { interfaces, ...(leader !== undefined && { leader }), random: surroundings.random };
}

function interfaceOf(config: Config, each: Interface, { macs, peers }: Surroundings): HsrpInterface {
  const { standby } = each;
  const mac = macs.get(each.name) ?? NO_MAC;
  if (mac === NO_MAC && standby.groups.size > 0) throw new Error(`no MAC address is given for ${each.name}`);
  const version: Version = standby.version?.value ?? 1;
  const linkLocal = linkLocalAddress(each, mac);
  const believed = peers?.get(each.name);
  const minimum = standby.delayMinimumSeconds ?? DEFAULTS.standbyDelayMinimumSeconds;
  const reload = standby.delayReloadSeconds ?? DEFAULTS.standbyDelayReloadSeconds;
  return {
    name: each.name,
    version,
    burnedInMac: mac,
    networks: [...each.addresses].sort((x, y) => Number(x.secondary) - Number(y.secondary)).map(networkOf),
    networks6: each.addresses6
      .filter(({ linkLocal }) => !linkLocal)
      .map((own) => networkOf(own.eui64 ? { ...own, address: eui64(own.address, mac) } : own)),
    ...(linkLocal !== undefined && { linkLocal }),
    delayMinimumMs: minimum * MILLISECONDS,
    delayReloadMs: reload * MILLISECONDS,
    ...(believed !== undefined && { peers: believed }),
    groups: [...standby.groups.values()].flatMap((group) => familiesOf(config, each, group, version, mac)),
  };
}

function networkOf({ address, prefixLength }: Network): Network {
  return { address, prefixLength };
}

/** A group number stands for an IPv4 group, an IPv6 group, or both; with no address for one that is not enabled. */
function familiesOf(
  config: Config,
  each: Interface,
  group: StandbyGroup,
  version: Version,
  mac: Mac,
): HsrpGroup[] {
  const groups: HsrpGroup[] = [];
  if (group.ip !== undefined || group.ipv6 === undefined) {
    const common = groupOf(config, each, group, version, 4, mac);
    const address = group.ip?.address;
    groups.push({
      ...common,
      ...(address !== undefined && { virtualAddress: address }),
      secondaryAddresses: group.secondaryIps.map((secondary) => secondary.address),
    });
  }
  if (group.ipv6 !== undefined) {
    const common = groupOf(config, each, group, version, 6, mac);
    const { address } = group.ipv6;
    // Hellos carry the link-local address; a global one is owned beside it.
    const isGlobal = address !== "autoconfig" && !isLinkLocal(address);
    groups.push({
      ...common,
      virtualAddress: address === "autoconfig" || isGlobal ? virtualLinkLocal(common.virtualMac) : address,
      secondaryAddresses: isGlobal ? [address] : [],
    });
  }
  return groups;
}

function groupOf(
  config: Config,
  each: Interface,
  group: StandbyGroup,
  version: Version,
  family: Family,
  mac: Mac,
): Omit<HsrpGroup, "virtualAddress" | "secondaryAddresses"> {
  const isPair = config.redundancy?.scheme !== undefined;
  const { authentication } = group;
  const timeoutSeconds = authentication?.kind === "md5-string" ? authentication.timeoutSeconds : undefined;
  const origin = originOfMac(each, group);
  const macs = { bia: mac, configured: group.macAddress!, default: virtualMac(version, family, group.group) };
  return {
    group: group.group,
    family,
    ...(group.name !== undefined && { name: group.name.value }),
    virtualMac: macs[origin],
    virtualMacOrigin: origin,
    priority: group.priority?.value ?? DEFAULTS.standbyPriority,
    ...(group.preempt !== undefined && { preempt: preemptOf(group.preempt, isPair) }),
    ...(group.timers !== undefined && {
      timers: { helloMs: group.timers.helloMs, holdMs: group.timers.holdMs },
    }),
    authentication: authenticationOf(config, group),
    ...(timeoutSeconds !== undefined && { oldKeyTimeoutMs: timeoutSeconds * MILLISECONDS }),
    tracks: group.tracks.map(({ object, decrement, shutdown }) => ({
      object,
      decrement: shutdown ? 0 : (decrement ?? DEFAULTS.standbyTrackDecrement),
      isShutdown: shutdown,
    })),
  };
}

function preemptOf(preempt: NonNullable<StandbyGroup["preempt"]>, isPair: boolean): Preempt {
  const { minimumSeconds = 0, reloadSeconds = 0, syncSeconds } = preempt;
  const unlimited = isPair ? Number.POSITIVE_INFINITY : 0;
  return {
    minimumMs: minimumSeconds * MILLISECONDS,
    reloadMs: reloadSeconds * MILLISECONDS,
    syncMs: syncSeconds === undefined ? unlimited : syncSeconds * MILLISECONDS,
  };
}

/** The configured authentication with its keys; of a key chain the key with the lowest number signs. */
export function authenticationOf(config: Config, { authentication }: StandbyGroup): Authentication {
  const keyOf = (id: number, secret: string): Key => ({
    id,
    secret,
    acceptedUntilAtMs: Number.POSITIVE_INFINITY,
  });
  switch (authentication?.kind) {
    case undefined:
      return { kind: "text", text: DEFAULT_TEXT };
    case "text":
      return { kind: "text", text: authentication.text };
    case "md5-string":
      return { kind: "md5", keys: [keyOf(0, authentication.key)] };
    case "md5-chain": {
      const keys = [...(config.keyChains.get(authentication.chain)?.keys.values() ?? [])]
        .filter(({ keyString }) => keyString !== undefined)
        .sort((x, y) => x.id - y.id);
      const { chain } = authentication;
      return { kind: "md5", chain, keys: keys.map(({ id, keyString }) => keyOf(id, keyString!)) };
    }
  }
}
