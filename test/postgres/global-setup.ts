import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Cluster, startCluster } from './cluster.ts'
import { type Answer, askVariable } from './server-of-run.ts'

/** Gives all files of tests one server of PostgreSQL, which starts when the first of them asks for it. */
export default async function setup(): Promise<() => Promise<void>> {
  let cluster: Promise<Cluster> | undefined
  const server = createServer(async (_, response) => {
    cluster ??= startCluster({ isModel: true })
    const answer: Answer = await cluster.then(
      ({ url, folder }) => ({ url, folder }),
      ({ message }: Error) => ({ obstacle: message }),
    )
    response.end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  process.env[askVariable] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return async () => {
    server.close()
    const started = await cluster?.catch(() => undefined)
    await started?.end()
  }
}
