import type { KeyRange } from '../key/range.ts'
import { BoundedCache } from './bounded-cache.ts'
import { checkOperand, fillParameters, type ParameterValues, parametersIn } from './fill-parameters.ts'
import { fillSlots, type Operand, type SlotSource } from './operand.ts'
import { parameterName } from './parameter.ts'
import type { FindPlan, Planned } from './plan.ts'
import { checkCount, type Planner } from './planner.ts'
import { operandKinds } from './query-reader.ts'
import type { UncheckedQuery } from './unchecked.types.ts'

/** A slot of the condition that each execution fills. */
interface OpenSlot {
  readonly slot: number
  readonly read: SlotSource['read']
  readonly name: string
}

/** The plan for operands of certain kinds: the constant operands, and the places of the others. */
interface Combination {
  readonly plan: FindPlan
  readonly operands: readonly Operand[]
  readonly open: readonly OpenSlot[]
}

const mostCombinations = 100

/**
 * A query with parameters, planned once for each combination of the kinds of their operands. An execution looks up its plan by
 * these kinds, and puts its operands straight into the plan's slots.
 */
export class PreparedPlan {
  readonly #planner: Planner
  readonly #query: UncheckedQuery
  /** The parameters of the condition. */
  readonly #names: readonly string[]
  readonly #limit: string | undefined
  readonly #offset: string | undefined
  readonly #after: string | undefined
  readonly #combinations = new BoundedCache<Combination>(mostCombinations)

  constructor(planner: Planner, query: UncheckedQuery) {
    this.#planner = planner
    this.#query = query
    this.#names = [...parametersIn(query.where)]
    this.#limit = parameterName(query.limit)
    this.#offset = parameterName(query.offset)
    this.#after = parameterName(query.after)
  }

  /** Throws as `Planner.find` does. `values` needs a value for each parameter. */
  plan(values: ParameterValues, range: KeyRange | null): Planned<FindPlan> {
    // A limit that is undefined would be planned as none.
    const limit = this.#limit === undefined ? null : checkCount(values[this.#limit], 'limit')
    const offset = this.#offset === undefined ? null : checkCount(values[this.#offset], 'offset')
    let kinds = ''
    for (const name of this.#names) kinds += operandKinds(checkOperand(values[name], name))
    const { plan, operands, open } = this.#combinations.get(kinds) ?? this.#combine(kinds, values, range)
    const filled = operands.slice()
    for (const { slot, read, name } of open) filled[slot] = read(values[name])
    if (plan.range !== null && range !== null) {
      filled[plan.range.start.at] = range.start
      filled[plan.range.end.at] = range.end
    }
    if (limit !== null) filled[plan.limit!.at] = limit
    if (offset !== null) filled[plan.offset!.at] = offset
    const after = this.#after === undefined ? this.#query.after : values[this.#after]
    return this.#planner.behind({ plan, operands: filled }, after, range)
  }

  #combine(kinds: string, values: ParameterValues, range: KeyRange | null): Combination {
    const { limit, offset, ...rest } = this.#query
    const counts = fillParameters({ limit, offset }, values) as UncheckedQuery
    const { plan, sources, leaves, parameters } = this.#planner.template(
      { ...rest, ...counts },
      range,
      values,
    )
    const open = sources.flatMap(({ leaf, read }, slot): OpenSlot[] => {
      const name = parameters.get(leaf)
      return name === undefined ? [] : [{ slot, read, name }]
    })
    const combination = { plan, operands: fillSlots(sources, leaves), open }
    this.#combinations.set(kinds, combination)
    return combination
  }
}
