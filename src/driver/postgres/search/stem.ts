/** Words of fewer bytes, or of more, are their own stems. */
export const [shortestStemmed, longestStemmed] = [3, 64]

/** The endings of one step, in the order in which they are looked for, and what each becomes where enough stands before it. */
export type Endings = readonly (readonly [ending: string, becomes: string])[]

const second = `ational:ate tional:tion enci:ence anci:ance izer:ize logi:log bli:ble alli:al entli:ent eli:e ousli:ous ization:ize
ation:ate ator:ate alism:al iveness:ive fulness:ful ousness:ous aliti:al iviti:ive biliti:ble`
const third = 'ical:ic ness: icate:ic iciti:ic ful: ative: alize:al'
const fourth =
  'al: ance: ence: er: ic: able: ible: ant: ement: ment: ent: ion: ou: ism: ate: iti: ous: ive: ize:'

/** The endings of each step, and how often vowels have to be followed by consonants before them. */
export const steps = [
  [endingsOf(second), 1],
  [endingsOf(third), 1],
  [endingsOf(fourth), 2],
] as const satisfies readonly (readonly [Endings, number])[]

/** Stand for the bytes of a letter beyond ASCII: consonants, of which no two neighbours are alike. */
export const byteMarks = '\u0001\u0002\u0003\u0004'

/** The stem of an English word, by Porter's algorithm as FTS5 has it. */
export function stem(word: string): string {
  const marked = word.replace(/[^\0-\u007f]/gu, (letter) => byteMarks.slice(0, Buffer.byteLength(letter)))
  if (marked.length < shortestStemmed || marked.length > longestStemmed) return word
  const stemmed = withoutEndings(withoutInflection(marked))
  // Only letters of ASCII go: what stands before them stays.
  const start = word.replace(/[\0-\u007f]+$/, '')
  return start + stemmed.slice(marked.length - (word.length - start.length))
}

/** Without the endings of plurals and verbs. */
function withoutInflection(word: string): string {
  const singular = withoutPlural(word)
  const verb = withoutVerb(singular)
  return verb.endsWith('y') && hasVowel(verb.slice(0, -1)) ? `${verb.slice(0, -1)}i` : verb
}

function withoutPlural(word: string): string {
  if (!word.endsWith('s') || word.endsWith('ss')) return word
  const isLong = (word.endsWith('sses') && word.length > 4) || (word.endsWith('ies') && word.length > 3)
  return word.slice(0, isLong ? -2 : -1)
}

function withoutVerb(word: string): string {
  if (word.endsWith('eed') && word.length > 3)
    return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word
  const [ending] = /(?<=.)(?:ing|ed)$/s.exec(word) ?? []
  if (ending === undefined) return word
  const verb = word.slice(0, -ending.length)
  if (!hasVowel(verb)) return word
  if (/(?<=.)(?:at|bl|iz)$/s.test(verb)) return `${verb}e`
  if (/([^aeioulsz])\1$/s.test(verb)) return verb.slice(0, -1)
  return measure(verb) === 1 && isShort(verb) ? `${verb}e` : verb
}

function withoutEndings(word: string): string {
  let stem = word
  for (const [endings, least] of steps) {
    const found = endings.find(([ending]) => stem.length > ending.length && stem.endsWith(ending))
    if (found === undefined) continue
    const before = stem.slice(0, -found[0].length)
    if (measure(before) >= least && (found[0] !== 'ion' || /[st]$/.test(before))) stem = before + found[1]
  }
  if (stem.endsWith('e')) {
    const before = stem.slice(0, -1)
    const times = measure(before)
    if (times > 1 || (times === 1 && !isShort(before))) stem = before
  }
  return stem.endsWith('ll') && measure(stem.slice(0, -1)) > 1 ? stem.slice(0, -1) : stem
}

function hasVowel(word: string): boolean {
  return /[aeiou]|(?<=.)y/s.test(word)
}

/** Of each letter whether it is a vowel: `v`, or a consonant: `c`. A `y` is a vowel behind a consonant. */
function shapeOf(word: string): string {
  let shape = ''
  for (const letter of word)
    shape += 'aeiou'.includes(letter) || (letter === 'y' && shape.endsWith('c')) ? 'v' : 'c'
  return shape
}

/** How often vowels are followed by consonants. */
function measure(word: string): number {
  return shapeOf(word).split('vc').length - 1
}

/** Whether it ends as `hop` does. */
function isShort(word: string): boolean {
  return shapeOf(word).endsWith('cvc') && !/[wxy]$/.test(word)
}

function endingsOf(text: string): Endings {
  return text.split(/\s+/).map((one) => one.split(':') as [string, string])
}
