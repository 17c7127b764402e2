// The charts of a client's page: drawn again in the browser as the controls and the theme say, without asking the
// server; and one measure enlarged in a dialog, explored with the arrow keys. Nothing is kept in web storage.
(() => {
  "use strict";
  const narrow = window.matchMedia("(max-width: 48rem)"); // there the words of events stand in a list
  const noUpdate = () => window.dash_clientside.no_update;
  const state = { client: null, base: new Map(), data: null, view: null, chart: null, points: [], at: -1 };

  // Colours of a light page exchanged for those of a dark one, wherever a figure holds them.
  const recolour = (part, dark) => {
    if (typeof part === "string") return dark[part] || part;
    if (Array.isArray(part)) return typeof part[part.length - 1] === "number" ? part : part.map((each) => recolour(each, dark));
    if (part && typeof part === "object") {
      const made = {};
      for (const [name, value] of Object.entries(part)) made[name] = name === "x" || name === "y" || name === "meta" ? value : recolour(value, dark);
      return made;
    }
    return part;
  };

  const OVER = new Set(["event", "event line"]); // words above the chart stay above it
  const SWAPPED = { top: "bottom", bottom: "top" };

  // One figure as the controls ask for it.
  const adapt = (figure, view) => {
    const meta = figure.layout.meta || {};
    let data = figure.data;
    let layout = figure.layout;
    if (!meta.fixed) {
      const [low, high] = meta.range;
      const flipped = view.up && !meta.up_is_better;
      const common = view.common && !meta.rows;
      const share = (value) => (value === null ? null : (100 * (value - low)) / (high - low));
      const place = (role) => (value) => {
        if (value === null) return null;
        if (common) return flipped && !OVER.has(role) ? 100 - share(value) : share(value);
        return flipped && OVER.has(role) ? low + high - value : value;
      };
      data = data.map((trace) => {
        const role = trace.meta.role;
        // the same list where nothing moves: Plotly then draws no more than what changed
        const made = common || (flipped && OVER.has(role)) ? { ...trace, y: trace.y.map(place(role)) } : { ...trace };
        if (view.axis === "session") made.x = trace.meta.sessions;
        if (flipped && typeof trace.textposition === "string") {
          made.textposition = trace.textposition.replace(/^(top|bottom)/, (side) => SWAPPED[side]);
        }
        if (view.quiet && role === "score") {
          const grey = layout.xaxis.linecolor;
          made.line = { ...trace.line, color: grey, width: 1.25 };
          made.marker = { ...trace.marker, color: trace.meta.inside.map((inside) => (inside === false ? trace.marker.color : grey)) };
        }
        return made;
      });
      layout = { ...layout, xaxis: { ...layout.xaxis }, yaxis: { ...layout.yaxis } };
      if (meta.rows && narrow.matches && !view.paper) {
        data = data.map((trace) => (trace.meta.role === "event" ? { ...trace, mode: "markers" } : trace));
      }
      if (view.axis === "session") {
        Object.assign(layout.xaxis, { type: "linear", range: meta.sessions.range, tickvals: meta.sessions.ticks, tickformat: "" });
      }
      if (narrow.matches && !view.paper && layout.annotations) {
        // on a phone the words of the chart stand in its text and in the list of events
        data = data.filter((trace) => trace.meta.role !== "event");
        data = data.map((trace) => (/\+text$/.test(trace.mode) ? { ...trace, mode: trace.mode.replace("+text", "") } : trace));
        layout.annotations = [];
        layout.margin = { ...layout.margin, l: 30, r: 8 };
        layout.xaxis.nticks = 4;
      }
      const [bottom, top] = layout.yaxis.range;
      if (common) Object.assign(layout.yaxis, { range: [-4, share(top)], tickvals: layout.height > 300 ? [0, 20, 40, 60, 80, 100] : [0, 50, 100] });
      else if (flipped) layout.yaxis.range = [low + high - bottom, low + high - top];
      if (layout.annotations) {
        layout.annotations = layout.annotations.map((note) => (note.yref === "y" ? { ...note, y: place("")(note.y) } : note));
      }
    }
    const made = { data, layout };
    return view.theme === "dark" && state.data ? recolour(made, state.data.dark) : made;
  };

  // All measures on 0 to 100: the chosen one as it is, the others as thin lines, each named at the side.
  const COMPARED = new Set(["score", "event", "event line", "not asked"]);
  const LEAST_GAP = 5; // of 100, between two names at the side
  const compared = (chosen, view) => {
    const drawn = adapt(state.data.enlarged[chosen], view);
    const grey = drawn.layout.xaxis.linecolor;
    const data = drawn.data.filter((trace) => COMPARED.has(trace.meta.role));
    const names = [];
    for (const [name, figure] of Object.entries(state.data.enlarged)) {
      const scores = adapt(figure, view).data.filter((trace) => trace.meta.role === "score" && trace.x.length);
      if (!scores.length) continue;
      const latest = scores[scores.length - 1].y.filter((value) => value !== null).pop();
      const color = name === chosen ? scores[0].line.color : grey;
      names.push({ at: latest, text: figure.layout.meta.measure, color });
      if (name === chosen) continue;
      for (const trace of scores) {
        data.push({
          ...trace, mode: "lines", line: { color: grey, width: 1.5 }, hoverinfo: "name", hovertext: undefined,
          name: figure.layout.meta.measure, meta: { ...trace.meta, role: "other" },
        });
      }
    }
    names.sort((a, b) => a.at - b.at);
    names.forEach((name, i) => {
      name.place = i ? Math.max(name.at, names[i - 1].place + LEAST_GAP) : name.at;
    });
    const annotations = names.map((name) => ({
      x: 1.005, xref: "x domain", xanchor: "left", y: name.place, yref: "y", yanchor: "middle", showarrow: false,
      text: name.text, align: "left", font: { size: 11, color: name.color },
    }));
    return { data, layout: { ...drawn.layout, annotations } };
  };

  const byId = (name) => document.getElementById(name);
  const setProps = (name, props) => window.dash_clientside.set_props(name, props);
  const reader = new DOMParser(); // reads text without running anything in it
  const plain = (text) => reader.parseFromString(text.replace(/<br>/g, ", "), "text/html").body.textContent;

  const drawEnlarged = () => {
    const drawn = state.view.common ? compared(state.chart, state.view) : adapt(state.data.enlarged[state.chart], state.view);
    setProps("enlarged-graph", { figure: drawn });
    state.points = [];
    drawn.data.forEach((trace, curve) => {
      if (trace.meta.role !== "score") return;
      trace.y.forEach((value, point) => {
        if (value !== null && value !== undefined) state.points.push({ curve, point, text: plain(trace.hovertext[point]) });
      });
    });
    state.at = state.points.length - 1;
    say(false);
    byId("enlarged-compare").setAttribute("aria-pressed", String(state.view.common));
    drawAnswers();
  };

  const drawAnswers = () => {
    const figure = state.data.answers[state.chart];
    const place = byId("enlarged-answers");
    place.hidden = !figure;
    if (figure && place.open) setProps("answers-graph", { figure: adapt(figure, state.view) });
  };

  // The score that the arrow keys are at: in words, to a screen reader, and as a label in the chart.
  const say = (mark) => {
    const slider = byId("enlarged-points");
    const here = state.points[state.at];
    slider.setAttribute("aria-valuemax", String(Math.max(state.points.length, 1)));
    slider.setAttribute("aria-valuenow", String(Math.max(state.at + 1, 1)));
    slider.setAttribute("aria-valuetext", here ? here.text : "no score");
    byId("enlarged-point").textContent = here ? here.text : "";
    const graph = slider.querySelector(".js-plotly-plot");
    if (mark && here && graph && window.Plotly) window.Plotly.Fx.hover(graph, [{ curveNumber: here.curve, pointNumber: here.point }]);
  };

  const choose = (chart) => {
    state.chart = chart;
    for (const words of document.querySelectorAll(".enlarged-words")) words.hidden = words.dataset.chart !== chart;
    drawEnlarged();
  };

  const step = (by) => {
    const names = Object.keys(state.data.enlarged);
    choose(names[(names.indexOf(state.chart) + by + names.length) % names.length]);
  };

  document.addEventListener("click", (event) => {
    const opener = event.target.closest && event.target.closest("button.enlarge");
    if (opener && state.data && state.data.enlarged[opener.dataset.chart]) {
      byId("enlarged").showModal();
      choose(opener.dataset.chart);
      return;
    }
    const button = event.target.closest && event.target.closest("button");
    if (button && button.id === "print") window.print();
    const inDialog = byId("enlarged");
    if (!inDialog || !inDialog.open) return;
    if (event.target === inDialog || (button && button.id === "enlarged-close")) inDialog.close();
    else if (button && button.id === "enlarged-next") step(1);
    else if (button && button.id === "enlarged-previous") step(-1);
    else if (button && button.id === "enlarged-compare") setProps("zero-to-hundred", { checked: !state.view.common });
  });

  document.addEventListener("toggle", (event) => {
    if (event.target.id === "enlarged-answers" && event.target.open) drawAnswers();
  }, true);

  const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
  document.addEventListener("keydown", (event) => {
    if (!event.target.closest || !event.target.closest("#enlarged-points")) return;
    const last = state.points.length - 1;
    let to = null;
    if (event.key in STEPS) to = Math.min(Math.max(state.at + STEPS[event.key], 0), last);
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = last;
    if (to === null) return;
    event.preventDefault();
    state.at = to;
    say(true);
  });

  // On paper: light charts as wide as their places there, every fold open, and on each sheet who, when, page, version.
  const WIDTHS = { tile: 150, card: 680, compared: 330 };
  // as the components have it: for another one Plotly would draw a chart from scratch
  const config = (still) => ({ displayModeBar: false, responsive: true, scrollZoom: false, showTips: false, staticPlot: still });
  const drawingOf = (name) => {
    const place = byId(JSON.stringify({ chart: name, type: "trajectory" }));
    const graph = place && window.Plotly && place.querySelector(".js-plotly-plot");
    return graph ? { place, graph } : null;
  };
  const kindOf = (place) => Object.keys(WIDTHS).find((each) => place.closest(`.${each}`));
  const drawAgain = (name, view, sizeOf) => {
    const { place, graph } = drawingOf(name);
    const { data, layout } = adapt(state.base.get(name), view);
    const kind = kindOf(place);
    return window.Plotly.react(graph, data, { ...layout, ...sizeOf(kind) }, config(kind === "tile"));
  };
  const onPaper = (kind) => ({ width: WIDTHS[kind], autosize: false });
  const onScreenAgain = () => ({ width: undefined, autosize: true });
  const asItIs = () => ({});
  const drawn = () => [...state.base.keys()].filter(drawingOf);
  const redraw = (view, sizeOf) => drawn().forEach((name) => drawAgain(name, view, sizeOf));
  const inSight = (name) => {
    const box = drawingOf(name).graph.getBoundingClientRect();
    return box.height > 0 && box.bottom > 0 && box.top < window.innerHeight;
  };

  // A control was changed: charts in sight are drawn at once, by Plotly itself, the first without waiting for the last;
  // the others once the browser has painted. Gives the names of all of them.
  const redrawForView = () => {
    const names = drawn();
    const seen = new Set(names.filter(inSight));
    seen.forEach((name) => drawAgain(name, state.view, asItIs));
    const { data, view } = state;
    setTimeout(() => {
      if (state.data !== data || state.view !== view || rules) return; // another client or choice since, or paper
      names.filter((name) => !seen.has(name) && drawingOf(name)).forEach((name) => drawAgain(name, view, asItIs));
    }, 50);
    return new Set(names);
  };

  // A browser compiles the code that draws a chart when it is first used. So that nobody waits for that, charts in
  // sight are drawn again while the page is idle: as they are, then turned and back in one task, before anything shows.
  const whenIdle = window.requestIdleCallback || ((task) => setTimeout(task, 200));
  const LATER = 200; // milliseconds, while charts are still missing
  const TRIES = 25;
  const warmUp = (data, names) => {
    const stillShown = () => state.data === data && !rules;
    const canDraw = (name) => stillShown() && drawingOf(name) && inSight(name);
    const next = () => {
      if (!stillShown()) return;
      if (!names.length) {
        performance.mark("charts warmed up");
        return;
      }
      const name = names.shift();
      const again = canDraw(name) ? drawAgain(name, state.view, asItIs) : Promise.resolve();
      again.then(() => {
        if (canDraw(name)) {
          drawAgain(name, { ...state.view, up: !state.view.up }, asItIs);
          drawAgain(name, state.view, asItIs);
        }
        whenIdle(next);
      });
    };
    const begin = (tries) => {
      if (!stillShown()) return;
      if (tries && drawn().length < names.length) setTimeout(() => begin(tries - 1), LATER);
      else whenIdle(next);
    };
    begin(TRIES);
  };
  const quoted = (text) => `"${String(text).replace(/["\\\n]/g, " ")}"`;
  const SIZES = new Set(["A4", "A4 landscape"]);
  const sheetRules = ({ name, day, version, size }) => `@page { size: ${SIZES.has(size) ? size : "A4"}; margin: 14mm 12mm 13mm;
    @top-left { content: ${quoted(name)}; font: 600 9pt sans-serif; }
    @top-right { content: ${quoted(day)}; font: 9pt sans-serif; }
    @bottom-left { content: ${quoted(version)}; font: 8pt sans-serif; }
    @bottom-right { content: "page " counter(page) " of " counter(pages); font: 8pt sans-serif; } }`;
  let rules = null;
  let folded = [];
  window.addEventListener("beforeprint", () => {
    const page = document.querySelector(".client-page, .sheet");
    if (!page || rules) return;
    rules = document.createElement("style");
    rules.textContent = sheetRules(page.dataset);
    document.head.append(rules);
    folded = [...page.querySelectorAll(".below-screen details:not([open]), .legend-fold:not([open])")];
    for (const fold of folded) fold.open = true;
    if (state.view && page.matches(".client-page")) redraw({ ...state.view, theme: "light", paper: true }, onPaper);
  });
  window.addEventListener("afterprint", () => {
    if (!rules) return;
    rules.remove();
    rules = null;
    for (const fold of folded) fold.open = false;
    if (state.view && document.querySelector(".client-page")) redraw(state.view, onScreenAgain);
  });

  const usual = (view) => view.axis === "calendar" && !view.up && !view.common && !view.quiet && view.theme === "light";

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    mbcClient: {
      // Every chart of the page as the controls say; the figures that came with the page are kept as they came.
      draw: (axis, up, common, quiet, theme, data, figures) => {
        const names = window.dash_clientside.callback_context.outputs_list.map((output) => output.id.chart);
        const arrived = state.data !== data;
        if (arrived) {
          state.data = data;
          state.base = new Map(names.map((name, i) => [name, figures[i]]));
          whenIdle(() => warmUp(data, [...names]));
        }
        state.view = { axis, up: up === true, common: common === true, quiet: quiet === true, theme };
        if (byId("enlarged") && byId("enlarged").open && state.chart) drawEnlarged();
        if (arrived && usual(state.view) && !narrow.matches) return names.map(() => noUpdate());
        const again = arrived ? new Set() : redrawForView();
        return names.map((name) => (again.has(name) ? noUpdate() : adapt(state.base.get(name), state.view)));
      },
    },
  });
})();
