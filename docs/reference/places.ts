import type { Place } from './links.ts'
import { idOf, membersIn, type Page } from './page.ts'
import { hasHeading, headingOf } from './section.ts'

/** The places of all that has a heading, by name: `Repository`, and of its members, inherited ones too, `Repository.get`. */
export function placesOf(pages: readonly Page[]): Map<string, Place> {
  const places = new Map<string, Place>()
  const byId = new Map<string, Place>()
  for (const { file: page, parts } of pages) {
    const anchors = new Anchors()
    for (const part of parts) {
      if (part.type === 'text') {
        for (const heading of headingsIn(part.text)) anchors.next(heading)
        continue
      }
      const { declaration } = part
      if (part.type === 'declaration') {
        places.set(declaration.name, { page, anchor: anchors.next(declaration.name) })
      }
      for (const member of membersIn(part).filter(hasHeading)) {
        byId.set(idOf(member), { page, anchor: anchors.next(headingOf(member, declaration)) })
      }
    }
  }
  for (const part of pages.flatMap(({ parts }) => parts)) {
    if (part.type === 'text') continue
    const { name, members } = part.declaration
    for (const member of members) {
      const place = byId.get(idOf(member))
      if (place !== undefined) places.set(`${name}.${member.name}`, place)
    }
  }
  return places
}

function headingsIn(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!)
}

/** The anchors that code hosts give to the headings of a page. */
class Anchors {
  readonly #used = new Map<string, number>()

  /** Of the next heading; one with the text of an earlier one is numbered. */
  next(heading: string): string {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\-_ ]/gu, '')
      .replaceAll(' ', '-')
    const count = this.#used.get(anchor) ?? 0
    this.#used.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  }
}
