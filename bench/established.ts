/** How long does a packet of an open session take, by the number of sessions? */
import { damage } from "./damage.js";
import { BATCH } from "./policy.js";
import { measureRow, type Question, type Row } from "./report.js";
import { isTcp, type Protocol, RING_FRAMES, randomFlow } from "./ring.js";
import { Testbed, type Workshop } from "./testbed.js";

const SIZES: Readonly<Record<Protocol, readonly number[]>> = {
  tcp: [1024, 65536, 1048576, 4194304],
  udp: [1024, 65536, 1048576, 4194304],
  tcp6: [65536, 1048576],
  udp6: [],
};

/** Kinds of refusal that the damaged frames must have met, so that the comparison says something. */
const REASONS_MIN = 12;

export const established = (workshop: Workshop): Question => {
  const cases = Object.entries(SIZES).flatMap(([protocol, sizes]) =>
    sizes.map((sessions) => ({
      name: `established/${protocol}/${sessions}`,
      protocol: protocol as Protocol,
      sessions,
    })),
  );
  return {
    names: cases.map(({ name }) => name),
    async *measure(wanted) {
      for (const { name, protocol, sessions } of cases) {
        if (wanted(name)) yield await measureEstablished(workshop, name, protocol, sessions);
      }
    },
  };
};

async function measureEstablished(
  workshop: Workshop,
  name: string,
  protocol: Protocol,
  sessions: number,
): Promise<Row> {
  const bed = new Testbed(workshop, protocol, sessions);
  try {
    await bed.open(0, sessions);
    await bed.verify();
    await compareDamaged(bed, sessions);
    bed.prepare("data");
    const contenders = bed.contenders({ flowOf: randomFlow(sessions), batch: BATCH });
    const row = await measureRow(name, contenders, workshop.effort(sessions));
    await bed.verify();
    return row;
  } finally {
    bed.close();
  }
}

/** Frames that are to be refused for many reasons, among sound ones: everybody must say the same about each. */
export async function compareDamaged(bed: Testbed, sessions: number): Promise<void> {
  bed.prepare("data");
  for (const ring of bed.rings) {
    ring.fill(randomFlow(sessions), 0);
    damage(ring);
  }
  await bed.compare();
  const { reasons } = bed.lanes[0]!.engine.tallies();
  if (reasons.size < REASONS_MIN) throw new Error(`the damaged frames met only ${reasons.size} reasons`);
  const passed = [...reasons.values()].reduce((sum, { packets }) => sum + packets, 0);
  const opening = (isTcp(bed.ring.protocol) ? 4 : 2) * sessions;
  if (passed !== opening + RING_FRAMES) throw new Error(`${passed} frames were counted`);
}
