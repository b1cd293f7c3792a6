/** What a bundler starts from: a replay on the page itself, and the same in a worker. */
import { replayFrom } from "./replay.ts";

globalThis.onPage = replayFrom;

globalThis.inWorker = (config, capture) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }) =>
      "outcome" in data ? resolve(data.outcome) : reject(new Error(data.problem));
    worker.postMessage([config, capture]);
  });
