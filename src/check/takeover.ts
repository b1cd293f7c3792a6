/**
 * Rules about how HSRP takes over on one box: tracking, preemption, timers, delays, and the LANs it runs on.
 */
import { type Config, DEFAULTS, type Interface, type StandbyGroup } from "../config/model.js";
import type { Draft } from "./finding.js";
import {
  failoverInterfaces,
  hasAddress,
  helloMs,
  holdMs,
  hsrpVersion,
  interfaceType,
  isFailoverConfigured,
  isOutside,
  isUp,
  needsVersion2,
  portOf,
  seconds,
  standbyGroups,
  standbyName,
} from "./topology.js";

/** V06. Every group watches the other interfaces that fail over, and what it watches can be watched. */
export function groupsTrackEachOther(config: Config): Draft[] {
  const together = failoverInterfaces(config);
  return standbyGroups(config).flatMap((standby): Draft[] => {
    const { group, interface: on } = standby;
    const drafts: Draft[] = [];
    for (const track of group.tracks) {
      if (isTrackObject(track.object)) continue;
      const problem = trackProblem(config, on, track.object);
      if (problem === undefined) continue;
      drafts.push({
        at: track.at,
        message: `${standbyName(standby)} tracks ${track.object}, which ${problem}`,
        mend: `no standby ${group.group} track ${track.object}`,
      });
    }
    // What a numbered object watches is not said here, so with one of them nothing can be called missing.
    if (!isUp(on) || group.tracks.some((track) => isTrackObject(track.object))) return drafts;
    const tracked = new Set(group.tracks.map((track) => track.object));
    const missing = together.filter(
      (each) =>
        each !== on &&
        portOf(each.name) !== portOf(on.name) &&
        !tracked.has(each.name) &&
        !tracked.has(portOf(each.name)),
    );
    if (missing.length > 0) {
      drafts.push({
        at: group.at,
        message: `${standbyName(standby)} does not track ${missing.map((each) => each.name).join(", ")}: when that fails, this side stays`,
        mend: missing.map((each) => `standby ${group.group} track ${each.name}`).join("; "),
      });
    }
    return drafts;
  });
}

function isTrackObject(object: string): boolean {
  return /^\d+$/.test(object);
}

function trackProblem(config: Config, on: Interface, name: string): string | undefined {
  const target = config.interfaces.get(name);
  if (target === undefined) return "does not exist";
  if (target === on) return "is the interface of the group itself";
  return target.shutdown ? "is shut down" : undefined;
}

/** V07. */
export function trackingPreempts(config: Config): Draft[] {
  return standbyGroups(config).flatMap((standby): Draft[] => {
    const { group } = standby;
    if (group.preempt !== undefined || !group.tracks.some((track) => !track.shutdown)) return [];
    return [
      {
        at: group.tracks[0]!.at,
        message: `${standbyName(standby)} tracks without preempt: a fallen priority moves nothing`,
        mend: `standby ${group.group} preempt on ${standby.interface.name}, on both boxes`,
      },
    ];
  });
}

/** Hold time as multiples of the hello time: below the first hellos are lost too easily (RFC 2281), and between the
 * other two the failover guide wants it. */
const HOLD_PER_HELLO = { least: 3, advisedLow: 5, advisedHigh: 10 };

/** V08. Only of timers that the text sets: the defaults are Cisco's own. */
export function timersAreSound(config: Config): Draft[] {
  return standbyGroups(config).flatMap((standby): Draft[] => {
    const { timers, group } = standby.group;
    if (timers === undefined) return [];
    const { helloMs: hello, holdMs: hold, at } = timers;
    const { least, advisedLow, advisedHigh } = HOLD_PER_HELLO;
    const said = `${standbyName(standby)}: hold time ${seconds(hold)} with hello time ${seconds(hello)}`;
    const advised = `standby ${group} timers with a hold time of ${seconds(advisedLow * hello)} to ${seconds(advisedHigh * hello)}`;
    if (hold <= hello) {
      return [{ at, message: `${said}: the peer is given up before its next hello`, mend: advised }];
    }
    if (hold < least * hello) {
      const message = `${said} is less than ${least} hellos: one lost packet or two are a failover`;
      return [{ severity: "warning", at, message, mend: advised }];
    }
    if (hold < advisedLow * hello || hold > advisedHigh * hello) {
      const message = `${said} is outside the advised ${advisedLow} to ${advisedHigh} hellos`;
      return [{ severity: "info", at, message, mend: advised }];
    }
    return [];
  });
}

/**
 * V09. Compared with the first group of the box. Keys may differ by LAN, so only the kind of authentication counts;
 * version 2 that a group needs (V30) is a reason to differ.
 */
export function groupsAgree(config: Config): Draft[] {
  const [first, ...others] = standbyGroups(config).filter((standby) => isUp(standby.interface));
  if (first === undefined) return [];
  const drafts: Draft[] = [];
  const reported = new Set<Interface>();
  for (const standby of others) {
    const { group, interface: on } = standby;
    const differs = (what: string, own: string, theirs: string, mend: string, at = group.at) =>
      drafts.push({
        at,
        other: first.group.at,
        message: `${standbyName(standby)} has ${what} ${own}, ${standbyName(first)} ${theirs}`,
        mend,
      });
    const [own, theirs] = [timersText(group), timersText(first.group)];
    if (own !== theirs) {
      const mend = `standby ${group.group} timers ${theirs}, or leave both at the default`;
      differs("timers", own, theirs, mend, group.timers?.at);
    }
    const versions = [hsrpVersion(on), hsrpVersion(first.interface)] as const;
    const excused = needsVersion2(on) !== needsVersion2(first.interface);
    if (versions[0] !== versions[1] && !excused && !reported.has(on)) {
      reported.add(on);
      const mend = `standby version ${Math.max(...versions)} on both interfaces`;
      differs("version", `${versions[0]}`, `${versions[1]}`, mend, on.standby.version?.at);
    }
    const kinds = [authenticationKind(group), authenticationKind(first.group)] as const;
    if (kinds[0] !== kinds[1]) {
      const mend = "authenticate every group the same way: standby GROUP authentication md5 key-string KEY";
      differs("authentication", kinds[0], kinds[1], mend, group.authentication?.at);
    }
  }
  return drafts;
}

function timersText(group: StandbyGroup): string {
  const word = (ms: number) => (ms % 1000 === 0 ? `${ms / 1000}` : `msec ${ms}`);
  return `${word(helloMs(group))} ${word(holdMs(group))}`;
}

function authenticationKind(group: StandbyGroup): string {
  if (group.authentication === undefined) return "none";
  return group.authentication.kind === "text" ? "text" : "md5";
}

/** Below this a box that comes back takes part before its session table can be filled. */
const RELOAD_DELAY_LEAST_SECONDS = 60;
const RELOAD_DELAY_ADVISED_SECONDS = 120;

/** V10. The guide that advises to leave `minimum` alone sets it to 120 in its own examples; that passes as well. */
export function reloadDelayIsLong(config: Config): Draft[] {
  if (!isFailoverConfigured(config)) return [];
  return [...config.interfaces.values()].flatMap((on): Draft[] => {
    const { standby } = on;
    if (standby.groups.size === 0) return [];
    const at = standby.delayAt ?? on.at;
    const drafts: Draft[] = [];
    const reload = standby.delayReloadSeconds ?? DEFAULTS.standbyDelayReloadSeconds;
    if (reload < RELOAD_DELAY_LEAST_SECONDS) {
      const origin = standby.delayReloadSeconds === undefined ? "the default" : "configured";
      drafts.push({
        severity: "warning",
        at,
        message: `${on.name} waits ${reload} s (${origin}) after a reload: too short to fill the session table`,
        mend: `standby delay reload ${RELOAD_DELAY_ADVISED_SECONDS} on ${on.name}`,
      });
    }
    const minimum = standby.delayMinimumSeconds ?? DEFAULTS.standbyDelayMinimumSeconds;
    if (minimum !== DEFAULTS.standbyDelayMinimumSeconds && minimum !== RELOAD_DELAY_ADVISED_SECONDS) {
      drafts.push({
        severity: "info",
        at,
        message: `${on.name} waits ${minimum} s after each time it comes up; the default of ${DEFAULTS.standbyDelayMinimumSeconds} s is advised`,
        mend: `standby delay reload ${reload} on ${on.name}, without minimum`,
      });
    }
    return drafts;
  });
}

/** Interface types that are not a broadcast LAN, in lower case. */
const NOT_A_LAN = new Set(
  "async atm bri cellular dialer hssi loopback multilink pos serial tunnel virtual-ppp virtual-template".split(
    " ",
  ),
);
/** Of these, the ones that no host sits behind, so that an inside interface of this type says nothing. */
const VIRTUAL = new Set(["loopback", "tunnel"]);

/** V26. HSRP needs a LAN, and of a pair the inside must be one. */
export function insideIsLan(config: Config): Draft[] {
  return [...config.interfaces.values()].flatMap((on): Draft[] => {
    const type = interfaceType(on.name).toLowerCase();
    if (!isUp(on) || !NOT_A_LAN.has(type)) return [];
    const hasGroup = on.standby.groups.size > 0;
    const isInside =
      isFailoverConfigured(config) && hasAddress(on) && !VIRTUAL.has(type) && !isOutside(config, on);
    if (!hasGroup && !isInside) return [];
    const why = hasGroup ? "HSRP runs on LANs only" : "the inside of a failover pair must be a LAN";
    return [
      { at: on.at, message: `${on.name} is not a LAN: ${why}`, mend: "move it to an Ethernet interface" },
    ];
  });
}
