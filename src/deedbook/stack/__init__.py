"""The whole stack on one machine: what `deedbook up` starts, and what `deedbook demo` shows with it."""
