// How the package's own Playwright tests run: with Debian's Chromium, as Playwright's own can't be had everywhere.

import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: process.env.SUITE ?? "playwright",
  outputDir: "../test-results",
  fullyParallel: true,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: process.env.REPORTER ?? "list",
  use: {
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" },
    vmfaScope: process.env.VMFA_TEST_SCOPE ?? "run",
  },
});
