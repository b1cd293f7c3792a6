/** How many packets were decided for each reason. */
import * as L from "../../assembly/layout.js";
import { REASONS } from "../reasons.js";
import type { ReasonTally } from "../report/report.js";

export class ReasonCounts {
  readonly #packets = new Float64Array(L.REASONS_MAX);
  readonly #bytes = new Float64Array(L.REASONS_MAX);

  /** A packet of `bytes` was decided for a reason R_*. */
  add(reason: number, bytes: number): void {
    this.#packets[reason]!++;
    this.#bytes[reason]! += bytes;
  }

  /** The reasons that were met, in the order of decisions. */
  tallies(): ReasonTally[] {
    return REASONS.flatMap(({ code, name, verdict, meaning }): ReasonTally[] => {
      const packets = this.#packets[code]!;
      return packets === 0 || verdict === "held"
        ? []
        : [{ name, verdict, meaning, packets, bytes: this.#bytes[code]! }];
    });
  }
}
