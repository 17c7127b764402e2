// Recording in the browser: a drawer over the client's page, number keys, and typed words that outlast the sign-in.
// Without scripts the same forms are pages of their own. Nothing is kept in web storage.
(() => {
  "use strict";
  let drawer = null;
  let written = false;
  let opener = null;

  const dirty = (form) =>
    [...form.elements].some((field) => {
      if (field.type === "hidden" || field.tagName === "BUTTON") return false;
      if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
      if (field.tagName === "SELECT") return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
      return field.value !== field.defaultValue;
    });
  const dirtyForm = () => [...document.querySelectorAll("form.entry-form:not([data-forget])")].find(dirty);

  // Left alone for too long: what was typed is sealed by the server and stands there again after the sign-in.
  window.mbcKeepTyped = () => {
    const form = dirtyForm();
    if (!form) return false;
    const mark = document.createElement("input");
    Object.assign(mark, { type: "hidden", name: "keep", value: "yes" });
    form.append(mark);
    form.submit();
    return true;
  };

  const start = (place) => {
    const form = place.querySelector("form.entry-form");
    const wrong = place.querySelector('[aria-invalid="true"]');
    const field = wrong || (form && (form.querySelector("fieldset input:checked[data-first]") || form.querySelector("[data-first]")));
    const group = field && field.type === "radio" ? place.querySelector(`input[name="${CSS.escape(field.name)}"]:checked`) : null;
    const goal = group || (field && field.tagName === "FIELDSET" ? field.querySelector("input") : field);
    (goal || place.querySelector(".just-written button, .just-written a") || place.querySelector("a.entry-link") || place).focus();
  };

  // The drawer
  const fill = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html").querySelector(".record-page");
    if (!page) return false;
    drawer.querySelector(".drawer-content").replaceChildren(document.importNode(page, true));
    if (page.dataset.written) written = true;
    drawer.scrollTop = 0;
    start(drawer);
    return true;
  };
  const load = async (address, options) => {
    let answer;
    try {
      answer = await window.mbcFetch(address, { credentials: "same-origin", ...options });
    } catch {
      return refuse("The server does not answer. Nothing was recorded; what you typed is still here.");
    }
    const place = new URL(answer.url);
    if (place.pathname === "/sign-in") return window.location.assign("/sign-in");
    const text = await answer.text();
    if (answer.headers.get("Content-Type").startsWith("text/html") && fill(text)) return undefined;
    return refuse(answer.status === 401 ? "You are signed out." : "That was refused; nothing was recorded. What you typed is still here.");
  };
  const refuse = (words) => {
    const note = Object.assign(document.createElement("p"), { className: "trouble-note", textContent: words });
    note.setAttribute("role", "alert");
    drawer.querySelector(".drawer-content").prepend(note);
    drawer.scrollTop = 0;
  };
  const close = () => {
    if (!drawer || !drawer.open) return;
    drawer.close();
  };
  const mayLeave = () => !(drawer && [...drawer.querySelectorAll("form.entry-form")].some(dirty)) || window.confirm("Leave without recording what you typed?");
  const make = () => {
    drawer = document.createElement("dialog");
    drawer.className = "drawer";
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet drawer-close", textContent: "Close" });
    button.addEventListener("click", () => mayLeave() && close());
    const content = Object.assign(document.createElement("div"), { className: "drawer-content" });
    drawer.append(button, content);
    drawer.addEventListener("cancel", (event) => {
      if (!mayLeave()) event.preventDefault();
    });
    drawer.addEventListener("close", () => {
      if (window.history.state && window.history.state.drawer) window.history.back();
      if (written) window.location.reload();
      else if (opener) opener.focus();
    });
    document.body.append(drawer);
  };
  const open = (link) => {
    if (!drawer || !drawer.isConnected) make();
    opener = link;
    drawer.setAttribute("aria-label", link.textContent.trim());
    written = false;
    drawer.querySelector(".drawer-content").replaceChildren();
    drawer.showModal();
    window.history.pushState({ drawer: true }, "");
    load(link.href);
  };
  window.addEventListener("popstate", () => {
    if (drawer && drawer.open) drawer.close();
  });
  const plainClick = (event) => !(event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || !plainClick(event)) return;
    if (link.dataset.drawer !== undefined && window.HTMLDialogElement) {
      event.preventDefault();
      open(link);
    } else if (drawer && drawer.contains(link)) {
      event.preventDefault();
      if (!mayLeave()) return;
      if (link.dataset.inDrawer !== undefined) load(link.href);
      else close();
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.entry === undefined) return;
    if (event.submitter && event.submitter.formTarget === "_blank") return;  // a file
    if (form.dataset.sent) return event.preventDefault();  // pressed twice
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 3000);
    if (!drawer || !drawer.contains(form)) return;
    event.preventDefault();
    load(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).finally(() => delete form.dataset.sent);
  });

  // Number keys: in a list they open a form, in a question they answer and go on to the next.
  const typing = (target) => target.matches("input:not([type=radio]):not([type=checkbox]), select, textarea");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest) return;
    const place = event.target.closest(".record-page, dialog.drawer");
    if (!place && document.activeElement !== document.body) return;
    const page = place || document.querySelector(".server-page .record-page");
    if (!page || typing(event.target)) return;
    const key = event.key.toLowerCase();
    const group = event.target.closest("fieldset");
    if (group) answer(event, group, key);
    else {
      const link = page.querySelector(`a.entry-link[data-key="${CSS.escape(key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
      }
    }
  });
  const answer = (event, group, key) => {
    if (key === "enter") {
      event.preventDefault();
      group.form.requestSubmit();
      return;
    }
    if (key === "delete" || key === "backspace") {
      for (const radio of group.querySelectorAll("input")) radio.checked = false;
      event.preventDefault();
      return;
    }
    const radio = group.querySelector(`input[data-key="${CSS.escape(key)}"]`);
    if (!radio) return;
    event.preventDefault();
    radio.checked = true;
    const fields = [...group.form.querySelectorAll("fieldset, .entry-field, .entry-actions")];
    const next = fields[fields.indexOf(group) + 1];
    const target = next && (next.querySelector("input:checked") || next.querySelector("input, select, button"));
    if (target) {
      target.focus();
      target.scrollIntoView({ block: "nearest" });
    }
  };

  // A page of its own: the focus goes to its first field.
  document.addEventListener("DOMContentLoaded", () => {
    const page = document.querySelector(".server-page .record-page");
    if (page && page.dataset.record === "form") start(page);
  });
})();
