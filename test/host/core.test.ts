import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { Core, CoreError } from "../../src/core.js";
import { readCoreFile } from "../../src/io/wasm.js";
import { undone } from "../../src/snapshot.js";
import { planOf, SEED } from "./support.js";

const wasm = await readCoreFile();
const module = new WebAssembly.Module(wasm);

/** A module of `sections` behind the magic number and the version. */
const moduleOf = (...sections: number[]): Uint8Array =>
  Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);
const text = (word: string): number[] => [word.length, ...new TextEncoder().encode(word)];

describe("a core that is none", () => {
  test("bytes that are no Wasm", async () => {
    await expect(Core.create(new Uint8Array([1, 2, 3]), { plan: planOf(), seed: SEED })).rejects.toThrow(
      CoreError,
    );
    expect(() => Core.createSync(new Uint8Array([1, 2, 3]), { plan: planOf(), seed: SEED })).toThrow(
      /the core cannot be instantiated/,
    );
  });

  test("a module without the exports", () => {
    expect(() => Core.createSync(moduleOf(), { plan: planOf(), seed: SEED })).toThrow(
      "this is not the core: it does not export layoutVersion, attach, activate, process, expire, flush, remove",
    );
  });

  test("a module of another layout", () => {
    const names = ["layoutVersion", "attach", "activate", "process", "expire", "flush", "remove"];
    const types = [1, 5, 1, 0x60, 0, 1, 0x7f]; // () -> i32
    const functions = [3, 2, 1, 0];
    const entries = names.flatMap((name) => [...text(name), 0, 0]);
    const exports = [7, entries.length + 1, names.length, ...entries];
    const code = [10, 7, 1, 5, 0, 0x41, 0xe3, 0, 0x0b]; // i32.const 99
    const other = moduleOf(...types, ...functions, ...exports, ...code);
    expect(() => Core.createSync(other, { plan: planOf(), seed: SEED })).toThrow(
      `the core has memory layout 99, this package needs ${L.LAYOUT_VERSION}`,
    );
  });
});

describe("the core", () => {
  test.each([1024, 65536, 1048576])(
    "is instantiated for %i sessions, from bytes and from a module",
    async (sessions) => {
      const plan = planOf({ sessions });
      for (const core of [
        await Core.create(wasm, { plan, seed: SEED }),
        Core.createSync(module, { plan, seed: SEED }),
      ]) {
        expect(core.bytes.length).toBe(plan.size);
        expect(core.state(L.S_MAGIC)).toBe(L.STATE_MAGIC);
        expect(core.state(L.S_LAYOUT)).toBe(L.LAYOUT_VERSION);
        expect(core.state(L.S_SESSIONS_MAX)).toBe(sessions);
        expect(core.state(L.S_GROUPS)).toBe(plan.groups);
        expect(core.state(L.S_BATCH_MAX)).toBe(plan.capacity.batch);
        expect(core.state(L.S_HELD_MAX)).toBe(plan.capacity.fragments);
        expect(core.state(L.S_EVENTS_MAX)).toBe(plan.capacity.events);
        expect(core.state(L.S_RULES_MAX)).toBe(plan.capacity.rules);
        expect(core.state(L.S_BANK_SIZE)).toBe(plan.bankSize);
        expect(core.state(L.S_MEMORY_SIZE)).toBe(plan.size);
        expect(core.state(L.S_BYTES_SIZE)).toBe(plan.regions.bytes.size);
        const { regions } = plan;
        for (const [field, at] of [
          [L.S_TIMEOUTS_AT, regions.timeouts.at],
          [L.S_TAGS_AT, regions.tags.at],
          [L.S_OVERFLOW_AT, regions.overflow.at],
          [L.S_HOT_AT, regions.hot.at],
          [L.S_COLD_AT, regions.cold.at],
          [L.S_FRAGMENTS_AT, regions.fragments.at],
          [L.S_HELD_AT, regions.held.at],
          [L.S_EVENTS_AT, regions.events.at],
          [L.S_BANKS_AT, regions.banks.at],
          [L.S_HITS_AT, regions.hits.at],
          [L.S_DESCRIPTORS_AT, regions.descriptors.at],
          [L.S_META_AT, regions.meta.at],
          [L.S_LIVE_AT, regions.live.at],
          [L.S_NEIGHBORS_AT, regions.neighbors.at],
          [L.S_BYTES_AT, regions.bytes.at],
          [L.S_BUFFERS_AT, regions.buffers.at],
        ] as const) {
          expect(core.state(field)).toBe(at);
        }
        const seeds = L.STATE_AT + L.S_SEEDS;
        expect([...core.bytes.subarray(seeds, seeds + SEED.length)]).toEqual([...SEED]);
      }
    },
  );

  test("never grows: its memory is as large as it can be", () => {
    const core = Core.createSync(module, { plan: planOf({ sessions: 1024 }), seed: SEED });
    const { buffer } = core.bytes;
    core.process(0, 1);
    expect(core.bytes.buffer).toBe(buffer);
    expect(core.bytes.length).toBe(buffer.byteLength);
  });

  test("imports its memory and nothing else", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  });

  test("refuses an image that is none, and stays without a policy", () => {
    const core = Core.createSync(module, { plan: planOf({ sessions: 1024 }), seed: SEED });
    expect(core.activate(0)).not.toBe(0);
    expect(core.activate(2)).not.toBe(0);
    expect(core.state(L.S_ACTIVE_BANK)).toBe(0);
  });

  test("what is undone leaves no trace, a failure included", () => {
    const core = Core.createSync(module, { plan: planOf({ sessions: 1024 }), seed: SEED });
    const before = core.copyState();
    undone(core, () => {
      core.process(1, 5000);
      core.setState(L.S_LAYOUT, L.LAYOUT_VERSION + 1);
    });
    expect(() =>
      undone(core, () => {
        core.process(1, 6000);
        throw new Error("in between");
      }),
    ).toThrow("in between");
    expect(Buffer.compare(core.copyState(), before)).toBe(0);
  });
});
