import { describe, expect, test } from "vitest";
import { handoverOf, STAGE_BYTES } from "../../src/live/policy-handover.js";
import type { Policy } from "../../src/policy/policy.js";
import { ruleInfo } from "../../src/policy/rules.js";
import { prepare } from "../../src/prepare.js";
import { Core } from "../../src/core.js";
import { Dataplane } from "../../src/dataplane.js";
import { readCoreFile } from "../../src/io/wasm.js";
import { FLAG } from "../support/frames.js";
import { CLIENT, segment, SERVER } from "../host/firewall.js";
import { planOf, policyOf, SEED } from "../host/support.js";

const ENTRIES = 5000;
const CAPACITY = { sessions: 1024, rules: ENTRIES + 2 };
const { bankSize } = planOf(CAPACITY);
const ROOM = { rules: CAPACITY.rules, fragments: 256, bankSize };
const module = new WebAssembly.Module(new Uint8Array(await readCoreFile()));

/** Anybody at first; then hosts, of which no two fit into one wildcard: the image becomes large. */
const sourceOf = (i: number): string => (i < 2 ? "any" : `host 192.0.${i >> 8}.${i & 255}`);

/** `first`: an entry before all others. */
const configuration = (first: string): string => `
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.0.0.0
interface GigabitEthernet0/1
 ip address 198.51.100.1 255.255.255.0
 ip access-group INBOUND in
ip access-list extended INBOUND
 5 ${first}
${Array.from({ length: ENTRIES }, (_, i) => ` ${10 + i} permit tcp ${sourceOf(i)} any eq ${1000 + i}`).join("\n")}
`;

const BEFORE = configuration("deny udp any any");
const AFTER = configuration("deny tcp any any eq 1000");

function start(): { dataplane: Dataplane; before: Policy; next: Policy } {
  const setup = prepare({ config: BEFORE, capacity: CAPACITY }, () => SEED);
  const dataplane = new Dataplane(Core.createSync(module, setup), setup);
  const next = policyOf(AFTER, { room: ROOM, numbering: setup.policy.numbering });
  return { dataplane, before: setup.policy, next };
}

function verdict(dataplane: Dataplane, port: number): string {
  const { batch } = dataplane;
  batch.clear();
  batch.add(segment(SERVER, 40000, CLIENT, port, FLAG.syn), 2);
  dataplane.process(0);
  return `${batch.verdict(0)} by rule ${batch.rule(0)}`;
}

/** As a message carries it to another thread. */
const carried = <T>(message: T): T => structuredClone(message);

describe("a policy that is handed over", () => {
  test("has its image in memory that both threads see, in pieces without a gap, and no text", () => {
    const { before, next } = start();
    const { stages, policy, origins } = handoverOf(next, before);
    expect(stages.length).toBeGreaterThan(1);
    expect(stages[0]!.from).toBe(0);
    expect(stages.at(-1)!.end).toBe(next.image.length);
    stages.slice(1).forEach(({ from }, i) => {
      expect(from).toBe(stages[i]!.end);
    });
    for (const { from, end } of stages) expect(end - from).toBeLessThanOrEqual(STAGE_BYTES);
    expect(
      [policy.image.buffer, origins.buffer].map((memory) => memory instanceof SharedArrayBuffer),
    ).toEqual([true, true]);
    expect(Object.keys(policy)).not.toContain("rules");
    expect(Object.keys(policy)).not.toContain("config");
  });

  test("decides from its adoption on, not before, and entries that stay keep their hits", () => {
    const { dataplane, before, next } = start();
    expect(verdict(dataplane, 1000)).toBe("pass by rule 2");
    const { stages, policy, origins } = carried(handoverOf(next, before));
    for (const { image, from, end } of stages) {
      dataplane.stage(image, from, end);
      expect(verdict(dataplane, 1000)).toBe("pass by rule 2");
    }
    dataplane.adopt(policy, origins);
    expect(verdict(dataplane, 1000)).toBe("drop by rule 1");
    expect(verdict(dataplane, 1001)).toBe("pass by rule 3");
    const hits = dataplane.hits();
    expect(next.rules.slice(0, 4).map((rule) => ruleInfo(rule, hits[rule.number]!))).toMatchObject([
      { number: 1, text: "deny tcp any any eq 1000", hits: 1 },
      { number: 2, text: "permit tcp any any eq 1000", hits: 1 + stages.length },
      { number: 3, text: "permit tcp any any eq 1001", hits: 1 },
      { number: 4, hits: 0 },
    ]);
    expect(dataplane.ruleName(2)).toEqual({ list: "INBOUND", sequence: 10 });
    expect(() => dataplane.rules()).toThrow(/texts of this policy/);
  });

  test("is whole in a core that took over in between and has seen only its last pieces", () => {
    const { dataplane, before, next } = start();
    const { stages, policy, origins } = carried(handoverOf(next, before));
    for (const { image, from, end } of stages.slice(1)) dataplane.stage(image, from, end);
    dataplane.adopt(policy, origins);
    expect(verdict(dataplane, 1000)).toBe("drop by rule 1");
  });

  test("leaves nothing in the way of a policy that is compiled here", () => {
    const { dataplane, before, next } = start();
    const [first] = handoverOf(next, before).stages;
    dataplane.stage(first!.image, first!.from, first!.end);
    dataplane.replacePolicy(configuration("deny tcp any any eq 1001"));
    expect(verdict(dataplane, 1001)).toBe("drop by rule 1");
    expect(verdict(dataplane, 1000)).toBe("pass by rule 2");
  });
});
