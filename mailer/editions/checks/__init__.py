"""The families of rules that `check` applies, one file each; `passages` is what they read."""
