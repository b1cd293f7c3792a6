/**
 * Rules about the thresholds of `ip inspect`: half-open sessions, sessions per minute, half-open per host.
 */
import { type Config, DEFAULTS } from "../config/model.js";
import type { Context, Draft } from "./finding.js";
import { TOP } from "./finding.js";

/** V20. What the text leaves out has its default, and that counts too. */
export function lowIsBelowHigh(config: Config): Draft[] {
  const { inspect } = config;
  const pairs = [
    {
      command: "ip inspect max-incomplete",
      low: inspect.maxIncompleteLow,
      high: inspect.maxIncompleteHigh,
      defaults: { low: DEFAULTS.maxIncompleteLow, high: DEFAULTS.maxIncompleteHigh },
    },
    {
      command: "ip inspect one-minute",
      low: inspect.oneMinuteLow,
      high: inspect.oneMinuteHigh,
      defaults: { low: DEFAULTS.oneMinuteLow, high: DEFAULTS.oneMinuteHigh },
    },
  ];
  return pairs.flatMap(({ command, low, high, defaults }): Draft[] => {
    const values = { low: low?.value ?? defaults.low, high: high?.value ?? defaults.high };
    if (values.low <= values.high) return [];
    const said = (which: "low" | "high", configured: object | undefined) =>
      `${which} ${values[which]}${configured === undefined ? " (the default)" : ""}`;
    return [
      {
        at: (low ?? high)?.at ?? TOP,
        message: `${command} ${said("low", low)} is above ${said("high", high)}`,
        mend: high === undefined ? `${command} high ${values.low}` : `${command} low ${values.high}`,
      },
    ];
  });
}

/** V21. A threshold that the session table cannot reach is switched off. */
export function thresholdsCanBeReached(config: Config, { tableCapacity }: Context): Draft[] {
  const { maxIncompleteHigh, oneMinuteHigh, tcpMaxIncompleteHost } = config.inspect;
  const thresholds = [
    {
      command: "ip inspect max-incomplete high",
      set: maxIncompleteHigh,
      advised: DEFAULTS.maxIncompleteHigh,
    },
    { command: "ip inspect one-minute high", set: oneMinuteHigh, advised: DEFAULTS.oneMinuteHigh },
    {
      command: "ip inspect tcp max-incomplete host",
      set: tcpMaxIncompleteHost,
      advised: DEFAULTS.tcpMaxIncompleteHost,
    },
  ];
  return thresholds.flatMap(({ command, set, advised }): Draft[] => {
    if (set === undefined || set.value < tableCapacity) return [];
    return [
      {
        at: set.at,
        message: `${command} ${set.value} is never reached: the table holds ${tableCapacity} sessions`,
        mend: `${command} with less than ${tableCapacity} (default ${advised}), a little above the highest count seen`,
      },
    ];
  });
}
