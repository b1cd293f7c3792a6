/** Changes of the configuration: one after the other, whole or not at all, taken back unless confirmed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { show } from "../../src/config/index.js";
import { Changes } from "../../src/console/changes.js";
import { changesBetween } from "../../src/console/diff.js";
import { ConsoleSession } from "../../src/console/session.js";
import { FakeBackend } from "./fake-backend.js";

const MINUTE_MS = 60_000;

async function run(session: ConsoleSession, ...lines: string[]): Promise<string> {
  let text = "";
  for (const line of lines) for await (const piece of session.run(line)) text += piece;
  return text;
}

function box() {
  const backend = new FakeBackend();
  const changes = new Changes(backend);
  return {
    backend,
    changes,
    session: new ConsoleSession(backend, changes),
    text: async () => show(await backend.config()),
  };
}

describe("a line in the configuration", () => {
  test("is in force at once, and one that says nothing new is not applied", async () => {
    const { backend, session } = box();
    await run(session, "configure terminal", "interface Gi0/0", "description inside");
    expect(backend.applied).toEqual([]);
    await run(session, "description new");
    expect(backend.applied).toHaveLength(1);
    expect(backend.applied[0]).toContain("\n description new\n");
  });

  test("that does not fit changes nothing, and the mode stays", async () => {
    const { backend, session, text } = box();
    await run(session, "configure terminal", "interface Gi0/0");
    const before = await text();
    expect(await run(session, "ip address 10.1.1.2 255.255.255.999")).toContain("% Invalid input");
    expect(await text()).toBe(before);
    expect(backend.applied).toEqual([]);
    expect(await session.prompt()).toBe("RouterA(config-if)#");
  });

  test("that the box refuses changes nothing, and the mode stays", async () => {
    const { backend, session, text } = box();
    await run(session, "configure terminal");
    const before = await text();
    backend.refusal = "no device is mapped to GigabitEthernet0/9";
    const said = await run(session, "interface Gi0/9");
    expect(said).toBe(
      "% the configuration is refused, and nothing has changed\nno device is mapped to GigabitEthernet0/9\n",
    );
    expect(await text()).toBe(before);
    expect(await session.prompt()).toBe("RouterA(config)#");
  });

  test("that cannot be put in force live says so, and nothing changes", async () => {
    const { backend, session, text } = box();
    await run(session, "configure terminal", "interface Gi0/9");
    const before = await text();
    backend.unable = { effect: "refused", text: "GigabitEthernet0/9 has an address but no device" };
    expect(await run(session, "ip address 192.0.2.1 255.255.255.0")).toBe(
      "% the configuration is refused, and nothing has changed\nGigabitEthernet0/9 has an address but no device\n",
    );
    expect(await text()).toBe(before);
  });

  test("says what it does to the box; what waits for the peer, once", async () => {
    const { session } = box();
    await run(session, "configure terminal");
    const route = (network: string) => run(session, `ip route ${network} 255.255.0.0 10.1.1.9`);
    expect(await route("10.8.0.0")).toMatch(/^% static routes change: the standby is not hot/);
    expect(await route("10.9.0.0")).toBe("");
    await run(session, "interface Gi0/0");
    const priority = (value: number) => run(session, `standby 1 priority ${value}`);
    expect(await priority(90)).toContain("% HSRP group 1 on GigabitEthernet0/0 changes in place: priority\n");
    expect(await priority(91)).toContain("changes in place: priority\n");
    await run(session, "end", "configure terminal");
    expect(await route("10.7.0.0")).toMatch(/^% static routes change/);
  });

  test("of two sessions at once: neither undoes the other's", async () => {
    const { backend, changes, session, text } = box();
    const other = new ConsoleSession(backend, changes);
    await run(session, "configure terminal", "interface Gi0/0");
    await run(other, "configure terminal", "interface Gi0/1");
    await Promise.all([run(session, "description one"), run(other, "description two")]);
    expect(await text()).toMatch(/ description one\n(.*\n)* description two\n/);
  });

  test("a text of several lines that never ends is forgotten", async () => {
    const { session } = box();
    await run(session, "configure terminal", "banner motd ^C never");
    expect(await session.prompt()).toBe("> ");
    const said = await run(session, ...Array.from({ length: 100 }, () => "more"));
    expect(said).toContain("% the text is longer than 100 lines and is forgotten\n");
    expect(await session.prompt()).toBe("RouterA(config)#");
  });
});

describe("a replacement", () => {
  const replaced = async () => {
    const given = box();
    given.backend.files.set("new.cfg", (await given.text()).replace("hostname RouterA", "hostname RouterZ"));
    const said = await run(given.session, "configure replace new.cfg time 2");
    expect(said).toContain("-hostname RouterA\n+hostname RouterZ\n");
    return given;
  };

  test("is taken back when its time is over, and not before", async () => {
    const { backend, changes, text } = await replaced();
    expect(changes.confirmWithinMs).toBe(2 * MINUTE_MS);
    expect(changes.deadlineMs).toBe(backend.uptimeMs + 2 * MINUTE_MS);
    backend.uptimeMs += 2 * MINUTE_MS - 1;
    expect(await changes.tick()).toBeUndefined();
    expect(await text()).toContain("hostname RouterZ\n");
    backend.uptimeMs += 1;
    expect(await changes.tick()).toEqual({
      severity: 5,
      text: "%SYS-5-CONFIG_ROLLBACK: configuration replacement not confirmed in time: taken back",
    });
    expect(await text()).toContain("hostname RouterA\n");
    expect(await changes.tick()).toBeUndefined();
  });

  test("stays when it is confirmed", async () => {
    const { backend, changes, session, text } = await replaced();
    await run(session, "configure confirm");
    expect(changes.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    backend.uptimeMs += 10 * MINUTE_MS;
    expect(await changes.tick()).toBeUndefined();
    expect(await text()).toContain("hostname RouterZ\n");
  });

  test("can be taken back at once", async () => {
    const { session, text } = await replaced();
    expect(await run(session, "configure revert now")).toContain("as it was before");
    expect(await text()).toContain("hostname RouterA\n");
    expect(await run(session, "configure revert now")).toBe("% nothing waits to be confirmed\n");
  });

  test("that cannot be taken back says so", async () => {
    const { backend, changes } = await replaced();
    backend.uptimeMs += 2 * MINUTE_MS;
    backend.refusal = "no";
    expect((await changes.tick())?.text).toMatch(/^%SYS-3-CONFIG_ROLLBACK: .* cannot be taken back: /);
  });

  test("can be looked at before: what it changes, what that does, and whether it would be refused", async () => {
    const { backend, session, text } = box();
    backend.files.set(
      "new.cfg",
      (await text()).replace(" standby 1 name INSIDE\n", " standby 1 name INSIDE\n standby 1 priority 80\n"),
    );
    const before = await text();
    const said = await run(session, "configure check new.cfg");
    expect(said).toContain("+ standby 1 priority 80\n");
    expect(said).toContain("% HSRP group 1 on GigabitEthernet0/0 changes in place: priority\n");
    expect(said).toMatch(/It can be put in force live; sessions stay\.\n$/);
    backend.unable = { effect: "refused", text: "no device" };
    expect(await run(session, "configure check new.cfg")).toMatch(
      /% refused: no device\n(% .*\n)*It would be refused, and nothing would change\.\n$/,
    );
    expect(await run(session, "configure replace new.cfg")).toBe(
      "% the configuration is refused, and nothing has changed\nno device\n",
    );
    expect(await text()).toBe(before);
    backend.files.set("bad.cfg", "hostname X\nnonsense\n");
    expect(await run(session, "configure check bad.cfg")).toContain("bad.cfg:2:1: error: ");
    expect(await run(session, "configure check startup-config")).toBe("!No changes were found\n");
    expect(backend.applied).toEqual([]);
  });

  test("with an error in it changes nothing", async () => {
    const { backend, session, text } = box();
    const before = await text();
    backend.files.set("bad.cfg", "hostname X\nnonsense\n");
    expect(await run(session, "configure replace bad.cfg")).toContain('unknown command "nonsense"');
    expect(await text()).toBe(before);
    expect(backend.applied).toEqual([]);
  });
});

describe("differences", () => {
  test("applied to the one text they give the other", () => {
    const line = fc.constantFrom("a", "b", "c", "d");
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (before, after) => {
        const changes = changesBetween(before.join("\n"), after.join("\n"));
        const removed = changes.filter(({ kind }) => kind === "removed").map((each) => each.line);
        const added = changes.filter(({ kind }) => kind === "added").map((each) => each.line);
        expect([...after, ...removed].sort()).toEqual([...before, ...added].sort());
        // The shortest list: what is left is a longest common subsequence.
        expect(before.length - removed.length).toBe(commonLength(before, after));
      }),
    );
  });

  test("of texts with nothing in common are told in whole", () => {
    const many = (prefix: string) => Array.from({ length: 3000 }, (_, i) => `${prefix}${i}`).join("\n");
    expect(changesBetween(many("a"), many("b"))).toHaveLength(6000);
  });

  test("equal lines in different blocks are different", () => {
    const block = (name: string) => `interface ${name}\n shutdown\n`;
    expect(
      changesBetween(block("A"), block("B")).map(({ kind, line, within }) => [kind, line, within]),
    ).toEqual([
      ["removed", "interface A", []],
      ["removed", " shutdown", ["interface A"]],
      ["added", "interface B", []],
      ["added", " shutdown", ["interface B"]],
    ]);
  });
});

/** Length of a longest common subsequence, by the table. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      table[i]![j] =
        a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
    }
  }
  return table[a.length]![b.length]!;
}
