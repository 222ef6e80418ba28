import type { JsonSchema } from '../schema/json-schema.ts'
import type { KeptCollection } from './compare-collections.ts'
import { typeText } from './type-text.ts'
import { pathText, type ValueChange } from './value-change.ts'

/** What stands in a step until someone has filled it in. */
export const unfilled = 'throw new MigrationError('

/** The text of a step: the types of the values before and after it, and a function to fill in. */
export function stepTemplate(file: string, { last, next, reasons, changes }: KeptCollection): string {
  const todo = [...reasons, ...changes.map(sentence)]
  return `import { MigrationError } from 'valkeyrie'

/** A value of ${last.name} before this migration. */
export type Old = ${typeText(last.schema as JsonSchema | null)}

/** A value of ${next.name} after it. */
export type New = ${typeText(next.schema as JsonSchema | null)}

/**
 * Makes the new value of an old one. It may run twice for one value, and gives the same each time.
 *
${todo.map((line) => ` * - ${line.replaceAll('*/', '* /')}\n`).join('')} */
export function up(value: Old): New {
  ${unfilled}'Fill in ${file}: return the new value of ' + JSON.stringify(value))
}
`
}

function sentence(change: ValueChange): string {
  const path = pathText(change.path)
  switch (change.type) {
    case 'add':
      return `${path} is added, with the default ${JSON.stringify(change.value)}`
    case 'remove':
      return `${path} is removed`
    case 'rename':
      return `${path} is named ${change.to} now`
    case 'replace':
      return `${path}: '${change.from}' is '${change.to}' now`
  }
}
