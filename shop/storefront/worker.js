/* Keeps the last pages readable without a network. The server is always asked first: what is kept is shown only
   when it cannot be reached, and says so. Never kept: basket, checkout, payment, orders, account, answers to
   forms, and whatever is marked private. Above this line the shop puts WORDS, its sentences by language. */
const PAGES = "pages-1", THINGS = "things-1";
const MOST_PAGES = 20, MOST_THINGS = 150;
const SEEN = "X-Seen-At";
/** The rooms whose pages are the same for everybody. */
const READABLE = /^\/(?:fr|ar|en)\/(?:$|(?:goods|kinds|harvests|regions|labels|cooperatives|sellers|pages)(?:\/|$))/;
const THING = /^\/(?:static|media)\/|^\/(?:fr|ar|en)\/plates\//;
const OFFLINE = Object.values(WORDS).map((each) => each.offline);

const languageOf = (path) => (WORDS[path.slice(1, 3)] ? path.slice(1, 3) : "fr");
const plain = (address) => address.split("#")[0];
const ours = (address) => new URL(address).origin === location.origin;
const isPrivate = (response) => /no-store|private/.test(response.headers.get("Cache-Control") || "");
const mayBeKept = (path, response) =>
  response.status === 200 &&
  response.type === "basic" &&
  !response.redirected &&
  !isPrivate(response) &&
  (READABLE.test(path) || OFFLINE.includes(path)) &&
  /^text\/html/.test(response.headers.get("Content-Type") || "");

/** Keep one answer; the oldest make room. */
async function keep(where, address, response, most) {
  const cache = await caches.open(where);
  const headers = new Headers(response.headers);
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  headers.set(SEEN, new Date().toISOString());
  await cache.delete(address);
  await cache.put(address, new Response(await response.blob(), { status: response.status, headers }));
  const kept = (await cache.keys()).filter((each) => !OFFLINE.includes(new URL(each.url).pathname));
  await Promise.all(kept.slice(0, Math.max(0, kept.length - most)).map((each) => cache.delete(each)));
}

const keepPage = (address, response) => keep(PAGES, address, response, MOST_PAGES);

/** The page for a visitor without a network is kept in the languages she reads. */
async function keepOffline(path) {
  const { offline } = WORDS[languageOf(path)];
  const cache = await caches.open(PAGES);
  if (await cache.match(offline)) return;
  const response = await fetch(offline);
  if (response.ok) await keepPage(offline, response);
}

/** What a page needs to look right, from what the browser has fetched already. */
async function keepThing(address) {
  const cache = await caches.open(THINGS);
  if (await cache.match(address)) return;
  const response = await fetch(address, { cache: "force-cache" });
  if (response.status === 200) await keep(THINGS, address, response, MOST_THINGS);
}

async function page(event, url) {
  const { request } = event;
  try {
    const response = await fetch(request);
    if (request.method === "GET" && mayBeKept(url.pathname, response)) {
      event.waitUntil(keepPage(plain(url.href), response.clone()).then(() => keepOffline(url.pathname)));
    }
    return response;
  } catch {
    const cache = await caches.open(PAGES);
    const kept = request.method === "GET" && READABLE.test(url.pathname) && (await cache.match(plain(url.href)));
    return kept ? remembered(kept, url) : nothing(cache, url);
  }
}

/** A kept page, under a strip that says when it was seen. */
async function remembered(kept, url) {
  const language = languageOf(url.pathname);
  const when = new Date(kept.headers.get(SEEN)).toLocaleString(`${language}-MA-u-nu-latn`, {
    day: "numeric", month: "long", hour: "2-digit", minute: "2-digit",
  });
  const strip = `<p class="strip sand offline" role="status">${WORDS[language].seen.replace("{when}", `<bdi>${when}</bdi>`)}</p>`;
  const html = (await kept.text()).replace(/<body[^>]*>/, (body) => body + strip);
  return new Response(html, { headers: kept.headers });
}

/** The page that says that there is no network, with what can be read. */
async function nothing(cache, url) {
  const wanted = WORDS[languageOf(url.pathname)].offline;
  const shown = (await cache.match(wanted)) || (await Promise.all(OFFLINE.map((each) => cache.match(each)))).find(Boolean);
  if (!shown) return Response.error();
  const rows = new Map(); // one for each title: a list narrowed in three ways is one page to her
  for (const each of (await cache.keys()).reverse()) {
    const { pathname, search } = new URL(each.url);
    if (OFFLINE.includes(pathname)) continue;
    const html = await (await cache.match(each)).text();
    const title = (/<title>([^]*?)<\/title>/.exec(html) || ["", pathname])[1].split("|")[0].trim().replace(/\s+/g, " ");
    const language = languageOf(pathname);
    const direction = language === "ar" ? "rtl" : "ltr";
    if (!rows.has(title)) rows.set(title, `<li><a lang="${language}" dir="${direction}" href="${(pathname + search).replace(/&/g, "&amp;").replace(/"/g, "&quot;")}">${title}</a></li>`);
  }
  let html = await shown.text();
  if (rows.size) html = html.replace(/(<ul[^>]*data-kept[^>]*>)[^]*?<\/ul>/, (all, list) => `${list}${[...rows.values()].join("")}</ul>`);
  return new Response(html, { status: 503, headers: shown.headers });
}

async function thing(request) {
  try {
    const response = await fetch(request);
    if (response.status === 200 && response.type === "basic") await keep(THINGS, request.url, response.clone(), MOST_THINGS);
    return response;
  } catch (error) {
    const kept = await caches.match(request.url);
    if (kept) return kept;
    throw error;
  }
}

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) =>
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((each) => each !== PAGES && each !== THINGS).map((each) => caches.delete(each))))
      .then(() => clients.claim()),
  ),
);
addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event, url));
  else if (request.method === "GET" && THING.test(url.pathname)) event.respondWith(thing(request));
});
/** The first page of a visit came before this worker did; it sends its own address, then what it loaded. */
addEventListener("message", (event) => {
  if (!Array.isArray(event.data)) return;
  const [address, ...things] = event.data.map(String).filter(ours);
  if (!address) return;
  const path = new URL(address).pathname;
  const kept = READABLE.test(path)
    ? fetch(plain(address), { cache: "force-cache" }).then((response) => mayBeKept(path, response) && keepPage(plain(address), response))
    : Promise.resolve();
  event.waitUntil(
    kept
      .then(() => keepOffline(path))
      .then(() => Promise.all(things.filter((each) => THING.test(new URL(each).pathname)).map(keepThing)))
      .catch(() => {}),
  );
});
