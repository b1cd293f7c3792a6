/** Interfaces that options name: found in the configuration, or refused with what could have been meant. */
import { nearest } from "../config/diagnostics.js";

/** "no interface ... in the configuration", with a near miss or all that there are. `interfaces[0]` is none. */
export function noInterface(name: string, interfaces: readonly string[]): string {
  const names = interfaces.slice(1);
  const near = nearest(name, names);
  const hint = near === undefined ? `it has ${names.join(", ") || "none"}` : `did you mean "${near}"?`;
  return `no interface "${name}" in the configuration; ${hint}`;
}
