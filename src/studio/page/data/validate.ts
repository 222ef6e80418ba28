import type { StandardSchemaV1 } from '@standard-schema/spec'
import { knownSchema } from '../../../schema/known-schema.ts'
import type { Repository } from './catalog.ts'

/** A complaint of a schema about a value: where, and why. */
export interface Complaint {
  readonly path: readonly string[]
  readonly message: string
}

const schemas = new WeakMap<Repository, StandardSchemaV1>()

/** The complaints of a repository's schema about a value, as the server would report them. */
export function complaintsOf(repository: Repository | null, value: unknown): readonly Complaint[] {
  if (repository === null) return []
  let schema = schemas.get(repository)
  if (schema === undefined) {
    schema = knownSchema(repository.schema)
    schemas.set(repository, schema)
  }
  const { issues = [] } = schema['~standard'].validate(value) as StandardSchemaV1.FailureResult
  return issues.map(({ message, path = [] }) => ({
    message,
    path: path.map((step) => String(typeof step === 'object' ? step.key : step)),
  }))
}
