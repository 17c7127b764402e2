// The copy button leaves prompts and outputs out: what is copied from an example can be run.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.md-clipboard, .md-code__button[data-md-type='copy']");
  if (!button) return;
  const code = button.closest(".highlight, pre")?.querySelector("code");
  if (!code) return;
  const lines = code.innerText.split("\n");
  if (!lines.some((line) => line.startsWith(">>> "))) return;
  const kept = lines.filter((line) => /^(>>>|\.\.\.)( |$)/.test(line)).map((line) => line.slice(4));
  event.stopImmediatePropagation();
  event.preventDefault();
  navigator.clipboard.writeText(kept.join("\n") + "\n");
}, true);
