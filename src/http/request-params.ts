import type { StandardSchemaV1 } from '@standard-schema/spec'
import { parseJson } from '../value/parse-json.ts'
import { Refusal } from './refusal.ts'

/** The most characters that parameters in an address may have. */
const longest = 8_192

/** The parameters of a request, checked. Throws a Refusal that says what is wrong with them. */
export async function requestParams(url: URL, schema: StandardSchemaV1 | undefined): Promise<unknown> {
  const text = url.searchParams.get('params')
  if (text !== null && text.length > longest)
    throw new Refusal(414, { detail: `The parameters have at most ${longest} characters` })
  if (schema === undefined) {
    if (text !== null) throw new Refusal(400, { detail: 'It has no parameters' })
    return undefined
  }
  const result = await (text === null ? validatedNone(schema) : schema['~standard'].validate(parsed(text)))
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(({ message, path }) => ({
    message,
    ...(path !== undefined && { path: path.map((step) => (typeof step === 'object' ? step.key : step)) }),
  }))
  throw new Refusal(400, { detail: 'The parameters do not fit their schema', issues })
}

/** If the request has no parameters, their schema gets undefined; or `{}`, if it refuses undefined. */
async function validatedNone(schema: StandardSchemaV1): Promise<StandardSchemaV1.Result<unknown>> {
  const { validate } = schema['~standard']
  const result = await validate(undefined)
  if (result.issues === undefined) return result
  const ofNone = await validate({})
  return ofNone.issues === undefined ? ofNone : result
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    throw new Refusal(400, { detail: 'The parameters are not JSON' })
  }
}
