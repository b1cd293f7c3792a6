/**
 * How long does another configuration keep packets waiting? The steps of a dataplane thread that is given one, each with
 * reading its message, beside the whole policy in one message: npx tsx bench/live/configure.ts [ENTRIES ...]
 *
 * A step runs between two batches, so that the longest one counts. The first change finds code that was not compiled yet.
 */
import { readFileSync } from "node:fs";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { Core } from "../../src/core.js";
import { Dataplane } from "../../src/dataplane.js";
import { handoverOf } from "../../src/live/policy-handover.js";
import type { Policy } from "../../src/policy/policy.js";
import { hitOrigins } from "../../src/policy/rules.js";
import { loadPolicy, prepare } from "../../src/prepare.js";
import { SEED } from "../policy.js";

const ENTRIES = [1000, 10_000, 60_000];
const CHANGES = 8;
const ROOM = 16;
const INTERFACES = [1, 2].map((number) => ({
  number,
  port: number - 1,
  mac: `0200.0000.000${number}`,
  vlan: 0,
}));

/** Every other entry is one that the configuration before has, too. */
function configurationOf(entries: number, round: number): string {
  const lines = Array.from({ length: entries }, (_, i) => {
    const source = `10.${(i >> 8) & 255}.${i & 255}.${i % 2 === 0 ? 1 : 1 + round}`;
    return ` permit tcp host ${source} 198.51.${(i * 7) & 255}.0 0.0.0.255 eq ${1000 + (i % 5000)}`;
  });
  return `
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.0.0.0
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.0
 ip access-group INBOUND in
ip access-list extended INBOUND
${lines.join("\n")}
`;
}

class Subject {
  readonly #channel = new MessageChannel();
  readonly #dataplane: Dataplane;
  readonly #load: (round: number) => Policy;
  #policy: Policy;

  constructor(module: WebAssembly.Module, entries: number) {
    const capacity = { sessions: 65_536, rules: entries + ROOM };
    const setup = prepare({ config: configurationOf(entries, 0), capacity }, () => SEED);
    const { plan } = setup;
    const room = { ...plan.capacity, bankSize: plan.bankSize };
    this.#load = (round) =>
      loadPolicy(configurationOf(entries, round), {}, room, this.#policy.numbering).policy;
    this.#policy = setup.policy;
    this.#dataplane = new Dataplane(Core.createSync(module, setup), setup);
    this.#dataplane.forwarding.enable({ interfaces: INTERFACES });
  }

  close(): void {
    this.#channel.port1.close();
  }

  /** ms of the longest step of a change. */
  inSteps(round: number): number {
    const next = this.#load(round);
    const { stages, ...enforced } = handoverOf(next, this.#policy);
    const steps = stages.map((stage) =>
      this.#step(stage, ({ image, from, end }) => this.#dataplane.stage(image, from, end)),
    );
    steps.push(this.#step(enforced, ({ policy, origins }) => this.#adopt(policy, origins)));
    this.#policy = next;
    return Math.max(...steps);
  }

  /** ms of the one step of a change that crosses as it was compiled. */
  atOnce(round: number): number {
    const next = this.#load(round);
    const { rules } = this.#policy;
    const ms = this.#step(next, (policy) => this.#adopt(policy, hitOrigins(policy.rules, rules)));
    this.#policy = next;
    return ms;
  }

  #adopt(policy: Parameters<Dataplane["adopt"]>[0], origins: Uint32Array): void {
    this.#dataplane.adopt(policy, origins);
    this.#dataplane.forwarding.enable({ interfaces: INTERFACES });
  }

  #step<T>(message: T, act: (message: T) => void): number {
    this.#channel.port1.postMessage(message);
    const startMs = performance.now();
    act(receiveMessageOnPort(this.#channel.port2)!.message as T);
    return performance.now() - startMs;
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

function main(asked: readonly number[]): void {
  const module = new WebAssembly.Module(readFileSync(new URL("../../dist/core.wasm", import.meta.url)));
  console.log("longest pause, ms: first change, median and longest of the later ones");
  for (const entries of asked.length > 0 ? asked : ENTRIES) {
    for (const way of ["inSteps", "atOnce"] as const) {
      const subject = new Subject(module, entries);
      const [first, ...later] = Array.from({ length: CHANGES }, (_, i) => subject[way](i + 1));
      const figures = [first!, median(later), Math.max(...later)].map((ms) => ms.toFixed(2).padStart(8));
      console.log(`${entries.toString().padStart(6)} entries, ${way.padEnd(8)} ${figures.join(" ")}`);
      subject.close();
    }
  }
}

main(process.argv.slice(2).map(Number));
