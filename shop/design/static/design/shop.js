/* What makes customers' pages nicer where a browser runs scripts; every page works without it.
   On top of htmx: goods go into the basket in place, lists and baskets change in place, suggestions are a
   listbox, buttons say that they are busy, and the last pages stay readable offline (sw.js). */
(() => {
  "use strict";
  const doc = document;
  const $ = (selector, from = doc) => from.querySelector(selector);
  const said = $("#said");
  let timer;

  const say = (text) => {
    const line = doc.createElement("p");
    line.className = "hidden";
    line.textContent = text;
    if (said && text) said.replaceChildren(line);
  };

  // What is wrong is heard: whoever cannot see the summary stands on it.
  const wrong = $("#errors, #wrong, main [role=alert]");
  if (wrong) {
    wrong.tabIndex = -1;
    wrong.focus();
  }

  // Forms carry their token themselves; this is for a button that posts without a form.
  doc.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const token = /(?:^|; )csrftoken=([^;]+)/.exec(doc.cookie);
    if (token && ctx.request.method !== "GET") ctx.request.headers["X-CSRFToken"] = token[1];
  });

  // A toast goes after six seconds, unless somebody is in it.
  doc.addEventListener("htmx:after:swap", () => {
    clearTimeout(timer);
    const leave = () => {
      const toast = $(".toast", said);
      if (toast && (toast.matches(":hover") || toast.contains(doc.activeElement))) timer = setTimeout(leave, 2000);
      else if (toast) toast.remove();
    };
    timer = setTimeout(leave, 6000);
  });

  // What did not go through is sent again by the browser itself, which says what it finds.
  doc.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (ctx && ctx.sourceElement.matches("form[method=post]")) ctx.sourceElement.submit();
  });

  /* In place: the page that the server would have shown, of which only the middle is new. */
  const inPlace = async (method, address, values, push) => {
    const at = doc.activeElement;
    const again = at && (at.id ? "#" + CSS.escape(at.id) : at.name && `[name="${CSS.escape(at.name)}"][value="${CSS.escape(at.value)}"]:not([type="hidden"])`);
    const main = $("#main");
    main.setAttribute("aria-busy", "true");
    await htmx.ajax(method, address, { target: "#main", select: "#main", selectOOB: "#count", swap: "outerHTML", push, values });
    if (main.isConnected) return location.assign(address); // nothing came: let the browser say why
    const here = again && $("#main " + again);
    if (here) here.focus({ preventScroll: true });
    say(($("#main .notice") || $("#main .head .quiet") || {}).textContent);
  };
  const read = (form, button) => new URLSearchParams([...new FormData(form, button)].filter(([, value]) => value));

  const list = (form) => inPlace("GET", form.action.split("?")[0] + "?" + read(form), null, "true");
  const wide = matchMedia("(min-width: 48rem)");

  doc.addEventListener("change", ({ target }) => {
    const form = target.form;
    if (!form || !self.htmx) return;
    if (form.matches(".sort") || (form.closest(".filters") && wide.matches && target.type !== "text")) list(form);
    else if (target.matches(".qty select")) inPlace("POST", form.action, Object.fromEntries(new FormData(form)));
  });

  doc.addEventListener("click", (event) => {
    const link = event.target.closest("#main .with-aside .chips a, #main .pager a");
    if (!link || !self.htmx || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    inPlace("GET", link.href, null, "true").then(() => link.closest(".pager") && $("#main").scrollIntoView());
  });

  /* A button that was pressed says so, and is not pressed twice. Goods go into the basket in place. */
  doc.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (self.htmx && form.matches(".sort, .filters form")) {
      event.preventDefault();
      list(form);
    } else if (form.method === "post" && button) {
      if (button.getAttribute("aria-busy")) {
        event.preventDefault();
        return event.stopImmediatePropagation();
      }
      button.setAttribute("aria-busy", "true");
      button.dataset.said = button.textContent;
      if (button.matches(".button") && said) button.textContent = said.dataset.busy;
      setTimeout(rest, 10000); // an answer that is a file leaves the page as it is
      if (self.htmx && form.matches(".add")) {
        event.preventDefault();
        htmx.ajax("POST", form.action, { source: form, target: "#said", swap: "innerHTML", event });
      }
    }
  }, true);
  const rest = () => doc.querySelectorAll("[data-said]").forEach((each) => {
    each.removeAttribute("aria-busy");
    each.textContent = each.dataset.said;
    delete each.dataset.said;
  });
  addEventListener("pageshow", rest);
  doc.addEventListener("htmx:finally:request", rest);

  /* Suggestions while typing: whatever links came, as one listbox. */
  const field = $("#q"), box = $("#suggestions");
  if (field && box) {
    let at = -1;
    const links = () => [...box.querySelectorAll("a")];
    const show = (open) => {
      box.hidden = !open;
      field.setAttribute("aria-expanded", open);
      at = -1;
      field.removeAttribute("aria-activedescendant");
    };
    for (const [name, value] of [["role", "combobox"], ["aria-controls", box.id], ["aria-autocomplete", "list"]]) field.setAttribute(name, value);
    show(false);
    field.addEventListener("htmx:after:swap", () => {
      box.querySelectorAll("ul, ol, li").forEach((each) => each.setAttribute("role", "none"));
      links().forEach((each, index) => {
        each.id = "s" + index;
        each.tabIndex = -1;
        each.setAttribute("role", "option");
        each.setAttribute("aria-selected", "false");
      });
      show(links().length > 0 && doc.activeElement === field);
    });
    field.addEventListener("keydown", (event) => {
      const all = links();
      if (event.key === "Escape" && !box.hidden) event.preventDefault(), show(false);
      else if (event.key === "Enter" && all[at] && !box.hidden) event.preventDefault(), all[at].click();
      else if (/^Arrow(Up|Down)$/.test(event.key) && all.length) {
        event.preventDefault();
        if (box.hidden) show(true);
        at = (at + (event.key === "ArrowDown" ? 1 : all.length + (at < 0))) % all.length;
        all.forEach((each, index) => each.setAttribute("aria-selected", index === at));
        field.setAttribute("aria-activedescendant", all[at].id);
        all[at].scrollIntoView({ block: "nearest" });
      }
    });
    field.form.addEventListener("focusout", ({ relatedTarget }) => field.form.contains(relatedTarget) || show(false));
    box.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps its focus
  }

  /* The last pages stay readable without a network. The first page came before its keeper: it is told of it. */
  const keeper = navigator.serviceWorker;
  if (keeper) addEventListener("load", async () => {
    const first = !keeper.controller;
    await keeper.register("/sw.js");
    const { active } = await keeper.ready;
    if (first) active.postMessage([location.href, ...performance.getEntriesByType("resource").map((each) => each.name)]);
  });
})();
