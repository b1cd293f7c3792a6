/**
 * P07: the software and the machines of a pair, as far as their configurations tell.
 */
import { type Config, DEFAULTS, type Position } from "../config/model.js";
import { type Counterparts, counterparts } from "./correspond.js";
import { type PairDraft, type Side, TOP } from "./finding.js";
import { hasAddress, isUp } from "./topology.js";

export function equipmentIsEqual(a: Config, b: Config): PairDraft[] {
  return [...versionsDiffer(a, b), ...inventoriesDiffer(a, b), ...portsDiffer(a, b), ...memoryDiffers(a, b)];
}

function versionsDiffer(a: Config, b: Config): PairDraft[] {
  if (a.version === b.version) return [];
  const isKnown = a.version !== undefined && b.version !== undefined;
  return [
    {
      severity: isKnown ? "error" : "warning",
      side: "a",
      at: TOP,
      message: `version ${a.version ?? "unknown"} here, version ${b.version ?? "unknown"} in ${b.file}`,
      mend: "the same software on both boxes",
    },
  ];
}

const NAMES_SHOWN_MAX = 5;

/** The ports of the machines. Subinterfaces and virtual interfaces are configuration, not equipment. */
function inventoriesDiffer(a: Config, b: Config): PairDraft[] {
  const only = (one: Config, other: Config) =>
    [...one.interfaces.values()].filter(
      ({ name }) =>
        !other.interfaces.has(name) && !name.includes(".") && !/^(loopback|tunnel|vlan)/i.test(name),
    );
  return (["a", "b"] as const).flatMap((side: Side): PairDraft[] => {
    const [one, other] = side === "a" ? [a, b] : [b, a];
    const missing = only(one, other);
    if (missing.length === 0) return [];
    const names = missing.slice(0, NAMES_SHOWN_MAX).map((each) => each.name);
    const more = missing.length - names.length;
    return [
      {
        severity: "warning",
        side,
        at: missing[0]!.at,
        message: `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}: not in ${other.file}`,
        mend: "two boxes of the same type with the same modules",
      },
    ];
  });
}

/** Speed and duplex of the ports in use; what is not written is `auto`. */
function portsDiffer(a: Config, b: Config): PairDraft[] {
  return counterparts(a, b)
    .filter(({ a: one, b: other }) => [one, other].every((each) => isUp(each) && hasAddress(each)))
    .flatMap(({ a: one, b: other }: Counterparts): PairDraft[] => {
      const settings = [
        { word: "speed", here: one.speed ?? "auto", there: other.speed ?? "auto" },
        { word: "duplex", here: one.duplex ?? "auto", there: other.duplex ?? "auto" },
        // No default: where one box does not say it, nothing is known.
        {
          word: "media-type",
          here: one.mediaType ?? other.mediaType,
          there: other.mediaType ?? one.mediaType,
        },
      ].filter(({ here, there }) => here !== there);
      if (settings.length === 0) return [];
      const said = settings.map(({ word, here, there }) => `${word} ${here} here, ${there} there`).join("; ");
      return [
        {
          severity: "warning",
          side: "a",
          at: one.at,
          other: other.at,
          message: `${one.name} and ${other.name} in ${b.file} differ: ${said}`,
          mend: `the same ${settings.map(({ word }) => word).join(" and ")} on both boxes`,
        },
      ];
    });
}

function memoryDiffers(a: Config, b: Config): PairDraft[] {
  const drafts: PairDraft[] = [];
  const differ = (what: string, here: string, there: string, at: Position, other: Position) => {
    if (here === there) return;
    const message = `${what} ${here} here, ${there} in ${b.file}`;
    drafts.push({
      severity: "warning",
      side: "a",
      at,
      other,
      message,
      mend: `the same ${what} on both boxes`,
    });
  };
  const memory = (config: Config) => config.kept.find((each) => each.text.trim().startsWith("memory-size"));
  const text = (config: Config) =>
    memory(config)
      ?.text.trim()
      .replace(/^memory-size\s+/, "") ?? "not configured";
  differ("memory-size", text(a), text(b), memory(a)?.at ?? TOP, memory(b)?.at ?? TOP);
  const size = (config: Config) => `${config.inspect.hashtableSize ?? DEFAULTS.hashtableSize}`;
  differ("ip inspect hashtable-size", size(a), size(b), TOP, TOP);
  return drafts;
}
