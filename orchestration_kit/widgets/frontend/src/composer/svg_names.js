// @ts-check
// Preact writes `tabIndex` as it is given, which SVG does not know: lines could not be reached by keyboard.
import { options } from "preact";

const before = options.vnode;
options.vnode = (node) => {
  const props = /** @type {any} */ (node.props);
  if (typeof node.type === "string" && props.tabIndex !== undefined) {
    props.tabindex = props.tabIndex;
    delete props.tabIndex;
  }
  before?.(node);
};
