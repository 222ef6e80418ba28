import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ValidationError } from '../errors.ts'
import type { Key } from '../key.types.ts'
import type { AnyDefinition } from './definition.types.ts'

/**
 * What the definition's schema makes of a value: the output itself, or a promise of it where the schema is
 * asynchronous. What the schema throws or rejects with is passed on.
 *
 * @throws ValidationError (or a promise that rejects with it) with the schema's issues.
 */
export function validate(definition: AnyDefinition, key: Key, value: unknown): unknown | Promise<unknown> {
  const result = definition.schema['~standard'].validate(value)
  return 'then' in result ? result.then((settled) => outputOf(settled, key)) : outputOf(result, key)
}

function outputOf(result: StandardSchemaV1.Result<unknown>, key: Key): unknown {
  if (result.issues) throw new ValidationError(key, result.issues)
  return result.value
}
