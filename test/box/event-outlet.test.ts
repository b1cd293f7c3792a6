import { expect, test } from "vitest";
import type { FirewallEvent } from "../../src/events.js";
import {
  EVENTS_DELAY_MS,
  EVENTS_PER_SECOND,
  type EventBatch,
  EventOutlet,
} from "../../src/live/event-outlet.js";

const event = (rule: number) => ({ type: "rule_log", rule }) as FirewallEvent;

function outlet(): { outlet: EventOutlet; delivered: (readonly EventBatch[])[] } {
  const delivered: (readonly EventBatch[])[] = [];
  return { outlet: new EventOutlet((batches) => delivered.push(batches)), delivered };
}

test("events of several turns go on together when the first has waited for its time", () => {
  const { outlet: events, delivered } = outlet();
  events.take([event(1)], 0);
  events.take([event(2)], 5);
  expect(events.deadlineMs).toBe(EVENTS_DELAY_MS);
  events.tick(EVENTS_DELAY_MS - 1);
  expect(delivered).toEqual([]);
  events.tick(EVENTS_DELAY_MS);
  expect(delivered).toEqual([
    [
      { nowMs: 0, events: [event(1)] },
      { nowMs: 5, events: [event(2)] },
    ],
  ]);
  expect(events.deadlineMs).toBe(Number.POSITIVE_INFINITY);
});

test("before rules get other numbers everything goes on at once, and nothing twice", () => {
  const { outlet: events, delivered } = outlet();
  events.flush();
  expect(delivered).toEqual([]);
  events.take([event(7)], 0);
  events.flush();
  expect(delivered).toEqual([[{ nowMs: 0, events: [event(7)] }]]);
  events.tick(EVENTS_DELAY_MS);
  expect(delivered).toHaveLength(1);
});

test("more than a log can take is left out and counted", () => {
  const { outlet: events } = outlet();
  events.take(
    Array.from({ length: EVENTS_PER_SECOND + 3 }, () => event(1)),
    0,
  );
  expect(events.lost).toBe(3);
});
