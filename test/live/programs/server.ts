import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nodeHandler } from 'valkeyrie/http'
import { openPlayers } from '../live-server.ts'

/** Serves the players of a file, at a port that it prints, until it is killed. */
const [path, port] = process.argv.slice(2)
const { serve } = await openPlayers(path)
const handle = nodeHandler(serve({ heartbeat: 100 }))
const server = createServer((request, response) => {
  // For pages of any origin.
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('access-control-allow-headers', 'last-event-id')
  if (request.method === 'OPTIONS') response.end()
  else handle(request, response)
})
server.listen(Number(port), '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
