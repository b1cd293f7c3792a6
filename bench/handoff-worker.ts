/** The reading end: takes batches out of the ring into its core, and gives the slots back. */
import { BatchReader } from "../src/pair/batch-slot.js";
import { makeDataplane } from "./boxes.js";
import type { HandoffData } from "./handoff.js";
import { answer } from "./worker.js";

const SESSIONS = 1024;

/** Takes so many batches; the frames that were in them. */
answer(({ core: source, packets, shape }: HandoffData) => {
  const { core } = makeDataplane(source, "B", SESSIONS, { isAlone: true });
  const reader = new BatchReader(packets, shape, core);
  return (batches: number): number => {
    let frames = 0;
    for (let taken = 0; taken < batches; ) {
      const loaded = reader.load();
      if (loaded === -1) continue;
      reader.release();
      frames += loaded;
      taken++;
    }
    return frames;
  };
});
