import type { IndexDeclaration } from '../catalog/catalog.ts'
import type { TableSql } from '../driver/migration-dialect.ts'
import { changeText } from './change-text.ts'
import type { CollectionComparison, KeptCollection } from './compare-collections.ts'

/** What a migration changes, as sentences for people: repositories first, then tables of the user's own. */
export function comparisonText(
  { kept, added, removed }: CollectionComparison,
  { renewed, others }: Pick<TableSql, 'renewed' | 'others'>,
): string[] {
  return [
    ...removed.map(({ name }) => `${name} is gone, but its rows stay`),
    ...added.map(({ name, pattern }) => `${name} is new: ${pattern}`),
    ...kept.flatMap(keptText),
    ...renewed.map((name) => `the index ${name} is built again, as it is declared`),
    ...others,
  ]
}

function keptText({ last, next, changes, reasons }: KeptCollection): string[] {
  const [before, after] = [last, next].map(({ indexes }) => indexes.map(indexText)) as [string[], string[]]
  const texts = [
    ...(last.pattern === next.pattern ? [] : [`its keys are now ${next.pattern}, and were ${last.pattern}`]),
    ...changes.flatMap(changeText),
    ...reasons.map((reason) => `${reason}: a step converts it`),
    ...before.filter((text) => !after.includes(text)).map((text) => `the ${text} goes`),
    ...after.filter((text) => !before.includes(text)).map((text) => `the ${text} is built`),
  ]
  const renamed = last.name === next.name ? [] : [`${last.name} is now named ${next.name}`]
  return [...renamed, ...texts.map((text) => `${next.name}: ${text}`)]
}

function indexText({ fields, unique }: IndexDeclaration): string {
  return `${unique ? 'unique ' : ''}index on ${fields.join(', ')}`
}
