import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ClassDeclaration,
  getTextOfJSDocComment,
  type InterfaceDeclaration,
  isClassDeclaration,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isInterfaceDeclaration,
  isJSDoc,
  isPropertyDeclaration,
  isTypeAliasDeclaration,
  isVariableDeclaration,
  ModifierFlags,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { API, type Project, SymbolFlags } from 'typescript/unstable/sync'
import { headText, isComputed, type Signature, signatureOf, sourceText } from './signature.ts'

/** A method, a property or the constructor of a class or an interface. */
export interface Member {
  readonly name: string
  readonly kind: Signature['kind']
  /** One for each overload. */
  readonly signatures: readonly string[]
  readonly comment: string
  /** The class or interface that declares it. */
  readonly owner: string
}

/** A declaration and its doc comment, as plain data. */
export interface Declaration {
  readonly name: string
  readonly comment: string
  /** The whole of it, where it is short and tells a reader something. */
  readonly text: string | null
  /** The public classes and interfaces whose members it has besides its own. */
  readonly bases: readonly string[]
  /** Those of bases that are not public included, and first. */
  readonly members: readonly Member[]
}

/** What the package exports, and the declarations that its types are made of. */
export interface Surface {
  /** The modules that export each public name. */
  readonly exports: ReadonlyMap<string, readonly string[]>
  /** The declaration of this name in src, public or not. Throws if there is none, or more than one. */
  find(name: string): Declaration
}

type Container = ClassDeclaration | InterfaceDeclaration

/**
 * Reads the package in the folder `root` by the API of the compiler that it is developed with, which may change with its
 * version. The compiler's process ends when `use` returns.
 */
export function withSurface<T>(root: string, use: (surface: Surface) => T): T {
  const api = new API({ cwd: root })
  try {
    const snapshot = api.updateSnapshot({ openProjects: [join(root, 'tsconfig.build.json')] })
    return use(new CompiledSurface(snapshot.getProjects()[0]!, root))
  } finally {
    api.close()
  }
}

class CompiledSurface implements Surface {
  readonly exports: ReadonlyMap<string, readonly string[]>
  readonly #declarations: ReadonlyMap<string, readonly Node[]>

  constructor({ program, checker }: Project, root: string) {
    const exports = new Map<string, string[]>()
    const declarations = new Map<string, readonly Node[]>()
    for (const file of program.getSourceFileNames()) {
      if (!file.startsWith(join(root, 'src/'))) continue
      for (const { name, node } of typesIn(program.getSourceFile(file)!)) {
        declarations.set(name, [...(declarations.get(name) ?? []), node])
      }
    }
    for (const [module, source] of modulesOf(root)) {
      if (documentedElsewhere.includes(module)) continue
      const symbol = checker.getSymbolAtLocation(program.getSourceFile(join(root, source))!)!
      for (const alias of checker.getExportsOfModule(symbol)) {
        const { name } = alias
        exports.set(name, [...(exports.get(name) ?? []), module])
        const target = alias.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias
        // Of overloads, and of a constant and a type of one name, the first stands for all.
        declarations.set(name, [target.declarations[0]!.resolve()!])
      }
    }
    this.exports = exports
    this.#declarations = declarations
  }

  find(name: string): Declaration {
    const [node, ...others] = this.#declarations.get(name) ?? []
    if (node === undefined || others.length > 0)
      throw new Error(`src has ${others.length > 0 ? 'several declarations' : 'no declaration'} ${name}`)
    if (!isClassDeclaration(node) && !isInterfaceDeclaration(node)) {
      return { name, comment: commentOf(node), text: textOf(node, name), bases: [], members: [] }
    }
    const bases = this.#bases(node).map((base) => base.name!.text)
    const members = this.#members(node)
    const isData =
      isInterfaceDeclaration(node) &&
      members.every(({ kind, comment }) => kind === 'property' && comment === '')
    return {
      name,
      comment: commentOf(node),
      text: isData ? dataText(node, members) : null,
      bases: bases.filter((base) => this.exports.has(base)),
      members: isData ? [] : members,
    }
  }

  #members(node: Container): Member[] {
    const members = new Map<string, Member>()
    for (const base of this.#bases(node)) {
      if (this.exports.has(base.name!.text)) continue
      for (const member of this.#members(base)) members.set(member.name, member)
    }
    for (const declaration of node.members) {
      const member = toMember(declaration, node.name!.text)
      if (member === null) continue
      const earlier = members.get(member.name)
      if (earlier?.owner !== member.owner) {
        members.delete(member.name)
        members.set(member.name, member)
      } else if (!hasBody(declaration)) {
        const signatures = [...earlier.signatures, ...member.signatures]
        members.set(member.name, { ...earlier, signatures })
      }
    }
    return [...members.values()]
  }

  /** Those that are declared in src. */
  #bases(node: Container): Container[] {
    return basesOf(node)
      .map(({ expression }) => this.#declarations.get(expression.getText())?.[0])
      .filter((base) => base !== undefined)
      .filter((base) => isClassDeclaration(base) || isInterfaceDeclaration(base))
  }
}

/** What has the shape of another's API, which documents it: a page of ours tells where it differs. */
const documentedElsewhere = ['valkeyrie/deno']

/** The modules of package.json's `exports`, with the file in src that each is made of. */
export function modulesOf(root: string): (readonly [module: string, source: string])[] {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.entries<string | { readonly types: string }>(exports).flatMap(([path, entry]) =>
    typeof entry === 'string'
      ? []
      : [[join(name, path), entry.types.replace(/^\.\/dist\/(.*)\.d\.ts$/, 'src/$1.ts')] as const],
  )
}

function typesIn(file: Node): { readonly name: string; readonly node: Node }[] {
  const types: { name: string; node: Node }[] = []
  file.forEachChild((node) => {
    if (isClassDeclaration(node) || isInterfaceDeclaration(node) || isTypeAliasDeclaration(node)) {
      types.push({ name: node.name!.text, node })
    }
  })
  return types
}

/** Null for private members, and for those that tell nothing new without a comment: constructors, symbols, overrides. */
function toMember(node: Node, owner: string): Member | null {
  const comment = commentOf(node)
  const name = isConstructorDeclaration(node) ? 'constructor' : nameOf(node)
  const needsComment = isConstructorDeclaration(node) || name.startsWith('[') || isOverride(node)
  if (name.startsWith('#') || (needsComment && comment === '')) return null
  const signature = signatureOf(node, isConstructorDeclaration(node) ? owner : name)
  return signature == null
    ? null
    : { name, kind: signature.kind, signatures: [signature.text], comment, owner }
}

function nameOf(node: Node): string {
  // A static block has none.
  return ('name' in node ? (node.name as Node | undefined) : undefined)?.getText() ?? ''
}

function isOverride(node: Node): boolean {
  return isPropertyDeclaration(node) && (node.modifierFlags & ModifierFlags.Override) !== 0
}

function hasBody(node: Node): boolean {
  return 'body' in node && node.body !== undefined
}

export function basesOf(node: Node) {
  if (!isClassDeclaration(node) && !isInterfaceDeclaration(node)) return []
  const clauses = node.heritageClauses?.filter(({ token }) => token === SyntaxKind.ExtendsKeyword) ?? []
  return clauses.flatMap(({ types }) => [...types])
}

function textOf(node: Node, name: string): string | null {
  if (isFunctionDeclaration(node)) return signatureOf(node, name)!.text
  if (!isTypeAliasDeclaration(node) || isComputed(node.type)) return null
  const between = node.getText().includes('=\n') ? '\n  ' : ' '
  return `type ${headText(node)} =${between}${sourceText(node.type)}`
}

/** An interface of properties that need no comments. */
function dataText(node: InterfaceDeclaration, members: readonly Member[]): string {
  const bases = basesOf(node).map((base) => sourceText(base))
  const head = `interface ${headText(node)}${bases.length > 0 ? ` extends ${bases.join(', ')}` : ''}`
  const lines = members.map(({ signatures }) => `  ${signatures[0]}\n`).join('')
  return lines === '' ? head : `${head} {\n${lines}}`
}

function commentOf(node: Node): string {
  const documented = isVariableDeclaration(node) ? node.parent.parent : node
  const comment = documented.jsDoc?.at(-1)
  if (comment === undefined || !isJSDoc(comment)) return ''
  if (comment.tags !== undefined) {
    throw new Error(`A public comment is prose and examples, without tags: ${comment.getText()}`)
  }
  return getTextOfJSDocComment(comment.comment) ?? ''
}
