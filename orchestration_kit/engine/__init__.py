"""Layer 3: run it. A sans-IO machine, and drivers around it."""
