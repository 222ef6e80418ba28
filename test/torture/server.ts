import { type Cluster, startCluster } from '../postgres/cluster.ts'

let cluster: Promise<Cluster> | undefined

/** The server of PostgreSQL that attacks share, one after the other. Nobody else uses it: they kill it. */
export function attackedServer(): Promise<Cluster> {
  cluster ??= startCluster()
  return cluster
}

/** Why there is none. */
export function serverObstacle(): Promise<string | undefined> {
  return attackedServer().then(
    () => undefined,
    ({ message }: Error) => `no server of PostgreSQL can start: ${message}`,
  )
}

/** Ends it, if it was started. */
export async function endAttackedServer(): Promise<void> {
  await cluster?.then(
    (server) => server.end(),
    () => {},
  )
}
