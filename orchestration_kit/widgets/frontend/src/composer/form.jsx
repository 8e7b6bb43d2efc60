// The form of what is selected: every field of the step, or of the workflow where no step is selected.
import { memo, useMemo } from "react";
import { Icon } from "./box.jsx";
import { Field, FormContext } from "./controls.jsx";
import { Finding } from "./problems.jsx";

export const Form = memo(function Form({ panel, forms, steps, problems, want, several }) {
  const { subject, kind, values, refused, about } = panel;
  const context = useMemo(() => ({
    subject, steps, refused, revision: panel, turn: panel.turn,
    put: (path, value, move = "put") => want("put", { step: subject, path, value, move }),
    forget: (path) => want("forget", { step: subject, path }),
    enter: (path) => want("enter", { step: subject, name: path[0] === "body" ? "each" : path[1] }),
  }), [panel, subject, steps, refused, want]);
  const controls = forms[kind] ?? [];
  const mine = problems.filter((problem) => (subject === null ? !problem.steps.length : problem.steps.includes(subject)));
  if (several > 1) {
    return <section className="okc-form" aria-label="Selection" data-region="form"><h3>{several} steps selected</h3><p>Copy, cut, delete or move them together. Select one to edit it.</p></section>;
  }
  const field = (control) => <Field key={control.name} control={control} path={[control.name]} value={values[control.name]} />;
  const more = controls.filter((control) => control.more);
  const isSet = more.some(({ name }) => (Array.isArray(values[name]) ? values[name].length : values[name] != null)) || refused.some((one) => more.some(({ name }) => name === one.path[0]));
  return (
    <FormContext.Provider value={context}>
      <section className="okc-form" aria-label={subject === null ? "Workflow" : `Step ${subject}`} data-region="form">
        <h3>{subject !== null && <Icon kind={kind} />}{subject === null ? "Workflow" : subject}</h3>
        <p className="okc-about">{subject === null ? "Select a step to edit it." : about}</p>
        {mine.map((problem, at) => <Finding key={at} problem={problem} />)}
        {controls.filter((control) => !control.more).map(field)}
        {more.length > 0 && <details open={isSet || undefined}><summary>More fields</summary>{more.map(field)}</details>}
      </section>
    </FormContext.Provider>
  );
});
