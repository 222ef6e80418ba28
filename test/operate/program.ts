// Goes on writing to a database until its standard input ends; prints `ready` once it writes.
import { Valkeyrie } from 'valkeyrie'
import { patient } from '../waiting.ts'

await using db = await Valkeyrie.open(process.argv[2], patient)
let ended = false
process.stdin.resume().on('end', () => {
  ended = true
})
for (let i = 0; !ended; i++) {
  await db.set(['written', i % 100], { i, text: 'x'.repeat(100) })
  if (i === 0) console.log('ready')
}
