// Writes batches until it is killed: of two keys each that agree, and counts what was acknowledged.
import { Valkeyrie } from 'valkeyrie'
import { patient } from '../../waiting.ts'

interface Arguments {
  readonly url: string
  readonly schema: string
  readonly writer: number
}

const { url, schema, writer } = JSON.parse(process.argv[2]!) as Arguments
const db = await Valkeyrie.open(url, { schema, ...patient })
for (let n = 1; ; n++) {
  // In one turn of the event loop: they are one batch.
  await Promise.all([
    db.set(['blind', writer], n),
    db.atomic().set(['pair', writer, 'a'], n).set(['pair', writer, 'b'], n).commit(),
    db.atomic().sum(['total', writer], 1n).commit(),
  ])
  process.send!(n)
}
