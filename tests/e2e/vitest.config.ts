import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['specs/**/*.test.ts'],
    globalSetup: ['src/clips.ts'],
    // One browser at a time: two at once starve each other on a small machine and time out.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
