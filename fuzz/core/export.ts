/**
 * Writes what the C side of the fuzzer needs to know, so that nothing stands twice:
 *
 *   layout.h      every constant of assembly/layout.ts as L_NAME, the regions, the interfaces, the reasons
 *   memory.bin    the memory of a fresh instance, after `attach`
 *   NAME.bin      the image of each policy
 *
 *   tsx fuzz/core/export.ts FOLDER CORE.wasm
 *
 * The regions do not lie side by side as in production: each ends at the end of a page, and the page behind it is
 * given no access, so that one byte too far stops the run.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as L from "../../assembly/layout.js";
import { parse } from "../../src/config/parse.js";
import { Core, type MemoryPlan, type Region } from "../../src/core.js";
import type { Numbering } from "../../src/policy/numbering.js";
import { compilePolicy, type Policy } from "../../src/policy/policy.js";
import { REASONS } from "../../src/reasons.js";
import { planOf, SEED } from "../../test/host/support.js";

const CAPACITY = { sessions: 1024, rules: 128, batch: 64, fragments: 32, events: 64 };
/** What a host protects memory by. */
const HOST_PAGE = 4096;
const WASM_PAGE = 65536;
/** A power of two with room for each of the policies. */
const BANK_SIZE = 16384;

/** What the harness calls the interfaces of the policies. */
const INTERFACES: Readonly<Record<string, string>> = {
  INSIDE: "GigabitEthernet0/0",
  OUTSIDE: "GigabitEthernet0/1",
  TRUNK: "GigabitEthernet0/2",
  DMZ: "GigabitEthernet0/2.10",
  GUEST: "GigabitEthernet0/2.20",
  CLOSED: "GigabitEthernet0/3",
  LAB: "Serial0/0",
};
/** The policies, in the order of their numbers; `inside` and `pair` as `twinwall replay --inside` and `--ingress`. */
const POLICIES: readonly Readonly<PolicyRow>[] = [
  { name: "inspected", configuration: "inspected" },
  { name: "stateless", configuration: "stateless" },
  { name: "sides", configuration: "two-sides", inside: ["10.1.1.0/24", "2001:db8:1::/64"] },
  { name: "pair", configuration: "two-sides", pair: [INTERFACES.INSIDE!, INTERFACES.OUTSIDE!] },
];
interface PolicyRow {
  name: string;
  /** A file in policies/. */
  configuration: string;
  inside?: string[];
  pair?: [string, string];
}
/** The station address of the inside interface; elsewhere every frame counts as addressed to the router. */
const INSIDE_MAC = "02:00:00:00:00:01";
/** Only read by the core. */
const READ_ONLY: readonly string[] = ["timeouts", "banks", "bytes", "syncIn"];

/** The plan of a capacity with its regions moved apart. */
function spreadPlan(): MemoryPlan {
  const plan = planOf(CAPACITY);
  const regions: Record<string, Region> = {};
  let free = L.STATE_AT + pages(L.STATE_SIZE) + HOST_PAGE;
  for (const [name, { size: wanted }] of Object.entries(plan.regions)) {
    const size = name === "banks" ? 2 * BANK_SIZE : wanted;
    regions[name] = { at: free + pages(size) - Math.ceil(size / 64) * 64, size };
    free += pages(size) + HOST_PAGE;
  }
  return {
    ...plan,
    bankSize: BANK_SIZE,
    regions: regions as MemoryPlan["regions"],
    size: Math.ceil(free / WASM_PAGE) * WASM_PAGE,
  };
}

const pages = (size: number): number => Math.ceil(size / HOST_PAGE) * HOST_PAGE;

/** The policies, each with the numbering of the one before it, so that sessions survive every change of policy. */
function compilePolicies(): Policy[] {
  const folder = fileURLToPath(new URL("policies/", import.meta.url));
  const compiled: Policy[] = [];
  let numbering: Numbering | undefined;
  for (const { name, configuration, inside, pair } of POLICIES) {
    const file = join(folder, `${configuration}.cfg`);
    const { config, diagnostics } = parse(readFileSync(file, "utf8"), { file });
    const { policy, problems } = compilePolicy(config, {
      inside,
      pair,
      macs: new Map([[INTERFACES.INSIDE!, INSIDE_MAC]]),
      room: { rules: CAPACITY.rules, fragments: CAPACITY.fragments, bankSize: BANK_SIZE },
      numbering,
    });
    const errors = [...diagnostics, ...problems].filter(({ severity }) => severity === "error");
    if (policy === undefined || errors.length > 0) {
      throw new Error(`${name}: ${errors.map(({ line, message }) => `${line}: ${message}`).join("\n")}`);
    }
    compiled.push(policy);
    numbering = policy.numbering;
  }
  return compiled;
}

function header(plan: MemoryPlan, policies: readonly Policy[]): string {
  const lines = ["/* Written by fuzz/core/export.ts. */", "#pragma once", "#include <stdint.h>", ""];
  for (const [name, value] of Object.entries(L)) {
    if (typeof value === "number") lines.push(`#define L_${name} ${value}u`);
  }
  lines.push(
    "",
    `#define MEMORY_SIZE ${plan.size}u`,
    `#define BANK_SIZE ${plan.bankSize}u`,
    `#define BATCH_BYTES ${plan.batchBytes}u`,
    `#define GROUPS ${plan.groups}u`,
    `#define SESSIONS_MAX ${CAPACITY.sessions}u`,
    `#define RULES_MAX ${CAPACITY.rules}u`,
    `#define BATCH_MAX ${CAPACITY.batch}u`,
    `#define HELD_MAX ${CAPACITY.fragments}u`,
    `#define EVENTS_MAX ${CAPACITY.events}u`,
    "",
    "/* name, first byte, bytes, whether the core writes there */",
    "#define REGIONS(R) \\",
    `  R(state, ${L.STATE_AT}u, ${L.STATE_SIZE}u, 1) \\`,
    Object.entries(plan.regions)
      .map(([name, { at, size }]) => `  R(${name}, ${at}u, ${size}u, ${READ_ONLY.includes(name) ? 0 : 1})`)
      .join(" \\\n"),
    "",
    "/* constant, code, name, verdict */",
    "#define REASONS(R) \\",
    REASONS.map(
      ({ code, name, verdict }) => `  R(${code}u, ${name}, L_VERDICT_${verdict.toUpperCase()})`,
    ).join(" \\\n"),
    "",
    ...POLICIES.map(({ name }, i) => `#define POLICY_${name.toUpperCase()} ${i}u`),
    `#define POLICY_COUNT ${POLICIES.length}u`,
    `#define POLICIES(P) ${POLICIES.map(({ name }) => `P(${name})`).join(" ")}`,
    "",
  );
  const names = policies.at(-1)!.numbering.interfaces;
  for (const [role, name] of Object.entries(INTERFACES)) {
    const number = names.indexOf(name);
    if (number < 1) throw new Error(`no policy has the interface ${name}`);
    lines.push(`#define ${role} ${number}u`);
  }
  lines.push(`#define INTERFACES ${names.length}u`);
  lines.push(`#define INSIDE_MAC { ${INSIDE_MAC.split(":").map((byte) => `0x${byte}`)} }`, "");
  return lines.join("\n");
}

/** A fresh instance with the timeouts of the last policy, which knows those of all of them. */
function freshMemory(plan: MemoryPlan, wasm: Uint8Array, policies: readonly Policy[]): Uint8Array {
  const core = Core.createSync(wasm, { plan, seed: SEED });
  core.words.set(policies[0]!.timeouts, plan.regions.timeouts.at / 4);
  policies.at(-1)!.timeouts.forEach((ms, i) => {
    if (i >= L.TIMER_FIRST_IDLE) core.words[plan.regions.timeouts.at / 4 + i] = ms;
  });
  return core.bytes;
}

const [folder, wasm] = process.argv.slice(2);
if (folder === undefined || wasm === undefined)
  throw new Error("usage: tsx fuzz/core/export.ts FOLDER CORE.wasm");
mkdirSync(folder, { recursive: true });
const plan = spreadPlan();
const policies = compilePolicies();
writeFileSync(join(folder, "layout.h"), header(plan, policies));
writeFileSync(join(folder, "memory.bin"), freshMemory(plan, readFileSync(wasm), policies));
POLICIES.forEach(({ name }, i) => {
  writeFileSync(join(folder, `${name}.bin`), policies[i]!.image);
});
