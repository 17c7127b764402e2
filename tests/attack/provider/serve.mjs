// A real OpenID Connect provider (oidc-provider) on this machine, with one person and one application, for tests.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [secret, back, left, over, sessions] = process.argv.slice(2);
const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: "mbc", client_secret: secret, redirect_uris: [back], post_logout_redirect_uris: [left],
    grant_types: ["authorization_code"], response_types: ["code"],
    backchannel_logout_uri: over, backchannel_logout_session_required: sessions === "sessions",
  }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username"] },
  features: { backchannelLogout: { enabled: true } },
  fetch: (address, options) => fetch(address, { ...options, dispatcher: undefined }), // the test is on this machine
  pkce: { required: () => true },
  cookies: { keys: ["a key of this test"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@clinic.example`, email_verified: true, preferred_username: "birch" }),
  }),
});
server.on("request", provider.callback());
console.log(issuer);
process.stdin.on("end", () => process.exit()).resume(); // ends with the test, however that ends
