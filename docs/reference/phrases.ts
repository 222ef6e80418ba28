/** A phrase that reads badly, and what to write. */
export interface Phrase {
  readonly pattern: RegExp
  readonly instead: string
}

/** The style of docs, comments and messages: what `npm run check` refuses. Add a phrase when you mend one a second time. */
export const phrases: readonly Phrase[] = [
  { pattern: /\bwhere there (is|are) none\b/i, instead: 'if there is none, otherwise' },
  { pattern: /\bthat there (is|are) not\b/i, instead: 'that does not exist' },
  { pattern: /\bthat there are\b(?! (no|none))/i, instead: 'that exist, or nothing' },
  { pattern: /\b(throws|rejects with)( an?)? [A-Z]\w*(Error|Expired) where\b/i, instead: 'if' },
  { pattern: /\bin place of\b/i, instead: 'instead of' },
  { pattern: /\banew\b/i, instead: 'again, or a verb with re-' },
  { pattern: /\btells? of\b/i, instead: 'reports, describes, documents' },
  { pattern: /\b(is|are|was|were|been) told of\b/i, instead: 'is reported, hears of' },
  {
    pattern: /(?<!\bthere )\bis no (path|name|pattern|key|text|number|address|file|field|bytes|JSON)\b/i,
    instead: 'is not a',
  },
  { pattern: /\bwhat was refused\b/i, instead: 'name it: the rows, the values' },
  { pattern: /\beverything that\b.{0,30}\bexports\b/i, instead: 'every export' },
  { pattern: /\bin order to\b/i, instead: 'to' },
  { pattern: /\b(please|simply|obviously|of course|basically)\b/i, instead: 'nothing' },
  { pattern: /\bnote that\b/i, instead: 'nothing: say it' },
  { pattern: /\b(utili[sz]e|leverage)\b/i, instead: 'use' },
  { pattern: /\b(whilst|thereby|hereby|wherein|thereof|whereof)\b/i, instead: 'plain words' },
  { pattern: /\b(allows?|enables?) (you )?to\b/i, instead: 'you can' },
  { pattern: /\bdue to the fact\b/i, instead: 'because' },
  { pattern: /\bas any other\b/i, instead: 'like any other, an ordinary' },
  { pattern: /\bunasked\b/i, instead: 'unless you ask, without asking' },
  { pattern: /\bat the most\b/i, instead: 'at most' },
  { pattern: /\bholds? itself\b/i, instead: 'contains itself' },
  { pattern: /\b(is|are) there already\b/i, instead: 'already exists' },
  {
    pattern: /\b(for|of) (options|arguments|functions) that (is|are) (none|not valid)\b/i,
    instead: 'if an option is not valid',
  },
  { pattern: /[<>]{7} /, instead: 'one text: a merge has left its marks' },
  { pattern: /\bfor ever\b/i, instead: 'forever' },
  { pattern: /\bof late\b/i, instead: 'lately' },
  { pattern: /\bin the place of\b/i, instead: 'instead of' },
  { pattern: /\bturn(s|ed)? round\b/i, instead: 'reverse' },
  {
    pattern: /\b(what|that|which) (is|are) none\b/i,
    instead: 'what is wrong with it: not a key, an invalid option',
  },
  { pattern: /\bas where\b/i, instead: 'for example if' },
  { pattern: /\bin so many (milliseconds|seconds)\b/i, instead: 'how many milliseconds' },
  {
    pattern: /(?<=[.:;] )who (waits|follows|watches|writes|reads|asks|begins|commits)\b/i,
    instead: 'whoever, or the noun',
  },
  { pattern: /\b(is|are) to go\b/i, instead: 'is removed, to remove' },
  { pattern: /\blooks? whether\b/i, instead: 'checks whether' },
  { pattern: /\bnone of (those|these|ours|theirs) that\b/i, instead: 'not one that' },
]
