/* Passkeys: the browser asks its own device; what it answers goes into a plain form, which the server answers. */
(() => {
  "use strict";
  const SAFE = window.isSecureContext && !!window.PublicKeyCredential;
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  };
  const text = (buffer) => {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const say = (form, words) => {
    const line = form.querySelector("[role=status]");
    line.hidden = !words;
    line.textContent = words;
  };
  const listed = (credentials) => (credentials || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const ask = async (form) => {
    const adds = form.dataset.passkey === "add";
    const answer = adds
      ? await fetch("/ask-passkey", { method: "POST", body: new URLSearchParams(new FormData(form)) })
      : await fetch("/sign-in/passkey", { headers: { Accept: "application/json" } });
    const type = answer.headers.get("Content-Type") || "";
    const options = type.startsWith("application/json") ? await answer.json() : {};
    if (!answer.ok || !options.challenge) throw new Error(options.problem || "The server did not answer. Try again.");
    options.challenge = bytes(options.challenge);
    if (adds) {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = listed(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = listed(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  };

  const written = (made) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    return JSON.stringify({
      id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {},
    });
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches || !form.matches("form[data-passkey]")) return;
    event.preventDefault();
    if (!SAFE) {
      say(form, "This browser has no passkeys at this address. They need https and a browser of today.");
      return;
    }
    say(form, "Waiting for your device …");
    try {
      const made = await ask(form);
      form.querySelector("input[name=answer]").value = written(made);
      say(form, "");
      form.submit();
    } catch (fault) {
      const ended = fault instanceof DOMException;
      const known = fault.name === "InvalidStateError";
      const why = known ? "This device has a passkey of this account already." : "It was ended, or took too long. Try again.";
      say(form, ended ? why : fault.message);
    }
  }, true);

  const show = () => {
    for (const form of document.querySelectorAll("form[data-passkey][hidden]")) form.hidden = !SAFE;
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
  else show();
})();
