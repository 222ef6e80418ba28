import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Declaration, Member, Surface } from './surface.ts'

/** What stands on a page: text as it is, and in the place of `{{ Name }}` or `{{ Name.member }}` what documents that. */
export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'member'; readonly declaration: Declaration; readonly member: Member }
  | {
      readonly type: 'declaration'
      readonly declaration: Declaration
      /** Without those that other parts report. */
      readonly members: readonly Member[]
    }

export interface Page {
  /** The name of its file. */
  readonly file: string
  readonly title: string
  readonly parts: readonly Part[]
}

const placeholder = /^\{\{ (\S+) \}\}$/m

/** The pages in the folder `docs/reference/pages`, in this order: of classes that have a member both, the first documents it. */
export function readPages(root: string, names: readonly string[], surface: Surface): Page[] {
  const texts = names.map((name) =>
    readFileSync(join(root, 'docs/reference/pages', `${name}.md`), 'utf8').trim(),
  )
  const told = new Set<string>()
  for (const text of texts) {
    for (const name of placeholdersIn(text)) {
      const [owner, member] = name.split('.') as [string, string | undefined]
      if (member !== undefined) told.add(idOf(memberNamed(surface.find(owner), member)))
    }
  }
  const partOf = (name: string): Part => {
    const [owner, member] = name.split('.') as [string, string | undefined]
    const declaration = surface.find(owner)
    if (member !== undefined) {
      return { type: 'member', declaration, member: memberNamed(declaration, member) }
    }
    const members = declaration.members.filter((one) => !told.has(idOf(one)))
    for (const one of members) told.add(idOf(one))
    return { type: 'declaration', declaration, members }
  }
  return texts.map((text, i) => ({
    file: `${names[i]}.md`,
    title: /^# (.*)$/m.exec(text)?.[1] ?? '',
    parts: text
      .split(placeholder)
      .map((piece, n): Part => (n % 2 === 0 ? { type: 'text', text: piece.trim() } : partOf(piece))),
  }))
}

/** The members that a part documents. */
export function membersIn(part: Part): readonly Member[] {
  if (part.type === 'text') return []
  return part.type === 'member' ? [part.member] : part.members
}

/** The same for a member that several classes inherit. */
export function idOf({ owner, name }: Member): string {
  return `${owner}.${name}`
}

function placeholdersIn(text: string): string[] {
  return text.split(placeholder).filter((_, i) => i % 2 === 1)
}

function memberNamed({ name: owner, members }: Declaration, name: string): Member {
  const member = members.find((one) => one.name === name)
  if (member === undefined) throw new Error(`${owner} has no member ${name}`)
  return member
}
