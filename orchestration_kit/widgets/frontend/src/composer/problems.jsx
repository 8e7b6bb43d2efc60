// What the checks found, with what to do about it.
import { memo } from "react";

const WORDS = { error: "⚠ Error", warning: "! Warning" };

export function Finding({ problem }) {
  return <p className={`okc-finding okc-${problem.severity}`}><b>{WORDS[problem.severity]}:</b> {problem.message}. <span>{problem.hint}</span></p>;
}

export const Problems = memo(function Problems({ view, onGo }) {
  const { problems, more_problems: more, is_sound: isSound } = view;
  const errors = problems.filter((one) => one.severity === "error").length;
  const warnings = problems.length - errors;
  const count = (number, word) => (number ? [`${number} ${word}${number === 1 ? "" : "s"}`] : []);
  const said = [...count(errors, "error"), ...count(warnings, "warning")].join(", ") || (isSound ? "✓ Sound: no problems" : "No problems here; there are some in the workflow around it");
  return (
    <details className="okc-problems" data-region="problems">
      <summary className={errors ? "okc-error" : warnings ? "okc-warning" : "okc-fine"}><span role="status">{errors ? "⚠ " : warnings ? "! " : ""}{said}</span></summary>
      <ul>
        {problems.map((problem, at) => (
          <li key={at}>
            <Finding problem={problem} />
            {problem.steps.slice(0, 6).map((step) => <button key={step} type="button" onClick={() => onGo(step)}>{step}</button>)}
          </li>
        ))}
        {more > 0 && <li>and {more} more</li>}
      </ul>
    </details>
  );
});
