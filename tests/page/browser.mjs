// Reads the page as a reader would. SITE in the environment says where everything is (test_page.py).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

const site = JSON.parse(process.env.SITE);
const { chromium } = createRequire(join(site.packages, 'package.json'))('playwright-core');
const run = promisify(execFile);

const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-quic'];
const browser = await chromium.launchPersistentContext(site.profile,
  { executablePath: '/usr/bin/chromium', args: flags, viewport: { width: 1200, height: 800 } });
browser.setDefaultTimeout(20_000);
const faults = [];
const page = await browser.newPage();
page.on('pageerror', (error) => faults.push(String(error)));
page.on('console', (message) => { if (/Content Security Policy/.test(message.text())) faults.push(message.text()); });
page.on('dialog', (dialog) => { faults.push(`dialog ${dialog.message()}`); dialog.dismiss(); });

const open = (path) => page.goto(site.page + path);
const submit = (...words) =>
  run(site.quire, ['submit', '--gearman-servers', site.server, ...words], { env: { PATH: process.env.PATH } });
const texts = (selector) => page.locator(selector).allInnerTexts();
const taskPath = (id) => `/tasks/${id}`;
const signIn = async () => {
  await open('/sign-in');
  await page.fill('input[name=token]', site.token);
  await page.click('main button');
};

// A request as a program sends it: {status, headers, body}.
const ask = (method, path, headers = {}, body = '') => new Promise((resolve, reject) => {
  const request = http.request(site.page + path, { method, headers }, (answer) => {
    let text = '';
    answer.on('data', (part) => { text += part; });
    answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: text }));
  });
  request.on('error', reject);
  request.end(body);
});

test('the list has tabs with counts, and a page of the newest tasks', async () => {
  await open('/');
  assert.deepEqual((await texts('.tabs a')).map((text) => text.replace(/\s+/g, ' ')),
    ['All 66', 'Active 6', 'Failed 1', 'Finished 60']);
  assert.equal(await page.locator('tbody tr').count(), 50);
  await page.click('text=Older tasks');
  assert.equal(await page.locator('tbody tr').count(), 16);
  await page.click('text=Newest tasks');
  assert.equal(await page.locator('tbody tr').count(), 50);
  assert.match(await page.locator('.plot svg').getAttribute('aria-label'), /60 ended in the last hour, 1 of them failed/);
});

test('filters: a tab, a function, a text, and together', async () => {
  await open('/');
  await page.click('.tabs >> text=Failed');
  assert.equal(await page.locator('tbody tr').count(), 1);
  assert.match((await texts('tbody tr'))[0], /speaks_v0\.0.*bad/s);
  await open('/');
  await Promise.all([page.waitForURL(/function=gated/), page.selectOption('select[name=function]', 'gated')]);
  assert.equal(await page.locator('tbody tr').count(), 3);
  await open('/');
  await page.fill('input[name=q]', 'file 17');
  await page.press('input[name=q]', 'Enter');
  await page.waitForURL(/q=file/);
  assert.equal(await page.locator('tbody tr').count(), 1);
  await page.click('.tabs >> text=Active');
  assert.match(await page.locator('.empty').innerText(), /No task is like this/);
  await page.click('text=Clear filters');
  assert.equal(await page.locator('tbody tr').count(), 6);
});

test('what a script printed is text, never markup', async () => {
  await open(taskPath(site.failed));
  assert.match(await page.locator('#x-stderr').innerText(), /<script>document\.title = 'pwned'<\/script><img src=x/);
  assert.match(await page.locator('#x-process-stdout').innerText(), /raw \ufffd \u241b\[31mred\u241b\[0m <b>not bold<\/b>/);
  assert.equal(await page.locator('pre script, pre img, pre b').count(), 0);
  assert.match(await page.title(), /^speaks_v0\.0 /);
  const plain = await ask('GET', taskPath(site.failed) + '/stderr');
  assert.match(plain.headers['content-type'], /^text\/plain/);
  assert.equal(plain.headers['x-content-type-options'], 'nosniff');
});

test('a search for markup is text, too', async () => {
  await open('/?q=' + encodeURIComponent('"><script>document.title=1</script>'));
  assert.equal(await page.inputValue('input[name=q]'), '"><script>document.title=1</script>');
  assert.equal(await page.title(), 'Tasks · Quire');
});

test('the live log grows while the task runs', async () => {
  await open(taskPath(site.talking));
  assert.equal(await page.locator('#x-process-stdout').innerText(), 'line 0\n');
  assert.equal(await page.locator('.title .state').innerText(), 'running');
  writeFileSync(join(site.talk, 'more1'), '');
  await page.waitForFunction(() => document.querySelector('#x-process-stdout').textContent.includes('line 1'));
});

test('a refresh keeps scroll, focus, selection and what was opened', async () => {
  await open('/workers');
  await page.click('summary');
  await page.waitForFunction(() => /up for/.test(document.querySelector('.worker .hint').textContent));
  const before = await page.locator('.worker .hint').innerText();
  await page.waitForFunction((text) => document.querySelector('.worker .hint').innerText !== text, before);
  assert.equal(await page.locator('details').evaluate((details) => details.open), true);

  await open('/');
  const row = page.locator('tbody tr').nth(20);
  const id = await row.getAttribute('id');
  await row.locator('a').focus();
  await row.scrollIntoViewIfNeeded();
  await page.evaluate(() => window.scrollBy(0, 150));
  await row.locator('.id').evaluate((element) => window.getSelection().selectAllChildren(element));
  await page.fill('input[name=host]', 'half typed');
  await row.locator('a').focus({ preventScroll: true });
  await page.evaluate((key) => document.querySelector(`#${key} a`).focus({ preventScroll: true }), id);
  await page.evaluate(() => window.scrollTo(0, 900));
  const top = await page.evaluate((key) => document.getElementById(key).getBoundingClientRect().top, id);
  await submit('speaks_v0.0', '--', 'arrives meanwhile');
  await page.waitForFunction(() => document.body.innerText.includes('arrives meanwhile'));
  const after = await page.evaluate((key) => ({
    top: document.getElementById(key).getBoundingClientRect().top,
    focus: document.activeElement.closest('tr')?.id,
    host: document.querySelector('input[name=host]').value,
  }), id);
  assert.ok(Math.abs(after.top - top) <= 2, `the row moved from ${top} to ${after.top}`);
  assert.equal(after.focus, id);
  assert.equal(after.host, 'half typed');

  await open(taskPath(site.talking));
  await page.locator('#x-process-stdout').evaluate((pre) => {
    const range = document.createRange();
    range.setStart(pre.firstChild, 0);
    range.setEnd(pre.firstChild, 6);
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
  });
  writeFileSync(join(site.talk, 'more2'), '');
  await page.waitForFunction(() => document.querySelector('#x-process-stdout').textContent.includes('line 2'));
  assert.equal(await page.evaluate(() => String(window.getSelection())), 'line 0');
});

test('a reader can hold the page still', async () => {
  await open('/');
  await page.click('button.live');
  assert.equal(await page.innerText('button.live'), 'Paused');
  assert.equal(await page.getAttribute('button.live', 'aria-pressed'), 'false');
});

test('batches have progress, workers what they are doing', async () => {
  await open('/batches');
  assert.equal(await page.locator('progress').count(), 3);
  assert.match((await texts('tbody tr')).join('\n'), /gated[^]*0 of 3/);
  await page.click('tbody >> text=gated');
  assert.equal(await page.locator('tbody tr').count(), 3);
  await open('/workers');
  assert.match(await page.innerText('main'), /Batches in hand[^]*3 of[^]*Queue of 127\.0\.0\.1/);
});

test('CSV has all tasks of the filter', async () => {
  const { status, headers, body } = await ask('GET', '/tasks.csv?function=speaks_v0.0');
  assert.equal(status, 200);
  assert.match(headers['content-disposition'], /tasks\.csv/);
  const lines = body.trim().split('\r\n');
  assert.match(lines[0], /^id,state,function,/);
  assert.ok(lines.length >= 61, String(lines.length));
});

test('on a phone nothing scrolls sideways', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of ['/', '/batches', '/workers', taskPath(site.failed), '/sign-in']) {
    await open(path);
    const [width, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(width <= window, `${path}: ${width} > ${window}`);
  }
  await page.setViewportSize({ width: 1200, height: 800 });
});

test('by keyboard: to the content, through the tabs, into a task; where one is can be seen', async () => {
  await open('/');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  const at = () => page.evaluate(() => document.activeElement.textContent.trim());
  for (let i = 0; i < 40 && !(await at()).startsWith('Failed'); ++i) await page.keyboard.press('Tab');
  assert.match(await at(), /^Failed/);
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
  await Promise.all([page.waitForURL(/tab=failed/), page.keyboard.press('Enter')]);
  for (let i = 0; i < 40 && !(await at()).startsWith('speaks'); ++i) await page.keyboard.press('Tab');
  await Promise.all([page.waitForURL(/\/tasks\//), page.keyboard.press('Enter')]);
  assert.equal(await page.innerText('h1'), 'speaks_v0.0');
});

test('everything to fill in and to press has a name, and the page its landmarks', async () => {
  await open('/');
  const nameless = await page.evaluate(() => [...document.querySelectorAll('input:not([type=hidden]), select, button, a')]
    .filter((element) => !(element.labels?.length || element.textContent.trim() || element.ariaLabel))
    .map((element) => element.outerHTML));
  assert.deepEqual(nameless, []);
  for (const landmark of ['header', 'nav[aria-label]', 'main', 'h1', '[role=search]'])
    assert.ok(await page.locator(landmark).count() > 0, landmark);
});

test('contrast is enough in light and dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const path of ['/', taskPath(site.failed), '/workers']) {
      await open(path);
      const poor = await page.evaluate(() => {
        const parse = (color) => color.match(/[\d.]+/g).map(Number);
        const light = ([r, g, b]) => {
          const [x, y, z] = [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
          return 0.2126 * x + 0.7152 * y + 0.0722 * z;
        };
        const back = (element) => {
          for (let e = element; e; e = e.parentElement) {
            const color = parse(getComputedStyle(e).backgroundColor);
            if (color.length < 4 || color[3] > 0) return color;
          }
          return [255, 255, 255];
        };
        const found = [];
        for (const element of document.querySelectorAll('body *')) {
          if (![...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
          if (!element.getClientRects().length || element.closest('svg')) continue;
          const [a, b] = [light(parse(getComputedStyle(element).color)), light(back(element))].sort((x, y) => y - x);
          if ((a + 0.05) / (b + 0.05) < 4.5) found.push(`${element.className} ${element.textContent.trim().slice(0, 30)}`);
        }
        return found;
      });
      assert.deepEqual(poor, [], `${colorScheme} ${path}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
});

test('without JavaScript all can be read, and found', async () => {
  const plain = await browser.browser()?.newContext({ javaScriptEnabled: false }) ?? null;
  const reader = plain ? await plain.newPage() : page;
  const off = await page.context().newCDPSession(page);
  if (!plain) await off.send('Emulation.setScriptExecutionDisabled', { value: true });
  await reader.goto(site.page + '/');
  assert.equal(await reader.locator('tbody tr').count(), 50);
  assert.equal(await reader.locator('button.live').count(), 0);
  await reader.fill('input[name=q]', 'file 17');
  await reader.click('.filters button');
  await reader.waitForURL(/q=file/);
  await reader.locator('tbody tr').first().waitFor();
  await reader.click('tbody tr a');
  await reader.waitForURL(/\/tasks\//);
  await reader.locator('#x-stdout').waitFor();
  if (!plain) await off.send('Emulation.setScriptExecutionDisabled', { value: false });
  await plain?.close();
});

test('nothing can be changed without the token', async () => {
  await open(taskPath(site.gated[0]));
  assert.equal(await page.locator('.actions button').count(), 0);
  for (const path of ['/cancel', '/retry'])
    assert.equal((await ask('POST', taskPath(site.gated[0]) + path)).status, 403);
  await open('/sign-in');
  await page.fill('input[name=token]', 'wrong');
  await page.click('main button');
  assert.match(await page.innerText('[role=alert]'), /not the token/);
  assert.equal((await ask('GET', taskPath(site.gated[0]) + '/cancel')).status, 404);
});

test('no other site can change anything, even for a reader who has signed in', async () => {
  await signIn();
  await open(taskPath(site.talking));
  const form = await page.inputValue('.actions input[name=form_token]');
  const [cookie] = (await browser.cookies()).filter((each) => each.name === `quire_${site.port}`);
  assert.equal(cookie.sameSite, 'Strict');
  assert.equal(cookie.httpOnly, true);
  const evil = http.createServer((request, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end(`<form method="post" action="${site.page}${taskPath(site.talking)}/cancel">` +
      `<input name="form_token" value="${form}"><button>win</button></form>`);
  });
  await new Promise((ready) => { evil.listen(0, '127.0.0.1', ready); });
  const tab = await browser.newPage();
  // Another name, so that it is another site; and another port of the same host, which is the same site.
  for (const host of ['localhost', '127.0.0.1']) {
    await tab.goto(`http://${host}:${evil.address().port}/`);
    const [answer] = await Promise.all([tab.waitForResponse(/cancel/), tab.click('button')]);
    assert.equal(answer.status(), 403, host);
  }
  await tab.close();
  evil.close();
  const headers = { Cookie: `${cookie.name}=${cookie.value}`, 'Content-Type': 'application/x-www-form-urlencoded' };
  const path = taskPath(site.talking) + '/cancel';
  for (const extra of [{ Origin: 'http://evil.example' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'same-site' }])
    assert.equal((await ask('POST', path, { ...headers, ...extra }, `form_token=${form}`)).status, 403);
  assert.equal((await ask('POST', path, headers, 'form_token=wrong')).status, 403);
  assert.equal((await ask('POST', path, { ...headers, Host: 'evil.example' }, `form_token=${form}`)).status, 421);
  assert.equal((await ask('GET', '/', { Host: 'evil.example' })).status, 421);
  assert.equal((await ask('GET', '/', { Host: 'quire.example' })).status, 200);
  await open(taskPath(site.talking));
  assert.equal(await page.locator('.title .state').innerText(), 'running');
});

test('a task is run again under a new id', async () => {
  await open(taskPath(site.failed));
  await Promise.all([page.waitForNavigation(), page.click('text=Run again')]);
  const notice = await page.innerText('.notice');
  const [, id] = notice.match(/again as task (\S+?),/);
  for (;;) {
    await open(taskPath(id));
    if (await page.locator('.title .state').count() && await page.locator('.title .state').innerText() === 'failed') break;
  }
  assert.match(await page.innerText('#x-stderr'), /pwned/);
});

test('a task is cancelled, and where others share its process they are named first', async () => {
  await open(taskPath(site.talking));
  await Promise.all([page.waitForNavigation(), page.click('text=Cancel')]);
  assert.match(await page.innerText('.notice'), /It is cancelled/);
  await page.waitForFunction(() => document.querySelector('.title .state').textContent !== 'running');
  assert.equal(await page.innerText('.title .state'), 'cancelled');
  assert.match(await page.innerText('#x-stderr'), /cancelled/);
  const [first, second] = site.shared;
  await open(taskPath(second));
  const [answer] = await Promise.all([page.waitForResponse(/cancel$/), page.click('text=Cancel')]);
  assert.equal(answer.status(), 409);
  assert.match(await page.innerText('h1'), /Others would fail with it/);
  assert.ok((await texts('main li')).includes(first));
  await page.click('text=Leave them');
  assert.equal(await page.innerText('.title .state'), 'running');
  await Promise.all([page.waitForResponse(/cancel$/), page.click('text=Cancel')]);
  await page.click('text=Cancel them all');
  await open(taskPath(second));
  await page.waitForFunction(() => document.querySelector('.title .state').textContent === 'cancelled');
  await open(taskPath(first));
  assert.match(await page.innerText('.title .state'), /failed|cancelled/);
  assert.match(await page.innerText('#x-stderr'), /cancel/);
  const waiting = await ask('POST', taskPath(site.gated[2]) + '/cancel', { Authorization: `Bearer ${site.token}` });
  assert.equal(waiting.status, 200);
});

test('tasks that have ended are deleted, after a look at how many these are', async () => {
  const amount = () => page.innerText('#amount');
  const post = (body) => ask('POST', '/clear', { Authorization: `Bearer ${site.token}` }, body);
  await open('/');
  await page.click('text=Delete tasks that have ended');
  assert.match(await amount(), /has no task like this/);
  await page.fill('input[name=function]', 'Speaks_v0.0');
  await page.selectOption('select[name=age]', 'all');
  await page.waitForURL(/age=all/);
  assert.match(await amount(), /has 6[12] tasks like this/);
  await page.selectOption('select[name=state]', 'failed');
  await page.waitForURL(/state=failed/);
  assert.match(await amount(), /has 2 tasks like this/);
  const csv = await ask('GET', new URL(await page.getAttribute('text=CSV', 'href'), site.page).pathname +
    new URL(await page.getAttribute('text=CSV', 'href'), site.page).search);
  assert.equal(csv.body.trim().split(/\r?\n/).filter((line) => /speaks_v0\.0/.test(line)).length, 2);
  // While somebody else has the record's file, nothing can be deleted yet.
  const [hold, held] = ['hold', 'held'].map((name) => join(site.talk, name));
  writeFileSync(hold, '');
  while (!existsSync(held)) await page.waitForTimeout(20);
  await page.click('text=Delete them for good');
  await page.waitForFunction(() => /0 of 2 tasks deleted/.test(document.querySelector('#amount').innerText));
  assert.equal(page.url(), site.page + '/clear');
  assert.equal(await page.innerText('h1'), 'Tasks are being deleted');
  await page.screenshot({ path: join(site.profile, 'clearing.png') });
  assert.equal((await post('before=2020-01-01T00:00:00Z')).status, 409);
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.setViewportSize({ width: 1200, height: 800 });
  rmSync(held);
  // The page comes to the end by itself.
  await page.locator('#outcome').waitFor();
  assert.match(await page.innerText('#outcome'), /^2 tasks deleted \(/);
  assert.equal(await page.innerText('h1'), 'Delete tasks that have ended');
  assert.equal((await ask('GET', taskPath(site.failed))).status, 404);
  for (const body of ['', 'before=tomorrow', 'before=2999-01-01T00:00:00Z', 'before=2020-01-01T00:00:00Z&state=running'])
    assert.equal((await post(body)).status, 400, body);
  const begun = await post('before=2020-01-01T00:00:00Z');
  assert.deepEqual([begun.status, begun.headers.location], [303, '/clear']);
  await page.waitForFunction(() => /^0 tasks deleted/.test(document.querySelector('#outcome')?.innerText));
  assert.equal((await ask('POST', '/clear', {}, 'before=2020-01-01T00:00:00Z')).status, 403);
});

test('a reader who signs out can change nothing any more', async () => {
  await open('/');
  await page.click('text=Sign out');
  await open(taskPath(site.gated[0]));
  assert.equal(await page.locator('.actions button').count(), 0);
  await open('/clear?age=all');
  assert.match(await page.innerText('main'), /Sign in to delete them/);
  assert.equal(await page.locator('main button.danger').count(), 0);
});

test('nothing broke the rules of the page on the way', () => assert.deepEqual(faults, []));

test.after(() => browser.close());
