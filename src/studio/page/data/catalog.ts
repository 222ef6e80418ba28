import { computed, signal } from '@preact/signals'
import type { KeyPartJson } from '../../../key/key-json.ts'
import type { JsonSchema } from '../../../schema/json-schema.ts'
import { ask } from './api.ts'
import { listen } from './live.ts'

/** What a database knows of a repository. */
export interface Repository {
  readonly name: string
  readonly pattern: readonly KeyPartJson[]
  readonly schema: JsonSchema | null
  readonly indexes: readonly { readonly fields: readonly string[]; readonly unique: boolean }[]
  /** The fields that `$search` finds words of. */
  readonly searched: readonly string[]
  /** By the field that refers, the repository that it refers to. */
  readonly references: { readonly [field: string]: string }
  readonly nested: readonly string[]
}

/** As a person orders names: `area 2` before `area 10`. */
const { compare } = new Intl.Collator('en', { numeric: true })

interface Catalog {
  readonly name: string
  readonly path: string
  readonly readOnly: boolean
  readonly repositories: readonly Repository[]
}

interface Counts {
  readonly repositories: { readonly [name: string]: number }
  readonly others: number
}

export const catalog = signal<Catalog | null>(null)
export const counts = signal<Counts | null>(null)
export const readOnly = computed(() => catalog.value?.readOnly ?? true)

export function repositoryNamed(name: string | null): Repository | undefined {
  return catalog.value?.repositories.find((it) => it.name === name)
}

/** Reads what the database knows of itself, and again when a program declares more. */
export async function loadCatalog(): Promise<void> {
  const { repositories, ...told } = await ask<Catalog>('catalog')
  catalog.value = { ...told, repositories: repositories.toSorted((a, b) => compare(a.name, b.name)) }
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
    // What keeps it from being counted is told where rows are read.
  }
  // Counting takes a tenth of the time at most.
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
