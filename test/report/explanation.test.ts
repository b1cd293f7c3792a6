import { expect, test } from "vitest";
import type { Explanation } from "../../src/explain.js";
import { explanationText } from "../../src/report/explanation.js";
import { NO_PAINT, WIDTH } from "../../src/report/text.js";

const EXPLANATION: Explanation = {
  verdict: "drop",
  reason: "acl_in_deny",
  meaning: "denied by an entry of the inbound list",
  ingress: "GigabitEthernet0/1",
  egress: null,
  rule: "OUTSIDE-IN 30",
  session: null,
  phases: [
    { phase: "ingress", result: "GigabitEthernet0/1", detail: "arrives on GigabitEthernet0/1" },
    { phase: "session", result: "none", detail: "belongs to no session" },
    { phase: "acl in", result: "deny", detail: "OUTSIDE-IN: 30 deny ip any any log" },
  ],
};

test("golden: a drop", () => {
  expect(explanationText("tcp 1.2.3.4:1 -> 5.6.7.8:80 syn", EXPLANATION)).toBe(`\
tcp 1.2.3.4:1 -> 5.6.7.8:80 syn

  ✔ ingress  arrives on GigabitEthernet0/1
  · session  belongs to no session
  ✘ acl in   OUTSIDE-IN: 30 deny ip any any log

✘ drop  acl_in_deny: denied by an entry of the inbound list
  in GigabitEthernet0/1; rule OUTSIDE-IN 30
`);
});

test("golden: a pass, and a phase that is longer than a line", () => {
  const detail = `L: 10 permit ip object-group ${"A".repeat(60)} object-group ${"B".repeat(20)} time-range always`;
  const text = explanationText("p", {
    ...EXPLANATION,
    verdict: "pass",
    reason: "new_session",
    meaning: "permitted and inspected: a session was created",
    egress: "GigabitEthernet0/0",
    session: "0000001A",
    phases: [
      { phase: "acl in", result: "permit", detail },
      { phase: "creation", result: "created", detail: "session 0000001A" },
    ],
  });
  expect(text).toBe(`\
p

  ✔ acl in    L: 10 permit ip object-group
              ${"A".repeat(60)} object-group
              ${"B".repeat(20)} time-range always
  ✔ creation  session 0000001A

✔ pass  new_session: permitted and inspected: a session was created
  in GigabitEthernet0/1; out GigabitEthernet0/0; rule OUTSIDE-IN 30; session 0000001A
`);
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(WIDTH);
});

test("a packet that is local, one that waits, one without phases", () => {
  expect(explanationText("p", { ...EXPLANATION, verdict: "local" })).toContain("\n● local  ");
  expect(explanationText("p", { ...EXPLANATION, verdict: "held" })).toContain("\n… held  ");
  expect(explanationText("p", { ...EXPLANATION, phases: [] })).toContain("\n✘ drop  ");
});

test("names from the configuration cannot drive the terminal", () => {
  const phases = [{ phase: "acl in", result: "deny", detail: "\u001b[2J: 30 deny" } as const];
  expect(explanationText("p\u0007", { ...EXPLANATION, rule: "\u001b 30", phases })).not.toMatch(
    /[\u0007\u001b]/,
  );
});

test("the verdict and the marks are coloured, the text is not changed", () => {
  const paint = { ...NO_PAINT, red: (text: string) => `<${text}>` };
  expect(explanationText("p", EXPLANATION, paint)).toContain("<✘> acl in");
  expect(explanationText("p", EXPLANATION, paint).replace(/[<>]/g, "")).toBe(
    explanationText("p", EXPLANATION).replace(/[<>]/g, ""),
  );
});
