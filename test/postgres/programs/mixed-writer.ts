// Writes in each way that there is, so many rounds: each key once, but for those that all writers share.
import { Valkeyrie } from 'valkeyrie'
import { patient } from '../../waiting.ts'

interface Arguments {
  readonly url: string
  readonly schema: string
  readonly writer: number
  readonly rounds: number
}

const { url, schema, writer, rounds } = JSON.parse(process.argv[2]!) as Arguments
const db = await Valkeyrie.open(url, { schema, ...patient })
process.send!('ready')
await new Promise((resolve) => process.once('message', resolve))
for (let n = 0; n < rounds; n++) {
  await db.set(['alone', writer, n], n)
  // In one turn of the event loop: they are one batch.
  await Promise.all([
    db.set(['together', writer, n], n),
    db.atomic().set(['pair', 'a', writer, n], n).set(['pair', 'b', writer, n], n).commit(),
    db.atomic().sum(['sum'], 1n).commit(),
  ])
  await db.unitOfWork(async (unit) => {
    const { value } = await unit.get(['units'])
    await unit.set(['units'], Number(value) + 1)
    await unit.set(['unit', writer, n], n)
  })
}
process.send!('done')
await db.close()
