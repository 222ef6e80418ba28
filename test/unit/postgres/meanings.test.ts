import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unescapeJson } from '../../../src/driver/postgres/values/json-text.ts'
import { everyElement, meaningsOf } from '../../../src/driver/postgres/values/meanings.ts'
import { encodeValue } from '../../../src/value/codec.ts'
import { parseJson } from '../../../src/value/parse-json.ts'
import { meaningAt } from '../../../src/value/type-meaning.ts'
import { anyValue } from '../../property/any-value.ts'

/** The places of the texts in a JSON text, in the form of the paths of types. */
function placesOf(json: unknown, path: string | null = null): string[] {
  if (typeof json === 'string') return [path ?? '']
  if (typeof json !== 'object' || json === null) return []
  return Object.entries(json).flatMap(([name, inner]) => {
    const step = name.replace(/[\\.]/g, '\\$&')
    return placesOf(inner, path === null ? step : `${path}.${step}`)
  })
}

/** As SQL does. */
function told(types: string, path: string): string | null {
  const meanings = meaningsOf(types)
  if (meanings === null) {
    const { values } = parseJson(types) as { values: Record<string, readonly [string]> }
    return Object.hasOwn(values, path) ? values[path]![0] : null
  }
  const words = parseJson(unescapeJson(meanings)) as Record<string, string>
  const element = path.replace(/(^|\.)[^.]*$/, `$1${everyElement}`)
  return (Object.hasOwn(words, path) ? words[path] : words[element]) ?? null
}

describe('what the texts of a row stand for', () => {
  it('is the same in SQL and in JavaScript, for every text of a value', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const { value: json, types } = encodeValue(value)
        if (types === null || typeof json !== 'string') return
        for (const path of placesOf(parseJson(json))) {
          if (path !== '') expect(told(types, path), path).toBe(meaningAt(types, path))
        }
      }),
      { numRuns: 150 },
    )
  })

  it('adds nothing if the types have one word for each path', () => {
    expect(meaningsOf(null)).toBeNull()
    expect(meaningsOf(encodeValue({ at: new Date(0), deep: { big: 1n } }).types)).toBeNull()
  })

  it('is stored separately if a path cannot be read, or leads through another type', () => {
    const meanings = (value: unknown) => parseJson(meaningsOf(encodeValue(value).types)!) as unknown
    expect(meanings({ ids: new Set([1n]) })).toEqual({ ids: 'set', 'ids.0': 'bigint' })
    expect(meanings({ ids: new BigInt64Array([1n]) })).toEqual({ 'ids.*': 'bigint' })
    expect(meanings({ 'a\0b': 1n })).toEqual({ 'a\u0001\u0002\u0002b': 'bigint' })
  })

  it('is stored for a repeated object at the place where its JSON is', () => {
    const inner: Record<string, unknown> = { big: 1n }
    inner['self'] = inner
    const types = encodeValue({ inner, again: inner }).types!
    expect(parseJson(meaningsOf(types)!)).toEqual({ 'inner.big': 'bigint' })
  })
})
