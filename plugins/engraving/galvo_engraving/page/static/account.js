// The account: name, studio, password.

import { told } from "./api.js";
import { el } from "./dom.js";
import { field, submitted, Told } from "./notices.js";
import { me, whoIsIt } from "./session.js";

export function account(place) {
  const { email, name, studio } = me();
  place.classList.add("doors");
  place.append(
    el("h1", {}, "Account"),
    changing("Who you are", "Save", [
      field("Email", el("input", { type: "email", value: email, readonly: true })),
      field("Your name", el("input", { name: "name", value: name, autocomplete: "name", required: true, maxlength: 200 })),
      field("Studio", el("input", { name: "studio", value: studio, autocomplete: "organization", required: true, maxlength: 200 })),
    ]),
    changing("Another password", "Change the password", [
      field("The password so far", el("input", { name: "old_password", type: "password", autocomplete: "current-password", required: true, maxlength: 200 })),
      field("The new one", el("input", { name: "password", type: "password", autocomplete: "new-password", required: true, minlength: 10, maxlength: 200 }), {
        hint: "10 characters or more. All other devices are signed out.",
      }),
    ]),
  );
}

function changing(title, action, fields) {
  const form = el("form", { class: "card stack" });
  const wrong = new Told(form);
  const done = el("p", { class: "good", role: "status" });
  form.append(el("h2", {}, title), ...fields, wrong.element, done, el("button", { type: "submit" }, action));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done.textContent = "";
    submitted(form, wrong, async () => {
      await told("/me", { method: "PATCH", json: Object.fromEntries(new FormData(form)) });
      await whoIsIt();
      done.textContent = "Saved.";
      for (const input of form.querySelectorAll("[type=password]")) input.value = "";
    });
  });
  return form;
}
