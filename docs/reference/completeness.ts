import { membersIn, type Page } from './page.ts'
import type { Surface } from './surface.ts'

/** What pages lack of a surface: public names that they do not report, comments, and examples of methods. */
export function faultsOf({ exports }: Pick<Surface, 'exports'>, pages: readonly Page[]): string[] {
  const parts = pages.flatMap((page) => page.parts)
  const names = parts.flatMap((part) => (part.type === 'declaration' ? [part.declaration.name] : []))
  const faults: string[] = []
  for (const name of exports.keys()) if (!names.includes(name)) faults.push(`${name} is on no page`)
  for (const name of new Set(names)) {
    if (names.indexOf(name) !== names.lastIndexOf(name)) faults.push(`${name} is documented twice`)
  }
  for (const part of parts) {
    if (part.type === 'text') continue
    const { name, comment } = part.declaration
    if (comment === '') faults.push(`${name} has no comment`)
    for (const member of membersIn(part)) {
      if (member.comment === '') faults.push(`${name}.${member.name} has no comment`)
      else if (member.kind === 'method' && !member.comment.includes('```ts'))
        faults.push(`${name}.${member.name} has no example`)
    }
  }
  return faults
}
