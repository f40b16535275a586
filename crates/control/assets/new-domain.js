// A new custom domain begins with the JWK set of the key that was just made on the Keys page.

import { jwksForDomain } from "./page.js";

const field = document.getElementById("jwks");
const jwks = jwksForDomain.take();
if (jwks && field.value.trim() === "") {
  field.value = jwks;
  document.getElementById("auth-type").value = "jwt";
  for (const id of ["auth-type", "jwks"]) {
    for (const name of ["input", "change"]) {
      document.getElementById(id).dispatchEvent(new Event(name, { bubbles: true }));
    }
  }
}
