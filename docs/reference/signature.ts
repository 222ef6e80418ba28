import {
  type ClassDeclaration,
  type ConditionalTypeNode,
  type FunctionLikeBase,
  type InterfaceDeclaration,
  isConditionalTypeNode,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isFunctionTypeNode,
  isGetAccessorDeclaration,
  isIntersectionTypeNode,
  isMethodDeclaration,
  isMethodSignatureDeclaration,
  isParameterDeclaration,
  isParenthesizedTypeNode,
  isPropertyDeclaration,
  isPropertySignatureDeclaration,
  isTupleTypeNode,
  isTypeAliasDeclaration,
  isTypeLiteralNode,
  isTypeParameterDeclaration,
  isTypeReferenceNode,
  isUnionTypeNode,
  type Node,
  type ParameterDeclaration,
  SyntaxKind,
  type TypeAliasDeclaration,
  type TypeNode,
  type TypeParameterDeclaration,
} from 'typescript/unstable/ast'

/** What a declaration or one of its members looks like to who uses it. */
export interface Signature {
  readonly kind: 'method' | 'property'
  readonly text: string
}

type NamedType = ClassDeclaration | InterfaceDeclaration | TypeAliasDeclaration

const longestLine = 100

/** What is left out if a pattern has no wildcards is, for a reader, an id. */
const idOfRow = ['...id: IdArguments<D>', "id: IdOf<D['pattern']>"] as const

/** The signature of a function or a member under this name; null for a node that is none. */
export function signatureOf(node: Node, name: string): Signature | null {
  if (isConstructorDeclaration(node)) return { kind: 'method', text: callText(node, `new ${name}`) }
  if (isMethodDeclaration(node) || isMethodSignatureDeclaration(node) || isFunctionDeclaration(node)) {
    return { kind: 'method', text: callText(node, name) }
  }
  if (isGetAccessorDeclaration(node)) {
    return { kind: 'property', text: `${name}: ${node.type ? sourceText(node.type) : 'unknown'}` }
  }
  if (!isPropertyDeclaration(node) && !isPropertySignatureDeclaration(node)) return null
  if (node.type === undefined) {
    return { kind: 'property', text: `${name}: ${node.initializer?.getText() ?? 'unknown'}` }
  }
  const isOptional = node.postfixToken?.kind === SyntaxKind.QuestionToken
  const type = localAlias(node.type) ?? node.type
  const call = isConditionalTypeNode(type) ? (branchInUse(type) ?? type) : type
  if (isFunctionTypeNode(call) && !isOptional) return { kind: 'method', text: callText(call, name) }
  const value = isOptional ? withoutUndefined(node.type) : sourceText(node.type)
  return { kind: 'property', text: `${name}${isOptional ? '?' : ''}: ${oneLine(value)}` }
}

/**
 * The source text of a type without its comments and `readonly`, which holds everywhere, and without what is there for the
 * compiler to refuse what is wrong: `Q & CheckedQuery<D, R, Q>` is `Q`, and of a conditional type with a branch
 * `{ error: … }` or `never` the other branch is left.
 */
export function sourceText(node: Node): string {
  return (rewritten(node) ?? spliced(node)).replace(/-?\breadonly (?=[\w$]+\??:|\[\w+ in )/g, '')
}

/** Whether a type is worked out by conditions, so that its text tells a reader little. */
export function isComputed(type: Node): boolean {
  if (isConditionalTypeNode(type) && branchInUse(type, isError) === undefined) return true
  return type.forEachChild((child) => isComputed(child) || undefined) ?? false
}

function rewritten(node: Node): string | undefined {
  if (isIntersectionTypeNode(node)) {
    return node.types
      .filter((type) => !isCheck(type))
      .map(sourceText)
      .join(' & ')
  }
  if (isConditionalTypeNode(node)) {
    const branch = branchInUse(node)
    return branch && sourceText(branch)
  }
  if (isParenthesizedTypeNode(node) && isConditionalTypeNode(node.type)) {
    const branch = branchInUse(node.type)
    return branch && sourceText(branch)
  }
  if (isParameterDeclaration(node)) return parameterTexts(node).join(', ')
  if (isTypeParameterDeclaration(node) && node.modifiers !== undefined) return typeParameterText(node)
  return undefined
}

/** The text between the children as it is, and that of the children by `sourceText`. */
function spliced(node: Node): string {
  const { text } = node.getSourceFile()
  let result = ''
  let position = node.getStart()
  node.forEachChild((child) => {
    if (child.getStart() < position) return
    result += withoutComments(text.slice(position, child.getStart())) + sourceText(child)
    position = child.end
  })
  return result + withoutComments(text.slice(position, node.end))
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/[^\S\n]*\n?|\/\/.*\n?/g, '').replace(/\n\s*\n/g, '\n')
}

/** Types that only put what is wrong with an argument into words. */
const checks = /^(Checked[A-Z]\w*|New[A-Z]\w*|PatternCheck)$/

function isCheck(type: TypeNode): boolean {
  return isTypeReferenceNode(type) && checks.test(type.typeName.getText())
}

/** Of a conditional type whose other branch refuses: the branch of arguments that are right. */
function branchInUse(
  { trueType, falseType }: ConditionalTypeNode,
  refuses: (branch: TypeNode) => boolean = (branch) => isError(branch) || branch.getText() === 'never',
): TypeNode | undefined {
  const chosen = refuses(falseType) ? trueType : refuses(trueType) ? falseType : undefined
  return chosen && isConditionalTypeNode(chosen) ? (branchInUse(chosen, refuses) ?? chosen) : chosen
}

function isError(type: TypeNode): boolean {
  return isTypeLiteralNode(type) && /^\{\s*error:/.test(type.getText())
}

/** The type that an alias of the same file, which is not exported, stands for. */
function localAlias(type: TypeNode): TypeNode | undefined {
  if (!isTypeReferenceNode(type)) return undefined
  const name = type.typeName.getText()
  const alias = type
    .getSourceFile()
    .statements.filter(isTypeAliasDeclaration)
    .find((statement) => statement.name.text === name)
  return alias?.modifiers === undefined ? alias?.type : undefined
}

function withoutUndefined(type: TypeNode): string {
  if (!isUnionTypeNode(type)) return sourceText(type)
  const types = type.types.map(sourceText).filter((text) => text !== 'undefined')
  const [only] = types
  // A function stands in parentheses in a union only.
  return types.length === 1 ? only!.replace(/^\((.*)\)$/s, '$1') : types.join(' | ')
}

/** A type whose constraints are left to the compiler, as `Update<D>`. */
export function headText({ name, typeParameters }: NamedType): string {
  const parameters = typeParameters?.map((parameter) => parameter.name.text).join(', ')
  return parameters === undefined ? name!.text : `${name!.text}<${parameters}>`
}

function typeParameterText({ name, constraint }: TypeParameterDeclaration): string {
  return constraint === undefined ? name.text : `${name.text} extends ${sourceText(constraint)}`
}

/** Of a rest parameter whose type is a tuple of named members, the members. */
function parameterTexts(parameter: ParameterDeclaration): string[] {
  const { dotDotDotToken, name, questionToken, initializer, type } = parameter
  if (dotDotDotToken && type && isTupleTypeNode(type)) return type.elements.map(sourceText)
  const mark = questionToken || initializer ? '?' : ''
  return [`${dotDotDotToken ? '...' : ''}${name.getText()}${mark}${type ? `: ${sourceText(type)}` : ''}`]
}

function callText(node: FunctionLikeBase, name: string): string {
  const types = node.typeParameters?.map(typeParameterText) ?? []
  const parameters = node.parameters.flatMap(parameterTexts).map((text) => text.replace(...idOfRow))
  const head = types.length === 0 ? name : `${name}<${types.join(', ')}>`
  const tail = node.type === undefined ? '' : `: ${oneLine(sourceText(node.type))}`
  const short = `${head}(${parameters.map(oneLine).join(', ')})${tail}`
  if (short.length <= longestLine || parameters.length === 0) return short
  return `${head}(\n${parameters.map((parameter) => `  ${shortened(parameter)},\n`).join('')})${tail}`
}

/** On one line where there is room; else broken as by the formatter, one level in. */
function shortened(text: string): string {
  const line = oneLine(text)
  return line.length <= longestLine ? line : text.replace(/\n\s*/g, '\n    ')
}

/** On one line what the formatter has broken into several. */
function oneLine(text: string): string {
  return text
    .replace(/([([<])\s*\n\s*/g, '$1')
    .replace(/,?\s*\n\s*([)\]>])/g, '$1')
    .replace(/([^{|&,=\s])\s*\n\s*(?=[\w$]+\??:)/g, '$1; ')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/: \| /g, ': ')
}
