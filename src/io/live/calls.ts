/**
 * Questions of the main thread to a worker that never returns to its event loop: by message, answered between two turns of
 * its loop. An answer is plain data; what a call cannot do is part of its answer.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";

/** What a worker answers, by name. */
export type Calls<C> = { readonly [K in keyof C]: (argument: never) => unknown };

type Argument<F> = F extends (argument: infer A) => unknown ? A : never;
type Answer<F> = F extends (argument: never) => infer R ? R : never;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Reply {
  readonly id: number;
  readonly answer: unknown;
}

/** The asking end. Who closes it leaves what was asked without an answer. */
export class Caller<C extends Calls<C>> {
  readonly #port: MessagePort;
  readonly #wake: () => void;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #next = 0;

  /** `wake`: has the worker look for questions. */
  constructor(port: MessagePort, wake: () => void) {
    this.#port = port;
    this.#wake = wake;
    port.on("message", ({ id, answer }: Reply) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) port.unref();
    });
    port.unref();
  }

  call<K extends keyof C & string>(
    name: K,
    ...[argument]: Argument<C[K]> extends undefined ? [] : [Argument<C[K]>]
  ): Promise<Answer<C[K]>> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve as (answer: unknown) => void);
      this.#port.ref();
      this.#port.postMessage({ id, name, argument } satisfies Question);
      this.#wake();
    });
  }
}

/** The answering end. */
export class Answerer<C extends Calls<C>> {
  readonly #port: MessagePort;
  readonly #calls: C;

  constructor(port: MessagePort, calls: C) {
    this.#port = port;
    this.#calls = calls;
  }

  /** Answers one question, if there is one. False: there was none. */
  answer(): boolean {
    const question = receiveMessageOnPort(this.#port)?.message as Question | undefined;
    if (question === undefined) return false;
    const { id, name, argument } = question;
    const answer = this.#calls[name as keyof C](argument as never);
    this.#port.postMessage({ id, answer } satisfies Reply);
    return true;
  }
}
