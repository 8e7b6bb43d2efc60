// What goes wrong while drawing is shown in the cell, never swallowed.
import { Component } from "react";

export class ErrorBoundary extends Component {
  state = { error: null };

  static getDerivedStateFromError(error) {
    return { error };
  }

  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return <pre className="okit-broken" role="alert">{`This composer could not be shown: ${error.stack ?? error}`}</pre>;
  }
}
