import { pathText, type ValueChange } from '../catalog/value-change.ts'

/** What a change does, as sentences for a reviewer, with the names before the migration. */
export function changeText(change: ValueChange): string[] {
  switch (change.type) {
    case 'add':
      return [`${pathText(change.path)} is added, with the default ${JSON.stringify(change.value)}`]
    case 'remove':
      return [`${pathText(change.was)} is removed`]
    case 'rename':
      return change.moves.map(([from, to]) => `${pathText([...change.was, from])} is now named ${to}`)
    case 'replace':
      return [`${pathText(change.was)}: '${change.from}' is '${change.to}' now`]
  }
}
