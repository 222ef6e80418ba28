import type { Links } from './links.ts'
import type { Declaration, Member } from './surface.ts'

/** A declaration with those of its members that are documented along with it. */
export interface DeclarationSection {
  readonly declaration: Declaration
  readonly members: readonly Member[]
  /** The modules that export it; none for one that only other types are made of. */
  readonly modules: readonly string[]
}

const mainModule = 'valkeyrie'

/** Whether a member has a heading of its own; the others are told in a list. */
export function hasHeading({ kind, comment }: Member): boolean {
  return kind === 'method' || comment.includes('```')
}

export function headingOf({ name, kind }: Member, declaration: Declaration): string {
  return kind === 'method' && name === 'constructor' ? `new ${declaration.name}` : name
}

export function renderDeclaration(
  { declaration, modules, members }: DeclarationSection,
  links: Links,
): string {
  const { name, comment, text, bases } = declaration
  const listed = members.filter((member) => !hasHeading(member))
  const headed = members.filter(hasHeading)
  const elsewhere = declaration.members.filter((member) => hasHeading(member) && !members.includes(member))
  const contents = [...headed, ...elsewhere].map((member) =>
    links.to(`${name}.${member.name}`, headingOf(member, declaration)),
  )
  return paragraphs([
    `## ${name}`,
    modules.every((module) => module === mainModule) ? null : `Exported from ${listOf(modules)}.`,
    text && renderSignature([text], name, links),
    links.in(comment, name),
    bases.length > 0 && text === null
      ? `All of ${bases.map((base) => links.to(base)).join(' and ')}${listed.length > 0 ? ', and:' : '.'}`
      : null,
    listed.map((member) => renderListed(member, name, links)).join('\n'),
    contents.join(' · '),
    ...headed.map((member) => renderMember(member, declaration, links)),
  ])
}

export function renderMember(member: Member, declaration: Declaration, links: Links): string {
  return paragraphs([
    `### ${headingOf(member, declaration)}`,
    renderSignature(member.signatures, declaration.name, links),
    links.in(member.comment, `${declaration.name}.${member.name}`),
  ])
}

function renderListed({ signatures: [signature], comment }: Member, owner: string, links: Links): string {
  const lines = links.in(comment, owner).split('\n')
  return [`- \`${signature}\``, ...lines]
    .filter((line) => line !== '')
    .join('\n  ')
    .replace('`\n', '`\\\n')
}

/** The language of a block that is not run has a second word. */
function renderSignature(signatures: readonly string[], self: string, links: Links): string {
  const text = signatures.join('\n')
  const linked = links.ofSignature(text, self)
  return paragraphs([`\`\`\`ts declaration\n${text}\n\`\`\``, linked.join(' · ')])
}

function paragraphs(parts: readonly (string | null)[]): string {
  return parts.filter((part) => part).join('\n\n')
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' and ')
}
