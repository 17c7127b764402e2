"use strict";
(() => {
  const way = document.querySelector(".leave");
  const leave = () => {
    document.documentElement.hidden = true;
    document.documentElement.replaceChildren();
    location.replace(way.href);
  };
  let presses = [];
  if (way) {
    way.addEventListener("click", (event) => { event.preventDefault(); leave(); });
    addEventListener("keydown", (event) => {
      if (event.key !== "Shift") { presses = []; return; }
      if (event.repeat) return;
      presses = [...presses.filter((at) => event.timeStamp - at < 2000), event.timeStamp];
      if (presses.length === 3) leave();
    });
  }
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  addEventListener("submit", (event) => {
    if (event.target.dataset.busy) event.preventDefault();
    event.target.dataset.busy = "yes";
  });
  const home = document.body.dataset.home;
  if (home) {
    let timer;
    const restart = () => { clearTimeout(timer); timer = setTimeout(() => location.replace(home), document.body.dataset.after * 1000); };
    for (const kind of ["pointerdown", "keydown", "scroll"]) addEventListener(kind, restart, { passive: true });
    restart();
  }
})();
