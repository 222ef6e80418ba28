import { isDeepStrictEqual } from 'node:util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import fc from 'fast-check'
import * as v from 'valibot'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  changedOutput,
  judgeOutput,
  patchedOutput,
  trustOutput,
  validate,
} from '../../src/schema/validate.ts'
import { extent } from '../extent.ts'
import { arkPart, type Part, valibotPart, zodPart } from './schema-parts.ts'

const key = ['rows', 'a']
const numRuns = extent('values of each library and law', 40, 600)

/** The output of an input; `undefined` where the schema refuses it. */
async function outputOf(definition: ReturnType<typeof row>, input: unknown): Promise<object | undefined> {
  try {
    return (await validate(definition, key, input)) as object
  } catch {
    return undefined
  }
}

interface Library {
  readonly library: string
  readonly part: fc.Arbitrary<Part>
  readonly object: (field: Part['schema']) => StandardSchemaV1
}

const libraries: readonly Library[] = [
  { library: 'Zod', part: zodPart, object: (field) => z.object({ field, note: z.string() }) },
  { library: 'Valibot', part: valibotPart, object: (field) => v.objectAsync({ field, note: v.string() }) },
  { library: 'ArkType', part: arkPart, object: (field) => type({ field, note: 'string' }) },
]

const row = (schema: StandardSchemaV1) => defineSchema(['rows', '*'], schema)

describe.each(libraries)('$library', ({ part, object }) => {
  it('an output is judged to be one, stays as it is, and is left alone by a patch of another field', async () => {
    await fc.assert(
      fc.asyncProperty(part, async ({ schema, input }) => {
        const definition = row(object(schema))
        const output = await outputOf(definition, { field: input, note: 'n' })
        fc.pre(output !== undefined)
        await judgeOutput(definition, key, output)
        expect(await trustOutput(definition, key, output)).toStrictEqual(output)
        expect(await changedOutput(definition, key, () => output, { ...output, note: 'x' })).toStrictEqual({
          ...output,
          note: 'x',
        })
        expect(await patchedOutput(definition, key, output!, { note: 'x' })).toStrictEqual({
          ...output,
          note: 'x',
        })
      }),
      { numRuns },
    )
  })

  it('a patch of a field has the same result as a write of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(part, async ({ schema, input, other }) => {
        const definition = row(object(schema))
        const output = await outputOf(definition, { field: input, note: 'n' })
        const whole = await outputOf(definition, { field: other, note: 'n' })
        // `undefined` in a patch leaves the field as it is.
        fc.pre(output !== undefined && other !== undefined)
        const patched = Promise.resolve().then(() =>
          patchedOutput(definition, key, output!, { field: other }),
        )
        if (whole === undefined) await expect(patched).rejects.toThrow()
        else expect(await patched).toStrictEqual(whole)
      }),
      { numRuns },
    )
  })

  it('a field that is changed to another output is that output, or is refused', async () => {
    await fc.assert(
      fc.asyncProperty(part, async ({ schema, input, other }) => {
        const definition = row(object(schema))
        const output = await outputOf(definition, { field: input, note: 'n' })
        const next = await outputOf(definition, { field: other, note: 'n' })
        fc.pre(output !== undefined && next !== undefined)
        let changed: unknown
        try {
          changed = await changedOutput(definition, key, () => output, next)
        } catch (error) {
          expect(error).toMatchObject({ code: 'VALIDATION' })
          return
        }
        expect(isDeepStrictEqual(changed, next)).toBe(true)
      }),
      { numRuns },
    )
  })
})
