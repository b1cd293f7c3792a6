/** Configurations and policies for the tests of this folder. */
import type { Config, Diagnostic } from "../../src/config/model.js";
import { parse } from "../../src/config/parse.js";
import {
  CAPACITY_DEFAULT,
  type Capacity,
  completeCapacity,
  type MemoryPlan,
  planMemory,
} from "../../src/core.js";
import { compilePolicy, type Policy, type PolicyOptions } from "../../src/policy/policy.js";

/** Hash keys that are the same in every run. */
export const SEED = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 11) & 255);

/** A parsed configuration that must have no error. */
export function configOf(text: string): Config {
  const { config, diagnostics } = parse(text, { file: "test.cfg" });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ line, message }) => `${line}: ${message}`).join("\n"));
  return config;
}

export function planOf(capacity: Partial<Capacity> = {}): MemoryPlan {
  const complete = completeCapacity(capacity);
  if ("problem" in complete) throw new Error(complete.problem);
  const plan = planMemory(complete);
  if ("problem" in plan) throw new Error(plan.problem);
  return plan;
}

export const ROOM: PolicyOptions["room"] = {
  rules: CAPACITY_DEFAULT.rules,
  fragments: CAPACITY_DEFAULT.fragments,
  bankSize: planOf().bankSize,
};

export function compile(
  text: string,
  options: Partial<PolicyOptions> = {},
): { policy: Policy | undefined; problems: Diagnostic[] } {
  return compilePolicy(configOf(text), { room: ROOM, ...options });
}

/** A policy that must compile. */
export function policyOf(text: string, options: Partial<PolicyOptions> = {}): Policy {
  const { policy, problems } = compile(text, options);
  if (policy === undefined) throw new Error(problems.map(({ message }) => message).join("\n"));
  return policy;
}

/** The messages of one severity. */
export function messages(problems: readonly Diagnostic[], severity: Diagnostic["severity"]): string[] {
  return problems.filter((each) => each.severity === severity).map(({ message }) => message);
}

/** Two interfaces, a default route, a list on the outside, inspection toward it: the usual office. */
export const OFFICE = `
hostname office
ip inspect name FW tcp
ip inspect name FW udp
ip inspect name FW icmp
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.0
 ip access-group IN in
 ip inspect FW out
ip route 0.0.0.0 0.0.0.0 203.0.113.254
ip access-list extended IN
 permit tcp any host 10.0.0.80 eq www
 deny ip any any log
end
`;
