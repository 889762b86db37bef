import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

interface Entry {
  message: string
  placeholders?: Record<string, { content: string }>
}

const root = fileURLToPath(new URL('..', import.meta.url))
const catalogue = JSON.parse(readFileSync(join(root, 'public/_locales/en/messages.json'), 'utf8')) as Record<
  string,
  Entry
>

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? sources(path) : /\.(ts|html)$/.test(path) ? [readFileSync(path, 'utf8')] : []
  })
}

const code = [...sources(join(root, 'src')), readFileSync(join(root, 'wxt.config.ts'), 'utf8')].join('\n')
const entries = Object.entries(catalogue)

describe('the messages', () => {
  // That each key in the code exists is the compiler's business: `say` takes keys of this file only.
  test('are all used', () => {
    const unused = Object.keys(catalogue).filter(
      (key) => !code.includes(`'${key}'`) && !code.includes(`__MSG_${key}__`),
    )
    expect(unused).toEqual([])
  })

  test('have text, and a placeholder for every gap', () => {
    for (const [key, { message, placeholders = {} }] of entries) {
      expect(message.trim(), key).not.toBe('')
      const gaps = [...message.matchAll(/\$(\w+)\$/g)].map(([, name]) => (name as string).toLowerCase())
      expect(new Set(gaps), key).toEqual(new Set(Object.keys(placeholders)))
      const contents = Object.values(placeholders).map(({ content }) => content)
      expect(contents, key).toEqual(contents.map((_, at) => `$${at + 1}`))
    }
  })

  test('never call a video real, authentic, genuine or human', () => {
    const bold = entries.filter(([, { message }]) =>
      /\b(real|authentic|genuine|human|fake|trustworthy)\b/i.test(message),
    )
    // The one that says that nothing found does not show that it is real.
    expect(bold.map(([key]) => key)).toEqual(['panel_strength_none'])
  })
})
