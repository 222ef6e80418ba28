import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'

/** More than a call can have arguments. */
const most = 150_000

it('reports every change of a commit, however large', async () => {
  await using db = await Valkeyrie.open()
  const { versionstamp: since } = await db.set(['before'], 0)
  const large = db.atomic()
  for (let n = 0; n < most; n++) large.set(['row', n], n)
  await large.commit()
  await db.set(['after'], 1)
  const seen = new Set<unknown>()
  for await (const { value, key } of db.changes({ since })) {
    if (key[0] === 'after') break
    if (value === key[1]) seen.add(value)
  }
  expect(seen.size).toBe(most)
})
