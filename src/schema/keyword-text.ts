import type { JsonSchema } from './json-schema.ts'

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  null: 'null',
}

type Text = (asked: unknown, schema: JsonSchema) => string

/** What a keyword of JSON Schema requires, worded to follow the name of a field: `must have at least 3 characters`. */
const texts: Readonly<Record<string, Text>> = {
  type: (types) => `must be ${either([types].flat().map((type) => typeNames[String(type)] ?? String(type)))}`,
  enum: (values) => `must be ${either((values as unknown[]).map((value) => JSON.stringify(value)))}`,
  const: (value) => `must be ${JSON.stringify(value)}`,
  required: () => 'is missing',
  minLength: (n) => `must have at least ${counted(n, 'character')}`,
  maxLength: (n) => `must have at most ${counted(n, 'character')}`,
  minItems: (n) => `must have at least ${counted(n, 'item')}`,
  maxItems: (n) => `must have at most ${counted(n, 'item')}`,
  minProperties: (n) => `must have at least ${counted(n, 'field')}`,
  maxProperties: (n) => `must have at most ${counted(n, 'field')}`,
  uniqueItems: () => 'must not have the same item twice',
  minimum: (n) => `must be at least ${n}`,
  maximum: (n) => `must be at most ${n}`,
  exclusiveMinimum: (n) => `must be more than ${n}`,
  exclusiveMaximum: (n) => `must be less than ${n}`,
  multipleOf: (n) => `must be a multiple of ${n}`,
  // A marked schema has patterns as formats of its own; `formatName` is the format that the schema itself names.
  format: (format, { formatName = format, patternText }) =>
    patternText === undefined || formatName !== format
      ? `must be a valid ${formatName}`
      : `must match the pattern ${patternText}`,
  anyOf: () => 'must have one of the forms that the schema allows',
  oneOf: () => 'must have exactly one of the forms that the schema allows',
  not: () => 'must not have the form that the schema rules out',
  propertyNames: () => 'must not have a field of this name',
}

/** What a keyword requires, if there is a text for it. */
export function keywordText(keyword: string, schema: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null || !Object.hasOwn(texts, keyword)) return undefined
  return texts[keyword]!((schema as JsonSchema)[keyword], schema as JsonSchema)
}

function either(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function counted(n: unknown, what: string): string {
  return n === 1 ? `1 ${what}` : `${n} ${what}s`
}
