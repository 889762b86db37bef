import { defineConfig } from 'vitest/config'

// Makes the pictures in docs/screenshots: `npm run screenshots`, or `make screenshots` at the top.
export default defineConfig({
  test: {
    include: ['screenshots/*.ts'],
    globalSetup: ['src/clips.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
