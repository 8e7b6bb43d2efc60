// @ts-check
// What runs ask a person. Shows the questions there are; what an answer does is decided in Python.
import "./approval.css";
import { h, on, put, want, widget } from "./lib/kit.js";
import { questionList } from "./lib/questions.js";
import { saySeen } from "./lib/watching.js";

export default widget("approval", ({ model, root, signal }) => {
  const list = questionList({ answer: (intent, args) => want(model, intent, args), canGoOn: model.get("can_go_on"), signal });
  const none = h("p", { class: "okit-approval-none" });
  const more = h("p", { class: "okit-approval-more" });
  const count = h("p", { class: "okit-aside", role: "status" });
  put(root, count, none, list.node, more);
  const show = () => {
    const questions = model.get("questions") ?? [];
    list.show(questions);
    none.hidden = questions.length > 0;
    none.textContent = model.get("about");
    more.hidden = model.get("more") === 0;
    more.textContent = `${model.get("more")} more questions are open. They come up as these are answered.`;
    const said = questions.length === 0 ? model.get("about") : questions.length === 1 ? "One approval is waited for." : `${questions.length} approvals are waited for.`;
    if (count.textContent !== said) count.textContent = said;
  };
  for (const name of ["questions", "about", "more"]) on(model, `change:${name}`, show, signal);
  on(model, "change:notice", list.rest, signal);
  on(model, "change:problems", () => {
    const { key, at } = model.get("problems");
    list.complain(key, at ?? {});
  }, signal);
  show();
  saySeen(model, signal);
});
