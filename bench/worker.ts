/** A worker of the benchmarks: it answers requests one after the other, and waits for them without spinning. */
import { type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";

/** Starts a file of this folder in a thread of its own. */
export class BenchWorker<Request, Answer> {
  readonly #worker: Worker;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(file: URL, data: unknown) {
    this.#worker = new Worker(file, { workerData: data });
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
