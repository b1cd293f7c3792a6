/** How much of the time goes into parsing, checking and hashing? */
import { BATCH } from "./policy.js";
import { measureRow, PRODUCT, type Question } from "./report.js";
import { type Protocol, randomFlow } from "./ring.js";
import { Testbed, type Workshop } from "./testbed.js";

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "tcp6"];
/** Only the baseline of one load a packet looks at the table, which is as small as it can be. */
const SESSIONS = 1024;

export const parse = (workshop: Workshop): Question => ({
  names: PROTOCOLS.map((protocol) => `parse/${protocol}`),
  async *measure(wanted) {
    for (const protocol of PROTOCOLS) {
      const name = `parse/${protocol}`;
      if (!wanted(name)) continue;
      const bed = new Testbed(workshop, protocol, SESSIONS);
      try {
        bed.prepare("data");
        const contenders = bed.contenders({
          flowOf: randomFlow(SESSIONS),
          batch: BATCH,
          work: new Map([
            [PRODUCT, (count) => void bed.extras.parseAll(count)],
            ["javascript", (count) => void bed.javascript.parseAll(count)],
          ]),
          nativeWork: (first, count) => `parse ${first} ${count}`,
        });
        yield await measureRow(
          name,
          contenders.filter((each) => each.name !== "against"),
          workshop.effort(SESSIONS),
        );
      } finally {
        bed.close();
      }
    }
  },
});
