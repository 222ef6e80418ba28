import { openRepository } from '../repository/open-repository.ts'
import { changedOutput, checkedPatch, judgeOutput, patchedOutput, validate } from '../schema/validate.ts'
import type { SchemaCode } from '../store/row-store.ts'

export const schemaCode: SchemaCode = {
  validation: { validate, judgeOutput, changedOutput, patchedOutput, checkedPatch },
  openRepository,
}
