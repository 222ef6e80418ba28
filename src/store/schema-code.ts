import type * as validate from '../schema/validate.ts'
import type { OpenRepository } from './row-store.ts'

/** What only a database with schemas runs. One that is opened without them does not load it: it is as much code as all the rest. */
export interface SchemaCode {
  readonly validation: Pick<typeof validate, 'validate' | 'judgeOutput' | 'changedOutput' | 'patchedOutput'>
  readonly openRepository: OpenRepository
}
