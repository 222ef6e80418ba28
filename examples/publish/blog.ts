import { KvU64, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const text = z.object({ author: z.string(), title: z.string() })
const schemas = Valkeyrie.withSchema(['drafts', '*'], text)
  .withSchema(['posts', '*'], text.extend({ publishedAt: z.date() }))
  .withSchema(['published', '*'], z.instanceof(KvU64))

/** Drafts and posts under their slugs, and how many posts each author has published. */
export type Blog = Awaited<ReturnType<typeof openBlog>>

export function openBlog(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

/**
 * Makes a post of a draft: a create, an update and a delete that happen together or not at all.
 *
 * Each part says by itself why it can be trusted. The draft is checked, so what is published is its newest text; the post
 * is checked to be missing, so none is overwritten; the number is summed where it is stored, since one that was read
 * before and written now would undo what others have counted meanwhile.
 */
export async function publish(blog: Blog, slug: string): Promise<'published' | 'no draft' | 'slug taken'> {
  const { drafts, posts, published } = blog.repositories
  for (;;) {
    const [draft, post] = await blog.getMany([drafts.key(slug), posts.key(slug)])
    if (draft.value === null) return 'no draft'
    if (post.value !== null) return 'slug taken'

    const result = await blog
      .atomic()
      .check(draft, post)
      .set(posts.key(slug), { ...draft.value, publishedAt: new Date() })
      .sum(published.key(draft.value.author), 1n)
      .delete(drafts.key(slug))
      .commit()
    if (result.ok) return 'published'
    // Somebody has edited or published it in between: look again.
  }
}
