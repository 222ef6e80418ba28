import type { Condition } from '../query/condition.ts'
import type {
  AggregatePlan,
  CountPlan,
  FindPlan,
  HavingCondition,
  Measure,
  RelatedPlan,
} from '../query/plan.ts'

type Plan = FindPlan | RelatedPlan | CountPlan | AggregatePlan

/** The text of each plan; queries of one shape share it. */
const shapes = new WeakMap<Plan, string>()

/** A query for people to read, without its operands: `where age gte ? order by age desc limit ?`. */
export function queryShape(plan: Plan): string {
  let shape = shapes.get(plan)
  if (shape === undefined) {
    shape = shapeOf(plan)
    shapes.set(plan, shape)
  }
  return shape
}

function shapeOf(plan: Plan): string {
  const { where, range } = plan
  const parts = [
    plan.type === 'aggregate' && measures(plan),
    plan.type === 'related' && (plan.relation === 'below' ? 'below ?' : 'at ?'),
    range !== null && 'prefix ?',
    where !== null && `where ${condition(where)}`,
    ...(plan.type === 'count' ? [] : plan.type === 'aggregate' ? groups(plan) : rows(plan)),
  ]
  return parts.filter((part) => part !== false).join(' ')
}

function rows({ order, distinct, after, limit, offset }: Omit<FindPlan, 'type'>): (string | false)[] {
  return [
    distinct.length > 0 && `distinct ${distinct.map(({ path }) => path).join(', ')}`,
    order.length > 0 && `order by ${order.map((term) => `${term.field.path} ${term.direction}`).join(', ')}`,
    after !== null && 'after ?',
    limit !== null && 'limit ?',
    offset !== null && 'offset ?',
  ]
}

function measures(plan: AggregatePlan): string {
  return plan.measures.map(measure).join(', ')
}

function measure({ name, field }: Measure): string {
  return field === null ? name : `${name}(${field.path})`
}

function groups({ groupBy, having: condition, order, limit }: AggregatePlan): (string | false)[] {
  const by = order.map((term) => `${'name' in term.by ? measure(term.by) : term.by.path} ${term.direction}`)
  return [
    groupBy.length > 0 && `group by ${groupBy.map(({ path }) => path).join(', ')}`,
    condition !== null && `having ${having(condition)}`,
    by.length > 0 && `order by ${by.join(', ')}`,
    limit !== null && 'limit ?',
  ]
}

function having(part: HavingCondition): string {
  switch (part.type) {
    case 'and':
    case 'or':
      return joined(part.type, part.conditions.map(having))
    case 'not':
      return `not ${having(part.condition)}`
    case 'compare':
      return `${measure(part.measure)} ${part.operator} ?`
  }
}

function condition(part: Condition): string {
  switch (part.type) {
    case 'and':
    case 'or':
      return joined(part.type, part.conditions.map(condition))
    case 'not':
      return `not ${condition(part.condition)}`
    case 'constant':
      return String(part.value)
    case 'compare':
      return `${part.field.path} ${part.operator} ?`
    case 'boolean':
    case 'zero':
      return `${part.field.path} eq ?`
    case 'in':
      return `${part.field.path} in ?`
    case 'like':
      return `${part.field.path} ${part.folded ? 'ilike' : 'like'} ?`
    case 'substring':
      return `${part.field.path} ${part.at === 'end' ? named(part, 'endsWith') : named(part, 'contains')} ?`
    case 'prefix':
      return `${part.field.path} ${named(part, 'startsWith')} ?`
    case 'null':
      return `${part.field.path} isNull`
    case 'includes':
      return `${part.field.path} arrayContains ?`
    case 'elements':
      return `${part.field.path} ${part.quantifier} ${part.condition === null ? '' : condition(part.condition)}`.trimEnd()
    case 'key':
      return `$id ${part.operator} ?`
    case 'search':
      return '$search ?'
    case 'keyIn':
      return '$id in ?'
  }
}

/** The name of an operator, in its form that heeds capital letters or the one that ignores them. */
function named({ folded }: { readonly folded: boolean }, name: string): string {
  return folded ? `i${name}` : name
}

function joined(word: 'and' | 'or', parts: readonly string[]): string {
  return `(${parts.join(` ${word} `)})`
}
