// The page works without this file, with plain links and forms. With it, links and forms fetch only the panes that
// have changed, and the page follows what happens elsewhere.
(() => {
  "use strict";
  const workspace = document.getElementById("workspace");
  if (!workspace) return;
  document.documentElement.classList.add("scripted");

  let turn = 0; // of the newest answer that is shown: the server counts them
  let opener = null; // what had the focus before a dialog opened

  const paneList = () => [...document.querySelectorAll("[data-pane]")];
  // A note is never one that the page has: what is said twice is shown twice.
  const have = () => paneList().filter((p) => p.dataset.pane !== "toast").map((p) => `${p.dataset.pane}:${p.dataset.digest}`).join(" ");
  const dialog = () => [...document.querySelectorAll("[role=dialog],[role=alertdialog]")].pop();

  // ---- swapping ----

  // dirty tells whether somebody has typed or chosen something that the server does not know.
  const dirty = (el) => {
    if (el.type === "hidden") return false;
    if (el.type === "checkbox" || el.type === "radio") return el.checked !== el.defaultChecked;
    if (el.tagName === "SELECT") return [...el.options].some((o) => o.selected !== o.defaultSelected);
    return el.value !== el.defaultValue;
  };

  const remember = (pane) => {
    const kept = { fields: new Map(), marks: new Map(), details: new Map(), scrolls: new Map() };
    for (const el of pane.querySelectorAll("input[id],textarea[id],select[id]")) if (dirty(el)) kept.fields.set(el.id, el);
    for (const el of pane.querySelectorAll("[data-key]")) kept.marks.set(el.dataset.key, el.dataset.mark);
    for (const el of pane.querySelectorAll("details[id]")) kept.details.set(el.id, { open: el.open, given: el.dataset.given });
    for (const el of pane.querySelectorAll("[data-scroll]")) {
      kept.scrolls.set(el.dataset.scroll, { top: el.scrollTop, end: el.scrollHeight - el.scrollTop - el.clientHeight < 48 });
    }
    return kept;
  };

  const settle = (pane) => {
    const current = pane.querySelector(".steps .current");
    if (current) current.scrollIntoView({ block: "nearest" });
    for (const el of pane.querySelectorAll("details")) el.dataset.given = el.open;
    for (const el of pane.querySelectorAll("[data-stick]")) el.scrollTop = el.scrollHeight;
  };

  const restore = (pane, kept, samePlace) => {
    for (const [id, old] of kept.fields) {
      const el = document.getElementById(id);
      if (!el || el.type !== old.type) continue;
      if (old.tagName === "SELECT") for (const o of el.options) o.selected = [...old.selectedOptions].some((s) => s.value === o.value);
      else if (old.type === "checkbox" || old.type === "radio") el.checked = old.checked;
      else el.value = old.value;
    }
    for (const el of pane.querySelectorAll("details[id]")) {
      const old = kept.details.get(el.id);
      if (old && old.given === el.dataset.given && (samePlace || !el.matches(".menu,.who"))) el.open = old.open;
    }
    for (const el of pane.querySelectorAll("[data-scroll]")) {
      const old = kept.scrolls.get(el.dataset.scroll);
      if (old && !(old.end && el.hasAttribute("data-stick"))) el.scrollTop = old.top;
    }
    if (!samePlace) return;
    for (const el of pane.querySelectorAll("[data-key]")) {
      const list = el.closest("[data-scroll]");
      const known = !list || kept.scrolls.has(list.dataset.scroll);
      if (!known || kept.marks.get(el.dataset.key) === el.dataset.mark) continue;
      el.classList.add("fresh");
      if (el.matches(".message")) document.getElementById("news").textContent = `${kept.marks.has(el.dataset.key) ? "Changed" : "New"}: ${el.getAttribute("aria-label")}`;
    }
  };

  // refocus puts the focus back on what stands where the focused thing stood.
  const refocus = (pane, was, selection) => {
    const message = was.closest("[data-ts]");
    const around = message && pane.querySelector(`[data-ts="${CSS.escape(message.dataset.ts)}"]`);
    const next = (was.id && document.getElementById(was.id)) ||
      (was.dataset.testid && pane.querySelector(`[data-testid="${CSS.escape(was.dataset.testid)}"]`)) ||
      (around && was.dataset.action && around.querySelector(`[data-action="${CSS.escape(was.dataset.action)}"]`)) || around;
    if (!next) return;
    next.focus({ preventScroll: true });
    if (selection && next.setSelectionRange) next.setSelectionRange(...selection);
  };

  const swap = (fresh, samePlace, how) => {
    const old = document.querySelector(`[data-pane="${fresh.dataset.pane}"]`);
    if (!old || (fresh.dataset.pane === "toast" && how === "live")) return; // a note stays until the next act
    const was = old.contains(document.activeElement) ? document.activeElement : null;
    let selection = null;
    if (was && was.selectionStart != null) selection = [was.selectionStart, was.selectionEnd];
    const kept = remember(old);
    const pane = document.importNode(fresh, true);
    old.replaceWith(pane);
    settle(pane);
    restore(pane, kept, samePlace);
    if (was) refocus(pane, was, selection);
    if (pane.dataset.pane === "toast" && pane.firstElementChild) fade(pane);
    const changed = pane.querySelector(".member.fresh");
    if (changed) changed.scrollIntoView({ block: "nearest" });
    if (pane.querySelector(".member.new,.member.gone,.member s")) setTimeout(refresh, 31000);
  };

  // edit puts the caret behind what is typed already.
  const edit = (el) => {
    el.focus();
    if (el.tagName === "TEXTAREA") el.setSelectionRange(el.value.length, el.value.length);
  };

  // attend moves the focus into a dialog that has opened, and back to where it came from when it has closed.
  const attend = (before) => {
    const now = dialog();
    workspace.inert = !!now;
    if (now && now.dataset.testid + (now.dataset.view || "") !== before) {
      if (!before) opener = document.activeElement;
      const first = now.querySelector("[aria-invalid=true],[autofocus],.field input:not([type=hidden]),.field textarea,.field select,.dialog-foot .button:last-child");
      if (first) edit(first);
    } else if (now && now.querySelector("[aria-invalid=true]") && !document.activeElement.matches("input,textarea,select")) {
      edit(now.querySelector("[aria-invalid=true]"));
    } else if (!now && before && opener) {
      const back = opener.isConnected ? opener : opener.id && document.getElementById(opener.id);
      if (back) back.focus({ preventScroll: true });
      opener = null;
    }
  };

  // ---- asking ----

  // ask fetches and shows panes. How is "follow" for where a person went, "live" for what happened by itself. When a
  // person has gone on meanwhile, the answer to what they did before leads them nowhere: only its note is shown.
  let acts = 0;
  const ask = async (url, options, how) => {
    const began = location.href;
    const act = how === "live" ? 0 : ++acts;
    const response = await fetch(url, { ...options, headers: { "Sandbox-Panes": have() } });
    const text = await response.text();
    const doc = new DOMParser().parseFromString(text, "text/html");
    if (!doc.body.dataset.path) {
      if (response.ok || how === "live") throw new Error("The demo answered something unexpected.");
      throw new Error(doc.querySelector("main p") ? doc.querySelector("main p").textContent : text);
    }
    const answered = Number(response.headers.get("Sandbox-Turn"));
    if (how === "live" && held) again = true;
    if (how === "live" && (held || answered < turn || location.href !== began)) return null;
    const samePlace = doc.body.dataset.path === document.body.dataset.path;
    if (act && act !== acts) {
      const note = doc.querySelector("[data-pane=toast]");
      if (note && note.firstElementChild) swap(note, samePlace, how);
      refresh();
      return doc;
    }
    const before = dialog() ? dialog().dataset.testid + (dialog().dataset.view || "") : "";
    if (how !== "live") go(response.url, samePlace);
    document.title = doc.title;
    document.body.dataset.path = doc.body.dataset.path;
    for (const pane of doc.querySelectorAll("[data-pane]")) swap(pane, samePlace, how);
    attend(before);
    if (answered < turn) refresh();
    turn = Math.max(turn, answered);
    return doc;
  };

  // go puts the address of what is shown into the browser; the note of an act is not part of it.
  const go = (target, samePlace) => {
    const url = new URL(target);
    url.searchParams.delete("said");
    if (url.href === location.href) return;
    history[samePlace && !url.searchParams.has("thread") ? "replaceState" : "pushState"](null, "", url);
  };

  // Nothing is swapped while a button is held down: a press that begins on one element and ends on another is lost.
  let held = false;
  let running = false;
  let again = false;
  async function refresh() {
    again = true;
    if (running || held) return;
    running = true;
    while (again && !held) {
      again = false;
      try {
        await ask(location.href, {}, "live");
      } catch {
        break; // the stream tells when the server is back
      }
    }
    running = false;
  }

  const visit = (url) => ask(url, {}, "follow").catch((e) => say(e.message));

  const submit = async (form, submitter) => {
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    if (submitter) submitter.setAttribute("aria-busy", "true");
    const data = new URLSearchParams(new FormData(form, submitter));
    const text = form.matches("[data-clears]") && form.querySelector("textarea");
    const typed = text && text.value;
    if (text) text.value = "";
    try {
      const doc = await ask(form.action, { method: "POST", body: data }, "follow");
      if (text && doc.querySelector(".toast.bad")) unsay(text.id, typed);
    } catch (e) {
      say(e.message);
      if (text) unsay(text.id, typed);
    } finally {
      delete form.dataset.busy;
      if (submitter) submitter.removeAttribute("aria-busy");
    }
  };

  // unsay gives back what was typed and could not be sent.
  const unsay = (id, typed) => {
    const box = document.getElementById(id);
    if (box && !box.value) box.value = typed;
  };

  // ---- notes ----

  const say = (words) => {
    const pane = document.querySelector("[data-pane=toast]");
    const toast = Object.assign(document.createElement("div"), { className: "toast bad" });
    toast.dataset.testid = "toast";
    const text = Object.assign(document.createElement("span"), { textContent: words });
    const close = Object.assign(document.createElement("a"), { className: "close", textContent: "✕", href: location.href });
    close.dataset.closeToast = "";
    close.setAttribute("aria-label", "Dismiss this note");
    toast.append(text, close);
    pane.replaceChildren(toast);
    fade(pane);
  };

  let fading = 0;
  const fade = (pane) => {
    clearTimeout(fading);
    fading = setTimeout(() => pane.replaceChildren(), pane.querySelector(".bad") ? 15000 : 4000);
  };

  // ---- what people do ----

  const shut = (except) => {
    for (const el of document.querySelectorAll("details.menu[open],details.who[open]")) if (!except || !el.contains(except)) el.open = false;
  };
  const chat = () => {
    const tab = document.getElementById("tab-chat");
    if (tab) tab.checked = true;
  };

  document.addEventListener("pointerdown", () => { held = true; });
  const release = () => {
    held = false;
    if (again) setTimeout(refresh);
  };
  for (const end of ["pointerup", "pointercancel", "blur"]) window.addEventListener(end, release);
  window.addEventListener("pointermove", (event) => {
    if (held && !event.buttons) release(); // let go of outside the window
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    event.preventDefault();
    if (event.submitter && event.submitter.hasAttribute("data-goes")) chat();
    if (form.method === "get") return search(form);
    const menu = event.submitter && event.submitter.closest("details.menu");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    submit(form, event.submitter);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    shut(event.target);
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target) return;
    if (link.origin !== location.origin || !link.pathname.startsWith("/u/")) return;
    event.preventDefault();
    if (link.hasAttribute("data-close-toast")) return link.closest("[data-pane]").replaceChildren();
    if (link.closest(".side") || link.hasAttribute("data-goes")) chat();
    shut();
    visit(link.href);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.matches("[data-sends]")) {
      event.preventDefault();
      if (event.target.value.trim()) event.target.form.requestSubmit();
    }
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.menu[open],details.who[open]");
    const top = dialog();
    const thread = document.querySelector("[data-testid=thread-close]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (top) top.querySelector("[data-escape]").click();
    else if (thread && thread.closest(".threadpane").contains(event.target)) thread.click();
  });

  const search = (form) => {
    const url = new URL(location.href);
    const who = form.querySelector("[name=who]").value;
    if (who) url.searchParams.set("who", who);
    else url.searchParams.delete("who");
    return visit(url.href);
  };
  let typing = 0;
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-sends]") && !event.target.value.trim()) event.target.value = event.target.value.replaceAll("\n", "");
    const form = event.target.closest("form[data-live-search]");
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => search(form), 120);
  });
  // place opens a menu to the side where there is room for it.
  const place = (menu) => {
    const list = menu.querySelector("ul").getBoundingClientRect();
    const around = (menu.closest(".scroll,.dialog-body") || document.body).getBoundingClientRect();
    menu.classList.toggle("left", list.right > around.right);
    menu.classList.toggle("up", list.bottom > around.bottom && list.height < menu.getBoundingClientRect().top - around.top);
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details.menu[open]")) place(event.target);
    if (event.target.matches("details.who[open]")) event.target.querySelector("input").focus();
  }, true);

  window.addEventListener("popstate", () => visit(location.href));

  // ---- following ----

  let stream = null;
  const link = document.getElementById("link");
  const follow = () => {
    stream = new EventSource("/live");
    stream.addEventListener("change", () => {
      link.hidden = true;
      refresh();
    });
    stream.onerror = () => { link.hidden = false; };
  };
  // A browser keeps few connections to one server: a page that nobody looks at gives its own back.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream.close();
      stream = null;
    } else if (!stream) follow();
  });

  for (const pane of paneList()) settle(pane);
  for (const el of document.querySelectorAll("[data-pane=toast]")) if (el.firstElementChild) fade(el);
  go(location.href, true);
  attend("");
  follow();
})();
