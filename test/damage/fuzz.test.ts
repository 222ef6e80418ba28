import { expect, test } from 'vitest'
import { seedOfThisRun } from '../concurrency/random.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { workOnDamagedFiles } from './fuzz.ts'

const path = temporaryFolder()
/** Files at least, and milliseconds after which there are no more of them. `VALKEYRIE_FILES=2000` works on so many. */
const { VALKEYRIE_FILES } = process.env
const fewest = 20
const time = 2_000

test('a damaged file hangs nothing, crashes nothing, and every failure is a KvError', async () => {
  const first = seedOfThisRun()
  const start = performance.now()
  function* seeds() {
    for (let n = 0; ; n++) {
      const enough = performance.now() - start > time && n >= fewest
      if (VALKEYRIE_FILES === undefined ? enough : n >= Number(VALKEYRIE_FILES)) return
      yield first + n
    }
  }
  const counted = await workOnDamagedFiles(path('files'), seeds()).catch((error) => {
    throw new Error(`VALKEYRIE_SEED=${first}`, { cause: error })
  })
  console.log(`damaged files from seed ${first}: ${JSON.stringify(counted)}`)
  expect(counted.refused + counted.failed + counted.worked).toBeGreaterThanOrEqual(fewest)
})
