/** The screen of `twinwall top`, out of two samples. */
import { expect, test } from "vitest";
import { summaryOf } from "../../src/console/summary.js";
import { topScreen } from "../../src/console/top.js";
import { FakeBackend } from "./fake-backend.js";

const SIZE = { columns: 200, rows: 100 };

async function samples() {
  const backend = new FakeBackend();
  const before = await summaryOf(backend);
  const counters = structuredClone(before.counters);
  counters.verdicts.pass.packets += 20_000;
  counters.verdicts.pass.bytes += 2_500_000;
  counters.reasons.tcp_no_session!.packets += 60;
  counters.reasons.table_full = { packets: 10, bytes: 600 };
  counters.sessions.tcp += 14;
  counters.sessions.created += 14;
  const interfaces = before.interfaces.map((each) => ({
    ...each,
    ...(each.counters && {
      counters: { ...each.counters, received: each.counters.received + 4000, ringFull: 8 },
    }),
  }));
  const clock = { ...before.clock, uptimeMs: before.clock.uptimeMs + 2000 };
  return { before, now: { ...before, counters, interfaces, clock } };
}

test("rates are what has happened between the samples", async () => {
  const { before, now } = await samples();
  const screen = topScreen(now, before, SIZE).join("\n");
  expect(screen).toContain("passed 10,000/s 10.0 Mbit/s, dropped 0/s");
  expect(screen).toMatch(/new {5}7\/s: tcp 7\/s, udp 0\/s/);
  expect(screen).toMatch(/Gi0\/0 +up +2,000\/s +0 bit\/s +0\/s +0 bit\/s +4\/s/);
  // The busiest reason first.
  const drops = screen
    .split("Dropped because of")[1]!
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/ +/));
  expect(drops).toEqual([
    ["tcp_no_session", "30/s", "70"],
    ["table_full", "5/s", "10"],
    ["acl_in_deny", "0/s", "20"],
  ]);
});

test("a counter that was set to zero meanwhile gives no negative rate", async () => {
  const { before, now } = await samples();
  expect(topScreen(before, now, SIZE).join("\n")).not.toMatch(/-\d/);
});

test("the screen is never larger than the terminal", async () => {
  const { before, now } = await samples();
  const lines = topScreen(now, before, { columns: 40, rows: 7 });
  expect(lines).toHaveLength(7);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
});
