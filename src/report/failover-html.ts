/** The report of a failover as one HTML page that needs no network: the picture as SVG, the numbers as tables. */
import { clockText, type FailoverReport, PHASES, type PhaseName } from "./failover.js";
import { type Report, tallyOf, totalOf } from "./report.js";
import { grouped } from "./text.js";

const COLORS: Readonly<Record<PhaseName, string>> = {
  active: "#1a7f37",
  hot: "#54aeff",
  cold: "#d4a72c",
  waiting: "#d0d7de",
  frozen: "#cf222e",
  dead: "#ffffff",
};

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1f2328; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.planned { color: #cf222e; } .quiet { color: #59636e; } svg { width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } .quiet { color: #8d96a0; } }
`;

const LANE_HEIGHT = 26;
const LANE_GAP = 12;
const LEFT = 40;
const WIDTH = 960;
const TICKS = 6;

/** The page. Everything from the capture and the configurations is escaped. */
export function failoverHtml(report: Report, failover: FailoverReport): string {
  const title = `${report.capture} through ${report.config}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="quiet">${summary(report, failover)}</p>
${picture(failover)}
${failover.failures.map(failureSection).join("\n")}
<h2>What happened</h2>
${table(
  ["time", "box", ""],
  failover.timeline.map(({ seconds, box, text, isPlanned }) => ({
    cells: [`${seconds.toFixed(3)} s`, box, text],
    isPlanned,
  })),
)}
<h2>Session sync</h2>
${syncTable(failover)}
<h2>Packets</h2>
${table(
  ["packets", "verdict", "reason", ""],
  report.reasons.map(({ packets, verdict, name, meaning }) => ({
    cells: [grouped(packets), verdict, name, meaning],
  })),
)}
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function summary(report: Report, failover: FailoverReport): string {
  const { packets } = totalOf(report);
  const count = (verdict: "pass" | "drop" | "local"): string => grouped(tallyOf(report, verdict).packets);
  const lost = report.notSent.packets > 0 ? `, ${grouped(report.notSent.packets)} reached no firewall` : "";
  const clock = clockText(failover);
  return `${grouped(packets)} packets: ${count("pass")} passed, ${count("drop")} dropped, ${count("local")} for the box itself${lost}.${clock === undefined ? "" : ` Time was ${clock}.`}`;
}

function picture({ lanes, seconds, timeline }: FailoverReport): string {
  const boxes = Object.entries(lanes);
  const span = Math.max(seconds, 1e-9);
  const x = (at: number): number => LEFT + (Math.min(at, span) / span) * (WIDTH - LEFT);
  const height = 30 + boxes.length * (LANE_HEIGHT + LANE_GAP) + 30;
  const parts: string[] = [];
  boxes.forEach(([box, lane], i) => {
    const top = 24 + i * (LANE_HEIGHT + LANE_GAP);
    parts.push(`<text x="0" y="${top + 18}" fill="currentColor">${escapeHtml(box)}</text>`);
    lane.forEach(({ seconds: from, phase }, k) => {
      const to = lane[k + 1]?.seconds ?? span;
      const wide = Math.max(0, x(to) - x(from));
      parts.push(
        `<rect x="${x(from).toFixed(1)}" y="${top}" width="${wide.toFixed(1)}" height="${LANE_HEIGHT}" fill="${COLORS[phase]}"` +
          ` stroke="#d0d7de"><title>${escapeHtml(`${box}: ${PHASES[phase].meaning}, ${from.toFixed(3)} s to ${to.toFixed(3)} s`)}</title></rect>`,
      );
    });
  });
  const bottom = 24 + boxes.length * (LANE_HEIGHT + LANE_GAP);
  for (const { seconds: at, text, isPlanned } of timeline) {
    if (!isPlanned) continue;
    parts.push(
      `<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="12" y2="${bottom}" stroke="#cf222e" stroke-width="1.5"/>`,
      `<text x="${x(at).toFixed(1)}" y="11" font-size="11" text-anchor="middle" fill="#cf222e">${escapeHtml(text)}</text>`,
    );
  }
  for (let tick = 0; tick <= TICKS; tick++) {
    const at = (span * tick) / TICKS;
    const anchor = tick === 0 ? "start" : tick === TICKS ? "end" : "middle";
    parts.push(
      `<text x="${x(at).toFixed(1)}" y="${bottom + 14}" font-size="11" text-anchor="${anchor}" fill="currentColor">${at.toFixed(1)} s</text>`,
    );
  }
  const legend = (Object.keys(PHASES) as PhaseName[])
    .map((phase) => `<span style="color:${COLORS[phase]}">■</span> ${PHASES[phase].meaning}`)
    .join(" &nbsp; ");
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="who was active when">\n${parts.join("\n")}\n</svg>\n<p class="quiet">${legend}</p>`;
}

function failureSection(failure: FailoverReport["failures"][number]): string {
  const { what, at, packet, active, takeoverMilliseconds, packetsLost } = failure;
  const { sessionsAtFailure, sessionsSurvived, sessionsLost } = failure;
  const taken =
    takeoverMilliseconds === undefined ? "no box took over" : `${takeoverMilliseconds.toFixed(1)} ms`;
  const rows: [string, string][] = [
    ["the active box", active],
    ["after packet", grouped(packet)],
    ["take-over", taken],
    ["packets lost until then", grouped(packetsLost)],
    ["sessions", grouped(sessionsAtFailure)],
    ["survived", grouped(sessionsSurvived)],
    ["lost", grouped(sessionsLost.length)],
  ];
  const lost =
    sessionsLost.length === 0
      ? ""
      : table(
          ["lost session", "why"],
          sessionsLost.map(({ session, reason }) => ({ cells: [session, reason] })),
        );
  return `<h2>${escapeHtml(what)} at ${at.toFixed(3)} s</h2>\n${table(
    ["", ""],
    rows.map((cells) => ({ cells })),
  )}\n${lost}`;
}

function syncTable({ sync, deferredMilliseconds }: FailoverReport): string {
  const { records, bytes, sessions, lagMilliseconds } = sync;
  const spread = ({ p50, p99, max }: typeof lagMilliseconds): string =>
    `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, at most ${max.toFixed(2)} ms`;
  const rows: [string, string][] = [
    ["records", grouped(records)],
    ["bytes", grouped(bytes)],
    ["sessions", grouped(sessions)],
    ["bytes a session", sessions === 0 ? "-" : (bytes / sessions).toFixed(0)],
    ["lag", spread(lagMilliseconds)],
  ];
  if (deferredMilliseconds.samples > 0) {
    rows.push([
      "first replies that waited",
      `${grouped(deferredMilliseconds.samples)}: ${spread(deferredMilliseconds)}`,
    ]);
  }
  return table(
    ["", ""],
    rows.map((cells) => ({ cells })),
  );
}

interface Row {
  readonly cells: readonly string[];
  readonly isPlanned?: boolean;
}

function table(titles: readonly string[], rows: readonly Row[]): string {
  const isNumber = (text: string): boolean => /^[\d,.]+( s| ms)?$/.test(text);
  const head = titles.some((title) => title !== "")
    ? `<tr>${titles.map((title) => `<th>${escapeHtml(title)}</th>`).join("")}</tr>`
    : "";
  const body = rows.map(({ cells, isPlanned }) => {
    const columns = cells.map(
      (cell) => `<td${isNumber(cell) ? ' class="number"' : ""}>${escapeHtml(cell)}</td>`,
    );
    return `<tr${isPlanned ? ' class="planned"' : ""}>${columns.join("")}</tr>`;
  });
  return `<table>${head}${body.join("")}</table>`;
}
