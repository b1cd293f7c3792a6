/** Captures of real routers, where they are at hand: each packet is read, written again, and its digest verified. */
import { describe, expect, test } from "vitest";
import { verify } from "../../src/hsrp/md5.js";
import { emitPacket, parsePacket } from "../../src/hsrp/packet.js";
import { isRefused } from "../../src/hsrp/refusals.js";
import { OPCODES, STATE_CODES } from "../../src/hsrp/wire.js";
import { formatAddress } from "../../src/ip.js";
import { names, packetsOf } from "./corpus.js";
import { hexOf } from "./golden.js";

describe.skipIf(names.length === 0)("captures of routers", () => {
  test.each(names)("%s: every field, the same bytes again, every digest whose key is known", (name) => {
    const packets = packetsOf(name);
    expect(packets.length).toBeGreaterThan(0);
    for (const { told, payload } of packets) {
      const judged = parsePacket(payload, told.version);
      if (isRefused(judged)) throw new Error(`frame ${told.frame}: ${judged.refusal}`);
      const { message, credential, digestAt } = judged.value;
      if (message.kind === "interface") {
        expect(told.state).toBeUndefined();
        const again = emitPacket(judged.value);
        // Version 1 has its length in two ways, and leaves rubbish in reserved fields.
        const meaning = (bytes: Uint8Array) => hexOf(told.version === 1 ? bytes.subarray(6, 12) : bytes);
        expect(meaning(again)).toBe(meaning(payload));
        continue;
      }
      const unit = told.version === 1 ? 1000 : 1;
      expect({
        opcode: OPCODES[message.opcode],
        state: STATE_CODES[told.version][message.state as "active"],
        group: message.group,
        priority: message.priority,
        hellotime: message.helloMs / unit,
        holdtime: message.holdMs / unit,
        vip: formatAddress(message.virtualAddress),
      }).toEqual({
        opcode: told.opcode,
        state: told.state,
        group: told.group,
        priority: told.priority,
        hellotime: told.hellotime,
        holdtime: told.holdtime,
        vip: told.vip,
      });
      if (credential.kind === "text") {
        // One capture has a damaged TLV of an unknown type behind its record.
        if (told.auth === undefined || told.auth.type === "text")
          expect(credential.text).toBe(told.auth?.data ?? "");
      } else if (credential.kind === "md5") {
        expect(hexOf(credential.digest)).toBe(told.auth.digest);
        if (told.auth.key !== undefined) {
          const key = {
            id: credential.keyId,
            secret: told.auth.key,
            acceptedUntilAtMs: Number.POSITIVE_INFINITY,
          };
          expect(verify(payload, digestAt!, key), `frame ${told.frame}`).toBe(true);
        }
      }
      const isWhole = credential.kind !== "text" || payload.length <= 52;
      if (isWhole && !name.includes("fuzzed")) expect(hexOf(emitPacket(judged.value))).toBe(hexOf(payload));
    }
  });
});
