// Keeps a page up to date without losing the reader's place: what has changed is changed in the page that is there,
// so that scroll, focus, selection and what was opened stay as they are.
'use strict';

(() => {
  const interval = 2000;
  const live = document.getElementById('live');
  if (!live || !window.fetch) return;

  // Elements that are the same thing in the old and the new page have the same key.
  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id || null : null);

  function morphAttributes(from, to) {
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      const isReaders = name === 'open' && from.nodeName === 'DETAILS';
      if (!to.hasAttribute(name) && !isReaders) from.removeAttribute(name);
    }
  }

  function morphText(from, to) {
    if (from.data === to.data) return;
    // A text that grows keeps what is selected in it.
    if (to.data.startsWith(from.data)) from.appendData(to.data.slice(from.data.length));
    else from.data = to.data;
  }

  function morph(from, to) {
    if (from.isEqualNode(to) || from.hasAttribute('data-keep')) return;
    morphAttributes(from, to);
    const wanted = new Set([...to.childNodes].map(keyOf).filter(Boolean));
    const there = new Map();
    for (const child of from.childNodes) if (keyOf(child)) there.set(keyOf(child), child);
    let next = from.firstChild;
    const skipGone = () => {
      while (next && keyOf(next) && !wanted.has(keyOf(next))) {
        const gone = next;
        next = next.nextSibling;
        gone.remove();
      }
    };
    for (const child of [...to.childNodes]) {
      skipGone();
      const key = keyOf(child);
      const same = key ? there.get(key)
        : next && !keyOf(next) && next.nodeName === child.nodeName ? next : null;
      if (!same) {
        from.insertBefore(document.importNode(child, true), next);
        continue;
      }
      if (same === next) next = next.nextSibling;
      else from.insertBefore(same, next);
      if (same.nodeType === Node.TEXT_NODE) morphText(same, child);
      else if (same.nodeType === Node.ELEMENT_NODE) morphElement(same, child);
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  }

  function morphElement(from, to) {
    if (from.nodeName !== to.nodeName) return from.replaceWith(document.importNode(to, true));
    const follows = from.nodeName === 'PRE' && from.scrollHeight > from.clientHeight &&
      from.scrollTop + from.clientHeight >= from.scrollHeight - 4;
    morph(from, to);
    if (follows) from.scrollTop = from.scrollHeight;
  }

  // The first thing of the content that the reader sees stays where it is on the screen.
  function anchor() {
    for (const element of document.querySelectorAll('main tr[id], main section, main h1, main pre')) {
      const { top, bottom } = element.getBoundingClientRect();
      if (bottom > 0 && top < window.innerHeight && top >= 0) return { element, top };
    }
    return null;
  }

  let paused = false;
  let timer = 0;

  async function refresh() {
    timer = 0;
    if (paused || document.hidden) return;
    try {
      const response = await fetch(location.href, { headers: { 'X-Refresh': '1' }, credentials: 'same-origin' });
      if (!response.ok && response.status !== 404) throw new Error(String(response.status));
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
      const main = fresh.querySelector('main');
      if (!main || paused) return;
      const notice = document.getElementById('notice');
      if (notice && !main.querySelector('#notice')) main.prepend(notice.cloneNode(true));
      const place = window.scrollY > 0 ? anchor() : null;
      morph(document.querySelector('main'), main);
      if (place && place.element.isConnected)
        window.scrollBy(0, place.element.getBoundingClientRect().top - place.top);
      document.title = fresh.title;
      tell(true);
    } catch {
      tell(false);
    } finally {
      later();
    }
  }

  function later() {
    if (!timer && !paused && !document.hidden) timer = window.setTimeout(refresh, interval);
  }

  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'quiet live';
  live.append(button);

  function tell(reached) {
    button.textContent = paused ? 'Paused' : reached ? 'Live' : 'Not reached';
    button.classList.toggle('off', paused);
    button.classList.toggle('lost', !paused && !reached);
    button.setAttribute('aria-pressed', String(!paused));
    button.title = paused ? 'Keep this page up to date' : 'Keep this page as it is';
  }

  button.addEventListener('click', () => {
    paused = !paused;
    tell(true);
    later();
  });
  document.addEventListener('visibilitychange', later);

  // A choice in the filters counts at once; a text when it has been entered.
  for (const select of document.querySelectorAll('.filters select'))
    select.addEventListener('change', () => select.form.requestSubmit());

  if (document.querySelector('form.sign-in')) live.remove();
  else {
    tell(true);
    later();
  }
})();
