/** A JSON Schema as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

export const date: JsonSchema = { type: 'string', format: 'date-time' }
export const bigint: JsonSchema = { type: 'integer', format: 'bigint' }

/** The JavaScript class that the JSON stands for, if any; some keywords are the same for a Date and a text. */
export function classOf({ type, format, pattern }: JsonSchema): 'Date' | 'bigint' | undefined {
  if (type === 'string' && format === 'date-time' && pattern === undefined) return 'Date'
  return type === 'integer' && format === 'bigint' ? 'bigint' : undefined
}

/** JSON Schema has no bigint constants, so a keyword of our own lists them. */
export function bigintsOf(values: readonly bigint[]): JsonSchema {
  return { ...bigint, bigints: values.map(String) }
}
