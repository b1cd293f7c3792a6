/** What is gained by deciding many packets in one call? */
import { measureRow, type Question } from "./report.js";
import { randomFlow } from "./ring.js";
import { Testbed, type Workshop } from "./testbed.js";

const SIZES = [1, 4, 16, 64, 256];
const SESSIONS = 65536;

export const batch = (workshop: Workshop): Question => ({
  names: SIZES.map((size) => `batch/${size}`),
  async *measure(wanted) {
    const sizes = SIZES.filter((size) => wanted(`batch/${size}`));
    if (sizes.length === 0) return;
    const bed = new Testbed(workshop, "tcp", SESSIONS);
    try {
      await bed.open(0, SESSIONS);
      bed.prepare("data");
      for (const size of sizes) {
        const contenders = bed.contenders({ flowOf: randomFlow(SESSIONS), batch: size });
        yield await measureRow(`batch/${size}`, contenders, workshop.effort(SESSIONS));
      }
      await bed.verify();
    } finally {
      bed.close();
    }
  },
});
