import type { ConflictError, KvError, NotFoundError, QueryError } from 'valkeyrie'
import { expectTypeOf, it } from 'vitest'

it('the code of an error narrows its type', () => {
  const told = (error: ConflictError | NotFoundError | QueryError) => {
    if (error.code === 'CONFLICT') return error.attempts
    if (error.code === 'NOT_FOUND') return error.key
    expectTypeOf(error).toEqualTypeOf<QueryError>()
    // @ts-expect-error -- none of the three
    return error.code === 'VALIDATION'
  }
  void told
  expectTypeOf<ConflictError['code']>().toEqualTypeOf<'CONFLICT'>()
  expectTypeOf<ConflictError>().toExtend<KvError>()
})
