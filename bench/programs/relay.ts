import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { serveParent } from '../harness/child.ts'

const functions = {
  /** Stands before a server, and gives each of its answers so many milliseconds later: gives the port to call. */
  async listen(address: string, milliseconds: number): Promise<number> {
    const { hostname, port } = new URL(address)
    const relay = createServer((client) => {
      const server = connect(Number(port), hostname)
      client.setNoDelay(true)
      server.setNoDelay(true)
      client.pipe(server)
      server.on('data', (bytes) => setTimeout(() => client.write(bytes), milliseconds))
      for (const socket of [client, server]) {
        socket.on('error', () => {})
        socket.on('close', () => {
          client.destroy()
          server.destroy()
        })
      }
    }).listen(0, '127.0.0.1')
    await once(relay, 'listening')
    return (relay.address() as AddressInfo).port
  },
}

export type Relay = typeof functions
serveParent(functions)
