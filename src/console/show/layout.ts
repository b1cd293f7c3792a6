/** What the outputs have in common: how IOS writes names, numbers and times, and columns. */
import { printable } from "../../printable.js";
import { uptime } from "../../log/timestamps.js";

/** `GigabitEthernet0/0` as tables have it: `Gi0/0`. */
export function shortName(name: string): string {
  return name.replace(/^([A-Za-z]{2})[A-Za-z-]*(?=\d)/, "$1");
}

/** One line of a table. A cell that is wider than its column pushes those behind it. */
export function row(widths: readonly number[], cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join(" ")
    .trimEnd();
}

/** `1 packet`, `2 packets`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A length of time as IOS prints it: `00:12:07`, `1d02h`; `never` for none. */
export function ago(ms: number | undefined): string {
  return ms === undefined || !Number.isFinite(ms) ? "never" : uptime(Math.max(0, ms));
}

/** `0.416` */
export function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(3);
}

/** A timer as the command that sets it has it: `1 sec`, `200 msec`. */
export function timer(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} sec` : `${ms} msec`;
}

/** `(1 match)`, `(20 matches)`. */
export function matches(hits: number): string {
  return `(${hits} match${hits === 1 ? "" : "es"})`;
}

/** `10.0.0.5:80`, `[2001:db8::1]:80`. */
export function endText({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Lines with an end each; none for no lines. Text from outside cannot drive the terminal. */
export function text(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line)}\n`).join("");
}
