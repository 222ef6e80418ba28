import { isOverwrite, keepsFormat } from './anatomy/overwrites.ts'

/**
 * Keywords of our own, for what a schema accepts and JSON Schema has no words for. They stand beside the text of the library and
 * never change it, so schemas compare as they do without them.
 */
export interface Unsaid {
  /** The flags of the pattern beside it. */
  readonly flags?: string
  /** Values that the schema also accepts, by their text: `undefined`, `NaN`, `Infinity`, `-Infinity`. */
  readonly also?: readonly string[]
  /** Whether items of the array may be undefined. */
  readonly undefinedItems?: boolean
  /** The keywords beside it that hold for inputs, and need not for outputs: `['minLength']` of `z.string().min(3).trim()`. */
  readonly unchecked?: readonly string[]
}

interface ZodCheck {
  readonly _zod: {
    readonly def: { readonly check?: string; readonly tx?: unknown; readonly pattern?: unknown }
  }
}

/** The part of a Zod schema that JSON Schema loses. */
export interface UnsaidZod {
  readonly _zod: {
    readonly def: {
      readonly type: string
      readonly values?: readonly unknown[]
      readonly pattern?: unknown
      readonly check?: string
      readonly format?: string
      readonly checks?: readonly ZodCheck[]
      readonly element?: UnsaidZod
      readonly items?: readonly UnsaidZod[]
      readonly rest?: UnsaidZod | null
    }
    readonly bag?: { readonly patterns?: Iterable<unknown> }
    readonly optout?: unknown
  }
}

/** Adds to the JSON Schema of a Zod schema what it does not say. */
export function addUnsaid({ _zod }: UnsaidZod, jsonSchema: Record<string, unknown>): void {
  const { type, values = [], pattern, checks = [], element, items = [], rest } = _zod.def
  if (type === 'string') {
    const patterns = [
      pattern,
      ...checks.map((check) => check._zod.def.pattern),
      ...(_zod.bag?.patterns ?? []),
    ]
    addFlags(flagsOf(patterns), jsonSchema)
  }
  if (type === 'literal') addAlso(values, jsonSchema)
  addUnchecked(_zod.def, jsonSchema)
  const parts = [element, ...items, rest].filter((part) => part !== undefined && part !== null)
  const isList = type === 'array' || type === 'tuple'
  if (isList && parts.some((part) => part._zod.optout === 'optional')) jsonSchema['undefinedItems'] = true
}

/** Adds to the JSON Schema of an ArkType schema what it does not say; `structure` is what ArkType says of itself. */
export function addUnsaidOfArkType(structure: unknown, jsonSchema: unknown): void {
  const patterns: { source: string; flags: string }[] = []
  visit(structure, ({ rule, flags }) => {
    if (typeof rule === 'string' && typeof flags === 'string') patterns.push({ source: rule, flags })
  })
  const flags = flagsOf(patterns)
  visit(jsonSchema, (part) => {
    addFlags(flags, part)
    if ('const' in part) addAlso([part['const']], part)
    if (Array.isArray(part['enum'])) addAlso(part['enum'], part)
  })
}

/** A check before an overwrite, as `trim` is one, need not hold for what that makes. */
function addUnchecked(
  { check, format, checks = [] }: UnsaidZod['_zod']['def'],
  jsonSchema: Record<string, unknown>,
): void {
  const last = checks.findLastIndex(isOverwrite)
  if (last < 0) return
  const before = checks.slice(0, last).filter((it) => !isOverwrite(it))
  const isKept = check === undefined || keepsFormat(format, checks)
  if (isKept && before.length === 0) return
  const isOfFormat = (keyword: string) => keyword === 'pattern' || keyword === 'format'
  const keepsPattern = check !== undefined && isKept && !before.some(({ _zod }) => 'pattern' in _zod.def)
  const ofChecks = checkKeywords.filter((it) => it in jsonSchema && !(keepsPattern && isOfFormat(it)))
  if (jsonSchema['type'] === 'integer' && !isKept) ofChecks.push('type')
  if (ofChecks.length > 0) jsonSchema['unchecked'] = ofChecks
}

/** A schema without the keywords that need not hold. */
export function checkedOnly(json: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { unchecked }: Unsaid = json
  if (!Array.isArray(unchecked)) return json
  return Object.fromEntries(Object.entries(json).filter(([keyword]) => !unchecked.includes(keyword)))
}

/** The keywords that checks write. */
const checkKeywords = [
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'allOf',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
]

function visit(part: unknown, see: (part: Record<string, unknown>) => void): void {
  if (typeof part !== 'object' || part === null) return
  if (!Array.isArray(part)) see(part as Record<string, unknown>)
  for (const inner of Object.values(part)) visit(inner, see)
}

/** Flags that change what a pattern accepts, by its source. `u` alone needs no word: it is how JSON Schema reads patterns. */
function flagsOf(patterns: readonly unknown[]): Map<string, string> {
  const flags = new Map<string, string>()
  for (const pattern of patterns) {
    const { source, flags: all } = (pattern ?? {}) as Partial<RegExp>
    const telling = all?.replaceAll(/[dgy]/g, '') ?? ''
    if (source !== undefined && telling !== '' && telling !== 'u') flags.set(source, telling)
  }
  return flags
}

function addFlags(flags: ReadonlyMap<string, string>, jsonSchema: Record<string, unknown>): void {
  const { pattern, allOf } = jsonSchema
  const own = typeof pattern === 'string' ? flags.get(pattern) : undefined
  if (own !== undefined) jsonSchema['flags'] = own
  if (Array.isArray(allOf)) for (const part of allOf) addFlags(flags, part)
}

function addAlso(values: readonly unknown[], jsonSchema: Record<string, unknown>): void {
  const lost = values.filter((value) =>
    typeof value === 'number' ? !Number.isFinite(value) : value === undefined,
  )
  if (lost.length > 0 && values.some((value) => value !== undefined)) jsonSchema['also'] = lost.map(String)
}
