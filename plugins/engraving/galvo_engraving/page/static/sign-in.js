// Signing in, and making an account.

import { told } from "./api.js";
import { el } from "./dom.js";
import { field, submitted, Told } from "./notices.js";
import { me, signIn } from "./session.js";

export function signInView(place, { search }) {
  const back = /^#\/(?!sign-in)/.test(search.get("back") ?? "") ? search.get("back") : "#/";
  if (me()) {
    location.replace(back);
    return;
  }
  const email = () => el("input", { name: "email", type: "email", autocomplete: "username", required: true, maxlength: 254 });
  const password = (kind, least) => el("input", { name: "password", type: "password", autocomplete: kind, required: true, minlength: least, maxlength: 200 });
  place.classList.add("doors");
  place.append(
    el("h1", {}, "Sign in"),
    door("With your account", "Sign in", [field("Email", email()), field("Password", password("current-password"))], async (values) => {
      await signIn(values.email, values.password);
      location.replace(back);
    }),
    door(
      "Make an account",
      "Make an account",
      [
        field("Email", email()),
        field("Your name", el("input", { name: "name", autocomplete: "name", required: true, maxlength: 200 })),
        field("Studio", el("input", { name: "studio", autocomplete: "organization", required: true, maxlength: 200 }), { hint: "What your workshop is called." }),
        field("Password", password("new-password", 10), { hint: "10 characters or more." }),
      ],
      async (values) => {
        await told("/users", { method: "POST", json: values });
        await signIn(values.email, values.password);
        location.replace(back);
      },
    ),
  );
}

function door(title, action, fields, enter) {
  const form = el("form", { class: "card stack", "data-door": true });
  const wrong = new Told(form);
  form.append(el("h2", {}, title), ...fields, wrong.element, el("button", { type: "submit" }, action));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted(form, wrong, () => enter(Object.fromEntries(new FormData(form))));
  });
  return form;
}
