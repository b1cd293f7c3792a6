/** The running configurations of a real kind of failover pair: our own, and the published ones where they are present. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, show } from "../../src/config/index.js";
import { commandsOf, PAIR } from "./pair.js";
import { plain } from "./plain.js";

const DOCUMENT = new URL("../../../shared/seeds/004_b2c0fc940b1907e3.txt", import.meta.url);

/** The console sessions of a document: from `NAME#sh run` to `end`, without the marks of its pages. */
function sessionsOf(document: string): [name: string, text: string][] {
  const text = document
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("```"))
    .join("\n");
  return [...text.matchAll(/^(\w+)#sh run\n[\s\S]*?\nend\n\n\1#$/gm)].map((match) => [match[1]!, match[0]]);
}

function expectWhole(text: string): void {
  const { config, diagnostics } = parse(text);
  expect(diagnostics).toEqual([]);
  const shown = show(config);
  expect(commandsOf(shown)).toEqual(commandsOf(text));
  const again = parse(shown);
  expect(again.diagnostics).toEqual([]);
  expect(show(again.config)).toBe(shown);
  expect(plain(again.config)).toEqual(plain(config));
}

describe.each(Object.entries(PAIR))("router %s", (name, text) => {
  test("is read without a remark, and every command is written back in its place", () => expectWhole(text));

  test("with indents lost or doubled it is the same", () => {
    const config = plain(parse(text).config);
    expect(plain(parse(text.replace(/^ +/gm, "")).config)).toEqual(config);
    expect(plain(parse(text.replace(/^( +)/gm, "$1$1")).config)).toEqual(config);
  });

  test("the model", () => {
    const { config } = parse(text);
    const own = name === "A" ? 1 : 2;
    expect(plain(config)).toMatchObject({
      version: "12.4",
      hostname: name === "A" ? "North" : "South",
      timestamps: { log: { kind: "datetime", msec: true, localtime: false, year: false } },
      redundancy: { scheme: { name: "INSIDE" } },
      httpServer: { enabled: true },
      inspect: {
        maxIncompleteHigh: { value: 20_000_000 },
        tcpMaxIncompleteHost: { value: 20_000_000, blockMinutes: 0 },
        tcpIdleSeconds: 36_000,
        updateSeconds: { value: 30 },
      },
      inspectRules: [
        ["FIREWALL", { family: 4, name: "FIREWALL", protocols: [{ protocol: "tcp", options: [] }] }],
      ],
    });
    expect(plain(config.interfaces.get("GigabitEthernet0/1"))).toEqual({
      name: "GigabitEthernet0/1",
      shutdown: false,
      addresses: [{ address: 0xc6336400 + own, prefixLength: 24, secondary: false }],
      addresses6: [],
      accessGroups: [{ family: 4, list: "from-outside", direction: "in" }],
      inspect: [{ family: 4, rule: "FIREWALL", direction: "out", stateful: "INSIDE" }],
      verifySource: [],
      duplex: "auto",
      speed: "auto",
      mediaType: "rj45",
      standby: {
        delayReloadSeconds: 120,
        ...(name === "A" && { delayMinimumSeconds: 120 }),
        groups: [
          [
            2,
            {
              group: 2,
              ip: { address: 0xc63364fe },
              secondaryIps: [],
              timers: { helloMs: 1000, holdMs: 5000, helloMsec: false, holdMsec: false },
              preempt: {},
              name: { value: "OUTSIDE" },
              tracks: [{ object: "GigabitEthernet0/0", shutdown: false }],
            },
          ],
        ],
      },
    });
    expect(plain(config.ipc)).toEqual({
      associations: [
        [
          1,
          {
            id: 1,
            shutdown: false,
            protocol: "sctp",
            localPort: { value: 5000 },
            localIps: [{ address: 0x0a010000 + own }],
            remotePort: { value: 5000 },
            remoteIps: [{ address: 0x0a010000 + 3 - own }],
            retransmitTimeout: { minMs: 300, maxMs: 10_000 },
            pathRetransmit: { value: 10 },
            assocRetransmit: { value: 10 },
          },
        ],
      ],
    });
    expect(config.kept.every((line) => line.why === "note" && line.note.startsWith("no effect here: "))).toBe(
      true,
    );
    expect(config.kept.map((line) => line.text)).toEqual(
      expect.arrayContaining([
        "no service password-encryption",
        "ip cef",
        "voice-card 0",
        "no dspfarm",
        "control-plane",
        "stopbits 1",
      ]),
    );
  });

  test("positions are those of the text", () => {
    const lines = text.split("\n");
    const { config } = parse(text);
    const at = ({ line, column }: { line: number; column: number }) => lines[line - 1]!.slice(column - 1);
    expect(at(config.redundancy!.scheme!.at)).toBe("scheme standby INSIDE");
    expect(at(config.interfaces.get("Vlan1")!.at)).toBe("interface Vlan1");
    expect(at(config.interfaces.get("GigabitEthernet0/0")!.standby.groups.get(1)!.timers!.at)).toBe(
      "standby 1 timers 1 5",
    );
    expect(at(config.accessLists.get("from-outside")!.entries[2]!.at)).toBe("deny ip any any");
    expect(at(config.ipc!.associations.get(1)!.localPort!.at)).toBe("local-port 5000");
  });

  test("cut short at each character it is read without a throw, and what was read comes back", () => {
    for (let length = 0; length < text.length; length++) {
      const { config, diagnostics } = parse(text.slice(0, length));
      // Only the line that was cut can be wrong.
      expect(diagnostics.length).toBeLessThanOrEqual(1);
      if (length % 7 === 0) {
        const shown = show(config);
        expect(show(parse(shown).config)).toBe(shown);
      }
    }
  });

  test("without any one of its lines it is read, and what was read comes back", () => {
    const lines = text.split("\n");
    for (let n = 0; n < lines.length; n++) {
      const { config } = parse([...lines.slice(0, n), ...lines.slice(n + 1)].join("\n"));
      const shown = show(config);
      expect(show(parse(shown).config)).toBe(shown);
    }
  });
});

describe.skipIf(!existsSync(DOCUMENT))("the published configurations", () => {
  test("are two, and both come back whole", () => {
    const sessions = sessionsOf(readFileSync(DOCUMENT, "utf8"));
    expect(sessions.map(([name]) => name)).toEqual(["RouterA", "RouterB"]);
    for (const [, text] of sessions) expectWhole(text);
  });
});
