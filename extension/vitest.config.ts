import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/browser_environment.ts'],
    environment: 'node',
    testTimeout: 5000,
  },
})
