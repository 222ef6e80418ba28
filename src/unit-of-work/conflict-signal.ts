import type { CheckConflict } from '../commit/write.ts'

/** Thrown inside a unit of work whose reads no longer hold together: its function is to be run again. */
export class ConflictSignal extends Error {
  readonly conflicts: readonly CheckConflict[]

  constructor(conflicts: readonly CheckConflict[]) {
    super('Others have changed what this unit of work has read: its function is run again')
    this.conflicts = conflicts
  }
}
