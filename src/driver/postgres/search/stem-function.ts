import { quoteText } from '../server/sql-text.ts'
import { byteMarks, type Endings, longestStemmed, shortestStemmed, steps } from './stem.ts'

/** The body of the function that gives the stem of a word: as `stem` does. It calls no other function, which would take most of its time. */
export function stemFunction(): string {
  return `declare
  start text := '';
  stem text := word;
  size integer;
  ending text;
  verb text;
  times integer;
begin
  if octet_length(word) not between ${shortestStemmed} and ${longestStemmed} then return word; end if;
  if octet_length(word) > length(word) then
    start := regexp_replace(word, '[\\x01-\\x7f]+$', '');
    select string_agg(case when octet_length(c) = 1 then c else left(${quoteText(byteMarks)}, octet_length(c)) end, '' order by n)
      into stem from regexp_split_to_table(word, '') with ordinality t(c, n);
  end if;
  size := length(stem);
  -- A y that is a vowel is written as Y.
  if strpos(stem, 'y') > 0 then
    for place in 2 .. size loop
      if substr(stem, place, 1) = 'y' and strpos('${vowels}', substr(stem, place - 1, 1)) = 0 then
        stem := overlay(stem placing 'Y' from place for 1);
      end if;
    end loop;
  end if;
  if right(stem, 1) = 's' and right(stem, 2) <> 'ss' then
    stem := left(stem, case when right(stem, 4) = 'sses' and length(stem) > 4 or right(stem, 3) = 'ies' and length(stem) > 3 then -2 else -1 end);
  end if;
  if right(stem, 3) = 'eed' and length(stem) > 3 then
    if ${measure('left(stem, -3)')} > 0 then stem := left(stem, -1); end if;
  elsif right(stem, 3) = 'ing' and length(stem) > 3 or right(stem, 2) = 'ed' and length(stem) > 2 then
    verb := left(stem, case when right(stem, 1) = 'g' then -3 else -2 end);
    if verb ~ '[${vowels}]|.y' then
      if right(verb, 2) in ('at', 'bl', 'iz') and length(verb) > 2 then verb := verb || 'e';
      elsif verb ~ '([^aeioulszY])\\1$|[yY][yY]$' then verb := left(verb, -1);
      elsif ${isShort('verb')} and ${measure('verb')} = 1 then verb := verb || 'e';
      end if;
      stem := verb;
    end if;
  end if;
  if right(stem, 1) in ('y', 'Y') and left(stem, -1) ~ '[${vowels}]|.y' then stem := left(stem, -1) || 'i'; end if;
${steps
  .map(([endings, least]) => {
    const shortest = Math.min(...endings.map(([ending]) => ending.length))
    return `  if length(stem) >= ${shortest + 2 * least} then
    ending := substring(substr(stem, 2) from '(?:${endings.map(([ending]) => ending).join('|')})$');
    if ending is not null then
      verb := left(stem, -length(ending));
      if ${measure('verb')} >= ${least} and (ending <> 'ion' or right(verb, 1) in ('s', 't')) then
        stem := verb${becoming(endings)};
      end if;
    end if;
  end if;`
  })
  .join('\n')}
  if right(stem, 1) = 'e' then
    verb := left(stem, -1);
    times := ${measure('verb')};
    if times > 1 or times = 1 and not ${isShort('verb')} then stem := verb; end if;
  end if;
  if right(stem, 2) = 'll' and ${measure('left(stem, -1)')} > 1 then stem := left(stem, -1); end if;
  return start || translate(substr(stem, size - (length(word) - length(start)) + 1), 'Y', 'y');
end`
}

const vowels = 'aeiouY'
const consonants = `bcdfghjklmnpqrstvwxyz0123456789${byteMarks}`

/** Of each letter whether it is a vowel: `V`, or a consonant: `c`. */
function shape(word: string): string {
  const shapes = 'V'.repeat(vowels.length) + 'c'.repeat(consonants.length)
  return `translate(${word}, ${quoteText(vowels + consonants)}, '${shapes}')`
}

/** How often vowels are followed by consonants. */
function measure(word: string): string {
  return `(length(${word}) - length(replace(${shape(word)}, 'Vc', ''))) / 2`
}

/** Whether it ends as `hop` does. */
function isShort(word: string): string {
  return `(${shape(`right(${word}, 3)`)} = 'cVc' and right(${word}, 1) not in ('w', 'x', 'y'))`
}

/** What an ending becomes, behind what stands before it. */
function becoming(endings: Endings): string {
  const others = endings.filter(([, becomes]) => becomes !== '')
  if (others.length === 0) return ''
  return ` || case ending ${others.map(([ending, becomes]) => `when '${ending}' then '${becomes}'`).join(' ')} else '' end`
}
