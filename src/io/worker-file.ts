/** Where the compiled file of a worker lies. */
import { existsSync } from "node:fs";

/** Beside this file in the compiled package, or in `dist` when the sources themselves run. */
const PLACES = ["./", "../../dist/src/io/"];

/** `name`: from `src/io` on, without its ending. Throws when the package was not built. */
export function workerFile(name: string): URL {
  const file = PLACES.map((place) => new URL(`${place}${name}.js`, import.meta.url)).find((url) =>
    existsSync(url),
  );
  if (file === undefined) throw new Error("threads run the compiled package: run `npm run build`");
  return file;
}
