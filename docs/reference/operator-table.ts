import { type Operator, operators, semanticsOf } from '../../src/query/operators.ts'

const start = '<!-- The operators, by `npm run docs:api` from src/query/operators.ts: edit them there. -->'
const end = '<!-- End of the operators. -->'

/** The page with the table of the operators that exist. Throws if the page has no place for it. */
export function withOperatorTable(page: string): string {
  const [before, rest] = page.split(start)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`docs/queries.md has no ${start} … ${end}`)
  const rows = (Object.keys(operators) as Operator[]).map(
    (name) => `| \`${name}\` | ${operandOf(name)} | ${operators[name].meaning} |`,
  )
  return `${before}${start}\n\n| operator | takes | true if the field is |\n|---|---|---|\n${rows.join('\n')}\n\n${end}${after}`
}

const operands = {
  scalar: 'a value as the field has it',
  ordered: 'a number, bigint, text or date',
  list: 'an array of values',
  pattern: 'a pattern',
  text: 'a text',
  true: '`true`',
  items: 'an item, or an array of them',
  elements: 'conditions, or a value',
}

function operandOf(name: Operator): string {
  const semantics = semanticsOf(name)!
  return 'negates' in semantics ? operandOf(semantics.negates) : operands[semantics.takes]
}
