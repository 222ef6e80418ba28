import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Where a program keeps a database that is gone at its end: on the server that DATABASE names, as `postgres://user:password@host/database`,
 * in a schema of its own, and else in a file.
 */
export function addressOf(name: string): string {
  return onServer(`valkeyrie_${name}_${process.pid}`) ?? join(tmpdir(), `valkeyrie-${name}-${process.pid}.db`)
}

/** As `addressOf`, of a database that stays: in the schema of this name, or in a file in data/. */
export function keptAddressOf(name: string): string {
  const address = onServer(name)
  if (address !== null) return address
  const file = fileURLToPath(new URL(`../../data/${name}.db`, import.meta.url))
  mkdirSync(dirname(file), { recursive: true })
  return file
}

/** An address as it may be printed: without the password. */
export function shownAddress(address: string): string {
  if (!address.startsWith('postgres')) return address
  const { host, pathname, searchParams } = new URL(address)
  return `the schema ${searchParams.get('schema')} of ${host}${pathname}`
}

/** Whether databases are kept on a server. */
export const isOnServer = onServer('any') !== null

/** What DATABASE names, with a schema where it names none; `null` where it is left out. */
function onServer(schema: string): string | null {
  const { DATABASE } = process.env
  if (DATABASE === undefined || DATABASE === '') return null
  const address = new URL(DATABASE)
  if (!address.searchParams.has('schema')) address.searchParams.set('schema', schema.replaceAll('-', '_'))
  return address.href
}
