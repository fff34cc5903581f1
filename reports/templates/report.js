// The page is complete without this: it only opens what is folded, by button and for printing.
(() => {
  const all = () => [...document.querySelectorAll(".golive details")];
  const button = document.getElementById("fold");
  const name = () => { button.textContent = all().every((d) => d.open) ? "Close all details" : "Open all details"; };
  if (button && all().length) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = !all().every((d) => d.open);
      all().forEach((d) => { d.open = open; });
      name();
    });
    document.addEventListener("toggle", name, true);
    name();
  }
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = all().filter((d) => !d.open);
    opened.forEach((d) => { d.open = true; });
  });
  window.addEventListener("afterprint", () => { opened.forEach((d) => { d.open = false; }); opened = []; });
})();
