// Runs before anything is drawn.
// 1. The policy of these pages applies no style without this response's nonce. Our libraries make their style
//    elements in scripts, so each such element is given it here; styles in markup that someone smuggled in are not.
// 2. The theme is chosen before the first paint, and told to the server in a cookie: nothing is kept in web storage.
(() => {
  "use strict";
  const nonce = document.currentScript.nonce;
  const create = Document.prototype.createElement;
  Document.prototype.createElement = function (name, ...rest) {
    const made = create.call(this, name, ...rest);
    if (String(name).toLowerCase() === "style") made.setAttribute("nonce", nonce);
    return made;
  };
  const setAttribute = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };

  const COOKIE = "mbc_theme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const kept = () => (document.cookie.match(/(?:^|; )mbc_theme=([a-z-]+)/) || [])[1] || "";
  const keep = (value) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${COOKIE}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  };
  const apply = (theme) => {
    document.documentElement.setAttribute("data-mantine-color-scheme", theme);
    return theme;
  };
  // "light" and "dark" are choices; "auto-light" and "auto-dark" follow the system.
  const now = () => (kept() === "light" || kept() === "dark" ? kept() : dark.matches ? "dark" : "light");
  if (!["light", "dark"].includes(kept())) keep(`auto-${now()}`);
  apply(now());
  window.mbcTheme = {
    now,
    choose: (theme) => {
      keep(theme);
      return apply(theme);
    },
  };
})();
