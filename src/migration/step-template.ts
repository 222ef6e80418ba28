import type { JsonSchema } from '../schema/json-schema.ts'
import { changeText } from './change-text.ts'
import type { KeptCollection } from './compare-collections.ts'
import { typeText } from './type-text.ts'

/** Whether a step still says that it must be filled in. */
export function isUnfilled(file: string, text: string): boolean {
  return text.includes(reminder(file))
}

/** Searched as words, because a formatter may have changed the file. */
function reminder(file: string): string {
  return `Fill in ${file}: return the new value of `
}

/** The text of a step: the types of the values before and after, and a function to fill in. */
export function stepTemplate(file: string, { last, next, reasons, changes }: KeptCollection): string {
  const todo = [...reasons, ...changes.flatMap(changeText)]
  return `import { MigrationError } from 'valkeyrie'

/** A value of ${last.name} before this migration. */
export type Old = ${typeText(last.schema as JsonSchema | null)}

/** A value of ${next.name} after it. */
export type New = ${typeText(next.schema as JsonSchema | null)}

/**
 * Makes the new value of an old one. It may run twice for one value, and gives the same each time.
 *
${todo.map((line) => ` * - ${line.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ')}\n`).join('')} */
export function up(value: Old): New {
  throw new MigrationError('${reminder(file)}' + JSON.stringify(value))
}
`
}
