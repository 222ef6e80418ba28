import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nodeHandler } from 'valkeyrie/http'
import { openPlayers } from '../live-server.ts'

/** Serves the players of a file below `/live`, and a page for a program at `/`, at a port that it prints, until it is killed. */
const [path, port] = process.argv.slice(2)
const { serve } = await openPlayers(path)
const handle = nodeHandler(serve({ heartbeat: 100 }))
const server = createServer((request, response) => {
  if (request.url !== '/') handle(request, response)
  else response.setHeader('content-type', 'text/html').end('<!doctype html><div id="root"></div>')
})
server.listen(Number(port), '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
