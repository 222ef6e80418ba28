import type { ReadonlySignal } from '@preact/signals'
import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { repositoryNamed } from './catalog.ts'
import { listen } from './live.ts'
import type { RowsModel } from './rows-model.ts'
import { nextExpiry, useExpiry } from './use-expiry.ts'

/** How many milliseconds a row that was just written is highlighted. */
const markedFor = 2_500
const mostMarked = 2_000

/** The rows that were just written: their names and versionstamps. */
export type FreshRows = ReadonlyMap<string, string>

/** Reads the rows of a model again when they, or their related rows, are written. Returns those that were just written. */
export function useLiveRows(model: RowsModel, repository: string): ReadonlySignal<FreshRows> {
  const fresh = useSignal<FreshRows>(new Map())
  const version = model.changes.value
  useExpiry(
    useMemo(() => nextExpiry(model.loaded()), [model, version]),
    () => model.refresh(),
  )
  useEffect(() => {
    const related = relatedTo(repository)
    const timers = new Set<ReturnType<typeof setTimeout>>()
    const end = listen({
      onCommit({ versionstamp, changes }) {
        const own = changes.filter((change) => change.repository === repository)
        if (own.length > 0 || changes.some((change) => related.has(change.repository))) model.refresh()
        if (own.length === 0 || fresh.value.size > mostMarked) return
        const names = own.map(({ key }) => JSON.stringify(key))
        fresh.value = new Map([...fresh.value, ...names.map((name) => [name, versionstamp] as const)])
        const timer = setTimeout(() => {
          timers.delete(timer)
          fresh.value = new Map(
            [...fresh.value].filter(([name, stamp]) => stamp !== versionstamp || !names.includes(name)),
          )
        }, markedFor)
        timers.add(timer)
      },
      onOpen: () => model.refresh(),
      onGap: () => model.refresh(),
    })
    return () => {
      end()
      timers.forEach(clearTimeout)
    }
  }, [model, repository])
  return fresh
}

/** The repositories whose rows may be shown with those of this one. */
function relatedTo(name: string): ReadonlySet<string | null> {
  const related = new Set<string | null>()
  const visit = (at: string) => {
    const { nested = [], references = {} } = repositoryNamed(at) ?? {}
    for (const other of [...nested, ...Object.values(references)]) {
      if (other === name || related.has(other)) continue
      related.add(other)
      visit(other)
    }
  }
  visit(name)
  return related
}
