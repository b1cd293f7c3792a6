export type Side = "a" | "b";
export interface PairBed {
  readonly x: never;
}
