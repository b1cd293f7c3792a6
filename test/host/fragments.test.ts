import { describe, expect, test } from "vitest";
import { compileFragmentLimits } from "../../src/policy/fragments.js";
import { configOf } from "./support.js";

const rule = "ip inspect name FW fragment maximum 100 timeout 4\n";
const bound = "interface GigabitEthernet0/0\n ip inspect FW in\n";
const reassembly =
  "interface GigabitEthernet0/1\n ip virtual-reassembly max-reassemblies 8 max-fragments 10 timeout 6\n";

describe("fragment limits", () => {
  test.each([
    ["nothing said", "", { frames: 256, perSource: 128, perDatagram: 128, timeoutMs: 3000 }],
    ["a fragment line", `${rule}${bound}`, { frames: 100, perSource: 50, perDatagram: 50, timeoutMs: 4000 }],
    [
      "a fragment line without numbers",
      `ip inspect name FW fragment\n${bound}`,
      { frames: 256, perSource: 128, perDatagram: 128, timeoutMs: 1000 },
    ],
    [
      "a fragment line that is not bound",
      rule,
      { frames: 256, perSource: 128, perDatagram: 128, timeoutMs: 3000 },
    ],
    ["virtual reassembly", reassembly, { frames: 80, perSource: 40, perDatagram: 10, timeoutMs: 6000 }],
    [
      "virtual reassembly without numbers",
      "interface GigabitEthernet0/1\n ip virtual-reassembly\n",
      { frames: 512, perSource: 256, perDatagram: 32, timeoutMs: 3000 },
    ],
    [
      "both",
      `${rule}${bound}${reassembly}`,
      { frames: 100, perSource: 50, perDatagram: 10, timeoutMs: 4000 },
    ],
  ])("%s", (_, text, expected) => {
    expect(compileFragmentLimits(configOf(text), 4096)).toEqual(expected);
  });

  test("never more than the instance can hold", () => {
    const limits = compileFragmentLimits(configOf("ip inspect name FW fragment maximum 10000\n" + bound), 64);
    expect(limits).toMatchObject({ frames: 64, perSource: 32, perDatagram: 32 });
  });
});
