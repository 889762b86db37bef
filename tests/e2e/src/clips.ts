// Lays out the clips once for all tests: made here, and real ones too where the corpus is there.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { environmentProgram, REPOSITORY } from './programs'

/** What the badge and panel must say of one clip. */
export interface Case {
  label: string
  headline: string
  /** Must be in the panel. */
  words: string[]
}

export interface Clips {
  kind: 'made' | 'corpus'
  folder: string
  cases: Record<string, Case>
}

declare module 'vitest' {
  interface ProvidedContext {
    clips: Clips[]
    /** Folder with the root that signed the clips made here. */
    trust: string
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-clips-'))
  const corpus = process.env.TOUCHSTONE_CORPUS ?? resolve(REPOSITORY, '../shared/corpus')
  const clips = [layOut('made', folder)]
  if (existsSync(join(corpus, 'manifest.csv'))) clips.push(layOut('corpus', folder, '--corpus', corpus))
  else console.log('no shared corpus: only the clips made here are shown to the browsers')
  project.provide('clips', clips)
  project.provide('trust', join(folder, 'made', 'trust'))
  return () => rmSync(folder, { recursive: true, force: true })
}

function layOut(kind: Clips['kind'], parent: string, ...options: string[]): Clips {
  const folder = join(parent, kind)
  const script = join(REPOSITORY, 'tests', 'e2e', 'clips.py')
  execFileSync(environmentProgram('python'), [script, folder, ...options], {
    stdio: 'inherit',
    env: { ...process.env, PYTHONPATH: join(REPOSITORY, 'tests') },
  })
  return { kind, folder, cases: JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) }
}
