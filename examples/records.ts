/**
 * Numbers that many change at once without reading them: a counter, a high score and a low price.
 *
 *     node examples/records.ts
 */
import { addressOf } from './address/address-of.ts'
import { openRecords, recordGame, recordOffer } from './records/records.ts'

await using db = await openRecords(addressOf('records'), { destroyOnClose: true })
const { games, highScores, lowPrices } = db.repositories

const scores = [310n, 990n, 120n, 470n]
await Promise.all(scores.map((score) => recordGame(db, 'tetris', score)))
console.log('Games of tetris:', (await games.get('tetris')).value)
console.log('High score:', (await highScores.get('tetris')).value)

const offers = [1_999n, 1_450n, 1_700n]
await Promise.all(offers.map((cents) => recordOffer(db, 'kettle', cents)))
console.log('Lowest price of a kettle, in cents:', (await lowPrices.get('kettle')).value)
