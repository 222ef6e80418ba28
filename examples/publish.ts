/**
 * Publishing a draft creates a post, updates a count and deletes the draft, in one commit.
 *
 *     node examples/publish.ts
 */
import { addressOf } from './address/address-of.ts'
import { openBlog, publish } from './publish/blog.ts'

await using blog = await openBlog(addressOf('blog'), { destroyOnClose: true })
const { drafts, posts, published } = blog.repositories
const titles = ['tea', 'ink', 'fog']
await drafts.insertMany(titles.map((title) => [title, { author: 'ada', title: `On ${title}` }] as const))

console.log(
  'Two editors publish "tea" at once:',
  await Promise.all([publish(blog, 'tea'), publish(blog, 'tea')]),
)
console.log('The others, at once:', await Promise.all([publish(blog, 'ink'), publish(blog, 'fog')]))

for await (const { id, value } of posts.list()) console.log(`  ${id}: ${value.title}`)
console.log('Posts of ada:', (await published.get('ada')).value)
console.log('Drafts left:', await drafts.count())
