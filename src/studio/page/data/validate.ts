import type { StandardSchemaV1 } from '@standard-schema/spec'
import { knownSchema } from '../../../schema/known-schema.ts'
import type { Repository } from './catalog.ts'

/** What a schema has against a value: where, and why. */
export interface Complaint {
  readonly path: readonly string[]
  readonly message: string
}

const schemas = new WeakMap<Repository, StandardSchemaV1>()

/** What the schema of a repository has against a value, as the server would find it. */
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
