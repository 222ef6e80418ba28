import { CorruptKeyError } from 'valkeyrie'
import { expect, it } from 'vitest'
import { type KeyedColumns, KeyedRows } from '../../../src/driver/sqlite/rows/keyed-rows.ts'

it('an index entry that leads to no row is a CorruptKeyError', () => {
  const found = [['{}', 0, null, 1, null, null]] as unknown
  const read = () =>
    new KeyedRows(false).read(
      () => found as KeyedColumns<string>[],
      () => found as KeyedColumns<Uint8Array>[],
    )
  expect(read).toThrow(CorruptKeyError)
})
