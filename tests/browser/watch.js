// In the page from its start: notes every element and attribute that ever is within a widget and is off the list,
// and every call of pwned().
(() => {
  const seen = (window.hostile = { off: [], pwned: 0, elements: 0 });
  window.pwned = () => { seen.pwned += 1; };
  const HTML = new Set(
    ("a article aside b br button caption code datalist dd details div dl dt em fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr i input kbd " +
     "label legend li main meter nav ol optgroup option output p pre progress section select small span strong style sub summary sup table tbody " +
     "td textarea tfoot th thead time tr ul").split(" "));
  const SVG = new Set("svg g path rect circle ellipse line polyline polygon text tspan title desc defs marker pattern".split(" "));
  const ATTRIBUTES = new Set(
    ("autocomplete checked class cols colspan datetime dir disabled download draggable for hidden href id inert inputmode lang list max maxlength min " +
     "minlength multiple name open pattern placeholder readonly required role rows scope selected size spellcheck start step style tabindex " +
     "title type value wrap " +
     "viewBox preserveAspectRatio xmlns d x y x1 x2 y1 y2 dx dy cx cy r rx ry width height points transform fill fill-rule fill-opacity opacity " +
     "stroke stroke-width stroke-dasharray stroke-linecap stroke-linejoin stroke-opacity font-family font-size font-style font-weight " +
     "text-anchor dominant-baseline marker-end marker-start markerWidth markerHeight markerUnits orient refX refY patternUnits patternTransform " +
     "shape-rendering pointer-events vector-effect clip-path focusable").split(" "));
  const KIT = ".okit, .okit-notice, .okit-lost, .okc, [class^=okit-still]";
  const wrong = (element) => {
    const found = [];
    // An image runs nothing. The picture of a run that stays in a saved notebook is one, and whole in itself.
    const isPicture = element.localName === "img" && /^data:image\/svg\+xml;base64,[\w+/=]+$/.test(element.getAttribute("src") ?? "");
    const isSvg = element.namespaceURI === "http://www.w3.org/2000/svg";
    const name = element.localName;
    if (!(isSvg ? SVG : HTML).has(name) && !isPicture) found.push(`<${name}>`);
    if (!isSvg && element.namespaceURI !== "http://www.w3.org/1999/xhtml") found.push(`<${name}> of ${element.namespaceURI}`);
    for (const { name: attribute, value } of element.attributes) {
      const isOurs = /^(aria|data)-[a-z-]+$/.test(attribute) && !/^data-(commandlinker|lm)/.test(attribute);
      const isKept = attribute === "data-lm-suppress-shortcuts" && value === "true";
      const isOfPicture = isPicture && ["src", "alt"].includes(attribute);
      if (!ATTRIBUTES.has(attribute) && !isOurs && !isKept && !isOfPicture) found.push(`${name}[${attribute}]`);
      if (attribute === "href" && !/^(#|blob:)/.test(value)) found.push(`href=${value}`);
      if (attribute === "type" && !/^(button|submit|text|search|number|checkbox|radio|range|date|datetime-local|time|file)$/.test(value)) found.push(`type=${value}`);
      if (attribute === "class" && !/^[\w\s-]*$/.test(value)) found.push(`class=${value}`);
      const outside = value.replace(/url\((['"]?)#[\w=(),.&-]+\1\)/g, "");
      const takesCode = ["style", "fill", "stroke", "marker-end", "marker-start", "clip-path"].includes(attribute);
      if (takesCode && /url\(|expression|javascript|@import|behavior/i.test(outside)) found.push(`${attribute}=${value}`);
      if (attribute === "style" && /position:\s*fixed/i.test(value)) found.push(`style=${value}`);
    }
    return found.map((what) => what.slice(0, 300));
  };
  const look = (element) => {
    seen.elements += 1;
    for (const what of wrong(element)) if (seen.off.length < 50 && !seen.off.includes(what)) seen.off.push(what);
  };
  const walk = (root) => {
    if (root.closest(KIT)) look(root);
    for (const element of root.querySelectorAll("*")) if (element.closest(KIT)) look(element);
  };
  new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === "attributes") { if (target.closest(KIT)) look(target); }
      else for (const node of addedNodes) if (node instanceof Element) walk(node);
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });
})();
