import { startCluster } from './cluster.ts'

/** Where the files of a run ask for its server. */
export const askVariable = 'VALKEYRIE_TEST_POSTGRES'

/** The server, or why there is none. */
export type Answer = { readonly url: string; readonly folder: string } | { readonly obstacle: string }

/** The server of PostgreSQL that all tests of a run share, and their children; a program that is no test gets one of its own. */
export async function serverOfRun(): Promise<Answer> {
  const ask = process.env[askVariable]
  if (ask !== undefined) return (await (await fetch(ask)).json()) as Answer
  try {
    const { url, folder } = await startCluster()
    return { url, folder }
  } catch (error) {
    return { obstacle: (error as Error).message }
  }
}
