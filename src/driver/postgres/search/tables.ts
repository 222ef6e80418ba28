import { createHash } from 'node:crypto'
import type { SearchOf } from '../../../catalog/searches.ts'
import type { SearchDefinition } from '../../../schema/search-definition.ts'
import { quoteName, quoteText } from '../server/sql-text.ts'
import { escapeText } from '../values/json-text.ts'
import { searchFunctions } from './functions.ts'

/** The catalogue of the searches of a database, which is made with the first of them. */
export const searchCatalog = 'kv_search'

/** What the triggers of a search are called behind its name. */
export const triggers = ['insert', 'update', 'delete', 'truncate'] as const

const longestName = 63 - '_truncate'.length
const hashLength = 12

/** What stands for a search: the name of its table and of its function, of which the names of its triggers and indexes are made. */
export function searchName({ collection, search }: SearchOf): string {
  const { fields, tokenizer } = search
  const of = JSON.stringify([collection, fields, tokenizer])
  const hash = createHash('sha256').update(of).digest('hex').slice(0, hashLength)
  let start = `kv_${collection}`
  const end = `_search_${hash}`
  while (Buffer.byteLength(start) > longestName - end.length) start = start.slice(0, -1)
  return start.toWellFormed() + end
}

/** The texts of the fields of a row, as it is kept. */
export function textsOf({ fields }: SearchDefinition, s: string, row: string): string {
  const texts = fields.map((path) => `${s}.kv_text_1(${nodeOf(path, row)})`)
  return `array[${texts.join(', ')}]::text[]`
}

/** The text of one of them. */
export function textOf(path: string, s: string, row: string): string {
  return `${s}.kv_text_1(${nodeOf(path, row)})`
}

function nodeOf(path: string, row: string): string {
  return path
    .split('.')
    .reduce((node, name) => `(${node} -> ${quoteText(escapeText(name)).trimStart()}::text)`, `${row}.value`)
}

/**
 * The statements that create a search, without the rows that exist: a table of the words of each row, and the triggers that keep it in step with
 * `kv`. Whoever writes a row, by whichever release or tool, changes its words in the same transaction.
 */
export function createSearch(s: string, of: SearchOf): string {
  const name = searchName(of)
  const [table, kv] = [`${s}.${quoteName(name)}`, `${s}.kv`]
  const collection = quoteText(of.collection)
  const trigger = (event: (typeof triggers)[number], on: string, each: string) =>
    `create trigger ${quoteName(`${name}_${event}`)} after ${on} on ${kv} for each ${each} execute function ${table}()`
  return `${searchFunctions(s)}
create table if not exists ${s}.${searchCatalog} (
  name text primary key, collection text not null, fields text not null, weights text not null, tokenizer text not null
);
create table ${table} (key bytea primary key, words text not null, lengths integer[] not null, entry tsvector);
create index ${quoteName(`${name}_entry`)} on ${table} using gin (entry);
create index ${quoteName(`${name}_whole`)} on ${table} (key) where entry is null;
create function ${table}() returns trigger language plpgsql as ${dollarQuoted(functionBody(s, of))};
${trigger('insert', 'insert', `row when (new.collection = ${collection})`)};
${trigger('update', 'update of key, collection, value', `row when (old.collection = ${collection} or new.collection = ${collection})`)};
${trigger('delete', 'delete', `row when (old.collection = ${collection})`)};
${trigger('truncate', 'truncate', 'statement')};
${grantAs(kv, [table, `${s}.${searchCatalog}`])}`
}

/** The statement that has the database know a search. */
export function registerSql(s: string, of: SearchOf): string {
  const { fields, weights, tokenizer } = of.search
  const row = [searchName(of), of.collection, JSON.stringify(fields), JSON.stringify(weights), tokenizer]
  return `insert into ${s}.${searchCatalog} values (${row.map(quoteText).join(', ')}) on conflict (name) do update set weights = excluded.weights`
}

/** Whoever may use one table may use others in the same way: a program that writes rows writes their words. */
function grantAs(table: string, others: readonly string[]): string {
  return `do $kv$ declare given record; begin
  for given in select coalesce(quote_ident(r.rolname), 'public') as role, string_agg(a.privilege_type, ', ') as privileges
    from pg_class c cross join aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
    where c.oid = ${quoteText(table)}::regclass and a.grantee <> c.relowner
      and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') group by 1
  loop
    execute format('grant %s on ${others.join(', ').replaceAll('%', '%%').replaceAll("'", "''")} to %s', given.privileges, given.role);
  end loop;
end $kv$`
}

function functionBody(s: string, of: SearchOf): string {
  const table = `${s}.${quoteName(searchName(of))}`
  const collection = quoteText(of.collection)
  const { search } = of
  return `
declare
  isSame boolean := false;
begin
  if tg_op = 'TRUNCATE' then
    truncate ${table};
    return null;
  end if;
  if tg_op = 'UPDATE' then
    isSame := old.key = new.key and old.collection = new.collection;
    -- Of a row whose texts stay, nothing is written.
    if isSame and (old.value::text is not distinct from new.value::text or ${textsOf(search, s, 'old')} is not distinct from ${textsOf(search, s, 'new')}) then
      return null;
    end if;
  end if;
  if tg_op <> 'INSERT' and isSame is not true then
    delete from ${table} where key = old.key;
  end if;
  if tg_op <> 'DELETE' then
    if new.collection = ${collection} then
      insert into ${table} ${wordsOfRows(s, search, `(select new.key, ${textsOf(search, s, 'new')}) r(key, texts)`)}
        on conflict (key) do update set words = excluded.words, lengths = excluded.lengths, entry = excluded.entry;
    end if;
  end if;
  return null;
end
`
}

/** Fills a search with the words of the rows that exist. */
export function fillSearch(s: string, of: SearchOf): string {
  const rows = `(select kv.key, ${textsOf(of.search, s, 'kv')} from ${s}.kv where kv.collection = ${quoteText(of.collection)}) r(key, texts)`
  return `insert into ${s}.${quoteName(searchName(of))} ${wordsOfRows(s, of.search, rows)}`
}

const mostDifferent = 100

const rowsAtOnce = 200

/**
 * Adds the words of the next rows behind a key, and gives the last of them. Nobody writes to these rows meanwhile: those that were written since the search was
 * created have their words already.
 */
export function fillNext(s: string, of: SearchOf): string {
  const page = `select kv.key, kv.value from ${s}.kv where kv.collection = ${quoteText(of.collection)} and kv.key > $1 order by kv.key limit ${rowsAtOnce} for share`
  const rows = `(select page.key, ${textsOf(of.search, s, 'page')} from page) r(key, texts)`
  return `with page as (${page}), filled as (
    insert into ${s}.${quoteName(searchName(of))} ${wordsOfRows(s, of.search, rows)} on conflict (key) do nothing
  ) select page.key from page order by page.key desc limit 1`
}

/** The keys of rows of which a search has other words than theirs. */
export function differentWords(s: string, of: SearchOf): string {
  const rows = `(select kv.key, ${textsOf(of.search, s, 'kv')} from ${s}.kv where kv.collection = ${quoteText(of.collection)}) r(key, texts)`
  return `select n.key from (${wordsOfRows(s, of.search, rows)}) n(key, words, lengths, entry)
    left join ${s}.${quoteName(searchName(of))} f on f.key = n.key
    where (f.words, f.lengths, f.entry) is distinct from (n.words, n.lengths, n.entry) order by n.key limit ${mostDifferent}`
}

/** Whether a search has words of rows that are gone. */
export function strayWords(s: string, of: SearchOf): string {
  const row = `select from ${s}.kv where kv.key = f.key and kv.collection = ${quoteText(of.collection)}`
  return `select exists (select from ${s}.${quoteName(searchName(of))} f where not exists (${row}))`
}

/** The rows of a search of keys and texts. */
function wordsOfRows(s: string, { tokenizer }: SearchDefinition, rows: string): string {
  return `select r.key, w.words, ${s}.kv_lengths_1(r.texts), ${s}.kv_entry_1(w.words, ${quoteText(tokenizer)})
  from ${rows} cross join lateral (select ${s}.kv_words_1(r.texts, ${quoteText(tokenizer)}) offset 0) w(words)`
}

/** The statements that take a search away, be all of it there or not. */
export function dropSearch(s: string, name: string): string {
  const table = `${s}.${quoteName(name)}`
  return `${triggers.map((event) => `drop trigger if exists ${quoteName(`${name}_${event}`)} on ${s}.kv`).join(';\n')};
drop function if exists ${table}();
drop table if exists ${table};
do $kv$ begin
  if to_regclass(${quoteText(`${s}.${searchCatalog}`)}) is not null then
    delete from ${s}.${searchCatalog} where name = ${quoteText(name)};
  end if;
end $kv$`
}

/** A text between signs that it does not have. */
function dollarQuoted(text: string): string {
  let tag = '$kv$'
  while (text.includes(tag)) tag = `$k${tag.slice(1)}`
  return tag + text + tag
}
