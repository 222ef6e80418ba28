import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { type Blog, openBlog, publish } from '../../examples/publish/blog.ts'
import { enginesOf, runExample } from './run-example.ts'

let blog: Blog
beforeEach(async () => {
  blog = await openBlog()
  onTestFinished(() => blog.close())
})

it.each(enginesOf('publish'))('publishes a draft once, on %s', async (engine) => {
  const output = await runExample('publish', engine)
  expect(output).toContain("[ 'published', 'no draft' ]")
  expect(output).toContain('Posts of ada: [KvU64: 3n]\nDrafts left: 0')
})

it('counts every post of those that are published at once', async () => {
  const { drafts, posts, published } = blog.repositories
  const slugs = Array.from({ length: 50 }, (_, n) => `post-${n}`)
  await drafts.insertMany(slugs.map((slug) => [slug, { author: 'ada', title: slug }] as const))
  const outcomes = await Promise.all([...slugs, ...slugs].map((slug) => publish(blog, slug)))
  expect(outcomes.filter((outcome) => outcome === 'published')).toHaveLength(50)
  expect(await posts.count()).toBe(50)
  expect(await drafts.count()).toBe(0)
  expect((await published.get('ada')).value?.value).toBe(50n)
})

it('publishes what the draft says at that moment, and overwrites no post', async () => {
  const { drafts, posts, published } = blog.repositories
  await drafts.set('tea', { author: 'ada', title: 'On tea' })
  const publishing = publish(blog, 'tea')
  const revising = drafts.set('tea', { author: 'ada', title: 'On tea, revised' })
  expect(await publishing).toBe('published')
  const { versionstamp } = await revising
  const post = await posts.get('tea')
  // Whichever came first: a revision before the post is in it, one after it is a draft of its own.
  if (versionstamp < post.versionstamp!) expect(post.value?.title).toBe('On tea, revised')
  else expect((await drafts.get('tea')).value?.title).toBe('On tea, revised')

  await drafts.set('tea', { author: 'bob', title: 'Also on tea' })
  expect(await publish(blog, 'tea')).toBe('slug taken')
  expect(await posts.get('tea')).toEqual(post)
  expect((await published.get('bob')).value).toBeNull()
})
