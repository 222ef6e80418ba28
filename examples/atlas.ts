/**
 * An atlas: 250 countries and 135,233 cities in one file, and a walk through what can be done with them.
 *
 *     npm start                           # keeps the atlas in data/atlas.db
 *     node examples/atlas.ts other.db     # or in the file that you name
 *     DATABASE=postgres://me:secret@localhost/shop npm start     # or on a PostgreSQL server, in the schema atlas
 */
import { keptAddressOf, shownAddress } from './address/address-of.ts'
import { openAtlas } from './atlas/atlas.ts'
import { tellChapter } from './atlas/chapter.ts'
import { atomic } from './atlas/chapters/atomic.ts'
import { counters } from './atlas/chapters/counters.ts'
import { expiry } from './atlas/chapters/expiry.ts'
import { removeFiction } from './atlas/chapters/fiction.ts'
import { listing } from './atlas/chapters/listing.ts'
import { querying } from './atlas/chapters/querying.ts'
import { reading } from './atlas/chapters/reading.ts'
import { updating } from './atlas/chapters/updating.ts'
import { writing } from './atlas/chapters/writing.ts'
import { loadAtlas } from './atlas/load.ts'

const chapters = [reading, listing, querying, writing, updating, atomic, counters, expiry]

const path = process.argv[2] ?? keptAddressOf('atlas')
await using atlas = await openAtlas(path)
await loadAtlas(atlas, shownAddress(path))
await removeFiction(atlas)
try {
  for (const chapter of chapters) await tellChapter(chapter, atlas)
} finally {
  await removeFiction(atlas)
}
console.log(`\nWhat the walk added is gone again. The atlas stays in ${shownAddress(path)}.`)
