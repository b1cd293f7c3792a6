/** What `debug` makes of the reports of a box. */
import type { DebugCondition, DebugTopic, DebugView } from "../../console/backend.js";
import type { ControlReport } from "../../live/control-box.js";

/** A line, and what it is about. */
interface DebugLine {
  readonly topic: DebugTopic;
  readonly interface?: string;
  readonly text: string;
}

/** The line that a report is worth while its topic is debugged and a condition, if there is one, holds. */
export function debugText(report: ControlReport, { topics, conditions }: DebugView): string | undefined {
  const line = lineOf(report);
  if (line === undefined || !topics.includes(line.topic)) return undefined;
  return conditions.length === 0 || conditions.some((each) => holds(each, line)) ? line.text : undefined;
}

function lineOf(report: ControlReport): DebugLine | undefined {
  switch (report.kind) {
    case "state":
      if ("own" in report)
        return { topic: "redundancy", text: `RF: own state ${report.own}, peer state ${report.peer}` };
      return {
        topic: "standby events",
        interface: report.interface,
        text: `HSRP: ${report.interface} Grp ${report.group} ${report.from} -> ${report.to}: ${report.cause}`,
      };
    case "role":
      return { topic: "redundancy", text: `RF: role ${report.role}, generation ${report.generation}` };
    default:
      return undefined;
  }
}

/** A line that is about no interface is about no address either. */
function holds(condition: DebugCondition, line: DebugLine): boolean {
  return condition.kind === "interface" && condition.interface === line.interface;
}
