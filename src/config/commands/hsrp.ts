/** `standby ...` of an interface. Ranges after Cisco's "First Hop Redundancy Protocols" command reference. */
import { formatAddress, formatIpv4 } from "../../ip.js";
import { normalMac } from "../arguments.js";
import { type Context, command, fail, note, type Row } from "../command.js";
import { put } from "../lists.js";
import type { Interface, StandbyGroup } from "../model.js";

/** The group of a command that names none. */
const DEFAULT_GROUP = 0;

/** Most secondary addresses, and most tracked objects, of a group. */
export const SECONDARY_MAX = 256;
export const TRACKS_MAX = 64;

const groups = (scope: Interface): Iterable<StandbyGroup> => scope.standby.groups.values();

/** The group of this number, made when it is new. */
function groupOf(scope: Interface, number: number | undefined, { at }: Context): StandbyGroup {
  const group = number ?? DEFAULT_GROUP;
  const known = scope.standby.groups.get(group);
  if (known) return known;
  const made: StandbyGroup = { at, group, secondaryIps: [], tracks: [] };
  scope.standby.groups.set(group, made);
  return made;
}

/** Takes something out of a group, and the group with the last of it. */
function change(
  scope: Interface,
  number: number | undefined,
  take: (group: StandbyGroup) => void,
): undefined {
  const group = scope.standby.groups.get(number ?? DEFAULT_GROUP);
  if (!group) return;
  take(group);
  const { at: _at, group: _group, secondaryIps, tracks, ...rest } = group;
  const empty =
    secondaryIps.length + tracks.length === 0 && Object.values(rest).every((v) => v === undefined);
  if (empty) scope.standby.groups.delete(group.group);
}

const line = (group: StandbyGroup, text: string) => `standby ${group.group} ${text}`;

/** Commands on the interface's HSRP as a whole. */
const INTERFACE_ROWS: readonly Row[] = [
  command({
    mode: "interface",
    syntax: "standby version <version:1-2>",
    help: "HSRP version of all groups of the interface",
    example: "standby version 2",
    set: ({ standby }, a, { at }) => {
      standby.version = { at, value: a.version === 2 ? 2 : 1 };
    },
    unset: ({ standby }) => {
      standby.version = undefined;
    },
    show: ({ standby }) => (standby.version ? [`standby version ${standby.version.value}`] : []),
  }),
  command({
    mode: "interface",
    syntax: "standby delay (minimum <minimum:0-10000> [reload <reload:0-10000>] | reload <reload:0-10000>)",
    help: "seconds before groups start when the interface comes up, and after a restart",
    example: "standby delay minimum 120 reload 120",
    set: ({ standby }, a, { at }) => {
      standby.delayMinimumSeconds = a.minimum;
      standby.delayReloadSeconds = a.reload;
      standby.delayAt = at;
    },
    unset: ({ standby }) => {
      standby.delayMinimumSeconds = standby.delayReloadSeconds = standby.delayAt = undefined;
    },
    show: ({ standby: { delayMinimumSeconds: minimum, delayReloadSeconds: reload } }) => {
      const words = ["standby delay"];
      if (minimum !== undefined) words.push(`minimum ${minimum}`);
      if (reload !== undefined) words.push(`reload ${reload}`);
      return words.length > 1 ? [words.join(" ")] : [];
    },
  }),
  command({
    mode: "interface",
    syntax: "standby use-bia",
    help: "use the interface's own MAC address as the virtual one",
    example: "standby use-bia",
    set: ({ standby }) => {
      standby.useBia = true;
    },
    unset: ({ standby }) => {
      standby.useBia = undefined;
    },
    show: ({ standby }) => (standby.useBia ? ["standby use-bia"] : []),
  }),
  command({
    mode: "interface",
    syntax: "standby bfd",
    help: "BFD with the HSRP neighbor of the interface",
    example: "standby bfd",
    set: ({ standby }) => {
      standby.bfd = true;
    },
    unset: ({ standby }) => {
      standby.bfd = false;
    },
    reset: ({ standby }) => {
      standby.bfd = undefined;
    },
    show: ({ standby: { bfd } }) => (bfd === undefined ? [] : [bfd ? "standby bfd" : "no standby bfd"]),
  }),
  note({
    mode: "interface",
    syntax: "standby redirects [<text:line>]",
    help: "ICMP redirects with virtual addresses",
    example: "no standby redirects",
    note: "redirects are not sent",
  }),
  command({
    mode: "interface",
    syntax: "standby <group:0-4095>",
    help: "a group as a whole",
    example: "no standby 1",
    shown: null,
    remove: ({ standby }, a) => {
      standby.groups.delete(a.group);
    },
  }),
];

/** Commands on one group, written group by group. */
const GROUP_ROWS: readonly Row[] = [
  command({
    mode: "interface",
    syntax: "standby [<group:0-4095>] ip [<address:ipv4> [<secondary>]]",
    help: "virtual address; without one it is learned",
    example: "standby 1 ip 10.0.0.3",
    each: groups,
    set: (scope, a, context) => {
      const { at } = context;
      const known = scope.standby.groups.get(a.group ?? DEFAULT_GROUP);
      if (a.secondary && known && known.secondaryIps.length >= SECONDARY_MAX) {
        return fail(`a group has at most ${SECONDARY_MAX} secondary addresses`, "address");
      }
      const group = groupOf(scope, a.group, context);
      if (a.secondary) put(group.secondaryIps, { at, address: a.address! }, (ip) => formatIpv4(ip.address));
      else group.ip = { at, address: a.address ?? "learn" };
      return undefined;
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        if (!a.secondary) group.ip = undefined;
        group.secondaryIps = group.secondaryIps.filter((ip) => !a.secondary || ip.address !== a.address);
      }),
    show: (group) => [
      ...(group.ip
        ? [line(group, group.ip.address === "learn" ? "ip" : `ip ${formatIpv4(group.ip.address)}`)]
        : []),
      ...group.secondaryIps.map(({ address }) => line(group, `ip ${formatIpv4(address)} secondary`)),
    ],
  }),
  command({
    mode: "interface",
    syntax: "standby [<group:0-4095>] ipv6 (<autoconfig> | <address:ipv6>)",
    help: "virtual IPv6 address",
    example: "standby 1 ipv6 autoconfig",
    each: groups,
    set: (scope, a, context) => {
      const address = a.address ?? "autoconfig";
      groupOf(scope, a.group, context).ipv6 = { at: context.at, address };
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        group.ipv6 = undefined;
      }),
    show: (group) => {
      if (!group.ipv6) return [];
      const { address } = group.ipv6;
      return [line(group, `ipv6 ${address === "autoconfig" ? address : formatAddress(address)}`)];
    },
  }),
  command({
    mode: "interface",
    syntax:
      "standby [<group:0-4095>] timers (<hello:1-254> | msec <helloMs:15-999>) (<hold:1-255> | msec <holdMs:50-3000>)",
    help: "time between hellos, and how long a silent router counts as alive",
    example: "standby 1 timers msec 250 5",
    each: groups,
    set: (scope, a, context) => {
      groupOf(scope, a.group, context).timers = {
        at: context.at,
        helloMs: a.helloMs ?? a.hello! * 1000,
        holdMs: a.holdMs ?? a.hold! * 1000,
        helloMsec: a.helloMs !== undefined,
        holdMsec: a.holdMs !== undefined,
      };
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        group.timers = undefined;
      }),
    show: (group) => {
      if (!group.timers) return [];
      const { helloMs, holdMs, helloMsec, holdMsec } = group.timers;
      const time = (ms: number, msec: boolean) => (msec ? `msec ${ms}` : `${ms / 1000}`);
      return [line(group, `timers ${time(helloMs, helloMsec)} ${time(holdMs, holdMsec)}`)];
    },
  }),
  command({
    mode: "interface",
    syntax: "standby [<group:0-4095>] priority <priority:0-255>",
    help: "the higher becomes active",
    example: "standby 1 priority 110",
    each: groups,
    set: (scope, a, context) => {
      groupOf(scope, a.group, context).priority = { at: context.at, value: a.priority };
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        group.priority = undefined;
      }),
    show: (group) => (group.priority ? [line(group, `priority ${group.priority.value}`)] : []),
  }),
  command({
    mode: "interface",
    syntax:
      "standby [<group:0-4095>] preempt [delay { minimum <minimum:0-3600> | reload <reload:0-3600> | sync <sync:0-3600> }]",
    help: "take over from an active router of lower priority",
    example: "standby 1 preempt delay minimum 5 reload 10 sync 20",
    each: groups,
    set: (scope, a, context) => {
      groupOf(scope, a.group, context).preempt = {
        at: context.at,
        ...(a.minimum !== undefined && { minimumSeconds: a.minimum }),
        ...(a.reload !== undefined && { reloadSeconds: a.reload }),
        ...(a.sync !== undefined && { syncSeconds: a.sync }),
      };
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        group.preempt = undefined;
      }),
    show: (group) => {
      if (!group.preempt) return [];
      const { minimumSeconds, reloadSeconds, syncSeconds } = group.preempt;
      const delays: string[] = [];
      if (minimumSeconds !== undefined) delays.push(`minimum ${minimumSeconds}`);
      if (reloadSeconds !== undefined) delays.push(`reload ${reloadSeconds}`);
      if (syncSeconds !== undefined) delays.push(`sync ${syncSeconds}`);
      return [line(group, delays.length === 0 ? "preempt" : `preempt delay ${delays.join(" ")}`)];
    },
  }),
  command({
    mode: "interface",
    syntax: "standby [<group:0-4095>] authentication (text <text:standby-text> | <text:standby-text>)",
    help: "text that hellos must carry",
    example: "standby 1 authentication text secret",
    each: groups,
    set: (scope, a, context) => {
      groupOf(scope, a.group, context).authentication = { at: context.at, kind: "text", text: a.text! };
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        group.authentication = undefined;
      }),
    show: (group) =>
      group.authentication?.kind === "text"
        ? [line(group, `authentication text ${group.authentication.text}`)]
        : [],
  }),
  command({
    mode: "interface",
    syntax:
      "standby [<group:0-4095>] authentication md5 (key-string [<kind:0-7>] <key:key-string> [timeout <timeout:0-32767>] | key-chain <chain:word>)",
    help: "keyed MD5 of hellos",
    example: "standby 1 authentication md5 key-string HAkey timeout 30",
    each: groups,
    set: (scope, a, context) => {
      if (a.kind !== undefined && a.kind !== 0) {
        return fail(`a key of type ${a.kind} cannot be read: give it in clear`, "kind");
      }
      const { at } = context;
      const group = groupOf(scope, a.group, context);
      if (a.chain !== undefined) group.authentication = { at, kind: "md5-chain", chain: a.chain };
      else {
        const timeout = a.timeout === undefined ? {} : { timeoutSeconds: a.timeout };
        group.authentication = { at, kind: "md5-string", key: a.key!, ...timeout };
      }
      return undefined;
    },
    remove: (scope, a) =>
      change(scope, a.group, (group) => {
        group.authentication = undefined;
      }),
    show: (group) => {
      const { authentication } = group;
      if (authentication?.kind === "md5-chain") {
        return [line(group, `authentication md5 key-chain ${authentication.chain}`)];
      }
      if (authentication?.kind !== "md5-string") return [];
      const { key, timeoutSeconds } = authentication;
      const timeout = timeoutSeconds === undefined ? "" : ` timeout ${timeoutSeconds}`;
      return [line(group, `authentication md5 key-string ${/^\d$/.test(key) ? `0 ${key}` : key}${timeout}`)];
    },
  }),
  command({
    mode: "interface",
    syntax: "standby [<group:0-4095>] mac-address <mac:mac>",
    help: "virtual MAC address",
    example: "standby 1 mac-address 0200.5e00.0001",
    each: groups,
    set: (scope, a, context) => {
      groupOf(scope, a.group, context).macAddress = normalMac(a.mac);
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        group.macAddress = undefined;
      }),
    show: (group) => (group.macAddress === undefined ? [] : [line(group, `mac-address ${group.macAddress}`)]),
  }),
  command({
    mode: "interface",
    syntax: "standby [<group:0-4095>] name <name:word>",
    help: "name of the group, the same on both routers",
    example: "standby 1 name HAin",
    each: groups,
    set: (scope, a, context) => {
      groupOf(scope, a.group, context).name = { at: context.at, value: a.name };
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        group.name = undefined;
      }),
    show: (group) => (group.name ? [line(group, `name ${group.name.value}`)] : []),
  }),
  command({
    mode: "interface",
    syntax:
      "standby [<group:0-4095>] track (<interface:interface> | <object:1-1000>) [decrement <decrement:1-255> | <decrement:1-255> | <shutdown>]",
    help: "lower the priority while an interface is down",
    example: "standby 1 track GigabitEthernet0/1 20",
    each: groups,
    set: (scope, a, context) => {
      const object = a.interface ?? `${a.object}`;
      const tracks = scope.standby.groups.get(a.group ?? DEFAULT_GROUP)?.tracks ?? [];
      if (tracks.length >= TRACKS_MAX && !tracks.some((track) => track.object === object)) {
        return fail(`a group tracks at most ${TRACKS_MAX} objects`, "object");
      }
      const track = {
        at: context.at,
        object,
        ...(a.decrement !== undefined && { decrement: a.decrement }),
        shutdown: a.shutdown ?? false,
      };
      return put(groupOf(scope, a.group, context).tracks, track, (other) => other.object);
    },
    unset: (scope, a) =>
      change(scope, a.group, (group) => {
        const object = a.interface ?? a.object?.toString();
        group.tracks = group.tracks.filter((track) => object !== undefined && track.object !== object);
      }),
    show: (group) =>
      group.tracks.map(({ object, decrement, shutdown }) => {
        const words = [`track ${object}`];
        if (decrement !== undefined)
          words.push(/^\d/.test(object) ? `decrement ${decrement}` : `${decrement}`);
        if (shutdown) words.push("shutdown");
        return line(group, words.join(" "));
      }),
  }),
];

export const HSRP: readonly Row[] = [...INTERFACE_ROWS, ...GROUP_ROWS];

/** Of all interfaces at once. */
export const HSRP_GLOBAL: readonly Row[] = [
  command({
    mode: "global",
    syntax: "standby bfd all-interfaces",
    help: "BFD with the HSRP neighbors of all interfaces that have a bfd interval: the default",
    example: "no standby bfd all-interfaces",
    set: (config) => {
      config.standbyBfd = true;
    },
    unset: (config) => {
      config.standbyBfd = false;
    },
    reset: (config) => {
      config.standbyBfd = undefined;
    },
    show: ({ standbyBfd }) => {
      if (standbyBfd === undefined) return [];
      return [standbyBfd ? "standby bfd all-interfaces" : "no standby bfd all-interfaces"];
    },
  }),
];
