/** Rules about BFD between the boxes of a pair: where it runs, what it leaves out, and whether it is fast enough. */
import type { Config, Interface } from "../config/model.js";
import { counterparts } from "./correspond.js";
import type { Draft, PairDraft } from "./finding.js";
import { type PeerPath, peerPaths, watchesNeighbors } from "./paths.js";
import { holdMs, isUp } from "./topology.js";

const exampleOf = (on: Interface): string => `bfd interval 50 min_rx 50 multiplier 3 on ${on.name}`;

/** V32. An interval where there is nobody to hear, and a `standby bfd` without one. */
export function bfdHasANeighbor(config: Config): Draft[] {
  const paths = peerPaths(config);
  return [...config.interfaces.values()].filter(isUp).flatMap((on): Draft[] => {
    const here = paths.filter((path) => path.interface === on);
    if (on.bfd === undefined) {
      if (on.standby.bfd !== true) return [];
      return [{ at: on.at, message: `standby bfd on ${on.name} has no bfd interval`, mend: exampleOf(on) }];
    }
    if (here.some(({ bfd }) => bfd !== undefined)) return [];
    const why = here.some(({ kind }) => kind === "hsrp")
      ? "standby bfd is switched off there"
      : "there is neither an HSRP group nor a path of the association";
    const mend = here.length > 0 ? `standby bfd on ${on.name}` : `no bfd interval on ${on.name}`;
    return [{ at: on.bfd.at, message: `BFD on ${on.name} watches nothing: ${why}`, mend }];
  });
}

/** V33. The peer is dead when it is heard on no path: the slowest one decides when that is noticed. */
export function bfdWatchesEveryPath(config: Config): Draft[] {
  const paths = peerPaths(config);
  const watched = paths.find(({ bfd }) => bfd !== undefined);
  if (watched === undefined) return [];
  const names = new Set<string>();
  return paths
    .filter(({ bfd, interface: on }) => bfd === undefined && !names.has(on.name) && names.add(on.name))
    .map((path) => ({
      at: path.at,
      other: watched.bfd!.at,
      message: `BFD does not watch ${path.interface.name}, a path to the peer: that the peer is dead is noticed only when ${slowly(path)}`,
      mend: mendOf(config, path),
    }));
}

function slowly({ kind }: PeerPath): string {
  return kind === "hsrp" ? "the HSRP hold time there is over" : "the association does not hear it for 1.9 s";
}

function mendOf(config: Config, { kind, interface: on }: PeerPath): string {
  return kind === "hsrp" && on.bfd !== undefined && !watchesNeighbors(config, on)
    ? `standby bfd on ${on.name}`
    : exampleOf(on);
}

/** V34. What BFD notices no sooner than HSRP would have, it does not help with. */
export function bfdIsFasterThanHold(config: Config): Draft[] {
  return [...config.interfaces.values()].flatMap((on): Draft[] => {
    if (on.bfd === undefined || !isUp(on)) return [];
    const { at, intervalMs, minRxMs, multiplier } = on.bfd;
    const detectionMs = multiplier * Math.max(intervalMs, minRxMs);
    const group = [...on.standby.groups.values()].find((each) => detectionMs >= holdMs(each));
    if (group === undefined) return [];
    return [
      {
        at,
        other: group.timers?.at ?? group.at,
        message: `BFD on ${on.name} needs ${detectionMs} ms to notice a dead neighbor, group ${group.group} there ${holdMs(group)} ms`,
        mend: `a shorter bfd interval on ${on.name}, or standby ${group.group} timers with a longer hold time`,
      },
    ];
  });
}

/** P11. A session has two ends. */
export function bfdHasTwoEnds(a: Config, b: Config): PairDraft[] {
  const watches = (config: Config, on: Interface): boolean =>
    peerPaths(config).some((path) => path.interface === on && path.bfd !== undefined);
  return counterparts(a, b).flatMap(({ a: one, b: other }): PairDraft[] => {
    const [here, there] = [watches(a, one), watches(b, other)];
    if (here === there) return [];
    const [side, with_, without]: [PairDraft["side"], Interface, Interface] = here
      ? ["b", one, other]
      : ["a", other, one];
    return [
      {
        side,
        at: without.at,
        other: with_.bfd!.at,
        message: `BFD runs on ${with_.name} there and not on ${without.name} here: the session does not come up`,
        mend: exampleOf(without),
      },
    ];
  });
}
