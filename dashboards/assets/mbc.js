// What happens in the browser alone. Nothing is kept in web storage.
(() => {
  "use strict";
  const SIGN_IN = "/sign-in";
  const leave = () => window.location.replace(SIGN_IN);
  const say = (words) => {
    const place = document.getElementById("trouble");
    if (place) place.textContent = words;
  };

  // A refused request means that the sign-in has ended: the data on this page must not stay in sight.
  const fetchAsBefore = window.fetch.bind(window);
  window.mbcFetch = async (...request) => {  // for forms, which answer for themselves
    const answer = await fetchAsBefore(...request);
    if (answer.ok) lastContact = Date.now();
    return answer;
  };
  window.fetch = async (...request) => {
    let answer;
    try {
      answer = await fetchAsBefore(...request);
    } catch (fault) {
      say("The server does not answer. Check that it is running, then load this page again.");
      throw fault;
    }
    if (answer.status === 401) leave();
    else if (answer.status === 503 || answer.status === 429) say(await answer.clone().text());
    else if (answer.status >= 400) say("Something went wrong; nothing was changed. Load this page again.");
    else if (answer.ok) {
      say("");
      lastContact = Date.now();
    }
    return answer;
  };

  // While somebody works on the page the sign-in stays alive; left alone for as long as the server allows, the
  // page asks the server again, which then asks for the password.
  let lastContact = Date.now();
  const page = document.querySelector('meta[name="mbc-idle-seconds"]');
  const idle = 1000 * Number(page ? page.content : 1800);
  const ping = () => {
    if (Date.now() - lastContact > Math.min(60000, idle / 3)) {
      lastContact = Date.now();
      window.fetch("/still-here", { method: "POST" });
    }
  };
  for (const sign of ["pointerdown", "keydown", "wheel", "touchstart"]) {
    window.addEventListener(sign, ping, { passive: true });
  }
  setInterval(() => {
    if (Date.now() - lastContact <= idle + 2000) return;
    if (!(window.mbcKeepTyped && window.mbcKeepTyped())) window.location.reload();
  }, 5000);

  // A page brought back by the browser's back button is asked for anew.
  window.addEventListener("pageshow", (shown) => {
    if (shown.persisted) window.location.reload();
  });

  const open = (path) => {
    window.history.pushState({}, "", path);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  };

  // A row of the caseload opens its client, by pointer or by the Enter key.
  const clientOf = (element) => {
    const row = element.closest && element.closest("#caseload-grid .ag-row[row-id]");
    return row ? `/client/${encodeURIComponent(row.getAttribute("row-id"))}` : null;
  };
  document.addEventListener("click", (event) => {
    const path = clientOf(event.target);
    if (!path || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    open(path);
  });
  document.addEventListener("keydown", (event) => {
    const path = event.key === "Enter" && clientOf(event.target);
    if (path) open(path);
  });

  // What is kept apart stands behind a button: on a client's page, and on a page of its own.
  const DOORS = { "record-button": "record", "points-button": "points" };
  const hide = () => {
    for (const [name, behind] of Object.entries(DOORS)) {
      const button = document.getElementById(name);
      if (!button) continue;
      if (button.getAttribute("aria-expanded") === "true") button.click();
      document.getElementById(behind).hidden = true;  // at once, and also what is still on its way
    }
  };
  document.addEventListener("click", (event) => {
    const behind = DOORS[event.target.id];
    if (behind) document.getElementById(behind).hidden = false;
  });
  // It is out of sight at the press of one key, and when the window is: somebody else may look at the screen when
  // it comes back.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hide();
  });

  // A record opened by emergency access goes when its time is up; the server shows no more of it by then.
  const closing = new WeakMap();
  setInterval(() => {
    const glass = document.getElementById("glass");
    if (!glass) return;
    if (!closing.has(glass)) closing.set(glass, Date.now() + 1000 * Number(glass.dataset.seconds));
    if (Date.now() > closing.get(glass)) window.location.reload();
  }, 1000);

  let first = true;
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    mbc: {
      // Finds clients among those the page holds; where it does not hold all, the server is asked.
      findClients: (value) => {
        const list = document.getElementById("caseload-list");
        const more = document.getElementById("caseload-more");
        const words = (value || "").toLowerCase().split(/\s+/).filter(Boolean);
        const grid = window.dash_ag_grid && document.getElementById("caseload-grid");
        if (grid) window.dash_ag_grid.getApiAsync("caseload-grid").then((api) => api.setGridOption("quickFilterText", words.join(" ")));
        if (more && !more.hidden) return [words.join(" "), true, ""];
        let found = 0;
        for (const group of list.querySelectorAll(".work-group")) {
          let here = 0;
          for (const line of group.querySelectorAll("li")) {
            const wanted = words.every((word) => line.dataset.find.includes(word));
            line.hidden = !wanted;
            here += wanted;
          }
          group.hidden = here === 0;
          if (group.tagName === "DETAILS") group.open = words.length > 0 && here > 0;
          found += here;
        }
        const keep = window.dash_clientside.no_update;
        return [keep, found > 0, found > 0 ? "" : "No client of that name or number."];
      },
      showScores: (clicks) => {
        const shown = clicks % 2 === 1;
        return [!shown, shown, String(shown)];
      },
      chooseTheme: (dark) => {
        const theme = window.mbcTheme.choose(dark ? "dark" : "light");
        return [theme, theme];
      },
      // Marks the current page in the navigation; after a change of page the focus goes to its beginning.
      arrive: (path) => {
        for (const link of document.querySelectorAll("#nav a")) {
          const here = path === link.getAttribute("href");
          if (here) link.setAttribute("aria-current", "page");
          else link.removeAttribute("aria-current");
        }
        if (!first) document.getElementById("main").focus({ preventScroll: true });
        first = false;
        return "pages";
      },
    },
  });
})();
