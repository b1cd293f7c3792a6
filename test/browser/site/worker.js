/** Answers one message, the addresses of a configuration and a capture, with what the replay came to. */
import { replayFrom } from "./replay.ts";

self.onmessage = ({ data: [config, capture] }) =>
  replayFrom(config, capture).then(
    (outcome) => self.postMessage({ outcome }),
    (error) => self.postMessage({ problem: String(error) }),
  );
