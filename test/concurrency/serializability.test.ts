import { it } from 'vitest'
import { expectSerializable } from './random-units.ts'
import { newDatabasePath } from './temporary-folder.ts'

const processes = 4
const { VALKEYRIE_UNITS = '2000' } = process.env
const units = Number(VALKEYRIE_UNITS)

it(`${units} random units of work in ${processes} processes see what some serial order gives`, () =>
  expectSerializable(newDatabasePath(), { units, processes }))
