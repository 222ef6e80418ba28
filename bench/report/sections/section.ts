/** A part of the report, in Markdown. */
export interface Section {
  readonly title: string
  /** Paragraphs and tables. */
  readonly blocks: readonly string[]
}

export const formatSection = ({ title, blocks }: Section, level: number): string =>
  [`${'#'.repeat(level)} ${title}`, ...blocks].join('\n\n')
