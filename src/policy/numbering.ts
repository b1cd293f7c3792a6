/**
 * The numbers under which the core knows interfaces, inspection rules, services and timeouts. Sessions keep them, so
 * they outlive a policy: a new policy takes the numbering of the old one over and only appends to it.
 */
import * as L from "../../assembly/layout.js";
import { SERVICES } from "./services.js";

/** Never changed in place: each policy has its own. */
export interface Numbering {
  /** Full names by number; number 0 is no interface. */
  readonly interfaces: readonly string[];
  /** `4:NAME` and `6:NAME` by number; number 0 is no rule. */
  readonly inspectionRules: readonly string[];
  /** Names by number; number 0 is no service. */
  readonly services: readonly string[];
  /** Idle timeouts in ms, from TIMER_FIRST_IDLE on. */
  readonly idleTimers: readonly number[];
}

export const NUMBERING_START: Numbering = {
  interfaces: [""],
  inspectionRules: [""],
  services: ["", ...SERVICES.map(({ name }) => name)],
  idleTimers: [],
};

/** Hands out numbers: those of the start, then new ones up to a limit. */
export class Interner<T extends string | number> {
  readonly values: T[];
  readonly #numbers: Map<T, number>;
  readonly #limit: number;

  /** `limit`: how many numbers there may be. */
  constructor(start: readonly T[], limit: number) {
    this.values = [...start];
    this.#numbers = new Map(start.map((value, number) => [value, number]));
    this.#limit = limit;
  }

  /** The number of a value, or undefined when all numbers are taken. */
  intern(value: T): number | undefined {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    if (this.values.length >= this.#limit) return undefined;
    this.#numbers.set(value, this.values.length);
    return this.values.push(value) - 1;
  }

  numberOf(value: T): number | undefined {
    return this.#numbers.get(value);
  }
}

/** How many of each there can be, number 0 included. */
export const NUMBERING_LIMITS = {
  interfaces: L.INTERFACES_MAX,
  inspectionRules: L.INSPECT_RULES_MAX + 1,
  services: L.SERVICES_MAX,
  idleTimers: L.TIMERS_MAX - L.TIMER_FIRST_IDLE,
} as const;
