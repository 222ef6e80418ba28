import { computed, signal } from '@preact/signals'
import type { EngineName } from '../../../engines/engines.ts'
import type { KeyPartJson } from '../../../key/key-json.ts'
import type { JsonSchema } from '../../../schema/json-schema.ts'
import { ask } from './api.ts'
import { listen } from './live.ts'

/** A repository, as the database knows it. */
export interface Repository {
  readonly name: string
  readonly pattern: readonly KeyPartJson[]
  readonly schema: JsonSchema | null
  readonly indexes: readonly { readonly fields: readonly string[]; readonly unique: boolean }[]
  /** The fields that `$search` searches. */
  readonly searched: readonly string[]
  /** The field that refers, and the repository that it refers to. */
  readonly references: { readonly [field: string]: string }
  readonly nested: readonly string[]
}

/** The natural order of names: `area 2` before `area 10`. */
const { compare } = new Intl.Collator('en', { numeric: true })

interface Catalog {
  readonly name: string
  readonly path: string
  readonly engine: EngineName
  readonly readOnly: boolean
  readonly repositories: readonly Repository[]
}

interface Counts {
  readonly repositories: { readonly [name: string]: number }
  readonly others: number
}

export const catalog = signal<Catalog | null>(null)
export const counts = signal<Counts | null>(null)
/** Whether the database is on a server. */
export const isOnServer = computed(() => catalog.value?.engine === 'postgres')
export const readOnly = computed(() => catalog.value?.readOnly ?? true)

export function repositoryNamed(name: string | null): Repository | undefined {
  return catalog.value?.repositories.find((it) => it.name === name)
}

/**
 * Reads the catalogue, again each time a program declares more. A repository that has not changed stays the same object, so
 * that its rows are not read from the beginning.
 */
export async function loadCatalog(): Promise<void> {
  const { repositories, ...told } = await ask<Catalog>('catalog')
  const kept = repositories.map((it) => {
    const known = repositoryNamed(it.name)
    return JSON.stringify(known) === JSON.stringify(it) ? known! : it
  })
  catalog.value = { ...told, repositories: kept.toSorted((a, b) => compare(a.name, b.name)) }
  document.title = `${told.name} – valkeyrie studio`
  await countRows()
}

let counting = false
let isStale = false

async function countRows(): Promise<void> {
  if (counting) {
    isStale = true
    return
  }
  counting = true
  const began = performance.now()
  try {
    counts.value = await ask<Counts>('counts')
  } catch {
    // If counting fails, reading rows reports why.
  }
  // Counting takes at most a tenth of the time.
  setTimeout(
    () => {
      counting = false
      if (isStale) void countRows()
      isStale = false
    },
    Math.max(500, 9 * (performance.now() - began)),
  )
}

listen({
  onCommit: () => void countRows(),
  onOpen: () => void loadCatalog().catch(() => {}),
  onCatalog: () => void loadCatalog().catch(() => {}),
})
