import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'sqlite',
  schema: './schemas/index.ts',
  out: './schemas/migrations',
})
