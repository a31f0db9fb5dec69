// What the theme leaves out for keyboards and screen readers; tests/docs/test_site.py asks axe whether anything is left.
const each = (selector, change) => document.querySelectorAll(selector).forEach(change);
const complete = () => {
  each("nav.md-code__nav:not([aria-label])", nav => nav.setAttribute("aria-label", `Buttons of ${nav.parentElement.id}`));
  each(".md-typeset__scrollwrap:not([tabindex])", wrap => wrap.scrollWidth > wrap.clientWidth && (wrap.tabIndex = 0));
};
each(".md-search", search => search.setAttribute("aria-label", "Search"));
new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
addEventListener("resize", complete);
complete();
