// Takes the pictures of etc/screenshots/ (tests/page/screenshots starts what they show).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const site = JSON.parse(process.env.SITE);
const { chromium } = createRequire(join(site.packages, 'package.json'))('playwright-core');
const browser = await chromium.launchPersistentContext(site.profile, {
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-quic'],
  viewport: { width: 1120, height: 700 },
});
const page = await browser.newPage();
const take = (name) => page.screenshot({ path: join(site.to, `${name}.png`), animations: 'disabled' });

await page.goto(site.page + '/sign-in');
await page.fill('input[name=token]', readFileSync(site.token, 'utf8').trim());
await page.click('main button');
await page.waitForURL(site.page + '/');
await take('tasks');
await page.goto(site.page + '/?tab=active&q=reel');
await page.locator('tbody tr', { hasText: 'running' }).first().locator('a').click();
await page.locator('#x-process-stdout').waitFor();
await take('task');
await page.goto(site.page + '/batches');
await take('batches');
await page.emulateMedia({ colorScheme: 'dark' });
await page.goto(site.page + '/workers');
await take('workers-dark');
await page.emulateMedia({ colorScheme: 'light' });
await page.setViewportSize({ width: 390, height: 780 });
await page.goto(site.page + '/?tab=failed');
await take('phone');
await browser.close();
