import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Valkeyrie } from 'valkeyrie'
import { liveChanges, liveQuery, nodeHandler, type ServeLiveOptions, serveLive } from 'valkeyrie/http'
import { z } from 'zod'
import { newAddress } from '../engine-of-project.ts'

const player = z.object({ name: z.string(), score: z.int(), since: z.date().optional() })

/** A database of players, and the live queries over it. */
export async function openPlayers(path = newAddress()) {
  const db = await Valkeyrie.withSchema(['players', '*'], player, { indexes: [{ on: 'score' }] }).open(path)
  const { players } = db.repositories
  const declarations = {
    podium: liveQuery(z.object({ places: z.int().min(1).max(1_000) }), ({ places }) =>
      players.watchMany({ orderBy: { score: 'desc' }, limit: places }),
    ),
    all: liveQuery(() => players.watchMany()),
    player: liveQuery(z.object({ id: z.string() }), ({ id }) => players.watch(id)),
    round: liveQuery(() => db.watch([['round'], ['players', 'ada']])),
    scores: liveChanges((_, { since }) => players.changes({ since })),
    fails: liveQuery((): ReadableStream<number> => {
      throw new Error('secret of the server')
    }),
    breaks: liveQuery(
      () =>
        new ReadableStream<number>({
          pull: (controller) => controller.error(new Error('secret of the server')),
        }),
    ),
  }
  const serve = (options: Partial<ServeLiveOptions<typeof declarations>> = {}) =>
    serveLive(declarations, { authorize: () => true, onError: () => {}, ...options })
  return { db, players, declarations, serve }
}

export type Players = Awaited<ReturnType<typeof openPlayers>>
export type PlayersLive = ReturnType<Players['serve']>

/** Listens on its own port; `address` is that of the live queries. */
export async function listen(
  live: PlayersLive,
  port = 0,
): Promise<{ address: string; port: number; server: Server }> {
  const server = createServer(nodeHandler(live))
  return { server, ...(await listening(server, port)) }
}

export async function listening(server: Server, port = 0): Promise<{ address: string; port: number }> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: own } = server.address() as AddressInfo
  return { address: `http://127.0.0.1:${own}/live`, port: own }
}

export async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
