/** The screen of `twinwall top`: one box at a glance, out of two samples. Pure. */
import { printable } from "../printable.js";
import { REASONS } from "../reasons.js";
import { bytesText, grouped, NO_PAINT, type Paint } from "../report/text.js";
import { ago, row, shortName } from "./show/layout.js";
import type { Summary } from "./summary.js";

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

interface Rate {
  readonly total: number;
  readonly perSecond: number;
}

/** What has happened between two samples; a counter that was set to zero meanwhile counts from there. */
function rateOf(now: number, before: number | undefined, seconds: number): Rate {
  const moved = before === undefined || before > now ? 0 : now - before;
  return { total: now, perSecond: seconds > 0 ? moved / seconds : 0 };
}

const perSecond = (rate: Rate): string => `${grouped(Math.round(rate.perSecond))}/s`;
const bits = (rate: Rate): string => `${bytesText(rate.perSecond * 8).replace("B", "bit")}/s`;

/**
 * The lines of the screen, none of them longer than it is wide.
 * @param before the sample before; undefined: there is none yet, and rates are 0.
 */
export function topScreen(
  now: Summary,
  before: Summary | undefined,
  { columns, rows }: ScreenSize,
  paint: Paint = NO_PAINT,
): string[] {
  const seconds = before === undefined ? 0 : (now.clock.uptimeMs - before.clock.uptimeMs) / 1000;
  const [head, ...lines] = [
    headLine(now),
    "",
    ...pairLines(now, before, seconds),
    "",
    ...sessionLines(now, before, seconds),
    "",
    ...interfaceLines(now, before, seconds),
    "",
    ...dropLines(now, before, seconds),
  ];
  // Set off when it has been cut: what does that takes no room on the screen.
  const cut = (line: string) => printable(line).slice(0, columns);
  return [paint.bold(cut(head!)), ...lines.map(cut)].slice(0, rows);
}

function headLine({ hostname, clock, pair, packetIo }: Summary): string {
  return `${hostname}  ${pair.own}  up ${ago(clock.uptimeMs)}  ${packetIo}`;
}

function pairLines(now: Summary, before: Summary | undefined, seconds: number): string[] {
  const { pair, sync, groups, bfd } = now;
  const communications = pair.downReason === undefined ? "up" : `down (${pair.downReason})`;
  const inSync = pair.outOfSyncReason === undefined ? "in sync" : `not in sync (${pair.outOfSyncReason})`;
  const records = rateOf(
    sync.sentRecords + sync.takenRecords,
    before && before.sync.sentRecords + before.sync.takenRecords,
    seconds,
  );
  const bytes = rateOf(sync.bytesSent, before?.sync.bytesSent, seconds);
  const up = bfd.filter(({ state }) => state === "Up").length;
  return [
    `Peer      ${pair.peer}, communications ${communications}, ${inSync}, ${pair.switchovers} switchovers`,
    `Sync      ${perSecond(records)} records, ${bits(bytes)}, waiting ${grouped(sync.queued)}, ` +
      `lag p50 ${sync.lag.p50.toFixed(2)} ms p99 ${sync.lag.p99.toFixed(2)} ms`,
    `HSRP      ${groups.map((each) => `${shortName(each.interface)} group ${each.group} ${each.state}`).join(", ") || "no groups"}`,
    `BFD       ${bfd.length === 0 ? "no sessions" : `${up} of ${bfd.length} up`}`,
  ];
}

function sessionLines(now: Summary, before: Summary | undefined, seconds: number): string[] {
  const { sessions } = now.counters;
  const was = before?.counters.sessions;
  const created = (key: "created" | "tcp" | "udp" | "icmp" | "other") =>
    perSecond(rateOf(sessions[key], was?.[key], seconds));
  const ended = (key: "expired" | "closed" | "evicted") =>
    perSecond(rateOf(sessions[key], was?.[key], seconds));
  const { current, halfOpen, maximum } = sessions;
  return [
    `Sessions  ${grouped(current)} of ${grouped(now.sessionsMax)}: established ${grouped(current - halfOpen)}, ` +
      `half-open ${grouped(halfOpen)}, most ever ${grouped(maximum)}`,
    `  new     ${created("created")}: tcp ${created("tcp")}, udp ${created("udp")}, icmp ${created("icmp")}, other ${created("other")}`,
    `  ended   closed ${ended("closed")}, expired ${ended("expired")}, evicted ${ended("evicted")}`,
  ];
}

const PORT = [10, 6, 13, 14, 13, 14, 10] as const;

function interfaceLines(now: Summary, before: Summary | undefined, seconds: number): string[] {
  const passed = (verdict: "pass" | "drop" | "local") => ({
    packets: rateOf(
      now.counters.verdicts[verdict].packets,
      before?.counters.verdicts[verdict].packets,
      seconds,
    ),
    bytes: rateOf(now.counters.verdicts[verdict].bytes, before?.counters.verdicts[verdict].bytes, seconds),
  });
  const pass = passed("pass");
  const drop = passed("drop");
  return [
    `Packets   passed ${perSecond(pass.packets)} ${bits(pass.bytes)}, dropped ${perSecond(drop.packets)}, ` +
      `for this box ${perSecond(passed("local").packets)}`,
    `  ${row(PORT, ["Interface", "State", "In packets", "In", "Out packets", "Out", "Lost"])}`,
    ...now.interfaces.map((each) => {
      const was = before?.interfaces.find(({ name }) => name === each.name);
      const moved = each.counters;
      const lost = (of: typeof moved) => (of === undefined ? 0 : of.ringFull + of.noBuffer + of.sendRefused);
      return `  ${row(PORT, [
        shortName(each.name),
        each.isShutdown ? "admin" : each.isUp ? "up" : "down",
        moved === undefined ? "-" : perSecond(rateOf(moved.received, was?.counters?.received, seconds)),
        each.receivedBytes === undefined
          ? "-"
          : bits(rateOf(each.receivedBytes, was?.receivedBytes, seconds)),
        moved === undefined ? "-" : perSecond(rateOf(moved.sent, was?.counters?.sent, seconds)),
        each.sentBytes === undefined ? "-" : bits(rateOf(each.sentBytes, was?.sentBytes, seconds)),
        moved === undefined
          ? "-"
          : perSecond(rateOf(lost(moved), was?.counters && lost(was.counters), seconds)),
      ])}`;
    }),
  ];
}

const DROP = [24, 12, 12] as const;

/** The reasons of drops, the busiest first. */
function dropLines(now: Summary, before: Summary | undefined, seconds: number): string[] {
  const drops = REASONS.flatMap(({ name, verdict }) => {
    if (verdict !== "drop") return [];
    const tally = now.counters.reasons[name];
    if (tally === undefined) return [];
    return [{ name, ...rateOf(tally.packets, before?.counters.reasons[name]?.packets ?? 0, seconds) }];
  });
  drops.sort((a, b) => b.perSecond - a.perSecond || b.total - a.total);
  return [
    `  ${row(DROP, ["Dropped because of", "Now", "In all"])}`,
    ...drops.map((each) => `  ${row(DROP, [each.name, perSecond(each), grouped(each.total)])}`),
  ];
}
