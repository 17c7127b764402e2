// How cells of the caseload are drawn: React elements made of text, so nothing on record can become markup.
(() => {
  "use strict";
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const make = (...about) => window.React.createElement(...about);

  cells.Client = ({ data }) =>
    make(
      "div",
      { className: "cell" },
      make("a", { href: data.path, className: "client-link", tabIndex: -1 }, data.name),
      make("span", { className: "cell-quiet" }, data.about)
    );

  cells.Measure = ({ data, colDef }) => {
    const value = data.cells[colDef.field];
    if (!value) return make("div", { className: "cell cell-quiet" }, "not measured");
    return make(
      "div",
      { className: "cell" },
      make(
        "span",
        { className: "cell-line" },
        value.spark
          ? make("span", { className: "spark", "aria-hidden": "true", style: { maskImage: `url("${value.spark}")` } })
          : null,
        make("span", { className: "cell-by" }, value.by)
      ),
      make("span", { className: `verdict ${value.mood}` }, value.words[0]),
      value.words[1] ? make("span", { className: "cell-more" }, value.words[1]) : null
    );
  };
})();
