/**
 * The table: every command of the configuration, in the order in which IOS writes them. Between two sections the
 * running configuration has a `!`.
 */
import { TYPES } from "../arguments.js";
import { MODES, type Row } from "../command.js";
import { Grammar } from "../grammar.js";
import { NAMED, NAMED6, NUMBERED } from "./acl.js";
import { OBJECT_GROUPS } from "./groups.js";
import { HSRP, HSRP_GLOBAL } from "./hsrp.js";
import { INSPECT, INSPECT6 } from "./inspect.js";
import { INTERFACE } from "./interface.js";
import { KEY_CHAINS } from "./keys.js";
import { LINES } from "./lines.js";
import { LOGGING } from "./logging.js";
import { PORT_MAP } from "./port-map.js";
import { REDUNDANCY } from "./redundancy.js";
import { POLICIES, REFUSED } from "./refused.js";
import { ROUTES, ROUTES6 } from "./routes.js";
import { BOOT, CLOCKS, HEAD, HOSTNAME, HTTP, IP, SYSTEM, TAIL, USERS, VOICE } from "./system.js";
import { TIME_RANGES } from "./times.js";

export const SECTIONS: readonly (readonly Row[])[] = [
  HEAD,
  HOSTNAME,
  BOOT,
  LOGGING,
  ...REDUNDANCY,
  SYSTEM,
  IP,
  HSRP_GLOBAL,
  INSPECT,
  INSPECT6,
  PORT_MAP,
  VOICE,
  KEY_CHAINS,
  USERS,
  POLICIES,
  REFUSED,
  OBJECT_GROUPS,
  [...INTERFACE, ...HSRP],
  ROUTES,
  HTTP,
  NAMED,
  NUMBERED,
  ROUTES6,
  NAMED6,
  TAIL,
  LINES,
  CLOCKS,
  TIME_RANGES,
];

const isKept = (row: Row) => row.note !== undefined || row.refuse !== undefined;

export const GRAMMAR = new Grammar<Row>(SECTIONS.flat(), {
  types: TYPES,
  ownerOf: (mode) => MODES[mode].commandsOf ?? mode,
  canSet: (row) => row.set !== undefined || isKept(row),
  canUnset: (row) => row.unset !== undefined || row.remove !== undefined || isKept(row),
  unsetsWhole: (row) => row.remove !== undefined || row.refuse !== undefined,
});
