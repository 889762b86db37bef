import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['specs/**/*.test.ts'],
    globalSetup: ['src/clips.ts'],
    // One browser at a time: two at once starve each other on a small machine and time out.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A browser on a busy machine may miss a beat. The report says "retry x1" of each case that needed it.
    retry: process.env.CI ? 1 : 0,
  },
})
