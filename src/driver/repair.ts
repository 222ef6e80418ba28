/** What a repair has done. */
export interface Repair {
  /** The copy of the file as it was before; null where nothing of it has changed. */
  readonly backup: string | null
  /** How many indexes were rebuilt. */
  readonly rebuilt: number
  /** The indexes that were missing. */
  readonly built: readonly string[]
  /** How many rows were filed wrongly. */
  readonly filed: number
  /** What could not be done, as sentences. */
  readonly failed: readonly string[]
}
