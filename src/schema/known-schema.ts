import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema'
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { knownVendor, type Result } from './anatomy/anatomy.ts'
import { complaint, markedSchema, markedValue } from './class-marks.ts'
import type { JsonSchema } from './json-schema.ts'

/**
 * A schema from the catalogue: it checks values against the JSON Schema of outputs, and leaves them unchanged. It accepts whatever
 * JSON Schema cannot express, and everything if `json` is `null`.
 */
export function knownSchema(json: JsonSchema | null): StandardSchemaV1<unknown, unknown> {
  const props: StandardSchemaV1.Props<unknown, unknown> & Partial<StandardJSONSchemaV1.Props> = {
    version: 1,
    vendor: knownVendor,
    validate: json === null ? (value) => ({ value }) : validatorOf(json),
    ...(json !== null && { jsonSchema: { input: () => json, output: () => json } }),
  }
  return Object.freeze({ '~standard': Object.freeze(props) })
}

function validatorOf(json: JsonSchema): (value: unknown) => Result {
  // Built on demand: most are never needed.
  let schema: Schema | undefined
  let validator: Validator | undefined
  return (value) => {
    schema ??= markedSchema(json) as Schema
    validator ??= new Validator(schema, '2020-12', false)
    const { valid, errors } = validator.validate(markedValue(value))
    return valid ? { value } : { issues: issuesOf(schema, errors) }
  }
}

/** The errors that say what is wrong, without those that only say that a part is wrong. */
function issuesOf(schema: unknown, errors: readonly OutputUnit[]): StandardSchemaV1.Issue[] {
  const choices = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  const isOfChoice = ({ keywordLocation: place }: OutputUnit) =>
    choices.some(({ keywordLocation }) => place.startsWith(`${keywordLocation}/`))
  const told = errors.filter((error) => !enclosing.has(error.keyword) && !isOfChoice(error))
  const issues = new Map(
    (told.length > 0 ? told : errors).map((error) => {
      const { path, message } = complaint(schema, error)
      return [JSON.stringify([path, message]), { path, message }]
    }),
  )
  return [...issues.values()]
}

/** Keywords that fail because one of their parts does. */
const enclosing: ReadonlySet<string> = new Set([
  '$ref',
  'allOf',
  'properties',
  'patternProperties',
  'additionalProperties',
  'unevaluatedProperties',
  'items',
  'prefixItems',
  'if',
])
