import { createClient } from 'valkeyrie/client'
import { expect, it } from 'vitest'
import { newAddress } from '../engine-of-project.ts'
import { sharedAddresses } from '../shared-addresses.ts'
import { waitFor, waitUntil } from '../waiting.ts'
import { openPlayers, type PlayersLive } from './live-server.ts'
import { serverProcess } from './server-process.ts'

const path = sharedAddresses()
const beginning = '0'.repeat(20)

it('a client misses nothing and sees nothing twice while its server is killed and started again', async () => {
  const file = path()
  const { db, players } = await openPlayers(file)
  let server = await serverProcess(file)
  const client = createClient<PlayersLive>(server.address, { retry: { min: 5, max: 50 } })
  try {
    const podium = client.watch('podium', { places: 3 })
    const results = new Set<unknown>()
    const stop = podium.subscribe(({ result }) => {
      if (result !== undefined) results.add(result)
    })
    const rounds = newAddress() === undefined ? 4 : 2
    const wanted: string[] = []
    const seen: string[] = []
    const changes = client.changes('scores', undefined, { since: beginning })
    const follow = async () => {
      for await (const { versionstamp, id } of changes) seen.push(`${versionstamp} ${id}`)
    }
    const following = follow()

    for (let round = 0; round < rounds; round++) {
      // Writes go on while there is a server, when it falls, and while there is none.
      for (let score = 0; score < 30; score++) {
        const ids = [`p${score % 5}`, `q${round}`]
        const commit = db.atomic()
        for (const id of ids) commit.set(['players', id], { name: id, score: 100 * round + score })
        const result = await commit.commit()
        wanted.push(...ids.map((id) => `${result.ok && result.versionstamp} ${id}`))
        if (score === 15) await server.kill()
      }
      server = await serverProcess(file, server.port)
      await waitUntil('what was written meanwhile', () => seen.length >= wanted.length)
    }
    expect(seen).toEqual(wanted)
    const newest = await players.findMany({ orderBy: { score: 'desc' }, limit: 3 })
    const stamps = (rows: readonly { versionstamp: string }[] = []) =>
      rows.map((row) => row.versionstamp).join()
    await waitUntil('the newest result', () => stamps(podium.state.result) === stamps(newest))
    const states = [...results].map((result) => stamps(result as typeof newest))
    expect(states.filter((state, i) => state === states[i - 1])).toEqual([])
    stop()
    await changes.return?.()
    await waitFor('the end of the loop', following)
  } finally {
    client.close()
    await server.kill()
    await db.close()
  }
})
