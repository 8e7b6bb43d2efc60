"""Remember it: journals keep runs, so that they can be resumed, forked, replayed and listed."""
