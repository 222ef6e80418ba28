import { expect, it } from 'vitest'
import { patternRange } from '../../../src/key/pattern.ts'
import { ListIterator, type ListSource } from '../../../src/store/list-iterator.ts'
import { Encoding } from '../../../src/value/encoding.ts'

/** How many rows a list of 2,000 asks for at a time, if each value has this many characters. */
async function pagesOf(characters: number, batchSize?: number): Promise<number[]> {
  const value = 'x'.repeat(characters)
  const pages: number[] = []
  let next = 0
  const read = async ({ scan: { limit } }: { readonly scan: { readonly limit: number } }) => {
    pages.push(limit)
    return Array.from({ length: Math.min(limit, 2_000 - next) }, () => {
      next += 1
      return { key: ['rows', next], value, encoding: Encoding.json, types: null, version: 1, expiresAt: null }
    })
  }
  const store = { read, assertOpen: () => {} } as unknown as ListSource<string>['store']
  const source = { store, range: patternRange(['rows', '*']), collection: null, toEntry: () => '' }
  expect(await Array.fromAsync(new ListIterator(source, { batchSize }))).toHaveLength(2_000)
  return pages
}

it('pages begin small, and have at most a thousand rows, or as many as batchSize says', async () => {
  expect(await pagesOf(10)).toEqual([32, 1_000, 1_000])
  expect(await pagesOf(10, 1_500)).toEqual([32, 1_500, 1_500])
  expect(await pagesOf(10, 20)).toEqual(Array(101).fill(20))
})

it('pages of large rows have about a megabyte, whatever batchSize says', async () => {
  expect((await pagesOf(100_000)).slice(0, 4)).toEqual([32, 10, 10, 10])
  expect((await pagesOf(100_000, 1_500)).slice(0, 4)).toEqual([32, 10, 10, 10])
  expect((await pagesOf(2_000_000, 1_500)).slice(0, 4)).toEqual([32, 1, 1, 1])
})
