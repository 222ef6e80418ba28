import { it } from 'vitest'
import { extent } from '../extent.ts'
import { expectSerializable } from './random-units.ts'
import { newDatabasePath } from './temporary-folder.ts'

const processes = 4
const { VALKEYRIE_UNITS } = process.env
const units = VALKEYRIE_UNITS ? Number(VALKEYRIE_UNITS) : extent('random units of work', 300, 2_000)

it(`${units} random units of work in ${processes} processes see what some serial order gives`, () =>
  expectSerializable(newDatabasePath(), { units, processes }))
