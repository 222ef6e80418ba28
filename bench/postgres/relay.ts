// Run as: node relay.ts <address> <milliseconds>. Stands before a server, and gives each of its answers so many milliseconds later.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

const [address, milliseconds] = process.argv.slice(2)
const target = new URL(address!)
const relay = createServer((client) => {
  const server = connect(Number(target.port), target.hostname)
  client.setNoDelay(true)
  server.setNoDelay(true)
  client.pipe(server)
  server.on('data', (bytes) => setTimeout(() => client.write(bytes), Number(milliseconds)))
  for (const socket of [client, server]) {
    socket.on('error', () => {})
    socket.on('close', () => {
      client.destroy()
      server.destroy()
    })
  }
}).listen(0, '127.0.0.1')
await once(relay, 'listening')
// Nobody else ends it where the measurement dies.
process.once('disconnect', () => process.exit())
process.send!('ready')
process.on('message', () => process.send!((relay.address() as AddressInfo).port))
