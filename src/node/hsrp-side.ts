/** HSRP of a box, its links, and what the redundancy is told of both. */
import { failoverInterfaces } from "../check/topology.js";
import type { Config } from "../config/model.js";
import {
  Hsrp,
  type HsrpAction,
  type HsrpGroupView,
  type HsrpInput,
  type HsrpOptions,
  optionsOf,
} from "../hsrp/index.js";
import type { HsrpNews } from "../redundancy/index.js";
import type { ControlOptions } from "./actions.js";

/** What a step comes to: for the outside, and for the redundancy. */
export interface HsrpStep {
  readonly actions: readonly HsrpAction[];
  readonly news: readonly HsrpNews[];
}

export class HsrpSide {
  readonly #links: Map<string, boolean>;
  #options: ControlOptions;
  /** Interfaces whose failure makes a box half a box. */
  #counted: ReadonlySet<string>;
  #hsrp: Hsrp;
  /** What the redundancy was last told. */
  #told: string;

  /** `original`: one of which this is to be a copy. */
  constructor(options: ControlOptions, original?: HsrpSide) {
    this.#options = options;
    this.#counted = countedOf(options.config);
    if (original === undefined) {
      this.#links = new Map();
      this.#hsrp = this.#newHsrp();
      this.#told = "";
    } else {
      this.#links = new Map(original.#links);
      this.#hsrp = original.#hsrp.clone();
      this.#told = original.#told;
    }
  }

  get hsrp(): Hsrp {
    return this.#hsrp;
  }

  /** A failover interface is down: the box can do only half of its work. */
  get isDegraded(): boolean {
    return [...this.#links].some(([name, isUp]) => !isUp && this.#counted.has(name));
  }

  step(input: HsrpInput, nowMs: number): HsrpStep {
    if (input.kind === "link") this.#links.set(input.interface, input.isUp);
    const actions = this.#hsrp.step(input, nowMs);
    const preempts = actions.some(
      (each) => each.kind === "state" && each.event === "hPreempt" && this.#isLeader(each),
    );
    return { actions, news: this.#news(preempts, nowMs) };
  }

  /** Stops, forgets everything but the links, and starts anew. */
  restart(nowMs: number): HsrpStep {
    const stopped = this.step({ kind: "stop" }, nowMs);
    this.#hsrp = this.#newHsrp();
    this.#told = "";
    return joined([stopped, ...this.#tellLinks(nowMs)]);
  }

  /** Goes over to another configuration. */
  configure(options: ControlOptions, nowMs: number): HsrpStep {
    this.#options = options;
    this.#counted = countedOf(options.config);
    const configured = this.step({ kind: "configure", options: this.#hsrpOptions }, nowMs);
    return joined([configured, ...this.#tellLinks(nowMs)]);
  }

  /** Tells HSRP of the links; it may have forgotten them, or not have asked for them before. */
  #tellLinks(nowMs: number): HsrpStep[] {
    return [...this.#links].map(([name, isUp]) => this.step({ kind: "link", interface: name, isUp }, nowMs));
  }

  get #hsrpOptions(): HsrpOptions {
    const { config, macs, random } = this.#options;
    return optionsOf(config, { macs, random });
  }

  #newHsrp(): Hsrp {
    return new Hsrp(this.#hsrpOptions);
  }

  /** Of the group that the redundancy follows. */
  #isLeader({ name }: { readonly name?: string | undefined }): boolean {
    return name !== undefined && name === leaderOf(this.#options.config);
  }

  /** What has changed for the redundancy. */
  #news(preempts: boolean, nowMs: number): HsrpNews[] {
    const leader = this.#hsrp.views(nowMs).find((group) => this.#isLeader(group));
    if (leader === undefined) return [];
    const news: HsrpNews[] = [];
    const report = this.#hsrp.report();
    if (preempts) {
      // Who preempts has heard the Active router, be it in the same moment.
      const others = report.active.filter((each) => each !== leader.key);
      news.push({ ...newsOf(leader, { active: others }), role: "other", isActiveHeard: true });
    }
    const current = newsOf(leader, report);
    const told = JSON.stringify(current);
    if (told !== this.#told) news.push(current);
    this.#told = told;
    return news;
  }
}

const countedOf = (config: Config): ReadonlySet<string> =>
  new Set(failoverInterfaces(config).map(({ name }) => name));

const joined = (steps: readonly HsrpStep[]): HsrpStep => ({
  actions: steps.flatMap(({ actions }) => actions),
  news: steps.flatMap(({ news }) => news),
});

const leaderOf = ({ redundancy }: Config): string | undefined => redundancy?.scheme?.name;

function newsOf({ state, priority, active }: HsrpGroupView, report: HsrpNews["report"]): HsrpNews {
  const role = state === "active" || state === "standby" ? state : "other";
  return { kind: "hsrp", role, priority, isActiveHeard: active.kind === "neighbor", report };
}
