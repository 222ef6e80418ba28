import { quoteText } from '../server/sql-text.ts'
import { foldedLetters, lettersOfFolded, marks, separatorBounds } from './letters.ts'
import { longestStemmed } from './stem.ts'
import { stemFunction } from './stem-function.ts'
import { longestWord } from './words.ts'

/** So many characters of a word lead to it in the index. */
export const indexedLetters = 64
/** Bytes of the different words of a row that its entry in the index has: the server's limit is 1 MiB. */
const mostIndexed = 1_000_000

/** Characters of ASCII that are in no word. */
const separators = '[\\x01-\\x2f\\x3a-\\x60\\x7b-\\x7f]+'

/**
 * The functions that find the words of rows, in the triggers and in queries: as `words.ts` does. They are made with the first search of a
 * database. What a function gives never changes: another meaning has another name.
 *
 * The words of a text are put between spaces, each between two of its own: a phrase is a part of that text. In trigrams a text is itself.
 */
export function searchFunctions(s: string): string {
  return Object.entries(functionsOf(s))
    .map(([head, body]) => `create or replace function ${s}.${head} ${body};`)
    .join('\n')
}

function functionsOf(s: string): Readonly<Record<string, string>> {
  const pure = 'language plpgsql immutable parallel safe'
  return {
    /** The text of a field; of an array its texts, each on a line of its own. */
    'kv_text_1(node json) returns text': `language sql immutable parallel safe as $kv$
  select case json_typeof(node) when 'string' then node #>> '{}' when 'array' then (
    select string_agg(i.item #>> '{}', chr(10) order by i.place)
      from json_array_elements(node) with ordinality i(item, place) where json_typeof(i.item) = 'string'
  ) end
$kv$`,
    /** A text as it was before `escapeText`, with spaces for what a search takes for them. */
    'kv_plain_1(kept text) returns text': `${pure} strict as $kv$
begin
  if strpos(kept, chr(1)) + strpos(kept, chr(2)) + strpos(kept, chr(3)) = 0 then return kept; end if;
  kept := regexp_replace(kept, '\\ud7ff\\x03[\\x02\\x03]{11}', chr(65533), 'g');
  kept := replace(kept, chr(55295) || chr(2), chr(55295));
  kept := replace(replace(kept, chr(1114110) || chr(3), chr(1114111)), chr(1114110) || chr(2), chr(1114110));
  kept := regexp_replace(kept, '\\x01(?:\\x02[\\x02\\x03]|\\x03\\x02)', ' ', 'g');
  return translate(replace(kept, chr(1) || chr(3) || chr(3), chr(3)), chr(1) || chr(2), '  ');
end
$kv$`,
    /** A text without case and accents; of words, what is in none of them is a space. */
    'kv_letters_1(plain text, of_words boolean) returns text': `${pure} strict as $kv$
declare
  replaced text;
  becoming text;
begin
  if octet_length(plain) > length(plain) then
    select string_agg(l.letter, '' order by l.becomes = '', l.letter), string_agg(l.becomes, '' order by l.becomes = '', l.letter)
      into replaced, becoming from (
        select d.letter, case
          when of_words and width_bucket(ascii(d.letter), '{${separatorBounds.join()}}'::integer[]) % 2 = 1 then ' '
          when place > 0 then substr(${quoteText(lettersOfFolded)}, place, 1)
          when strpos(${quoteText(marks)}, d.letter) > 0 then '' else d.letter end as becomes
        from (select distinct c collate "C" from regexp_split_to_table(regexp_replace(plain, '[\\x01-\\x7f]+', '', 'g'), '') c where c <> '') d(letter)
          cross join lateral strpos(${quoteText(foldedLetters)}, d.letter) place
      ) l where l.becomes <> l.letter;
    if replaced is not null then plain := translate(plain, replaced, becoming); end if;
  end if;
  return lower(plain collate "C");
end
$kv$`,
    /** What counts of a long word. */
    'kv_cut_1(word text) returns text': `${pure} strict as $kv$
begin
  while octet_length(word) > ${longestWord} loop
    word := left(word, -((octet_length(word) - ${longestWord} + 3) / 4));
  end loop;
  return word;
end
$kv$`,
    /** As `stem.ts` has it. */
    'kv_stem_1(word text) returns text': `${pure} strict as $kv$
${stemFunction()}
$kv$`,
    /** The words of a text. */
    'kv_words_1(kept text, tokenizer text) returns text': `${pure} strict as $kv$
declare
  words text := ${s}.kv_letters_1(${s}.kv_plain_1(kept), tokenizer <> 'trigram');
begin
  if tokenizer = 'trigram' then return words; end if;
  words := btrim(regexp_replace(words, '${separators}', '  ', 'g'));
  if words = '' then return words; end if;
  if tokenizer = 'porter' or octet_length(words) > ${longestWord} then
    select string_agg(case when octet_length(w.word) > ${longestStemmed} then ${s}.kv_cut_1(w.word) when tokenizer = 'porter' then ${s}.kv_stem_1(w.word) else w.word end, '  ' order by w.place)
      into words from unnest(string_to_array(words, '  ')) with ordinality w(word, place);
  end if;
  return ' ' || words || ' ';
end
$kv$`,
    /** The words of the texts of a row, with U+0001 between them, which no text has. */
    'kv_words_1(texts text[], tokenizer text) returns text': `language sql immutable parallel safe as $kv$
  select string_agg(coalesce(${s}.kv_words_1(t.kept, tokenizer), ''), chr(1) order by t.place) from unnest(texts) with ordinality t(kept, place)
$kv$`,
    /** How many characters each of the texts has. */
    'kv_lengths_1(texts text[]) returns integer[]': `language sql immutable parallel safe as $kv$
  select array_agg(length(${s}.kv_plain_1(t.kept)) order by t.place) from unnest(texts) with ordinality t(kept, place)
$kv$`,
    /** What leads to a row in the index; null where that is more than it may be. */
    'kv_entry_1(words text, tokenizer text) returns tsvector': `${pure} strict as $kv$
declare
  all_words text[];
begin
  if tokenizer = 'trigram' then
    select array_agg(distinct t.part) into all_words from unnest(string_to_array(words, chr(1))) f(field) cross join lateral (
      select c || lead(c) over (order by n) || lead(c, 2) over (order by n) from regexp_split_to_table(f.field, '') with ordinality l(c, n)
    ) t(part) where t.part is not null;
  else
    select array_agg(distinct left(w.word, ${indexedLetters})) into all_words
      from unnest(string_to_array(translate(words, chr(1), ' '), ' ')) w(word) where w.word <> '';
  end if;
  if (select sum(octet_length(w)) from unnest(all_words) w) > ${mostIndexed} then return null; end if;
  return array_to_tsvector(coalesce(all_words, '{}'));
end
$kv$`,
    /** Whether the words of a row have all of these phrases, and none of those. */
    'kv_finds_1(words text, wanted text[], unwanted text[]) returns boolean': `${pure} as $kv$
declare
  phrase text;
begin
  foreach phrase in array wanted loop
    if strpos(words, phrase) = 0 then return false; end if;
  end loop;
  foreach phrase in array unwanted loop
    if strpos(words, phrase) > 0 then return false; end if;
  end loop;
  return true;
end
$kv$`,
    /** How many hits of phrases a text has; a phrase that ends as it begins may cross itself. Those that overlap are one, which `apart` says that none of these do; with `joins` those that touch are, too. */
    'kv_hits_1(words text, phrases text[], apart boolean, joins boolean) returns float8': `${pure} strict as $kv$
declare
  phrase text;
  hits float8 := 0;
begin
  if apart and joins then
    words := chr(2) || words || chr(2);
    foreach phrase in array phrases loop
      words := replace(words, phrase, chr(1));
    end loop;
    -- Between hits that touch there is nothing.
    return cardinality(array_remove(string_to_array(words, chr(1)), '')) - 1;
  elsif apart then
    foreach phrase in array phrases loop
      hits := hits + (length(words) - length(replace(words, phrase, ''))) / length(phrase);
    end loop;
    return hits;
  end if;
  select count(*) filter (where h.reached is null or h.first > h.reached) into hits from (
    select p.first, max(p.past) over (order by p.first, p.past rows between unbounded preceding and 1 preceding) as reached from (
      select m.first, m.first + length(o.phrase) - case when joins then 0 else 1 end as past from (
        select u.phrase, exists (select from generate_series(case when joins then 1 else 2 end, length(u.phrase) - 1) n where left(u.phrase, n) = right(u.phrase, n)) as crosses
          from unnest(phrases) u(phrase) where strpos(words, u.phrase) > 0
      ) o cross join lateral (
        select sum(length(t.part) + length(o.phrase)) over (order by t.place) - length(o.phrase) as first, lead(t.place) over (order by t.place) is null as is_last
          from unnest(string_to_array(words, o.phrase)) with ordinality t(part, place) where not o.crosses
        union all
        select sum(length(t.part)) over (order by t.place) - 1, lead(t.place) over (order by t.place) is null
          from regexp_split_to_table(chr(2) || words, '(?=' || regexp_replace(o.phrase, '[^0-9a-z\\x80-\\U0010ffff]', '\\\\\\&', 'g') || ')') with ordinality t(part, place) where o.crosses
      ) m where not m.is_last
    ) p
  ) h;
  return hits;
end
$kv$`,
    /** How well a row fits phrases: of each field its weight, less where it has few hits or much text. */
    'kv_rank_1(words text, lengths integer[], phrases text[], apart boolean, joins boolean, weights float8[]) returns float8': `${pure} strict as $kv$
declare
  fields constant text[] := string_to_array(words, chr(1));
  rank float8 := 0;
  hits float8;
begin
  for n in 1 .. cardinality(weights) loop
    if coalesce(fields[n], '') = '' then continue; end if;
    hits := ${s}.kv_hits_1(fields[n], phrases, apart, joins);
    rank := rank + weights[n] * hits / (hits + 1.0::float8 + lengths[n] / 1000.0::float8);
  end loop;
  return rank;
end
$kv$`,
  }
}
