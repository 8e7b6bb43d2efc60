// The controls of the form, one for each type that Python names. A value goes to Python when it is done (on blur, Enter,
// a choice); what Python refuses stays in the control, with what was said, until it fits or Escape drops it.
import { createContext, useContext, useEffect, useId, useRef, useState } from "react";

/** What every control needs of the form: `subject`, `steps`, `refused`, `put`, `forget`, `enter`. */
export const FormContext = createContext(null);

export function Field({ control, path, value }) {
  const { refused } = useContext(FormContext);
  const name = useId();
  const key = JSON.stringify(path);
  const wrong = refused.find((one) => JSON.stringify(one.path) === key);
  const Control = CONTROLS[control.type] ?? Text;
  const isGroup = GROUPS.has(control.type);
  const about = { id: `${name}-control`, "aria-describedby": `${name}-help`, "aria-invalid": wrong ? true : undefined, "data-path": path.join(".") };
  const inner = <Control control={control} path={path} value={value} wrong={wrong} about={about} />;
  const hint = <small className="okc-help" id={`${name}-help`}>{control.help}</small>;
  const reason = wrong && <p className="okc-reason" role="alert">{wrong.reason}</p>;
  if (isGroup) return <fieldset className="okc-field"><legend>{control.label}</legend>{inner}{reason}{hint}</fieldset>;
  return (
    <div className={`okc-field okc-field-${control.type}`}>
      <label htmlFor={about.id}>{control.label}{control.required ? <i aria-hidden="true"> *</i> : null}</label>
      {inner}{reason}{hint}
    </div>
  );
}

/** Text on its way: kept here until it is done. `read` makes the value of it, `show` the text. */
function useTyped({ path, value, wrong }, show, read) {
  const { put, forget, turn } = useContext(FormContext);
  const said = wrong ? show(wrong.value) : show(value);
  const [text, setText] = useState(said);
  const [fault, setFault] = useState("");
  const sent = useRef(null);
  useEffect(() => {
    // An answer to what was sent changes nothing: the person may have gone on typing meanwhile.
    if (sent.current !== said) setText(said);
    sent.current = null;
    setFault("");
  }, [turn, said]);
  const done = () => {
    if (text === said) return;
    let made;
    try {
      made = read(text);
    } catch (error) {
      setFault(String(error.message));
      return;
    }
    setFault("");
    if (text === sent.current) return;
    sent.current = text;
    if (text === show(value) && wrong) forget(path);
    else put(path, made);
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape" && (text !== show(value) || wrong)) {
      event.stopPropagation();
      setText(show(value));
      setFault("");
      if (wrong) forget(path);
    } else if (event.key === "Enter" && (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      done();
    }
  };
  const isDirty = text !== said;
  return { fault, typed: { value: text, onChange: (event) => setText(event.target.value), onBlur: done, onKeyDown, "data-dirty": isDirty || undefined } };
}

const asText = (value) => (value == null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
const python = (value) => (value && typeof value === "object" ? value.$python : undefined);

function Python({ name, path }) {
  const { put } = useContext(FormContext);
  return <p className="okc-python"><code>{name}</code> (Python, not edited here) <button type="button" onClick={() => put(path, "")}>Write text instead</button></p>;
}

function Text(props) {
  const { control, about, value, path } = props;
  const words = useId();
  const { typed, fault } = useTyped(props, asText, (text) => (text === "" && control.optional ? null : text));
  if (python(value)) return <Python name={python(value)} path={path} />;
  const isCode = control.type === "condition" || control.type === "path";
  const hint = { condition: "output.approved == true", path: "data.items" }[control.type];
  return (
    <>
      <input {...about} {...typed} type="text" spellCheck={!isCode} autoComplete="off" className={isCode ? "okc-code" : ""} placeholder={hint} list={control.words ? words : undefined} />
      {control.words && <datalist id={words}>{control.words.map((word) => <option key={word} value={word} />)}</datalist>}
      {fault && <p className="okc-reason" role="alert">{fault}</p>}
    </>
  );
}

function Long(props) {
  const { typed } = useTyped(props, asText, (text) => text);
  return <textarea {...props.about} {...typed} rows={2} />;
}

function Lines(props) {
  const { typed } = useTyped(props, (value) => (value ?? []).map((one) => python(one) ?? one).join("\n"), (text) => text.split("\n").map((line) => line.trim()).filter(Boolean));
  if ((props.value ?? []).some(python)) return <Python name={props.value.map((one) => python(one) ?? one).join(", ")} path={props.path} />;
  return <textarea {...props.about} {...typed} rows={2} className="okc-code" placeholder="one per line" />;
}

function Json(props) {
  const { typed, fault } = useTyped(props, (value) => (value == null ? "" : JSON.stringify(value, null, 1)), (text) => (text.trim() ? JSON.parse(text) : null));
  return <><textarea {...props.about} {...typed} rows={4} className="okc-code" placeholder='{"type": "boolean"}' />{fault && <p className="okc-reason" role="alert">{fault}</p>}</>;
}

function Numeric(props) {
  const { control } = props;
  const { typed } = useTyped(props, asText, (text) => (text.trim() === "" ? (control.optional ? null : "") : Number.isFinite(Number(text)) ? Number(text) : text));
  return <input {...props.about} {...typed} type="text" inputMode={control.type === "integer" ? "numeric" : "decimal"} placeholder={control.optional ? "none" : ""} />;
}

/** What was chosen shows at once; what Python says then goes. */
function useChosen({ path, value, wrong }) {
  const { put, turn, revision } = useContext(FormContext);
  const said = wrong ? wrong.value : value;
  const [now, setNow] = useState(said);
  useEffect(() => setNow(said), [turn, said, revision]);
  return [now, (chosen) => (setNow(chosen), put(path, chosen))];
}

function Flag(props) {
  const [now, choose] = useChosen(props);
  return <input {...props.about} type="checkbox" checked={Boolean(now)} onChange={(event) => choose(event.target.checked)} />;
}

function Choice(props) {
  const { control, about } = props;
  const [now, choose] = useChosen(props);
  return (
    <select {...about} value={asText(now)} onChange={(event) => choose(event.target.value)}>
      {control.options.map((option) => <option key={option} value={option}>{String(option).replaceAll("_", " ")}</option>)}
    </select>
  );
}

/** A step of this workflow, by its id. */
function StepChoice(props) {
  const { control, about } = props;
  const { steps } = useContext(FormContext);
  const [now, choose] = useChosen(props);
  const known = now == null || steps.includes(now) ? steps : [...steps, now];
  return (
    <select {...about} value={now ?? ""} onChange={(event) => choose(event.target.value || null)}>
      {(control.optional || now == null) && <option value="">none</option>}
      {known.map((step) => <option key={step} value={step}>{steps.includes(step) ? step : `${step} (missing)`}</option>)}
    </select>
  );
}

const BODIES = { step: "a step", branch: "a step, if", workflow: "a workflow of its own" };

/** Where a branch begins: a step, a step with a condition, or a workflow. */
function Body({ control, about, path, value }) {
  const { put, steps, enter } = useContext(FormContext);
  const mode = value?.$workflow !== undefined ? "workflow" : typeof value === "object" ? "branch" : "step";
  const step = mode === "branch" ? value.to : mode === "step" ? value : steps[0] ?? "";
  const turn = (into) => {
    if (into === "step") put(path, step);
    else if (into === "branch") put(path, { when: "", to: step });
    else put(path, { name: String(path.at(-1)) });
  };
  return (
    <div className="okc-body">
      <select aria-label="What it is" value={mode} onChange={(event) => turn(event.target.value)}>
        {Object.entries(BODIES).map(([name, words]) => (name !== "branch" || control.choosable) && <option key={name} value={name}>{words}</option>)}
      </select>
      {mode === "step" && <StepChoice control={{}} about={about} path={path} value={value} />}
      {mode === "branch" && <><StepChoice control={{}} about={about} path={[...path, "to"]} value={value.to} /><Field control={{ name: "when", label: "When", type: "condition" }} path={[...path, "when"]} value={value.when} /><Field control={{ name: "label", label: "Label", type: "text" }} path={[...path, "label"]} value={value.label} /></>}
      {mode === "workflow" && <button {...about} type="button" onClick={() => enter(path)}>Open {value.$workflow} ({value.steps} step{value.steps === 1 ? "" : "s"})</button>}
    </div>
  );
}

function Model({ control, path, value }) {
  const { put } = useContext(FormContext);
  if (value == null) return <button type="button" data-path={path.join(".")} onClick={() => put(path, {})}>Set {control.label.toLowerCase()}</button>;
  return (
    <div className="okc-nested">
      {control.fields.map((field) => <Field key={field.name} control={field} path={[...path, field.name]} value={value[field.name]} />)}
      {control.optional && <button type="button" onClick={() => put(path, null)}>Remove {control.label.toLowerCase()}</button>}
    </div>
  );
}

function Items({ control, path, value }) {
  const { put, steps } = useContext(FormContext);
  const [target, setTarget] = useState("");
  const items = value ?? [];
  const one = control.title.toLowerCase();
  return (
    <div className="okc-items">
      {items.map((item, at) => (
        <div key={at} className="okc-nested" role="group" aria-label={`${one} ${at + 1}`}>
          {control.fields.map((field) => <Field key={field.name} control={field} path={[...path, at, field.name]} value={item[field.name]} />)}
          <span className="okc-row">
            <button type="button" disabled={at === 0} onClick={() => put([...path, at], -1, "shift")} aria-label={`Try ${one} ${at + 1} earlier`}>↑</button>
            <button type="button" disabled={at === items.length - 1} onClick={() => put([...path, at], 1, "shift")} aria-label={`Try ${one} ${at + 1} later`}>↓</button>
            <button type="button" onClick={() => put([...path, at], null, "drop")}>Remove</button>
          </span>
        </div>
      ))}
      <span className="okc-row">
        <select aria-label={`New ${one}, to`} value={target} onChange={(event) => setTarget(event.target.value)}>
          <option value="">to …</option>
          {steps.map((step) => <option key={step} value={step}>{step}</option>)}
        </select>
        <button type="button" disabled={!target} onClick={() => (put([...path, items.length], { when: "", to: target }, "insert"), setTarget(""))}>Add {one}</button>
      </span>
    </div>
  );
}

function Mapping({ control, path, value }) {
  const { put, steps } = useContext(FormContext);
  const [name, setName] = useState("");
  const entries = Object.entries(value ?? {});
  const first = () => (control.entry.type === "body" ? steps[0] ?? name : control.entry.type === "choice" ? control.entry.options[0] : "output");
  const add = () => (put([...path, name.trim()], first()), setName(""));
  const entry = control.entry.type === "body" ? { ...control.entry, choosable: true } : control.entry;
  return (
    <div className="okc-items">
      {entries.map(([key, item]) => (
        <div key={key} className="okc-nested" role="group" aria-label={key}>
          <KeyName path={path} name={key} />
          <Field control={{ ...entry, label: control.entry.type === "body" ? "Begins at" : "Value" }} path={[...path, key]} value={item} />
          <button type="button" onClick={() => put([...path, key], null, "drop")}>Remove {key}</button>
        </div>
      ))}
      <span className="okc-row">
        <input type="text" aria-label={`New name in ${control.label ?? "it"}`} value={name} placeholder="name" onChange={(event) => setName(event.target.value)} onKeyDown={(event) => event.key === "Enter" && name.trim() && add()} />
        <button type="button" disabled={!name.trim()} onClick={add}>Add</button>
      </span>
    </div>
  );
}

function KeyName({ path, name }) {
  const { put } = useContext(FormContext);
  const [text, setText] = useState(name);
  useEffect(() => setText(name), [name]);
  const done = () => text.trim() && text !== name && put([...path, name], text.trim(), "rename");
  return <input type="text" aria-label={`Name of ${name}`} value={text} onChange={(event) => setText(event.target.value)} onBlur={done} onKeyDown={(event) => event.key === "Enter" && done()} />;
}

function Either({ control, path, value, about }) {
  const { put } = useContext(FormContext);
  const fits = { integer: (one) => typeof one === "number", mapping: (one) => one !== null && typeof one === "object" && !python(one) };
  const at = value == null && control.optional ? -1 : Math.max(0, control.variants.findIndex((one) => (fits[one.type] ? fits[one.type](value) : typeof value === "string" || python(value))));
  const starts = { integer: () => 1, mapping: () => ({}), path: () => "output", choice: (one) => one.options[0] };
  const turn = (to) => put(path, to < 0 ? null : (starts[control.variants[to].type] ?? (() => ""))(control.variants[to]));
  const variant = control.variants[at];
  const Inner = variant && CONTROLS[variant.type];
  return (
    <div className="okc-either">
      <select aria-label={`${control.label}: how`} value={at} onChange={(event) => turn(Number(event.target.value))}>
        {control.optional && <option value={-1}>none</option>}
        {control.variants.map((one, number) => <option key={number} value={number}>{one.label}</option>)}
      </select>
      {variant && <Inner control={{ ...variant, label: control.label }} path={path} value={value} about={{ ...about, "aria-label": control.label }} />}
    </div>
  );
}

const CONTROLS = { text: Text, condition: Text, path: Text, long: Long, lines: Lines, json: Json, number: Numeric, integer: Numeric, flag: Flag, choice: Choice, step: StepChoice, body: Body, object: Model, list: Items, mapping: Mapping, either: Either };
const GROUPS = new Set(["object", "list", "mapping", "either", "body"]);
