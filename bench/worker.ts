/** A worker of the benchmarks: it answers requests one after the other, and waits for them without spinning. */
import { type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";

/** A thread does not inherit how the main one reads TypeScript, so it is told anew. */
const bootstrapOf = (file: URL): string =>
  `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))})` +
  `.then(({ register }) => { register(); return import(${JSON.stringify(file.href)}); })`;

/** How long another thread may keep a spinning one waiting: one that has died would do so for ever. */
const PATIENCE_MS = 30_000;
/** Looks between two at the clock. */
const LOOKS = 1_000_000;

/** Spins until it is so. */
export function spinUntil(isSo: () => boolean): void {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (let looks = 1; !isSo(); looks++)
    if (looks % LOOKS === 0 && performance.now() > deadlineMs)
      throw new Error("the other thread does not answer");
}

/** Starts a file of this folder in a thread of its own. */
export class BenchWorker<Request, Answer> {
  readonly #worker: Worker;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(file: URL, data: unknown) {
    this.#worker = new Worker(bootstrapOf(file), { eval: true, execArgv: [], workerData: data });
    this.#worker.on("message", (answer: Answer) => this.#waiting?.resolve(answer));
    this.#worker.on("error", (error: Error) => this.#waiting?.reject(error));
  }

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** In the worker: answers each request. */
export function answer<Data, Request, Answer>(make: (data: Data) => (request: Request) => Answer): void {
  const act = make(workerData as Data);
  (parentPort as MessagePort).on("message", (request: Request) => parentPort!.postMessage(act(request)));
}
