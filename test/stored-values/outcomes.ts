import type { KindName } from './kinds.ts'

/** What a change of the field in a value that is given back whole becomes. */
export type Change = 'the schema' | 'encode' | 'refused'

/** Whether what no schema has output is refused. */
export type Judgement = 'judged' | 'not judged'

/** What happens to a migration step that returns what no schema has output. */
export type Step = 'refused' | 'brought into form' | 'not judged'

export interface Outcome {
  readonly change: Change
  readonly judgement: Judgement
  readonly step: Step
}

const kept: Outcome = { change: 'the schema', judgement: 'judged', step: 'refused' }
const mended: Outcome = { ...kept, step: 'brought into form' }
const untold: Outcome = { change: 'refused', judgement: 'not judged', step: 'not judged' }
const told: Outcome = { change: 'refused', judgement: 'judged', step: 'refused' }

/** What happens to a field of each kind. The table of docs/schemas.md is made of this. */
export const outcomes: Readonly<Record<KindName, Outcome>> = {
  'no transform': kept,
  'trim, lower case': kept,
  coerce: mended,
  default: mended,
  catch: mended,
  codec: { change: 'encode', judgement: 'judged', step: 'refused' },
  'one-way, of one type': untold,
  'one-way, of one type, then a schema': told,
  'one-way, to another type': untold,
  'one-way, to another type, then a schema': told,
}

const changes: Readonly<Record<Change, string>> = {
  'the schema': 'goes through the schema',
  encode: 'is encoded and decoded',
  refused: 'is refused',
}

const judgements: Readonly<Record<Judgement | Step, string>> = {
  judged: 'is refused',
  refused: 'is refused',
  'brought into form': 'is fixed',
  'not judged': 'is taken',
}

/** The table of docs/schemas.md. */
export function outcomeTable(examples: Readonly<Record<KindName, string>>): string {
  const rows = Object.entries(outcomes).map(
    ([kind, { change, judgement, step }]) =>
      `| ${kind}: \`${examples[kind as KindName]}\` | is stored as the output | stays as it is stored | ${changes[change]} | ${judgements[judgement]} | ${judgements[step]} |`,
  )
  return [
    '| a field of this kind | given as an input | not given, or unchanged | changed in a value given back | not an output: read or checked | not an output: given by a step |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
