import type { JsonSchema } from '../../../schema/json-schema.ts'
import { setOwn } from '../../../value/set-own.ts'
import { fieldsOf } from '../data/columns.ts'
import type { Complaint } from '../data/validate.ts'
import { FieldInput } from './field-input.tsx'

interface FieldsFormProps {
  readonly schema: JsonSchema | null
  readonly value: Readonly<Record<string, unknown>>
  readonly complaints: readonly Complaint[]
  readonly isReadOnly: boolean
  readonly onChange: (value: Record<string, unknown>) => void
}

/** An input for each field of the schema, and for each further field of the value. */
export function FieldsForm({ schema, value, complaints, isReadOnly, onChange }: FieldsFormProps) {
  const types = fieldsOf(schema)
  const names = [...new Set([...types.keys(), ...Object.keys(value)])]
  const change = (name: string, field: unknown) => {
    const changed: Record<string, unknown> = {}
    for (const [other, there] of Object.entries(value)) if (other !== name) setOwn(changed, other, there)
    if (field === undefined) return onChange(changed)
    // Keeps its place among the others.
    const inOrder: Record<string, unknown> = {}
    const all = Object.hasOwn(value, name) ? Object.keys(value) : [...Object.keys(value), name]
    for (const other of all) setOwn(inOrder, other, other === name ? field : value[other])
    onChange(inOrder)
  }
  return (
    <div class="fields">
      {names.map((name) => (
        <FieldInput
          key={name}
          name={name}
          type={types.get(name) ?? ''}
          value={Object.hasOwn(value, name) ? value[name] : undefined}
          isWrong={complaints.some(({ path }) => path[0] === name)}
          isReadOnly={isReadOnly}
          onChange={(field) => change(name, field)}
        />
      ))}
    </div>
  )
}
