/** The file that the thread of a box runs. */
import { existsSync } from "node:fs";

/** Where it lies: beside this file in the compiled package, or in `dist` when the sources themselves run. */
const PLACES = ["./worker.js", "../../../dist/src/io/pair/worker.js"];

/** Throws when the package was not built. */
export function workerFile(): URL {
  const file = PLACES.map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url));
  if (file === undefined)
    throw new Error("the threads of a pair run the compiled package: run `npm run build`");
  return file;
}
