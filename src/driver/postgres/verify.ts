import { KvError } from '../../contract/errors.ts'
import { keyLabel } from '../../key/key-label.ts'
import { PatternIndex } from '../../key/pattern-index.ts'
import { formatVersionstamp } from '../../key/versionstamp.ts'
import type { CopiedState, CopySource } from '../copy.ts'
import { damageOfCommit, damageOfRow, Findings, gapInLog } from '../findings.ts'
import type { Verification, VerifyOptions } from '../verification.ts'
import type { ServerPlace } from './copy/server-state.ts'
import { openServerSource, type ServerSource } from './copy/source.ts'
import { searchName } from './search/tables.ts'
import { quoteName } from './server/sql-text.ts'

/** Reads the state of a schema of a server at one moment, and reports what is damaged. The server itself checks pages and indexes. */
export async function verifyServer(
  address: string,
  place: ServerPlace,
  { signal }: VerifyOptions,
): Promise<Verification> {
  const source = await openServerSource(address, place)
  try {
    return await verifyState(source, signal)
  } finally {
    await source.close()
  }
}

async function verifyState(source: ServerSource, signal: AbortSignal | undefined): Promise<Verification> {
  const findings = new Findings()
  const state = await readState(source, findings)
  const names = state && new PatternIndex(state.catalog.collections.map((it) => [it.pattern, it.name]))
  for (const { name, indexes } of state?.catalog.collections ?? []) {
    for (const { fields, built } of indexes) {
      if (built) continue
      const message = `The index of '${name}' on ${fields.join(' and ')} is missing: open the database with that schema`
      findings.add({ kind: 'index', message })
    }
  }
  if (state !== null) await checkSearches(source, state, findings)
  let rows = 0
  for await (const page of source.rows()) {
    signal?.throwIfAborted()
    rows += page.rows.length
    for (const row of page.rows) {
      const message = damageOfRow(row, names, state?.version ?? Number.POSITIVE_INFINITY, false)
      if (message !== null) findings.add({ kind: 'row', message, key: keyLabel(row.key) })
    }
  }
  let commits = 0
  let last: number | null = null
  for await (const page of source.commits()) {
    signal?.throwIfAborted()
    commits += page.length
    for (const { version, at, changes } of page) {
      const told = { kind: 'log', version: formatVersionstamp(version) } as const
      if (last !== null && version > last + 1) findings.add({ ...told, message: gapInLog })
      last = version
      const message = damageOfCommit(version, at, changes)
      if (message !== null) findings.add({ ...told, message })
    }
  }
  if (state !== null && (last ?? 0) !== state.version) {
    const message = `The counter of versions is at ${state.version}, and the newest commit of the log is ${last ?? 0}`
    findings.add({ kind: 'log', message })
  }
  return findings.verification(rows, commits)
}

/** Compares the words of each search with the rows. */
async function checkSearches(
  source: ServerSource,
  { catalog }: CopiedState,
  findings: Findings,
): Promise<void> {
  for (const { name: collection, search: searches = [] } of catalog.collections) {
    for (const search of searches) {
      const find = (what: string) =>
        findings.add({
          kind: 'index',
          message: `The search of '${collection}' on ${search.fields.join(' and ')} ${what}: run DROP FUNCTION ${quoteName(searchName({ collection, search }))} CASCADE, and open the database with that schema`,
        })
      if (!search.built) {
        find('is missing')
        continue
      }
      const { keys, isStray } = await source.differenceOf({ collection, search })
      for (const key of keys) find(`has other words of ${keyLabel(key)}`)
      if (isStray) find('has words of rows that are gone')
    }
  }
}

/** `null` if the catalogue cannot be read. */
async function readState(source: CopySource, findings: Findings): Promise<CopiedState | null> {
  try {
    return await source.state()
  } catch (error) {
    if (!(error instanceof KvError) || error.code !== 'STORAGE') throw error
    findings.add({ kind: 'catalog', message: error.message })
    return null
  }
}
