/**
 * How many fragments may wait, and for how long. IOS states limits for each inspection rule and each interface; the
 * core has one pool for all. `fragment` lines of the rules in use come first, then `ip virtual-reassembly`, then the
 * defaults; of several lines the largest number of frames and the shortest time hold.
 */
import { type Config, DEFAULTS, type InspectRule } from "../config/model.js";
import { timeoutMs } from "./timers.js";

export interface FragmentLimits {
  /** Frames that may wait in all. */
  frames: number;
  /** Of one source address: half of them, so that one source cannot shut out the others. */
  perSource: number;
  /** Of one datagram. */
  perDatagram: number;
  /** From the first fragment that was seen. */
  timeoutMs: number;
}

/** `ip inspect name NAME fragment maximum N timeout S`, `ip virtual-reassembly max-reassemblies N max-fragments N ...` */
export function compileFragmentLimits(config: Config, heldMax: number): FragmentLimits {
  const inspected = boundRules(config)
    .flatMap(({ protocols }) => protocols)
    .filter(({ protocol }) => protocol === "fragment")
    .map(({ fragmentMaximum, timeoutSeconds }) => ({
      frames: fragmentMaximum ?? DEFAULTS.fragmentMaximum,
      seconds: timeoutSeconds ?? DEFAULTS.fragmentTimeoutSeconds,
    }));
  const reassembled = [...config.interfaces.values()]
    .flatMap(({ virtualReassembly, virtualReassembly6 }) => [virtualReassembly, virtualReassembly6])
    .filter((each) => each !== undefined)
    .map(({ maxReassemblies, maxFragments, timeoutSeconds }) => {
      const perDatagram = maxFragments ?? DEFAULTS.virtualReassemblyMaxFragments;
      const datagrams = maxReassemblies ?? DEFAULTS.virtualReassemblyMaxReassemblies;
      const seconds = timeoutSeconds ?? DEFAULTS.virtualReassemblyTimeoutSeconds;
      return { frames: datagrams * perDatagram, perDatagram, seconds };
    });
  const unsaid = { frames: DEFAULTS.fragmentMaximum, seconds: DEFAULTS.virtualReassemblyTimeoutSeconds };
  const said = [inspected, reassembled].find((lines) => lines.length > 0) ?? [unsaid];
  const frames = Math.min(heldMax, Math.max(...said.map((line) => line.frames)));
  const perSource = Math.ceil(frames / 2);
  return {
    frames,
    perSource,
    perDatagram: Math.min(perSource, ...reassembled.map((line) => line.perDatagram)),
    timeoutMs: timeoutMs(Math.min(...said.map((line) => line.seconds))),
  };
}

/** The inspection rules that are bound to an interface, in either direction and family. */
function boundRules(config: Config): InspectRule[] {
  const bindings = [...config.interfaces.values()].flatMap(({ inspect }) => inspect);
  const rules = bindings.map(({ family, rule }) =>
    (family === 4 ? config.inspectRules : config.inspectRules6).get(rule),
  );
  return [...new Set(rules)].filter((rule) => rule !== undefined);
}
