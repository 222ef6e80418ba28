import type { StandardSchemaV1 } from '@standard-schema/spec'

/** What a schema of Valibot 1 says about itself. */
export interface ValibotSchema extends StandardSchemaV1 {
  readonly kind: 'schema'
  readonly type: string
  readonly pipe?: readonly [ValibotSchema, ...PipeItem[]]
  readonly wrapped?: ValibotSchema
  readonly [name: string]: unknown
}

export type PipeItem = ValibotSchema | Action

export interface Action {
  readonly kind: 'validation' | 'transformation' | 'metadata'
  readonly type: string
  readonly operation?: unknown
  '~run'(dataset: Dataset, config: object): Dataset | Promise<Dataset>
}

export interface Dataset {
  readonly typed: boolean
  readonly value: unknown
  readonly issues?: StandardSchemaV1.Issue[]
}

export function isValibot(schema: StandardSchemaV1): schema is ValibotSchema {
  return schema['~standard'].vendor === 'valibot' && '~run' in schema && 'kind' in schema
}

/** What `nonOptional`, `nonNullable` and `nonNullish` take values of, without what they exclude. */
export function withoutEmpty({ wrapped }: ValibotSchema): ValibotSchema {
  const inner = wrapped!.pipe === undefined ? wrapped!.wrapped : undefined
  return inner ?? wrapped!
}

/** Transformations that only describe a value. */
export const unchanging: ReadonlySet<string> = new Set(['readonly', 'brand', 'flavor', 'guard'])

/** Transformations that leave their own results unchanged, with the methods that they call. */
export const normalizers: ReadonlyMap<string, string> = new Map([
  ['trim', 'trim'],
  ['trim_start', 'trimStart'],
  ['trim_end', 'trimEnd'],
  ['to_lower_case', 'toLowerCase'],
  ['to_upper_case', 'toUpperCase'],
  ['normalize', 'normalize'],
  ['to_min_value', 'max'],
  ['to_max_value', 'min'],
])
